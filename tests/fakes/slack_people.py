"""What people and other apps do in the workspace, and what they see there."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from tests.fakes.slack_chat import changed_event, item_of, remove
from tests.fakes.slack_json import file_json, message_event, message_json, sent
from tests.fakes.slack_state import Person, Posted, Room, Seen, SlackFile, Workspace
from tests.fakes.slack_text import delivered, rich_text


class People:
    """Everybody in the workspace. Each act reaches the app as the events that Slack makes of it."""

    def __init__(self, ws: Workspace, send: Callable[[dict[str, Any]], object]) -> None:
        self.ws, self.send = ws, send

    # ------------------------------------------------------------ who and where

    def user(
        self,
        name: str,
        *,
        guest: bool = False,
        single_channel: bool = False,
        team: str | None = None,
        admin: bool = False,
    ) -> Person:
        """Somebody new; `team` makes them a stranger of Slack Connect, `single_channel` a guest of one channel."""
        person = Person(
            self.ws.new_id("U"), name, team or self.ws.team, guest or single_channel, single_channel, admin=admin
        )
        self.ws.people[person.id] = person
        return person

    def channel(
        self,
        name: str,
        members: Iterable[Person] = (),
        *,
        private: bool = False,
        shared: bool = False,
        bot: bool = True,
    ) -> Room:
        """A channel; without `bot` the app is not in it."""
        ids = [person.id for person in members] + ([self.ws.bot_user] if bot else [])
        room = Room(self.ws.new_id("C"), name, "group" if private else "channel", ids, shared)
        self.ws.rooms[room.id] = room
        return room

    def dm(self, person: Person) -> Room:
        """The direct messages between somebody and the app."""
        return self.ws.im_with(person.id)

    def group_dm(self, people: Iterable[Person]) -> Room:
        """Direct messages of several people and the app."""
        ids = [person.id for person in people]
        room = Room(self.ws.new_id("G"), f"mpdm-{'-'.join(ids)}", "mpim", [*ids, self.ws.bot_user])
        self.ws.rooms[room.id] = room
        return room

    def file(self, by: Person, name: str, content: bytes, mimetype: str = "text/plain") -> SlackFile:
        """A file that somebody has uploaded, to be shared by `says`."""
        file = SlackFile(self.ws.new_id("F"), name, content, mimetype, by.id)
        self.ws.files[file.id] = file
        return file

    # ------------------------------------------------------------ what they see

    def seen(self, channel: Room, thread: str | None = None) -> list[Seen]:
        """What stands in a channel, or the replies in a thread, oldest first, but for what is ephemeral."""
        found = [
            message
            for message in channel.messages
            if (
                message.thread_ts == thread and message.is_reply
                if thread
                else not message.is_reply or message.broadcast
            )
        ]
        return [self.ws.seen(message) for message in found]

    def message(self, channel: Room, ts: str) -> Seen:
        """One message, wherever in the channel it stands."""
        return self.ws.seen(self._find(channel, ts))

    def whispers(self, person: Person, channel: Room | None = None) -> list[Seen]:
        """The ephemeral messages that somebody sees, in a channel or anywhere, oldest first."""
        rooms = [channel] if channel else list(self.ws.rooms.values())
        return [self.ws.seen(message) for room in rooms for message in room.ephemeral if message.only_for == person.id]

    def _find(self, room: Room, ts: str) -> Posted:
        for message in room.messages + room.ephemeral:
            if message.ts == ts:
                return message
        raise LookupError(f"no message {ts} in {room.name or room.id}")

    # ------------------------------------------------------------ what they say

    async def says(
        self,
        person: Person,
        channel: Room,
        text: str,
        thread: str | None = None,
        files: Sequence[SlackFile] = (),
        blocks: list[dict[str, Any]] | None = None,
        *,
        broadcast: bool = False,
        raw: bool = False,
    ) -> str:
        """Somebody writes a message; its ts. `raw` takes the text as Slack delivers it, not as it was typed.

        A mention of the app in a channel is a second event, `app_mention`, with an id of its own and the same ts.
        """
        self._may_write(person, channel)
        if not raw:
            names = {p.name: p.id for p in self.ws.people.values()}
            text = delivered(text, names, {r.name: r.id for r in self.ws.rooms.values() if r.name})
        root = self._find(channel, thread).thread_ts or thread if thread else None
        for file in files:
            file.shared.add(channel.id)
        message = Posted(
            self.ws.new_ts(),
            channel.id,
            person.id,
            text,
            thread_ts=root,
            blocks=rich_text(text) if blocks is None else blocks,
            files=list(files),
            broadcast=broadcast,
            client_msg_id=str(uuid.uuid4()),
        )
        self.ws.add(channel, message)
        event = message_event(self.ws, channel, message)
        self.ws.emit(event)
        if f"<@{self.ws.bot_user}>" in text and channel.kind != "im":
            self.ws.emit(
                {k: v for k, v in event.items() if k not in ("channel_type", "subtype")} | {"type": "app_mention"}
            )
        await asyncio.sleep(0)
        return message.ts

    def _may_write(self, person: Person, channel: Room) -> None:
        if channel.archived:
            raise ValueError(f"{channel.name} is archived: nobody can write there")
        if person.id not in channel.members:
            raise ValueError(f"{person.name} is not in {channel.name or channel.id}; let them join first")

    async def edits(self, person: Person, channel: Room, ts: str, text: str, *, raw: bool = False) -> None:
        """Somebody changes a message of theirs."""
        message = self._find(channel, ts)
        if message.user != person.id:
            raise ValueError(f"{person.name} cannot edit what another has written")
        before = message_json(self.ws, message)
        if not raw:
            names = {p.name: p.id for p in self.ws.people.values()}
            text = delivered(text, names, {r.name: r.id for r in self.ws.rooms.values() if r.name})
        message.text, message.blocks, message.edited = text, rich_text(text), True
        self.ws.emit(changed_event(self.ws, channel, message, before))
        await asyncio.sleep(0)

    async def unfurls(self, channel: Room, ts: str) -> None:
        """Slack adds a link's preview to a message: a `message_changed` whose text is the same."""
        message = self._find(channel, ts)
        before = message_json(self.ws, message)
        message.attachments = [{"id": 1, "title": "A page", "from_url": "https://example.com/"}]
        self.ws.emit(changed_event(self.ws, channel, message, before))
        await asyncio.sleep(0)

    async def deletes(self, channel: Room, ts: str) -> None:
        """A message is taken away, by its author or an admin."""
        self.ws.emit(remove(self.ws, channel, self._find(channel, ts)))
        await asyncio.sleep(0)

    async def reacts(self, person: Person, channel: Room, ts: str, name: str, *, takes_back: bool = False) -> None:
        """Somebody puts a reaction on a message, or takes it back."""
        message = self._find(channel, ts)
        users = message.reactions.setdefault(name, [])
        if takes_back:
            users.remove(person.id)
            if not users:
                del message.reactions[name]
        else:
            users.append(person.id)
        self.ws.emit(
            sent(
                self.ws,
                "reaction_removed" if takes_back else "reaction_added",
                user=person.id,
                reaction=name,
                item=item_of(message),
                item_user=message.user,
            )
        )
        await asyncio.sleep(0)

    async def app_posts(
        self, channel: Room, text: str, name: str = "buildbot", thread: str | None = None, *, old: bool = False
    ) -> str:
        """Another app posts; an `old` one with subtype `bot_message` and no user."""
        user = next((p.id for p in self.ws.people.values() if p.name == name), None) or self.ws.new_id("U")
        self.ws.people.setdefault(user, Person(user, name, self.ws.team, is_bot=True))
        message = Posted(
            self.ws.new_ts(),
            channel.id,
            user,
            text,
            thread_ts=thread,
            bot_id=f"B{user[1:]}",
            app_id=f"A{user[1:]}",
            subtype="bot_message" if old else None,
        )
        self.ws.add(channel, message)
        event = message_event(self.ws, channel, message)
        if old:
            event = {key: value for key, value in event.items() if key != "user"} | {"username": name}
        self.ws.emit(event)
        await asyncio.sleep(0)
        return message.ts

    # ------------------------------------------------------------ coming and going

    async def joins(self, person: Person | None, channel: Room, inviter: Person | None = None) -> None:
        """Somebody comes into a channel; None is the app itself."""
        user = person.id if person else self.ws.bot_user
        channel.members.append(user)
        fields = {"inviter": inviter.id} if inviter else {}
        team = person.team if person else self.ws.team
        where = {"channel": channel.id, "channel_type": _letter(channel)}
        self.ws.emit(sent(self.ws, "member_joined_channel", user=user, team=team, **where, **fields))
        message = Posted(
            self.ws.new_ts(), channel.id, user, f"<@{user}> has joined the channel", subtype=f"{channel.kind}_join"
        )
        self.ws.add(channel, message)
        self.ws.emit(message_event(self.ws, channel, message))
        await asyncio.sleep(0)

    async def leaves(self, person: Person | None, channel: Room) -> None:
        """Somebody leaves or is removed; None is the app, which can do nothing there from then on."""
        user = person.id if person else self.ws.bot_user
        event = sent(
            self.ws,
            "member_left_channel",
            user=user,
            channel=channel.id,
            channel_type=_letter(channel),
            team=self.ws.team,
        )
        self.ws.emit(event)
        channel.members.remove(user)
        await asyncio.sleep(0)

    async def archives(self, person: Person, channel: Room) -> None:
        """Somebody archives a channel."""
        channel.archived = True
        kind = "channel_archive" if channel.kind == "channel" else "group_archive"
        self.ws.emit(sent(self.ws, kind, channel=channel.id, user=person.id))
        await asyncio.sleep(0)

    async def unarchives(self, person: Person, channel: Room) -> None:
        """Somebody brings a channel back."""
        channel.archived = False
        kind = "channel_unarchive" if channel.kind == "channel" else "group_unarchive"
        self.ws.emit(sent(self.ws, kind, channel=channel.id, user=person.id))
        await asyncio.sleep(0)

    # ------------------------------------------------------------ the app's own place

    async def opens_app(self, person: Person, tab: Literal["home", "messages"] = "home") -> None:
        """Somebody opens the app's home or its messages."""
        fields: dict[str, Any] = {"user": person.id, "channel": self.dm(person).id, "tab": tab}
        if tab == "home" and person.id in self.ws.homes:
            fields["view"] = self.ws.homes[person.id]
        self.ws.emit(sent(self.ws, "app_home_opened", **fields))
        await asyncio.sleep(0)

    async def stops(self, person: Person, channel: Room, thread: str) -> None:
        """Somebody presses Slack's own stop button on what the app writes in a thread, or in answer to that message.

        Slack itself ends what streams there and names it (docs, agent_session_stopped); the session stays as it is.
        """
        streams = [m for m in channel.messages if m.thread_ts == thread and m.bot_id == self.ws.bot_id]
        streams = [message for message in streams if self.ws.is_streaming(message)]
        for message in streams:
            message.stream = "stopped_by_user"
        self.ws.emit(
            sent(
                self.ws, "agent_session_stopped", user=person.id, channel=channel.id, thread_ts=thread,
                streaming_message_ts=[message.ts for message in streams],
            )
        )  # fmt: skip
        await asyncio.sleep(0)

    async def revokes_tokens(self) -> None:
        """The app's tokens are revoked; every call fails from then on."""
        self.ws.emit(sent(self.ws, "tokens_revoked", tokens={"oauth": [], "bot": [self.ws.bot_user]}))
        self.ws.token_error = "token_revoked"  # an error code
        await asyncio.sleep(0)

    def deactivates(self) -> None:
        """The workspace or the app's account is gone."""
        self.ws.token_error = "account_inactive"  # an error code

    def limits_events(self, minute: float) -> None:
        """Slack drops events of that minute and says so (docs, app_rate_limited: a payload without an event)."""
        self.send(
            {
                "token": "verification",
                "type": "app_rate_limited",
                "team_id": self.ws.team,
                "minute_rate_limited": int(minute // 60 * 60),
                "api_app_id": self.ws.app_id,
            }
        )

    async def shares(self, person: Person, file: SlackFile, channel: Room) -> None:
        """The event that tells of a shared file, as it comes beside its message."""
        file.shared.add(channel.id)
        self.ws.emit(
            sent(
                self.ws, "file_shared", file_id=file.id, user_id=person.id, channel_id=channel.id, file={"id": file.id}
            )
        )
        await asyncio.sleep(0)

    def described(self, file: SlackFile) -> dict[str, Any]:
        """The file as Slack's JSON has it."""
        return file_json(self.ws, file)


def _letter(channel: Room) -> str:
    return "C" if channel.kind == "channel" else "G"
