"""The store's contract, part four: how often, and how much."""

from __future__ import annotations

import asyncio

import pytest

from bot.ports.budgets import Amount, Balance, Limit, Reservation
from bot.ports.store import Store
from tests.contract.conftest import OpenStore
from tests.fakes.clock import ManualClock

DAY, NEXT_DAY = "2026-03-01", "2026-03-02"

# ---------------------------------------------------------------- rates


async def test_a_burst_is_allowed_and_then_one_event_at_a_time(store: Store, clock: ManualClock) -> None:
    assert [await store.throttle("U1", 6, 3) for _ in range(3)] == [0.0, 0.0, 0.0]

    wait = await store.throttle("U1", 6, 3)

    assert wait == pytest.approx(10.0)
    clock.advance(wait)
    assert await store.throttle("U1", 6, 3) == 0.0
    assert await store.throttle("U1", 6, 3) == pytest.approx(10.0)


async def test_a_refused_event_does_not_count(store: Store, clock: ManualClock) -> None:
    await store.throttle("U1", 6, 1)
    for _ in range(5):
        assert await store.throttle("U1", 6, 1) == pytest.approx(10.0)
    clock.advance(4)

    assert await store.throttle("U1", 6, 1) == pytest.approx(6.0)


async def test_an_idle_key_has_its_whole_burst_again_and_no_more(store: Store, clock: ManualClock) -> None:
    for _ in range(2):
        await store.throttle("U1", 6, 2)
    clock.advance(3600)

    assert [await store.throttle("U1", 6, 2) for _ in range(3)] == [0.0, 0.0, pytest.approx(10.0)]


async def test_each_key_has_a_rate_of_its_own(store: Store) -> None:
    assert await store.throttle("U1", 1, 1) == 0.0
    assert await store.throttle("U2", 1, 1) == 0.0
    assert await store.throttle("U1", 1, 1) > 0


async def test_events_at_the_same_time_get_one_burst_among_them(store: Store) -> None:
    waits = await asyncio.gather(*(store.throttle("U1", 1, 4) for _ in range(20)))

    assert waits.count(0.0) == 4


@pytest.mark.parametrize(("per_minute", "burst"), [(0, 1), (-1, 1), (1, 0), (1e9, 1), (float("nan"), 1), (1e-9, 1)])
async def test_a_rate_that_is_none_is_refused(store: Store, per_minute: float, burst: int) -> None:
    with pytest.raises(ValueError, match=r"per_minute|longer than any clock"):
        await store.throttle("U1", per_minute, burst)


# ---------------------------------------------------------------- budgets


async def test_a_reservation_counts_at_once_in_all_its_scopes(store: Store) -> None:
    answer = await store.reserve("k1", DAY, Amount(100, 7), [Limit("U1", 500), Limit("all")])

    assert answer == Reservation(True, "", (Balance(Amount(100, 7)), Balance(Amount(100, 7))))
    assert await store.budget("U1", DAY) == Balance(Amount(100, 7))
    assert await store.budget("all", DAY) == Balance(Amount(100, 7))
    assert await store.budget("U2", DAY) == Balance()
    assert await store.budget("U1", NEXT_DAY) == Balance()


@pytest.mark.parametrize(
    ("limits", "short"),
    [
        ([Limit("U1", tokens=199)], "U1"),
        ([Limit("U1", micros=19)], "U1"),
        ([Limit("U1", 1000, 1000), Limit("all", tokens=0)], "all"),
        ([Limit("all", tokens=0), Limit("U1", tokens=0)], "all"),
    ],
)
async def test_a_reservation_beyond_one_limit_counts_nowhere(store: Store, limits: list[Limit], short: str) -> None:
    await store.reserve("k1", DAY, Amount(100, 10), [Limit("U1")])

    answer = await store.reserve("k2", DAY, Amount(100, 10), limits)

    assert (answer.allowed, answer.short) == (False, short)
    assert await store.budget("U1", DAY) == Balance(Amount(100, 10))
    assert await store.budget("all", DAY) == Balance()


async def test_a_limit_may_be_used_up_to_its_last_token(store: Store) -> None:
    limits = [Limit("U1", 200, 20)]

    assert (await store.reserve("k1", DAY, Amount(150, 20), limits)).allowed
    assert (await store.reserve("k2", DAY, Amount(50, 0), limits)).allowed
    assert not (await store.reserve("k3", DAY, Amount(1, 0), limits)).allowed
    assert (await store.reserve("k4", DAY, Amount(0, 0), limits)).allowed


async def test_a_reservation_under_one_key_counts_once(store: Store) -> None:
    limits = [Limit("U1", 100)]
    await store.reserve("k1", DAY, Amount(100), limits)

    again = await store.reserve("k1", DAY, Amount(100), limits)

    assert again == Reservation(True, "", (Balance(Amount(100)),))
    assert await store.budget("U1", DAY) == Balance(Amount(100))


async def test_a_refused_key_may_be_tried_again(store: Store) -> None:
    limits = [Limit("U1", 100)]
    assert not (await store.reserve("k1", DAY, Amount(150), limits)).allowed
    await store.grant("g1", "U1", DAY, Amount(50))

    assert (await store.reserve("k1", DAY, Amount(150), limits)).allowed


async def test_settling_replaces_what_was_reserved_once(store: Store) -> None:
    await store.reserve("k1", DAY, Amount(100, 10), [Limit("U1"), Limit("all")])

    assert await store.settle("k1", Amount(30, 4))
    assert await store.settle("k1", Amount(900, 900))

    assert await store.budget("U1", DAY) == Balance(Amount(30, 4))
    assert await store.budget("all", DAY) == Balance(Amount(30, 4))
    assert (await store.reserve("k1", DAY, Amount(100, 10), [Limit("U1")])).allowed
    assert await store.budget("U1", DAY) == Balance(Amount(30, 4))


async def test_a_call_that_came_to_more_than_was_reserved_counts_in_full(store: Store) -> None:
    limit = Limit("U1", 100)
    await store.reserve("k1", DAY, Amount(100), [limit])
    await store.settle("k1", Amount(140))

    balance = await store.budget("U1", DAY)

    assert balance == Balance(Amount(140))
    assert balance.left(limit) == Limit("U1", tokens=-40)


async def test_settling_what_was_never_reserved_says_so(store: Store) -> None:
    assert not await store.settle("k1", Amount(5, 5))
    await store.grant("k2", "U1", DAY, Amount(5))
    assert not await store.settle("k2", Amount(5, 5))


async def test_what_is_never_settled_stays_counted(store: Store, clock: ManualClock) -> None:
    await store.reserve("turn/1", DAY, Amount(60), [Limit("U1", 100)])
    clock.advance(3600)

    assert not (await store.reserve("turn/2", DAY, Amount(60), [Limit("U1", 100)])).allowed


async def test_a_grant_raises_the_limit_of_one_day_once(store: Store) -> None:
    assert await store.grant("g1", "U1", DAY, Amount(50, 5))
    assert not await store.grant("g1", "U1", DAY, Amount(50, 5))
    assert await store.grant("g2", "U1", DAY, Amount(-20, 0))

    assert await store.budget("U1", DAY) == Balance(granted=Amount(30, 5))
    assert (await store.reserve("k1", DAY, Amount(130), [Limit("U1", 100)])).allowed
    assert not (await store.reserve("k2", NEXT_DAY, Amount(130), [Limit("U1", 100)])).allowed


async def test_one_key_may_reserve_and_grant(store: Store) -> None:
    assert await store.grant("k", "U1", DAY, Amount(1))
    assert (await store.reserve("k", DAY, Amount(1), [Limit("U1", 0)])).allowed


async def test_reservations_at_the_same_time_never_exceed_a_limit(store: Store) -> None:
    limits = [Limit("U1", 1000), Limit("all", 75)]

    answers = await asyncio.gather(*(store.reserve(f"k{n}", DAY, Amount(10), limits) for n in range(20)))

    assert sum(answer.allowed for answer in answers) == 7
    assert await store.budget("U1", DAY) == Balance(Amount(70))


async def test_what_cannot_be_counted_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="tokens and micros"):
        await store.reserve("k1", DAY, Amount(-1), [Limit("U1")])
    with pytest.raises(ValueError, match="tokens and micros"):
        await store.settle("k1", Amount(0, -1))
    with pytest.raises(ValueError, match="tokens and micros"):
        await store.grant("k1", "U1", DAY, Amount(2**60))
    with pytest.raises(ValueError, match="twice"):
        await store.reserve("k1", DAY, Amount(1), [Limit("U1"), Limit("U1", 5)])

    assert await store.budget("U1", DAY) == Balance()


async def test_balances_of_many_scopes_stand_in_the_order_of_their_limits(open_store: OpenStore) -> None:
    store = await open_store(5)
    for n in range(6):
        await store.reserve(f"k{n}", DAY, Amount(n), [Limit(f"scope {n}")])

    answer = await store.reserve("k", DAY, Amount(10), [Limit(f"scope {n}") for n in (4, 0, 5)])

    assert [balance.spent.tokens for balance in answer.balances] == [14, 10, 15]


# ---------------------------------------------------------------- what was used


async def test_what_is_counted_is_counted_once_in_all_its_scopes(store: Store) -> None:
    assert await store.count("k1", DAY, Amount(100, 7), ["used/model/m", "used/user/u"])
    assert not await store.count("k1", DAY, Amount(100, 7), ["used/model/m", "used/user/u"])
    assert await store.count("k2", DAY, Amount(1, 1), ["used/model/m"])

    assert await store.counted(DAY) == {"used/model/m": Amount(101, 8), "used/user/u": Amount(100, 7)}
    assert await store.counted(NEXT_DAY) == {}


async def test_what_is_counted_is_told_beside_what_is_bounded_and_bounds_nothing(store: Store) -> None:
    await store.count("k1", DAY, Amount(100), ["all", "a name with spaces"])
    answer = await store.reserve("k1", DAY, Amount(50), [Limit("all", 1000)])

    assert answer.allowed
    assert await store.counted(DAY) == {"all": Amount(150), "a name with spaces": Amount(100)}


async def test_a_scope_under_another_name_keeps_what_it_has_spent(store: Store) -> None:
    await store.count("k1", DAY, Amount(100, 7), ["ada"])
    await store.count("k2", DAY, Amount(1, 1), ["person-1"])
    await store.grant("k3", "ada", DAY, Amount(5, 5))

    assert await store.rename_scope(DAY, "ada", "person-1")
    assert not await store.rename_scope(DAY, "ada", "person-1")
    assert not await store.rename_scope(DAY, "person-1", "person-1")

    assert await store.counted(DAY) == {"person-1": Amount(101, 8)}
    assert await store.budget("person-1", DAY) == Balance(Amount(101, 8), Amount(5, 5))


async def test_counting_refuses_less_than_nothing_and_a_scope_twice(store: Store) -> None:
    with pytest.raises(ValueError):
        await store.count("k1", DAY, Amount(-1), ["a"])
    with pytest.raises(ValueError):
        await store.count("k1", DAY, Amount(1), ["a", "a"])
    assert await store.counted(DAY) == {}
