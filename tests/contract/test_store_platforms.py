"""The store's contract, part eight: a worker takes, counts and waits for the conversations of its own platforms."""

from __future__ import annotations

import asyncio

import pytest

from bot.ports.mailbox import Claim, Stats
from bot.ports.store import Store
from tests.contract.store_contract import DAY, LEASE, VERSION, finish, plain, send
from tests.fakes.clock import ManualClock

SLACK = frozenset({"slack"})
DISCORD = frozenset({"discord"})
BOTH = SLACK | DISCORD
ON_SLACK, ON_SLACK_TOO = "slack:T1:C1", "slack:T1:C2"
ON_DISCORD = "discord:G1:C1"


async def claimed(store: Store, platforms: frozenset[str] | None) -> str | None:
    """The conversation that a worker of those platforms gets, and keeps."""
    claim = await store.claim("w1", LEASE, VERSION, 1, platforms)
    return None if claim is None else claim.conversation


async def taken(store: Store, platforms: frozenset[str]) -> Claim:
    claim = await store.claim("w1", LEASE, VERSION, 1, platforms)
    assert claim is not None
    return claim


async def one_each(store: Store, clock: ManualClock, *conversations: str) -> None:
    """A message in each, a second apart."""
    for where in conversations:
        await send(store, plain("m1", 1), to=where)
        clock.advance(1)


async def idle(store: Store, clock: ManualClock, platforms: frozenset[str] | None) -> asyncio.Task[None]:
    """A worker of those platforms that found nothing and waits."""
    assert await claimed(store, platforms) is None
    sleepers = clock.sleepers
    waiting = asyncio.create_task(store.wait(60, platforms))
    async with asyncio.timeout(5):
        while clock.sleepers <= sleepers:
            assert not waiting.done()
            await asyncio.sleep(0)
    return waiting


async def ends(waiting: asyncio.Task[None]) -> None:
    async with asyncio.timeout(5):
        await waiting


# ---------------------------------------------------------------- claims


async def test_a_claim_never_brings_another_platforms_conversation(store: Store, clock: ManualClock) -> None:
    await one_each(store, clock, ON_DISCORD, ON_SLACK)

    assert await claimed(store, SLACK) == ON_SLACK
    assert await claimed(store, SLACK) is None
    assert await claimed(store, DISCORD) == ON_DISCORD
    assert await claimed(store, DISCORD) is None


@pytest.mark.parametrize("platforms", [BOTH, BOTH | {"terminal"}, None])
async def test_over_several_platforms_who_has_waited_longest_comes_first(
    store: Store, clock: ManualClock, platforms: frozenset[str] | None
) -> None:
    rooms = [ON_SLACK, ON_DISCORD, ON_SLACK_TOO, "discord:G1:C2", "discord:G1:C3", "slack:T1:C3"]
    await one_each(store, clock, *rooms)

    assert [await claimed(store, platforms) for _ in range(len(rooms) + 1)] == [*rooms, None]


async def test_without_platforms_there_is_nothing_to_claim(store: Store, clock: ManualClock) -> None:
    await one_each(store, clock, ON_SLACK, ON_DISCORD)

    assert await claimed(store, frozenset()) is None
    assert await store.stats(frozenset()) == Stats(0, 0, 0, 0.0)


async def test_a_platform_is_the_whole_name_before_the_first_colon(store: Store, clock: ManualClock) -> None:
    await one_each(store, clock, "slackish:T1:C1", "sla:slack:C1", "slack:T1:C1")

    assert await claimed(store, SLACK) == "slack:T1:C1"
    assert await claimed(store, SLACK) is None
    assert (await store.stats(SLACK)).in_flight == 1


async def test_a_lease_that_ran_out_is_taken_over_on_its_platform_only(store: Store, clock: ManualClock) -> None:
    await one_each(store, clock, ON_SLACK)
    await taken(store, SLACK)
    clock.advance(LEASE)

    assert await claimed(store, DISCORD) is None
    again = await taken(store, SLACK)
    assert (again.conversation, again.expiries) == (ON_SLACK, 1)


async def test_what_is_left_to_newer_builds_on_one_platform_hides_nothing_on_another(
    store: Store, clock: ManualClock
) -> None:
    newer = [f"slack:T1:N{n:02}" for n in range(25)]
    for where in newer:
        await send(store, plain("m1", 1), plain("m2", 2), to=where)
        await finish(store, await taken(store, SLACK), version=VERSION + 1)
    clock.advance(1)
    await one_each(store, clock, ON_DISCORD, ON_SLACK)

    assert [await claimed(store, BOTH) for _ in range(3)] == [ON_DISCORD, ON_SLACK, None]


# ---------------------------------------------------------------- counts


async def test_stats_count_what_a_worker_of_these_platforms_can_carry(store: Store, clock: ManualClock) -> None:
    await one_each(store, clock, ON_DISCORD, "discord:G1:C2", ON_SLACK)
    await send(store, plain("m2", 2), plain("m3", 3), to=ON_SLACK)
    await taken(store, SLACK)
    assert await store.bury(await taken(store, DISCORD), "over")

    slack, discord = await store.stats(SLACK), await store.stats(DISCORD)

    assert (slack.waiting, slack.in_flight, slack.dead, slack.oldest_due) == (2, 1, 0, 0.0)
    assert (discord.waiting, discord.in_flight, discord.dead) == (1, 0, 1)
    assert discord.oldest_due == pytest.approx(2.0)
    assert await store.stats(BOTH) == await store.stats() == Stats(3, 1, 1, discord.oldest_due)


async def test_dead_letters_are_counted_on_their_platform_until_they_are_gone(store: Store, clock: ManualClock) -> None:
    for where in (ON_SLACK, ON_SLACK_TOO, "slack:T1:C3", ON_DISCORD):
        await send(store, plain("m1", 1), to=where)
        assert await store.bury(await taken(store, BOTH), "over")
        clock.advance(1)
    assert [(await store.stats(p)).dead for p in (SLACK, DISCORD, None)] == [3, 1, 4]
    letters = {letter.conversation: letter.id for letter in await store.dead()}

    assert await store.replay(letters[ON_SLACK], "again")
    assert (await store.stats(SLACK)).dead == 2
    await store.forget(ON_SLACK_TOO)
    assert (await store.stats(SLACK)).dead == 1
    await store.expire(1.5)
    clock.advance(DAY)
    await store.expire(1.5)
    assert [(await store.stats(p)).dead for p in (SLACK, DISCORD, None)] == [0, 1, 1]


# ---------------------------------------------------------------- waiting


@pytest.mark.parametrize("platforms", [SLACK, BOTH, None])
async def test_mail_ends_the_wait_of_who_can_carry_it(
    store: Store, clock: ManualClock, platforms: frozenset[str] | None
) -> None:
    waiting = await idle(store, clock, platforms)

    await send(store, plain("m1", 1), to=ON_SLACK)

    await ends(waiting)
    assert await claimed(store, platforms) == ON_SLACK


async def test_what_comes_due_on_another_platform_ends_no_wait(store: Store, clock: ManualClock) -> None:
    await one_each(store, clock, ON_DISCORD, ON_SLACK)
    assert await store.retry(await taken(store, DISCORD), 5)
    assert await store.retry(await taken(store, SLACK), 20)
    waiting = await idle(store, clock, SLACK)

    clock.advance(10)
    await asyncio.sleep(0.05)
    assert not waiting.done()
    clock.advance(10)

    await ends(waiting)
    assert await claimed(store, SLACK) == ON_SLACK


async def test_an_empty_claim_for_one_platform_hides_no_mail_from_the_wait_for_another(
    store: Store, clock: ManualClock
) -> None:
    assert await claimed(store, DISCORD) is None
    await send(store, plain("m1", 1), to=ON_DISCORD)
    assert await claimed(store, SLACK) is None

    await ends(asyncio.create_task(store.wait(60, DISCORD)))

    assert await claimed(store, DISCORD) == ON_DISCORD
