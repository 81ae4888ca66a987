"""Holding a claim's lease while its turn is carried; what is no longer held for certain is let go."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.ports.clock import Clock
from bot.ports.mailbox import Claim, StoreError, StoreRefusedError
from bot.ports.store import Store

log = logging.getLogger(__name__)

T = TypeVar("T")

SOONEST = 0.1
"""Seconds after which something is tried again for the first time while the store is away."""

LATEST = 1.0
"""Seconds after which a reply is tried to be stored again at the latest; they double until then, from `SOONEST` on."""


_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine is suspended, unlike the event loop's own: on Linux (clock_gettime(2)) the first, on macOS
the second."""


class PutOffError(Exception):
    """A turn has to wait for another build of the bot, which can read what this one cannot: it is left alone."""


class TooEarlyError(Exception):
    """Something else comes first in this conversation: its messages are to be taken anew in a moment."""


class LostError(Exception):
    """Somebody else has the turn, or may have it by now: stop silently, seal nothing."""


def now() -> float:
    """Seconds on a clock that nobody sets and no suspension stops; only differences mean something."""
    return time.clock_gettime(_CLOCK)


@dataclass(slots=True)
class Lease:
    """The lease of `claim`, for so many seconds from `asked_at` by `now()`: before the store was asked.

    The store's own clock began later, so a lease ends here no later than there. `ends` is when, by what the store has
    confirmed so far. `is_unheard` says that the store did not answer when it was last asked to renew it.
    """

    store: Store
    clock: Clock
    claim: Claim
    seconds: float
    asked_at: float
    ends: float = field(init=False)
    is_unheard: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.ends = self.asked_at + self.seconds

    async def hold(self, turn: Callable[[Claim], Coroutine[Any, Any, None]]) -> None:
        """Carry the turn out and renew the lease meanwhile. Raises LostError when it is lost, or what `turn` raises."""
        if now() > self.asked_at + self.seconds / 3 and not await self._renewed(self.seconds):
            raise LostError  # the claim came late, and may be somebody else's by now
        carrying = asyncio.current_task()
        if carrying is None:
            raise RuntimeError("only a task can hold a lease")
        # The turn stays in this task, which the keeper's end cancels: a task of its own would cost every turn several
        # rounds of the event loop.
        cancelled = carrying.cancelling()
        is_over = is_lost = False

        def lose(_: asyncio.Task[None]) -> None:
            nonlocal is_lost
            if not is_over:
                is_lost = True
                carrying.cancel()

        keeping = asyncio.create_task(self._keep())
        keeping.add_done_callback(lose)
        try:
            await turn(self.claim)
        except asyncio.CancelledError as error:
            others = carrying.cancelling() - cancelled - is_lost
            if others > 0:
                raise
            if not is_lost:
                raise RuntimeError("the turn was cancelled from within") from error
        except Exception as error:
            if not is_lost:
                raise
            log.debug("a turn that was lost failed over it: %r", error)
        finally:
            is_over = True
            if is_lost:
                carrying.uncancel()
            await ended([keeping])
        if is_lost:
            keeping.result()
            raise LostError

    async def confirm(self) -> None:
        """Raise LostError where somebody else may have the turn by now; before anything that no fence guards.

        Renewals leave more than a third of the lease at any time, so the store is asked only when they are late: it
        does not answer, or this process was suspended and its timers have not gone off yet.
        """
        if now() < self.ends - self.seconds / 3:
            return
        renewed = await self._renewed(self._patience())
        if renewed is False or now() >= self.ends:
            raise LostError

    async def insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """What a call of the store gives, tried again while the store fails: for what was paid and cannot be had again.

        `hold` ends it with the lease. Raises StoreRefusedError, as the store will never take that.
        """
        delay = SOONEST
        while True:
            try:
                return await call()
            except StoreRefusedError:
                raise
            except StoreError as error:
                if delay == SOONEST:
                    where = self.claim.head.id, self.claim.conversation
                    log.warning("a reply of turn %s of %s could not be stored (%s); it is tried again", *where, error)
            await self.clock.sleep(delay)
            delay = min(2 * delay, LATEST)

    async def _keep(self) -> None:
        """Renew the lease until it is lost or could not be renewed in time."""
        delay = self.seconds / 3
        while True:
            await self.clock.sleep(delay)
            renewed = await self._renewed(self._patience())
            left = self.ends - now()
            if renewed is False or left <= 0:
                return
            delay = self.seconds / 3 if renewed else min(SOONEST, left)

    def _patience(self) -> float:
        """Seconds to wait for the store: to the lease's end, or where a suspension has gone beyond that, for a while.

        Nobody may have noticed that the lease has run out; then it can still be renewed.
        """
        left = self.ends - now()
        return left if left > 0 else self.seconds / 3

    async def _renewed(self, patience: float) -> bool | None:
        """Whether the lease was renewed; None where the store has not told within so many seconds."""
        asked_at = now()
        try:
            async with asyncio.timeout(patience):
                renewed = await self.store.renew(self.claim, self.seconds)
        except Exception as error:
            where = self.claim.head.id, self.claim.conversation
            log.warning("the lease of turn %s of %s could not be renewed: %r", *where, error)
            self.is_unheard = True
            return None
        self.is_unheard = False
        if renewed:
            self.ends = max(self.ends, asked_at + self.seconds)
        return renewed


async def ended(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel them and wait until they are over; what becomes of each is its own business."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
