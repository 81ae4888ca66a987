"""A conversation on its way from one store to another, as values for JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from bot.core.events import Usage
from bot.core.steps import Record
from bot.ports.mailbox import Message
from bot.ports.posts import Kept

FORMAT = 1
"""Goes up when an older build could no longer read what this one writes."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line of the audit trail with the key that keeps it from being added twice."""

    key: str
    at: float
    record: Record


@dataclass(frozen=True, slots=True)
class Dumped:
    """All that a store keeps of a conversation, but for leases, fences and attempts.

    `last` is the highest order ever put into the mailbox, `usage` one sum a model, `paid` the keys of what is in it.
    """

    at: float
    last: int | None = None
    state: str | None = None
    state_version: int = 0
    floor_open: bool = True
    turn: str | None = None
    turn_version: int = 0
    taken: tuple[Message, ...] = ()
    mail: tuple[Message, ...] = ()
    flag: Message | None = None
    log: tuple[str, ...] = ()
    usage: tuple[Usage, ...] = ()
    paid: tuple[str, ...] = ()
    audit: tuple[AuditLine, ...] = ()
    posts: tuple[Kept, ...] = ()

    @property
    def seen(self) -> tuple[str, ...]:
        """The ids of all messages in it, so that none of them is taken again."""
        said = (_said(line) for line in self.log)
        flag = () if self.flag is None else (self.flag,)
        return tuple(dict.fromkeys([*(m.id for m in (*self.taken, *self.mail, *flag)), *(id for id in said if id)]))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept but, perhaps, the audit trail."""
        return not (self.state or self.turn or self.taken or self.mail or self.log or self.usage or self.posts)


def to_json(conversation: str, dumped: Dumped) -> dict[str, Any]:
    """The values of `dumped`, readable by any JSON."""
    return {"greenroom": FORMAT, "conversation": conversation, **asdict(dumped)}


def from_json(value: Any) -> Dumped:
    """What `to_json` gave. Raises ValueError, with the place, for anything else."""
    if not isinstance(value, dict) or "greenroom" not in value:
        raise ValueError("This is no exported conversation: the key `greenroom` is missing at its top.")
    if value["greenroom"] != FORMAT:
        raise ValueError(
            f"This conversation was exported in format {value['greenroom']!r}, this build reads {FORMAT}. "
            "Import it with the build that wrote it."
        )
    reader = _Reader(value, "")
    turn, taken = reader.text_or_none("turn"), _messages(reader, "taken")
    if turn is not None and not taken:
        raise ValueError("turn: a turn without the messages that it took (`taken` is empty).")
    flag = value.get("flag")
    return Dumped(
        at=reader.number("at"),
        last=None if value.get("last") is None else reader.whole("last"),
        state=reader.text_or_none("state"),
        state_version=reader.whole("state_version"),
        floor_open=reader.truth("floor_open"),
        turn=turn,
        turn_version=reader.whole("turn_version"),
        taken=taken,
        mail=_messages(reader, "mail"),
        flag=None if flag is None else _message(_Reader(flag, "flag.")),
        log=reader.texts("log"),
        usage=tuple(_usage(one) for one in reader.objects("usage")),
        paid=reader.texts("paid"),
        audit=tuple(_line(one) for one in reader.objects("audit")),
        posts=tuple(_post(one) for one in reader.objects("posts")) if "posts" in value else (),
    )


class _Reader:
    """The keys of one object of the file at `place`, each as what it has to be."""

    def __init__(self, value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{place.rstrip('.')}: expected keys and values, found {_found(value)}.")
        self._value, self._place = value, place

    def text(self, key: str) -> str:
        return str(self._get(key, "text", str))

    def text_or_none(self, key: str) -> str | None:
        return None if self._value.get(key) is None else self.text(key)

    def whole(self, key: str) -> int:
        number = int(self._get(key, "a whole number of 64 bits", int))
        if isinstance(self._value[key], bool) or not -(2**63) <= number < 2**63:
            raise self._wrong(key, "a whole number of 64 bits")
        return number

    def number(self, key: str) -> float:
        return float(self._get(key, "a number", (int, float)))

    def truth(self, key: str) -> bool:
        return bool(self._get(key, "true or false", bool))

    def texts(self, key: str) -> tuple[str, ...]:
        listed = self._get(key, "a list of texts", (list, tuple))
        if not all(isinstance(one, str) for one in listed):
            raise self._wrong(key, "a list of texts")
        return tuple(listed)

    def objects(self, key: str) -> list[_Reader]:
        listed = self._get(key, "a list", (list, tuple))
        return [_Reader(one, f"{self._place}{key}[{n}].") for n, one in enumerate(listed)]

    def within(self, key: str) -> _Reader:
        return _Reader(self._value.get(key), f"{self._place}{key}.")

    def _get(self, key: str, expected: str, kind: type | tuple[type, ...]) -> Any:
        if not isinstance(self._value.get(key), kind):
            raise self._wrong(key, expected)
        return self._value[key]

    def _wrong(self, key: str, expected: str) -> ValueError:
        return ValueError(f"{self._place}{key}: expected {expected}, found {_found(self._value.get(key))}.")


def _message(reader: _Reader) -> Message:
    return Message(reader.text("id"), reader.text("payload"), reader.whole("order"), reader.truth("plain"))


def _messages(reader: _Reader, key: str) -> tuple[Message, ...]:
    return tuple(_message(one) for one in reader.objects(key))


def _usage(reader: _Reader) -> Usage:
    whole = reader.whole
    return Usage(whole("input"), whole("output"), whole("cache_read"), whole("cache_write"), reader.text("model"))


def _line(reader: _Reader) -> AuditLine:
    record = reader.within("record")
    return AuditLine(
        reader.text("key"),
        reader.number("at"),
        Record(record.text("what"), record.text("who"), record.text("sha")),
    )


def _post(reader: _Reader) -> Kept:
    number, ident, body, at = reader.whole("number"), reader.text("id"), reader.text("body"), reader.number("at")
    match reader.text("state"):
        case "growing" | "shown" | "gone" as state:
            return Kept(number, ident, body, state, reader.whole("change"), at)
        case other:
            raise ValueError(f"posts: a post is growing, shown or gone, and {ident} is {other!r}.")


def _said(line: str) -> str | None:
    """The id of the message that a line of the log is of."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    id = entry.get("id") if isinstance(entry, dict) and entry.get("kind") == "said" else None
    return id if isinstance(id, str) else None


def _found(value: object) -> str:
    return "nothing" if value is None else json.dumps(value)[:40]
