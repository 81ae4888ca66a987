"""What comes to the machine: from people, and as the results of what it asked for."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.model import HOST, Attachment, Inbound, Listen


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a human, as the machine takes it; `addressed` also where it was said in private."""

    user: str
    name: str
    text: str
    id: str
    at: float
    addressed: bool = False
    others: bool = False
    files: tuple[Attachment, ...] = ()
    hidden: bool = False
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What a conversation has used: tokens of its last prompt and their limit (0: unknown), and sums since it began.

    `read` are all tokens that models were given, `cached` those of them that came from a cache, `cost` is in $ or
    None where a price is not known.
    """

    context: int = 0
    limit: int = 0
    read: int = 0
    cached: int = 0
    written: int = 0
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that is not heard, and why, in words for people; of a press there is no `line`."""

    user: str
    name: str
    why: str
    line: Line | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people are told once a day and conversation."""

    day: str
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """People wrote something: one message, or a burst of plain ones.

    `seen` tells what offered numbers above it, in the platform's order, the last one last: a menu's id each, ""
    for a persona's own words. `asleep`: the channel was silent for longer than `talk.idle`. `inherit`: the personas
    of the channel in which this thread has just begun. `direct`: a private talk with the bot. `admin`: all of it was
    said by admins. `refusals` are the messages that are not heard: none of `lines` is among them. `listen` is how the
    conversation is listened to; `called`: this thread has just begun below a message that was addressed to the bot.
    `host` is the name that the bot itself speaks under.
    """

    turn: str
    lines: tuple[Line, ...]
    seen: tuple[str, ...] = ()
    direct: bool = False
    asleep: bool = False
    inherit: tuple[str, ...] = ()
    account: Account = Account()
    admin: bool = False
    refusals: tuple[Refusal, ...] = ()
    listen: Listen = "active"
    called: bool = False
    host: str = HOST.name


@dataclass(frozen=True, slots=True)
class Picked:
    """Somebody pressed an option of the menu with that id. `handle` is for an answer that they alone see."""

    turn: str
    user: str
    name: str
    menu: str
    number: int
    at: float
    inherit: tuple[str, ...] = ()
    account: Account = Account()
    admin: bool = False
    refusals: tuple[Refusal, ...] = ()
    handle: str = ""
    host: str = HOST.name


@dataclass(frozen=True, slots=True)
class Resumed:
    """The next link of a chain that the machine cut itself."""

    turn: str
    tag: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call of a model; `input` counts only what came from no cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    model: str = ""

    @property
    def read(self) -> int:
        """All tokens that the model was given, from a cache or not."""
        return self.input + self.cache_read + self.cache_write

    def plus(self, other: Usage) -> Usage:
        """The sum, under this one's model."""
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.model,
        )


@dataclass(frozen=True, slots=True)
class ModelReplied:
    """What a model said to the ask of that ordinal.

    `content` is the JSON text of its content blocks, byte for byte as they are to be sent back. `stop` is the API's
    stop reason, or `stopped` (a person stopped it: `by`), or `cut` (the connection broke and this much had come), or
    `late` (the longest that a reply may take was over, and this much had come).
    `crowded` says that the prompt has grown so near to the model's limit that it is to be compacted.
    """

    ask: int
    content: str
    stop: str
    usage: Usage = Usage()
    by: str = ""
    crowded: bool = False
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """No reply came. `reason` is one of `failures.REASONS`; `detail` is for people, already free of secrets.

    With a `notice`, the model was not asked, because a budget is used up.
    """

    ask: int
    reason: str
    detail: str = ""
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class BudgetTold:
    """What may be spent today and what is, in words for people."""

    text: str


@dataclass(frozen=True, slots=True)
class ResourceLoaded:
    """The text of a resource, or None where it could not be read (`problem` says why)."""

    kind: str
    name: str
    text: str | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LibraryRead:
    """The library was read again: how many personas it has now, and what is wrong with its files, a line each."""

    personas: int
    problems: tuple[str, ...] = ()


HumanEvent = Said | Picked | Resumed
Mail = Inbound | Resumed
Result = ModelReplied | ModelFailed | ResourceLoaded | LibraryRead | BudgetTold
Event = HumanEvent | Result
