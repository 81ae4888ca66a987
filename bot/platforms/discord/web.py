"""Calls of Discord's REST API: limits are waited for, and what is not known to have happened is said to be so.

The library waits for rate limits, and for calls in the bot's own name it also tries again after an error of Discord's
or a broken connection; so only what may be repeated goes that way. Calls by the token of a webhook or an interaction
are made once.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import discord
from discord.http import HTTPClient, Route
from discord.webhook.async_ import AsyncWebhookAdapter

log = logging.getLogger(__name__)

TIMEOUT = 30
"""Seconds after which a call counts as unanswered."""

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK = 10003, 10008, 10015
MISSING_ACCESS, MISSING_PERMISSIONS, INVALID_WEBHOOK_TOKEN = 50001, 50013, 50027
TOO_MANY_WEBHOOKS, UNKNOWN_INTERACTION, ALREADY_ACKNOWLEDGED = 30007, 10062, 40060
EMPTY_MESSAGE, TOO_LARGE, CANNOT_REPLY, HAS_THREAD = 50006, 40005, 160002, 160004
"""Codes of Discord's errors (docs, opcodes and status codes)."""

NOBODY: Mapping[str, list[str]] = {"parse": []}
"""`allowed_mentions` of everything that is sent: nobody is called, not by an edit either."""


class RefusedError(Exception):
    """Discord said no, and nothing took effect. `code` is its own, 0 where it gave none."""

    def __init__(self, what: str, status: int, code: int, text: str) -> None:
        super().__init__(f"{what}: HTTP {status}, {code} {text}".rstrip())
        self.status, self.code, self.text = status, code, text


class UnansweredError(Exception):
    """No usable answer came; whether the call took effect is not known."""


class Web:
    """The two ways to call Discord. `refused` is set while it does not take the bot's token."""

    def __init__(self, http: HTTPClient, session: aiohttp.ClientSession, cdn: aiohttp.ClientSession) -> None:
        self._http, self._session, self.cdn = http, session, cdn
        self._hooks = AsyncWebhookAdapter()  # type: ignore[no-untyped-call]
        self.refused = asyncio.Event()

    @property
    def revoked(self) -> bool:
        """Whether Discord no longer takes the bot's token, for all that is known."""
        return self.refused.is_set()

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        file: tuple[str, bytes] | None = None,
        query: Mapping[str, Any] | None = None,
        **ids: Any,
    ) -> Any:
        """What Discord answers the bot. It is repeated where no answer comes, so it must be harmless to do so.

        `ids` fill the braces of `path`. Raises RefusedError and UnansweredError.
        """
        given: dict[str, Any] = {"params": dict(query)} if query else {}
        given["timeout"] = aiohttp.ClientTimeout(total=TIMEOUT)
        if file:
            given |= {"form": _form(body, file)}
        elif body is not None:
            given |= {"json": body}
        with _told(f"{method} {path}", self):
            return await self._http.request(Route(method, path, **ids), **given)

    async def hook(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        file: tuple[str, bytes] | None = None,
        query: Mapping[str, Any] | None = None,
        **ids: Any,
    ) -> Any:
        """What Discord answers whoever knows a webhook's or an interaction's token, in `ids`; it is asked once.

        Raises RefusedError and UnansweredError.
        """
        given: dict[str, Any] = {"params": dict(query)} if query else {}
        if file:
            given |= {"multipart": _form(body, file)}
        elif body is not None:
            given |= {"payload": dict(body)}
        with _told(f"{method} {path}"):
            return await self._hooks.request(Route(method, path, **ids), self._session, **given)


@contextmanager
def _told(what: str, web: Web | None = None) -> Iterator[None]:
    """Turns the library's errors into ours; `web` learns whether the bot's token is good."""
    try:
        yield
    except discord.HTTPException as error:
        if error.status >= 500 or error.status == 429:
            raise UnansweredError(f"{what}: HTTP {error.status}") from error
        if web and error.status == 401:
            if not web.revoked:
                log.error("Discord no longer takes the bot's token: reset it in the portal, and set DISCORD_TOKEN")
            web.refused.set()
        raise RefusedError(what, error.status, error.code, error.text) from error
    except (discord.RateLimited, aiohttp.ClientError, TimeoutError, OSError) as error:
        raise UnansweredError(f"{what}: {type(error).__name__}: {error}") from error
    if web:
        web.refused.clear()


def _form(body: object, file: tuple[str, bytes]) -> list[dict[str, Any]]:
    """A multipart body with one file (docs, uploading files)."""
    name, data = file
    return [
        {"name": "payload_json", "value": json.dumps(body or {})},
        {
            "name": "files[0]",
            "value": data,
            "filename": name,
            "content_type": "application/octet-stream",
        },
    ]


class _FailedError(aiohttp.ClientError):
    """Discord failed over a call, which may have taken effect."""


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep the library from trying again: it does so after a status of 500 and more, and after a reset connection.

    A limit that does not say when it ends is not Discord's own; the library stumbles over it.
    """
    try:
        response = await handler(request)
    except OSError as error:
        raise _FailedError(f"{type(error).__name__}: {error}") from error
    if response.status >= 500 or (response.status == 429 and response.content_type != "application/json"):
        response.close()
        raise _FailedError(f"HTTP {response.status}")
    return response


@asynccontextmanager
async def opened(http: HTTPClient) -> AsyncIterator[Web]:
    """Both ways, of which `http` is the bot's own and stays its owner's to close."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with (
        aiohttp.ClientSession(
            timeout=timeout, headers={"User-Agent": http.user_agent}, middlewares=(_once,)
        ) as session,
        aiohttp.ClientSession(timeout=timeout) as cdn,
    ):
        yield Web(http, session, cdn)
