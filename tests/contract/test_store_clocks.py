"""The store's contract, part seven: clocks that somebody sets, forward and back, at a start and while it works."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.steps import Record
from bot.ports.store import Store
from bot.ports.upkeep import Expired
from tests.contract.conftest import OpenStore
from tests.contract.store_contract import (
    DAY,
    HOUR,
    LEASE,
    OTHER,
    ROOM,
    VERSION,
    drain,
    finish,
    ids,
    nothing_is_due,
    plain,
    send,
    take,
)
from tests.fakes.clock import ManualClock

SETTINGS = pytest.mark.parametrize(
    "seconds", [-HOUR, -200 * DAY, HOUR, 200 * DAY], ids=["-1h", "-200d", "+1h", "+200d"]
)
"""By how much somebody sets the clock."""


@SETTINGS
async def test_mail_that_waits_is_taken_whatever_the_clock_is_set_to(
    store: Store, clock: ManualClock, seconds: float
) -> None:
    await send(store, plain("m1", 1))
    await send(store, plain("m2", 2), to=OTHER)

    clock.set_by(seconds)

    assert sorted(await drain(store)) == ["m1", "m2"]
    await send(store, plain("m3", 3))
    assert await drain(store) == ["m3"]


async def test_a_retry_is_due_after_its_delay_when_the_clock_went_back(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    assert await store.retry(await take(store), 2)

    clock.set_by(-HOUR)
    claim = await store.claim("w", LEASE, VERSION)  # at once on a server that has no other clock
    if claim is None:
        clock.advance(2)
        claim = await take(store)

    assert ids(claim) == ["m1"]


async def test_a_dead_workers_turn_is_taken_up_when_its_lease_is_over_though_the_clock_went_back(
    store: Store, clock: ManualClock
) -> None:
    await send(store, plain("m1", 1))
    await take(store)

    clock.set_by(-HOUR)
    assert await nothing_is_due(store)
    clock.advance(LEASE)

    assert ids(await take(store)) == ["m1"]


async def test_who_renews_keeps_a_turn_though_the_clock_went_back(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)

    clock.set_by(-HOUR)
    assert await nothing_is_due(store)
    clock.advance(LEASE / 3)
    assert await store.renew(claim, LEASE)
    clock.advance(LEASE / 3)

    assert await nothing_is_due(store)
    assert await finish(store, claim)


@pytest.mark.parametrize("seconds", [-HOUR, -200 * DAY])
async def test_a_repeated_delivery_is_known_though_the_clock_went_back(
    store: Store, clock: ManualClock, seconds: float
) -> None:
    await send(store, plain("m1", 1))
    await drain(store)

    clock.set_by(seconds)

    assert not await store.enqueue(ROOM, plain("m1", 1))


async def test_a_rate_holds_nobody_up_for_longer_than_its_burst_when_the_clock_went_back(
    store: Store, clock: ManualClock
) -> None:
    while not await store.throttle("U1", 6, 3):
        pass

    clock.set_by(-HOUR)

    assert await store.throttle("U1", 6, 3) <= 10
    clock.advance(10)
    assert await store.throttle("U1", 6, 3) == 0


# ---------------------------------------------------------------- expiry


async def silent(store: Store, *rooms: str) -> None:
    for room in rooms:
        await send(store, plain("m1", 1), to=room)
        await finish(store, await take(store), "state", ("line",))


async def test_one_look_deletes_nothing_however_wrong_the_clock_is(store: Store, clock: ManualClock) -> None:
    await silent(store, ROOM, OTHER)
    await send(store, plain("d1", 1), to="slack:T1:C3")
    await store.bury(await take(store), "it broke")
    clock.set_by(200 * DAY)

    looks = [await store.expire(180 * DAY) for _ in range(3)]

    assert looks == [Expired(0, 4), Expired(), Expired()]
    assert len(await store.conversations()) == 2
    assert len(await store.dead()) == 1


async def test_a_look_by_the_right_clock_takes_back_what_a_wrong_one_has_noted(
    store: Store, clock: ManualClock
) -> None:
    await silent(store, ROOM)
    for _ in range(3):
        clock.set_by(200 * DAY)
        await store.expire(180 * DAY)
        clock.set_by(-200 * DAY)
        clock.advance(DAY)
        await store.expire(180 * DAY)

    assert await store.log(ROOM) == ("line",)


async def test_who_speaks_between_two_looks_stays(store: Store, clock: ManualClock) -> None:
    await silent(store, ROOM, OTHER)
    clock.advance(3 * DAY)
    assert await store.expire(2 * DAY) == Expired(0, 2)
    clock.advance(DAY - 1)
    assert await store.expire(2 * DAY) == Expired()
    await send(store, plain("m2", 2))
    await drain(store)

    clock.advance(1)

    assert await store.expire(2 * DAY) == Expired(1, 0)
    assert [info.key for info in await store.conversations()] == [ROOM]


async def test_what_is_gone_is_gone_with_all_that_was_noted_of_it(store: Store, clock: ManualClock) -> None:
    await silent(store, ROOM)
    await store.audit("k", ROOM, Record("approve", "U1"))
    clock.advance(3 * DAY)
    await store.expire(2 * DAY)
    await store.forget(ROOM)
    clock.advance(DAY)

    assert await store.expire(2 * DAY) == Expired()
    assert await store.audited(ROOM) == (Record("approve", "U1"),)


@pytest.mark.parametrize("rooms", [45])
async def test_a_look_is_bounded_and_the_next_one_goes_on(
    open_store: OpenStore, clock: ManualClock, rooms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("sqlite", "redis"):
        monkeypatch.setattr(f"bot.stores.{module}.MOST_A_LOOK", 20)
    store = await open_store(500)
    await silent(store, *(f"slack:T1:C{n}" for n in range(rooms)))
    clock.advance(3 * DAY)
    gone, first = 0, await store.expire(2 * DAY)
    assert 20 <= first.noted <= 3 * 20 < 2 * rooms

    looks = 0
    while await store.conversations():
        clock.advance(DAY)
        look = await store.expire(2 * DAY)
        assert look.gone <= 3 * 20
        gone, looks = gone + look.gone, looks + 1

    assert gone == rooms


async def test_what_waits_for_a_delay_wakes_after_it_though_the_clock_went_back(
    store: Store, clock: ManualClock
) -> None:
    await send(store, plain("m1", 1))
    await store.retry(await take(store), 5)
    assert await nothing_is_due(store)
    waiting = asyncio.create_task(store.wait(60))
    async with asyncio.timeout(5):
        while not clock.sleepers:  # noqa: ASYNC110  # a clock tells nobody
            await asyncio.sleep(0)
    clock.set_by(-HOUR)

    clock.advance(5)

    async with asyncio.timeout(5):
        await waiting
    while (claim := await store.claim("w", LEASE, VERSION)) is None:
        clock.advance(5)
    assert ids(claim) == ["m1"]
