"""The worker: claim a conversation, carry its turn from wherever it stands to its commit, and only then the next.

What a crash can do to it, at each point, is held by `tests/scenario/test_crash_sweep.py`: the turn is stored
before each of its effects, posts are looked for before they are repeated, and one fenced commit ends it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from bot import telemetry
from bot.core import machine
from bot.core.codec import dump, load
from bot.core.draft import voice_of
from bot.core.events import (
    BudgetTold,
    Event,
    HumanEvent,
    LibraryRead,
    ModelFailed,
    ModelReplied,
    ResourceLoaded,
    Result,
    Resumed,
    Said,
    Usage,
)
from bot.core.listening import Ear
from bot.core.model import FILE, HOST, SESSION_VERSION, Conversation, Inbound, Listen, Voice
from bot.core.session import Mark, Saved, Session, Turn
from bot.core.steps import AskModel, ForgetAll, LoadResource, Post, ReadLibrary, Record, TellBudget
from bot.personas.model import Cast
from bot.ports import (
    SILENT,
    Amount,
    Asked,
    Begun,
    Claim,
    Claimed,
    Clock,
    Committed,
    Ended,
    Library,
    Message,
    Model,
    Observer,
    Outcome,
    Outgoing,
    Posted,
    Stepped,
    Store,
    StoreError,
    StoreRefusedError,
    Transport,
    TransportError,
)
from bot.runtime import turns
from bot.runtime.access import Access
from bot.runtime.asking import Ask, ask
from bot.runtime.budget import Budgets, Purse
from bot.runtime.lease import SOONEST, Lease, LostError, ended
from bot.runtime.lease import now as _time
from bot.runtime.outbox import Address, deliver

log = logging.getLogger(__name__)

EXCEPTIONS = 3
"""A turn that raised so often without a checkpoint in between is given up."""

EXPIRIES = 10
"""A turn whose lease ran out so often without a checkpoint in between is given up."""

POLL = 0.5
"""Seconds after which an idle worker looks by itself, since a wake-up can get lost."""

AWAY = 10.0
"""Seconds after which a turn goes on whose platform did not answer."""

LATEST = 5.0
"""Seconds after which a worker tries again while its store is away; they double until then, from `SOONEST` on."""

APOLOGY = "Something went wrong with your message, and trying again did not help. It was put aside for the operator."


@dataclass(frozen=True, slots=True)
class Options:
    """How a worker works. Times are in seconds; `host` is the voice that the bot itself speaks under.

    `listen` tells how a conversation is listened to. `context` are the tokens that a model can take; at the share
    `compact_at` of them a talk is compacted, at 0 never. `price` gives what usage costs in $, None where that is not
    known, `model_of` the model for a persona's wish.
    """

    name: str = "worker"
    lease: float = 15.0
    idle: float = 8 * 3600.0
    together: int = 20
    in_flight: int = 4
    host: Voice = HOST
    context: int = 200_000
    compact_at: float = 0.75
    listen: Callable[[Conversation], Listen] = lambda conversation: "active"
    price: Callable[[Usage], float | None] = lambda usage: None
    model_of: Callable[[str], str] = str
    access: Access = field(default_factory=Access)
    budgets: Budgets = field(default_factory=Budgets)


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
    _held: dict[tuple[str, int], Lease] = field(default_factory=dict, init=False, repr=False)
    _left: frozenset[str] = field(default=frozenset(), init=False, repr=False)
    _pause: float = field(default=SOONEST, init=False, repr=False)

    @property
    def platforms(self) -> frozenset[str]:
        """The platforms whose conversations it carries: those that it can post to."""
        return frozenset(self.transports) - self._left

    def leave(self, platform: str) -> None:
        """Carry no more turns of a platform that has ended; what waits there waits for whoever serves it again."""
        self._left |= {platform}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, `in_flight` turns at a time; then let the turns in flight finish.

        One loop claims for all of them, so that an idle process asks its store no oftener for having more slots.
        """
        free = asyncio.Semaphore(self.options.in_flight)
        delay = SOONEST
        stopping = asyncio.create_task(stop.wait())
        try:
            async with asyncio.TaskGroup() as group:
                # What is free is taken without a task for it.
                while await (_unless(stopping, free.acquire()) if free.locked() else free.acquire()):
                    if stop.is_set():
                        break
                    try:
                        asked_at = _time()
                        claim = await self._claim()
                        delay = SOONEST
                        if claim is not None:
                            group.create_task(self._in_a_slot(claim, asked_at, free, stopping))
                            continue
                        await _unless(stopping, self.store.wait(POLL, self.platforms))
                        free.release()
                    except Exception as error:
                        first = delay == SOONEST
                        log.error("the worker cannot go on (%s); trying again in %.1f s", error, delay, exc_info=first)
                        free.release()
                        await _unless(stopping, self.clock.sleep(delay))
                        delay = min(2 * delay, LATEST)
        finally:
            await ended([stopping])

    async def _in_a_slot(
        self, claim: Claim, asked_at: float, free: asyncio.Semaphore, stopping: asyncio.Future[Any]
    ) -> None:
        try:
            if pause := await self._turn_of(claim, asked_at):
                await _unless(stopping, self.clock.sleep(pause))
        except Exception:
            where = claim.head.id, claim.conversation
            log.exception("turn %s of %s could not even be given back; its lease runs out", *where)
        finally:
            free.release()

    async def work(self) -> bool:
        """Claim one conversation and carry its turn to the end; False when nothing was due.

        A turn over which the store fails is given back, and is due at once; this returns after a while then. Raises
        StoreError when nothing can be claimed, and where a failed turn cannot even be given back; its lease then ends
        by itself.
        """
        asked_at = _time()
        claim = await self._claim()
        if claim is None:
            return False
        if pause := await self._turn_of(claim, asked_at):
            await self.clock.sleep(pause)
        return True

    async def _claim(self) -> Claim | None:
        options = self.options
        how = options.name, options.lease, SESSION_VERSION, options.together
        return await self.store.claim(*how, self.platforms)

    async def _turn_of(self, claim: Claim, asked_at: float) -> float:
        with telemetry.turn(claim.conversation, claim.head.id, self.options.name):
            return await self._work_on(claim, asked_at)

    async def _work_on(self, claim: Claim, asked_at: float) -> float:
        """Carry the turn as far as it goes; for how many seconds to leave the store alone then."""
        options = self.options
        began = _time()
        outcome: Outcome = "released"
        reason = ""
        self.observer.saw(Claimed(claim, began - asked_at))
        try:
            if claim.expiries >= EXPIRIES:
                outcome = "buried"
                await self._give_up(claim, f"its lease ran out {claim.expiries} times")
                return 0.0
            await self._hold(Lease(self.store, self.clock, claim, options.lease, asked_at))
            outcome = "committed"
            self._pause = SOONEST
        except asyncio.CancelledError:
            await asyncio.shield(self._release(claim))
            raise
        except LostError:
            outcome = "lost"
            log.info("turn %s of %s was taken over", claim.head.id, claim.conversation)
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
                await self._give_up(claim, str(error))
        except Exception as error:
            if isinstance(error, StoreError) and not isinstance(error, StoreRefusedError):
                # It says nothing about the turn, so it does not count: whoever takes it up goes on from what is stored.
                outcome, reason = "released", type(error).__name__
                return await self._give_back(claim, error)
            log.exception("turn %s of %s failed", claim.head.id, claim.conversation)
            outcome, reason = "retried", type(error).__name__
            if claim.attempt + 1 >= EXCEPTIONS:
                outcome = "buried"
                await self._give_up(claim, f"{type(error).__name__}: {error}")
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

    async def _hold(self, lease: Lease) -> None:
        key = lease.claim.conversation, lease.claim.fence
        self._held[key] = lease
        try:
            await lease.hold(self._carry)
        finally:
            del self._held[key]

    async def _release(self, claim: Claim, delay: float = 0.0) -> None:
        try:
            await self.store.release(claim, delay)
        except Exception:
            where = claim.head.id, claim.conversation
            log.exception("turn %s of %s could not be given back; its lease runs out", *where)

    # -------------------------------------------------------- one turn

    async def _carry(self, claim: Claim) -> None:
        cast = self.library.cast
        before = load(claim.state, Saved) if claim.state else Saved()
        address = Address(Conversation.parse(claim.conversation), claim.head.id, claim.head.order)
        again = claim.turn is not None
        previews: dict[int, str] = {}
        if claim.turn:
            turn = load(claim.turn, Turn)
            marks = await self._deliver(claim, turn, address, previews, again=True)
        else:
            turn = await self._begin(claim, before, cast)
            marks = await self._enter(claim, turn, address, previews)
        while turn.request is not None:
            result = await self._perform(claim, turn, address, cast, previews, again=again)
            turn = turns.moved(turn, result, machine.step(turn.session, result, cast), marks)
            self._stepped(claim, result, turn)
            marks = await self._enter(claim, turn, address, previews)
            again = False
        await self._withdraw(address, previews)
        await self._commit(claim, before, turn, address, marks)

    async def _begin(self, claim: Claim, before: Saved, cast: Cast) -> Turn:
        parent = await self._parent(claim)
        options = self.options
        account = turns.account(before, options.context, options.price)
        listen = options.listen(Conversation.parse(claim.conversation))
        ear = turns.ear(claim, before, options.idle, parent, listen)
        said = [m for m in turns.mail(claim) if isinstance(m, Inbound)]
        refused = await options.access.refusals(said, self.store, lambda m: bool(m.number) or ear.hears(turns.line(m)))
        event = turns.opening(claim, before, options.idle, parent, account, options.access.is_admin, refused, listen)
        event = await self._with_files(event, Conversation.parse(claim.conversation), ear)
        self.observer.saw(Begun(claim, turns.waited(event, self.clock.now())))
        turn = turns.began(claim, machine.step(before.session, event, cast))
        self._stepped(claim, event, turn)
        return turn

    async def _parent(self, claim: Claim) -> Session | None:
        """The session of the channel in which this claim begins a thread."""
        parent = Conversation.parse(claim.conversation).parent
        if claim.state is not None or parent is None:
            return None
        state = await self.store.peek(parent.key)
        return load(state, Saved).session if state else None

    async def _with_files(self, event: HumanEvent, where: Conversation, ear: Ear) -> HumanEvent:
        """The event with what its files say, of those messages that are heard."""
        if not isinstance(event, Said) or not any(line.files for line in event.lines):
            return event
        transport = self.transports[where.platform]
        lines = []
        for line in event.lines:
            files = [await transport.read(file, FILE) if ear.hears(line) else file for file in line.files]
            lines.append(replace(line, files=tuple(files)))
        return replace(event, lines=tuple(lines))

    def _stepped(self, claim: Claim, event: Event, turn: Turn) -> None:
        request = type(turn.request).__name__ if turn.request else ""
        self.observer.saw(Stepped(claim, type(event).__name__, request))

    async def _enter(self, claim: Claim, turn: Turn, address: Address, previews: dict[int, str]) -> tuple[Mark, ...]:
        """Store the turn as it stands now, and only then let its posts be seen."""
        if turn.posts or turn.request:
            await self._checkpoint(claim, turn)
        return await self._deliver(claim, turn, address, previews, again=False)

    async def _checkpoint(self, claim: Claim, turn: Turn) -> None:
        if not await self.store.checkpoint(claim, dump(turn), SESSION_VERSION):
            raise LostError

    async def _deliver(
        self, claim: Claim, turn: Turn, address: Address, previews: dict[int, str], *, again: bool
    ) -> tuple[Mark, ...]:
        """Carry out the turn's posts in order, and give what they mean for numbers typed below them."""
        transport = self.transports[address.conversation.platform]
        marks: list[Mark] = []
        began = _time()
        for number, post in enumerate(turn.posts, turn.base):
            if isinstance(post, Record):
                await self.store.audit(address.key(number), address.conversation.key, post)
                continue
            # A process that was suspended must not go on with what somebody else may have done since.
            await self._held[claim.conversation, claim.fence].confirm()
            preview = previews.pop(post.completes, None) if post.completes is not None else None
            voiced = post if post.voice.persona else replace(post, voice=self.options.host)
            receipt = await deliver(transport, address, number, voiced, preview, again=again)
            if found := turns.mark(post, receipt):
                marks.append(found)
        if turn.posts:
            self.observer.saw(Posted(claim, len(turn.posts), _time() - began))
        return tuple(marks)

    async def _perform(
        self, claim: Claim, turn: Turn, address: Address, cast: Cast, previews: dict[int, str], *, again: bool
    ) -> Result:
        transport = self.transports[address.conversation.platform]
        match turn.request:
            case AskModel(who) as request:
                ordinal = turns.ordinal(turn)
                voice = voice_of(cast, who)
                asker = next((m.user for m in turns.mail(claim) if isinstance(m, Inbound)), "")
                key, where = address.key(ordinal), address.conversation
                out = Outgoing(key, where, voice, "", address.since, again=again, asker=asker)
                room = int(self.options.context * self.options.compact_at)
                asked = Ask(claim, turn, request, ordinal, out, room)
                began = _time()
                result, ref = await ask(asked, cast, self.store, transport, self.model, self._purse, again=again)
                took = _time() - began
                if isinstance(result, ModelReplied):
                    self.observer.saw(Asked(claim, who, took, result.stop, usage=result.usage))
                elif isinstance(result, ModelFailed):
                    self.observer.saw(Asked(claim, who, took, failed=result.reason))
                if ref is not None:
                    previews[ordinal] = ref
                return result
            case LoadResource(who, kind, name):
                try:
                    return ResourceLoaded(kind, name, await self.library.read(kind, name, who))
                except OSError as error:
                    return ResourceLoaded(kind, name, None, str(error))
            case ReadLibrary():
                problems = await self.library.refresh()
                return LibraryRead(len(self.library.cast.personas), problems)
            case TellBudget(tokens, micros):
                if tokens or micros:
                    key = address.key(turns.ordinal(turn))
                    await self._purse.grant(key, address.conversation, Amount(tokens, micros))
                return BudgetTold(await self._purse.tell(address.conversation))
            case ForgetAll():
                await self.store.forget(claim.conversation)
                raise LostError
            case None:
                raise RuntimeError(f"turn {turn.head} has no request to perform")
            case _:
                assert_never(turn.request)

    @property
    def _purse(self) -> Purse:
        options = self.options
        return Purse(self.store, self.clock, options.budgets, options.price, options.model_of)

    async def _withdraw(self, address: Address, previews: dict[int, str]) -> None:
        """Take back what people watched of a reply that came to nothing."""
        for ref in previews.values():
            await self.transports[address.conversation.platform].withdraw(ref)

    async def _commit(self, claim: Claim, before: Saved, turn: Turn, address: Address, marks: tuple[Mark, ...]) -> None:
        for spent in turn.spent:
            await self.store.spend(address.key(spent.ask), claim.conversation, spent.usage)
        saved = turns.saved(before, turn, marks)
        follow_up = None
        if turn.next:
            resumed = Resumed(f"{turn.head}+", turn.next)
            follow_up = Message(resumed.turn, dump(resumed), claim.head.order)
        began = _time()
        if not await self.store.commit(
            claim,
            dump(saved),
            SESSION_VERSION,
            [dump(entry) for entry in turn.log],
            floor_open=turn.session.floor_is_open,
            used_flag=turn.used_stop,
            follow_up=follow_up,
        ):
            raise LostError
        self.observer.saw(Committed(claim, _time() - began))

    async def _give_up(self, claim: Claim, reason: str) -> None:
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
        if stopping.done():
            return False
        task.result()
        return True
    finally:
        if not task.done() or stopping.done():
            await ended([task])
