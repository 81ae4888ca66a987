"""A Slack workspace on loopback, strict as the real one, for the real `slack_bolt` and `slack_sdk`.

    async with FakeSlack() as fake:
        client = AsyncWebClient(fake.ws.bot_token, base_url=fake.api)
        alice = fake.people.user("alice")
        general = fake.people.channel("general", [alice])
        ts = await fake.says(alice, general, "hello @greenroom")
        await fake.until(lambda: fake.seen(general)[1:], "an answer")

The app connects by Socket Mode (`apps.connections.open` with `fake.ws.app_token`) or, after `fake.use_http(url)`, gets
signed requests (`fake.secret`). `FakeSlack(scopes=..., events=...)` takes what the app's manifest asks for: calls
without a scope are refused, events that are not subscribed to are not sent; `events=None` sends all.

What is refused is in `slack_rules` and the methods (`slack_chat`, `slack_reads`); `slack_methods` lists their
arguments, scopes and tiers. What people do is in `slack_people` and `slack_interactions`, delivery in `slack_socket`,
faults in `slack_faults`. `fake.calls` is what the app called, oldest first; `fake.dispatch.deliveries` what was sent to
it.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, assert_never

from aiohttp import web

from tests.fakes import slack_chat, slack_reads
from tests.fakes.slack_faults import Cut, Faults, Limited, Says, Slow, Status
from tests.fakes.slack_interactions import Interactions
from tests.fakes.slack_methods import MANIFEST_SCOPES, METHODS, Method
from tests.fakes.slack_people import People
from tests.fakes.slack_rules import RefusedError
from tests.fakes.slack_socket import Dispatch
from tests.fakes.slack_state import SlackClock, Workspace

DEADLINE = 5.0
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_JSON_ARGS = {
    "blocks": "invalid_blocks_format",
    "metadata": "invalid_metadata_format",
    "chunks": "invalid_chunks",
    "attachments": "invalid_arguments",
    "files": "invalid_arguments",
    "prompts": "invalid_arguments",
    "view": "invalid_arguments",
    "loading_messages": "invalid_arguments",
}
_MESSAGE_EVENTS = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}

Handler = Callable[[Workspace, dict[str, Any]], dict[str, Any]]
HANDLERS: Mapping[str, Handler] = {
    "auth.test": slack_reads.auth_test,
    "chat.postMessage": slack_chat.post_message,
    "chat.postEphemeral": slack_chat.post_ephemeral,
    "chat.update": slack_chat.update,
    "chat.delete": slack_chat.delete,
    "chat.startStream": slack_chat.start_stream,
    "chat.appendStream": slack_chat.append_stream,
    "chat.stopStream": slack_chat.stop_stream,
    "assistant.threads.setStatus": slack_chat.set_status,
    "assistant.threads.setSuggestedPrompts": slack_chat.set_suggested_prompts,
    "agents.sessions.setStatus": slack_chat.set_session_status,
    "reactions.add": slack_chat.add_reaction,
    "conversations.history": slack_reads.history,
    "conversations.replies": slack_reads.replies,
    "conversations.info": slack_reads.conversation_info,
    "conversations.list": slack_reads.conversations,
    "conversations.members": slack_reads.members,
    "conversations.open": slack_reads.open_conversation,
    "users.conversations": slack_reads.own_conversations,
    "users.info": slack_reads.user_info,
    "users.list": slack_reads.users,
    "views.open": slack_reads.open_view,
    "views.update": slack_reads.update_view,
    "views.publish": slack_reads.publish_view,
    "files.getUploadURLExternal": slack_reads.upload_url,
    "files.completeUploadExternal": slack_reads.complete_upload,
    "files.info": slack_reads.file_info,
    "bots.info": slack_reads.bots_info,
    "team.info": slack_reads.team_info,
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the Web API: what came, when, and the error it was answered with; "" where it went well."""

    method: str
    args: dict[str, Any]
    at: float
    error: str


class FakeSlack:
    """The workspace and its server; see the module."""

    secret = "signing-secret-of-the-fake"

    def __init__(
        self,
        *,
        scopes: frozenset[str] = MANIFEST_SCOPES,
        events: frozenset[str] | None = None,
        ack_within: float = 3.0,
        retries: tuple[float, ...] = (0, 60, 300),
        chance: int = 1,
    ) -> None:
        self.clock = SlackClock()
        self.calls: list[Call] = []
        self.ws = Workspace(self.clock, scopes, self._emit)
        self.dispatch = Dispatch(self.clock, self.secret, ack_within=ack_within, retries=retries, chance=chance)
        self.people = People(self.ws, lambda payload: self.dispatch.send("events_api", payload))
        self.faults = Faults(self.clock)
        self.interactions = Interactions(self.ws, self.dispatch)
        self.user, self.channel, self.says, self.seen = (
            self.people.user,
            self.people.channel,
            self.people.says,
            self.people.seen,
        )
        self.slash, self.presses = self.interactions.slash, self.interactions.presses
        self._events = events
        self._runner: web.AppRunner | None = None
        self._proxies: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        # slack_sdk takes a proxy from the environment even for loopback, and knows no NO_PROXY.
        self._proxies = {name: os.environ.pop(name) for name in _PROXIES if name in os.environ}
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_get("/link", self.dispatch.serve)
        app.router.add_post("/upload/v1/{file}", self._upload)
        app.router.add_get("/files-pri/{file}/{rest:.*}", self._download)
        app.router.add_post("/response/{name}", self.interactions.response_endpoint)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.ws.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.dispatch.close()
        if self._runner is not None:
            await self._runner.cleanup()
        os.environ.update(self._proxies)

    @property
    def api(self) -> str:
        """`base_url` for `AsyncWebClient`."""
        return f"{self.ws.url}/api/"

    def use_http(self, url: str) -> None:
        """Deliver by signed requests to that address instead of Socket Mode."""
        self.dispatch.url = url

    def storm(self, per_minute: Mapping[str, int] | None = None) -> None:
        """Hold the app to the rate limits: the tiers, or the numbers given, and one post a second and channel."""
        self.faults.storm(per_minute or {})

    def called(self, method: str) -> list[dict[str, Any]]:
        """The arguments of the calls of a method, oldest first, refused ones too."""
        return [call.args for call in self.calls if call.method == method]

    async def until(self, condition: Callable[[], object], what: str, deadline: float = DEADLINE) -> None:
        """Wait for a condition. Raises AssertionError with `what` after `deadline` seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + deadline
        while not condition():
            if loop.time() > end:
                raise AssertionError(f"waited {deadline} s in vain for {what}")
            await asyncio.sleep(0.005)

    async def settled(self, deadline: float = DEADLINE) -> None:
        """Wait until every delivery is acknowledged or given up."""
        await self.until(lambda: all(d.over.is_set() for d in self.dispatch.deliveries), "acknowledgements", deadline)

    # ------------------------------------------------------------ events

    def _emit(self, event: dict[str, Any]) -> None:
        kind = str(event["type"])
        room = self.ws.rooms.get(str(event.get("channel", "")))
        name = _MESSAGE_EVENTS[room.kind] if kind == "message" and room is not None else kind
        if self._events is not None and name not in self._events:
            return
        if room is not None and self.ws.bot_user not in room.members:
            return
        authorization = {
            "enterprise_id": None,
            "team_id": self.ws.team,
            "user_id": self.ws.bot_user,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        payload = {
            "token": "verification",
            "team_id": self.ws.team,
            "context_team_id": self.ws.team,
            "context_enterprise_id": None,
            "api_app_id": self.ws.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": self.ws.new_id("Ev"),
            "event_time": int(self.clock.now()),
            "authorizations": [authorization],
            "is_ext_shared_channel": bool(room and room.shared),
            "event_context": self.ws.new_id("4-"),
        }
        self.dispatch.send("events_api", json.loads(json.dumps(payload)))

    # ------------------------------------------------------------ the Web API

    async def _call(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        method = METHODS.get(name)
        if method is None:
            return web.json_response({"ok": False, "error": "unknown_method", "req_method": name})
        fault = self.faults.take(name)
        match fault:
            case Slow(seconds):
                await asyncio.sleep(seconds)
            case Status(code, "before"):
                return self._failed(name, {}, f"http_{code}", web.Response(status=code, text="upstream error"))
            case Cut("before"):
                return self._cut(request, name)
            case Limited(seconds):
                return self._failed(name, {}, "ratelimited", _limited(seconds))
            case Says(code):
                refusal = web.json_response({"ok": False, "error": code})
                return self._failed(name, await self._read(request, method, checked=False), code, refusal)
            case None | Status() | Cut():
                pass
            case _:
                assert_never(fault)
        args: dict[str, Any] = {}
        error = ""
        try:
            self._authorize(request, method)
            args = await self._read(request, method)
            wait = self.faults.wait_for(name, str(args.get("channel", "")))
            if wait:
                return self._failed(name, args, "ratelimited", _limited(wait))
            body = {"ok": True, **self._perform(request, name, method, args)}
        except RefusedError as refused:
            error, body = refused.error, {"ok": False, "error": refused.error, **refused.extra}
            if refused.details:
                body["response_metadata"] = {"messages": list(refused.details)}
        self.calls.append(Call(name, args, self.clock.now(), error))
        match fault:
            case Status(code, "after"):
                return web.Response(status=code, text="upstream error")
            case Cut("after"):
                return self._cut(request, None)
        scopes = {
            "X-OAuth-Scopes": ",".join(sorted(self.ws.scopes)),
            "X-Accepted-OAuth-Scopes": ",".join(method.scopes),
        }
        return web.json_response(body, headers=scopes)

    def _failed(self, name: str, args: dict[str, Any], error: str, response: web.Response) -> web.Response:
        self.calls.append(Call(name, args, self.clock.now(), error))
        return response

    def _cut(self, request: web.Request, name: str | None) -> web.Response:
        if name is not None:
            self.calls.append(Call(name, {}, self.clock.now(), "cut"))
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _authorize(self, request: web.Request, method: Method) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise RefusedError("not_authed")
        if token not in (self.ws.bot_token, self.ws.app_token):
            raise RefusedError("invalid_auth")
        if (token == self.ws.app_token) != (method.token == "app"):  # a kind of token
            raise RefusedError("not_allowed_token_type")
        if self.ws.token_error is not None:
            raise RefusedError(self.ws.token_error)

    async def _read(self, request: web.Request, method: Method, *, checked: bool = True) -> dict[str, Any]:
        """The arguments, from wherever they stand; a JSON body is not read by methods that take none."""
        args: dict[str, Any] = dict(request.query)
        if request.method == "POST":
            if request.content_type == "application/json" and method.json:
                try:
                    args |= await request.json()
                except (ValueError, TypeError):
                    raise RefusedError("invalid_json") from None
            elif request.content_type != "application/json":
                args |= dict(await request.post())
        for name in _JSON_ARGS.keys() & args.keys():
            if isinstance(args[name], str):
                try:
                    args[name] = json.loads(args[name])
                except ValueError:
                    raise RefusedError(_JSON_ARGS[name], f"[ERROR] not JSON [json-pointer:/{name}]") from None
        args.pop("token", None)
        if checked:
            self._check(args, method)
        return args

    def _check(self, args: dict[str, Any], method: Method) -> None:
        if args.get("team_id", self.ws.team) != self.ws.team:
            raise RefusedError("team_access_not_granted")
        problems = [f"[ERROR] missing required field: {name}" for name in sorted(method.required - args.keys())]
        problems += [
            f"[ERROR] no such argument: {name}"
            for name in sorted(args.keys() - method.required - method.optional - {"team_id"})  # bolt's client adds it
        ]
        problems += [f"[ERROR] must not be null: {name}" for name, value in sorted(args.items()) if value is None]
        if problems:
            raise RefusedError("invalid_arguments", *problems)

    def _perform(self, request: web.Request, name: str, method: Method, args: dict[str, Any]) -> dict[str, Any]:
        if name == "apps.connections.open":
            if request.method != "POST":
                raise RefusedError("insecure_request")
            if not self.ws.socket_mode:
                raise RefusedError("forbidden_team")
            address = self.ws.url.replace("http", "ws", 1)
            return {"url": f"{address}/link?ticket={self.dispatch.ticket()}&app_id={self.ws.app_id}"}
        if method.scopes:
            self.ws.need(*method.scopes)
        return HANDLERS[name](self.ws, args)

    # ------------------------------------------------------------ files

    async def _upload(self, request: web.Request) -> web.Response:
        """Take the bytes, raw or as a form's file, if they are as many as were announced."""
        file = self.ws.uploads.get(request.match_info["file"])
        if file is None:
            return web.Response(status=404, text="no such upload")
        if request.content_type == "multipart/form-data":
            field = next(iter((await request.post()).values()))
            content = field.file.read() if isinstance(field, web.FileField) else str(field).encode()
        else:
            content = await request.read()
        if len(content) != int(request.query["length"]):
            return web.Response(status=400, text="the length is not what was announced")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def _download(self, request: web.Request) -> web.Response:
        """The content for a bearer of the token with files:read; for everybody else a login page, with status 200."""
        file = self.ws.files.get(request.match_info["file"].rpartition("-")[2])
        is_ours = request.headers.get("Authorization") == f"Bearer {self.ws.bot_token}"
        if not is_ours or "files:read" not in self.ws.scopes or self.ws.token_error is not None:
            return web.Response(text="<!DOCTYPE html><title>Sign in | Slack</title>", content_type="text/html")
        if file is None:
            return web.Response(status=404)
        if file.moved:
            return web.Response(status=302, headers={"Location": file.moved})
        if (status := self.faults.file_status()) != 200:
            return web.Response(status=status, text="upstream error")
        return web.Response(body=file.content, content_type=file.mimetype)


def _limited(seconds: int) -> web.Response:
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)})
