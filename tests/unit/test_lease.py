"""A lease is held for as long as its turn is carried, and whoever loses it is told, whatever the turn makes of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.app import SystemClock
from bot.ports.mailbox import Claim
from bot.runtime.lease import Lease, LostError, now
from bot.stores.sqlite import SqliteStore
from tests.contract.store_contract import ROOM, VERSION, plain

LEASE = 0.3


@pytest.fixture
async def store() -> AsyncIterator[SqliteStore]:
    real = await SqliteStore.open(":memory:", clock=SystemClock())
    await real.enqueue(ROOM, plain("m1", 1))
    yield real
    await real.close()


async def claimed(store: SqliteStore) -> Lease:
    asked_at = now()
    claim = await store.claim("w", LEASE, VERSION)
    assert claim is not None
    return Lease(store, SystemClock(), claim, LEASE, asked_at)


async def taken_by_another(store: SqliteStore) -> None:
    await store._write(lambda db: db.execute("UPDATE conversation SET due = 0"))
    assert await store.claim("other", 60, VERSION) is not None


async def test_a_turn_that_outlasts_its_lease_keeps_it(store: SqliteStore) -> None:
    async def turn(claim: Claim) -> None:
        await asyncio.sleep(2 * LEASE)
        assert await store.commit(claim, "{}", VERSION, [], floor_open=True, used_flag=False)

    await (await claimed(store)).hold(turn)

    assert (await store.stats()).in_flight == 0


async def test_a_turn_is_left_where_its_lease_is_lost_and_the_task_goes_on(store: SqliteStore) -> None:
    lease = await claimed(store)
    left = []

    async def turn(claim: Claim) -> None:
        await taken_by_another(store)
        try:
            await asyncio.sleep(60)
        finally:
            left.append(claim)

    with pytest.raises(LostError):
        await lease.hold(turn)

    task = asyncio.current_task()
    assert left == [lease.claim] and task is not None and task.cancelling() == 0
    await asyncio.sleep(0.01)


@pytest.mark.parametrize("failing", [False, True])
async def test_what_a_lost_turn_makes_of_it_counts_for_nothing(store: SqliteStore, failing: bool) -> None:
    async def turn(claim: Claim) -> None:
        await taken_by_another(store)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if failing:
                raise OSError("it could not be tidied up") from None

    with pytest.raises(LostError):
        await (await claimed(store)).hold(turn)


async def test_who_is_cancelled_meanwhile_is_cancelled_and_not_told_of_a_loss(store: SqliteStore) -> None:
    lease = await claimed(store)
    begun = asyncio.Event()

    async def turn(claim: Claim) -> None:
        begun.set()
        await asyncio.sleep(60)

    holding = asyncio.create_task(lease.hold(turn))
    await begun.wait()
    holding.cancel()

    with pytest.raises(asyncio.CancelledError):
        await holding


async def test_a_turn_that_is_cancelled_by_nobody_has_failed(store: SqliteStore) -> None:
    async def turn(claim: Claim) -> None:
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        gone.cancel()
        await gone

    with pytest.raises(RuntimeError, match="cancelled from within"):
        await (await claimed(store)).hold(turn)


async def test_what_a_turn_raises_is_raised(store: SqliteStore) -> None:
    async def turn(claim: Claim) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        await (await claimed(store)).hold(turn)


async def test_a_clock_that_breaks_ends_the_turn_and_says_so(store: SqliteStore) -> None:
    class Broken(SystemClock):
        async def sleep(self, seconds: float) -> None:
            raise OSError("no timers")

    lease = await claimed(store)
    lease.clock = Broken()

    async def turn(claim: Claim) -> None:
        await asyncio.sleep(60)

    with pytest.raises(OSError, match="no timers"):
        await lease.hold(turn)


async def test_a_turn_that_was_suspended_beyond_its_lease_is_told_whether_somebody_else_has_it(
    store: SqliteStore,
) -> None:
    lease = await claimed(store)
    lease.seconds = 60.0
    for left in (60.0, 15.0, -60.0):
        lease.ends = now() + left
        await lease.confirm()
        assert lease.ends > now() + lease.seconds / 3, "it is renewed where that is late, and nobody else has it"
    await taken_by_another(store)
    await lease.confirm()  # for the renewals are in time, so the store is not asked
    for left in (15.0, -60.0):
        lease.ends = now() + left
        with pytest.raises(LostError):
            await lease.confirm()
