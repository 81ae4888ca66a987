"""Workspace objects as the JSON that Slack gives of them."""

from __future__ import annotations

import copy
from typing import Any

from tests.fakes.slack_state import Person, Posted, Room, SlackFile, Workspace


def message_json(ws: Workspace, message: Posted, *, with_metadata: bool = False) -> dict[str, Any]:
    """The message as history and events have it; an unsealed stream never shows metadata."""
    is_ours = message.bot_id == ws.bot_id
    is_custom = is_ours and (message.name or message.icon_emoji or message.icon_url)
    data: dict[str, Any] = {"type": "message", "text": message.text, "ts": message.ts}
    if message.bot_id:
        data |= {"bot_id": message.bot_id}
        if message.app_id:
            data |= {"app_id": message.app_id}
    if is_custom:
        data |= {"subtype": "bot_message", "username": message.name or ws.app_name}
        icons = {"emoji": message.icon_emoji, "image_48": message.icon_url}
        data["icons"] = {kind: icon for kind, icon in icons.items() if icon}
    else:
        data |= {"user": message.user}
        author = ws.people.get(message.user)
        if author:
            data |= {"team": author.team}
            if author.team != ws.team:
                data |= {"user_team": author.team, "source_team": author.team}
    if is_ours:
        data["bot_profile"] = {"id": ws.bot_id, "app_id": ws.app_id, "name": ws.app_name, "team_id": ws.team}
    if message.subtype:
        data["subtype"] = message.subtype
    if message.client_msg_id:
        data["client_msg_id"] = message.client_msg_id
    if message.blocks:
        data["blocks"] = copy.deepcopy(message.blocks)
    if message.attachments:
        data["attachments"] = copy.deepcopy(message.attachments)
    if message.files:
        data["files"] = [_only_id(file) if file.only_id else file_json(ws, file) for file in message.files]
    if message.edited:
        data["edited"] = {"user": message.user, "ts": message.ts}
    if message.reactions:
        data["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)} for name, users in message.reactions.items()
        ]
    if message.thread_ts:
        data["thread_ts"] = message.thread_ts
        data |= _thread(ws, message)
    if with_metadata and message.metadata is not None and message.stream is None:
        data["metadata"] = copy.deepcopy(message.metadata)
    return data


def _thread(ws: Workspace, message: Posted) -> dict[str, Any]:
    room = ws.rooms[message.channel]
    if message.is_reply:
        parents = [m.user for m in room.messages if m.ts == message.thread_ts]
        extra: dict[str, Any] = {"parent_user_id": parents[0]} if parents else {}
        return extra | ({"subtype": "thread_broadcast"} if message.broadcast else {})
    replies = [m for m in room.messages if m.thread_ts == message.ts and m.is_reply]
    if not replies:
        return {}
    users = list(dict.fromkeys(m.user for m in replies))
    return {
        "reply_count": len(replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
        "subscribed": False,
        "is_locked": False,
    }


def message_event(ws: Workspace, room: Room, message: Posted) -> dict[str, Any]:
    """The event of a new message."""
    data = message_json(ws, message)
    if message.files and not message.bot_id:
        data |= {"subtype": "file_share", "upload": False, "display_as_bot": False}
    return data | {"channel": room.id, "event_ts": message.ts, "channel_type": room.kind}


def sent(ws: Workspace, kind: str, **fields: Any) -> dict[str, Any]:
    """An event that is not a message."""
    return {"type": kind, **fields, "event_ts": ws.new_ts()}


def user_json(ws: Workspace, person: Person) -> dict[str, Any]:
    """As `users.info` has it. A stranger of Slack Connect has no roles here."""
    is_stranger = person.team != ws.team
    data: dict[str, Any] = {
        "id": person.id,
        "team_id": person.team,
        "name": person.name,
        "deleted": person.deleted,
        "real_name": person.name.title(),
        "profile": {
            "real_name": person.name.title(),
            "display_name": person.name,
            "real_name_normalized": person.name.title(),
            "display_name_normalized": person.name,
            "team": person.team,
        },
        "is_bot": person.is_bot,
        "is_app_user": False,
        "is_stranger": is_stranger,
    }
    if not is_stranger and not person.deleted:
        data |= {
            "tz": "Europe/Istanbul",
            "is_admin": person.admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": person.guest,
            "is_ultra_restricted": person.single_channel,
        }
    return data


def room_json(ws: Workspace, room: Room) -> dict[str, Any]:
    """As `conversations.info` has it."""
    data: dict[str, Any] = {
        "id": room.id,
        "is_channel": room.kind == "channel",
        "is_group": room.kind == "group",
        "is_im": room.kind == "im",
        "is_mpim": room.kind == "mpim",
        "is_private": room.kind != "channel",
        "is_archived": room.archived,
        "is_ext_shared": room.shared,
        "is_shared": room.shared,
        "is_org_shared": False,
        "context_team_id": ws.team,
    }
    if room.kind == "im":
        other = next((user for user in room.members if user != ws.bot_user), ws.bot_user)
        return data | {"user": other, "is_open": True}
    return data | {
        "name": room.name,
        "name_normalized": room.name,
        "is_member": ws.bot_user in room.members,
        "num_members": len(room.members),
        "is_general": room.name == "general",
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def _only_id(file: SlackFile) -> dict[str, Any]:
    """All that a message tells of a file of Slack Connect (docs, file object, "Slack Connect files")."""
    return {
        "id": file.id,
        "mode": "file_access",
        "file_access": "check_file_info",
        "created": 0,
        "timestamp": 0,
        "user": "",
    }


def file_json(ws: Workspace, file: SlackFile) -> dict[str, Any]:
    """As messages and `files.info` have it; the content is behind `url_private`, for a bearer of the token."""
    address = f"{ws.url}/files-pri/{ws.team}-{file.id}"
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mimetype,
        "filetype": file.name.rpartition(".")[2] or "text",
        "size": len(file.content),
        "user": file.user,
        "mode": "hosted",
        "is_external": False,
        "is_public": True,
        "url_private": file.address or f"{address}/{file.name}",
        "url_private_download": file.address or f"{address}/download/{file.name}",
        "channels": sorted(file.shared),
        "file_access": "visible",
    }


def view_json(ws: Workspace, view: dict[str, Any], view_id: str) -> dict[str, Any]:
    """A view as responses and payloads have it: the app's own fields, and what Slack adds."""
    return {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "close": None,
        "submit": None,
        **copy.deepcopy(view),
        "id": view_id,
        "root_view_id": view_id,
        "team_id": ws.team,
        "app_id": ws.app_id,
        "app_installed_team_id": ws.team,
        "bot_id": ws.bot_id,
        "hash": ws.new_ts(),
        "state": {"values": {}},
    }
