"""How messages, claims and dead letters stand in Redis; `lua/shared.lua` reads the same layout."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.events import Usage
from bot.core.steps import Record
from bot.ports.budgets import Amount, Balance
from bot.ports.ledger import Audited
from bot.ports.mailbox import Claim, DeadLetter, Message

_BIAS = 2**63
"""Added to an order, so that as 20 digits the strings sort as the numbers do."""

_ORDER, _ARRIVAL, _PLAIN, _LENGTH = 20, 16, 1, 6
_BODY = _ORDER + _ARRIVAL
_ID = _BODY + _PLAIN + _LENGTH

_MOST_ID_BYTES = 10**_LENGTH - 1


def order_of(message: Message) -> bytes:
    """The order as 20 digits. Raises ValueError where it does not fit 64 bits."""
    if not -_BIAS <= message.order < _BIAS:
        raise ValueError(
            f"The order of message {message.id!r} is {message.order}; it has to fit 64 bits, as a timestamp in "
            "microseconds or a snowflake does."
        )
    return b"%020d" % (message.order + _BIAS)


def load_order(kept: bytes) -> int:
    """The order that is kept as those 20 digits."""
    return int(kept) - _BIAS


def kept(message: Message) -> bytes:
    """A message as it is kept where no arrival is counted."""
    return order_of(message) + b"0" * _ARRIVAL + body_of(message)


def body_of(message: Message) -> bytes:
    """What of a message is kept behind its order and arrival. Raises ValueError for an id of a megabyte."""
    id = message.id.encode()
    if len(id) > _MOST_ID_BYTES:
        raise ValueError(f"The id of a message has {len(id)} bytes, more than {_MOST_ID_BYTES}: {message.id[:40]!r}...")
    return b"%d%06d%b%b" % (message.plain, len(id), id, message.payload.encode())


def message(kept: bytes) -> Message:
    """The message that is kept as those bytes."""
    end = _ID + int(kept[_BODY + _PLAIN : _ID])
    return Message(
        id=kept[_ID:end].decode(),
        payload=kept[end:].decode(),
        order=int(kept[:_ORDER]) - _BIAS,
        plain=kept[_BODY : _BODY + _PLAIN] == b"1",
    )


def with_payload(kept: bytes, payload: str) -> bytes:
    """What is kept of a message, with another payload."""
    return kept[: _ID + int(kept[_BODY + _PLAIN : _ID])] + payload.encode()


def claim(answer: Sequence[Any]) -> Claim:
    """The claim of what `lua/claim.lua` answers when it has found something."""
    conversation, fence, attempt, expiries, state, turn, taken = answer
    return Claim(
        conversation=conversation.decode(),
        fence=int(fence),
        taken=tuple(message(kept) for kept in taken),
        state=None if state is None else state.decode(),
        turn=None if turn is None else turn.decode(),
        attempt=int(attempt),
        expiries=int(expiries),
    )


def dump_messages(messages: Sequence[Message]) -> str:
    """Messages as a dead letter keeps them: a JSON list of [id, payload, order, plain]."""
    return json.dumps([(m.id, m.payload, m.order, m.plain) for m in messages])


def dead_letter(id: int, answer: Sequence[bytes]) -> DeadLetter:
    """The dead letter that `lua/letters.lua` tells, under the id that it is known by outside."""
    _, conversation, messages, reason, at = answer
    return DeadLetter(
        id=id,
        conversation=conversation.decode(),
        messages=load_messages(messages),
        reason=reason.decode(),
        at=int(at) / 1_000_000,
    )


def load_messages(kept: bytes) -> tuple[Message, ...]:
    """The messages of a dead letter."""
    return tuple(Message(*values) for values in json.loads(kept))


def usages(counters: Mapping[bytes, bytes]) -> tuple[Usage, ...]:
    """One sum a model, sorted by model, of the hash that `lua/spend.lua` counts in."""
    sums: dict[str, dict[str, int]] = {}
    for field, count in counters.items():
        counter, model = field.decode().split(" ", 1)
        sums.setdefault(model, {})[counter] = int(count)
    return tuple(Usage(**sums[model], model=model) for model in sorted(sums))


def dump_record(record: Record) -> str:
    """A record as JSON; `lua/audit.lua` adds its time and key."""
    return json.dumps([record.what, record.who, record.sha])


def audited(conversation: str, kept: bytes) -> Audited:
    """The line of that conversation's audit trail that is kept as those bytes."""
    what, who, sha, *place = json.loads(kept)
    return Audited(conversation, place[0] / 1_000_000 if place else 0.0, Record(what, who, sha))


def amounts(fields: Mapping[bytes, bytes]) -> dict[str, Amount]:
    """What each scope has spent, of a day's hash: its fields are `t` or `m` and the scope."""
    found: dict[str, Amount] = {}
    for name, number in fields.items():
        part, _, scope = name.decode().partition(" ")
        if part in ("t", "m"):
            more = Amount(int(number)) if part == "t" else Amount(0, int(number))
            found[scope] = found.get(scope, Amount()).plus(more)
    return found


def balances(answer: Sequence[Any]) -> tuple[Balance, ...]:
    """The balances that stand in an answer as tokens, micros, granted tokens, granted micros of each."""
    numbers = [int(number or 0) for number in answer]
    return tuple(
        Balance(Amount(*numbers[n : n + 2]), Amount(*numbers[n + 2 : n + 4])) for n in range(0, len(numbers), 4)
    )
