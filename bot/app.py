"""The composition root: settings in, a bot with all its parts out. Nothing else knows every layer."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from bot.core import failures
from bot.core.model import Voice
from bot.health.journal import Journal
from bot.health.outages import Outages
from bot.health.vitals import State, Vitals
from bot.health.watching import Watch
from bot.models.absent import Absent
from bot.models.options import ModelOptions, Priced
from bot.personas.globs import Selection
from bot.personas.library import Library
from bot.ports.budgets import Limit
from bot.ports.model import Model
from bot.ports.store import Store
from bot.ports.transport import Transport
from bot.runtime.access import Access, Names
from bot.runtime.budget import EVERYWHERE, MILLION, Budgets
from bot.runtime.inbox import Inbox
from bot.runtime.lease import ended
from bot.runtime.lease import now as steady
from bot.runtime.upkeep import Upkeep
from bot.runtime.worker import Options, Worker
from bot.settings import REHEARSAL, Settings
from bot.settings.keys import LimitSettings
from bot.stores.opening import open_store

DRAIN = 10.0
"""Seconds that turns in flight get to finish at shutdown before they are given back."""

OVERDUE = 1.0
"""Seconds for which work may be due before somebody looks why the worker has not taken it."""


OWN = frozenset({"terminal"})
"""Platforms whose people sit at the bot's own machine, and so are admins."""

NEW_OBJECTS = 5000
"""Garbage collection threshold: allocations minus deallocations. Some ten turns make as many, few of them in cycles."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def steady(self) -> float:
        """Seconds on a clock that nobody sets and no suspension stops."""
        return steady()

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Bot:
    """The parts of a running bot."""

    settings: Settings
    store: Store
    library: Library
    inbox: Inbox
    worker: Worker
    patience: float

    async def answered(self) -> bool:
        """Carry what has been due for longer than `patience` seconds, and wait for the rest; whether all is answered.

        It is not where a conversation was saved by a newer build: no worker of this one takes it. That is so when a
        claim finds nothing, though something was due before it.
        """
        while True:
            stats = await self.store.stats(self.worker.platforms)
            if not stats.waiting and not stats.in_flight:
                return True
            if stats.oldest_due > self.patience:
                tried = time.time()
                if not await self.worker.work():
                    oldest = (await self.store.stats(self.worker.platforms)).oldest_due
                    if oldest and time.time() - oldest < tried:
                        return False
            await asyncio.sleep(0.01)


def shipped_agents() -> Path:
    """The folder of our own cast: in the wheel beside the code, in a checkout beside the package."""
    inside = Path(__file__).parent / "_shipped" / "agents"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "agents"


def library_of(settings: Settings, *, keep: bool = False) -> Library:
    """The library that the settings name. With `keep`, what was read is kept beside the state for the next start."""
    cache = None
    if keep and str(settings.store.path) != ":memory:":
        from importlib.metadata import version

        from bot.personas.cache import ShelfCache

        cache = ShelfCache(settings.store.path.parent / "library.cache", version("greenroom"))
    selection = Selection(settings.library.include, settings.library.exclude)
    return Library(settings.library.paths, shipped_agents() if settings.library.shipped else None, cache, selection)


def model_of(settings: Settings, clock: SystemClock) -> Model:
    """The model that the settings name; SDKs are imported when they are first used."""
    if settings.model.name == REHEARSAL:
        from bot.models.rehearsal import Rehearsal

        return Rehearsal(clock, settings.model.pause)
    key = settings.secrets.anthropic_api_key
    if not has_model(settings):
        return Absent("no-key")
    from bot.models.anthropic import AnthropicModel

    return AnthropicModel(options_of(settings), key.get_secret_value() if key else "", clock)


def has_model(settings: Settings) -> bool:
    """Whether anybody can be asked: without a key there has to be an address of a server of one's own."""
    chosen, key = settings.model, settings.secrets.anthropic_api_key
    return chosen.name == REHEARSAL or key is not None or bool(chosen.base_url)


def options_of(settings: Settings) -> ModelOptions:
    """The model's part of the settings, as the models take it."""
    chosen = settings.model
    asked_for = not chosen.base_url or "allow" in chosen.model_fields_set
    return ModelOptions(
        name=chosen.name,
        aliases={name: Priced(**alias.model_dump()) for name, alias in chosen.aliases.items()},
        allow=chosen.allow if asked_for else (),
        max_tokens=chosen.max_tokens,
        timeout=chosen.timeout,
        retry=chosen.retry,
        base_url=chosen.base_url,
        cache=chosen.cache,
    )


def access_of(settings: Settings) -> Access:
    """Who may speak with the bot, and how fast."""
    rules = settings.access
    allow, deny = (
        Names(*(frozenset(getattr(names, f.name)) for f in fields(Names))) for names in (rules.allow, rules.deny)
    )
    return Access(allow, deny, frozenset(rules.admins), rules.per_minute, rules.burst, OWN)


def budgets_of(settings: Settings) -> Budgets:
    """What may be spent a day."""

    def limit(scope: str, given: LimitSettings) -> Limit:
        return Limit(scope, given.tokens or None, round(given.dollars * MILLION) or None)

    given = settings.budget
    return Budgets(limit("channel", given.channel), limit(EVERYWHERE, given.everywhere), given.by_user)


@runtime_checkable
class Rests(Protocol):
    """A model that leaves a failing service alone for a while."""

    def resting(self) -> tuple[str, ...]:
        """The ids that are left alone right now."""


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """While the body runs, Python looks for garbage less often, and never again in what was there at its beginning.

    That is code and library, which stay; looking through them again and again is a twentieth of what a turn costs.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@asynccontextmanager
async def running(
    settings: Settings,
    library: Library,
    transports: Mapping[str, Transport],
    *,
    in_background: bool = True,
    connected: Mapping[str, Callable[[], str]] = MappingProxyType({}),
    for_operators: bool = False,
) -> AsyncIterator[Bot]:
    """A bot at work; with `in_background` off, it works only while somebody waits in `Bot.answered`.

    When the body ends, turns in flight get `DRAIN` seconds; what is left is taken up next time.

    `connected` tells for each platform that has a connection why it has none, "" while it has. With `for_operators`
    the log tells of each turn and of replies that fail: in a terminal, people see that themselves.

    When the body raises or is cancelled, they get none. Raises StoreError where the store cannot be opened, ListenError
    and TracingError where the bot cannot be watched as the settings ask for.
    """
    clock = SystemClock()
    outages = Outages("" if has_model(settings) else failures.line("no-key")) if for_operators else None
    for_log = (outages, Journal()) if outages else ()
    watch = Watch(settings.health.listen, settings.telemetry.otlp, socket.gethostname(), *for_log)
    kept, secret = settings.store, settings.secrets.redis_password
    store = await open_store(
        path=kept.path,
        url=kept.url,
        password=secret.get_secret_value() if secret else "",
        partitions=kept.partitions,
        mailbox=kept.mailbox,
        durability=kept.durability,
        clock=clock,
    )
    model, asked = model_of(settings, clock), options_of(settings)
    options = Options(
        name=socket.gethostname(),
        lease=settings.store.lease,
        idle=settings.talk.idle,
        listen=lambda where: settings.talk.channels.get(where.channel, settings.talk.listen),
        together=settings.talk.together if settings.talk.coalesce else 1,
        in_flight=settings.worker.turns_in_flight if in_background else 0,
        waiting=settings.worker.waiting,
        longest=settings.model.longest,
        host=Voice(settings.name, settings.icon),
        context=settings.model.context,
        compact_at=settings.model.compact_at,
        price=asked.cost,
        model_of=asked.choose,
        access=access_of(settings),
        budgets=budgets_of(settings),
        has_model=not isinstance(model, Absent),
        threads=settings.documents.thread,
        approvers=frozenset(settings.documents.approvers),
    )
    worker = Worker(store, transports, model, library, clock, options, watch.observer)
    stop = asyncio.Event()
    working = asyncio.create_task(worker.run(stop))
    tidying = asyncio.create_task(Upkeep(store, clock, kept.keep, settings.documents.keep).run())
    drain = DRAIN

    def state() -> State:
        if stop.is_set():
            return "stopping"
        return "dead" if in_background and working.done() else "working"

    platforms = {name: lambda: "" for name in transports} | dict(connected)
    resting = model.resting if isinstance(model, Rests) else tuple
    trouble = outages.trouble if outages else str
    vitals = Vitals(store, state, platforms, settings.health.overdue, resting, lambda: worker.platforms, trouble)
    async with AsyncExitStack() as watched:
        try:
            await watched.enter_async_context(watch.open(vitals))
            inbox = Inbox(store, options.access, worker.stop_raised, options.listen, options.idle)
            yield Bot(settings, store, library, inbox, worker, OVERDUE if in_background else 0.0)
        except BaseException:
            drain = 0.0
            raise
        finally:
            stop.set()
            try:
                if drain and (await store.stats(worker.platforms)).in_flight:
                    await asyncio.wait({working}, timeout=drain)
            finally:
                working.cancel()
                try:
                    await working
                except asyncio.CancelledError:
                    pass
                finally:
                    await ended([tidying])
                    await model.close()
                    await store.close()
