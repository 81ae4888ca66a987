"""Which replies people have stopped: one look at the store for all replies that a process has under way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass

from bot.ports.clock import Clock
from bot.ports.mailbox import Claim, Message
from bot.ports.store import Store
from bot.runtime.lease import ended

log = logging.getLogger(__name__)

POLL = 0.5
"""Seconds between two looks at the control flags, which other processes may raise too."""


@dataclass(slots=True, eq=False)
class Watch:
    """One reply under way: `stop` is called with the message that stopped it. `raised`: a look is due at once."""

    claim: Claim
    stop: Callable[[Message], None]
    raised: bool = False
    looking: asyncio.Task[None] | None = None


class Stops:
    """Watches the control flags of all replies under way, and calls them to a stop."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._watched: list[Watch] = []
        self._polling: asyncio.Task[None] | None = None
        self._is_blind = False

    @asynccontextmanager
    async def watched(self, claim: Claim, stop: Callable[[Message], None]) -> AsyncIterator[Watch]:
        """During the body, `stop` is called with the message when the turn is stopped; perhaps more than once."""
        watch = Watch(claim, stop)
        self._watched.append(watch)
        if self._polling is None:
            # It is nobody's own, so its lines are to bear no turn's name.
            self._polling = asyncio.create_task(self._poll(), context=Context())
        try:
            yield watch
        finally:
            self._watched.remove(watch)
            over = [watch.looking] if watch.looking else []
            if not self._watched:
                over.append(self._polling)
                self._polling = None
            await ended(over)

    def raised(self, conversation: str) -> None:
        """A flag was raised in this process against the turn that is under way there: look at once."""
        for watch in self._watched:
            if watch.claim.conversation == conversation:
                watch.raised = True
                if watch.looking is None or watch.looking.done():
                    watch.looking = asyncio.create_task(self.heed(watch))

    async def heed(self, watch: Watch) -> None:
        """Look whether the reply was stopped, if a flag was raised since the last look."""
        while watch.raised:
            watch.raised = False
            await self._look((watch,))

    async def _poll(self) -> None:
        while True:
            await self._clock.sleep(POLL)
            await self._look(tuple(self._watched))

    async def _look(self, watched: Sequence[Watch]) -> None:
        """Stop those that were stopped. While the store fails, replies go on: they are being paid for."""
        try:
            flags = await self._store.flagged_among([watch.claim for watch in watched])
        except Exception as error:
            if not self._is_blind:
                log.warning("whether replies were stopped could not be asked (%r); they go on meanwhile", error)
            self._is_blind = True
            return
        self._is_blind = False
        for watch, flag in zip(watched, flags, strict=True):
            if flag is not None:
                watch.stop(flag)
