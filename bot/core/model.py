"""The values of the machine: what comes in, what goes out, and what a conversation remembers.

All of them are frozen and survive JSON (`codec.py`). Times, ids and orders come in with events: nothing in
`core` looks at a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SESSION_VERSION = 1
"""Goes up when an older build could no longer read what this one saves; an older build leaves newer sessions be."""

MENU_OPTIONS = 25
"""Most options a menu may have: a Discord select takes 25 (docs, select menu structure)."""

FILE = 100_000
"""So many characters of a file are taken into a talk at most; in most languages they are some 25,000 tokens."""

# ---------------------------------------------------------------- where and who


@dataclass(frozen=True, slots=True)
class Conversation:
    """A channel's top level, a thread of it, or a direct message."""

    platform: str
    workspace: str
    channel: str
    thread: str = ""

    @property
    def key(self) -> str:
        """`platform:workspace:channel[:thread]`, the name everything of this conversation is stored under."""
        return ":".join(part for part in (self.platform, self.workspace, self.channel, self.thread) if part)

    @property
    def parent(self) -> Conversation | None:
        """The channel that a thread belongs to; None at the top level."""
        return Conversation(self.platform, self.workspace, self.channel) if self.thread else None

    @classmethod
    def parse(cls, key: str) -> Conversation:
        """The conversation of a key. Raises ValueError where it is none."""
        parts = key.split(":", 3)
        if len(parts) < 3 or not all(parts):
            raise ValueError(f"not a conversation key: {key!r}")
        return cls(*parts)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message.

    `size` is in bytes, `media` its media type as the platform tells it, `ref` what its adapter finds it by. `text` is
    what it says, once it was read: all of it, or with `cut` its beginning. Where it could not be read as text,
    `problem` says why, in words for people.
    """

    name: str
    size: int = 0
    media: str = ""
    ref: str = ""
    text: str | None = None
    cut: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Whisper:
    """Somebody who alone is to see a post. `handle` is what the adapter needs for that; it may have run out."""

    user: str
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message or a press, as an adapter hands it over.

    `id` is the platform's own and the same for every delivery of one message. `order` is the platform's own
    order as an integer (a ts in microseconds, a snowflake), comparable with a `Receipt`'s. `at` is in seconds
    since the epoch. `text` is free of the platform's escapes and of the mention of the bot, which
    `addressed` tells of; `others` says that another human is mentioned. A press has `menu` and `number`;
    with `menu` alone, `text` is an answer in words to that menu. `roles` are the sender's, where the platform has such;
    an `outsider` is a guest, or of another organisation. `handle` is what a private answer needs (see `Whisper`).
    What is `hidden` was written in a form or the like: nobody else has seen it.
    """

    conversation: Conversation
    id: str
    user: str
    name: str
    text: str
    order: int
    at: float
    direct: bool = False
    addressed: bool = False
    others: bool = False
    menu: str = ""
    number: int = 0
    roles: tuple[str, ...] = ()
    outsider: bool = False
    files: tuple[Attachment, ...] = ()
    handle: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a post stands on its platform: what to call it by, and its place in the platform's order."""

    ref: str
    order: int


@dataclass(frozen=True, slots=True)
class Voice:
    """The name and icon that something is said under; `persona` is empty for the host itself."""

    name: str
    icon: str
    persona: str = ""


HOST = Voice("Greenroom", "🟢")

Listen = Literal["active", "mention", "commands"]
"""How a conversation is listened to.

active: people's messages are for the persona that is on. mention: only those that mention the bot, presses, and all
in a thread that began with a mention. commands: only those that mention the bot, commands, choices and presses.
"""

# ---------------------------------------------------------------- menus


@dataclass(frozen=True, slots=True)
class Activate:
    """Bring a persona on, and run `then` (a command with its arguments) if there is one."""

    persona: str
    then: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Run a command of the host or of the active persona."""

    command: str
    args: str = ""


@dataclass(frozen=True, slots=True)
class ReadOut:
    """Post a document of the library."""

    document: str


@dataclass(frozen=True, slots=True)
class Turnover:
    """Show the same list from its entry `first` on, counted from 0."""

    list: str
    first: int


@dataclass(frozen=True, slots=True)
class Decide:
    """Decide what a gate waits for; to `drop` something is more than to say no to it."""

    choice: Literal["yes", "no", "drop"]


@dataclass(frozen=True, slots=True)
class Answer:
    """Give the persona that asked this option as its answer."""

    text: str


Action = Activate | Run | ReadOut | Turnover | Decide | Answer


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a menu: what people read, and what choosing it does."""

    label: str
    action: Action
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """Numbered choices put before people, and what each of them means.

    A menu carries an id, the session's own counter; buttons carry it too, and a typed number is bound to the menu
    that stood before it. With `lasting` it may be chosen from again and again; else it lives once. With `words` it may
    be answered in one's own words too.
    """

    id: str
    options: tuple[Option, ...]
    prompt: str = ""
    lasting: bool = False
    words: bool = False

    def pick(self, number: int) -> Option | None:
        """The option shown under `number`, counted from 1; None where there is none."""
        return self.options[number - 1] if 1 <= number <= len(self.options) else None


# ---------------------------------------------------------------- events


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
    stop reason, or `stopped` (a person stopped it: `by`), or `cut` (the connection broke and this much had come).
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

# ---------------------------------------------------------------- what a step asks for


@dataclass(frozen=True, slots=True)
class AskModel:
    """Let `who` speak next; with `show`, people may watch the reply grow."""

    who: str
    show: bool = True


@dataclass(frozen=True, slots=True)
class LoadResource:
    """Read a resource of the library for `who`."""

    who: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class ReadLibrary:
    """Read the persona files again."""


@dataclass(frozen=True, slots=True)
class TellBudget:
    """Say what may be spent here today, after having raised it by so many tokens and millionths of a dollar."""

    tokens: int = 0
    micros: int = 0


@dataclass(frozen=True, slots=True)
class ForgetAll:
    """Wipe the conversation: what was said, where it stands, and what waits. Nothing comes back from it."""


Request = AskModel | LoadResource | ReadLibrary | TellBudget | ForgetAll


@dataclass(frozen=True, slots=True)
class Post:
    """Something to be said. `completes` is the ordinal of the ask that this is the reply of; `only` may see it."""

    voice: Voice
    markdown: str
    menu: Menu | None = None
    completes: int | None = None
    only: Whisper | None = None

    @property
    def offers(self) -> bool:
        """Whether a number typed below this may be meant for it: a menu, or words of a model."""
        return self.menu is not None or self.completes is not None


@dataclass(frozen=True, slots=True)
class Record:
    """A line of the audit trail: what was decided, by whom, and the hash of the text that they saw."""

    what: str
    who: str
    sha: str = ""


EntryKind = Literal["on", "off", "said", "reply", "result", "note", "compact"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the conversation's append-only log.

    on, off: persona `who` came or went. said: a human `name` (`who` is the platform's id) spoke. reply: a
    persona's words, with the model's `content` blocks as JSON text, byte for byte. result: the answer to the tool
    call `call` of `who`. note: something the host did that a later prompt of `who` should know. compact: what `who`
    summed up of everything above; its prompts begin here, but for the last few lines above.
    """

    kind: EntryKind
    who: str
    text: str = ""
    name: str = ""
    content: str = ""
    call: str = ""
    id: str = ""


# ---------------------------------------------------------------- state


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call of a model, still unanswered. `input` is JSON text."""

    id: str
    name: str
    input: str


@dataclass(frozen=True, slots=True)
class Tools:
    """A tool loop under way: the calls still to be answered, and how many rounds there were."""

    calls: tuple[Call, ...] = ()
    round: int = 0


@dataclass(frozen=True, slots=True)
class Gate:
    """A halt: only a human event opens it.

    exit: leave or stay. forget: wipe the conversation or not. file: what to do with a file that is too long (`said`
    is what came with it). run: run `command` or not (asked by fuzzy match or
    plain text; `said` is what was typed).
    propose: the same, asked by the model through the tool call `call`. ask: the model's own question, ditto.
    """

    kind: Literal["exit", "run", "propose", "ask", "forget", "file"]
    menu: str
    command: str = ""
    args: str = ""
    call: str = ""
    said: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """The model is to speak, or a resource to be read, next: who for, and why."""

    who: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Session:
    """What a conversation remembers between turns.

    `personas` is a stack of at most two: a coordinator, and the persona it turned into. `counter` numbers the menus.
    `menus` are those still open. `people` are the names of those who spoke lately, for the guard against
    impersonation. `unfinished` tells what became of the last reply, if it did not end by itself: none came, or part.
    `refused` are users who were told that they are not heard; `warned` and `over` the days on which people were told
    that a budget is nearly, or wholly, used up. `mentions` are the ids of the last messages that mentioned the bot, for
    the threads that may begin below them; `called` says that this thread began so, or that the bot was mentioned in it.
    """

    personas: tuple[str, ...] = ()
    yolo: bool = False
    waiting: Waiting | None = None
    gate: Gate | None = None
    tools: Tools | None = None
    menus: tuple[Menu, ...] = ()
    counter: int = 0
    people: tuple[str, ...] = ()
    unfinished: Literal["", "failed", "cut"] = ""
    refused: tuple[str, ...] = ()
    warned: str = ""
    over: str = ""
    mentions: tuple[str, ...] = ()
    called: bool = False

    @property
    def active(self) -> str:
        """The id of the persona that has the floor; empty where there is none."""
        return self.personas[-1] if self.personas else ""

    @property
    def floor_is_open(self) -> bool:
        """Whether plain messages may be taken together: nothing is waited for."""
        return self.gate is None and self.tools is None and self.waiting is None


@dataclass(frozen=True, slots=True)
class Step:
    """What one event leads to: the new session, new log entries, posts in order, then at most one request.

    `next` is the tag of a `Resumed` to be put at the end of the mailbox.
    """

    session: Session
    log: tuple[Entry, ...] = ()
    posts: tuple[Post | Record, ...] = ()
    request: Request | None = None
    next: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that offered numbers, in the platform's order: `menu` is empty for a persona's own words."""

    order: int
    menu: str


@dataclass(frozen=True, slots=True)
class Spent:
    """The usage of the ask of that ordinal."""

    ask: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn under way, stored before each of its effects, so that whoever takes it up goes on from there.

    State, not history: no event is replayed. `base` is the ordinal of the first of `posts`; the request, if there
    is one, has the ordinal behind the last of them.
    """

    head: str
    session: Session
    since: int
    at: float
    posts: tuple[Post | Record, ...] = ()
    request: Request | None = None
    base: int = 0
    log: tuple[Entry, ...] = ()
    marks: tuple[Mark, ...] = ()
    spent: tuple[Spent, ...] = ()
    used_stop: bool = False
    next: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """What the store keeps of a conversation between turns: the session and the runtime's own notes.

    `marks` are the last posts that offered numbers, oldest first. `active_at` is when people last spoke here. `usage`
    are the tokens used so far, one sum a model, and `context` those of the last prompt and its reply.
    """

    session: Session = field(default_factory=Session)
    marks: tuple[Mark, ...] = ()
    active_at: float = 0.0
    usage: tuple[Usage, ...] = ()
    context: int = 0
