"""What Slack brings, as our values: messages, edits, deletions, slash commands, presses, answers in words.

Payloads are plain dicts as the Events API and the interactivity endpoints send them (docs, events and interaction
payloads). A function that needs a field which Slack always sends raises ValueError where it is missing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.model import Attachment, Conversation, Inbound
from bot.platforms.button_payload import Pressed, Words
from bot.platforms.slack.blocks import TEXT, from_metadata, opened
from bot.platforms.slack.typed import plain_text
from bot.platforms.slash import as_typed
from bot.platforms.typed import NOBODY, Names

Payload = Mapping[str, Any]
MICRO = 1_000_000
SPOKEN = frozenset({"", "file_share", "thread_broadcast", "me_message"})
"""The subtypes of a message that are words of people (docs, message event); all others are not."""

SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Me:
    """The bot in one workspace: the ids of its user, of its bot, of the workspace, of the app."""

    user: str
    bot: str
    team: str
    app: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who sent something. `outsider`: a guest, or of another organisation."""

    user: str
    name: str
    outsider: bool = False
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that is not done, and why, for the log."""

    why: str


# ---------------------------------------------------------------- where and when


def order_of(ts: str) -> int:
    """Slack's `ts` in microseconds since the epoch. Raises ValueError where it is none."""
    found = re.fullmatch(r"(\d+)(?:\.(\d{1,6}))?", ts)
    if found is None:
        raise ValueError(f"not a timestamp of Slack: {ts!r}")
    return int(found[1]) * MICRO + int((found[2] or "").ljust(6, "0"))


def ts_of(order: int) -> str:
    """The `ts` of so many microseconds since the epoch."""
    return f"{order // MICRO}.{order % MICRO:06d}"


def conversation(team: str, event: Payload) -> Conversation:
    """Where a message stands: a reply in its thread, everything else (a thread's first message too) at the top."""
    thread = str(event.get("thread_ts") or "")
    return Conversation("slack", team, _field(event, "channel"), "" if thread == event.get("ts") else thread)


def is_direct(channel: str, kind: str = "") -> bool:
    """Whether it is a private talk of one person with the bot; not all events tell the channel's kind."""
    return kind == "im" if kind else channel.startswith("D")


# ---------------------------------------------------------------- messages


def sender_of(event: Payload) -> str | None:
    """The id of the person who wrote a message, or edited one; None where it is no person's words."""
    if event.get("subtype") == "message_changed":
        return sender_of(event.get("message") or {})
    if event.get("bot_id") or (event.get("subtype") or "") not in SPOKEN:
        return None
    user = str(event.get("user") or "")
    return user if user != SLACKBOT and user else None


def message(event: Payload, me: Me, sender: Person, names: Names = NOBODY) -> Inbound | None:
    """A `message` or `app_mention` event; None where it is no person's words. Both of one mention have the same id."""
    user = sender_of(event)
    if user is None or user == me.user or event.get("subtype") == "message_changed":
        return None
    ts = _field(event, "ts")
    said = plain_text(str(event.get("text") or ""), me.user, names)
    where = conversation(me.team, event)
    teams = {str(event[key]) for key in ("user_team", "source_team", "team") if event.get(key)}
    return Inbound(
        conversation=where,
        id=ts,
        user=user,
        name=sender.name,
        text=said.text,
        order=order_of(ts),
        at=order_of(ts) / MICRO,
        direct=is_direct(where.channel, str(event.get("channel_type") or "")),
        addressed=said.addressed,
        others=said.others,
        roles=sender.roles,
        outsider=sender.outsider or bool(teams - {me.team}),
        files=tuple(attachment(file) for file in event.get("files") or ()),
    )


def edit(event: Payload, me: Me, sender: Person, names: Names = NOBODY) -> tuple[Inbound, str] | None:
    """What a message reads now, and the text that it had; None where no words of a person have changed.

    The message keeps its id and its order.
    """
    if event.get("subtype") != "message_changed":
        return None
    now, before = event.get("message") or {}, event.get("previous_message") or {}
    if now.get("text") == before.get("text"):
        return None
    inbound = message({**now, **_place(event)}, me, sender, names)
    if inbound is None:
        return None
    return inbound, plain_text(str(before.get("text") or ""), me.user, names).text


def deletion(event: Payload, team: str) -> tuple[Conversation, str] | None:
    """Where a person's message was deleted, and its id; None where nothing was, or something of a bot's.

    A message that has replies does not go: Slack changes it into a tombstone.
    """
    before = event.get("previous_message") or {}
    match event.get("subtype"):
        case "message_deleted":
            ts = str(event.get("deleted_ts") or _field(before, "ts"))
        case "message_changed" if (event.get("message") or {}).get("subtype") == "tombstone":
            ts = _field(event["message"], "ts")
        case _:
            return None
    if before and sender_of(before) is None:
        return None
    return conversation(team, {**before, **_place(event), "ts": ts}), ts


def attachment(file: Payload) -> Attachment:
    """A file of a message. Its `ref` is its private address, or its id where Slack gives only that (Slack Connect)."""
    name = str(file.get("name") or file.get("title") or "file")
    problem = _UNREADABLE.get(str(file.get("mode"))) or _UNREADABLE.get(str(file.get("file_access"))) or ""
    if not problem and file.get("is_external"):
        problem = _UNREADABLE["external"]
    ref = str(file.get("url_private_download") or file.get("url_private") or file.get("id") or "")
    return Attachment(
        name=name,
        size=int(file.get("size") or 0),
        media=str(file.get("mimetype") or ""),
        ref="" if problem else ref,
        problem=problem or ("" if ref else "Slack does not say where it is"),
    )


_UNREADABLE = {
    "external": "it is kept outside of Slack, where I cannot read it: upload it here, or paste what matters",
    "tombstone": "it was deleted",
    "hidden_by_limit": "Slack hides it, because the workspace is over its limit for old files",
    "access_denied": "Slack does not let me read it",
    "file_not_found": "Slack cannot find it any more",
}
"""Why a file cannot be read, by its `mode` or `file_access` (docs, file object)."""


# ---------------------------------------------------------------- commands, presses, answers


def slash(payload: Payload, me: Me, sender: Person, order: int) -> Inbound:
    """A slash command that arrived at `order` (microseconds since the epoch): `/greenroom pm` is `*pm`.

    Slack has none in threads, and gives them no timestamp. A number, `stop` and what has a prefix stay as they are.
    """
    said = plain_text(str(payload.get("text") or ""), me.user)
    where = conversation(me.team, {"channel": _field(payload, "channel_id"), "thread_ts": payload.get("thread_ts")})
    return Inbound(
        conversation=where,
        id=f"slash-{_field(payload, 'trigger_id')}",
        user=_field(payload, "user_id"),
        name=sender.name,
        text=as_typed(said.text),
        order=order,
        at=order / MICRO,
        direct=is_direct(where.channel),
        addressed=True,
        others=said.others,
        roles=sender.roles,
        outsider=sender.outsider,
        handle=str(payload.get("response_url") or ""),
        hidden=True,
    )


def pressed(payload: Payload, me: Me) -> Pressed | Words | Mismatch:
    """What a `block_actions` payload asks for, once the button is known to stand where it says it belongs."""
    action = action_of(payload)
    found = opened(action)
    if found is None:
        return Mismatch(f"the action {action.get('action_id')!r} is of no menu, or of another version of the bot")
    box, post = payload.get("container") or {}, payload.get("message") or {}
    channel = str(box.get("channel_id") or (payload.get("channel") or {}).get("id") or "")
    thread = str(box.get("thread_ts") or post.get("thread_ts") or "")
    ts = str(box.get("message_ts") or post.get("ts") or "")
    here = Conversation("slack", me.team, channel, "" if thread == ts else thread)
    # A post that one person alone sees comes without its message, and may come without its thread.
    has_thread = bool(post or thread)
    if here != (found.conversation if has_thread else found.conversation.parent or found.conversation):
        return Mismatch(f"a button of {found.conversation.key} was pressed in {here.key}")
    return found


def action_of(payload: Payload) -> Payload:
    """The action of a `block_actions` payload; an empty one where there is none."""
    actions = payload.get("actions") or [{}]
    first: Payload = actions[0]
    return first


def press(payload: Payload, me: Me, sender: Person) -> Inbound | Words | Mismatch:
    """A press on an option; or `Words`, for which a modal is to be opened; or why it counts for nothing."""
    found = pressed(payload, me)
    return picked(payload, found, sender) if isinstance(found, Pressed) else found


def picked(payload: Payload, found: Pressed, sender: Person) -> Inbound:
    """The press of `payload`, as one on `found`."""
    ts = _field(action_of(payload), "action_ts")
    return Inbound(
        conversation=found.conversation,
        # Hashed, since the ids of messages stay when their author is forgotten.
        id=f"press-{ts}-{hashlib.sha256(sender.user.encode()).hexdigest()[:8]}",
        user=sender.user,
        name=sender.name,
        text="",
        order=order_of(ts),
        at=order_of(ts) / MICRO,
        direct=is_direct(found.conversation.channel),
        addressed=True,
        menu=found.menu,
        number=found.number,
        roles=sender.roles,
        outsider=sender.outsider,
        handle=str(payload.get("response_url") or ""),
    )


def words(payload: Payload, me: Me, sender: Person, order: int) -> Inbound | Mismatch:
    """The answer in words of a modal that was submitted at `order` (microseconds since the epoch)."""
    view = payload.get("view") or {}
    found = from_metadata(str(view.get("private_metadata") or ""))
    if found is None:
        return Mismatch("the modal was not made by this bot")
    asked, handle = found
    if asked.conversation.platform != "slack" or asked.conversation.workspace != me.team:
        return Mismatch(f"an answer for {asked.conversation.key} was given in workspace {me.team}")
    text = field_of(view, TEXT)
    if not text:
        return Mismatch("the answer is empty")
    return Inbound(
        conversation=asked.conversation,
        id=f"words-{_field(view, 'id')}",
        user=sender.user,
        name=sender.name,
        text=text,
        order=order,
        at=order / MICRO,
        direct=is_direct(asked.conversation.channel),
        addressed=True,
        menu=asked.menu,
        roles=sender.roles,
        outsider=sender.outsider,
        handle=handle,
        hidden=True,
    )


def field_of(view: Payload, action_id: str) -> str:
    """What a submitted view's field holds: a text, or the value of a chosen option; "" for none."""
    for block in ((view.get("state") or {}).get("values") or {}).values():
        if action_id in block:
            field = block[action_id]
            return str(field.get("value") or (field.get("selected_option") or {}).get("value") or "").strip()
    return ""


def _place(event: Payload) -> dict[str, Any]:
    """What only the envelope of an edit or a deletion tells of the message."""
    return {key: event[key] for key in ("channel", "channel_type") if key in event}


def _field(payload: Payload, name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"Slack sent something without `{name}`: {sorted(payload)}")
    return value
