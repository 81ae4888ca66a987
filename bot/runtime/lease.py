"""Holding a claim's lease while its turn is carried; what is no longer held for certain is let go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from bot.ports import Claim, Clock, Store

log = logging.getLogger(__name__)

SOONEST = 0.1
"""Seconds after which something is tried again for the first time while the store is away."""


class LostError(Exception):
    """Somebody else has the turn, or may have it by now: stop silently, seal nothing."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease of `claim`, for so many seconds from `asked_at` by the loop's clock: before the store was asked.

    The store's own clock began later, so a lease ends here no later than there.
    """

    store: Store
    clock: Clock
    claim: Claim
    seconds: float
    asked_at: float

    async def hold(self, turn: Callable[[Claim], Coroutine[Any, Any, None]]) -> None:
        """Carry the turn out and renew the lease meanwhile. Raises LostError when it is lost, or what `turn` raises."""
        ends = await self._confirmed()
        carrying = asyncio.create_task(turn(self.claim))
        keeping = asyncio.create_task(self._keep(ends))
        try:
            await asyncio.wait((carrying, keeping), return_when=asyncio.FIRST_COMPLETED)
            if not carrying.done():
                await ended([carrying])
                await keeping
                raise LostError
            if carrying.cancelled():
                raise RuntimeError("the turn was cancelled from within")
            await carrying
        finally:
            await ended([carrying, keeping])

    async def _confirmed(self) -> float:
        """When the lease ends by the loop's clock; a claim that came late may be somebody else's by now, so ask."""
        loop = asyncio.get_running_loop()
        asked_at = self.asked_at
        if loop.time() > asked_at + self.seconds / 3:
            asked_at = loop.time()
            if not await self._renewed(asked_at + self.seconds):
                raise LostError
        return asked_at + self.seconds

    async def _keep(self, ends: float) -> None:
        """Renew until the lease is lost, or has not been heard of for so long that it must be taken for lost."""
        loop, delay = asyncio.get_running_loop(), self.seconds / 3
        while True:
            await self.clock.sleep(delay)
            asked_at = loop.time()
            renewed = await self._renewed(ends)
            if renewed:
                ends, delay = asked_at + self.seconds, self.seconds / 3
                continue
            left = ends - loop.time()
            if renewed is False or left <= 0:
                return
            delay = min(SOONEST, left)

    async def _renewed(self, until: float) -> bool | None:
        """Whether the lease was renewed; None where the store has not told by then."""
        try:
            async with asyncio.timeout_at(until):
                return await self.store.renew(self.claim, self.seconds)
        except Exception as error:
            where = self.claim.head.id, self.claim.conversation
            log.warning("the lease of turn %s of %s could not be renewed: %r", *where, error)
            return None


async def ended(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel them and wait until they are over; what becomes of each is its own business."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
