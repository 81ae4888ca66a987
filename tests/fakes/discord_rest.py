"""The fake of Discord's REST API: who may call, rate limits, disturbances on order, and the way to the endpoints.

What the endpoints do is in `discord_channels`, `discord_webhooks`, `discord_interactions` and `discord_app`; each is a
plain function of the world and a call, so its effect is all or nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from aiohttp import BodyPartReader, web

from tests.fakes.discord_errors import ApiError, unauthorized
from tests.fakes.discord_fields import undocumented
from tests.fakes.discord_rules import Upload
from tests.fakes.discord_state import World

REQUEST = 25 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Call:
    """One request: `template` is its route, `ids` what stood in the route's braces, `status` how it was answered."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None
    files: list[Upload] = field(default_factory=list)
    template: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    status: int = 0

    @property
    def fields(self) -> dict[str, Any]:
        """The body as an object; refuses any other."""
        if isinstance(self.body, dict):
            return self.body
        raise ApiError(400, 50109, "The request body contains invalid JSON.")

    def id(self, name: str) -> int:
        """A snowflake of the path; 0 for what is none, which nothing has."""
        return int(self.ids[name]) if self.ids[name].isdigit() else 0

    def asks(self, name: str) -> bool:
        """Whether a boolean of the query is set ("Reference, Boolean Query Strings")."""
        return self.query.get(name, "").lower() in ("1", "true")


Endpoint = Callable[[World, Call], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """Where an endpoint is; `open` ones carry their secret in the path and need no token."""

    method: str
    template: str
    endpoint: Endpoint
    open: bool = False

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.template))


# ---------------------------------------------------------------- disturbances


@dataclass(frozen=True, slots=True)
class Breaks:
    """Answers with a status of 500 and above; with `after`, the call has had its effect."""

    status: int = 502
    after: bool = False


@dataclass(frozen=True, slots=True)
class Cuts:
    """Breaks the connection without an answer; with `after`, the call has had its effect."""

    after: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Answers 429; without `via` it looks like Cloudflare's ban of an address, which names no time."""

    retry_after: float = 0.05
    everywhere: bool = False
    via: bool = True


@dataclass(frozen=True, slots=True)
class Waits:
    """Answers properly, but so many seconds late; with `after`, the effect does not wait for that."""

    seconds: float
    after: bool = False


@dataclass(frozen=True, slots=True)
class Refuses:
    """Answers with an error of Discord's; for those that no state leads to."""

    status: int
    code: int
    message: str = "refused"


Fault = Breaks | Cuts | Limits | Waits | Refuses


@dataclass(slots=True)
class _Order:
    method: str
    pattern: re.Pattern[str]
    fault: Fault


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in so many seconds, for each channel or webhook of its own."""

    calls: int = 1000
    window: float = 1.0


class RateLimitedError(Exception):
    """429, and when to come again, in seconds."""

    def __init__(self, retry_after: float, headers: Mapping[str, str]) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after
        self.headers = headers


def path_pattern(pattern: str) -> re.Pattern[str]:
    """`/channels/*/messages` as an expression; `*` stands for one part of the path, `**` for any rest."""
    parts = (".*" if each == "**" else "[^/]+" if each == "*" else re.escape(each) for each in pattern.split("/"))
    return re.compile("/".join(parts))


class Rest:
    """The API's front: `serve` takes everything under `/api/v10`. `calls` is what came in, oldest first.

    `undocumented` tells of fields that were sent and that no page of the documentation names.
    """

    def __init__(self, world: World, routes: Sequence[Route]) -> None:
        self.calls: list[Call] = []
        self.undocumented: list[str] = []
        self._world = world
        self._routes = [(route, route.pattern) for route in routes]
        self._orders: list[_Order] = []
        self._limits: list[tuple[str, re.Pattern[str], Limit]] = []
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def order(self, method: str, pattern: str, *faults: Fault) -> None:
        """Disturb the next calls to a route, one fault a call, in order."""
        self._orders += [_Order(method, path_pattern(pattern), fault) for fault in faults]

    @property
    def unused(self) -> int:
        """How many ordered disturbances no call has met."""
        return len(self._orders)

    def limit(self, method: str, pattern: str, limit: Limit) -> None:
        """Limit a route from now on; the latest word counts."""
        self._limits.insert(0, (method, path_pattern(pattern), limit))

    def called(self, method: str, pattern: str) -> list[Call]:
        """The calls to a route so far."""
        compiled = path_pattern(pattern)
        return [each for each in self.calls if each.method == method and compiled.fullmatch(each.path)]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Handle one request."""
        call = Call(request.method, "/" + request.match_info["path"], request.query, request.headers)
        self.calls.append(call)
        fault = self._fault(call)
        wait = fault if isinstance(fault, Waits) else Waits(0.0)
        try:
            await _read(request, call)
            if not wait.after:
                await asyncio.sleep(wait.seconds)
            response = self._run(request, call, fault)
        except ApiError as error:
            response = answer(error.body, error.status)
        call.status = response.status
        if wait.after:
            await asyncio.sleep(wait.seconds)
        return response

    def _run(self, request: web.Request, call: Call, fault: Fault | None) -> web.Response:
        match fault:
            case Breaks(status, False):
                return web.Response(status=status, text="<html>bad gateway</html>", content_type="text/html")
            case Cuts(False):
                return _cut(request)
            case Limits():
                return _limited(fault)
            case Refuses(status, code, message):
                return answer({"message": message, "code": code}, status)
            case Breaks() | Cuts() | Waits() | None:
                pass
            case _:
                assert_never(fault)
        try:
            route = self._find(call)
            headers = self._count(call)
            self._authorize(route, call)
            self._document(call)
            result = route.endpoint(self._world, call)
        except RateLimitedError as limited:
            return _limited(Limits(limited.retry_after), limited.headers)
        except ApiError as error:
            return answer(error.body, error.status)
        match fault:
            case Breaks(status, _):
                return web.Response(status=status, text="<html>bad gateway</html>", content_type="text/html")
            case Cuts():
                return _cut(request)
            case _:
                return answer(result, 204 if result is None else 200, headers)

    def _fault(self, call: Call) -> Fault | None:
        for order in self._orders:
            if order.method == call.method and order.pattern.fullmatch(call.path):
                self._orders.remove(order)
                return order.fault
        return None

    def _find(self, call: Call) -> Route:
        others = False
        for route, pattern in self._routes:
            if found := pattern.fullmatch(call.path):
                if route.method == call.method:
                    call.template, call.ids = route.template, found.groupdict()
                    return route
                others = True
        raise ApiError(405, 0, "405: Method Not Allowed") if others else ApiError(404, 0, "404: Not Found")

    def _authorize(self, route: Route, call: Call) -> None:
        given = call.headers.get("Authorization")
        if given != f"Bot {self._world.token}" and (given is not None or not route.open):
            raise unauthorized()

    def _document(self, call: Call) -> None:
        """Note what no page of the documentation names; Discord passes over it, so that is no refusal."""
        follow_up = call.method == "POST" and call.ids.get("webhook") == str(self._world.application)
        self.undocumented += undocumented(call.method, call.template, call.query, call.body, follow_up=follow_up)

    def _count(self, call: Call) -> dict[str, str]:
        limit = next(
            (it for verb, path, it in self._limits if verb == call.method and path.fullmatch(call.path)), Limit()
        )
        # The resource that limits count apart: a channel, a guild, or a webhook with its token.
        ids = call.ids
        major = "/".join(ids.get(key, "") for key in ("channel", "guild", "webhook", "token"))
        bucket = hashlib.sha256(f"{call.method} {call.template}".encode()).hexdigest()[:32]
        now = time.monotonic()
        start, used = self._windows.get((bucket, major), (now, 0))
        if now >= start + limit.window:
            start, used = now, 0
        left = max(start + limit.window - now, 0.0)
        headers = {
            "X-RateLimit-Bucket": bucket,
            "X-RateLimit-Limit": str(limit.calls),
            "X-RateLimit-Remaining": str(max(limit.calls - used - 1, 0)),
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
        }
        if used >= limit.calls:
            raise RateLimitedError(left, {**headers, "X-RateLimit-Scope": "user"})
        self._windows[(bucket, major)] = (start, used + 1)
        return headers


async def _read(request: web.Request, call: Call) -> None:
    kind = request.content_type if request.can_read_body else ""
    if (request.content_length or 0) > REQUEST:
        raise ApiError(413, 40005, "Request entity too large")
    try:
        if kind == "multipart/form-data":
            await _read_parts(request, call)
        elif request.can_read_body:
            data = await request.read()
            if data and kind != "application/json":
                text = "Expected \"Content-Type\" header to be one of {'application/json', 'multipart/form-data'}."
                errors = {"_errors": [{"code": "CONTENT_TYPE_INVALID", "message": text}]}
                raise ApiError(400, 50035, "Invalid Form Body", errors)
            call.body = json.loads(data) if data else None
    except web.HTTPRequestEntityTooLarge:
        raise ApiError(413, 40005, "Request entity too large") from None
    except ValueError:
        raise ApiError(400, 50109, "The request body contains invalid JSON.") from None


async def _read_parts(request: web.Request, call: Call) -> None:
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise ApiError(400, 50109, "The request body contains invalid JSON.")
        data = bytes(await part.read(decode=False))
        if part.name == "payload_json":
            call.body = json.loads(data)
        elif found := re.fullmatch(r"files\[(\d+)\]|file", part.name or ""):
            call.files.append(Upload(int(found[1] or 0), part.filename or "unknown", data))
    if call.body is None:
        call.body = {}


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A response as Discord sends them: the type of the content without a charset, which clients compare exactly."""
    extra = {"Via": "1.1 google", **(headers or {})}
    if body is None:
        return web.Response(status=204, headers=extra)
    data = json.dumps(body).encode()
    return web.Response(body=data, status=status, headers={**extra, "Content-Type": "application/json"})


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


def _limited(fault: Limits, headers: Mapping[str, str] | None = None) -> web.Response:
    if not fault.via:
        page = "<html><title>Access denied | discord.com used Cloudflare to restrict access</title></html>"
        return web.Response(status=429, text=page, content_type="text/html", headers={"Retry-After": "3600"})
    message = "You are being rate limited."
    body = {"message": message, "retry_after": round(fault.retry_after, 3), "global": fault.everywhere}
    extra = {"X-RateLimit-Scope": "global" if fault.everywhere else "user", **(headers or {})}
    if fault.everywhere:
        extra["X-RateLimit-Global"] = "true"
    return answer(body, 429, {"Retry-After": str(max(1, round(fault.retry_after))), **extra})
