"""The methods that write: posts, edits, streams, statuses."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack_json import message_event, message_json, sent
from tests.fakes.slack_rules import (
    MARKDOWN,
    STREAM_BYTES,
    TEXT,
    UPDATE_TEXT,
    RefusedError,
    check_blocks,
    check_chunks,
    check_metadata,
)
from tests.fakes.slack_state import STREAM_LIFE, Posted, Room, Workspace, with_ids

Args = dict[str, Any]
SESSION_STATUSES = ("active", "processing", "suspended", "closed")
_LOOK = {"username", "icon_emoji", "icon_url"}


def _content(ws: Workspace, args: Args, most: int) -> tuple[str, list[dict[str, Any]]]:
    """Text and blocks of a message, or a refusal."""
    text, markdown = args.get("text") or "", args.get("markdown_text")
    if not isinstance(text, str):
        raise RefusedError("invalid_arguments", "[ERROR] must be a string [json-pointer:/text]")
    blocks = check_blocks(args["blocks"]) if args.get("blocks") else []
    if len(args.get("attachments") or []) > 100:
        raise RefusedError("too_many_attachments")
    if markdown:
        if text or blocks:
            raise RefusedError("markdown_text_conflict")
        if len(markdown) > MARKDOWN:
            raise RefusedError("msg_too_long")
        return markdown, with_ids([{"type": "markdown", "text": markdown}], ws.new_id)
    if not text.strip() and not blocks and not args.get("attachments"):
        raise RefusedError("no_text")
    if len(text) > most:
        raise RefusedError("msg_too_long")
    return text, with_ids(blocks, ws.new_id)


def look(ws: Workspace, args: Args) -> dict[str, Any]:
    """The custom name and icon; they need a scope of their own."""
    if _LOOK & set(args):
        ws.need("chat:write.customize")
    return {"name": args.get("username"), "icon_emoji": args.get("icon_emoji"), "icon_url": args.get("icon_url")}


def _own(ws: Workspace, room: Room, ts: object, refusal: str) -> Posted:
    message = ws.message(room, ts)
    if message.bot_id != ws.bot_id:
        raise RefusedError(refusal)
    return message


def post_message(ws: Workspace, args: Args) -> dict[str, Any]:
    room = ws.writable(args["channel"])
    text, blocks = _content(ws, args, TEXT)
    custom = look(ws, args)
    metadata = check_metadata(args["metadata"]) if args.get("metadata") else None
    thread = ws.parent(room, args.get("thread_ts"))
    message = Posted(
        ws.new_ts(),
        room.id,
        ws.bot_user,
        text,
        thread_ts=thread,
        blocks=blocks,
        metadata=metadata,
        bot_id=ws.bot_id,
        app_id=ws.app_id,
        attachments=args.get("attachments") or [],
        broadcast=bool(thread and args.get("reply_broadcast")),
        **custom,
    )
    ws.add(room, message)
    ws.emit(message_event(ws, room, message))
    room.statuses.pop(thread or "", None)
    return {"channel": room.id, "ts": message.ts, "message": message_json(ws, message, with_metadata=True)}


def post_ephemeral(ws: Workspace, args: Args) -> dict[str, Any]:
    room = ws.writable(args["channel"])
    text, blocks = _content(ws, args, TEXT)
    if args["user"] not in room.members:
        raise RefusedError("user_not_in_channel")
    custom = look(ws, args)
    thread = ws.parent(room, args.get("thread_ts"))
    message = Posted(
        ws.new_ts(), room.id, ws.bot_user, text, thread, blocks, bot_id=ws.bot_id, app_id=ws.app_id,
        only_for=args["user"], **custom,
    )  # fmt: skip
    ws.add(room, message)
    return {"message_ts": message.ts}


def update(ws: Workspace, args: Args) -> dict[str, Any]:
    room = ws.room(args["channel"])
    message = _own(ws, room, args["ts"], "cant_update_message")
    if room.archived:
        raise RefusedError("is_inactive")
    if ws.is_streaming(message):
        raise RefusedError("streaming_state_conflict")
    text, blocks = _content(ws, args, UPDATE_TEXT)
    before = message_json(ws, message)
    if "text" in args or "markdown_text" in args or blocks:
        message.blocks = blocks
        message.text = text or message.text
    if "metadata" in args:
        message.metadata = check_metadata(args["metadata"]) if args["metadata"] else None
    message.edited, message.stream = True, None
    message.name = message.icon_emoji = message.icon_url = None
    ws.emit(changed_event(ws, room, message, before))
    return {"channel": room.id, "ts": message.ts, "text": message.text, "message": message_json(ws, message)}


def changed_event(ws: Workspace, room: Room, message: Posted, before: dict[str, Any]) -> dict[str, Any]:
    """The event of an edit. It has a timestamp of its own; the message keeps its own inside."""
    ts = ws.new_ts()
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": message_json(ws, message),
        "previous_message": before,
        "channel": room.id,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": room.kind,
    }


def delete(ws: Workspace, args: Args) -> dict[str, Any]:
    room = ws.room(args["channel"])
    message = _own(ws, room, args["ts"], "cant_delete_message")
    ws.emit(remove(ws, room, message))
    return {"channel": room.id, "ts": message.ts}


def remove(ws: Workspace, room: Room, message: Posted) -> dict[str, Any]:
    """Take a message out of its channel; the event of that. A thread's parent leaves a tombstone, as in Slack."""
    before = message_json(ws, message)
    if not message.is_reply and any(m.thread_ts == message.ts and m.is_reply for m in room.messages):
        message.text, message.blocks, message.subtype = "This message was deleted.", [], "tombstone"
        message.metadata = None
        return changed_event(ws, room, message, before)
    room.messages.remove(message)
    ts = ws.new_ts()
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": before,
        "channel": room.id,
        "hidden": True,
        "deleted_ts": message.ts,
        "ts": ts,
        "event_ts": ts,
        "channel_type": room.kind,
    }


def _streamed(args: Args) -> tuple[str, str | None]:
    """The Markdown that a call brings, and the mode that it streams in."""
    has_text, has_chunks = bool(args.get("markdown_text")), bool(args.get("chunks"))
    if has_text and has_chunks:
        raise RefusedError("cannot_provide_both_markdown_text_and_chunks")
    if has_chunks:
        return check_chunks(args["chunks"]), "chunks"
    if has_text and len(args["markdown_text"]) > MARKDOWN:
        raise RefusedError("msg_too_long")
    return (args["markdown_text"], "markdown_text") if has_text else ("", None)


def start_stream(ws: Workspace, args: Args) -> dict[str, Any]:
    room = ws.writable(args["channel"])
    text, mode = _streamed(args)
    custom = look(ws, args)
    if room.kind != "im":
        for name in ("recipient_team_id", "recipient_user_id"):
            if not args.get(name):
                raise RefusedError(f"missing_{name}")
    if args.get("recipient_user_id") and args["recipient_user_id"] not in ws.people:
        raise RefusedError("user_not_found")
    if args.get("recipient_team_id") and args["recipient_team_id"] not in {p.team for p in ws.people.values()}:
        raise RefusedError("team_not_found")
    if args.get("task_display_mode", "timeline") not in ("timeline", "plan", "dense"):
        raise RefusedError("invalid_arguments", "[ERROR] unknown mode [json-pointer:/task_display_mode]")
    if "thread_ts" not in args and (room.kind in ("im", "mpim") or not ws.has_top_streams):
        # docs, chat.startStream: without `thread_ts` "only supported in channels"; older pages require it everywhere.
        raise RefusedError("invalid_arguments", "[ERROR] missing required field: thread_ts")
    thread = ws.parent(room, args.get("thread_ts"))
    message = Posted(
        ws.new_ts(),
        room.id,
        ws.bot_user,
        "",
        thread_ts=thread,
        bot_id=ws.bot_id,
        app_id=ws.app_id,
        stream="streaming",
        stream_mode=mode,
        stream_until=ws.clock.now() + STREAM_LIFE,
        **custom,
    )
    _write(ws, message, text)
    ws.add(room, message)
    room.statuses.pop(thread or "", None)
    ws.emit(message_event(ws, room, message))
    return {"channel": room.id, "ts": message.ts}


def _write(ws: Workspace, message: Posted, text: str) -> None:
    whole = message.text + text
    if len(whole.encode()) > STREAM_BYTES:
        raise RefusedError("msg_too_long")
    message.text = whole
    message.blocks = with_ids([{"type": "markdown", "text": whole}], ws.new_id) if whole else []


def _open_stream(ws: Workspace, args: Args, mode: str | None) -> tuple[Room, Posted]:
    room = ws.writable(args["channel"])
    message = _own(ws, room, args["ts"], "message_not_owned_by_app")
    if not ws.is_streaming(message):
        raise RefusedError("message_not_in_streaming_state")
    if mode and message.stream_mode and mode != message.stream_mode:
        raise RefusedError("streaming_mode_mismatch")
    return room, message


def append_stream(ws: Workspace, args: Args) -> dict[str, Any]:
    text, mode = _streamed(args)
    if mode is None:
        raise RefusedError("markdown_text_or_chunks_required")
    if ws.message(ws.writable(args["channel"]), args["ts"]).stream == "stopped_by_user":
        raise RefusedError("stopped_by_user")
    room, message = _open_stream(ws, args, mode)
    _write(ws, message, text)
    message.stream_mode = mode
    return {"channel": room.id, "ts": message.ts}


def stop_stream(ws: Workspace, args: Args) -> dict[str, Any]:
    text, mode = _streamed(args)
    blocks = check_blocks(args["blocks"]) if args.get("blocks") else []
    metadata = check_metadata(args["metadata"]) if args.get("metadata") else None
    if args.get("session_status", "active") not in SESSION_STATUSES:
        raise RefusedError("invalid_arguments", "[ERROR] unknown status [json-pointer:/session_status]")
    room, message = _open_stream(ws, args, mode)
    before = message_json(ws, message)
    _write(ws, message, text)
    if not message.text and not blocks:
        raise RefusedError("no_text")
    message.blocks = message.blocks + with_ids(blocks, ws.new_id)
    message.metadata = metadata
    message.stream = None
    if message.thread_ts in room.sessions:  # docs, chat.stopStream: `session_status` is "active" unless it is given
        room.sessions[message.thread_ts] = args.get("session_status", "active")
    ws.emit(changed_event(ws, room, message, before))
    return {"channel": room.id, "ts": message.ts, "message": message_json(ws, message, with_metadata=True)}


def set_status(ws: Workspace, args: Args) -> dict[str, Any]:
    room = ws.room(args["channel_id"])
    look(ws, args)
    if len(args.get("loading_messages") or []) > 10:
        raise RefusedError(
            "invalid_arguments", "[ERROR] no more than 10 items allowed [json-pointer:/loading_messages]"
        )
    if not any(message.ts == args["thread_ts"] for message in room.messages):
        raise RefusedError("invalid_thread_ts")
    room.statuses[args["thread_ts"]] = args["status"]  # docs, assistant.threads.setStatus: "" takes it away
    if not args["status"]:
        del room.statuses[args["thread_ts"]]
    return {}


def set_session_status(ws: Workspace, args: Args) -> dict[str, Any]:
    room = ws.room(args["channel_id"])
    look(ws, args)
    if args["status"] not in SESSION_STATUSES:
        raise RefusedError("invalid_arguments", "[ERROR] unknown status [json-pointer:/status]")
    if not ws.is_agent:
        raise RefusedError("not_authorized")  # docs, agent sessions: only apps that are declared as agents
    if "thread_ts" not in args:
        # docs, agents.sessions.setStatus: required in channels and direct messages, which is all there is here.
        raise RefusedError("invalid_arguments", "[ERROR] missing required field: thread_ts")
    ws.message(room, args["thread_ts"], "invalid_thread_ts")
    room.sessions[args["thread_ts"]] = args["status"]
    return {}


def set_suggested_prompts(ws: Workspace, args: Args) -> dict[str, Any]:
    room = ws.room(args["channel_id"])
    prompts = args["prompts"]
    if (
        not isinstance(prompts, list)
        or not 1 <= len(prompts) <= 4
        or any(set(p) != {"title", "message"} for p in prompts)
    ):
        raise RefusedError("invalid_arguments", "[ERROR] 1 to 4 prompts with title and message [json-pointer:/prompts]")
    if "thread_ts" in args:
        ws.message(room, args["thread_ts"], "invalid_thread_ts")
    elif room.kind != "im":
        raise RefusedError("missing_thread_ts")
    room.prompts = prompts
    return {}


def add_reaction(ws: Workspace, args: Args) -> dict[str, Any]:
    room = ws.writable(args["channel"])
    name = str(args["name"]).strip(":")
    if not ws.knows_emoji(name):
        raise RefusedError("invalid_name")
    message = ws.message(room, args["timestamp"])
    users = message.reactions.setdefault(name, [])
    if ws.bot_user in users:
        raise RefusedError("already_reacted")
    users.append(ws.bot_user)
    ws.emit(sent(ws, "reaction_added", user=ws.bot_user, reaction=name, item=item_of(message), item_user=message.user))
    return {}


def item_of(message: Posted) -> dict[str, str]:
    return {"type": "message", "channel": message.channel, "ts": message.ts}
