"""Endpoints of the application and of people: who the bot is, commands, emojis, DMs, guilds and members."""

from __future__ import annotations

from typing import Any

from tests.fakes import discord_wire as wire
from tests.fakes.discord_components import check_commands
from tests.fakes.discord_errors import ApiError, Form, missing_access, unknown
from tests.fakes.discord_gateway import application_flags
from tests.fakes.discord_posting import Json
from tests.fakes.discord_rest import Call, Route
from tests.fakes.discord_rules import check_emoji
from tests.fakes.discord_state import DM, Channel, Guild, User, World

MOST_COMMANDS = 100


def me(world: World, call: Call) -> Json:
    return {**wire.user(world.me), "verified": True, "mfa_enabled": False, "locale": "en-US", "flags": 0}


def application(world: World, call: Call) -> Json:
    return {
        "id": str(world.application),
        "name": world.me.name,
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": application_flags(world),
        "owner": wire.user(world.me),
        "team": None,
        "summary": "",
        "bot": wire.user(world.me),
    }


def user(world: World, call: Call) -> Json:
    found = world.users.get(call.id("user"))
    if found is None:
        raise unknown("User")
    return wire.user(found)


def _guild(world: World, call: Call) -> Guild:
    found = world.guilds.get(call.id("guild"))
    if found is None:
        raise unknown("Guild")
    if world.me.id not in found.members:
        raise missing_access()
    return found


def guild(world: World, call: Call) -> Json:
    wired = wire.guild(world, _guild(world, call))
    left_out = ("members", "channels", "threads", "voice_states", "presences", "stage_instances", "member_count")
    return {key: value for key, value in wired.items() if key not in left_out}


def channels(world: World, call: Call) -> list[Json]:
    found = _guild(world, call)
    inside = (each for each in world.channels.values() if each.guild is found and not each.is_thread)
    return [wire.channel(world, each) for each in inside]


def member(world: World, call: Call) -> Json:
    found = _guild(world, call)
    who = call.id("user")
    if who not in world.users:
        raise unknown("User")
    if who not in found.members:
        raise unknown("Member")
    return wire.member(found, world.users[who])


def open_dm(world: World, call: Call) -> Json:
    found = world.users.get(int(call.fields.get("recipient_id") or 0))
    if found is None:
        form = Form()
        form.wrong(("recipient_id",), "NUMBER_TYPE_COERCE", "Unknown user")
        form.done()
    elif found.bot:
        raise ApiError(400, 50007, "Cannot send messages to this user")
    return wire.channel(world, dm_with(world, found)) if found else {}


def dm_with(world: World, person: User) -> Channel:
    """The DM of the bot and a person; there is one."""
    for each in world.channels.values():
        if each.kind == DM and each.recipient is person:
            return each
    channel = Channel(world.snowflake(), "", DM, recipient=person)
    world.channels[channel.id] = channel
    return channel


# ---------------------------------------------------------------- commands and emojis


def _mine(world: World, call: Call) -> None:
    if call.id("application") != world.application:
        raise ApiError(403, 20012, "You are not authorized to perform this action on this application")


def get_commands(world: World, call: Call) -> list[Json]:
    _mine(world, call)
    return world.commands.get(_scope(world, call), [])


def put_commands(world: World, call: Call) -> list[Json]:
    """Replace all commands of the scope; those with a name that was there keep their id."""
    _mine(world, call)
    scope = _scope(world, call)
    if not isinstance(call.body, list):
        raise ApiError(400, 50035, "Invalid Form Body", _not_a_list())
    check_commands(call.body)
    if sum(1 for each in call.body if each.get("type", 1) == 1) > MOST_COMMANDS:
        raise ApiError(400, 30032, f"Maximum number of application commands reached ({MOST_COMMANDS})")
    ids = {(each["type"], each["name"]): each["id"] for each in world.commands.get(scope, ())}
    stored = []
    for each in call.body:
        kind = each.get("type", 1)
        full: Json = {"description": "", "options": [], "default_member_permissions": None, "nsfw": False, **each}
        full |= {"type": kind, "application_id": str(world.application), "version": str(world.snowflake())}
        full["id"] = ids.get((kind, each["name"])) or str(world.snowflake())
        if scope is not None:
            full["guild_id"] = str(scope)
        stored.append(full)
    world.commands[scope] = stored
    return stored


def _scope(world: World, call: Call) -> int | None:
    return _guild(world, call).id if "guild" in call.ids else None


def _not_a_list() -> dict[str, Any]:
    return {"_errors": [{"code": "LIST_TYPE_CONVERT", "message": "Only iterables may be used in a ListType"}]}


def get_emojis(world: World, call: Call) -> Json:
    _mine(world, call)
    return {"items": [wired for wired, _ in world.emojis.values()]}


def create_emoji(world: World, call: Call) -> Json:
    _mine(world, call)
    data = check_emoji(call.fields, {wired["name"] for wired, _ in world.emojis.values()})
    id = world.snowflake()
    wired = {"id": str(id), "name": call.fields["name"], "roles": [], "user": wire.user(world.me)}
    wired |= {"require_colons": True, "managed": False, "animated": data.startswith(b"GIF"), "available": True}
    world.emojis[id] = (wired, data)
    return wired


def delete_emoji(world: World, call: Call) -> None:
    _mine(world, call)
    if world.emojis.pop(call.id("emoji"), None) is None:
        raise unknown("Emoji")


_APPLICATION = "/applications/{application}"
ROUTES = (
    Route("GET", "/users/@me", me),
    Route("GET", "/oauth2/applications/@me", application),
    Route("GET", "/applications/@me", application),
    Route("POST", "/users/@me/channels", open_dm),
    Route("GET", "/users/{user}", user),
    Route("GET", "/guilds/{guild}", guild),
    Route("GET", "/guilds/{guild}/channels", channels),
    Route("GET", "/guilds/{guild}/members/{user}", member),
    Route("GET", f"{_APPLICATION}/commands", get_commands),
    Route("PUT", f"{_APPLICATION}/commands", put_commands),
    Route("GET", f"{_APPLICATION}/guilds/{{guild}}/commands", get_commands),
    Route("PUT", f"{_APPLICATION}/guilds/{{guild}}/commands", put_commands),
    Route("GET", f"{_APPLICATION}/emojis", get_emojis),
    Route("POST", f"{_APPLICATION}/emojis", create_emoji),
    Route("DELETE", f"{_APPLICATION}/emojis/{{emoji}}", delete_emoji),
)
