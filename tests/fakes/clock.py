"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio


class ManualClock:
    """`bot.ports.clock.Clock` by hand: who sleeps wakes when `advance` has moved past the end of the sleep."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._passed = 0.0
        self._sleepers: dict[asyncio.Future[None], float] = {}

    def now(self) -> float:
        """Seconds since the epoch, as far as the test has come."""
        return self._now

    def steady(self) -> float:
        """Seconds that have passed, whatever the clock was set to."""
        return self._passed

    def set_by(self, seconds: float) -> None:
        """Somebody sets the clock forward, or back; no time passes."""
        self._now += seconds

    @property
    def sleepers(self) -> int:
        """How many are asleep right now, so that a test can wait for somebody to fall asleep."""
        return len(self._sleepers)

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake everybody whose sleep ends by then, earliest first."""
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds}")
        self._now += seconds
        self._passed += seconds
        for sleeper, until in sorted(self._sleepers.items(), key=lambda item: item[1]):
            if until <= self._passed and not sleeper.done():
                sleeper.set_result(None)

    async def sleep(self, seconds: float) -> None:
        """Return when `advance` has moved the clock by at least `seconds`; at once for nothing or less."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers[sleeper] = self._passed + seconds
        try:
            await sleeper
        finally:
            del self._sleepers[sleeper]
