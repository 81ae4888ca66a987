"""Slack's time, as Slack itself tells it: orders are its own, whatever this machine's clock says.

Slash commands, forms and the stop button come without a timestamp (docs, slash commands, interaction payloads). What is
known of Slack's clock are times that it has told: the Date of each answer (RFC 9110, section 6.6.1), and the `ts` of
what was said. Each of them was past when it came here, so the latest, with what has passed since, is never ahead of
Slack by more than this machine's steady clock drifts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

from bot.platforms.slack.arrival import MICRO, order_of

FRESH = 600.0
"""Seconds for which a told time counts before a new Date replaces it, however late that is: clocks drift by some 60 ms
in so long."""

FUTURE = 60 * MICRO
"""Microseconds by which an order may lie ahead of Slack's time before it is taken for one of a clock that was wrong."""


class SlackTime:
    """What this process knows of Slack's time; `steady` is a clock that nobody sets."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._told = 0.0
        self._when: float | None = None

    def now(self) -> float | None:
        """Seconds since the epoch, or a little less; None before Slack has told anything."""
        return None if self._when is None else self._told + self._steady() - self._when

    def seconds(self) -> float:
        """The same; before Slack has told anything, what this machine says."""
        now = self.now()
        return time.time() if now is None else now

    def answered(self, headers: Mapping[str, Any]) -> None:
        """An answer has come with these headers; one without a date that can be read tells nothing."""
        date = next((value for name, value in headers.items() if name.lower() == "date"), "")
        try:
            told = parsedate_to_datetime(str(date[0] if isinstance(date, list) else date)).timestamp()
        except (TypeError, ValueError, IndexError):
            return
        is_old = self._when is not None and self._steady() - self._when > FRESH
        self._know(told, anew=is_old)

    def said(self, ts: object) -> None:
        """Something with that `ts` has been said by now; what is no timestamp tells nothing."""
        with suppress(ValueError):
            self._know(order_of(str(ts)) / MICRO, anew=False)

    def _know(self, told: float, *, anew: bool) -> None:
        now = self.now()
        if now is None or anew or told > now:
            self._told, self._when = told, self._steady()

    def order(self, known: int) -> int:
        """An order for what comes now, where the newest that is known is `known`: behind it, and not in the future.

        An order that lies in the future is not Slack's; such a one is passed over.
        """
        now = self.now()
        if now is None:
            return known + 1 if known else time.time_ns() // 1000
        order = int(now * MICRO)
        return max(order, known + 1) if known <= order + FUTURE else order
