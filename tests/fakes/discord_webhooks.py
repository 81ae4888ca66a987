"""Endpoints of webhooks: making them, posting through them, and what was posted. Interactions share their paths."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from tests.fakes import discord_interactions as interactions
from tests.fakes import discord_wire as wire
from tests.fakes.discord_channels import visible
from tests.fakes.discord_components import is_interactive
from tests.fakes.discord_errors import ApiError, Form, missing_permissions, unknown
from tests.fakes.discord_posting import Json, delete, edit, post
from tests.fakes.discord_rest import Call, Route
from tests.fakes.discord_rules import EDITS, check_message, check_name, check_webhook_voice, image, sanitized
from tests.fakes.discord_state import (
    GUILD_WEBHOOKS,
    MANAGE_WEBHOOKS,
    TEXT,
    Channel,
    Event,
    Message,
    User,
    Webhook,
    World,
)

MOST = 15


def make(world: World, channel: Channel, name: str, creator: User, application: int | None) -> Webhook:
    """A new webhook; WEBHOOKS_UPDATE is told."""
    it = Webhook(world.snowflake(), secrets.token_urlsafe(51), name, channel, creator, application)
    world.webhooks[it.id] = it
    tell_webhooks(world, channel)
    return it


def tell_webhooks(world: World, channel: Channel) -> None:
    """WEBHOOKS_UPDATE names the channel and nothing else."""
    data = {"guild_id": str(channel.guild.id) if channel.guild else None, "channel_id": str(channel.id)}
    world.publish(Event("WEBHOOKS_UPDATE", data, channel.guild, channel, GUILD_WEBHOOKS))


def create(world: World, call: Call) -> Json:
    channel = visible(world, call.id("channel"), MANAGE_WEBHOOKS)
    if channel.kind != TEXT:
        raise ApiError(400, 50024, "Cannot execute action on this channel type")
    form = Form()
    check_name(form, "name", call.fields.get("name"))
    form.done()
    if call.fields.get("avatar"):
        image(call.fields["avatar"], "avatar")
    if sum(1 for each in world.webhooks.values() if each.channel is channel) >= MOST:
        raise ApiError(400, 30007, f"Maximum number of webhooks reached ({MOST})")
    return wire.webhook(world, make(world, channel, sanitized(call.fields["name"]), world.me, world.application))


def of_channel(world: World, call: Call) -> list[Json]:
    channel = visible(world, call.id("channel"), MANAGE_WEBHOOKS)
    return [wire.webhook(world, each) for each in world.webhooks.values() if each.channel is channel]


def of_guild(world: World, call: Call) -> list[Json]:
    guild = world.guilds.get(call.id("guild"))
    if guild is None or world.me.id not in guild.members:
        raise unknown("Guild")
    if not guild.permissions(world.me.id) & MANAGE_WEBHOOKS:
        raise missing_permissions()
    return [wire.webhook(world, each) for each in world.webhooks.values() if each.channel.guild is guild]


def _by_id(world: World, call: Call) -> Webhook:
    it = world.webhooks.get(call.id("webhook"))
    if it is None:
        raise unknown("Webhook")
    if "token" in call.ids:
        if it.token != call.ids["token"]:
            raise ApiError(401, 50027, "Invalid Webhook Token")
    elif it.application != world.application:
        visible(world, it.channel.id, MANAGE_WEBHOOKS)
    return it


def get(world: World, call: Call) -> Json:
    return wire.webhook(world, _by_id(world, call), with_user="token" not in call.ids)


def modify(world: World, call: Call) -> Json:
    it = _by_id(world, call)
    if "token" not in call.ids:
        visible(world, it.channel.id, MANAGE_WEBHOOKS)
    form = Form()
    check_name(form, "name", call.fields.get("name"), required=False)
    form.done()
    it.name = call.fields.get("name") or it.name
    if "channel_id" in call.fields and "token" not in call.ids:
        before, it.channel = it.channel, visible(world, int(call.fields["channel_id"]), MANAGE_WEBHOOKS)
        tell_webhooks(world, before)
    tell_webhooks(world, it.channel)
    return wire.webhook(world, it, with_user="token" not in call.ids)


def remove(world: World, call: Call) -> None:
    it = _by_id(world, call)
    if "token" not in call.ids:
        visible(world, it.channel.id, MANAGE_WEBHOOKS)
    del world.webhooks[it.id]
    tell_webhooks(world, it.channel)


def execute(world: World, call: Call) -> Json | None:
    """Post as the webhook, under the name and the picture of the request."""
    if call.id("webhook") == world.application:
        return interactions.follow_up(world, call)
    it = _by_id(world, call)
    body = _own_components(it, call)
    check_webhook_voice(body)
    check_message(body, call.files)
    channel = _target(world, it, call)
    if channel.archived and channel.locked:
        raise ApiError(400, 50083, "Thread is archived")
    if body.get("thread_name"):
        form = Form()
        form.wrong(("thread_name",), "WEBHOOK_THREAD_NAME_INVALID", "Webhooks can only create threads in forums")
        form.done()
    message = Message(
        world.snowflake(),
        channel,
        it.creator,
        webhook=it,
        username=sanitized(body.get("username") or "") or None,
        avatar_url=body.get("avatar_url") or None,
        application=it.application,
    )
    post(world, message, body, call.files)
    return wire.message(world, message) if call.asks("wait") else None


def _own_components(it: Webhook, call: Call) -> Mapping[str, Any]:
    """The body; only a webhook of an application may carry what comes back as an interaction."""
    body = call.fields
    if it.application is not None or not body.get("components"):
        return body
    if not call.asks("with_components"):
        return {**body, "components": None}
    if is_interactive(body["components"]):
        form = Form()
        text = "Webhooks not owned by an application cannot send interactive components"
        form.wrong(("components",), "WEBHOOK_COMPONENTS_INVALID", text)
        form.done()
    return body


def _target(world: World, it: Webhook, call: Call) -> Channel:
    if "thread_id" not in call.query:
        return it.channel
    given = call.query["thread_id"]
    thread = world.channels.get(int(given)) if given.isdigit() else None
    if thread is None or thread.parent is not it.channel:
        raise unknown("Channel")
    return thread


def _posted(world: World, call: Call) -> Message:
    it = _by_id(world, call)
    found = _target(world, it, call).messages.get(call.id("message"))
    if found is None or found.deleted or found.webhook is not it:
        raise unknown("Message")
    return found


def get_posted(world: World, call: Call) -> Json:
    if call.id("webhook") == world.application:
        return wire.message(world, interactions.own(world, call))
    return wire.message(world, _posted(world, call))


def edit_posted(world: World, call: Call) -> Json:
    if call.id("webhook") == world.application:
        return interactions.edit_own(world, call)
    message = _posted(world, call)
    body = _own_components(_by_id(world, call), call)
    check_message(body, call.files, settable=EDITS)
    return wire.message(world, edit(world, message, body, call.files))


def delete_posted(world: World, call: Call) -> None:
    if call.id("webhook") == world.application:
        delete(world, [interactions.own(world, call)])
    else:
        delete(world, [_posted(world, call)])


_WEBHOOK = "/webhooks/{webhook}"
_TOKEN = "/webhooks/{webhook}/{token}"
_MESSAGE = f"{_TOKEN}/messages/{{message}}"
ROUTES = (
    Route("GET", "/channels/{channel}/webhooks", of_channel),
    Route("POST", "/channels/{channel}/webhooks", create),
    Route("GET", "/guilds/{guild}/webhooks", of_guild),
    Route("GET", _WEBHOOK, get),
    Route("PATCH", _WEBHOOK, modify),
    Route("DELETE", _WEBHOOK, remove),
    Route("GET", _TOKEN, get, open=True),
    Route("PATCH", _TOKEN, modify, open=True),
    Route("DELETE", _TOKEN, remove, open=True),
    Route("POST", _TOKEN, execute, open=True),
    Route("GET", _MESSAGE, get_posted, open=True),
    Route("PATCH", _MESSAGE, edit_posted, open=True),
    Route("DELETE", _MESSAGE, delete_posted, open=True),
)
