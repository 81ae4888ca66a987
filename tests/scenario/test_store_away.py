"""A store that is away says nothing about a turn: the turn waits for it, is never buried for it, and is said once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.app import SystemClock
from bot.core.events import Usage
from bot.core.prompt import Prompt
from bot.ports.budgets import Limit
from bot.ports.mailbox import StoreError, StoreRefusedError
from bot.ports.observer import Ended, Happening
from bot.runtime import lease as leases
from bot.runtime import worker as workers
from bot.runtime.access import Access
from bot.runtime.budget import EVERYWHERE, Budgets
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.contract import redis_server
from tests.fakes.library import FakeLibrary
from tests.fakes.model import FakeModel, Says
from tests.fakes.platform import ROOM, FakePlatform

AWAY = StoreError("The store is away. What was asked for last may have taken effect.")


@dataclass(slots=True)
class Away:
    """A store of which `call` fails the next `times`; with `after`, when it has taken effect."""

    real: Any
    call: str = ""
    times: int = 0
    after: bool = False
    error: Exception = AWAY
    failed: int = 0
    only_if: Callable[[], bool] = lambda: True

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.real, name)

        async def called(*args: Any, **how: Any) -> Any:
            fails = name == self.call and self.failed < self.times and self.only_if()
            self.failed += fails
            if fails and not self.after:
                raise self.error
            answer = await real(*args, **how)
            if fails:
                raise self.error
            return answer

        return called


@dataclass(slots=True)
class Hurried(SystemClock):
    """A clock on which nobody sleeps for long; `slept` is what they asked for."""

    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(min(seconds, 0.005))


@dataclass(slots=True)
class Outcomes:
    """An observer that remembers how turns ended."""

    seen: list[tuple[str, str]] = field(default_factory=list)

    def saw(self, happening: Happening) -> None:
        if isinstance(happening, Ended):
            self.seen.append((happening.outcome, happening.reason))


@dataclass(slots=True)
class Bench:
    store: Any
    platform: FakePlatform
    model: FakeModel
    clock: Hurried
    outcomes: Outcomes
    worker: Worker

    async def say(self, text: str) -> None:
        await Inbox(self.store.real).receive(self.platform.said(text, at=self.clock.now()))

    async def at_rest(self) -> None:
        async with asyncio.timeout(10):
            while (stats := await self.store.real.stats()) and (stats.waiting or stats.in_flight):  # noqa: ASYNC110
                await asyncio.sleep(0.005)


def replying(_prompt: Prompt, _n: int) -> Says:
    return Says(("One ", "two ", "three. "), usage=Usage(input=100, output=3, model="fake"))


@asynccontextmanager
async def bench(lease: float = 30.0) -> AsyncIterator[Bench]:
    clock, platform, model, outcomes = Hurried(), FakePlatform(), FakeModel(replying), Outcomes()
    store: Any = Away(await SqliteStore.open(":memory:", clock=clock))
    budgets = Budgets(Limit("channel", tokens=1_000_000), Limit(EVERYWHERE))
    how = Options(lease=lease, in_flight=2, budgets=budgets, access=Access(per_minute=1000, burst=1000))
    worker = Worker(store, {"fake": platform}, model, FakeLibrary(), clock, how, outcomes)
    try:
        yield Bench(store, platform, model, clock, outcomes, worker)
    finally:
        await store.real.close()


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[None]:
    stop = asyncio.Event()
    working = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(5):
            await working


CALLS = ["peek", "throttle", "checkpoint", "flagged", "log", "reserve", "settle", "spend", "commit", "renew", "release"]
TIMES = workers.EXCEPTIONS + 3


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", [*CALLS, "claim", "wait"])
async def test_a_turn_outlives_a_store_that_fails_again_and_again_in(call: str, after: bool) -> None:
    # Of a claim whose answer is lost nobody knows, so it has to run out.
    async with bench(lease=0.5 if call == "claim" else 30.0) as on:
        await on.say("*architect")
        assert await on.worker.work()
        on.store.call, on.store.times, on.store.after = call, TIMES, after

        async with at_work(on.worker):
            await on.say("well?")
            await on.at_rest()

        assert (await on.store.real.stats()).dead == 0
        greeting, reply = on.platform.seen()
        assert ("I am **Winston**" in greeting.text, reply.text, reply.sealed) == (True, "One two three.", True)
        assert sum('"kind":"reply"' in line for line in await on.store.real.log(ROOM.key)) == 1
        assert await on.store.real.spent(ROOM.key) == (Usage(input=100, output=3, model="fake"),)
        assert {outcome for outcome, _ in on.outcomes.seen} <= {"committed", "released", "lost"}


async def test_a_turn_that_has_to_wait_is_told_given_back_at_once_and_does_not_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with bench() as on:
        await on.say("*architect")
        on.store.call, on.store.times = "checkpoint", 1

        assert await on.worker.work()

        assert on.outcomes.seen == [("released", "StoreError")]
        claim = await on.store.real.claim("other", 30, 1)
        assert (claim.attempt, claim.expiries) == (0, 0)
        assert "has to wait, for the store fails (The store is away." in caplog.text
        assert on.platform.texts == []


async def test_the_pauses_grow_until_a_turn_is_carried_to_its_end() -> None:
    async with bench() as on:
        await on.say("*architect")
        on.store.call, on.store.times = "checkpoint", 8
        async with at_work(on.worker):
            await on.at_rest()
            assert pauses(on) == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
            on.clock.slept.clear()
            on.store.times += 1
            await on.say("*status")
            await on.at_rest()
        assert pauses(on) == [leases.SOONEST]


def pauses(on: Bench) -> list[float]:
    """What was slept but for the times between two renewals, and two looks of an idle worker."""
    others = (on.worker.options.lease / 3, workers.POLL)
    return [seconds for seconds in on.clock.slept if seconds not in others]


async def test_while_a_model_speaks_a_store_that_is_away_does_not_cost_the_reply(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with bench() as on:

        async def on_piece(_n: int, piece: int) -> None:
            async with asyncio.timeout(10):
                while on.store.failed < 2 * piece:  # noqa: ASYNC110  # a store tells nobody
                    await asyncio.sleep(0.001)

        await on.say("*architect")
        await on.worker.work()
        on.store.call, on.store.times, on.model.on_piece = "flagged_among", 1_000, on_piece
        await on.say("well?")

        assert await on.worker.work()

        assert on.platform.texts[-1] == "One two three." and len(on.model.prompts) == 1
        assert caplog.text.count("were stopped could not be asked") == 1


@pytest.mark.parametrize("call", ["checkpoint", "settle"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_reply_that_cannot_be_stored_at_once_is_kept_and_not_asked_for_again(call: str, after: bool) -> None:
    async with bench() as on:
        await on.say("*architect")
        await on.worker.work()
        await on.say("well?")
        on.store.call, on.store.times, on.store.after = call, 20, after
        on.store.only_if = lambda: bool(on.model.prompts)  # the turn was stored before the model was asked

        assert await on.worker.work()

        assert on.store.failed == 20
        assert on.platform.texts[-1] == "One two three." and len(on.model.prompts) == 1
        assert on.outcomes.seen[-1] == ("committed", "")


async def test_a_reply_that_cannot_be_stored_while_the_lease_lasts_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    async with bench(lease=0.6) as on:
        await on.say("*architect")
        await on.worker.work()
        await on.say("well?")
        on.store.call, on.store.times = "checkpoint", 1_000_000
        on.store.only_if = lambda: bool(on.model.prompts)
        real = on.store.real
        on.store.real = Away(real, "renew", 1_000_000)  # the store is away for renewals too

        assert await on.worker.work()

        assert on.outcomes.seen[-1][0] == "lost" and len(on.model.prompts) == 1
        assert "could not be stored (The store is away." in caplog.text
        on.store.real, on.store.times = real, 0
        async with at_work(on.worker):
            await on.at_rest()
        assert on.platform.texts[-1] == "One two three."


async def test_a_turn_that_the_store_can_never_take_is_given_up_after_three_times() -> None:
    async with bench() as on:
        on.store.call, on.store.times = "checkpoint", 1_000
        on.store.error = StoreRefusedError("The store cannot take this: too big.")
        await on.say("*architect")
        for _ in range(workers.EXCEPTIONS):
            claimed = on.worker.work()
            assert await claimed
            await on.store.real._write(lambda db: db.execute("UPDATE conversation SET due = 0 WHERE due IS NOT NULL"))

        (letter,) = await on.store.real.dead()
        assert letter.reason == "StoreRefusedError: The store cannot take this: too big."
        assert on.platform.texts == [workers.APOLOGY]


@pytest.mark.parametrize(("lease", "kills"), [(0.3, workers.EXCEPTIONS + 1), (30.0, 1)], ids=["beyond it", "within it"])
async def test_a_turn_outlives_a_redis_that_is_killed_in_the_middle_of_a_reply(
    tmp_path: Path, lease: float, kills: int
) -> None:
    """Where the server is back within the lease, the reply is kept; else it is asked for again."""
    with redis_server.running(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        store = await RedisStore.open(server.url, patience=0.1)
        platform, deaths = FakePlatform(), 0

        async def die(_n: int, piece: int) -> None:
            nonlocal deaths
            if piece == 2 and deaths < kills:
                deaths += 1
                server.kill()
                asyncio.get_running_loop().call_later(0.4, server.start)

        model = FakeModel(replying, on_piece=die)
        worker = Worker(store, {"fake": platform}, model, FakeLibrary(), SystemClock(), Options(lease=lease))
        await Inbox(store).receive(platform.said("*architect"))
        await worker.work()
        await Inbox(store).receive(platform.said("well?"))
        async with at_work(worker), asyncio.timeout(30):
            while deaths < kills or await is_busy(store):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

        assert (platform.texts[-1], len(platform.seen())) == ("One two three.", 2)
        assert len(model.prompts) == (1 if kills == 1 else kills + 1)
        assert await store.dead() == ()
        await store.close()


async def is_busy(store: RedisStore) -> bool:
    """Whether anything is owed; it may be so while the server is away."""
    try:
        stats = await store.stats()
    except StoreError:
        return True
    return bool(stats.waiting or stats.in_flight)
