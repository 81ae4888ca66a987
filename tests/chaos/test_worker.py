"""A worker whose store fails now and then: it goes on, keeps what it holds for certain, and lets go of what it may not.

The store is the real SQLite one; only the calls that a test names fail, as they do when a server is away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.app import SystemClock
from bot.core.model import SESSION_VERSION
from bot.core.prompt import Prompt
from bot.ports.model import Reply, Show
from bot.runtime.inbox import Inbox
from bot.runtime.worker import EXPIRIES, Options, Worker
from bot.stores.errors import StoreError
from bot.stores.sqlite import SqliteStore
from tests.chaos.model import SlowModel
from tests.fakes.library import FakeLibrary
from tests.fakes.platform import FakePlatform

AWAY = StoreError("The store at nowhere cannot be reached.")
LEASE = 0.3

Failure = Callable[[], Awaitable[None]]


async def refused() -> None:
    raise AWAY


async def hung() -> None:
    await asyncio.sleep(3600)


@dataclass(slots=True)
class Unreliable:
    """A store whose calls fail as `fails` tells, or answer late as `lags` does; `calls` is what was asked of it."""

    real: SqliteStore
    fails: dict[str, Failure] = field(default_factory=dict)
    lags: dict[str, float] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.real, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            if name in self.fails:
                await self.fails[name]()
            answer = await real(*args, **kwargs)
            await asyncio.sleep(self.lags.get(name, 0.0))
            return answer

        return call


@dataclass(slots=True)
class HurriedClock(SystemClock):
    """A clock whose sleeps take no time; `slept` is how long they should have been."""

    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass(slots=True)
class StandingClock(SystemClock):
    """A clock on which no sleep is ever over."""

    is_asleep: bool = False

    async def sleep(self, seconds: float) -> None:
        self.is_asleep = True
        await asyncio.Event().wait()


@dataclass(slots=True)
class Bench:
    """A worker on an unreliable store, and the platform that it posts to."""

    store: Any
    platform: FakePlatform
    worker: Worker

    async def say(self, text: str) -> None:
        await Inbox(self.store.real, stop_raised=self.worker.stop_raised).receive(self.platform.said(text))

    async def until_due(self) -> None:
        """Wait until a turn can be claimed, as nobody has it or its lease is over."""
        async with asyncio.timeout(5):
            while not (await self.store.real.stats()).oldest_due:  # noqa: ASYNC110  # time tells nobody
                await asyncio.sleep(0.005)

    def another(self) -> Worker:
        """A worker of another replica, which reaches the store."""
        return replace(self.worker, store=self.store.real)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110  # the platform tells nobody
                await asyncio.sleep(0.01)


@asynccontextmanager
async def bench(wait: float = 0.0, clock: SystemClock | None = None) -> AsyncIterator[Bench]:
    real = await SqliteStore.open(":memory:", clock=SystemClock())
    store: Any = Unreliable(real)
    platform = FakePlatform()
    options = Options(lease=LEASE, in_flight=1)
    model = SlowModel(pause=0.0, wait=wait)
    try:
        yield Bench(
            store,
            platform,
            Worker(store, {"fake": platform}, model, FakeLibrary(), clock or SystemClock(), options),
        )
    finally:
        await real.close()


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[asyncio.Event]:
    """The worker runs; it ends when the body does, or has ended by then."""
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(5):
            await running


# ---------------------------------------------------------------- the loop


async def test_a_worker_goes_on_when_its_store_is_back(caplog: pytest.LogCaptureFixture) -> None:
    async with bench() as on:
        on.store.fails["claim"] = refused
        async with at_work(on.worker):
            await on.say("*architect")
            await on.until(lambda: on.store.calls.count("claim") >= 2)
            assert on.platform.texts == []
            on.store.fails.clear()
            await on.until(lambda: bool(on.platform.texts))
    told = [r for r in caplog.records if "the worker cannot go on" in r.message]
    assert "The store at nowhere cannot be reached." in told[0].message and "again in 0.1 s" in told[0].message
    assert [bool(r.exc_info) for r in told[:2]] == [True, False]


async def test_a_worker_tries_less_and_less_often_and_at_once_again_after_a_success() -> None:
    clock = HurriedClock()
    async with bench(clock=clock) as on:
        on.store.fails["claim"] = refused
        async with at_work(on.worker):
            await on.until(lambda: len(clock.slept) >= 8)
            slept = clock.slept[:8]
            on.store.fails.clear()
            await on.until(lambda: "wait" in on.store.calls)
            tried = len(clock.slept)
            on.store.fails["claim"] = refused
            await on.until(lambda: len(clock.slept) > tried)
    assert slept == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert clock.slept[tried] == 0.1


async def test_a_worker_that_waits_for_its_store_stops_without_waiting_longer_when_it_is_told_to() -> None:
    clock = StandingClock()
    async with bench(clock=clock) as on:
        on.store.fails["claim"] = refused
        async with at_work(on.worker) as stop:
            await on.until(lambda: clock.is_asleep)
            stop.set()


async def test_a_turn_that_cannot_even_be_given_back_is_answered_once_its_lease_is_over() -> None:
    async with bench() as on:
        on.store.fails.update(checkpoint=refused, release=refused)
        async with at_work(on.worker):
            await on.say("*architect")
            await on.until(lambda: "release" in on.store.calls)
            on.store.fails.clear()
            await on.until(lambda: bool(on.platform.texts))
            await asyncio.sleep(2 * LEASE)
        assert len(on.platform.texts) == 1
        assert (await on.store.real.stats()).dead == 0


# ---------------------------------------------------------------- the lease


async def test_a_renewal_that_fails_is_tried_again_and_the_turn_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async with bench(wait=3 * LEASE) as on:
        failures = 2

        async def at_first() -> None:
            nonlocal failures
            failures -= 1
            if failures < 0:
                on.store.fails.clear()
            else:
                raise AWAY

        on.worker.options = replace(on.worker.options, lease=2 * LEASE)
        on.store.fails["renew"] = at_first
        await on.say("*architect tell me about m1")
        assert await on.worker.work()
        assert "with care" in on.platform.texts[-1]
        assert await on.store.real.peek("fake:team:general")
    assert sum("could not be renewed" in r.message for r in caplog.records) == 2


@pytest.mark.parametrize("fails", [refused, hung])
async def test_a_turn_whose_lease_cannot_be_renewed_is_let_go_before_another_takes_it(fails: Failure) -> None:
    async with bench(wait=3600) as on:
        on.store.fails["renew"] = fails
        await on.say("*architect tell me about m1")
        assert await on.worker.work(), "it has not waited for the model"
        assert len(on.platform.texts) == 1
        assert await on.store.real.peek("fake:team:general") is None
        assert {"retry", "bury"} & {*on.store.calls} == set()

        on.worker.model = SlowModel(pause=0.0)
        async with at_work(on.another()):
            await on.until(lambda: len(on.platform.texts) == 2 and "with care" in on.platform.texts[1])
        assert [message.sealed for message in on.platform.seen()] == [True, True]


@pytest.mark.parametrize("replicas", [1, 3])
async def test_leases_that_end_while_the_store_does_not_answer_bury_no_turn(replicas: int) -> None:
    async with bench(wait=3600) as on:
        on.worker.options = replace(on.worker.options, lease=0.05)
        on.store.fails["renew"] = refused
        await on.say("*architect tell me about m1")
        workers = [replace(on.worker) for _ in range(replicas)]
        for n in range(EXPIRIES + 3):
            await on.until_due()
            assert await workers[n % replicas].work()
        assert (await on.store.real.stats()).dead == 0

        on.store.fails.clear()
        workers[0].options, workers[0].model = replace(on.worker.options, lease=30), SlowModel(pause=0.0)
        await on.until_due()
        assert await workers[0].work()
        assert "with care" in on.platform.texts[-1]


async def test_a_turn_over_which_processes_die_is_given_up_all_the_same() -> None:
    async with bench() as on:
        await on.say("*architect tell me about m1")
        for _ in range(EXPIRIES + 1):
            await on.until_due()
            assert await on.store.real.claim("dies", 0.001, SESSION_VERSION)
        await on.until_due()
        assert await on.worker.work()
        assert [letter.reason for letter in await on.store.real.dead()] == [f"its lease ran out {EXPIRIES + 1} times"]


async def test_of_a_claim_that_came_too_late_nothing_is_begun() -> None:
    async with bench() as on:
        await on.say("*architect tell me about m1")
        on.store.lags["claim"] = 2 * LEASE
        working = asyncio.create_task(on.worker.work())
        await on.until(lambda: "claim" in on.store.calls)
        await asyncio.sleep(1.2 * LEASE)
        other = await on.store.real.claim("other", 60, SESSION_VERSION)
        assert await working
        assert other is not None
        assert on.platform.messages == {}
        assert on.store.calls == ["claim", "renew"]


async def test_a_claim_that_came_late_but_holds_is_carried_out() -> None:
    async with bench() as on:
        await on.say("*architect")
        on.store.lags["claim"] = 0.6 * LEASE
        assert await on.worker.work()
        assert len(on.platform.texts) == 1


async def test_a_claim_that_came_late_is_let_go_where_the_store_does_not_tell_whether_it_holds() -> None:
    async with bench() as on:
        await on.say("*architect")
        on.store.lags["claim"] = 0.6 * LEASE
        on.store.fails["renew"] = hung
        assert await on.worker.work()
        assert on.platform.messages == {}


# ---------------------------------------------------------------- cancellation


async def test_a_worker_that_cannot_give_its_turn_back_at_shutdown_says_so_and_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with bench(wait=30) as on:
        on.store.fails["release"] = refused
        await on.say("*architect tell me about m1")
        working = asyncio.create_task(on.worker.work())
        await on.until(lambda: "checkpoint" in on.store.calls and len(on.platform.texts) == 1)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    assert any("could not be given back" in record.message for record in caplog.records)


@dataclass(slots=True)
class CancelsItself:
    """A model whose connection cancels the first call from within."""

    cancelled: bool = False

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        if not self.cancelled:
            self.cancelled = True
            raise asyncio.CancelledError
        return await SlowModel(0.0).reply(prompt, show)

    async def close(self) -> None:
        """Nothing is held."""


async def test_a_call_that_is_cancelled_from_within_counts_as_failed_and_ends_no_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with bench() as on:
        on.worker.model = CancelsItself()
        async with at_work(on.worker):
            await on.say("*architect tell me about m1")
            await on.until(lambda: len(on.platform.texts) == 2)
    failed = [record for record in caplog.records if "failed" in record.message]
    assert failed[0].levelno == logging.ERROR and "cancelled from within" in str(failed[0].exc_info)


# ---------------------------------------------------------------- the stop


async def test_a_stop_is_still_seen_after_the_store_was_away(caplog: pytest.LogCaptureFixture) -> None:
    async with bench(wait=30) as on:
        on.worker.options = replace(on.worker.options, lease=30)
        await on.say("*architect tell me about m1")
        async with at_work(on.worker):
            await on.until(lambda: len(on.platform.texts) == 1 and "flagged" in on.store.calls)
            on.store.fails["flagged_among"] = refused
            await on.until(lambda: any("were stopped could not be asked" in r.message for r in caplog.records))
            on.store.fails.clear()
            await on.say("stop")
            await on.until(lambda: len(on.platform.texts) == 2)
    assert on.platform.texts[-1] == "_(stopped by alice)_"
