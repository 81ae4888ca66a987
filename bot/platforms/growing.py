"""Showing a text while it grows, at a pace: what is newer overtakes what was not yet shown."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

Forward = Callable[[str], Awaitable[bool]]
"""Shows a text; False where nothing more can be shown."""

GRACE = 2.0
"""Seconds that what is on its way gets to arrive, when a text is to grow no further."""


class Pace:
    """Turns that all texts of a workspace share, at least `seconds` apart, in the order in which they are asked for."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._free_at = 0.0
        self._queue = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for a turn; whoever is cancelled meanwhile takes none."""
        now = asyncio.get_running_loop().time
        async with self._queue:
            left = self._free_at - now()
            while left > 0:
                await asyncio.sleep(left)
                left = self._free_at - now()
            self._free_at = now() + self._seconds

    def hold(self, seconds: float) -> None:
        """Give no turn for that long: the platform limits them."""
        self._free_at = max(self._free_at, asyncio.get_running_loop().time() + seconds)


class Pump:
    """Gives the newest text that is wanted to `forward`, one at a time and `pace` seconds apart, until it is halted.

    With `turn`, it waits for that before each; a halt does not. `wanted` is that text; `is_dead` when `forward` has
    said that nothing more can be shown, or was cut off.
    """

    def __init__(self, forward: Forward, pace: float, turn: Callable[[], Awaitable[None]] | None = None) -> None:
        self._forward, self._pace, self._turn = forward, pace, turn
        self.wanted = ""
        self._more, self._ending = asyncio.Event(), asyncio.Event()
        self.is_dead = False
        self.task = asyncio.create_task(self._run())

    def show(self, text: str) -> None:
        """Have `text` shown, soon."""
        self.wanted = text
        self._more.set()

    async def halt(self) -> None:
        """Let what is on its way arrive, so that it is known what is shown, and show nothing more.

        What does not arrive within `GRACE` is cut off; what is shown is not known then.
        """
        self._ending.set()
        self._more.set()
        await asyncio.wait((self.task,), timeout=GRACE)
        if not self.task.done():
            self.is_dead = True
            self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _run(self) -> None:
        while not self.is_dead:
            await self._more.wait()
            self._more.clear()
            if not await self._may_go_on():
                return
            self.is_dead = not await self._forward(self.wanted)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), self._pace)

    async def _may_go_on(self) -> bool:
        """Wait for a turn; False where the text is to grow no further."""
        if self._turn is not None and not self._ending.is_set():
            waiting = [asyncio.ensure_future(self._turn()), asyncio.ensure_future(self._ending.wait())]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waiting:
                    task.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)
        return not self._ending.is_set()
