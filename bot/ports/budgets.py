"""What may be spent, and how fast: counted over all workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Amount:
    """What a call may cost, or did: tokens of all kinds, and millionths of a dollar."""

    tokens: int = 0
    micros: int = 0

    def plus(self, other: Amount) -> Amount:
        """The sum."""
        return Amount(self.tokens + other.tokens, self.micros + other.micros)


BY = ("channel", "persona", "model", "user")
"""What spending is told apart by."""


def used_scope(by: str, name: str) -> str:
    """The scope under which is counted what a channel, say, has used: no limit has such a name."""
    return f"used/{by}/{name}"


def used_by(scope: str) -> tuple[str, str] | None:
    """One of `BY` and the name in a `used_scope`; None for a scope that has a limit."""
    used, _, rest = scope.partition("/")
    by, _, name = rest.partition("/")
    return (by, name) if used == "used" and by in BY else None


@dataclass(frozen=True, slots=True)
class Limit:
    """What a scope (a user, a channel, everybody; the store does not read its name) may spend a day; None: no bound."""

    scope: str
    tokens: int | None = None
    micros: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """A scope's day: what is spent, open reservations included, and what was granted on top of its limit."""

    spent: Amount = Amount()
    granted: Amount = Amount()

    def left(self, limit: Limit) -> Limit:
        """What of that limit is still there, below zero where a call came to more than was reserved for it."""
        return Limit(
            limit.scope,
            None if limit.tokens is None else limit.tokens + self.granted.tokens - self.spent.tokens,
            None if limit.micros is None else limit.micros + self.granted.micros - self.spent.micros,
        )


@dataclass(frozen=True, slots=True)
class Reservation:
    """Whether a call may be made; if not, `short` is the first scope with too little left.

    `balances` stand in the order of the limits that were asked about, with this reservation in them if it was made.
    """

    allowed: bool
    short: str
    balances: tuple[Balance, ...]


class BudgetStore(Protocol):
    """What may be spent, and how fast: counted over all workers.

    Any call may raise StoreError.
    """

    async def throttle(self, key: str, per_minute: float, burst: int) -> float:
        """Count an event under `key`: 0.0 where it is allowed, else the seconds until it would be.

        At most `burst` events at once and `per_minute` of them a minute in the long run, over all workers; one that
        is refused does not count. Raises ValueError for a rate that is not above 0, or a burst below 1.
        """

    async def reserve(self, key: str, day: str, amount: Amount, limits: Sequence[Limit]) -> Reservation:
        """Count `amount` as spent on `day` in the scopes of all `limits`, or in none where one would be exceeded.

        Idempotent by `key`: again under it changes nothing and is allowed. What is never settled, for its worker
        died, stays counted, since the call may have been paid; so the key of a call that is made again is to be a new
        one (put the claim's fence into it). Kept for 7 days. Raises ValueError for an amount below 0.
        """

    async def settle(self, key: str, amount: Amount) -> bool:
        """Replace what `key` reserved by what it came to; the first time counts. False where it reserved nothing."""

    async def budget(self, scope: str, day: str) -> Balance:
        """What the scope has spent and been granted on that day."""

    async def grant(self, key: str, scope: str, day: str, amount: Amount) -> bool:
        """Add `amount`, which may be below 0, to the limits of the scope on that day; False: `key` has done so before.

        Raises ValueError for an amount out of bounds.
        """

    async def count(self, key: str, day: str, amount: Amount, scopes: Sequence[str]) -> bool:
        """Count `amount` as spent on `day` in all `scopes`, which nothing bounds; False: `key` has done so before.

        Raises ValueError for an amount below 0, or a scope that comes twice.
        """

    async def counted(self, day: str) -> Mapping[str, Amount]:
        """What every scope has spent on that day. A day is kept for 90 days."""

    async def rename_scope(self, day: str, scope: str, other: str) -> bool:
        """Count what `scope` has spent on that day under `other`, which may have spent too; False: it has nothing."""
