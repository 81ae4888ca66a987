"""What tests can have go wrong with a method: order it, and the next calls meet it."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tests.fakes.slack_methods import METHODS
from tests.fakes.slack_state import SlackClock

When = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Status:
    """An HTTP error, before anything happened or after all of it did."""

    code: int = 500
    when: When = "before"


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks, before anything happened or after all of it did."""

    when: When = "before"


@dataclass(frozen=True, slots=True)
class Says:
    """`{"ok": false, "error": code}`, and nothing happens."""

    code: str


@dataclass(frozen=True, slots=True)
class Limited:
    """HTTP 429 with `Retry-After`."""

    retry_after: int = 1


@dataclass(frozen=True, slots=True)
class Slow:
    """The call takes that long, in real seconds, and then goes on as usual."""

    seconds: float


Fault = Status | Cut | Says | Limited | Slow


class Faults:
    """Ordered faults, and the rate limits."""

    def __init__(self, clock: SlackClock) -> None:
        self._clock = clock
        self._next: dict[str, deque[Fault]] = defaultdict(deque)
        self._always: dict[str, Fault] = {}
        self._is_stormy = False
        self._per_minute: Mapping[str, int] = {}
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._posts: dict[str, float] = {}
        self.file_statuses: deque[int] = deque()
        self.downloads = 0

    def order(self, method: str, fault: Fault, times: int | None = 1) -> None:
        if method not in METHODS:
            raise ValueError(f"no such method: {method}")
        if times is None:
            self._always[method] = fault
        else:
            self._next[method].extend([fault] * times)

    def file_status(self) -> int:
        """What the host of files answers: the next of `file_statuses`, and the last of them for ever."""
        self.downloads += 1
        if len(self.file_statuses) > 1:
            return self.file_statuses.popleft()
        return self.file_statuses[0] if self.file_statuses else 200

    def heal(self, method: str) -> None:
        self._always.pop(method, None)
        self._next.pop(method, None)

    def take(self, method: str) -> Fault | None:
        if self._next[method]:
            return self._next[method].popleft()
        return self._always.get(method)

    def storm(self, per_minute: Mapping[str, int]) -> None:
        self._is_stormy, self._per_minute = True, per_minute

    def calm(self) -> None:
        self._is_stormy = False
        self._calls.clear()
        self._posts.clear()

    def wait_for(self, method: str, channel: str) -> int:
        """The seconds to wait before this call is allowed; 0 counts it."""
        if not self._is_stormy:
            return 0
        now = self._clock.now()
        calls, most = self._calls[method], self._per_minute.get(method, METHODS[method].per_minute)
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= most:
            return max(1, math.ceil(calls[0] + 60 - now))
        if method == "chat.postMessage":
            left = self._posts.get(channel, -math.inf) + 1 - now
            if left > 0:
                return max(1, math.ceil(left))
            self._posts[channel] = now
        calls.append(now)
        return 0
