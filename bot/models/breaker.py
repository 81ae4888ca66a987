"""A circuit breaker for each model: a service that is down is left alone, and nobody waits for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bot.models.faults import SERVICE
from bot.ports.clock import Clock
from bot.ports.model import ModelError


@dataclass(frozen=True, slots=True)
class _Line:
    """How a model has done lately: failures in a row, until when it is left alone, and whether one call tries it."""

    failures: int = 0
    until: float | None = None
    trying: bool = False


class Breaker:
    """Opens for a model after `after` failed attempts in a row, for `rest` seconds; then lets one through.

    If that one is answered it closes, if it fails it rests again.
    """

    def __init__(self, clock: Clock, after: int = 8, rest: float = 30.0) -> None:
        self._clock = clock
        self._after = after
        self._rest = rest
        self._lines: dict[str, _Line] = {}

    def is_open(self, model: str) -> bool:
        """Whether an attempt now would be refused."""
        line = self._lines.get(model, _Line())
        return line.trying or (line.until is not None and line.until > self._clock.steady())

    def resting(self) -> tuple[str, ...]:
        """The models of which an attempt now would be refused."""
        return tuple(model for model in self._lines if self.is_open(model))

    @contextmanager
    def attempt(self, model: str) -> Iterator[None]:
        """One attempt at `model`, whose outcome counts. Raises ModelError("breaker") where it is left alone."""
        trial = self._admit(model)
        try:
            yield
        except ModelError as error:
            if error.reason in SERVICE:
                self._failed(model, trial)
            else:
                self._lines.pop(model, None)
            raise
        except BaseException:
            # Cancelled, or stopped by whoever shows the text: it tells nothing about the service.
            if trial and (line := self._lines.get(model)):
                self._lines[model] = replace(line, trying=False)
            raise
        self._lines.pop(model, None)

    def answers(self, model: str) -> None:
        """The service has begun to answer: others need not wait for the end of it. One more failure still opens."""
        if line := self._lines.get(model):
            self._lines[model] = _Line(min(line.failures, self._after - 1))

    def _admit(self, model: str) -> bool:
        """Whether this attempt is the one that tries a resting model."""
        line = self._lines.get(model, _Line())
        if line.trying:
            raise ModelError("breaker", f"one call is trying {model} right now")
        if line.until is None:
            return False
        if (left := line.until - self._clock.steady()) > 0:
            raise ModelError("breaker", f"{model} is tried again in {math.ceil(left)} s")
        self._lines[model] = replace(line, trying=True)
        return True

    def _failed(self, model: str, trial: bool) -> None:
        failures = self._lines.get(model, _Line()).failures + 1
        is_over = trial or failures >= self._after
        self._lines[model] = _Line(failures, self._clock.steady() + self._rest if is_over else None)
