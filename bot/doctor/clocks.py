"""Whether this machine's clock agrees with those of others."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from bot.doctor.finding import Finding

OFF = 60.0
"""Seconds by which clocks may differ before that is told."""

MEND = "set this machine's clock right, by NTP for example: `timedatectl set-ntp true`"


def compared(area: str, whose: str, theirs: float, ours: float, costs: str) -> Finding:
    """What there is to say of two clocks; `costs` is what goes wrong where they differ."""
    ahead = ours - theirs
    if abs(ahead) < OFF:
        return Finding(area, "ok", f"this machine's clock agrees with {whose}")
    says = f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} {whose}: {costs}"
    return Finding(area, "warning", says, MEND)


def seconds_of(date: str) -> float | None:
    """The time of an HTTP `Date` header; None for what is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return None
