"""What platforms share of beginning: telling one that may be reached later from one that never can."""

from __future__ import annotations

from bot.ports.transport import PlatformError


class UnreachableError(PlatformError):
    """A platform does not answer just now; it may a little later, with the same settings."""
