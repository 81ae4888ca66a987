"""The store's contract, part three: spending, audit, counts, waiting, cancelling and closing."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.events import Usage
from bot.core.steps import Record
from bot.ports.store import Store
from tests.contract.store_contract import (
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

# ---------------------------------------------------------------- spending, audit


async def test_usage_is_summed_a_model_and_sorted(store: Store) -> None:
    await store.spend("k1", ROOM, Usage(1, 2, 3, 4, "opus"))
    await store.spend("k2", ROOM, Usage(10, 20, 30, 40, "haiku"))
    await store.spend("k3", ROOM, Usage(100, 200, 300, 400, "opus"))
    await store.spend("k4", OTHER, Usage(7, 7, 7, 7, "opus"))

    assert await store.spent(ROOM) == (Usage(10, 20, 30, 40, "haiku"), Usage(101, 202, 303, 404, "opus"))
    assert await store.spent("slack:T1:nowhere") == ()


async def test_usage_under_one_key_counts_once(store: Store) -> None:
    await store.spend("k1", ROOM, Usage(1, 2, 3, 4, "opus"))
    await store.spend("k1", ROOM, Usage(5, 5, 5, 5, "opus"))

    assert await store.spent(ROOM) == (Usage(1, 2, 3, 4, "opus"),)


async def test_the_audit_trail_keeps_each_record_once_and_in_order(store: Store) -> None:
    await store.audit("k1", ROOM, Record("approve", "U1", "abc"))
    await store.audit("k2", OTHER, Record("approve", "U9"))
    await store.audit("k3", ROOM, Record("yolo on", "U2"))
    await store.audit("k1", ROOM, Record("something else", "U3"))

    assert await store.audited(ROOM) == (Record("approve", "U1", "abc"), Record("yolo on", "U2"))
    assert await store.audited("slack:T1:nowhere") == ()


# ---------------------------------------------------------------- stats


async def test_stats_count_what_waits_what_runs_and_for_how_long(store: Store, clock: ManualClock) -> None:
    empty = await store.stats()
    assert (empty.waiting, empty.in_flight, empty.dead, empty.oldest_due) == (0, 0, 0, 0.0)
    await send(store, plain("m1", 1), plain("m2", 2))
    clock.advance(5)
    await send(store, plain("m1", 1), to=OTHER)
    clock.advance(2)

    due = await store.stats()
    assert (due.waiting, due.in_flight) == (3, 0)
    assert due.oldest_due == pytest.approx(7.0)

    await take(store)
    later = await store.stats()
    assert (later.waiting, later.in_flight) == (2, 1)
    assert later.oldest_due == pytest.approx(2.0)


# ---------------------------------------------------------------- wait


async def asleep(clock: ManualClock, waiting: asyncio.Task[None], sleepers: int = 1) -> None:
    """Return when that many have fallen asleep on the clock; the task must not be over before."""
    async with asyncio.timeout(5):
        while clock.sleepers < sleepers:
            assert not waiting.done()
            await asyncio.sleep(0)


async def idle(store: Store, clock: ManualClock, seconds: float = 60) -> asyncio.Task[None]:
    """A worker that found nothing and waits."""
    assert await nothing_is_due(store)
    waiting = asyncio.create_task(store.wait(seconds))
    await asleep(clock, waiting)
    return waiting


async def ends(waiting: asyncio.Task[None]) -> None:
    async with asyncio.timeout(5):
        await waiting


async def test_a_wait_ends_after_its_time(store: Store, clock: ManualClock) -> None:
    waiting = await idle(store, clock, seconds=10)
    clock.advance(9)
    await asyncio.sleep(0)
    assert not waiting.done()

    clock.advance(1)

    await ends(waiting)


async def test_new_mail_ends_every_wait(store: Store, clock: ManualClock) -> None:
    first = await idle(store, clock)
    second = asyncio.create_task(store.wait(60))
    await asleep(clock, second, sleepers=2)

    await send(store, plain("m1", 1))

    await ends(first)
    await ends(second)


@pytest.mark.parametrize("end", ["commit", "retry", "release", "put back", "bury"])
async def test_a_conversation_given_back_ends_a_wait(store: Store, clock: ManualClock, end: str) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    claim = await take(store)
    waiting = await idle(store, clock)

    match end:
        case "commit":
            await finish(store, claim)
        case "retry":
            await store.retry(claim, 0)
        case "release":
            await store.release(claim)
        case "put back":
            await store.put_back(claim, 0)
        case _:
            await store.bury(claim, "over")

    await ends(waiting)
    await take(store)


async def test_mail_between_an_empty_claim_and_the_wait_is_not_missed(store: Store, clock: ManualClock) -> None:
    assert await nothing_is_due(store)
    await send(store, plain("m1", 1))
    await send(store, plain("m1", 1), to=OTHER)

    await ends(asyncio.create_task(store.wait(60)))
    await take(store)
    await ends(asyncio.create_task(store.wait(60)))

    await take(store)


async def test_a_wait_ends_when_a_retry_delay_does(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    await store.retry(await take(store), 5)
    waiting = await idle(store, clock)

    clock.advance(5)

    await ends(waiting)
    assert ids(await take(store)) == ["m1"]


async def test_a_wait_ends_when_a_lease_does(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    await take(store)
    waiting = await idle(store, clock)

    clock.advance(LEASE)

    await ends(waiting)
    assert (await take(store)).expiries == 1


async def test_a_conversation_left_to_newer_builds_does_not_keep_a_worker_spinning(
    store: Store, clock: ManualClock
) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    await finish(store, await take(store), version=VERSION + 1)

    waiting = await idle(store, clock)

    clock.advance(60)
    await ends(waiting)


async def test_a_cancelled_wait_leaves_nobody_asleep(store: Store, clock: ManualClock) -> None:
    waiting = await idle(store, clock)

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0)
    assert clock.sleepers == 0


# ---------------------------------------------------------------- cancellation, closing


async def test_a_cancelled_call_takes_effect_as_a_whole_or_not_at_all(store: Store) -> None:
    for n in range(40):
        sending = asyncio.create_task(store.enqueue(ROOM, plain(f"m{n}", n)))
        for _ in range(n % 4):
            await asyncio.sleep(0)
        sending.cancel()
        await asyncio.wait({sending})

    redelivered = [n for n in range(40) if await store.enqueue(ROOM, plain(f"m{n}", n))]

    assert redelivered, "a call that is cancelled before it begins does nothing"
    assert await drain(store) == [f"m{n}" for n in range(40)]


async def test_a_cancelled_claim_keeps_nothing_from_others(store: Store) -> None:
    await send(store, plain("m1", 1))
    for n in range(20):
        claiming = asyncio.create_task(store.claim("w1", LEASE, VERSION))
        for _ in range(n % 4):
            await asyncio.sleep(0)
        claiming.cancel()
        await asyncio.wait({claiming})
        if not claiming.cancelled() and (claim := claiming.result()) is not None:
            await store.release(claim)

        again = await take(store)
        assert (again.attempt, again.expiries) == (0, 0)
        await store.release(again)


async def test_closing_twice_is_once(store: Store) -> None:
    await store.close()
    await store.close()
