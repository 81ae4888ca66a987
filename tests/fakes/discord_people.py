"""What people do at Discord: talk, edit, delete, press, choose, fill in. What they could not do there raises here."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from tests.fakes import discord_wire as wire
from tests.fakes.discord_app import dm_with
from tests.fakes.discord_channels import open_thread
from tests.fakes.discord_components import BUTTON, SELECTS, walk
from tests.fakes.discord_posting import delete, edit, post
from tests.fakes.discord_rules import CONTENT, Upload
from tests.fakes.discord_state import (
    ATTACH_FILES,
    DM_REACTIONS,
    DM_TYPING,
    GUILD_MEMBERS,
    GUILD_REACTIONS,
    GUILD_TYPING,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    USE_APPLICATION_COMMANDS,
    Channel,
    Event,
    Guild,
    Interaction,
    Message,
    User,
    World,
)

_TYPES: Mapping[int, tuple[type, ...]] = {3: (str,), 4: (int,), 5: (bool,), 10: (int, float)}


class NotPossibleError(Exception):
    """Discord's own client would not have let a person do this: the test is wrong, or what it was shown."""


class Person:
    """A member, or another bot. Every method does one thing at once, and tells the gateway `repeat` times."""

    def __init__(self, world: World, user: User) -> None:
        self.user = user
        self._world = world

    @property
    def id(self) -> int:
        return self.user.id

    @property
    def name(self) -> str:
        return self.user.name

    @property
    def mention(self) -> str:
        return f"<@{self.user.id}>"

    # ------------------------------------------------------------ words

    def says(
        self,
        channel: Channel,
        text: str,
        *,
        attachments: Sequence[tuple[str, bytes]] = (),
        reply_to: Message | None = None,
        ping: bool = True,
        repeat: int = 1,
    ) -> Message:
        """Post a message; `attachments` are names and contents, `ping` is whether a reply calls whom it answers."""
        self._need(channel, SEND_MESSAGES_IN_THREADS if channel.is_thread else SEND_MESSAGES)
        if len(text) > CONTENT:
            raise NotPossibleError(f"{len(text)} characters are no message; Discord makes a file of it: `pastes`")
        if attachments:
            self._need(channel, ATTACH_FILES)
        if reply_to is not None and (reply_to.deleted or not self._sees(reply_to)):
            raise NotPossibleError("there is no such message to reply to")
        files = [Upload(number, name, data) for number, (name, data) in enumerate(attachments)]
        message = Message(self._world.snowflake(), channel, self.user, reply_to=reply_to, kind=19 if reply_to else 0)
        body: dict[str, Any] = {"content": text}
        if reply_to is not None and not ping:
            body["allowed_mentions"] = {"parse": ["users", "roles", "everyone"], "replied_user": False}
        return post(self._world, message, body, files, repeat)

    def pastes(self, channel: Channel, text: str, *, repeat: int = 1) -> Message:
        """Paste a long text, of which Discord makes a file `message.txt` and no content."""
        return self.says(channel, "", attachments=[("message.txt", text.encode())], repeat=repeat)

    def edits(self, message: Message, text: str, *, repeat: int = 1) -> Message:
        """Change the words of an own message."""
        if message.author is not self.user or message.deleted:
            raise NotPossibleError(f"{self.name} has no such message")
        return edit(self._world, message, {"content": text}, repeat=repeat)

    def deletes(self, *messages: Message, repeat: int = 1) -> None:
        """Delete messages; several at once is what moderators' bots do, and is told as one event."""
        delete(self._world, messages, repeat)

    def types_in(self, channel: Channel) -> None:
        """Be seen typing."""
        data = self._where(channel) | {"user_id": str(self.id), "timestamp": int(self._world.clock.now())}
        if channel.guild:
            data["member"] = wire.member(channel.guild, self.user)
        self._world.emit("TYPING_START", data, channel, GUILD_TYPING, DM_TYPING)

    def reacts(self, message: Message, emoji: str) -> None:
        """Put a reaction under a message."""
        message.reactions.setdefault(emoji, set()).add(self.id)
        data = self._where(message.channel) | {"user_id": str(self.id), "message_id": str(message.id), "type": 0}
        data |= {"emoji": {"id": None, "name": emoji}, "burst": False, "message_author_id": str(message.author.id)}
        if message.channel.guild:
            data["member"] = wire.member(message.channel.guild, self.user)
        self._world.emit("MESSAGE_REACTION_ADD", data, message.channel, GUILD_REACTIONS, DM_REACTIONS)

    def starts_thread(
        self, channel: Channel, name: str, *, message: Message | None = None, private: bool = False
    ) -> Channel:
        """Open a thread, from a message or beside; the bot is not in a private one until somebody calls it in."""
        kind = PRIVATE_THREAD if private else PUBLIC_THREAD
        return open_thread(self._world, channel, name, self.id, message=message, kind=kind)

    def opens_dm(self) -> Channel:
        """The DM with the bot."""
        return dm_with(self._world, self.user)

    def leaves(self, guild: Guild) -> None:
        """Leave a guild."""
        if guild.members.pop(self.id, None) is None:
            raise NotPossibleError(f"{self.name} is not in {guild.name}")
        data = {"guild_id": str(guild.id), "user": wire.user(self.user)}
        self._world.publish(Event("GUILD_MEMBER_REMOVE", data, guild, intent=GUILD_MEMBERS))

    # ------------------------------------------------------------ interactions

    def slash(self, channel: Channel, command: str, *, repeat: int = 1, **options: object) -> Interaction:
        """Run a registered command, `group sub` for one inside; options by name."""
        self._need(channel, USE_APPLICATION_COMMANDS)
        registered, leaf, wrap = self._command(channel, command)
        given = []
        for option in leaf.get("options") or ():
            if option["name"] in options:
                given.append(_filled(option, options.pop(option["name"])))
            elif option.get("required"):
                raise NotPossibleError(f"/{command} needs the option {option['name']}")
        if options:
            raise NotPossibleError(f"/{command} has no option {', '.join(options)}")
        return self._interact(2, channel, _command_data(registered, wrap, given), None, repeat)

    def completes(self, channel: Channel, command: str, option: str, typed: str) -> Interaction:
        """Type into an option that completes; the answer comes as `choices`."""
        self._need(channel, USE_APPLICATION_COMMANDS)
        registered, leaf, wrap = self._command(channel, command)
        found = [each for each in leaf.get("options") or () if each["name"] == option and each.get("autocomplete")]
        if not found:
            raise NotPossibleError(f"/{command} has no option {option} that completes")
        given = [{"name": option, "type": found[0]["type"], "value": typed, "focused": True}]
        return self._interact(4, channel, _command_data(registered, wrap, given), None, 1)

    def presses(self, message: Message, button: str, *, repeat: int = 1) -> Interaction:
        """Press the button with that label or custom id."""
        each = self._component(message, button, (BUTTON,))
        data = {"custom_id": each["custom_id"], "component_type": BUTTON, "id": each["id"]}
        return self._interact(3, message.channel, data, message, repeat)

    def selects(self, message: Message, *values: str, menu: str = "", repeat: int = 1) -> Interaction:
        """Choose options, by label or value, of the menu with that custom id, or of the only one."""
        each = self._component(message, menu, SELECTS)
        options: dict[str, str] = {}
        for option in each.get("options") or ():
            options |= {option["label"]: option["value"]} | {option["value"]: option["value"]}
        missing = [value for value in values if each["type"] == 3 and value not in options]
        if missing or not each.get("min_values", 1) <= len(values) <= each.get("max_values", 1):
            raise NotPossibleError(f"the menu offers {sorted(options)}, and not {missing or len(values)}")
        chosen = [options.get(value, value) for value in values]
        data = {"custom_id": each["custom_id"], "component_type": each["type"], "id": each["id"], "values": chosen}
        return self._interact(3, message.channel, data, message, repeat)

    def submits(self, asked: Interaction, values: Mapping[str, str], *, repeat: int = 1) -> Interaction:
        """Fill in the modal that an interaction was answered with; `values` by the custom ids of its inputs."""
        if asked.modal is None or asked.user is not self.user:
            raise NotPossibleError(f"{self.name} has no modal open")
        inputs = {each["custom_id"]: each for each in walk(asked.modal["components"]) if each.get("type") == 4}
        for key, field in inputs.items():
            value = values.get(key, "")
            if not value and field.get("required", True):
                raise NotPossibleError(f"the input {key} has to be filled in")
            if value and not (field.get("min_length") or 0) <= len(value) <= (field.get("max_length") or 4000):
                raise NotPossibleError(f"the input {key} does not take {len(value)} characters")
        if set(values) - set(inputs):
            raise NotPossibleError(f"the modal has no input {sorted(set(values) - set(inputs))}")
        components = [_submitted(number, each, values) for number, each in enumerate(asked.modal["components"])]
        data = {"custom_id": asked.modal["custom_id"], "components": components}
        return self._interact(5, asked.channel, data, asked.message, repeat)

    def _interact(
        self, kind: int, channel: Channel, data: dict[str, Any], message: Message | None, repeat: int
    ) -> Interaction:
        world = self._world
        now = world.clock.now()
        it = Interaction(world.snowflake(), secrets.token_urlsafe(60), kind, self.user, channel, now, data, message)
        world.interactions[it.token] = it
        # Interactions need no intent, and no right of the bot to see the channel.
        world.publish(Event("INTERACTION_CREATE", wire.interaction(world, it), channel.guild, repeat=repeat))
        return it

    def _command(self, channel: Channel, line: str) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
        scopes = [channel.guild.id, None] if channel.guild else [None]
        name, *subs = line.split()
        for scope in scopes:
            for registered in self._world.commands.get(scope, ()):
                if registered["name"] == name and registered["type"] == 1:
                    leaf, wrap = registered, []
                    for sub in subs:
                        leaf = next((each for each in leaf.get("options") or () if each["name"] == sub), {})
                        wrap.append(leaf)
                    if leaf and not any(each["type"] in (1, 2) for each in leaf.get("options") or ()):
                        return registered, leaf, wrap
        raise NotPossibleError(f"there is no command /{line} here")

    def _component(self, message: Message, wanted: str, kinds: Sequence[int]) -> dict[str, Any]:
        self._need(message.channel, 0)
        if message.deleted or not self._sees(message):
            raise NotPossibleError(f"{self.name} does not see that message")
        for each in walk(message.components):
            names = (each.get("custom_id"), each.get("label"))
            if each.get("type") in kinds and each.get("custom_id") and (wanted in names or not wanted):
                if each.get("disabled"):
                    raise NotPossibleError(f"{wanted} is disabled")
                return each
        raise NotPossibleError(f"nothing on that message is called {wanted!r}")

    def _sees(self, message: Message) -> bool:
        return message.visible_to in (None, self.user)

    def _need(self, channel: Channel, right: int) -> None:
        mine = channel.recipient is self.user or (channel.guild is not None and channel.sees(self.id))
        allowed = channel.guild is None or not right or channel.permissions(self.id) & right
        if not mine or not allowed or channel.id not in self._world.channels:
            raise NotPossibleError(f"{self.name} may not do that in {channel.name or 'this DM'}")

    def _where(self, channel: Channel) -> dict[str, Any]:
        guild = {"guild_id": str(channel.guild.id)} if channel.guild else {}
        return {"channel_id": str(channel.id), **guild}


def _command_data(
    registered: Mapping[str, Any], wrap: Sequence[Mapping[str, Any]], given: list[dict[str, Any]]
) -> dict[str, Any]:
    options = given
    for each in reversed(wrap):
        options = [{"name": each["name"], "type": each["type"], "options": options}]
    data = {"id": registered["id"], "name": registered["name"], "type": 1}
    if "guild_id" in registered:
        data["guild_id"] = registered["guild_id"]
    return {**data, "options": options} if options else data


def _filled(option: Mapping[str, Any], value: object) -> dict[str, Any]:
    kind = option["type"]
    if kind not in _TYPES:
        raise NotPossibleError(f"people here cannot fill in an option of type {kind}")
    if not isinstance(value, _TYPES[kind]) or (kind != 5 and isinstance(value, bool)):
        raise NotPossibleError(f"{value!r} is nothing for the option {option['name']}")
    choices = [each["value"] for each in option.get("choices") or ()]
    if choices and value not in choices:
        raise NotPossibleError(f"the option {option['name']} offers {choices}")
    if isinstance(value, str) and not (option.get("min_length") or 0) <= len(value) <= (
        option.get("max_length") or 6000
    ):
        raise NotPossibleError(f"the option {option['name']} does not take {len(value)} characters")
    return {"name": option["name"], "type": kind, "value": value}


def _submitted(number: int, each: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    def filled(field: Mapping[str, Any]) -> dict[str, Any]:
        key = field["custom_id"]
        return {"type": 4, "id": number + 100, "custom_id": key, "value": values.get(key, "")}

    match each:
        case {"type": 1, "components": inner}:
            return {"type": 1, "id": number + 1, "components": [filled(field) for field in inner]}
        case {"type": 18, "component": {"type": 4} as field}:
            return {"type": 18, "id": number + 1, "component": filled(field)}
        case {"type": 10}:
            return {"type": 10, "id": number + 1}
        case _:
            raise NotPossibleError(f"people here cannot fill in a component of type {each.get('type')}")
