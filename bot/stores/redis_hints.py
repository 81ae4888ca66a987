"""How a worker on Redis sleeps until something may be due: by hints of others, and by looking itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot.ports.clock import Clock
from bot.stores.errors import StoreError
from bot.stores.redis_link import Link

POLL_SECONDS = 0.5
"""How often a waiting store looks by itself: hints get lost."""

_HINTS = 64

Platforms = frozenset[str] | None
"""What somebody works for: conversations of these platforms, or with None of all."""


class Hints:
    """Those who wait in this process, and the keys over which workers wake one another: `key` and a platform's name.

    Changes that may have made something due are counted; a claim that found nothing notes the count from before it. So
    `wait` knows of a change between that claim and itself.

    `known` tells which platforms there are, `is_due` whether something is due on some of them. With `leaves`, hints
    for others are left from here, else the scripts do that.
    """

    def __init__(
        self,
        link: Link,
        clock: Clock | None,
        key: str,
        known: Callable[[], Awaitable[frozenset[str]]],
        is_due: Callable[[frozenset[str]], Awaitable[bool]],
        *,
        leaves: bool,
    ) -> None:
        self._link = link
        self._clock = clock
        self._key = key
        self._known = known
        self._is_due = is_due
        self._leaves = leaves
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self.changes = 0
        self._idle: dict[Platforms, tuple[int, float | None]] = {}
        self._waiting: dict[asyncio.Future[None], Platforms] = {}  # by their timers; a wake-up cuts those short
        self._listener: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Seconds on whatever clock `wait` sleeps by."""
        return self._loop.time() if self._clock is None else self._clock.now()

    def idle(self, platforms: Platforms, changes: int, next_due: float | None) -> None:
        """Nothing was due there when that many changes had been made; at `next_due`, if ever, something will be."""
        self._idle[platforms] = changes, next_due

    async def wait(self, seconds: float, platforms: Platforms) -> None:
        """Return when something may have become due there, at the latest after `seconds`."""
        changes, next_due = self._idle.get(platforms, (-1, None))
        if self.changes != changes or self._closed:
            return
        if next_due is not None:
            seconds = min(seconds, next_due - self.now())
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        sleep = asyncio.sleep if self._clock is None else self._clock.sleep
        timer = asyncio.ensure_future(sleep(seconds))
        self._waiting[timer] = platforms
        try:
            await asyncio.wait({timer})
        finally:
            self._waiting.pop(timer, None)
            timer.cancel()
        if not timer.cancelled():
            timer.result()

    async def hint(self, conversation: str) -> None:
        """It may have become due: tell those who wait here, and one of those who wait for its platform elsewhere."""
        self._changed()
        if self._leaves:
            key = self._key + conversation.partition(":")[0]
            await self._link.command("RPUSH", key, 1)
            await self._link.command("LTRIM", key, -_HINTS, -1)

    async def clear(self, platforms: Platforms) -> None:
        """Take back what hints there are, for somebody looks there now."""
        for platform in await self._known() if platforms is None else platforms:
            await self._link.command("DEL", self._key + platform)

    async def close(self) -> None:
        """Wake whoever waits."""
        self._closed = True
        self._changed()
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)

    def _changed(self) -> None:
        self.changes += 1
        waiting, self._waiting = self._waiting, {}
        for timer in waiting:
            timer.cancel()

    async def _listen(self) -> None:
        """Wake those who wait, at a hint or when something is due; until nobody waits."""
        while self._waiting and not self._closed:
            try:
                platforms = await self._watched()
                keys = [self._key + platform for platform in sorted(platforms)]
                if await self._link.hint(keys, POLL_SECONDS) or await self._is_due(platforms):
                    self._changed()
            except StoreError:
                if not self._closed:
                    await asyncio.sleep(POLL_SECONDS)
                self._changed()  # whoever waits claims next, and is told there what is wrong

    async def _watched(self) -> frozenset[str]:
        """The platforms that somebody here waits for."""
        asked_for = [*self._waiting.values()]
        known = await self._known() if None in asked_for else frozenset[str]()
        return known.union(*(platforms for platforms in asked_for if platforms is not None))
