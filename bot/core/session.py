"""What a conversation remembers: its session, a turn under way, and what the store keeps between turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bot.core.events import Line, Usage
from bot.core.log_index import LogIndex
from bot.core.model import Menu
from bot.core.speakers import Speaker
from bot.core.steps import Entry, Post, Record, Request


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
class Unfinished:
    """The last reply of `who` in its present stay did not end by itself: none came, or only a part."""

    who: str
    how: Literal["failed", "cut"]


@dataclass(frozen=True, slots=True)
class Session:
    """What a conversation remembers between turns.

    `personas` is a stack of at most two: a coordinator, and the persona it turned into. `turn` stands for the turn that
    was last begun (`menus.mark_of`) and `counter` numbers its menus. `menus` are those still open. `people` are the
    names of those who spoke lately, for the guard against impersonation, and `speakers` the labels that people have in
    prompts. `unfinished_reply` is the last reply, if it did not end by itself; it goes with its persona.
    `refused` are users who were told that they are not heard; `warned` and `over` the days on which people were told
    that a budget is nearly, or wholly, used up. `mentions` are the ids of the last messages that mentioned the bot, for
    the threads that may begin below them; `decided` those of the last messages that decided something: commands,
    choices, answers. `called` says that this thread began so, or that the bot was mentioned in it.
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
    are the tokens used so far, one sum a model, and `context` those of the last prompt and its reply. `index` tells
    where in the log prompts begin; None until a turn has read all of it.
    """

    session: Session = field(default_factory=Session)
    marks: tuple[Mark, ...] = ()
    active_at: float = 0.0
    usage: tuple[Usage, ...] = ()
    context: int = 0
    index: LogIndex | None = None
