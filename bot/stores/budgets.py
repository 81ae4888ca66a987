"""What both stores know of rates and budgets: bounds, and how a call is judged."""

from __future__ import annotations

from collections.abc import Sequence

from bot.ports.budgets import Amount, Balance, Limit, Reservation

KEPT_SECONDS = 7 * 24 * 3600.0
"""How long a reservation, and that a grant was made, is remembered under its key."""

DAYS = 90
"""How many days can be looked at."""

MOST = 2**50
"""Tokens, or millionths of a dollar, of one amount: sums of many stay exact in a script's floating-point numbers."""


def check_rate(per_minute: float, burst: int) -> tuple[int, int]:
    """The microseconds from one event to the next, and those that a burst may be ahead. Raises ValueError."""
    if not 0 < per_minute <= 60_000_000 or burst < 1:
        raise ValueError(f"a rate needs 0 < per_minute <= 60,000,000 and burst >= 1, not {per_minute} and {burst}")
    apart = max(1, round(60_000_000 / per_minute))
    if apart * burst > MOST:
        raise ValueError(f"{burst} events at {per_minute} a minute take longer than any clock runs")
    return apart, apart * burst


def check_amount(amount: Amount, least: int = 0) -> None:
    """Raise ValueError for an amount that cannot be counted."""
    if not (least <= amount.tokens <= MOST and least <= amount.micros <= MOST):
        raise ValueError(f"tokens and micros have to be from {least} to {MOST}, not {amount.tokens}, {amount.micros}")


def scopes_of(limits: Sequence[Limit]) -> tuple[str, ...]:
    """The scopes of the limits. Raises ValueError where one comes twice, for it would be charged twice."""
    scopes = tuple(limit.scope for limit in limits)
    check_scopes(scopes)
    return scopes


def check_scopes(scopes: Sequence[str]) -> None:
    """Raise ValueError where a scope comes twice, for it would be charged twice."""
    if len(set(scopes)) < len(scopes):
        raise ValueError(f"a scope comes twice: {', '.join(scopes)}")


def judge(amount: Amount, limits: Sequence[Limit], before: Sequence[Balance]) -> Reservation:
    """Whether `amount` fits all limits, and the balances with it if it does."""
    for limit, balance in zip(limits, before, strict=True):
        left = balance.left(limit)
        if not _fits(amount.tokens, left.tokens) or not _fits(amount.micros, left.micros):
            return Reservation(False, limit.scope, tuple(before))
    return Reservation(True, "", tuple(Balance(b.spent.plus(amount), b.granted) for b in before))


def _fits(part: int, left: int | None) -> bool:
    """What costs nothing always fits, also where a limit was lowered below what is spent."""
    return left is None or part == 0 or part <= left
