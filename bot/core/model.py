"""The values that everything speaks of: where and who, and the menus put before people.

All of them are frozen and survive JSON (`codec.py`). Times, ids and orders come in with events: nothing in
`core` looks at a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SESSION_VERSION = 2
"""Goes up when an older build could no longer read what this one saves; an older build leaves newer sessions be."""

MENU_OPTIONS = 25
"""Most options a menu may have: a Discord select takes 25 (docs, select menu structure)."""

FILE = 100_000
"""So many characters of a file are taken into a talk at most; in most languages they are some 25,000 tokens."""

PRIVATE = "@me"
"""The workspace of direct messages, where a platform has them outside its workspaces."""

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
    What is `hidden` was written in a form or the like: nobody else has seen it. With `edited` it is how a message reads
    now that a turn has taken as it read before.
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
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a post stands on its platform: what to call it by, and its place in the platform's order.

    `at` is when it came up, in seconds of the platform's clock; 0 where only one person writes, or no time is told.
    """

    ref: str
    order: int
    at: float = 0.0


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


@dataclass(frozen=True, slots=True)
class Choose:
    """Choose this at a gate of a work; what it means is the mode's."""

    choice: str


Action = Activate | Run | ReadOut | Turnover | Decide | Answer | Choose


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a menu: what people read, and what choosing it does."""

    label: str
    action: Action
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """Numbered choices put before people, and what each of them means.

    A menu carries an id, its turn's mark and a number; buttons carry it too, and a typed number is bound to the menu
    that stood before it. With `lasting` it may be chosen from again and again; else it lives once. With `words` it may
    be answered in one's own words too. Where options hold words that somebody wrote, `said` is the message and `user`
    its author: the menu goes with them. `held` are words for whoever is chosen: their first message. With `ahead`, the
    first option has a button of its own beside a long list of the others.
    """

    id: str
    options: tuple[Option, ...]
    prompt: str = ""
    lasting: bool = False
    words: bool = False
    said: str = ""
    user: str = ""
    held: str = ""
    ahead: bool = False

    def pick(self, number: int) -> Option | None:
        """The option shown under `number`, counted from 1; None where there is none."""
        return self.options[number - 1] if 1 <= number <= len(self.options) else None
