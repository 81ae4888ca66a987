"""How long a service may say nothing: counted from what it last said, whatever else comes in over its connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self


class Silence:
    """Ends its `async with` by TimeoutError when `heard` was not called for so many seconds.

    To be heard costs no more than to note the time: one timer goes off at the earliest end, and looks.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._limit = asyncio.timeout(None)
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._is_ours = False
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        await self._limit.__aenter__()
        self._look()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer:
            self._timer.cancel()
        await self._limit.__aexit__(kind, error, trace)

    def heard(self) -> None:
        """Somebody has said something: the time begins anew."""
        self._since = self._loop.time()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Meanwhile the silence is our own: no time passes."""
        self._is_ours = True
        try:
            yield
        finally:
            self._is_ours = False
            self.heard()

    def shorten(self, seconds: float) -> None:
        """From now on so many seconds are all there is, whatever is heard."""
        self._limit.reschedule(self._loop.time() + seconds)

    def _look(self) -> None:
        now = self._loop.time()
        ends = (now if self._is_ours else self._since) + self._seconds
        if ends > now:
            self._timer = self._loop.call_at(ends, self._look)
        else:
            self._limit.reschedule(now)
