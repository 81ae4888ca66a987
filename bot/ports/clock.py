"""Time."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The one source of time."""

    def now(self) -> float:
        """Seconds since the epoch, for people and for days; whoever has the machine may set it at any moment."""

    def steady(self) -> float:
        """Seconds on a clock that nobody sets and no suspension stops; only differences mean something."""

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
