"""The connection on which Slack tells things: Socket Mode, or HTTP calls that Slack signs. slack-bolt does both."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
from aiohttp import web as http
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

from bot.platforms.slack.arrival import Me
from bot.platforms.slack.listening import Answer
from bot.platforms.slack.options import SlackOptions
from bot.platforms.slack.web import RefusedError, UnansweredError, Web

log = logging.getLogger(__name__)

BODY = 1024 * 1024
"""Bytes of the largest body that is read; Slack's events are far smaller."""

LOOK = 1.0
"""Seconds between two looks at whether a socket is still connected."""

Take = Callable[[Mapping[str, Any]], Awaitable[Answer]]


class Line(Protocol):
    """A way for Slack to tell things."""

    def trouble(self) -> str:
        """Why nothing comes just now; "" while it does."""

    async def interrupted(self) -> None:
        """Return when the connection was away and is there again: something may have been missed."""


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

    app = AsyncApp(client=web.client, authorize=authorize, request_verification_enabled=False)

    @app.middleware
    async def hand_over(body: dict[str, Any]) -> BoltResponse:
        answer = await take(body)
        return BoltResponse(status=answer.status, body=dict(answer.body) if answer.body else "")

    return app


# ---------------------------------------------------------------- Socket Mode


class SocketLine:
    """Socket Mode, over a connection that the SDK makes again when it breaks."""

    def __init__(self, handler: AsyncSocketModeHandler) -> None:
        self._client = handler.client
        self._session = self._client.current_session

    def trouble(self) -> str:
        """Why nothing comes just now."""
        session = self._client.current_session
        return "" if session and not session.closed else "the connection to Slack is away, and is being made again"

    async def interrupted(self) -> None:
        """Return when there is another connection than before."""
        while True:
            await asyncio.sleep(LOOK)
            session = self._client.current_session
            if session is not self._session and session and not session.closed:
                self._session = session
                return


@asynccontextmanager
async def socket_line(web: Web, me: Me, options: SlackOptions, take: Take) -> AsyncIterator[Line]:
    """A connection by Socket Mode. Raises RefusedError and UnansweredError where Slack lets none be made."""
    handler = AsyncSocketModeHandler(bolt(web, me, take), options.app_token)
    try:
        try:
            await handler.connect_async()  # type: ignore[no-untyped-call]
        except SlackApiError as error:
            code = str(error.response.get("error", error))
            raise RefusedError("apps.connections.open", code, str(error.response.get("needed", ""))) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnansweredError(f"apps.connections.open: {error}") from error
        yield SocketLine(handler)
    finally:
        await _closed(handler)


async def _closed(handler: AsyncSocketModeHandler) -> None:
    """Close it, and wait for the tasks that the SDK leaves behind."""
    client = handler.client
    left = [client.message_processor, client.message_receiver, client.current_session_monitor]
    with contextlib.suppress(aiohttp.ClientError, OSError):
        await handler.close_async()  # type: ignore[no-untyped-call]
    for task in left:
        if task is not None:
            task.cancel()
    await asyncio.gather(*(task for task in left if task is not None), return_exceptions=True)


# ---------------------------------------------------------------- HTTP


class HttpLine:
    """Slack calls us; that nobody calls is no trouble that we could know of."""

    def trouble(self) -> str:
        """There is none as long as the port is open."""
        return ""

    async def interrupted(self) -> None:
        """Slack itself delivers again what it could not."""
        await asyncio.Event().wait()


@asynccontextmanager
async def http_line(web: Web, me: Me, options: SlackOptions, take: Take) -> AsyncIterator[Line]:
    """A port that takes Slack's calls. Raises OSError where it cannot be opened."""
    app = http.Application(client_max_size=BODY)
    app.router.add_post(options.path, endpoint(bolt(web, me, take), options.signing_secret))
    runner = http.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        host, _, port = options.listen.rpartition(":")
        await http.TCPSite(runner, host.strip("[]"), int(port)).start()
        yield HttpLine()
    finally:
        await runner.cleanup()


def endpoint(app: AsyncApp, secret: str) -> Callable[[http.Request], Awaitable[http.StreamResponse]]:
    """Takes a call when its signature is good and not older than five minutes (docs, verifying requests)."""
    verifier = SignatureVerifier(secret)

    async def called(request: http.Request) -> http.StreamResponse:
        raw = await request.read()
        sent_at = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not (sent_at.isdecimal() and sent_at.isascii() and verifier.is_valid(raw, sent_at, signature)):
            log.warning("a call that is not Slack's was turned away (from %s)", request.remote)
            return http.Response(status=401)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return http.Response(status=400)
        headers: dict[str, str | Sequence[str]] = {name: [value] for name, value in request.headers.items()}
        answer = await app.async_dispatch(AsyncBoltRequest(body=text, headers=headers))
        content_type = answer.headers.get("content-type", ["text/plain"])[0].split(";")[0]
        return http.Response(status=answer.status, text=answer.body or "", content_type=content_type)

    return called
