"""Answering interactions: the first response within 3 s and once, then follow-ups for 15 minutes.

API documentation, "Receiving and Responding". Times are those of the world's clock.
"""

from __future__ import annotations

from typing import Any

from tests.fakes import discord_wire as wire
from tests.fakes.discord_components import check_choices, check_modal
from tests.fakes.discord_errors import ApiError, Form, unknown
from tests.fakes.discord_posting import Json, edit, post, tell
from tests.fakes.discord_rest import Call, Route
from tests.fakes.discord_rules import ANSWERS, EDITS, EPHEMERAL, LOADING, check_message, sanitized
from tests.fakes.discord_state import Interaction, Message, World

RESPOND_WITHIN = 3.0
TOKEN_LASTS = 15 * 60.0

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
_ANSWERS = {
    COMMAND: (4, 5, 9),
    COMPONENT: (4, 5, 6, 7, 9),
    AUTOCOMPLETE: (8,),
    MODAL: (4, 5),
}


def respond(world: World, call: Call) -> Json | None:
    """The first response."""
    it = world.interactions.get(call.ids["token"])
    if it is None or it.id != call.id("interaction") or world.clock.now() > it.at + RESPOND_WITHIN:
        raise unknown("interaction")
    if it.answered:
        raise ApiError(400, 40060, "Interaction has already been acknowledged.")
    given, data = call.fields.get("type"), call.fields.get("data") or {}
    kind = given if isinstance(given, int) else 0
    allowed = _ANSWERS[it.kind] + ((6, 7) if it.kind == MODAL and it.message is not None else ())
    if kind not in allowed:
        form = Form()
        form.wrong(("type",), "BASE_TYPE_CHOICES", f"Value must be one of {allowed}.")
        form.done()
    _carry_out(world, it, kind, data, call)
    it.answer = kind
    return _told(world, it) if call.asks("with_response") else None


def _carry_out(world: World, it: Interaction, kind: int, data: Json, call: Call) -> None:
    match kind:
        case 4:
            check_message(data, call.files, settable=ANSWERS)
            it.original = _say(world, it, data, call)
        case 5:
            check_message(data, (), settable=EPHEMERAL)
            hidden = (data.get("flags") or 0) & EPHEMERAL
            message = _blank(world, it, hidden)
            message.flags |= LOADING
            message.at = world.clock.now()
            it.channel.messages[message.id] = world.messages[message.id] = message
            tell(world, "MESSAGE_CREATE", message)
            it.original = message
        case 6:
            it.original = it.message
        case 7:
            check_message(data, call.files, settable=EDITS)
            it.original = edit(world, _component_message(it), data, call.files)
        case 8:
            form = Form()
            choices = form.sequence(data, ("data", "choices"), 25)
            check_choices(form, ("data", "choices"), choices)
            form.done()
            it.choices = [{**each, "name": sanitized(each["name"])} for each in choices]
        case 9:
            check_modal(data)
            it.modal = data


def _component_message(it: Interaction) -> Message:
    if it.message is None or it.message.deleted:
        raise unknown("Message")
    return it.message


def _blank(world: World, it: Interaction, hidden: int) -> Message:
    kind = 20 if it.kind == COMMAND else 19 if it.message else 0
    message = Message(world.snowflake(), it.channel, world.me, kind=kind, flags=hidden, interaction=it)
    message.application = world.application
    message.reply_to = it.message
    message.visible_to = it.user if hidden else None
    return message


def _say(world: World, it: Interaction, data: Json, call: Call) -> Message:
    message = _blank(world, it, (data.get("flags") or 0) & EPHEMERAL)
    return post(world, message, data, call.files)


def _told(world: World, it: Interaction) -> dict[str, Any]:
    about: Json = {"id": str(it.id), "type": it.kind}
    if it.original is not None:
        about |= {
            "response_message_id": str(it.original.id),
            "response_message_loading": bool(it.original.flags & LOADING),
            "response_message_ephemeral": bool(it.original.flags & EPHEMERAL),
        }
    told: Json = {"interaction": about}
    if it.answer in (4, 7) and it.original is not None:
        told["resource"] = {"type": it.answer, "message": wire.message(world, it.original)}
    return told


# ---------------------------------------------------------------- afterwards, under /webhooks/{application}/{token}


def _open(world: World, call: Call) -> Interaction:
    it = world.interactions.get(call.ids["token"])
    if it is None or world.clock.now() > it.at + TOKEN_LASTS:
        raise ApiError(401, 50027, "Invalid Webhook Token")
    if not it.answered:
        raise unknown("Webhook")
    return it


def follow_up(world: World, call: Call) -> Json:
    """Another message; the first one behind a deferred response takes that one's place, and its visibility."""
    it = _open(world, call)
    check_message(call.fields, call.files, settable=ANSWERS)
    if it.original is not None and it.original.flags & LOADING:
        body = {key: value for key, value in call.fields.items() if key != "flags"}
        return wire.message(world, _fill(world, it.original, body, call))
    message = _say(world, it, call.fields, call)
    it.followups.append(message)
    return wire.message(world, message)


def own(world: World, call: Call) -> Message:
    """The message that the path names, of those that this interaction's token made."""
    it = _open(world, call)
    if call.ids["message"] == "@original":
        found = it.original
    else:
        mine = [each for each in (it.original, *it.followups) if each is not None]
        found = next((each for each in mine if each.id == call.id("message")), None)
    if found is None or found.deleted:
        raise unknown("Message")
    return found


def edit_own(world: World, call: Call) -> Json:
    message = own(world, call)
    check_message(call.fields, call.files, settable=EDITS)
    if message.flags & LOADING:
        return wire.message(world, _fill(world, message, call.fields, call))
    return wire.message(world, edit(world, message, call.fields, call.files))


def _fill(world: World, message: Message, body: Json, call: Call) -> Message:
    message.flags &= ~LOADING
    try:
        return post(world, message, body, call.files, event="MESSAGE_UPDATE")
    except ApiError:
        message.flags |= LOADING
        raise


ROUTES = (Route("POST", "/interactions/{interaction}/{token}/callback", respond, open=True),)
