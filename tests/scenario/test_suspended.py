"""A process that was suspended for longer than its lease does not go on with posts that somebody else has made."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.app import SystemClock
from bot.ports.mailbox import Claim, StoreError
from bot.runtime import lease as leases
from bot.runtime.inbox import Inbox
from bot.runtime.lease import Lease, LostError
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.contract import redis_server
from tests.contract.store_contract import ROOM, VERSION, plain
from tests.scenario.suspended import SharedPlatform, worker

CHECKOUT = Path(__file__).parents[2]
LEASE = 1.0


@asynccontextmanager
async def suspended_in_its_first_post(url: str) -> AsyncIterator[subprocess.Popen[bytes]]:
    """The other worker, stopped behind the first of its two posts; it has to be continued, and to have ended well."""
    command = [sys.executable, "-m", "tests.scenario.suspended", url, str(LEASE)]
    process = subprocess.Popen(command, cwd=CHECKOUT)  # noqa: ASYNC220  # it takes no time
    try:
        _, status = await asyncio.to_thread(os.waitpid, process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        yield process
        assert await asyncio.to_thread(process.wait, 10) == 0
    finally:
        process.kill()


async def test_what_follows_a_post_in_which_a_process_was_suspended_is_posted_once(tmp_path: Path) -> None:
    with redis_server.running(tmp_path) as server:
        store = await RedisStore.open(server.url)
        platform = SharedPlatform(previews=False, url=server.url)
        await Inbox(store).receive(platform.said("*architect *help"))
        async with suspended_in_its_first_post(server.url) as process:
            assert len(await platform.standing()) == 1
            async with asyncio.timeout(10):
                while not await worker(store, platform, LEASE).work():  # noqa: ASYNC110  # a lease tells nobody
                    await asyncio.sleep(0.05)
            process.send_signal(signal.SIGCONT)

        greeting, help_text = [text for _, text in await platform.standing()]
        assert "I am **Winston**" in greeting and "I am **Winston**" not in help_text
        stats = await store.stats()
        assert (stats.waiting, stats.in_flight, stats.dead) == (0, 0, 0)
        await store.close()


async def test_a_process_that_was_suspended_goes_on_where_nobody_has_noticed(tmp_path: Path) -> None:
    with redis_server.running(tmp_path) as server:
        store = await RedisStore.open(server.url)
        platform = SharedPlatform(previews=False, url=server.url)
        await Inbox(store).receive(platform.said("*architect *help"))
        async with suspended_in_its_first_post(server.url) as process:
            await asyncio.sleep(LEASE + 0.1)
            process.send_signal(signal.SIGCONT)

        assert len(await platform.standing()) == 2
        assert await store.claim("other", LEASE, VERSION) is None, "the turn was carried to its end"
        await store.close()


# ---------------------------------------------------------------- the lease by itself


class Renewals:
    """A real store that counts what it is asked, on the way to which `meanwhile` happens."""

    def __init__(self, real: SqliteStore) -> None:
        self.real = real
        self.asked = 0
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def renew(self, claim: Claim, lease: float) -> bool:
        self.asked += 1
        if self.meanwhile:
            await self.meanwhile()
        return await self.real.renew(claim, lease)


class Hands:
    """The lease's clock, moved by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    moved = Hands()
    monkeypatch.setattr(leases, "now", moved)
    return moved


@pytest.fixture
async def store() -> AsyncIterator[SqliteStore]:
    real = await SqliteStore.open(":memory:", clock=SystemClock())
    yield real
    await real.close()


async def held(store: SqliteStore, seconds: float = 9.0) -> tuple[Lease, Renewals]:
    await store.enqueue(ROOM, plain("m1", 1))
    claim = await store.claim("w", seconds, VERSION)
    assert claim is not None
    renewals = Renewals(store)
    return Lease(renewals, SystemClock(), claim, seconds, leases.now()), renewals  # type: ignore[arg-type]


async def refused() -> None:
    raise StoreError("The store is away.")


async def test_while_a_lease_is_fresh_nobody_is_asked(store: SqliteStore, hands: Hands) -> None:
    lease, renewals = await held(store)
    hands.time += 5.9

    await lease.confirm()

    assert renewals.asked == 0


async def test_a_lease_that_nears_its_end_is_renewed_before_a_post(store: SqliteStore, hands: Hands) -> None:
    lease, renewals = await held(store)
    hands.time += 8

    await lease.confirm()
    await lease.confirm()

    assert (renewals.asked, lease.ends) == (1, hands.time + 9)


@pytest.mark.parametrize("late", [8.0, 9.0, 3600.0])
async def test_a_lease_that_somebody_else_has_now_is_lost(store: SqliteStore, hands: Hands, late: float) -> None:
    lease, renewals = await held(store)
    await store._write(lambda db: db.execute("UPDATE conversation SET due = 0"))
    assert await store.claim("other", 9, VERSION) is not None
    hands.time += late

    with pytest.raises(LostError):
        await lease.confirm()

    assert renewals.asked == 1


async def test_a_lease_that_ran_out_unnoticed_goes_on(store: SqliteStore, hands: Hands) -> None:
    lease, _ = await held(store)
    hands.time += 60

    await lease.confirm()

    assert lease.ends == hands.time + 9


@pytest.mark.parametrize(("late", "is_held"), [(8.0, True), (9.0, False)])
async def test_where_the_store_does_not_tell_a_lease_counts_until_its_end(
    store: SqliteStore, hands: Hands, late: float, is_held: bool
) -> None:
    lease, renewals = await held(store)
    renewals.meanwhile = refused
    hands.time += late

    if is_held:
        await lease.confirm()
    else:
        with pytest.raises(LostError):
            await lease.confirm()


async def test_a_store_that_answers_only_when_the_lease_is_over_keeps_nobody_waiting(store: SqliteStore) -> None:
    lease, renewals = await held(store, 0.3)

    waited_for = False

    async def hung() -> None:
        nonlocal waited_for
        await asyncio.sleep(60)
        waited_for = True

    renewals.meanwhile = hung
    await asyncio.sleep(0.25)

    with pytest.raises(LostError):
        await lease.confirm()

    assert not waited_for


def test_the_clock_of_leases_runs_while_the_machine_sleeps() -> None:
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    before = time.clock_gettime(clock)
    assert before <= leases.now() <= time.clock_gettime(clock)
