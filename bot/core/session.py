"""What a conversation remembers: its session, a turn under way, and what the store keeps between turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from bot.core.events import Usage
from bot.core.gates import Gate
from bot.core.log_index import LogIndex
from bot.core.model import Menu
from bot.core.speakers import Speaker
from bot.core.steps import Entry, Post, Record, Request, Shape


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call of a model, still unanswered. `input` is JSON text."""

    id: str
    name: str
    input: str


@dataclass(frozen=True, slots=True)
class Tools:
    """A tool loop under way: the calls still to be answered, how many rounds there were, and who is to go on then.

    `owner` asked the model `who` for `purpose`, in `shape` (`head` and `brief` as in `AskModel`); it gets the
    reply that ends the loop, or a `Returned`.
    """

    calls: tuple[Call, ...] = ()
    round: int = 0
    owner: str = "chat"
    who: str = ""
    purpose: str = "reply"
    shape: Shape = "talk"
    head: str = ""
    brief: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request is under way: `owner` made it for `who`, and gets what comes back. `purpose` is the owner's own.

    An ask is in `shape`, `head` and `brief` (see `AskModel`). Of a summary, `then` is the ask that it has to come
    before.
    """

    who: str
    purpose: str
    owner: str = "chat"
    shape: Shape = "talk"
    then: Waiting | None = None
    head: str = ""
    brief: str = ""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The last reply of `who` in its present stay did not end by itself: none came (`failed`), or a part (`cut`).

    `owner` had asked for it.
    """

    who: str
    how: Literal["failed", "cut"]
    owner: str = "chat"


@dataclass(frozen=True, slots=True)
class Passed:
    """A menu of a work that was chosen from: who chose, and what they chose."""

    menu: str
    name: str
    label: str


class Work(Protocol):
    """The state of a work: a frozen dataclass of a mode, with these and whatever the mode wants to keep.

    It holds ids and hashes; texts are kept in the log.
    """

    mode: ClassVar[str]
    """The name of the mode that it belongs to."""

    @property
    def id(self) -> str:
        """Holds the mark of the turn that began it, so that a conversation that was wiped repeats none."""

    @property
    def who(self) -> str:
        """The persona that does it."""

    @property
    def title(self) -> str:
        """What people call it."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a conversation remembers between turns.

    `personas` is a stack of at most two: a coordinator, and the persona it turned into. `turn` stands for the turn that
    was last begun (`menus.mark_of`) and `counter` numbers its menus. `menus` are those still open. `people` are the
    names of those who spoke lately, for the guard against impersonation; `speakers` are the labels that people have in
    prompts. `unfinished_reply` is the last reply, if it did not end by itself; it goes with its persona. `refused` are
    users who were told that they are not heard; `warned` and `over` the days on which people were told that a budget is
    nearly, or wholly, used up. `mentions` are the ids of the last messages that mentioned the bot, for the threads that
    may begin below them; `decided` those of the last messages that decided something: commands, choices, answers.
    `called` says that this thread began so, or that the bot was mentioned in it.

    `work` is what is being done, each for the one before it, at most `works.DEPTH`; `paused` are such stacks, newest
    first, at most `works.PAUSED`. `due` is the tag of the one `Resumed` that counts. `handed` are the keys of the last
    hand-overs that were taken. `crowded` is the persona whose talk is to be summed up before it is asked again.
    `yolo_by` is the name of who switched yolo on, `yolo_user` their id. `passed` are the last questions of works that
    somebody has decided.
    `dated` are the personas that came on last, each with the date that it was last told.
    """

    personas: tuple[str, ...] = ()
    yolo: bool = False
    waiting: Waiting | None = None
    gate: Gate | None = None
    tools: Tools | None = None
    menus: tuple[Menu, ...] = ()
    turn: str = ""
    counter: int = 0
    people: tuple[str, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    unfinished_reply: Unfinished | None = None
    refused: tuple[str, ...] = ()
    warned: str = ""
    over: str = ""
    mentions: tuple[str, ...] = ()
    decided: tuple[str, ...] = ()
    called: bool = False
    work: tuple[Work, ...] = ()
    paused: tuple[tuple[Work, ...], ...] = ()
    due: str = ""
    handed: tuple[str, ...] = ()
    crowded: str = ""
    dated: tuple[tuple[str, str], ...] = ()
    yolo_by: str = ""
    yolo_user: str = ""
    passed: tuple[Passed, ...] = ()

    @property
    def active(self) -> str:
        """The id of the persona that has the floor; empty where there is none."""
        return self.personas[-1] if self.personas else ""

    @property
    def floor_is_open(self) -> bool:
        """Whether plain messages may be taken together: nothing is waited for, and nothing is being done."""
        return self.gate is None and self.tools is None and self.waiting is None and not self.work


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
class NumberAnchor:
    """Something that offered numbers, in the platform's order: `menu` is empty for a persona's own words.

    `at` is when it came up, in seconds of the platform's clock, 0 where it tells none; `by` is the user whose message
    made it appear.
    """

    order: int
    menu: str
    at: float = 0.0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """The usage of the ask of that ordinal."""

    ask: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn under way, stored before each of its effects, so that whoever takes it up goes on from there.

    State, not history: no event is replayed. `base` is the ordinal of the first of `posts`; the request, if there
    is one, has the ordinal behind the last of them. With `given_up`, the reason, it ends in a burial and no commit.
    """

    head: str
    session: Session
    since: int
    at: float
    posts: tuple[Post | Record, ...] = ()
    request: Request | None = None
    base: int = 0
    log: tuple[Entry, ...] = ()
    number_anchors: tuple[NumberAnchor, ...] = ()
    spent: tuple[Spent, ...] = ()
    used_stop: bool = False
    next: str = ""
    given_up: str = ""


@dataclass(frozen=True, slots=True)
class ConversationState:
    """What the store keeps of a conversation between turns: the session and the runtime's own notes.

    `number_anchors` are the last posts that offered numbers, oldest first. `active_at` is when people last spoke here.
    `usage` are the tokens used so far, one sum a model, and `context` those of the last prompt and its reply.
    `index` tells where in the log prompts begin; None until a turn has read all of it.
    """

    session: Session = field(default_factory=Session)
    number_anchors: tuple[NumberAnchor, ...] = ()
    active_at: float = 0.0
    usage: tuple[Usage, ...] = ()
    context: int = 0
    index: LogIndex | None = None
