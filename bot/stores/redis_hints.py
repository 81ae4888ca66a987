"""How a worker on Redis sleeps until something may be due: by hints of others, and by looking itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot.ports import Clock
from bot.stores.errors import StoreError
from bot.stores.redis_link import Link

POLL_SECONDS = 0.5
"""How often a waiting store looks by itself: hints get lost."""

_HINTS = 64


class Hints:
    """Those who wait in this process, and the key over which workers wake one another.

    Changes that may have made something due are counted; a claim that found nothing notes the count from before it. So
    `wait` knows of a change between that claim and itself.
    """

    def __init__(
        self, link: Link, clock: Clock | None, key: str, is_due: Callable[[], Awaitable[bool]], *, leaves: bool
    ) -> None:
        self._link = link
        self._clock = clock
        self._key = key
        self._is_due = is_due
        self._leaves = leaves
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self.changes = 0
        self._idle_at = -1
        self._next_due: float | None = None
        self._waiting: set[asyncio.Future[None]] = set()  # timers; a wake-up cuts them short
        self._listener: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Seconds on whatever clock `wait` sleeps by."""
        return self._loop.time() if self._clock is None else self._clock.now()

    def idle(self, changes: int, next_due: float | None) -> None:
        """Nothing was due when that many changes had been made; at `next_due`, if ever, something will be by itself."""
        self._idle_at, self._next_due = changes, next_due

    async def wait(self, seconds: float) -> None:
        """Return when something may have become due, at the latest after `seconds`."""
        if self.changes != self._idle_at or self._closed:
            return
        if self._next_due is not None:
            seconds = min(seconds, self._next_due - self.now())
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        sleep = asyncio.sleep if self._clock is None else self._clock.sleep
        timer = asyncio.ensure_future(sleep(seconds))
        self._waiting.add(timer)
        try:
            await asyncio.wait({timer})
        finally:
            self._waiting.discard(timer)
            timer.cancel()
        if not timer.cancelled():
            timer.result()

    async def hint(self) -> None:
        """Something may have become due: tell those who wait here, and one of those who wait elsewhere."""
        self._changed()
        if self._leaves:
            await self._link.command("RPUSH", self._key, 1)
            await self._link.command("LTRIM", self._key, -_HINTS, -1)

    async def clear(self) -> None:
        """Take back what hints there are, for somebody looks now."""
        await self._link.command("DEL", self._key)

    async def close(self) -> None:
        """Wake whoever waits."""
        self._closed = True
        self._changed()
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)

    def _changed(self) -> None:
        self.changes += 1
        waiting, self._waiting = self._waiting, set()
        for timer in waiting:
            timer.cancel()

    async def _listen(self) -> None:
        """Wake those who wait, at a hint or when something is due; until nobody waits."""
        while self._waiting and not self._closed:
            try:
                if await self._link.hint(self._key, POLL_SECONDS) or await self._is_due():
                    self._changed()
            except StoreError:
                if not self._closed:
                    await asyncio.sleep(POLL_SECONDS)
                self._changed()  # whoever waits claims next, and is told there what is wrong
