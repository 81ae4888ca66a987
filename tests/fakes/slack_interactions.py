"""What people press, choose, type as a slash command and fill in, and what the app answers to that."""

from __future__ import annotations

import asyncio
import copy
import html
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.fakes.slack_chat import remove
from tests.fakes.slack_json import message_event, message_json, view_json
from tests.fakes.slack_rules import TEXT, RefusedError, check_blocks, check_view
from tests.fakes.slack_socket import Delivery, Dispatch
from tests.fakes.slack_state import (
    RESPONSE_LIFE,
    RESPONSE_USES,
    Button,
    Person,
    Posted,
    ResponseUrl,
    Room,
    Workspace,
    elements_of,
    with_ids,
)

_ANSWER_FIELDS = {
    "text", "blocks", "attachments", "response_type", "replace_original", "delete_original", "thread_ts", "mrkdwn",
    "unfurl_links", "unfurl_media", "metadata", "parse", "link_names",
}  # fmt: skip


class Interactions:
    """Acts that the app has to acknowledge. Each gives its `Delivery`; `await delivery.over.wait()` waits for that.

    What Slack would show people as an error, or silently drop, is a line in `problems`.
    """

    def __init__(self, ws: Workspace, dispatch: Dispatch) -> None:
        self.problems: list[str] = []
        self.commands = {"/greenroom"}
        self._ws = ws
        self._dispatch = dispatch
        self._after: dict[int, ResponseUrl | str] = {}
        dispatch.on_answer = self._answered

    def _who(self, person: Person) -> dict[str, str]:
        return {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team}

    def _frame(self, kind: str, person: Person) -> dict[str, Any]:
        return {
            "type": kind,
            "user": self._who(person),
            "api_app_id": self._ws.app_id,
            "token": "verification",
            "trigger_id": self._ws.trigger(person.id),
            "team": {"id": self._ws.team, "domain": "greenroom"},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    async def _send(self, payload: dict[str, Any], after: ResponseUrl | str | None = None) -> Delivery:
        is_command = "command" in payload
        delivery = self._dispatch.send("slash_commands" if is_command else "interactive", payload)
        if after is not None:
            self._after[id(delivery)] = after
        await asyncio.sleep(0)
        return delivery

    # ------------------------------------------------------------ people

    async def slash(self, person: Person, channel: Room, command: str, text: str = "") -> Delivery:
        """A slash command, at a channel's top level: Slack has none in threads."""
        if command not in self.commands:
            raise ValueError(f"{command} is not a command of the app: Slack would not send it")
        response = ResponseUrl(channel.id, person.id, self._ws.clock.now())
        names = {"im": "directmessage", "group": "privategroup"}
        payload = {
            "token": "verification",
            "team_id": self._ws.team,
            "team_domain": "greenroom",
            "channel_id": channel.id,
            "channel_name": names.get(channel.kind, channel.name),
            "user_id": person.id,
            "user_name": person.name,
            "command": command,
            "text": html.escape(text, quote=False),
            "api_app_id": self._ws.app_id,
            "is_enterprise_install": "false",
            "response_url": self._ws.response_url(response),
            "trigger_id": self._ws.trigger(person.id),
        }
        return await self._send(payload, response)

    async def presses(self, person: Person, channel: Room, ts: str, what: str | Button) -> Delivery:
        """A button of a message is pressed, found by its label or action_id.

        A `Button` that was seen before is pressed as it was then: people press what their screen still shows.
        """
        message = self._message(channel, ts)
        if isinstance(what, Button):
            label, action_id, value, block_id = what.label, what.action_id, what.value, what.block_id
        else:
            block_id, element = self._element(message.blocks, what)
            label, action_id, value = element["text"]["text"], element["action_id"], element.get("value", "")
        action = {
            "type": "button",
            "action_id": action_id,
            "block_id": block_id,
            "text": {"type": "plain_text", "text": label, "emoji": True},
            "action_ts": self._ws.new_ts(),
        } | ({"value": value} if value else {})
        return await self._act(person, channel, message, action)

    async def chooses(self, person: Person, channel: Room, ts: str, action_id: str, option: str) -> Delivery:
        """An option of a select is chosen, by its text or its value."""
        message = self._message(channel, ts)
        block_id, element = self._element(message.blocks, action_id)
        action = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block_id,
            "selected_option": copy.deepcopy(_option(element, option)),
            "action_ts": self._ws.new_ts(),
        }
        return await self._act(person, channel, message, action)

    async def _act(self, person: Person, channel: Room, message: Posted, action: dict[str, Any]) -> Delivery:
        is_ephemeral = message.only_for is not None
        container: dict[str, Any] = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": is_ephemeral,
        } | ({"thread_ts": message.thread_ts} if message.thread_ts else {})
        response = ResponseUrl(channel.id, person.id, self._ws.clock.now(), message)
        payload = self._frame("block_actions", person) | {
            "container": container,
            "channel": {"id": channel.id, "name": channel.name or "directmessage"},
            "state": {"values": {}},
            "response_url": self._ws.response_url(response),
            "actions": [action],
        }
        if not is_ephemeral:
            payload["message"] = message_json(self._ws, message)
        return await self._send(payload)

    async def presses_in_view(self, person: Person, view_id: str, what: str) -> Delivery:
        """A button in a modal or on the home tab is pressed."""
        view = self._view(view_id)
        block_id, element = self._element(view["blocks"], what)
        action = {
            "type": "button", "action_id": element["action_id"], "block_id": block_id, "text": element["text"],
            "action_ts": self._ws.new_ts(),
        } | ({"value": element["value"]} if "value" in element else {})  # fmt: skip
        payload = self._frame("block_actions", person) | {
            "container": {"type": "view", "view_id": view_id},
            "view": _public(view),
            "actions": [action],
        }
        return await self._send(payload)

    async def submits(self, person: Person, view_id: str, values: Mapping[str, str]) -> Delivery:
        """A modal is filled in, values by action_id, and submitted."""
        view = self._view(view_id)
        state: dict[str, Any] = {}
        for block in view["blocks"]:
            for element in elements_of(block):
                given = values.get(element["action_id"])
                if element["type"] == "plain_text_input":
                    answer: dict[str, Any] = {"type": "plain_text_input", "value": given}
                else:
                    chosen = None if given is None else _option(element, given)
                    answer = {"type": element["type"], "selected_option": chosen}
                state.setdefault(block["block_id"], {})[element["action_id"]] = answer
        payload = self._frame("view_submission", person) | {
            "view": _public(view) | {"state": {"values": state}},
            "response_urls": [],
        }
        return await self._send(payload, view_id)

    async def closes(self, person: Person, view_id: str) -> Delivery | None:
        """A modal is closed; the app is told if its view asked for that."""
        view = self._ws.views.pop(view_id)
        if not view.get("notify_on_close"):
            return None
        payload = self._frame("view_closed", person) | {"view": _public(view), "is_cleared": False}
        del payload["trigger_id"]
        return await self._send(payload)

    async def uses_shortcut(self, person: Person, channel: Room, ts: str, callback_id: str) -> Delivery:
        """A shortcut in a message's menu is used."""
        message = self._message(channel, ts)
        response = ResponseUrl(channel.id, person.id, self._ws.clock.now())
        payload = self._frame("message_action", person) | {
            "callback_id": callback_id,
            "message_ts": ts,
            "action_ts": self._ws.new_ts(),
            "channel": {"id": channel.id, "name": channel.name or "directmessage"},
            "message": message_json(self._ws, message),
            "response_url": self._ws.response_url(response),
        }
        return await self._send(payload)

    def open_views(self, person: Person) -> list[dict[str, Any]]:
        """The modals that somebody has before them, oldest first."""
        return [_public(view) for view in self._ws.views.values() if view["user"] == person.id]

    def _message(self, channel: Room, ts: str) -> Posted:
        for message in channel.messages + channel.ephemeral:
            if message.ts == ts:
                return message
        raise LookupError(f"no message {ts} in {channel.name or channel.id}")

    def _view(self, view_id: str) -> dict[str, Any]:
        homes = {view["id"]: view for view in self._ws.homes.values()}
        view = self._ws.views.get(view_id) or homes.get(view_id)
        if view is None:
            raise LookupError(f"no view {view_id} is open")
        return view

    @staticmethod
    def _element(blocks: list[dict[str, Any]], what: str) -> tuple[str, dict[str, Any]]:
        offered = []
        for block in blocks:
            for element in elements_of(block):
                label = element["text"]["text"] if element.get("type") == "button" else ""
                if what in (label, element.get("action_id")):
                    return block["block_id"], element
                offered.append(label or element.get("action_id"))
        raise LookupError(f"nothing called {what!r} to press; there is {offered}")

    # ------------------------------------------------------------ the app's answers

    def _answered(self, delivery: Delivery) -> None:
        """What came with an acknowledgement takes effect."""
        after, answer = self._after.pop(id(delivery), None), delivery.answer or {}
        try:
            match after:
                case ResponseUrl() if answer:
                    self.respond(after, {"response_type": "ephemeral", **answer})
                case str():
                    self._view_answer(after, answer)
                case None if answer and delivery.kind != "events_api":
                    self.problems.append(f"an answer that Slack does not read: {answer}")
        except RefusedError as refused:
            self.problems.append(f"an answer was refused: {refused.error} {' '.join(refused.details)}")

    def _view_answer(self, view_id: str, answer: dict[str, Any]) -> None:
        match answer.get("response_action"):
            case None:
                self._ws.views.pop(view_id, None)
            case "clear":
                self._ws.views.clear()
            case "errors":
                blocks = {block["block_id"] for block in self._ws.views[view_id]["blocks"]}
                if not answer.get("errors") or set(answer["errors"]) - blocks:
                    raise RefusedError("invalid_errors")
            case "update" | "push" as how:
                view = check_view(answer.get("view"), "modal")
                new_id = view_id if how == "update" else self._ws.new_id("V")
                user = self._ws.views[view_id]["user"]
                full = {**view, "blocks": with_ids(view["blocks"], self._ws.new_id)}
                self._ws.views[new_id] = view_json(self._ws, full, new_id) | {"user": user}
            case unknown:
                raise RefusedError("invalid_response_action", str(unknown))

    async def response_endpoint(self, request: web.Request) -> web.Response:
        """A response_url: 5 uses in 30 minutes, JSON only."""
        response = self._ws.responses.get(request.match_info["name"])
        if response is None or self._ws.clock.now() - response.made > RESPONSE_LIFE:
            return web.json_response({"ok": False, "error": "expired_url"}, status=404)
        if response.uses >= RESPONSE_USES:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        response.uses += 1
        try:
            self.respond(response, await request.json())
        except RefusedError as refused:
            return web.json_response({"ok": False, "error": refused.error}, status=400)
        except ValueError:
            return web.Response(text="invalid_payload", status=400)
        return web.Response(text="ok")

    def respond(self, response: ResponseUrl, answer: dict[str, Any]) -> None:
        """Post, replace or delete by a response_url. It cannot take a name or an icon of its own."""
        ws, room, original = self._ws, self._ws.rooms[response.channel], response.message
        if set(answer) - _ANSWER_FIELDS:
            raise RefusedError("invalid_payload", *sorted(set(answer) - _ANSWER_FIELDS))
        if answer.get("delete_original"):
            if original is not None and original.only_for is not None:
                room.ephemeral.remove(original)
            elif original is not None:
                ws.emit(remove(ws, room, original))
            return
        text = str(answer.get("text") or "")
        blocks = with_ids(check_blocks(answer["blocks"]), ws.new_id) if answer.get("blocks") else []
        if not text and not blocks and not answer.get("attachments"):
            raise RefusedError("no_text")
        if len(text) > TEXT:
            raise RefusedError("msg_too_long")
        if answer.get("replace_original") and original is not None:
            original.text, original.blocks, original.edited = text, blocks, True
            original.name = original.icon_emoji = original.icon_url = None
            return
        is_public = answer.get("response_type") == "in_channel"
        message = Posted(
            ws.new_ts(), room.id, ws.bot_user, text, answer.get("thread_ts") or None, blocks, bot_id=ws.bot_id,
            app_id=ws.app_id, only_for=None if is_public else response.user,
        )  # fmt: skip
        ws.add(room, message)
        if is_public:
            ws.emit(message_event(ws, room, message))


def _public(view: dict[str, Any]) -> dict[str, Any]:
    return {key: copy.deepcopy(value) for key, value in view.items() if key != "user"}


def _option(element: dict[str, Any], wanted: str) -> dict[str, Any]:
    options: list[dict[str, Any]] = list(element.get("options", []))
    for group in element.get("option_groups", []):
        options += group["options"]
    for option in options:
        if wanted in (option["value"], option["text"]["text"]):
            return option
    raise LookupError(f"no option {wanted!r}; there are {[option['text']['text'] for option in options]}")
