"""The worker: claim conversations, have their turns carried, and decide what becomes of a turn that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot import telemetry
from bot.core.model import SESSION_VERSION, Conversation
from bot.core.steps import Post
from bot.ports.clock import Clock
from bot.ports.library import Library
from bot.ports.mailbox import Claim, StoreError, StoreRefusedError
from bot.ports.model import Model
from bot.ports.observer import SILENT, Claimed, Ended, Observer, Outcome
from bot.ports.store import Store
from bot.ports.transport import Transport, TransportError
from bot.runtime.carrying import TurnRunner
from bot.runtime.lease import SOONEST, Lease, LostError, PutOffError, TooEarlyError, ended
from bot.runtime.lease import now as _time
from bot.runtime.options import Options
from bot.runtime.outbox import Address, deliver
from bot.runtime.slots import Slot, Slots
from bot.runtime.stops import Stops

log = logging.getLogger(__name__)

EXCEPTIONS = 3
"""A turn that raised so often without a checkpoint in between is given up."""

EXPIRIES = 10
"""A turn whose lease ran out so often without a checkpoint in between is given up.

A lease that ended while its holder could not reach the store does not count: the holder gives it back as soon as it
can, and that takes back what it was counted for. What counts are processes that died, or stood still, over the turn.
"""

POLL = 0.5
"""Seconds after which an idle worker looks by itself, since a wake-up can get lost."""

AWAY = 10.0
"""Seconds after which a turn goes on whose platform did not answer."""

SOON = 0.5
"""Seconds after which a message is taken anew before which something else comes."""

LATEST = 5.0
"""Seconds after which a worker tries again while its store is away; they double until then, from `SOONEST` on."""

FAILED = "an error that trying again did not mend"
INTERRUPTED = "it was interrupted each time"
NOT_TAKEN = "what was to be posted was refused"
"""Why a link was given up, for people."""

APOLOGY = "I gave up on your message: something went wrong, and trying again did not help. An operator can replay it."


@dataclass(slots=True)
class Worker:
    """Carries turns. Everything that it touches comes through a port."""

    store: Store
    transports: Mapping[str, Transport]
    model: Model
    library: Library
    clock: Clock
    options: Options = field(default_factory=Options)
    observer: Observer = SILENT
    runner: type[TurnRunner] = TurnRunner
    _stops: Stops = field(init=False, repr=False)
    _left: frozenset[str] = field(default=frozenset(), init=False, repr=False)
    _pause: float = field(default=SOONEST, init=False, repr=False)
    _owed: list[Claim] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        self._stops = Stops(self.store, self.clock)

    @property
    def platforms(self) -> frozenset[str]:
        """The platforms whose conversations it carries: those that it can post to."""
        return frozenset(self.transports) - self._left

    def leave(self, platform: str) -> None:
        """Carry no more turns of a platform that has ended; what waits there waits for whoever serves it again."""
        self._left |= {platform}

    def stop_raised(self, conversation: str) -> None:
        """A `stop` was put into the store for the turn under way there: see to it now. Others are polled for."""
        self._stops.raised(conversation)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, `in_flight` turns at a time; then let the turns in flight finish.

        A turn that waits for a model does not count. One loop claims for all of them, so that an idle process asks its
        store no oftener for having more slots.
        """
        slots = Slots(self.options.in_flight, self.options.waiting)
        delay = SOONEST
        stopping = asyncio.create_task(stop.wait())
        try:
            async with asyncio.TaskGroup() as group:
                # What is free is taken without a task for it.
                while slots.take_free() or await _unless(stopping, slots.take()):
                    if stop.is_set():
                        slots.give()  # turns in flight go on
                        break
                    slot = Slot(slots)
                    try:
                        asked_at = _time()
                        claim = await self._claim()
                        delay = SOONEST
                        if claim is not None:
                            group.create_task(self._in_a_slot(claim, asked_at, slot, stopping))
                            continue
                        slot.end()  # a turn whose model answers meanwhile may want it
                        await _unless(stopping, self.store.wait(POLL, self.platforms))
                    except Exception as error:
                        slot.end()
                        first = delay == SOONEST
                        log.error("the worker cannot go on (%s); trying again in %.1f s", error, delay, exc_info=first)
                        await _unless(stopping, self.clock.sleep(delay))
                        delay = min(2 * delay, LATEST)
        finally:
            await ended([stopping])

    async def _in_a_slot(self, claim: Claim, asked_at: float, slot: Slot, stopping: asyncio.Future[Any]) -> None:
        try:
            if pause := await self._turn_of(claim, asked_at, slot):
                await _unless(stopping, self.clock.sleep(pause))
        except Exception:
            where = claim.head.id, claim.conversation
            log.exception("turn %s of %s could not be given back; trying again when the store is there", *where)
            self._owed.append(claim)
        finally:
            slot.end()

    async def work(self) -> bool:
        """Claim one conversation and carry its turn to the end; False when nothing was due.

        A turn over which the store fails is given back, and is due at once; this returns after a while then. Raises
        StoreError when nothing can be claimed, and where it cannot be said that a turn has failed; its lease then ends
        by itself.
        """
        asked_at = _time()
        claim = await self._claim()
        if claim is None:
            return False
        slots = Slots(1, self.options.waiting)
        slots.take_free()
        if pause := await self._turn_of(claim, asked_at, Slot(slots)):
            await self.clock.sleep(pause)
        return True

    async def _claim(self) -> Claim | None:
        while self._owed:
            await self.store.release(self._owed[0])
            del self._owed[0]
        options = self.options
        how = options.name, options.lease, SESSION_VERSION, options.together
        return await self.store.claim(*how, self.platforms)

    async def _turn_of(self, claim: Claim, asked_at: float, slot: Slot) -> float:
        with telemetry.turn(claim.conversation, claim.head.id, self.options.name):
            return await self._work_on(claim, asked_at, slot)

    async def _work_on(self, claim: Claim, asked_at: float, slot: Slot) -> float:
        """Carry the turn as far as it goes; for how many seconds to leave the store alone then."""
        options = self.options
        began = _time()
        outcome: Outcome = "released"
        reason = ""
        self.observer.saw(Claimed(claim, began - asked_at))
        lease = Lease(self.store, self.clock, claim, options.lease, asked_at)
        runner = self._runner(lease, slot)
        try:
            if claim.expiries >= EXPIRIES:
                outcome = "buried"
                await self._give_up(runner, f"its lease ran out {claim.expiries} times", INTERRUPTED)
                return 0.0
            await lease.hold(runner.carry)
            outcome = "committed"
            self._pause = SOONEST
        except asyncio.CancelledError:
            await asyncio.shield(self._release(claim))
            raise
        except LostError:
            outcome = "lost"
            if lease.is_unheard:
                where = claim.head.id, claim.conversation
                log.warning("the lease of turn %s of %s ended while the store did not answer; giving it back", *where)
                self._owed.append(claim)
            else:
                log.info("turn %s of %s was taken over", claim.head.id, claim.conversation)
        except PutOffError as error:
            reason = type(error).__name__
            where = claim.head.id, claim.conversation
            log.warning("turn %s of %s is left to another build (%s); looking again in %.0f s", *where, error, AWAY)
            await self._release(claim, AWAY)
        except TooEarlyError as error:
            reason = type(error).__name__
            log.info("message %s of %s has to wait: %s", claim.head.id, claim.conversation, error)
            await self.store.put_back(claim, SOON)
        except TransportError as error:
            where = claim.head.id, claim.conversation
            if error.retry:
                # An outage of the platform says nothing about the turn either.
                outcome, reason = "released", type(error).__name__
                log.warning("turn %s of %s has to wait (%s); going on in %.0f s", *where, error, AWAY)
                await self._release(claim, AWAY)
            else:
                outcome, reason = "buried", type(error).__name__
                log.error("turn %s of %s cannot be told: %s", *where, error)
                await self._give_up(runner, str(error), NOT_TAKEN)
        except Exception as error:
            if isinstance(error, StoreError) and not isinstance(error, StoreRefusedError):
                # It says nothing about the turn, so it does not count: whoever takes it up goes on from what is stored.
                outcome, reason = "released", type(error).__name__
                return await self._give_back(claim, error)
            log.exception("turn %s of %s failed", claim.head.id, claim.conversation)
            outcome, reason = "retried", type(error).__name__
            if claim.attempt + 1 >= EXCEPTIONS:
                outcome = "buried"
                await self._give_up(runner, f"{type(error).__name__}: {error}", FAILED)
            else:
                await self.store.retry(claim, 2.0**claim.attempt)
        finally:
            self.observer.saw(Ended(claim, outcome, _time() - began, reason))
        return 0.0

    async def _give_back(self, claim: Claim, error: StoreError) -> float:
        """Let somebody else try, or this worker later; the pause grows until a turn is carried to its end."""
        pause, self._pause = self._pause, min(2 * self._pause, LATEST)
        where = claim.head.id, claim.conversation
        log.error("turn %s of %s has to wait, for the store fails (%s); going on in %.1f s", *where, error, pause)
        await self._release(claim)
        return pause

    def _runner(self, lease: Lease, slot: Slot) -> TurnRunner:
        how = self.clock, self.options, self.observer, self._stops
        return self.runner(self.store, self.transports, self.model, self.library, *how, lease, slot)

    async def _release(self, claim: Claim, delay: float = 0.0) -> None:
        try:
            await self.store.release(claim, delay)
        except Exception:
            where = claim.head.id, claim.conversation
            log.exception("turn %s of %s could not be given back yet; its lease runs out", *where)
            self._owed.append(claim)

    async def _give_up(self, runner: TurnRunner, reason: str, words: str) -> None:
        """Bury the turn: a link leaves its work at a gate, anything else an apology. `words` are for people."""
        claim, is_done = runner.lease.claim, False

        async def give_up(claim: Claim) -> None:
            nonlocal is_done
            is_done = await runner.give_up(claim, reason, words)

        try:
            await runner.lease.hold(give_up)
        except LostError:
            if runner.lease.is_unheard:
                self._owed.append(claim)
            return
        except TransportError as error:
            log.warning("that turn %s of %s was given up has to wait (%s)", claim.head.id, claim.conversation, error)
            await self._release(claim, AWAY)
            return
        except Exception as error:
            if isinstance(error, StoreError) and not isinstance(error, StoreRefusedError):
                raise
            log.exception("the work of turn %s of %s cannot rest; it is buried", claim.head.id, claim.conversation)
        if not is_done:
            await self._bury(claim, reason)

    async def _bury(self, claim: Claim, reason: str) -> None:
        """Bury the turn and say so once in its conversation."""
        address = Address(Conversation.parse(claim.conversation), claim.head.id, claim.head.order)
        post, where = Post(self.options.host, APOLOGY), (claim.head.id, claim.conversation)
        try:
            transport = self.transports[address.conversation.platform]
            await deliver(transport, address, -1, post, None, again=True)
        except TransportError as error:
            log.warning("the apology for turn %s of %s could not be posted: %s", *where, error)
        except Exception:
            log.exception("the apology for turn %s of %s could not be posted", *where)
        await self.store.bury(claim, reason)


async def _unless(stopping: asyncio.Future[Any], doing: Awaitable[object]) -> bool:
    """Wait for `doing`, and give True when it is done; when `stopping` is over before that, leave it and give False."""
    task = asyncio.ensure_future(doing)
    try:
        await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            return False
        task.result()
        return True
    finally:
        if not task.done():
            await ended([task])


__all__ = ["APOLOGY", "AWAY", "EXCEPTIONS", "EXPIRIES", "LATEST", "POLL", "Options", "Worker"]
