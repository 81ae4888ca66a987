"""What comes to the machine: from people, and as the results of what it asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.model import Attachment, Conversation, Inbound
from bot.core.spaces import DocumentInfo, Version


@dataclass(frozen=True, slots=True)
class Utterance:
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
    line: Utterance | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about a budget that people are told once a day and conversation, for each of the `scopes`.

    These are `channel` and `everywhere`.
    """

    day: str
    text: str
    scopes: tuple[str, ...] = ("channel",)


@dataclass(frozen=True, slots=True)
class Said:
    """People wrote something: one message, or a burst of plain ones.

    `seen` tells what offered numbers above it, in the platform's order, the last one last: a menu's id each, ""
    for a persona's own words. `direct`: a private talk with the bot. `hasty`: the last menu in `seen` came up so
    shortly before, and by somebody else's doing, that a number may be meant for the one above it.
    """

    turn: str
    lines: tuple[Utterance, ...]
    seen: tuple[str, ...] = ()
    direct: bool = False
    hasty: bool = False


@dataclass(frozen=True, slots=True)
class Picked:
    """Somebody pressed an option of the menu with that id. `handle` is for an answer that they alone see."""

    turn: str
    user: str
    name: str
    menu: str
    number: int
    at: float
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The next link of a chain that a mode cut itself: it counts only while `tag` is what the session is due to do.

    `asker` is the user whom the chain answers; `link` counts the links of the turn that began it.
    """

    turn: str
    tag: str
    asker: str = ""
    link: int = 1


@dataclass(frozen=True, slots=True)
class Handed:
    """A work that was begun in a channel and goes on in this thread: `command` with `args`, for `persona`.

    `key` is that of the request that handed it over; a thread takes each key once.
    """

    turn: str
    key: str
    persona: str
    command: str
    args: str
    asker: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The link or hand-over that this turn began with was given up, for this reason: rest at a gate that can retry."""

    turn: str
    reason: str


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
    stop reason, or `stopped` (a person stopped it: `by`), or `cut` (the call failed and this much had come; `reason`
    is one of `failures.REASONS`), or `late` (the longest that a reply may take was over, and this much had come).
    `crowded` says that the prompt has grown so near to the model's limit that it is to be compacted.
    """

    ask: int
    content: str
    stop: str
    usage: Usage = Usage()
    by: str = ""
    crowded: bool = False
    notice: Notice | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """No reply came. `reason` is one of `failures.REASONS`; `detail` is for people, already free of secrets.

    With a `notice` and the reason `budget` or `budget-short`, the model was not asked; else a budget is nearly used up.
    """

    ask: int
    reason: str
    detail: str = ""
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class BudgetTold:
    """What may be spent today and what is, in words for people.

    With `raised`, it was raised by that, in words, and `by` is the user who had it raised.
    """

    text: str
    raised: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class ResourceLoaded:
    """The text of a resource, or None where it could not be read (`problem` says why)."""

    kind: str
    name: str
    text: str | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LibraryRead:
    """The library was read again: how many personas it has now, and what is wrong with its files, a line each.

    `added`, `changed` and `gone` are ids of personas and documents, `resources` counts those that came or went.
    """

    personas: int
    problems: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    resources: int = 0


@dataclass(frozen=True, slots=True)
class Recalled:
    """Texts that were kept in the log, by their ids; one that is gone or was deleted is left out."""

    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentRead:
    """A version of a document: version 0 and no text where there is none. `meta` is JSON text.

    `current` is the newest version, `at` when the one read was written. Where another one was asked for besides,
    `before` is its text and `before_version` its number.
    """

    path: str
    version: int = 0
    text: str = ""
    meta: str = ""
    current: int = 0
    at: float = 0.0
    before: str = ""
    before_version: int = 0


@dataclass(frozen=True, slots=True)
class DocumentWritten:
    """The document was written, as this version. `notice` is a line for people, where the space is nearly full."""

    path: str
    version: int
    notice: str = ""


@dataclass(frozen=True, slots=True)
class DocumentStale:
    """Somebody else wrote the document since: `version` is the current one, 0 for none, and nothing was written."""

    path: str
    version: int


@dataclass(frozen=True, slots=True)
class DocumentRefused:
    """The document could not be read or written; `problem` says why, in words for people."""

    path: str
    problem: str


@dataclass(frozen=True, slots=True)
class ThreadOpened:
    """The work goes on in that thread; None where the platform has none, and it is to begin here."""

    where: Conversation | None


@dataclass(frozen=True, slots=True)
class DocumentsListed:
    """The documents of the space, by path. `now` is the time of the look."""

    documents: tuple[DocumentInfo, ...] = ()
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class DocumentHistoryTold:
    """The versions of a document, oldest first; none where there is no document. `now` is the time of the look."""

    path: str
    versions: tuple[Version, ...] = ()
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class DocumentRenamed:
    """The document stands at `to` now."""

    path: str
    to: str
    version: int


@dataclass(frozen=True, slots=True)
class DocumentDeleted:
    """The document is gone, with all its versions."""

    path: str


HumanEvent = Said | Picked | Resumed | Handed
Mail = Inbound | Resumed | Handed
Result = (
    ModelReplied
    | ModelFailed
    | ResourceLoaded
    | LibraryRead
    | BudgetTold
    | Recalled
    | DocumentRead
    | DocumentWritten
    | DocumentStale
    | DocumentRefused
    | ThreadOpened
    | DocumentsListed
    | DocumentHistoryTold
    | DocumentRenamed
    | DocumentDeleted
)
Event = HumanEvent | GaveUp | Result
