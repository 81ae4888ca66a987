"""How a message comes to be, is edited and goes, whoever it is from; the gateway is told."""

from __future__ import annotations

import copy
import itertools
import mimetypes
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.fakes import discord_wire as wire
from tests.fakes.discord_components import TEXT, walk
from tests.fakes.discord_errors import ApiError
from tests.fakes.discord_rules import COMPONENTS_V2, EDITS, SUPPRESS_EMBEDS, Upload, check_not_empty, check_words, pings
from tests.fakes.discord_state import (
    DM_MESSAGES,
    GUILD_MESSAGES,
    MENTION_EVERYONE,
    Attachment,
    Channel,
    Event,
    Message,
    World,
)

Json = dict[str, Any]


def post(
    world: World,
    message: Message,
    body: Mapping[str, Any],
    files: Sequence[Upload] = (),
    repeat: int = 1,
    *,
    event: str = "MESSAGE_CREATE",
) -> Message:
    """Fill a message from a request's body and put it into its channel; raises ApiError where it is empty."""
    message.content = (body.get("content") or "").strip()
    message.embeds = list(body.get("embeds") or ())
    message.components = _numbered(body.get("components") or ())
    message.flags |= body.get("flags") or 0
    message.attachments = _attachments(world, (), body, files)
    check_not_empty(message.content, message.embeds, message.components, message.attachments)
    check_words(world.blocked, message.content, message.embeds)
    message.at = world.clock.now()
    _mention(world, message, body.get("allowed_mentions"))
    message.channel.messages[message.id] = world.messages[message.id] = message
    if message.channel.archived:
        message.channel.archived = False
        tell_channel(world, "THREAD_UPDATE", message.channel)
    tell(world, event, message, repeat)
    return message


def announce(world: World, message: Message) -> Message:
    """Put a line into a channel that Discord says by itself; its `kind` tells what about."""
    message.at = world.clock.now()
    message.channel.messages[message.id] = world.messages[message.id] = message
    tell(world, "MESSAGE_CREATE", message)
    return message


def edit(
    world: World,
    message: Message,
    body: Mapping[str, Any],
    files: Sequence[Upload] = (),
    repeat: int = 1,
    *,
    quietly: bool = False,
) -> Message:
    """Change what the body names; raises ApiError where nothing would be left, or Components V2 would be taken back.

    `quietly` is a change that is no edit: what Discord adds by itself, such as the preview of a link.
    """
    content = (body["content"] or "").strip() if "content" in body else message.content
    embeds = list(body["embeds"] or ()) if "embeds" in body else message.embeds
    components = _numbered(body["components"] or ()) if "components" in body else message.components
    attachments = message.attachments
    if "attachments" in body or files:
        attachments = _attachments(world, message.attachments, body, files)
    # Only these flags are the editor's to change, and Components V2 is never taken back ("Messages Resource, Edit
    # Message"); the others stay.
    flags = message.flags & ~SUPPRESS_EMBEDS | (body["flags"] or 0) & EDITS if "flags" in body else message.flags
    if flags & COMPONENTS_V2 and (content or embeds):
        code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
        text = "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
        raise ApiError(400, 50035, "Invalid Form Body", {"content": {"_errors": [{"code": code, "message": text}]}})
    check_not_empty(content, embeds, components, attachments)
    check_words(world.blocked, content, embeds)
    message.content, message.embeds, message.components = content, embeds, components
    message.attachments, message.flags = attachments, flags
    if not quietly:
        message.edited_at = world.clock.now()
    if "content" in body or "components" in body:
        _mention(world, message, body.get("allowed_mentions"))
    tell(world, "MESSAGE_UPDATE", message, repeat)
    return message


def delete(world: World, messages: Sequence[Message], repeat: int = 1) -> None:
    """Take messages of one channel away."""
    channel = messages[0].channel
    for each in messages:
        each.deleted = True
    shown = [each for each in messages if each.visible_to is None]
    if not shown:
        return
    where: Json = {"channel_id": str(channel.id)}
    if channel.guild:
        where["guild_id"] = str(channel.guild.id)
    intent = GUILD_MESSAGES if channel.guild else DM_MESSAGES
    if len(shown) == 1:
        data, name = {"id": str(shown[0].id), **where}, "MESSAGE_DELETE"
    else:
        data, name = {"ids": [str(each.id) for each in shown], **where}, "MESSAGE_DELETE_BULK"
    world.publish(Event(name, data, channel.guild, channel, intent, repeat=repeat))


def tell(world: World, name: str, message: Message, repeat: int = 1) -> None:
    """Tell the gateway of a message; an ephemeral one is between the application and one person."""
    if message.visible_to is None:
        channel = message.channel
        intent = GUILD_MESSAGES if channel.guild else DM_MESSAGES
        data = wire.message_event(world, message)
        world.publish(Event(name, data, channel.guild, channel, intent, message, repeat))


def tell_channel(world: World, name: str, channel: Channel, **more: object) -> None:
    """Tell the gateway of a channel or a thread, in full."""
    world.emit(name, {**wire.channel(world, channel), **more}, channel, 1)


def _numbered(components: Sequence[Json]) -> list[Json]:
    """The components as they are kept: each with an id, counted up where the sender gave none."""
    copies: list[Json] = copy.deepcopy(list(components))
    taken = {each["id"] for each in walk(copies) if each.get("id")}
    free = (number for number in itertools.count(1) if number not in taken)
    for each in walk(copies):
        if not each.get("id"):
            each["id"] = next(free)
    return copies


def _mention(world: World, message: Message, allowed: Mapping[str, Any] | None) -> None:
    shown = "\n".join(str(each.get("content", "")) for each in walk(message.components) if each.get("type") == TEXT)
    replied = message.reply_to.author.id if message.reply_to and message.reply_to.webhook is None else None
    found = set(pings(f"{message.content}\n{shown}", allowed, replied))
    if message.webhook is None and not message.channel.permissions(message.author.id) & MENTION_EVERYONE:
        found -= {"@everyone", "@here"}
    message.mentions = sorted(int(each[2:-1]) for each in found if re.fullmatch(r"<@\d+>", each))
    message.pings |= found


def _attachments(
    world: World, there: Sequence[Attachment], body: Mapping[str, Any], files: Sequence[Upload]
) -> list[Attachment]:
    named: dict[str, Mapping[str, Any]] = {str(each["id"]): each for each in body.get("attachments") or ()}
    kept = [each for each in there if "attachments" not in body or str(each.id) in named]
    unknown = set(named) - {str(each.id) for each in there} - {str(each.number) for each in files}
    if unknown:
        text = f"Unknown attachment {sorted(unknown)[0]}"
        errors = {"attachments": {"_errors": [{"code": "ATTACHMENT_NOT_FOUND", "message": text}]}}
        raise ApiError(400, 50035, "Invalid Form Body", errors)
    new = []
    for file in files:
        about = named.get(str(file.number), {})
        filename = str(about.get("filename") or file.filename)
        kind = mimetypes.guess_type(filename)[0]
        if kind and kind.startswith("text/"):
            kind += "; charset=utf-8"
        new.append(Attachment(world.snowflake(), filename, file.data, kind, about.get("description")))
    return [*kept, *new]
