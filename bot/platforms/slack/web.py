"""Calls of Slack's Web API: limits are waited for, and what is not known to have happened is said to be so."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.codec import written
from bot.platforms import sending
from bot.platforms.proxies import PROXY_REFUSES, in_words
from bot.platforms.slack.when import SlackTime

log = logging.getLogger(__name__)

TIMEOUT = 15
"""Seconds after which a call counts as unanswered."""

LEAST_WAIT = 1.0
"""Seconds to wait where Slack names a limit without saying for how long."""

START_STREAM = "chat.startStream"
"""Its `thread_ts` is optional in the documentation and required by the SDK."""

TOKEN_ERRORS = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})
"""What Slack says when the bot's token is no longer good (docs, errors of auth.test)."""


class RefusedError(Exception):
    """Slack said no, and nothing took effect. `code` is Slack's own word for why, `needed` a scope that is missing."""

    def __init__(self, method: str, code: str, needed: str = "") -> None:
        super().__init__(f"{method}: {code}" + (f" (needs the scope {needed})" if needed else ""))
        self.code, self.needed = code, needed


class UnansweredError(Exception):
    """No usable answer came; whether the call took effect is not known."""


class LimitedError(UnansweredError):
    """Slack limits the method; nothing took effect, and the call may be made again after so many `seconds`."""

    def __init__(self, method: str, seconds: float) -> None:
        super().__init__(f"{method}: limited for {seconds:.0f} s")
        self.seconds = seconds


class Web:
    """The client with the rules of a bot that must say nothing twice: a call is repeated only where that is harmless.

    `revoked` is Slack's word for what is wrong with the token, since it was last used; "" while it is good. `refused`
    is set meanwhile.
    """

    def __init__(self, token: str, api: str, session: aiohttp.ClientSession) -> None:
        self.session = session
        # No retry handlers: those of the SDK repeat a post whose answer was lost.
        self.client = AsyncWebClient(token, base_url=api, session=session, retry_handlers=[], logger=_sdk_log())
        self.refused = asyncio.Event()
        self._revoked = ""
        self.time = SlackTime()
        self._queues: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @property
    def revoked(self) -> str:
        """What is wrong with the bot's token, in Slack's word; "" while it is good."""
        return self._revoked

    @revoked.setter
    def revoked(self, code: str) -> None:
        self._revoked = code
        if code:
            self.refused.set()
        else:
            self.refused.clear()

    async def call(
        self, method: str, *, where: str = "", again: bool = False, now: bool = False, **arguments: Any
    ) -> dict[str, Any]:
        """What Slack answers. Calls of a method for the same `where`, such as a channel, go one after the other.

        So they wait for its limits in order; with `now` a call waits neither for limits nor for others, and raises
        LimitedError. `again` says that the call may be repeated when no answer came. Raises RefusedError and
        UnansweredError.
        """
        if now:
            return await self._now(method, arguments, again)
        queue = self._queues.setdefault((method, where), asyncio.Lock())
        for wait in (*(sending.WAITS if again else ()), None):
            try:
                async with queue:
                    return await self._within_limits(method, arguments)
            except UnansweredError:
                if wait is None:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError("the last round returns or raises")

    async def pages(self, method: str, items: str, **arguments: Any) -> AsyncIterator[Any]:
        """What all pages of a list hold under `items`, one by one. Raises as `call` does."""
        cursor: dict[str, Any] = {}
        while True:
            page = await self.call(method, again=True, **arguments, **cursor)
            for item in page.get(items, ()):
                yield item
            following = (page.get("response_metadata") or {}).get("next_cursor")
            if not following:
                return
            cursor = {"cursor": following}

    async def _now(self, method: str, arguments: dict[str, Any], again: bool) -> dict[str, Any]:
        for wait in (*(sending.WAITS if again else ()), None):
            try:
                return await self._once(method, arguments)
            except LimitedError:
                raise
            except UnansweredError:
                if wait is None:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError("the last round returns or raises")

    async def _within_limits(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        while True:
            try:
                return await self._once(method, arguments)
            except LimitedError as error:
                log.info("Slack limits %s; going on in %.0f s", method, error.seconds)
                await asyncio.sleep(error.seconds)

    async def _once(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        is_bots = "app_token" not in arguments
        try:
            if method == START_STREAM and "thread_ts" not in arguments:
                answer = await self.client.api_call(method, json=arguments)
            else:
                answer = await getattr(self.client, method.replace(".", "_"))(**arguments)
        except SlackApiError as error:
            self.time.answered(getattr(error.response, "headers", None) or {})
            if _status(error) == 429:
                raise LimitedError(method, _retry_after(error.response.headers)) from None
            raise self._told(method, error, is_bots) from None
        except (aiohttp.ClientError, TimeoutError, OSError, SlackClientError) as error:
            raise UnansweredError(f"{method}: {in_words(error)}") from error
        if is_bots:
            self.revoked = ""
        found: dict[str, Any] = answer.data if isinstance(answer.data, dict) else {}
        self.time.answered(answer.headers)
        self.time.said(found.get("ts"))
        return found

    def _told(self, method: str, error: SlackApiError, is_bots: bool) -> Exception:
        data = getattr(error.response, "data", None)
        if _status(error) == 407:
            return UnansweredError(f"{method}: {PROXY_REFUSES}")
        if _status(error) >= 500 or not isinstance(data, dict) or "error" not in data:
            return UnansweredError(f"{method}: HTTP {_status(error)}")
        code = str(data["error"])
        if code in ("internal_error", "fatal_error", "service_unavailable", "request_timeout"):
            return UnansweredError(f"{method}: {code}")
        if is_bots and code in TOKEN_ERRORS:
            if not self.revoked:
                log.error(
                    "Slack no longer takes the bot's token (%s): install the app again, set SLACK_BOT_TOKEN", code
                )
            self.revoked = code
        return RefusedError(method, code, str(data.get("needed", "")))


@asynccontextmanager
async def opened(token: str, api: str) -> AsyncIterator[Web]:
    """The Web API at `api` with one pool of connections."""
    timeout, jar = aiohttp.ClientTimeout(total=TIMEOUT), aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=jar, json_serialize=written) as session:
        yield Web(token, api, session)


def _sdk_log() -> logging.Logger:
    """What the SDK logs to. It writes every call out in full for a logger without a level of its own, logged or not."""
    found = logging.getLogger(f"{__name__}.sdk")
    level = log.getEffectiveLevel()
    found.setLevel(level if level <= logging.DEBUG else max(level, logging.WARNING))
    return found


def _status(error: SlackApiError) -> int:
    """The HTTP status of an answer; one that could not be read comes as aiohttp's own."""
    return int(getattr(error.response, "status_code", 0) or getattr(error.response, "status", 0))


def _retry_after(headers: Any) -> float:
    """Seconds to wait, from the header of that name (docs, rate limits: whole seconds)."""
    value = next((value for name, value in dict(headers).items() if str(name).lower() == "retry-after"), "")
    value = value[0] if isinstance(value, list) else value
    try:
        return max(float(value), LEAST_WAIT)
    except (TypeError, ValueError):
        return LEAST_WAIT
