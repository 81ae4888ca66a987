"""The methods that read, and those of views and files."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from collections.abc import Sequence
from typing import Any

from tests.fakes.slack_chat import look
from tests.fakes.slack_json import file_json, message_event, message_json, room_json, user_json, view_json
from tests.fakes.slack_methods import HISTORY, READ, TYPES
from tests.fakes.slack_rules import RefusedError, check_view
from tests.fakes.slack_state import TRIGGER_LIFE, Posted, Room, SlackFile, Workspace, is_ts, with_ids

Args = dict[str, Any]


def auth_test(ws: Workspace, _args: Args) -> dict[str, Any]:
    return {
        "url": f"{ws.url}/",
        "team": "Greenroom",
        "user": ws.app_name,
        "team_id": ws.team,
        "user_id": ws.bot_user,
        "bot_id": ws.bot_id,
        "is_enterprise_install": False,
    }


def team_info(ws: Workspace, args: Args) -> dict[str, Any]:
    if args.get("team", ws.team) != ws.team:
        raise RefusedError("team_not_found")
    return {"team": {"id": ws.team, "name": "Greenroom", "domain": "greenroom"}}


def bots_info(ws: Workspace, args: Args) -> dict[str, Any]:
    if args.get("bot") != ws.bot_id:
        raise RefusedError("bot_not_found")
    return {
        "bot": {"id": ws.bot_id, "app_id": ws.app_id, "user_id": ws.bot_user, "name": ws.app_name, "deleted": False}
    }


def _flag(args: Args, name: str) -> bool:
    return str(args.get(name, "0")).lower() in ("1", "true")


def _page(items: Sequence[Any], args: Args, most: int, usual: int) -> tuple[Sequence[Any], dict[str, Any]]:
    """The page that the cursor stands before, and where the next begins."""
    try:
        start = int(base64.b64decode(str(args.get("cursor") or "MA=="), validate=True).decode().removeprefix("next:"))
    except (ValueError, binascii.Error):
        raise RefusedError("invalid_cursor") from None
    limit = int(args.get("limit") or usual)
    if not 1 <= limit <= most:
        raise RefusedError("invalid_limit")
    end = start + limit
    cursor = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], {"next_cursor": cursor}


def _within(messages: list[Posted], args: Args) -> list[Posted]:
    for name in ("oldest", "latest"):
        value = args.get(name)
        if value not in (None, "0", 0) and not is_ts(str(value)) and not str(value).isdigit():
            raise RefusedError(f"invalid_ts_{name}")
    oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or "inf")
    if _flag(args, "inclusive"):
        return [m for m in messages if oldest <= float(m.ts) <= latest]
    return [m for m in messages if oldest < float(m.ts) < latest]


def _readable(ws: Workspace, args: Args) -> Room:
    room = ws.room(args["channel"])
    ws.need(HISTORY[room.kind])
    if ws.bot_user not in room.members:
        raise RefusedError("not_in_channel")
    return room


def history(ws: Workspace, args: Args) -> dict[str, Any]:
    """The top level, newest first."""
    room = _readable(ws, args)
    found = _within([m for m in room.messages if not m.is_reply or m.broadcast], args)
    page, cursor = _page(found[::-1], args, 999, 100)
    has_metadata = _flag(args, "include_all_metadata")
    return {
        "messages": [message_json(ws, m, with_metadata=has_metadata) for m in page],
        "has_more": bool(cursor["next_cursor"]),
        "pin_count": 0,
        "response_metadata": cursor,
    }


def replies(ws: Workspace, args: Args) -> dict[str, Any]:
    """The thread's parent on every page, and its replies, oldest first."""
    room = _readable(ws, args)
    thread = ws.message(room, args["ts"], "thread_not_found")
    parent = ws.message(room, thread.thread_ts or thread.ts, "thread_not_found")
    found = _within([m for m in room.messages if m.is_reply and m.thread_ts == parent.ts], args)
    page, cursor = _page(found, args, 1000, 1000)
    has_metadata = _flag(args, "include_all_metadata")
    return {
        "messages": [message_json(ws, m, with_metadata=has_metadata) for m in [parent, *page]],
        "has_more": bool(cursor["next_cursor"]),
        "response_metadata": cursor,
    }


def conversation_info(ws: Workspace, args: Args) -> dict[str, Any]:
    room = ws.room(args["channel"])
    ws.need(READ[room.kind])
    return {"channel": room_json(ws, room)}


def _listed(ws: Workspace, args: Args) -> list[Room]:
    kinds = []
    for name in str(args.get("types") or "public_channel").split(","):
        if name not in TYPES:
            raise RefusedError("invalid_types")
        ws.need(READ[TYPES[name]])
        kinds.append(TYPES[name])
    rooms = [room for room in ws.rooms.values() if room.kind in kinds]
    rooms = [room for room in rooms if room.kind == "channel" or ws.bot_user in room.members]
    return [room for room in rooms if not (room.archived and _flag(args, "exclude_archived"))]


def conversations(ws: Workspace, args: Args) -> dict[str, Any]:
    page, cursor = _page(_listed(ws, args), args, 999, 100)
    return {"channels": [room_json(ws, room) for room in page], "response_metadata": cursor}


def own_conversations(ws: Workspace, args: Args) -> dict[str, Any]:
    user = args.get("user", ws.bot_user)
    if user not in ws.people:
        raise RefusedError("user_not_found")
    page, cursor = _page([room for room in _listed(ws, args) if user in room.members], args, 999, 100)
    return {"channels": [room_json(ws, room) for room in page], "response_metadata": cursor}


def members(ws: Workspace, args: Args) -> dict[str, Any]:
    room = ws.room(args["channel"])
    ws.need(READ[room.kind])
    page, cursor = _page(room.members, args, 999, 100)
    return {"members": list(page), "response_metadata": cursor}


def open_conversation(ws: Workspace, args: Args) -> dict[str, Any]:
    if args.get("channel"):
        return {"channel": {"id": ws.room(args["channel"]).id}}
    users = [user for user in str(args.get("users") or "").split(",") if user]
    if not users:
        raise RefusedError("users_list_not_supplied")
    if any(user not in ws.people for user in users):
        raise RefusedError("user_not_found")
    if any(ws.people[user].deleted for user in users):
        raise RefusedError("user_disabled")
    if len(users) > 8:
        raise RefusedError("too_many_users")
    ws.need("im:write" if len(users) == 1 else "mpim:write")
    if len(users) == 1:
        return {"channel": {"id": ws.im_with(users[0]).id}}
    room = Room(ws.new_id("G"), f"mpdm-{'-'.join(users)}", "mpim", [*users, ws.bot_user])
    ws.rooms[room.id] = room
    return {"channel": {"id": room.id}}


def user_info(ws: Workspace, args: Args) -> dict[str, Any]:
    person = ws.people.get(str(args["user"]))
    if person is None:
        raise RefusedError("user_not_found")
    return {"user": user_json(ws, person)}


def users(ws: Workspace, args: Args) -> dict[str, Any]:
    mine = [person for person in ws.people.values() if person.team == ws.team]
    page, cursor = _page(mine, args, 999, 200)
    return {"members": [user_json(ws, person) for person in page], "response_metadata": cursor}


def open_view(ws: Workspace, args: Args) -> dict[str, Any]:
    """A trigger works once, within 3 seconds, and is used up even by a view that is refused."""
    trigger = args.get("trigger_id") or args.get("interactivity_pointer")
    if trigger in ws.used_triggers:
        raise RefusedError("exchanged_trigger_id")
    if trigger not in ws.triggers:
        raise RefusedError("invalid_trigger_id")
    made, user = ws.triggers[trigger]
    if ws.clock.now() - made > TRIGGER_LIFE:
        raise RefusedError("expired_trigger_id")
    view = check_view(args["view"], "modal")
    ws.used_triggers.add(trigger)
    return {"view": _shown(ws, view, user)}


def _shown(ws: Workspace, view: dict[str, Any], user: str) -> dict[str, Any]:
    external = view.get("external_id")
    if external and any(v.get("external_id") == external for v in ws.views.values()):
        raise RefusedError("duplicate_external_id")
    data = view_json(ws, {**view, "blocks": with_ids(view["blocks"], ws.new_id)}, ws.new_id("V"))
    ws.views[data["id"]] = data | {"user": user}
    return data


def update_view(ws: Workspace, args: Args) -> dict[str, Any]:
    found = [
        view
        for view in ws.views.values()
        if view["id"] == args.get("view_id") or (args.get("external_id") and view["external_id"] == args["external_id"])
    ]
    if not found:
        raise RefusedError("not_found")
    old = found[0]
    if args.get("hash", old["hash"]) != old["hash"]:
        raise RefusedError("hash_conflict")
    view = check_view(args["view"], "modal")
    data = view_json(ws, {**view, "blocks": with_ids(view["blocks"], ws.new_id)}, old["id"])
    ws.views[old["id"]] = data | {"user": old["user"]}
    return {"view": data}


def publish_view(ws: Workspace, args: Args) -> dict[str, Any]:
    if args["user_id"] not in ws.people:
        raise RefusedError("invalid_arguments", "[ERROR] unknown user [json-pointer:/user_id]")
    old = ws.homes.get(args["user_id"])
    if args.get("hash") and (old is None or old["hash"] != args["hash"]):
        raise RefusedError("hash_conflict")
    view = check_view(args["view"], "home")
    data = view_json(ws, {**view, "blocks": with_ids(view["blocks"], ws.new_id)}, old["id"] if old else ws.new_id("V"))
    ws.homes[args["user_id"]] = data
    return {"view": data}


def upload_url(ws: Workspace, args: Args) -> dict[str, Any]:
    length = str(args["length"])
    if not length.isdigit() or int(length) < 1:
        raise RefusedError("invalid_arguments", "[ERROR] must be above 0 [json-pointer:/length]")
    kind = mimetypes.guess_type(args["filename"])[0] or "text/plain"
    file = SlackFile(ws.new_id("F"), args["filename"], b"", kind, ws.bot_user)
    ws.uploads[file.id] = file
    return {"upload_url": f"{ws.url}/upload/v1/{file.id}?length={length}", "file_id": file.id}


def complete_upload(ws: Workspace, args: Args) -> dict[str, Any]:
    """Share what was uploaded; a message appears where channels are given."""
    given = args["files"]
    if not isinstance(given, list) or not given:
        raise RefusedError("invalid_arguments", "[ERROR] must be an array [json-pointer:/files]")
    custom = look(ws, args)
    names = [*str(args.get("channels") or "").split(","), args.get("channel_id") or ""]
    rooms = [ws.writable(name) for name in names if name]
    files = []
    for item in given:
        file = ws.uploads.get(item.get("id", ""))
        if file is None or not file.content:
            raise RefusedError("file_not_found")
        file.title = item.get("title") or file.name
        files.append(file)
    threads = {room.id: ws.parent(room, args.get("thread_ts")) for room in rooms}
    for file in files:
        ws.files[file.id] = ws.uploads.pop(file.id)
    for room in rooms:
        for file in files:
            file.shared.add(room.id)
        text = str(args.get("initial_comment") or "")
        message = Posted(
            ws.new_ts(), room.id, ws.bot_user, text, threads[room.id], bot_id=ws.bot_id, app_id=ws.app_id, files=files,
            **custom,
        )  # fmt: skip
        ws.add(room, message)
        ws.emit(message_event(ws, room, message) | {"subtype": "file_share"})
    return {"files": [file_json(ws, file) for file in files]}


def file_info(ws: Workspace, args: Args) -> dict[str, Any]:
    file = ws.files.get(str(args["file"]))
    if file is None:
        raise RefusedError("file_not_found")
    return {"file": file_json(ws, file), "comments": [], "response_metadata": {"next_cursor": ""}}
