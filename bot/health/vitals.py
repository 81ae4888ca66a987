"""Whether this process lives and is ready to work, each reason by name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.ports.mailbox import Stats
from bot.ports.store import Store
from bot.telemetry import without_secrets

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that the store gets to answer; who asks for health waits less than ten as a rule."""

FRESH = 1.0
"""Seconds for which an answer of the store serves everybody who asks: on Redis it costs a walk over what waits."""

State = Literal["working", "stopping", "dead"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to hold, whether it does, and what there is to say about it."""

    name: str
    ok: bool
    says: str = ""


class Vitals:
    """What there is to look at.

    `worker` tells what the worker does. `platforms` tells for each platform why it is not connected, "" where it is.
    `resting` are the models that are left alone because they failed. Work may wait for `overdue` seconds; only
    that on the platforms that `served` tells counts, with None all of it: they are asked for each time, since a
    platform may be opened later, or be left. `model` tells why people get no replies from it, "" where they do.
    """

    def __init__(
        self,
        store: Store,
        worker: Callable[[], State],
        platforms: Mapping[str, Callable[[], str]],
        overdue: float,
        resting: Callable[[], Collection[str]] = tuple,
        served: Callable[[], frozenset[str] | None] = lambda: None,
        model: Callable[[], str] = str,
    ) -> None:
        self._store = store
        self._worker = worker
        self._platforms = platforms
        self._overdue = overdue
        self._resting = resting
        self._served = served
        self._model = model
        self._looking = asyncio.Lock()
        self._looked_at = -FRESH
        self._stats: Stats | str = ""

    def lives(self) -> Check:
        """Whether the process is worth keeping: a restart helps where this fails, and only there."""
        state = self._worker()
        return Check("worker", state != "dead", "has ended by itself; see the log" if state == "dead" else state)

    async def ready(self) -> tuple[Check, ...]:
        """Everything that has to hold for people to be answered in time."""
        state = self._worker()
        says = "has ended by itself; see the log" if state == "dead" else state
        connected = [
            Check(f"platform {name}", not why, without_secrets(why) or "connected")
            for name, why in ((name, tell()) for name, tell in sorted(self._platforms.items()))
        ]
        return (Check("worker", state == "working", says), *connected, *self._judged(await self.look()))

    async def stats(self) -> Stats | None:
        """What the store counts; None where it does not answer."""
        found = await self.look()
        return None if isinstance(found, str) else found

    def connected(self) -> Mapping[str, bool]:
        """Whether each platform is connected, by name."""
        return {name: not tell() for name, tell in sorted(self._platforms.items())}

    def degraded(self) -> Mapping[str, str]:
        """What does not work although this process is ready, and why, by name: commands go on without a model."""
        left = ", ".join(sorted(self._resting()))
        why = self._model() or (f"{left}: left alone for a moment after failures in a row" if left else "")
        return {"model": without_secrets(why)} if why else {}

    def resting(self) -> Collection[str]:
        """The models that are left alone right now."""
        return self._resting()

    async def look(self) -> Stats | str:
        """What the store counts, at most `FRESH` seconds old, or why it does not answer."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if now - self._looked_at >= FRESH:
                self._stats = await self._asked()
                self._looked_at = asyncio.get_running_loop().time()
            return self._stats

    async def _asked(self) -> Stats | str:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._store.stats(self._served())
        except TimeoutError:
            return f"does not answer within {PATIENCE:.0f} s"
        except Exception as error:
            # Whatever it is that a store can fail by, here it is the answer to the question.
            log.warning("the store does not answer: %s", error)
            return without_secrets(f"{type(error).__name__}: {error}")

    def _judged(self, found: Stats | str) -> tuple[Check, Check]:
        if isinstance(found, str):
            return Check("store", False, found), Check("queue", False, "unknown: the store does not answer")
        oldest, waiting = found.oldest_due, found.waiting
        says = f"{waiting} waiting, the oldest work due for {oldest:.1f} s, at most {self._overdue:.0f} s are fine"
        return Check("store", True, "answers"), Check("queue", oldest <= self._overdue, says)
