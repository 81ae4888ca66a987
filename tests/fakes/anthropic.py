"""The Messages API on loopback, strict as the real one, for the real `anthropic` client.

    async with FakeAnthropic() as fake:
        fake.will(says("Hel", "lo"), refuses(529), answers(ToolUse("ask", {"question": "?"}), stop="tool_use"))
        client = AsyncAnthropic(base_url=fake.url, api_key=fake.key, ...)

Each request takes the next answer that `will` has queued. With none queued it goes to `otherwise`, a function of the
request's body (`FakeAnthropic(otherwise=lambda body: says("yes"))`), and without that it is refused with a 400. What
the API would refuse is refused without taking an answer: see `anthropic_rules`.

Answers:

* `says(*pieces, stop=, gate=, breaks=, noise=)`: text, one delta a piece.
* `answers(*blocks, stop=, gate=, breaks=, noise=, whole=)`: `Text`, `Thinking`, `Redacted`, `ToolUse`, in order.
* `refuses(status, type=, message=, code=, **headers)`: an error response; `retry_after="2"` becomes `retry-after: 2`.
* `Raw(body, content_type, status)`: anything at all.
* `Hangs()`: takes the request and never answers.

`gate` holds back every delta until the test lets it through: `gate.release(2)`, or `gate.open()` for all the rest.
`breaks` ends a stream early: `Cut(after)` drops the connection, `Ends(after)` ends it cleanly without `message_stop`,
`Errs(after, type, message)` sends an error event; each behind so many deltas. `Lingers()` says everything, and leaves
the connection open. `noise` is sent before each delta, and while a gate holds it back again and again, as the service
may do with pings (docs, streaming messages, ping events). With `whole` false the last delta of a tool call is left out,
as where a reply runs into `max_tokens`.

`fake.requests` is what came in, oldest first, as `Received`: body, headers, the status and usage that it was answered
with, and whether the client has left in the middle. `await fake.until(lambda: ..., "what for")` waits with a deadline.
Usage counts the prompt cache as the API does (see `anthropic_cache`), and so does `fake.cached_share()`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, assert_never

from aiohttp import web

from tests.fakes.anthropic_cache import PrefixCache
from tests.fakes.anthropic_rules import RefusedError, check, signature

DEADLINE = 30.0

NOISY = 0.02
"""Seconds between two pings, or what else is sent, while a gate is closed."""

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class Gate:
    """Holds deltas back until the test releases them."""

    def __init__(self) -> None:
        self._permits = asyncio.Semaphore(0)
        self._is_open = False

    def release(self, count: int = 1) -> None:
        for _ in range(count):
            self._permits.release()

    def open(self) -> None:
        self._is_open = True
        self._permits.release()

    async def pass_through(self) -> None:
        if not self._is_open:
            await self._permits.acquire()


@dataclass(frozen=True, slots=True)
class Text:
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thinking:
    text: str


@dataclass(frozen=True, slots=True)
class Redacted:
    data: str = "opaque"


@dataclass(frozen=True, slots=True)
class ToolUse:
    name: str
    input: Mapping[str, Any]
    id: str = "toolu_01"


Block = Text | Thinking | Redacted | ToolUse


@dataclass(frozen=True, slots=True)
class Cut:
    after: int = 0


@dataclass(frozen=True, slots=True)
class Ends:
    after: int = 0


@dataclass(frozen=True, slots=True)
class Errs:
    after: int = 0
    type: str = "overloaded_error"
    message: str = "Overloaded"


@dataclass(frozen=True, slots=True)
class Lingers:
    pass


Break = Cut | Ends | Errs | Lingers


@dataclass(frozen=True, slots=True)
class Streams:
    blocks: tuple[Block, ...]
    stop: str = "end_turn"
    gate: Gate | None = None
    breaks: Break | None = None
    noise: bytes = b""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Refuses:
    status: int
    type: str
    message: str
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raw:
    body: bytes = b""
    content_type: str = "text/event-stream"
    status: int = 200


@dataclass(frozen=True, slots=True)
class Hangs:
    pass


Answer = Streams | Refuses | Raw | Hangs


def says(
    *pieces: str,
    stop: str = "end_turn",
    gate: Gate | None = None,
    breaks: Break | None = None,
    noise: bytes = b"",
) -> Streams:
    return Streams((Text(pieces),), stop, gate, breaks, noise)


def answers(
    *blocks: Block,
    stop: str = "end_turn",
    gate: Gate | None = None,
    breaks: Break | None = None,
    noise: bytes = b"",
    whole: bool = True,
) -> Streams:
    return Streams(blocks, stop, gate, breaks, noise, whole)


def refuses(status: int, type: str = "", message: str = "refused", code: str = "", **headers: str) -> Refuses:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Refuses(status, type or _TYPES.get(status, "api_error"), message, code, named)


@dataclass(slots=True)
class Received:
    """One request, and what became of it."""

    body: dict[str, Any]
    headers: Mapping[str, str]
    status: int = 0
    usage: dict[str, int] = field(default_factory=dict)
    aborted: bool = False


class FakeAnthropic:
    """The server; see the module for how it is told what to answer. `models`: ids that exist, None for all."""

    def __init__(
        self,
        *,
        key: str = "sk-ant-test-0123456789",
        models: frozenset[str] | None = None,
        otherwise: Callable[[dict[str, Any]], Answer] | None = None,
    ) -> None:
        self.key = key
        self.url = ""
        self.requests: list[Received] = []
        self._models = models
        self._otherwise = otherwise
        self._queue: deque[Answer] = deque()
        self._cache = PrefixCache()
        self._ids = itertools.count(1)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_post("/v1/messages", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner:
            await self._runner.cleanup()

    def will(self, *answers: Answer) -> None:
        """Queue answers for the next requests."""
        self._queue.extend(answers)

    @property
    def unused(self) -> int:
        """How many queued answers no request has taken."""
        return len(self._queue)

    def cached_share(self) -> float:
        """The share of all input tokens so far that came from the cache, from 0 to 1."""
        read = sum(r.usage.get("cache_read_input_tokens", 0) for r in self.requests)
        total = sum(sum(r.usage.values()) for r in self.requests)
        return read / total if total else 0.0

    async def until(self, holds: Callable[[], object], what: str, deadline: float = DEADLINE) -> None:
        """Wait until `holds()`; fail with `what` after `deadline` seconds."""
        end = time.monotonic() + deadline
        while not holds():
            assert time.monotonic() < end, f"waited {deadline} s in vain for {what}"
            await asyncio.sleep(0.005)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        received = Received({}, dict(request.headers))
        self.requests.append(received)
        try:
            received.body = json.loads(await request.read())
            answer = self._refusal(request, received.body) or self._next(received.body)
            return await self._answer(request, received, answer)
        except (asyncio.CancelledError, ConnectionError):
            received.aborted = True
            raise

    def _refusal(self, request: web.Request, body: dict[str, Any]) -> Refuses | None:
        # The SDK has sent its key as a bearer token since 2.x; other clients send `x-api-key`.
        given = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
        if given != self.key:
            return refuses(401, message="invalid x-api-key")
        if not request.headers.get("anthropic-version"):
            return refuses(400, message="anthropic-version: header is required")
        try:
            check(body)
        except RefusedError as error:
            return refuses(400, message=str(error))
        if self._models is not None and body["model"] not in self._models:
            return refuses(404, message=f"model: {body['model']}")
        return None

    def _next(self, body: dict[str, Any]) -> Answer:
        if self._queue:
            return self._queue.popleft()
        if self._otherwise:
            return self._otherwise(body)
        return refuses(400, message="the test has queued no answer for this request")

    async def _answer(self, request: web.Request, received: Received, answer: Answer) -> web.StreamResponse:
        match answer:
            case Streams():
                return await self._stream(request, received, answer)
            case Refuses(status, kind, message, code, headers):
                received.status = status
                error: dict[str, Any] = {"type": kind, "message": message}
                if code:
                    error["details"] = {"error_code": code}
                name = f"req_{next(self._ids):04}"
                wire = {"type": "error", "error": error, "request_id": name}
                return web.json_response(wire, status=status, headers={"request-id": name, **headers})
            case Raw(body, content_type, status):
                received.status = status
                return web.Response(body=body, status=status, headers={"content-type": content_type})
            case Hangs():
                await asyncio.Event().wait()
                raise AssertionError("nobody sets that event")
            case _:
                assert_never(answer)

    async def _stream(self, request: web.Request, received: Received, answer: Streams) -> web.StreamResponse:
        received.status = 200
        received.usage = self._cache.account(received.body)
        number = next(self._ids)
        headers = {"content-type": "text/event-stream; charset=utf-8", "request-id": f"req_{number:04}"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        message = {
            "id": f"msg_{number:04}",
            "type": "message",
            "role": "assistant",
            "model": received.body["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**received.usage, "output_tokens": 1},
        }
        await _send(response, {"type": "message_start", "message": message})
        await _send(response, {"type": "ping"})
        deltas = 0
        async for event in _events(answer.blocks, whole=answer.whole):
            if event["type"] == "content_block_delta":
                if answer.breaks and not isinstance(answer.breaks, Lingers) and answer.breaks.after == deltas:
                    return await _break(request, response, answer.breaks)
                if answer.noise:
                    await response.write(answer.noise)
                if answer.gate:
                    await _let_through(answer.gate, response, answer.noise)
                deltas += 1
            await _send(response, event)
        if answer.breaks and not isinstance(answer.breaks, Lingers):
            return await _break(request, response, answer.breaks)
        end = {"stop_reason": answer.stop, "stop_sequence": None}
        await _send(response, {"type": "message_delta", "delta": end, "usage": {"output_tokens": 1 + deltas}})
        await _send(response, {"type": "message_stop"})
        if isinstance(answer.breaks, Lingers):
            await asyncio.Event().wait()
        await response.write_eof()
        return response


async def _let_through(gate: Gate, response: web.StreamResponse, noise: bytes) -> None:
    """Wait at the gate; meanwhile make that noise."""
    passing = asyncio.ensure_future(gate.pass_through())
    try:
        while not (await asyncio.wait((passing,), timeout=NOISY if noise else None))[0]:
            await response.write(noise)
    finally:
        passing.cancel()


async def _events(blocks: tuple[Block, ...], *, whole: bool = True) -> AsyncIterator[dict[str, Any]]:
    for index, block in enumerate(blocks):
        match block:
            case Text(pieces):
                start: dict[str, Any] = {"type": "text", "text": ""}
                deltas: list[dict[str, Any]] = [{"type": "text_delta", "text": piece} for piece in pieces]
            case Thinking(text):
                start = {"type": "thinking", "thinking": "", "signature": ""}
                deltas = [{"type": "thinking_delta", "thinking": text}] if text else []
                deltas.append({"type": "signature_delta", "signature": signature(text)})
            case Redacted(data):
                start, deltas = {"type": "redacted_thinking", "data": data}, []
            case ToolUse(name, given, ident):
                start = {"type": "tool_use", "id": ident, "name": name, "input": {}}
                wire = json.dumps(given)
                third = max(1, len(wire) // 3)
                parts = ["", *(wire[i : i + third] for i in range(0, len(wire), third))]
                parts = parts if whole else parts[:-1]
                deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
            case _:
                assert_never(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}


async def _send(response: web.StreamResponse, event: dict[str, Any]) -> None:
    data = json.dumps(event, separators=(",", ":"))
    await response.write(f"event: {event['type']}\ndata: {data}\n\n".encode())


async def _break(request: web.Request, response: web.StreamResponse, breaks: Cut | Ends | Errs) -> web.StreamResponse:
    match breaks:
        case Cut():
            if request.transport:
                request.transport.close()
        case Ends():
            await response.write_eof()
        case Errs(_, kind, message):
            await _send(response, {"type": "error", "error": {"type": kind, "message": message}})
            await response.write_eof()
        case _:
            assert_never(breaks)
    return response
