"""The ways on which Slack tells things: Socket Mode, or HTTP calls that it signs. slack-bolt reads both."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from aiohttp import web as http
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.request.internals import parse_body
from slack_bolt.response import BoltResponse
from slack_sdk.signature import Clock, SignatureVerifier

from bot.platforms.slack.arrival import Me
from bot.platforms.slack.connections import Connections, bounded
from bot.platforms.slack.listening import Answer
from bot.platforms.slack.options import SlackOptions
from bot.platforms.slack.socket import GRACE, Socket, connected
from bot.platforms.slack.web import RefusedError, UnansweredError, Web
from bot.ports.transport import PlatformError

log = logging.getLogger(__name__)

BODY = 1024 * 1024
"""Bytes of the largest body that is read; Slack's events are far smaller."""

KEPT_OPEN = 75.0
"""Seconds that a connection stays open for another call: as long as nginx keeps one (docs, keepalive_timeout)."""

FIRST_TRY, LATEST_TRY = 1.0, 60.0
"""Seconds after which a connection that could not be made is tried again; they double from the first to the latest.

The very first time it is tried again at once."""

SHORT = 1.0
"""Seconds that a connection has to last, or the next one is not made at once."""

Take = Callable[[Mapping[str, Any]], Awaitable[Answer]]

There = Callable[[float | None], None]
"""Told when there is a connection, and since when (in seconds since the epoch) there was none; None for the first."""


class EventSource(Protocol):
    """A way for Slack to tell things."""

    def trouble(self) -> str:
        """Why nothing comes just now; "" while it does."""

    async def serve(self, app: AsyncApp, there: There) -> None:
        """Hand what comes to `app`, until cancelled. Raises PlatformError where that can never work."""


def event_source(web: Web, options: SlackOptions) -> EventSource:
    """The way that the options choose."""
    return SocketSource(web, options.app_token) if options.mode == "socket" else HttpSource(options)


def bolt(web: Web, me: Me, take: Take) -> AsyncApp:
    """A bolt app that hands everything to `take` and answers what that says, only then.

    A middleware, since a listener's event would be acknowledged before it ran; signatures are checked before bolt reads
    anything. Who is authorized is told here, since bolt would ask Slack at the first event, and drop it if that failed.
    """
    known = AuthorizeResult(
        enterprise_id=None,
        team_id=me.team,
        bot_user_id=me.user,
        bot_id=me.bot,
        bot_token=web.client.token,
    )

    async def authorize() -> AuthorizeResult:
        return known

    # Bolt warns at each start that the token is not used where `authorize` is; that is what is meant here.
    quiet = logging.getLogger(f"{__name__}.bolt")
    quiet.setLevel(logging.ERROR)
    app = AsyncApp(client=web.client, authorize=authorize, request_verification_enabled=False, logger=quiet)

    @app.middleware
    async def hand_over(body: dict[str, Any]) -> BoltResponse:
        answer = await take(body)
        return BoltResponse(status=answer.status, body=dict(answer.body) if answer.body else "")

    return app


# ---------------------------------------------------------------- Socket Mode


class SocketSource:
    """Socket Mode: one connection, and the next one before Slack ends it, or as soon as it has broken."""

    def __init__(self, web: Web, token: str) -> None:
        self._web, self._token = web, token
        self._sockets: list[Socket] = []
        self._why = "Slack has not been connected yet"

    def trouble(self) -> str:
        """Why nothing comes just now."""
        return "" if self._is_open() else self._why

    def _is_open(self) -> bool:
        return any(not socket.is_closed for socket in self._sockets)

    async def serve(self, app: AsyncApp, there: There) -> None:
        """See `EventSource.serve`; it can never work where Slack refuses the very first connection."""
        try:
            broken_at: float | None = None
            pause = FIRST_TRY
            while True:
                newest = await self._made(app)
                if not self._is_open():
                    there(broken_at)
                newest.may_take.set()
                former, self._sockets = self._sockets, [newest]
                for socket in former:
                    await socket.leave()
                began = self._web.time.seconds()
                await newest.ending.wait()
                broken_at = self._web.time.seconds()
                self._why = "the connection to Slack is away, and is being made again"
                if broken_at - began >= SHORT:
                    pause = FIRST_TRY
                else:
                    log.warning(
                        "a connection to Slack has ended at once (%s); going on in %.0f s", newest.reason, pause
                    )
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LATEST_TRY)
        finally:
            for socket in self._sockets:
                await socket.leave()
            self._sockets = []

    async def _made(self, app: AsyncApp) -> Socket:
        """The next connection, however long it takes. Raises PlatformError where there was none before."""
        delay = 0.0  # The first time it is tried again at once.
        while True:
            try:
                return await connected(self._web, app, self._token)
            except RefusedError as error:
                if not self._sockets:
                    raise PlatformError(
                        f"Slack lets no connection be made with SLACK_APP_TOKEN ({error.code}): it has to be an "
                        "app-level token, which begins with xapp-, with the scope connections:write, from Basic "
                        "Information, App-Level Tokens; and Socket Mode has to be on"
                    ) from error
                why: Exception = error
            except UnansweredError as error:
                why = error
            self._why = f"Slack cannot be connected: {why}"
            log.error("%s; trying again in %.0f s", self._why, delay)
            await asyncio.sleep(delay)
            delay = min(2 * delay, LATEST_TRY) or FIRST_TRY


# ---------------------------------------------------------------- HTTP


class HttpSource:
    """Slack calls us; that nobody calls is no trouble that we could know of."""

    def __init__(self, options: SlackOptions) -> None:
        self._options = options
        self._why = "the port for Slack's calls is not open yet"

    def trouble(self) -> str:
        """There is none as long as the port is open."""
        return self._why

    async def serve(self, app: AsyncApp, there: There) -> None:
        """See `EventSource.serve`. Slack itself delivers again for some minutes what it could not."""
        options = self._options
        calls = http.Application(client_max_size=BODY, middlewares=[bounded])
        calls.router.add_post(options.path, endpoint(app, options.signing_secret))
        runner = http.AppRunner(calls, access_log=None, shutdown_timeout=GRACE, keepalive_timeout=KEPT_OPEN)
        await runner.setup()
        connections = Connections(options.connections, options.connections_per_peer)
        port: asyncio.Server | None = None

        def connection() -> asyncio.Protocol:
            if runner.server is None:
                raise RuntimeError("a connection came to a port that is closed")
            return connections.protocol(runner.server())

        try:
            host, _, number = options.listen.rpartition(":")
            try:
                port = await asyncio.get_running_loop().create_server(connection, host.strip("[]") or None, int(number))
            except OSError as error:
                raise PlatformError(
                    f"Slack's calls cannot be taken at {options.listen} ({error.strerror or error}): set slack.listen "
                    "to an address of this machine and a port that nobody else uses"
                ) from error
            self._why = ""
            there(None)
            await asyncio.Event().wait()
        finally:
            self._why = "the port for Slack's calls is closed"
            if port is not None:
                port.close()
            await runner.cleanup()


def endpoint(app: AsyncApp, secret: str) -> Callable[[http.Request], Awaitable[http.StreamResponse]]:
    """Takes a call when its signature is good and not older than five minutes (docs, verifying requests)."""
    verifier = SignatureVerifier(secret)

    async def called(request: http.Request) -> http.StreamResponse:
        raw = await request.read()
        text = signed(verifier, raw, request.headers)
        if text is None:
            told = off(secret, raw, request.headers) or "a call that is not Slack's was turned away"
            log.warning("%s (from %s)", told, request.remote)
            return http.Response(status=401)
        asked = read(text, request.headers)
        if asked is None:
            log.warning("a call that Slack has signed is no JSON object, so it was not taken (from %s)", request.remote)
            return http.Response(status=400)
        answer = await app.async_dispatch(asked)
        content_type = answer.headers.get("content-type", ["text/plain"])[0].split(";")[0]
        return http.Response(status=answer.status, text=answer.body or "", content_type=content_type)

    return called


def signed(verifier: SignatureVerifier, raw: bytes, headers: Mapping[str, str]) -> str | None:
    """The text of a call that Slack has signed; None for any other. What the verifier would choke on is none of it."""
    sent_at, signature = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
    if not (sent_at.isascii() and sent_at.isdecimal() and len(sent_at) <= 12 and signature.isascii()):
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return text if verifier.is_valid(text, sent_at, signature) else None


def read(text: str, headers: Mapping[str, str]) -> AsyncBoltRequest | None:
    """What bolt makes of a call: JSON, a form with JSON as its payload, or a form alone; None where it makes nothing.

    Slack sends an object, and bolt trips over anything else in more ways than one.
    """
    values: dict[str, str | Sequence[str]] = {name: [value] for name, value in headers.items()}
    try:
        kind = headers.get("content-type", "").split(";")[0]
        body = parse_body(text, kind or None)
        if not isinstance(body, dict) or not isinstance(body.get("event", {}), dict):
            return None
        return AsyncBoltRequest(body=text, headers=values) if text.strip() else None
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None


class _Then(Clock):
    """The moment at which a call was signed."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> float:
        return self._at


def off(secret: str, raw: bytes, headers: Mapping[str, str]) -> str:
    """What is wrong with a call that Slack has signed at a time too far from this machine's; "" for any other."""
    sent_at = headers.get("X-Slack-Request-Timestamp", "")
    if not (sent_at.isascii() and sent_at.isdecimal() and len(sent_at) <= 12):
        return ""
    then = float(sent_at)
    if signed(SignatureVerifier(secret, clock=_Then(then)), raw, headers) is None:
        return ""
    passed = time.time() - then
    how = f"{passed:.0f} s old" if passed > 0 else f"{-passed:.0f} s ahead"
    return (
        f"a call that Slack has signed was turned away: by this machine's clock it is {how}, and at most 300 s are "
        "allowed. Set the clock right (NTP), or somebody repeats an old call"
    )
