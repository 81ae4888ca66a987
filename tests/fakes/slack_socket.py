"""How events reach the app: over Socket Mode's connections or by signed requests, with acknowledgement and retries.

Slack waits 3 seconds for an acknowledgement. An event that is not acknowledged is sent again at once, after a minute
and after five; interactions and slash commands are sent once. Over Socket Mode each delivery goes to one connection at
random; where there is none it is lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from tests.fakes.slack_state import SlackClock

Envelope = Literal["events_api", "slash_commands", "interactive"]
Signing = Literal["good", "bad", "missing", "old", "garbled"]


@dataclass(slots=True)
class Attempt:
    """One try to deliver: when it was sent over which connection, and when it was acknowledged, by the loop's clock."""

    connection: int
    sent: float
    acked: float | None = None


@dataclass(slots=True)
class Delivery:
    """One payload on its way, over all its attempts.

    `attempts` counts what was sent; over Socket Mode, `tried` has each. `answer` is what came back with the
    acknowledgement, `status` the last HTTP status.
    `over` is set when it was acknowledged or will not be tried again.
    """

    kind: Envelope
    payload: dict[str, Any]
    attempts: int = 0
    acked: bool = False
    lost: bool = False
    status: int | None = None
    answer: dict[str, Any] | None = None
    tried: list[Attempt] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def connections(self) -> list[int]:
        """The connections that it was sent over, one an attempt."""
        return [attempt.connection for attempt in self.tried]

    @property
    def event(self) -> dict[str, Any]:
        event = self.payload.get("event", {})
        return event if isinstance(event, dict) else {}


@dataclass(eq=False, slots=True)
class Connection:
    """A WebSocket of the app; `number` counts connections from 1."""

    number: int
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    closing: bool = False


class Dispatch:
    """Sends deliveries. `url` None means Socket Mode; else they are signed and posted there.

    `chosen` is the connection that gets everything, while it is open: Slack's choice is anybody's guess.
    """

    def __init__(
        self, clock: SlackClock, secret: str, *, ack_within: float, retries: tuple[float, ...], chance: int
    ) -> None:
        self.url: str | None = None
        self.deliveries: list[Delivery] = []
        self.connections: list[Connection] = []
        self.opened = 0
        self.redeliver_all = 1
        self.dies_early: list[str] = []
        self.chosen: Connection | None = None
        self.on_answer: Callable[[Delivery], None] = lambda _delivery: None
        self._clock = clock
        self._secret = secret
        self._ack_within = ack_within
        self._retries = retries
        self._random = random.Random(chance)
        self._waiting: dict[str, tuple[Delivery, asyncio.Event]] = {}
        self._tickets: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, kind: Envelope, payload: dict[str, Any]) -> Delivery:
        """Begin to deliver it."""
        delivery = Delivery(kind, payload)
        self.deliveries.append(delivery)
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return delivery

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.result()

    async def _deliver(self, delivery: Delivery) -> None:
        waits = self._retries if delivery.kind == "events_api" else ()
        try:
            for attempt, wait in enumerate((0.0, *waits)):
                if wait:
                    await self._clock.sleep(wait)
                delivery.acked = await self._attempt(delivery, attempt, "timeout" if attempt else "") or delivery.acked
                if delivery.acked or (delivery.lost and attempt == 0):
                    break
            if delivery.kind == "events_api":
                for attempt in range(1, self.redeliver_all):
                    await self._attempt(delivery, attempt, "timeout")
        finally:
            delivery.over.set()

    async def _attempt(self, delivery: Delivery, attempt: int, reason: str) -> bool:
        if self.url is not None:
            return await self._post(delivery, attempt, reason)
        open_now = [connection for connection in self.connections if not connection.closing]
        delivery.lost = not open_now
        if not open_now:
            return False
        envelope_id, acked = str(uuid.UUID(int=self._random.getrandbits(128))), asyncio.Event()
        envelope: dict[str, Any] = {
            "envelope_id": envelope_id,
            "payload": delivery.payload,
            "type": delivery.kind,
            "accepts_response_payload": delivery.kind != "events_api",
        }
        if delivery.kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        connection = self.chosen if self.chosen in open_now else self._random.choice(open_now)
        self._waiting[envelope_id] = (delivery, acked)
        delivery.attempts += 1
        attempted = Attempt(connection.number, asyncio.get_running_loop().time())
        delivery.tried.append(attempted)
        try:
            await connection.socket.send_json(envelope)
            if await self._happens(acked):
                attempted.acked = asyncio.get_running_loop().time()
            return acked.is_set()
        except ConnectionError:
            return False
        finally:
            del self._waiting[envelope_id]

    async def _happens(self, acked: asyncio.Event) -> bool:
        late = asyncio.create_task(self._clock.sleep(self._ack_within))
        wait = asyncio.create_task(acked.wait())
        try:
            await asyncio.wait({late, wait}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            late.cancel()
            wait.cancel()
        return acked.is_set()

    # ------------------------------------------------------------ signed HTTP

    def signed(self, body: str, how: Signing = "good") -> dict[str, str]:
        """The headers that sign a body, or fail to. The time in them is real, since the app checks it by its own."""
        stamp = str(int(time.time()) - (600 if how == "old" else 0))
        if how == "garbled":
            stamp = "yesterday"
        digest = hmac.new(self._secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
        if how == "bad":
            headers["X-Slack-Signature"] = f"v0={'0' * 64}"
        return {} if how == "missing" else headers

    async def post(
        self, url: str, kind: Envelope, payload: dict[str, Any], how: Signing = "good", **extra: str
    ) -> tuple[int, str]:
        """One signed request, whatever comes of it: status and body."""
        match kind:
            case "events_api":
                body, content = json.dumps(payload), "application/json"
            case "interactive":
                body, content = urlencode({"payload": json.dumps(payload)}), "application/x-www-form-urlencoded"
            case "slash_commands":
                body, content = urlencode(payload), "application/x-www-form-urlencoded"
        headers = {"Content-Type": content, **self.signed(body, how), **extra}
        async with (
            aiohttp.ClientSession(trust_env=False) as session,
            session.post(url, data=body.encode(), headers=headers) as response,
        ):
            return response.status, await response.text()

    async def _post(self, delivery: Delivery, attempt: int, reason: str) -> bool:
        why = "http_timeout" if reason == "timeout" and delivery.status is None else "http_error"
        extra = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": why} if attempt else {}
        delivery.attempts += 1
        posting = asyncio.create_task(self.post(str(self.url), delivery.kind, delivery.payload, "good", **extra))
        late = asyncio.create_task(self._clock.sleep(self._ack_within))
        try:
            await asyncio.wait({posting, late}, return_when=asyncio.FIRST_COMPLETED)
            if not posting.done():
                return False
            delivery.status, text = posting.result()
        except aiohttp.ClientError:
            return False
        finally:
            late.cancel()
            posting.cancel()
        is_taken = 200 <= delivery.status < 300
        if is_taken:
            is_json = text.lstrip().startswith("{")
            self._answered(delivery, json.loads(text) if is_json else {"text": text} if text else {})
        return is_taken

    def _answered(self, delivery: Delivery, answer: dict[str, Any]) -> None:
        delivery.answer = answer
        self.on_answer(delivery)

    # ------------------------------------------------------------ Socket Mode

    def ticket(self) -> str:
        """A ticket for one connection."""
        ticket = uuid.uuid4().hex
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """A connection from handshake to end; refused with a ticket that is unknown or used, and beyond the tenth."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets or len(self.connections) >= 10:
            return web.Response(status=408 if ticket not in self._tickets else 429)
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(timeout=1.0)
        await socket.prepare(request)
        if self.dies_early:
            # docs, Socket Mode: beyond what an app may have open, `disconnect` comes with `too_many_websockets`.
            word = self.dies_early.pop(0)
            if word:
                await socket.send_json({"type": "disconnect", "reason": word, "debug_info": {"host": "applink-fake"}})
            await socket.close()
            return socket
        self.opened += 1
        connection = Connection(self.opened, socket, request.transport)
        hello = {
            "type": "hello",
            "num_connections": len(self.connections) + 1,
            "debug_info": {"host": "applink-fake", "approximate_connection_time": 18060},
            "connection_info": {"app_id": request.query.get("app_id", "")},
        }
        await socket.send_json(hello)
        self.connections.append(connection)
        try:
            async for message in socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    self._take_ack(json.loads(message.data))
        finally:
            self.connections.remove(connection)
        return socket

    def _take_ack(self, ack: dict[str, Any]) -> None:
        delivery, acked = self._waiting.get(str(ack.get("envelope_id")), (None, None))
        if delivery is None or acked is None:
            return
        self._answered(delivery, ack.get("payload") or {})
        acked.set()

    async def disconnect(self, connection: Connection, reason: str, *, closes: bool = True) -> None:
        """Tell a connection to go: "warning" some seconds ahead, "refresh_requested" and "link_disabled" at the end."""
        await connection.socket.send_json(
            {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-fake"}}
        )
        if closes:
            connection.closing = True
            await connection.socket.close(code=1000)

    def cut(self, connection: Connection) -> None:
        """Drop the TCP connection without a word."""
        connection.closing = True
        if connection.transport is not None:
            connection.transport.abort()

    async def close(self) -> None:
        """End what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self.connections):
            connection.closing = True
            await connection.socket.close(code=1001)
