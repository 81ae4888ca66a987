"""Endpoints of channels, messages, threads and reactions."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from tests.fakes import discord_wire as wire
from tests.fakes.discord_errors import ApiError, Form, missing_access, missing_permissions, unknown
from tests.fakes.discord_posting import Json, announce, delete, edit, post, tell, tell_channel
from tests.fakes.discord_rest import Call, Route
from tests.fakes.discord_rules import EDITS, HAS_THREAD, check_message
from tests.fakes.discord_state import (
    ADD_REACTIONS,
    ATTACH_FILES,
    CREATE_PRIVATE_THREADS,
    CREATE_PUBLIC_THREADS,
    DM_REACTIONS,
    DM_TYPING,
    EMBED_LINKS,
    GUILD_REACTIONS,
    GUILD_TYPING,
    MANAGE_MESSAGES,
    MANAGE_THREADS,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    TEXT,
    THREAD_CREATED,
    THREAD_STARTER,
    Channel,
    Message,
    World,
)

NONCES_LAST = 300.0
TWO_WEEKS = 14 * 86_400.0


def visible(world: World, channel: int, *needed: int) -> Channel:
    """A channel that the bot sees and may do `needed` in; raises ApiError otherwise."""
    found = world.channels.get(channel)
    if found is None:
        raise unknown("Channel")
    if not found.sees(world.me.id):
        raise missing_access()
    for each in needed:
        if found.guild is not None and not found.permissions(world.me.id) & each:
            raise missing_permissions()
    return found


def present(channel: Channel, message: int) -> Message:
    """A message that everybody sees in the channel."""
    found = channel.messages.get(message)
    if found is None or found.deleted or found.visible_to is not None:
        raise unknown("Message")
    return found


def get_channel(world: World, call: Call) -> Json:
    return wire.channel(world, visible(world, call.id("channel")))


def send(world: World, call: Call) -> Json:
    channel = visible(world, call.id("channel"))
    visible(world, channel.id, SEND_MESSAGES_IN_THREADS if channel.is_thread else SEND_MESSAGES)
    body = call.fields
    check_message(body, call.files)
    if channel.recipient is not None and not channel.recipient.takes_dms:
        raise ApiError(403, 50007, "Cannot send messages to this user")
    if channel.archived and channel.locked:
        raise ApiError(400, 50083, "Thread is archived")
    for asked, right in ((body.get("embeds"), EMBED_LINKS), (call.files, ATTACH_FILES)):
        if asked:
            visible(world, channel.id, right)
    nonce = str(body["nonce"]) if body.get("nonce") is not None else None
    if nonce is not None and body.get("enforce_nonce"):
        since = world.clock.now() - NONCES_LAST
        for old in world.messages.values():
            if old.nonce == nonce and old.author is world.me and old.at >= since:
                return wire.message(world, old)
    reply = _reference(world, channel, body)
    message = Message(world.snowflake(), channel, world.me, nonce=nonce, reply_to=reply, kind=19 if reply else 0)
    return wire.message(world, post(world, message, body, call.files))


def _reference(world: World, channel: Channel, body: Json) -> Message | None:
    reference = body.get("message_reference")
    if not reference:
        return None
    # "Messages Resource, Create Message, Limitations", and the code of "JSON Error Codes".
    if channel.guild is not None and not channel.permissions(world.me.id) & READ_MESSAGE_HISTORY:
        raise ApiError(400, 160002, "Cannot reply without permission to read message history")
    found = channel.messages.get(int(reference.get("message_id") or 0))
    if found is not None and not found.deleted and found.visible_to is None:
        if found.kind not in (0, 19, 20):
            form = Form()
            form.wrong(("message_reference",), "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to it")
            form.done()
        return found
    if reference.get("fail_if_not_exists", True):
        form = Form()
        form.wrong(("message_reference",), "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
        form.done()
    return None


def history(world: World, call: Call) -> list[Json]:
    """Newest first, also behind `after`: the oldest of those that are newer, turned around."""
    channel = visible(world, call.id("channel"))
    limit = call.query.get("limit", "50")
    form = Form()
    if not limit.isdigit() or not 1 <= int(limit) <= 100:
        form.wrong(("limit",), "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
    points = [each for each in ("before", "after", "around") if each in call.query]
    if len(points) > 1:
        form.wrong((points[1],), "BASE_TYPE_CHOICES", "Only one of before, after and around may be given.")
    for each in points:
        if not call.query[each].isdigit():
            form.wrong((each,), "NUMBER_TYPE_COERCE", f'Value "{call.query[each]}" is not snowflake.')
    form.done()
    if channel.guild is not None and not channel.permissions(world.me.id) & READ_MESSAGE_HISTORY:
        return []
    every, most = sorted(world.history(channel), key=lambda each: each.id), int(limit)
    match points:
        case ["before"]:
            chosen = [each for each in every if each.id < int(call.query["before"])][-most:]
        case ["after"]:
            chosen = [each for each in every if each.id > int(call.query["after"])][:most]
        case ["around"]:
            point = int(call.query["around"])
            half = most // 2
            older = [each for each in every if each.id < point][-half:] if half else []
            chosen = older + [each for each in every if each.id >= point][: most - len(older)]
        case _:
            chosen = every[-most:]
    return [wire.readable(world, each) for each in reversed(chosen)]


def get_message(world: World, call: Call) -> Json:
    channel = visible(world, call.id("channel"), READ_MESSAGE_HISTORY)
    return wire.readable(world, present(channel, call.id("message")))


def edit_message(world: World, call: Call) -> Json:
    message = present(visible(world, call.id("channel")), call.id("message"))
    if message.author is not world.me or message.webhook is not None:
        raise ApiError(403, 50005, "Cannot edit a message authored by another user")
    check_message(call.fields, call.files, settable=EDITS)
    return wire.message(world, edit(world, message, call.fields, call.files))


def delete_message(world: World, call: Call) -> None:
    message = present(visible(world, call.id("channel")), call.id("message"))
    if message.author is not world.me or message.webhook is not None:
        visible(world, message.channel.id, MANAGE_MESSAGES)
    delete(world, [message])


def bulk_delete(world: World, call: Call) -> None:
    channel = visible(world, call.id("channel"), MANAGE_MESSAGES)
    form = Form()
    ids = form.sequence(call.fields, ("messages",), 100, 2)
    form.done()
    messages = [channel.messages[int(each)] for each in ids if int(each) in channel.messages]
    if any(each.at < world.clock.now() - TWO_WEEKS for each in messages):
        raise ApiError(400, 50034, "You can only bulk delete messages that are under 14 days old.")
    if messages:
        delete(world, messages)


def typing(world: World, call: Call) -> None:
    channel = visible(world, call.id("channel"))
    visible(world, channel.id, SEND_MESSAGES_IN_THREADS if channel.is_thread else SEND_MESSAGES)
    data: Json = {"channel_id": str(channel.id), "user_id": str(world.me.id), "timestamp": int(world.clock.now())}
    if channel.guild:
        data |= {"guild_id": str(channel.guild.id), "member": wire.member(channel.guild, world.me)}
    world.emit("TYPING_START", data, channel, GUILD_TYPING, DM_TYPING)


def react(world: World, call: Call) -> None:
    channel = visible(world, call.id("channel"), READ_MESSAGE_HISTORY)
    message, emoji = present(channel, call.id("message")), unquote(call.ids["emoji"])
    if emoji.isascii() and ":" not in emoji:
        raise ApiError(400, 10014, "Unknown Emoji")
    if emoji not in message.reactions:
        visible(world, channel.id, ADD_REACTIONS)
    message.reactions.setdefault(emoji, set()).add(world.me.id)
    _tell_reaction(world, "MESSAGE_REACTION_ADD", message, emoji)


def unreact(world: World, call: Call) -> None:
    channel = visible(world, call.id("channel"))
    message, emoji = present(channel, call.id("message")), unquote(call.ids["emoji"])
    message.reactions.get(emoji, set()).discard(world.me.id)
    _tell_reaction(world, "MESSAGE_REACTION_REMOVE", message, emoji)


def _tell_reaction(world: World, name: str, message: Message, emoji: str) -> None:
    channel = message.channel
    data: Json = {
        "user_id": str(world.me.id),
        "channel_id": str(channel.id),
        "message_id": str(message.id),
        "emoji": {"id": None, "name": emoji},
        "burst": False,
        "type": 0,
    }
    if channel.guild:
        data["guild_id"] = str(channel.guild.id)
    world.emit(name, data, channel, GUILD_REACTIONS, DM_REACTIONS)


def start_from_message(world: World, call: Call) -> Json:
    channel = visible(world, call.id("channel"), CREATE_PUBLIC_THREADS, READ_MESSAGE_HISTORY)
    message = present(channel, call.id("message"))
    name = _thread_name(call)
    if channel.kind != TEXT:
        raise ApiError(400, 50024, "Cannot execute action on this channel type")
    if message.thread is not None:
        raise ApiError(400, 160004, "A thread has already been created for this message")
    return wire.channel(world, open_thread(world, channel, name, world.me.id, message=message))


def start_thread(world: World, call: Call) -> Json:
    kind = call.fields.get("type", PRIVATE_THREAD)
    needed = CREATE_PRIVATE_THREADS if kind == PRIVATE_THREAD else CREATE_PUBLIC_THREADS
    channel = visible(world, call.id("channel"), needed)
    name = _thread_name(call)
    if channel.kind != TEXT or kind not in (PUBLIC_THREAD, PRIVATE_THREAD):
        raise ApiError(400, 50024, "Cannot execute action on this channel type")
    return wire.channel(world, open_thread(world, channel, name, world.me.id, kind=kind))


def _thread_name(call: Call) -> str:
    form = Form()
    name = form.text(call.fields, ("name",), 1, 100, required=True)
    if call.fields.get("auto_archive_duration", 60) not in (None, 60, 1440, 4320, 10080):
        form.wrong(("auto_archive_duration",), "BASE_TYPE_CHOICES", "Value must be one of (60, 1440, 4320, 10080).")
    form.done()
    return name


def open_thread(
    world: World, parent: Channel, name: str, owner: int, *, message: Message | None = None, kind: int = PUBLIC_THREAD
) -> Channel:
    """A new thread; one that starts from a message has the id of that message. Discord says a line of its own too."""
    id = message.id if message else world.snowflake()
    thread = Channel(id, name, kind, parent.guild, parent, owner=owner, created_at=world.clock.now())
    thread.joined.add(owner)
    starter = world.users[owner]
    world.channels[thread.id] = thread
    tell_channel(world, "THREAD_CREATE", thread, newly_created=True)
    if message is not None:
        message.thread = thread
        message.flags |= HAS_THREAD
        tell(world, "MESSAGE_UPDATE", message)
        announce(world, Message(world.snowflake(), thread, starter, kind=THREAD_STARTER, reply_to=message))
    elif kind == PUBLIC_THREAD:
        announce(world, Message(world.snowflake(), parent, starter, kind=THREAD_CREATED, content=name))
    return thread


def modify_channel(world: World, call: Call) -> Json:
    """What a bot does with threads: rename, archive, lock. Archiving needs to own the thread or to manage threads."""
    thread = visible(world, call.id("channel"))
    if not thread.is_thread:
        raise missing_permissions()
    if thread.owner != world.me.id or "locked" in call.fields:
        visible(world, thread.id, MANAGE_THREADS)
    form = Form()
    name = form.text(call.fields, ("name",), 1, 100)
    form.done()
    thread.name = name or thread.name
    thread.archived = bool(call.fields.get("archived", thread.archived))
    thread.locked = bool(call.fields.get("locked", thread.locked))
    tell_channel(world, "THREAD_UPDATE", thread)
    return wire.channel(world, thread)


def join_thread(world: World, call: Call) -> None:
    thread = visible(world, call.id("channel"))
    if not thread.is_thread:
        raise ApiError(400, 50024, "Cannot execute action on this channel type")
    if thread.archived:
        raise ApiError(400, 50083, "Thread is archived")
    if world.me.id not in thread.joined:
        thread.joined.add(world.me.id)
        tell_channel(world, "THREAD_CREATE", thread)


def active_threads(world: World, call: Call) -> dict[str, Any]:
    guild = world.guilds.get(call.id("guild"))
    if guild is None or world.me.id not in guild.members:
        raise unknown("Guild")
    threads = [each for each in world.channels.values() if each.guild is guild and each.is_thread]
    open_ones = [each for each in threads if not each.archived and each.sees(world.me.id)]
    joined = [wire.thread_member(each, world.me.id) for each in open_ones if world.me.id in each.joined]
    return {"threads": [wire.channel(world, each) for each in reversed(open_ones)], "members": joined}


_CHANNEL = "/channels/{channel}"
_MESSAGE = "/channels/{channel}/messages/{message}"
ROUTES = (
    Route("GET", _CHANNEL, get_channel),
    Route("PATCH", _CHANNEL, modify_channel),
    Route("GET", f"{_CHANNEL}/messages", history),
    Route("POST", f"{_CHANNEL}/messages", send),
    Route("POST", f"{_CHANNEL}/messages/bulk-delete", bulk_delete),
    Route("GET", _MESSAGE, get_message),
    Route("PATCH", _MESSAGE, edit_message),
    Route("DELETE", _MESSAGE, delete_message),
    Route("PUT", f"{_MESSAGE}/reactions/{{emoji}}/@me", react),
    Route("DELETE", f"{_MESSAGE}/reactions/{{emoji}}/@me", unreact),
    Route("POST", f"{_CHANNEL}/typing", typing),
    Route("POST", f"{_MESSAGE}/threads", start_from_message),
    Route("POST", f"{_CHANNEL}/threads", start_thread),
    Route("PUT", f"{_CHANNEL}/thread-members/@me", join_thread),
    Route("GET", "/guilds/{guild}/threads/active", active_threads),
)
