"""What was used and what was decided: counted and written once by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.core.events import Usage
from bot.core.steps import Record


@dataclass(frozen=True, slots=True)
class Audited:
    """A line of the audit trail with its place and time (0 where a build before this one wrote it)."""

    conversation: str
    at: float
    record: Record


class Ledger(Protocol):
    """What was used and what was decided: counted and written once by key.

    Any call may raise StoreError.
    """

    async def spend(self, key: str, conversation: str, usage: Usage) -> None:
        """Add usage to the conversation's counters; a second time under the same key adds nothing."""

    async def spent(self, conversation: str) -> tuple[Usage, ...]:
        """The conversation's usage so far, one sum a model, sorted by model."""

    async def audit(self, key: str, conversation: str, record: Record) -> None:
        """Add a line to the audit trail; a second time under the same key adds nothing."""

    async def audited(self, conversation: str) -> tuple[Record, ...]:
        """The conversation's audit trail, oldest first."""

    async def trail(self, conversation: str = "", after: int = 0, limit: int = 100) -> tuple[Audited, ...]:
        """The audit trail of a conversation, or of all, newest first, behind its newest `after` lines."""
