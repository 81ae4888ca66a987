"""The bot's webhooks, one a channel: through it each persona speaks under its own name."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from bot.platforms.discord.names import webhook_name
from bot.platforms.discord.refusals import passes, without_hook
from bot.platforms.discord.web import RefusedError, UnansweredError, Web

log = logging.getLogger(__name__)

AGAIN = 600.0
"""Seconds after which it is looked again whether a channel without a webhook may have one now."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook of ours."""

    id: str
    token: str
    channel: str


class Hooks:
    """Finds webhooks, makes them where there are none, and remembers them. `me` is the application's id."""

    def __init__(self, web: Web, application: str, name: str) -> None:
        self._web, self._application, self._name = web, application, webhook_name(name)
        self._known: dict[str, Hook] = {}
        self._without: dict[str, float] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def of(self, channel: str) -> Hook | None:
        """The channel's webhook; None where Discord refuses the bot one, which is said once in the log.

        Raises RefusedError and UnansweredError.
        """
        if channel in self._known:
            return self._known[channel]
        if self._without.get(channel, 0.0) > time.monotonic():
            return None
        lock = self._locks.setdefault(channel, asyncio.Lock())
        async with lock:
            if channel in self._known:
                return self._known[channel]
            try:
                hook = await self._found(channel) or await self._made(channel)
            except RefusedError as error:
                if passes(error):
                    raise
                self.refused(channel, error)
                return None
            self._without.pop(channel, None)
            self._known[channel] = hook
            return hook

    async def named(self, channel: str, ident: str) -> Hook | None:
        """The webhook of ours with that id, which another process may have made; None where there is none.

        Raises RefusedError and UnansweredError.
        """
        if (known := self._known.get(channel)) and known.id == ident:
            return known
        try:
            return next((hook for hook in await self._ours(channel) if hook.id == ident), None)
        except RefusedError as error:
            if passes(error):
                raise
            return None

    def refused(self, channel: str, error: RefusedError) -> None:
        """Discord refuses the channel's webhook for good: do without one for `AGAIN` seconds; it is said once."""
        if channel not in self._without:
            why = without_hook(error)
            log.warning("personas speak under the bot's own name in channel %s, since %s", channel, why)
        self._without[channel] = time.monotonic() + AGAIN
        self._known.pop(channel, None)

    def forget(self, hook: Hook) -> None:
        """It is no longer good: look for one, or make one, next time."""
        if self._known.get(hook.channel) == hook:
            del self._known[hook.channel]

    async def _found(self, channel: str) -> Hook | None:
        """Of several of ours the oldest, so that several processes choose the same."""
        return min(await self._ours(channel), key=lambda hook: int(hook.id), default=None)

    async def _ours(self, channel: str) -> list[Hook]:
        listed = await self._web.call("GET", "/channels/{channel_id}/webhooks", channel_id=channel)
        return [_hook(hook) for hook in listed if self._is_ours(hook)]

    async def _made(self, channel: str) -> Hook:
        """A new one, unless another process was first to make one."""
        body = {"name": self._name}
        made = _hook(await self._web.call("POST", "/channels/{channel_id}/webhooks", body, channel_id=channel))
        first = await self._found(channel) or made
        if first.id != made.id:
            path = "/webhooks/{webhook_id}/{webhook_token}"
            try:
                await self._web.hook("DELETE", path, webhook_id=made.id, webhook_token=made.token)
            except (RefusedError, UnansweredError) as error:
                log.info("a webhook of channel %s that is not needed could not be taken away (%s)", channel, error)
        return first

    def _is_ours(self, hook: dict[str, Any]) -> bool:
        mine = hook.get("application_id") == self._application and hook.get("name") == self._name
        return mine and bool(hook.get("token"))


def _hook(data: dict[str, Any]) -> Hook:
    return Hook(str(data["id"]), str(data["token"]), str(data["channel_id"]))
