"""The store's contract, part one: mailboxes, and who may take what from them."""

from __future__ import annotations

import pytest

from bot.ports.mailbox import Claim, MailboxFullError, Message
from bot.ports.store import Store
from tests.contract.conftest import OpenStore
from tests.contract.store_contract import (
    HOUR,
    LEASE,
    OTHER,
    ROOM,
    VERSION,
    GiveUp,
    command,
    drain,
    every_way_to_give_up,
    finish,
    ids,
    nothing_is_due,
    plain,
    send,
    take,
)
from tests.fakes.clock import ManualClock

# ---------------------------------------------------------------- enqueue


async def test_a_message_comes_back_as_it_went_in(store: Store) -> None:
    message = Message("m1", 'any text: "\\", é, 🎭, \n and \x00', 1_700_000_000_123_456, plain=True)

    await send(store, message)

    assert (await take(store)).taken == (message,)


async def test_a_redelivered_message_is_not_taken_again(store: Store) -> None:
    await send(store, plain("m1", 1))

    assert not await store.enqueue(ROOM, plain("m1", 1))
    assert await drain(store) == ["m1"]
    assert not await store.enqueue(ROOM, plain("m1", 1))
    assert await nothing_is_due(store)


async def test_one_id_may_come_in_two_conversations(store: Store) -> None:
    await send(store, plain("m1", 1))

    assert await store.enqueue(OTHER, plain("m1", 1))


async def test_an_id_is_remembered_for_25_hours(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    clock.advance(25 * HOUR - 1)
    assert not await store.enqueue(ROOM, plain("m1", 1))

    clock.advance(1)

    assert await store.enqueue(ROOM, plain("m1", 1))


async def test_many_ids_are_forgotten_at_once(store: Store, clock: ManualClock) -> None:
    await send(store, *(plain(f"m{n}", n) for n in range(40)))
    clock.advance(25 * HOUR)

    await send(store, *(plain(f"m{n}", n) for n in reversed(range(40))))

    assert (await store.stats()).waiting == 80


async def test_a_redelivery_does_not_make_an_id_remembered_longer(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    clock.advance(24 * HOUR)
    assert not await store.enqueue(ROOM, plain("m1", 1))

    clock.advance(1 * HOUR)

    assert await store.enqueue(ROOM, plain("m1", 1))


async def test_messages_are_ordered_by_the_platform_not_by_their_arrival(store: Store) -> None:
    await send(store, plain("third", 30), plain("first", 10), plain("second", 20))

    assert await drain(store) == ["first", "second", "third"]


async def test_messages_of_one_order_keep_the_order_of_their_arrival(store: Store) -> None:
    await send(store, plain("b", 5), plain("a", 5), plain("c", 5))

    assert await drain(store) == ["b", "a", "c"]


async def test_orders_are_told_apart_up_to_64_bits(store: Store) -> None:
    await send(store, plain("late", 2**63 - 1), plain("early", 2**63 - 2))

    assert await drain(store) == ["early", "late"]


async def test_an_order_beyond_64_bits_is_refused_by_name(store: Store) -> None:
    with pytest.raises(ValueError, match=r"order of message 'm1' is 9223372036854775808; it has to fit 64 bits"):
        await store.enqueue(ROOM, plain("m1", 2**63))

    assert await nothing_is_due(store)


async def test_a_full_mailbox_takes_no_more_and_says_so(open_store: OpenStore) -> None:
    store = await open_store(2)
    await send(store, plain("m1", 1), plain("m2", 2))

    with pytest.raises(MailboxFullError, match=f"mailbox of {ROOM} is full: 2 messages"):
        await store.enqueue(ROOM, plain("m3", 3))

    await send(store, plain("m4", 4), to=OTHER)
    assert (await store.stats()).waiting == 3


async def test_what_a_full_mailbox_refused_stays_refused(open_store: OpenStore, clock: ManualClock) -> None:
    store = await open_store(1)
    await send(store, plain("m1", 1))
    with pytest.raises(MailboxFullError):
        await store.enqueue(ROOM, plain("m2", 2))
    assert not await store.enqueue(ROOM, plain("m2", 2)), "a redelivery is no second chance"
    assert await finish(store, await take(store))

    assert not await store.enqueue(ROOM, plain("m2", 2)), "nor is a backfill when there is room again"
    assert await store.control(ROOM, plain("m2", 2)), "it counts as taken"
    assert await nothing_is_due(store)
    assert await store.last_seen(ROOM) == 2, "what is asked for later begins behind it"
    await send(store, plain("m3", 3))
    assert await drain(store) == ["m3"]


async def test_a_refusal_is_remembered_as_long_as_any_id(open_store: OpenStore, clock: ManualClock) -> None:
    store = await open_store(1)
    await send(store, plain("m1", 1))
    with pytest.raises(MailboxFullError):
        await store.enqueue(ROOM, plain("m2", 2))
    assert await drain(store) == ["m1"]
    clock.advance(25 * HOUR - 1)
    assert not await store.enqueue(ROOM, plain("m2", 2))
    clock.advance(2)
    assert await store.enqueue(ROOM, plain("m2", 2))


async def test_a_redelivery_to_a_full_mailbox_was_seen_before(open_store: OpenStore) -> None:
    store = await open_store(1)
    await send(store, plain("m1", 1))

    assert not await store.enqueue(ROOM, plain("m1", 1))


async def test_messages_of_a_turn_do_not_count_against_the_cap(open_store: OpenStore) -> None:
    store = await open_store(2)
    await send(store, plain("m1", 1), plain("m2", 2))
    await take(store, together=2)

    await send(store, plain("m3", 3), plain("m4", 4))


# ---------------------------------------------------------------- amend


async def test_an_edit_replaces_an_untaken_message_in_its_place(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))

    assert await store.amend(ROOM, "m1", "better words")

    assert (await take(store)).taken == (Message("m1", "better words", 1, plain=True),)


@pytest.mark.parametrize("was", [True, False])
@pytest.mark.parametrize("now", [True, False])
async def test_an_amended_message_may_become_plain_or_stop_being_so(store: Store, was: bool, now: bool) -> None:
    first = Message("m1", "words", 1, plain=was)
    await send(store, first, plain("m2", 2))
    assert await store.amend(ROOM, "m1", "other", plain=now)
    taken = (Message("m1", "other", 1, plain=now), plain("m2", 2))
    assert (await take(store, together=5)).taken == (taken if now else taken[:1])


async def test_a_deletion_takes_an_untaken_message_out(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))

    assert await store.amend(ROOM, "m1", None)

    assert await drain(store) == ["m2"]


async def test_deleting_the_only_message_leaves_nothing_due(store: Store) -> None:
    await send(store, plain("m1", 1))

    assert await store.amend(ROOM, "m1", None)

    assert await nothing_is_due(store)
    assert (await store.stats()).waiting == 0
    await send(store, plain("m2", 2))
    assert await drain(store) == ["m2"]


async def test_a_deleted_message_does_not_come_back_by_a_redelivery(store: Store) -> None:
    await send(store, plain("m1", 1))
    await store.amend(ROOM, "m1", None)

    assert not await store.enqueue(ROOM, plain("m1", 1))


@pytest.mark.parametrize("payload", ["edited", None])
async def test_a_taken_message_is_not_amended(store: Store, payload: str | None) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    claim = await take(store, together=2)

    assert not await store.amend(ROOM, "m2", payload)

    await store.release(claim)
    assert (await take(store)).taken == (plain("m1", 1), plain("m2", 2))


async def test_deleting_what_waits_behind_a_turn_leaves_the_turn_claimable(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    await take(store)

    assert await store.amend(ROOM, "m2", None)

    clock.advance(LEASE)
    assert ids(await take(store)) == ["m1"]


@pytest.mark.parametrize("payload", ["edited", None])
async def test_there_is_nothing_to_amend_where_nothing_is(store: Store, payload: str | None) -> None:
    await send(store, plain("m1", 1))

    assert not await store.amend(ROOM, "m2", payload)
    assert not await store.amend(OTHER, "m1", payload)


# ---------------------------------------------------------------- claim


async def test_nothing_is_due_in_an_empty_store(store: Store) -> None:
    assert await nothing_is_due(store)


async def test_a_first_claim_has_neither_state_nor_turn_nor_failures(store: Store) -> None:
    await send(store, plain("m1", 1))

    claim = await take(store)

    assert claim == Claim(ROOM, claim.fence, (plain("m1", 1),), None, None, 0, 0)
    assert claim.head == plain("m1", 1)


async def test_a_conversation_has_one_holder_at_a_time(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    await take(store)

    assert await nothing_is_due(store)
    clock.advance(LEASE - 0.001)
    assert await nothing_is_due(store)


async def test_other_conversations_are_claimed_meanwhile(store: Store) -> None:
    await send(store, plain("m1", 1))
    await send(store, plain("m1", 1), to=OTHER)

    assert {(await take(store)).conversation, (await take(store)).conversation} == {ROOM, OTHER}


async def test_the_conversation_that_waited_longest_comes_first(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 9), to=OTHER)
    clock.advance(1)
    await send(store, plain("m1", 1))

    assert (await take(store)).conversation == OTHER
    assert (await take(store)).conversation == ROOM


async def test_more_mail_does_not_put_a_waiting_conversation_behind_others(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    clock.advance(1)
    await send(store, plain("m1", 1), to=OTHER)
    clock.advance(1)
    await send(store, plain("m2", 2))

    assert (await take(store)).conversation == ROOM


async def test_a_busy_conversation_lets_others_have_their_turn(store: Store, clock: ManualClock) -> None:
    await send(store, *(plain(f"m{n}", n) for n in range(3)))
    claim = await take(store)
    clock.advance(1)
    await send(store, plain("m1", 1), to=OTHER)
    clock.advance(1)
    await finish(store, claim)

    assert (await take(store)).conversation == OTHER


async def test_each_claim_has_a_higher_fence(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    first = await take(store)
    clock.advance(LEASE)
    second = await take(store)
    await finish(store, second)

    third = await take(store)

    assert first.fence < second.fence < third.fence


async def test_an_ended_lease_is_taken_over_and_counted(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    assert (await take(store)).expiries == 0

    clock.advance(LEASE)
    assert (await take(store, worker="w2")).expiries == 1
    clock.advance(LEASE)
    third = await take(store, worker="w3")

    assert (third.expiries, third.attempt) == (2, 0)


async def test_a_retake_brings_the_same_messages_whatever_came_meanwhile(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m2", 20), plain("m3", 30))
    first = await take(store, together=20)
    await send(store, plain("m1", 10), plain("m4", 40))
    clock.advance(LEASE)

    second = await take(store, together=1)

    assert ids(first) == ids(second) == ["m2", "m3"]
    await finish(store, second)
    assert await drain(store) == ["m1", "m4"]


@every_way_to_give_up
async def test_a_retake_has_the_frozen_messages_state_and_turn(
    store: Store, clock: ManualClock, give_up: GiveUp
) -> None:
    await send(store, plain("m0", 0))
    await finish(store, await take(store), "the state")
    await send(store, plain("m1", 10), plain("m2", 20))
    claim = await take(store, together=2)
    await store.checkpoint(claim, "the turn", VERSION)
    await send(store, plain("earlier", 5), plain("later", 25))
    await give_up(store, clock, claim)

    again = await take(store, together=20, worker="w2")

    assert (ids(again), again.state, again.turn) == (["m1", "m2"], "the state", "the turn")


async def test_a_newer_state_is_left_alone(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    await finish(store, await take(store), version=VERSION + 1)

    assert await store.claim("old", LEASE, VERSION) is None

    newer = await store.claim("new", LEASE, VERSION + 1)
    assert newer is not None and ids(newer) == ["m2"]


async def test_a_newer_turn_is_left_alone(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    await store.checkpoint(await take(store), "turn", VERSION + 1)
    clock.advance(LEASE)

    assert await store.claim("old", LEASE, VERSION) is None

    newer = await store.claim("new", LEASE, VERSION + 1)
    assert newer is not None and newer.turn == "turn"


async def test_a_newer_conversation_does_not_hold_others_up(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    await finish(store, await take(store), version=VERSION + 1)
    await send(store, plain("m1", 1), to=OTHER)

    assert (await take(store)).conversation == OTHER


async def test_an_ended_turn_leaves_no_version_behind(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    claim = await take(store)
    await store.checkpoint(claim, "turn", VERSION + 1)
    await finish(store, claim, version=VERSION)

    assert ids(await take(store)) == ["m2"]


@pytest.mark.parametrize(("lease", "together"), [(0.0, 1), (-1.0, 1), (1.0, 0)])
async def test_a_claim_of_nothing_is_refused(store: Store, lease: float, together: int) -> None:
    with pytest.raises(ValueError, match="lease > 0 and together >= 1"):
        await store.claim("w1", lease, VERSION, together)


# ---------------------------------------------------------------- together


async def test_plain_messages_in_a_row_are_taken_together(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2), plain("m3", 3))

    assert ids(await take(store, together=20)) == ["m1", "m2", "m3"]


async def test_no_more_are_taken_together_than_asked_for(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2), plain("m3", 3))

    claim = await take(store, together=2)

    assert ids(claim) == ["m1", "m2"]
    await finish(store, claim)
    assert await drain(store) == ["m3"]


async def test_a_message_that_is_not_plain_ends_a_burst(store: Store) -> None:
    await send(store, plain("m1", 1), command("m2", 2), plain("m3", 3), plain("m4", 4))

    bursts = []
    while (claim := await store.claim("w1", LEASE, VERSION, 20)) is not None:
        bursts.append(ids(claim))
        await finish(store, claim)

    assert bursts == [["m1"], ["m2"], ["m3", "m4"]]


async def test_nothing_is_taken_together_where_the_floor_is_not_open(store: Store) -> None:
    await send(store, plain("m0", 0))
    await finish(store, await take(store), floor_open=False)
    await send(store, plain("m1", 1), plain("m2", 2))

    claim = await take(store, together=20)

    assert ids(claim) == ["m1"]
    await finish(store, claim, floor_open=True)
    await send(store, plain("m3", 3))
    assert ids(await take(store, together=20)) == ["m2", "m3"]
