"""Showing a text while it grows, at a pace: what is newer overtakes what was not yet shown."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

Forward = Callable[[str], Awaitable[bool]]
"""Shows a text; False where nothing more can be shown."""


class Pump:
    """Gives the newest text that is wanted to `forward`, one at a time and `pace` seconds apart, until it is halted.

    `wanted` is that text; `is_dead` when `forward` has said that nothing more can be shown.
    """

    def __init__(self, forward: Forward, pace: float) -> None:
        self._forward, self._pace = forward, pace
        self.wanted = ""
        self._more, self._ending = asyncio.Event(), asyncio.Event()
        self.is_dead = False
        self.task = asyncio.create_task(self._run())

    def show(self, text: str) -> None:
        """Have `text` shown, soon."""
        self.wanted = text
        self._more.set()

    async def halt(self) -> None:
        """Let what is on its way arrive, so that it is known what is shown, and show nothing more."""
        self._ending.set()
        self._more.set()
        await self.task

    async def _run(self) -> None:
        while not self.is_dead:
            await self._more.wait()
            self._more.clear()
            if self._ending.is_set():
                return
            self.is_dead = not await self._forward(self.wanted)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), self._pace)
