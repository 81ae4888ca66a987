"""One connection of Socket Mode: envelopes come in, and each is acknowledged when it was taken (docs, Socket Mode)."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.platforms.proxies import in_words
from bot.platforms.slack.web import UnansweredError, Web

log = logging.getLogger(__name__)

PING = 10.0
"""Seconds between two pings; without an answer within half of that the connection counts as broken."""

HELLO = 15.0
"""Seconds that Slack has for its greeting."""

GRACE = 2.0
"""Seconds that what is being taken gets when the connection is to end; Slack waits 3 for an acknowledgement."""


class Socket:
    """A connection, from Slack's greeting to its end.

    `ending` is set when another connection is wanted: this one is closed, or Slack says that it soon will be, with the
    `reason`. What comes waits until `may_take` is set: whoever made the connection says before what was missed.
    """

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, app: AsyncApp) -> None:
        self._ws, self._app = ws, app
        self._taking: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read())
        self.greeted = asyncio.Event()
        self.may_take = asyncio.Event()
        self.ending = asyncio.Event()
        self.reason = ""

    @property
    def is_closed(self) -> bool:
        """Whether nothing can come over it any more."""
        return self._reading.done()

    async def leave(self) -> None:
        """Let what is being taken be acknowledged, and close."""
        if self._taking:
            await asyncio.wait(self._taking, timeout=GRACE)
        left = [self._reading, *self._taking]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._ws.close()

    async def _read(self) -> None:
        try:
            async for message in self._ws:
                if message.type == aiohttp.WSMsgType.TEXT:
                    self._came(message.data)
        except Exception:
            log.exception("a connection of Socket Mode could not be read any further; another is made")
        finally:
            self.ending.set()

    def _came(self, text: str) -> None:
        try:
            envelope = json.loads(text)
        except ValueError:
            envelope = None
        if not isinstance(envelope, dict):
            log.warning("Slack sent something over Socket Mode that is no JSON object")
            return
        match envelope.get("type"):
            case "hello":
                self.greeted.set()
            case "disconnect":
                self.reason = str(envelope.get("reason") or "")
                log.info("Slack wants another connection (%s)", self.reason)
                self.ending.set()
            case _ if request := SocketModeRequest.from_dict(envelope):
                task = asyncio.create_task(self._take(request))
                self._taking.add(task)
                task.add_done_callback(self._taking.discard)
            case other:
                log.debug("nothing is done with a %s over Socket Mode", other)

    async def _take(self, request: SocketModeRequest) -> None:
        await self.may_take.wait()
        try:
            answer = await run_async_bolt_app(self._app, request)
            if answer.status == 200:
                await self._ws.send_json({"envelope_id": request.envelope_id, **_payload(answer)})
        except ConnectionError as error:
            log.info(
                "a delivery could not be acknowledged (%s); Slack sends it again, and it is known by its id", error
            )
        except Exception:
            log.exception("a delivery could not be taken, and comes again")


def _payload(answer: BoltResponse) -> dict[str, Any]:
    """What goes back with an acknowledgement, where there is something."""
    if not answer.body:
        return {}
    is_json = answer.headers.get("content-type", [""])[0].startswith("application/json")
    return {"payload": json.loads(answer.body) if is_json else {"text": answer.body}}


async def connected(web: Web, app: AsyncApp, token: str) -> Socket:
    """A connection on which Slack has greeted us. Its address is good for one time only, so each gets its own.

    Raises RefusedError where Slack lets none be made, and UnansweredError.
    """
    address = str((await web.call("apps.connections.open", again=True, app_token=token))["url"])
    try:
        ws = await web.session.ws_connect(
            address,
            heartbeat=PING,
            proxy=web.client.proxy,
            ssl=web.client.ssl or True,
            timeout=aiohttp.ClientWSTimeout(ws_close=GRACE),
        )
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise UnansweredError(f"Socket Mode: {in_words(error)}") from error
    socket = Socket(ws, app)
    greeted, ended = asyncio.ensure_future(socket.greeted.wait()), asyncio.ensure_future(socket.ending.wait())
    try:
        # A connection may also end before the greeting, with a word (`too_many_websockets`) or without any.
        await asyncio.wait((greeted, ended), timeout=HELLO, return_when=asyncio.FIRST_COMPLETED)
        if not socket.greeted.is_set():
            why = socket.reason or ("Slack has closed the connection" if ended.done() else "Slack does not greet")
            raise UnansweredError(f"Socket Mode: {why}")
    except BaseException:
        await socket.leave()
        raise
    finally:
        for waiting in (greeted, ended):
            waiting.cancel()
        await asyncio.gather(greeted, ended, return_exceptions=True)
    return socket
