"""What the fake of Discord knows: people, guilds, channels, webhooks, messages, and who may do what where.

Nothing in here speaks a protocol. Ids are snowflakes (API documentation, "Reference, Snowflakes") of the fake's clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

EPOCH_MS = 1_420_070_400_000

TEXT, DM, PUBLIC_THREAD, PRIVATE_THREAD = 0, 1, 11, 12
# Kinds of messages that nobody wrote.
PINNED, JOINED, THREAD_CREATED, THREAD_STARTER = 6, 7, 18, 21

ADD_REACTIONS = 1 << 6
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
MANAGE_WEBHOOKS = 1 << 29
USE_APPLICATION_COMMANDS = 1 << 31
MANAGE_THREADS = 1 << 34
CREATE_PUBLIC_THREADS = 1 << 35
CREATE_PRIVATE_THREADS = 1 << 36
SEND_MESSAGES_IN_THREADS = 1 << 38
ADMINISTRATOR = 1 << 3
ALL = (1 << 53) - 1

# What a new guild gives to everybody in it, as far as text goes.
EVERYONE = (
    ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | MENTION_EVERYONE
    | USE_APPLICATION_COMMANDS
    | CREATE_PUBLIC_THREADS
    | CREATE_PRIVATE_THREADS
    | SEND_MESSAGES_IN_THREADS
)
BOT = EVERYONE | MANAGE_WEBHOOKS | MANAGE_MESSAGES | MANAGE_THREADS

GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT = 1 << 1, 1 << 8, 1 << 15
GUILDS, GUILD_WEBHOOKS, GUILD_MESSAGES, GUILD_REACTIONS, GUILD_TYPING = 1 << 0, 1 << 5, 1 << 9, 1 << 10, 1 << 11
DM_MESSAGES, DM_REACTIONS, DM_TYPING = 1 << 12, 1 << 13, 1 << 14


class Clock(Protocol):
    """Something that knows the time; `bot.ports.clock.Clock` is one."""

    def now(self) -> float: ...


class RunningClock:
    """The real time, and as much more as a test has let pass."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._ahead += seconds


@dataclass(slots=True, eq=False)
class User:
    id: int
    name: str
    bot: bool = False
    takes_dms: bool = True


@dataclass(slots=True, eq=False)
class Role:
    id: int
    name: str
    permissions: int = 0


@dataclass(slots=True, eq=False)
class Guild:
    """`roles[id]` under the guild's own id is @everyone; `members` are the role ids of each member."""

    id: int
    name: str
    owner: int
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, set[int]] = field(default_factory=dict)

    def permissions(self, user: int) -> int:
        """What the roles of a member allow, before any channel's overwrites; 0 for who is not a member."""
        if user not in self.members:
            return 0
        if user == self.owner:
            return ALL
        allowed = self.roles[self.id].permissions
        for role in self.members[user]:
            allowed |= self.roles[role].permissions
        return ALL if allowed & ADMINISTRATOR else allowed


@dataclass(slots=True, eq=False)
class Channel:
    """A text channel, a thread (its `parent` is the channel) or a DM (`guild` is None, `recipient` the human)."""

    id: int
    name: str
    kind: int
    guild: Guild | None = None
    parent: Channel | None = None
    recipient: User | None = None
    owner: int = 0
    overwrites: dict[int, tuple[int, int]] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    joined: set[int] = field(default_factory=set)
    archived: bool = False
    locked: bool = False
    auto_archive: int = 1440
    created_at: float = 0.0

    @property
    def is_thread(self) -> bool:
        return self.parent is not None

    def permissions(self, user: int) -> int:
        """What a user may do here: roles, then the overwrites of everyone, of roles, of the member.

        Documentation: "Permissions, Permission Overwrites".
        """
        if self.guild is None:
            return EVERYONE if self.recipient else 0
        source = self.parent or self
        allowed = self.guild.permissions(user)
        if allowed == ALL or not allowed:
            return allowed
        everyone, member = source.overwrites.get(self.guild.id), source.overwrites.get(user)
        roles = [source.overwrites[role] for role in self.guild.members[user] if role in source.overwrites]
        if everyone:
            allowed = allowed & ~everyone[1] | everyone[0]
        for _, deny in roles:
            allowed &= ~deny
        for allow, _ in roles:
            allowed |= allow
        if member:
            allowed = allowed & ~member[1] | member[0]
        if self.kind == PRIVATE_THREAD and user not in self.joined and not allowed & MANAGE_THREADS:
            allowed = 0
        # Who cannot see a channel can do nothing in it.
        return allowed if allowed & VIEW_CHANNEL else 0

    def sees(self, user: int) -> bool:
        """Whether the channel exists for that user at all."""
        if self.guild is None:
            return True
        return bool(self.permissions(user) & VIEW_CHANNEL)


@dataclass(slots=True, eq=False)
class Webhook:
    """`application` is that of the bot that made it; None for one that a person made."""

    id: int
    token: str
    name: str
    channel: Channel
    creator: User
    application: int | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    id: int
    filename: str
    data: bytes
    content_type: str | None = None
    description: str | None = None


@dataclass(slots=True, eq=False)
class Message:
    """A message. `pings` is whoever it has called, edits included. `visible_to` is who alone sees an ephemeral one."""

    id: int
    channel: Channel
    author: User
    content: str = ""
    at: float = 0.0
    kind: int = 0
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    edited_at: float | None = None
    webhook: Webhook | None = None
    username: str | None = None
    avatar_url: str | None = None
    application: int | None = None
    nonce: str | None = None
    reply_to: Message | None = None
    visible_to: User | None = None
    interaction: Interaction | None = None
    thread: Channel | None = None
    mentions: list[int] = field(default_factory=list)
    pings: set[str] = field(default_factory=set)
    reactions: dict[str, set[int]] = field(default_factory=dict)
    deleted: bool = False


@dataclass(slots=True, eq=False)
class Interaction:
    """Something that a person did for the application to answer, and what became of it.

    `kind`: 2 command, 3 component, 4 autocomplete, 5 modal. `answer` is the type of the first response, 0 without one.
    `original` is the message that `@original` means, `followups` are those behind it.
    """

    id: int
    token: str
    kind: int
    user: User
    channel: Channel
    at: float
    data: dict[str, Any]
    message: Message | None = None
    answer: int = 0
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: dict[str, Any] | None = None
    choices: list[dict[str, Any]] | None = None

    @property
    def answered(self) -> bool:
        """Whether the application has responded or deferred; if not within 3 s, people read that it failed."""
        return self.answer != 0


@dataclass(slots=True, eq=False)
class Event:
    """Something that the gateway tells, of the guild's shard, where the bot sees it; `intent` 0 needs none."""

    name: str
    data: dict[str, Any]
    guild: Guild | None = None
    channel: Channel | None = None
    intent: int = 0
    message: Message | None = None
    repeat: int = 1


class World:
    """All of it. `publish` is set by whoever tells the bots; `privileged` are the intents switched on for the app.

    `blocked` are words that no message may hold, each with the code of the error that tells so.
    """

    def __init__(self, clock: Clock, token: str, name: str) -> None:
        self.clock = clock
        self.base = ""
        self.token = token
        self.privileged = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT
        self.attachment_life = 86_400.0
        self.blocked: dict[str, int] = {}
        self._last = 0
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.interactions: dict[str, Interaction] = {}
        self.commands: dict[int | None, list[dict[str, Any]]] = {None: []}
        self.emojis: dict[int, tuple[dict[str, Any], bytes]] = {}
        self.messages: dict[int, Message] = {}
        self.publish: Callable[[Event], None] = lambda event: None
        self.application = self.snowflake()
        self.me = User(self.snowflake(), name, bot=True)
        self.users[self.me.id] = self.me

    def snowflake(self, shard: int = 0, of: int = 1) -> int:
        """A new id: milliseconds of the clock, then a count within the millisecond; never below an older one.

        For a guild of a certain shard the next millisecond is taken that falls to it.
        """
        fresh = max(int(self.clock.now() * 1000) - EPOCH_MS, 0) << 22
        self._last = max(fresh, self._last + 1)
        while (self._last >> 22) % of != shard:
            self._last += 1 << 22
        return self._last

    def history(self, channel: Channel) -> Iterator[Message]:
        """What everybody in the channel sees, oldest first."""
        return (each for each in channel.messages.values() if not each.deleted and each.visible_to is None)

    def emit(self, name: str, data: dict[str, Any], channel: Channel, guild_intent: int, dm_intent: int = 0) -> None:
        """Tell of something in a channel."""
        intent = guild_intent if channel.guild else dm_intent
        self.publish(Event(name, data, channel.guild, channel, intent))
