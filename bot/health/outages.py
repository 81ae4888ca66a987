"""Replies that fail, told to operators: a line in the log for each reason, and whether the model is degraded now."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core.failures import REASONS
from bot.ports.observer import Happening, ModelAsked

log = logging.getLogger(__name__)

REPEAT = 60.0
"""Seconds in which one reason is told at most once; the next line has the count of those between."""

OURS = frozenset({"deleted", "gone", "context"})
"""Reasons that lie in the conversation, about which an operator can do nothing."""

BOUNDS = frozenset({"budget", "budget-short", "busy"})
"""Reasons that the settings have asked for: told as warnings, and no sign that the model is away."""

UNFINISHED = frozenset({"cut", "late"})
"""Stop reasons of replies that came in part and then failed."""


@dataclass(slots=True)
class _Reason:
    """What is known of one reason: when it was last told, and how many replies have failed since then."""

    told_at: float
    since: int = 0


@dataclass(slots=True)
class Outages:
    """A `bot.ports.observer.Observer` that tells the log of replies that fail.

    `standing` says what is wrong from the start, "" where nothing is: a key that is missing, say.
    """

    standing: str = ""
    steady: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    _reasons: dict[str, _Reason] = field(default_factory=dict, init=False)
    _failed: int = field(default=0, init=False)
    _last: str = field(default="", init=False)
    _began: float = field(default=0.0, init=False)
    _is_told: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.standing:
            log.error("no model is asked: %s", self.standing)

    def saw(self, happening: Happening) -> None:
        """Take note of replies that failed, and of the first that comes after them."""
        if not isinstance(happening, ModelAsked):
            return
        reason = happening.failed or (happening.result if happening.result in UNFINISHED else "")
        if not reason:
            self._answered()
        elif reason not in OURS:
            self._fails(reason, happening)

    def trouble(self) -> str:
        """Why people get no replies now, with the count of those that failed; "" where the last one came."""
        if self._failed:
            since = time.strftime("%H:%M:%S", time.gmtime(self._began))
            count = "1 reply has failed" if self._failed == 1 else f"{self._failed} replies have failed"
            return f"{count} since {since} UTC, and none has come; the last for {self._last}: {words(self._last)}"
        return self.standing

    def _fails(self, reason: str, asked: ModelAsked) -> None:
        if reason not in BOUNDS:
            self._began = self._began if self._failed else self.now()
            self._failed += 1
            self._last = reason
        known = self._reasons.setdefault(reason, _Reason(self.steady() - REPEAT))
        known.since += 1
        if self.steady() - known.told_at < REPEAT:
            return
        extra = {"reason": reason, "failed": known.since, "model": asked.model, "detail": asked.detail}
        level = logging.WARNING if reason in BOUNDS else logging.ERROR
        self._is_told = level == logging.ERROR or self._is_told
        log.log(level, "model replies fail (%s): %s", reason, words(reason), extra=extra)
        self._reasons[reason] = _Reason(self.steady())

    def _answered(self) -> None:
        if self._failed and self._is_told:  # of a model that fails now and then, no more is told than of its failures
            seconds = round(self.now() - self._began)
            log.warning("the model answers again", extra={"failed": self._failed, "seconds": seconds})
            self._is_told = False
        self._failed, self.standing = 0, ""


def words(reason: str) -> str:
    """What a reason means, as people in the chat are told it."""
    return REASONS.get(reason, REASONS["server"])
