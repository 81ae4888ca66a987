"""The persona files, as the bot reads them."""

from __future__ import annotations

from typing import Protocol

from bot.personas.model import Cast


class Library(Protocol):
    """The persona files, read."""

    @property
    def cast(self) -> Cast:
        """Everything that is known now; a new value after a reload."""

    async def refresh(self) -> tuple[str, ...]:
        """Read the files again, so that `cast` is a new value; the problems that were found, a line each."""

    async def read(self, kind: str, name: str, persona: str) -> str:
        """The text of a resource as `persona` sees it. Raises FileNotFoundError or OSError, in words for people."""
