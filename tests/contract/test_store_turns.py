"""The store's contract, part two: what a claim may do, from its lease to its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bot.ports.mailbox import Claim, Left, Message
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

# ---------------------------------------------------------------- leases, renewals, fences


async def test_a_renewed_lease_counts_from_now(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    clock.advance(LEASE - 1)

    assert await store.renew(claim, LEASE)

    clock.advance(LEASE - 1)
    assert await nothing_is_due(store)
    clock.advance(1)
    assert ids(await take(store)) == ["m1"]


async def test_a_claim_is_good_after_its_lease_until_somebody_takes_over(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    clock.advance(LEASE * 2)

    assert await store.renew(claim, LEASE)
    assert await nothing_is_due(store)
    clock.advance(LEASE * 2)
    assert await store.checkpoint(claim, "turn", VERSION)
    assert await finish(store, claim)
    assert await nothing_is_due(store)


Write = Callable[[Store, Claim], Awaitable[bool]]
WRITES: dict[str, Write] = {
    "renew": lambda store, claim: store.renew(claim, 1000),
    "checkpoint": lambda store, claim: store.checkpoint(claim, "stale turn", VERSION),
    "commit": lambda store, claim: finish(
        store, claim, "stale state", ("stale",), floor_open=False, follow_up=plain("stale", 0)
    ),
    "retry": lambda store, claim: store.retry(claim, 1000),
    "release": lambda store, claim: store.release(claim),
    "put back": lambda store, claim: store.put_back(claim, 1000),
    "bury": lambda store, claim: store.bury(claim, "stale"),
    "bury, and leave": lambda store, claim: store.bury(claim, "stale", Left("stale state", VERSION, ("stale",))),
}
every_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


@every_write
async def test_a_claim_that_was_taken_over_writes_nothing(store: Store, clock: ManualClock, write: Write) -> None:
    await send(store, plain("m0", 0))
    await finish(store, await take(store), "state", ("line",))
    await send(store, plain("m1", 1), plain("m2", 2), plain("m3", 3))
    stale = await take(store, together=2)
    clock.advance(LEASE)
    good = await take(store)
    await store.checkpoint(good, "turn", VERSION)
    await store.control(ROOM, command("stop", 9))
    before = await store.stats()

    assert not await write(store, stale)

    assert await store.stats() == before
    assert await nothing_is_due(store)
    assert await store.dead() == ()
    assert (await store.peek(ROOM), await store.log(ROOM)) == ("state", ("line",))
    assert await store.flagged(good) == command("stop", 9)
    clock.advance(LEASE)
    again = await take(store)
    assert again == Claim(ROOM, again.fence, good.taken, "state", "turn", 0, 1)


@every_write
@pytest.mark.parametrize("ending", ["retry", "release", "bury"])
async def test_a_claim_that_was_given_back_writes_nothing(
    store: Store, clock: ManualClock, write: Write, ending: str
) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    claim = await take(store)
    ends: dict[str, Callable[[], Awaitable[bool]]] = {
        "retry": lambda: store.retry(claim, 5),
        "release": lambda: store.release(claim),
        "bury": lambda: store.bury(claim, "over"),
    }
    assert await ends[ending]()
    before = await store.stats()

    assert not await write(store, claim)

    assert await store.stats() == before
    assert (await store.peek(ROOM), await store.log(ROOM)) == (None, ())
    clock.advance(5)
    assert ids(await take(store)) == (["m2"] if ending == "bury" else ["m1"])


async def test_a_renewal_that_lands_after_the_commit_parks_nothing(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    claim = await take(store)
    await finish(store, claim)

    assert not await store.renew(claim, 1000)

    assert ids(await take(store)) == ["m2"]


async def test_a_renewal_after_the_last_commit_makes_nothing_due(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    await finish(store, claim)

    assert not await store.renew(claim, 10)

    clock.advance(11)
    assert await nothing_is_due(store)


async def test_a_claim_of_an_unknown_conversation_writes_nothing(store: Store) -> None:
    stranger = Claim("slack:T1:nowhere", 1, (plain("m1", 1),))

    for write in WRITES.values():
        assert not await write(store, stranger)

    assert await store.flagged(stranger) is None
    assert await store.peek("slack:T1:nowhere") is None
    assert await store.dead() == ()


# ---------------------------------------------------------------- checkpoints, attempts


async def test_a_checkpoint_replaces_the_one_before(store: Store) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    assert await store.checkpoint(claim, "first", VERSION)
    assert await store.checkpoint(claim, "second", VERSION)
    await store.release(claim)

    assert (await take(store)).turn == "second"


async def test_exceptions_are_counted_and_delay_the_conversation(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))

    assert await store.retry(await take(store), 3)
    assert await nothing_is_due(store)
    clock.advance(3)
    second = await take(store)
    assert (ids(second), second.attempt, second.expiries) == (["m1"], 1, 0)
    assert await store.retry(second, 7)
    clock.advance(7)

    assert (await take(store)).attempt == 2


async def test_new_mail_does_not_shorten_a_retry_delay(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    await store.retry(await take(store), 3)

    await send(store, plain("m0", 0))

    assert await nothing_is_due(store)
    clock.advance(3)
    assert ids(await take(store)) == ["m1"]


async def test_a_checkpoint_forgets_exceptions_and_lost_leases(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    await take(store)
    clock.advance(LEASE)
    await store.retry(await take(store), 0)
    claim = await take(store)
    assert (claim.attempt, claim.expiries) == (1, 1)

    await store.checkpoint(claim, "turn", VERSION)

    await store.release(claim)
    again = await take(store)
    assert (again.attempt, again.expiries) == (0, 0)


async def test_a_new_head_starts_without_failures(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    await take(store)
    clock.advance(LEASE)
    await store.retry(await take(store), 0)
    await finish(store, await take(store))

    claim = await take(store)

    assert (ids(claim), claim.attempt, claim.expiries) == (["m2"], 0, 0)


async def test_a_release_may_put_a_turn_off_without_counting(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    assert await store.release(await take(store), 10.0)

    clock.advance(9.0)
    assert await nothing_is_due(store)

    clock.advance(1.0)
    claim = await take(store)
    assert (claim.attempt, claim.expiries) == (0, 0)


async def test_a_lease_that_ended_does_not_count_once_its_holder_gives_it_back(
    store: Store, clock: ManualClock
) -> None:
    await send(store, plain("m1", 1))
    lost = await take(store)
    clock.advance(LEASE)
    dead = await take(store)
    assert dead.expiries == 1
    clock.advance(LEASE)
    held = await take(store)

    assert not await store.release(lost)
    assert not await store.release(lost), "said again, it takes back no more"
    assert await store.renew(held, LEASE), "whoever has the turn keeps it"

    await store.release(held)
    assert (await take(store)).expiries == 1, "the other one died"


async def test_a_lease_that_ended_can_be_taken_back_however_many_claims_came_since(
    store: Store, clock: ManualClock
) -> None:
    await send(store, plain("m1", 1))
    lost = await take(store)
    clock.advance(LEASE)
    for _ in range(5):
        claim = await take(store)
        assert claim.expiries == 1
        await store.release(claim)

    assert not await store.release(lost)

    assert (await take(store)).expiries == 0


async def test_what_is_given_back_late_takes_nothing_from_leases_that_ended_after_a_checkpoint(
    store: Store, clock: ManualClock
) -> None:
    await send(store, plain("m1", 1))
    lost = await take(store)
    clock.advance(LEASE)
    assert await store.checkpoint(await take(store), "turn", VERSION)
    clock.advance(LEASE)
    assert (await take(store)).expiries == 1

    assert not await store.release(lost)

    clock.advance(LEASE)
    assert (await take(store)).expiries == 2


async def test_what_is_given_back_late_takes_nothing_from_the_next_turn(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    lost = await take(store)
    clock.advance(LEASE)
    assert await finish(store, await take(store))
    await take(store)
    clock.advance(LEASE)

    assert not await store.release(lost)

    assert (await take(store)).expiries == 1


async def test_a_release_is_no_failure_and_due_at_once(store: Store) -> None:
    await send(store, plain("m1", 1))

    assert await store.release(await take(store))

    claim = await take(store)
    assert (ids(claim), claim.attempt, claim.expiries) == (["m1"], 0, 0)


# ---------------------------------------------------------------- commit


async def test_a_commit_saves_state_and_log_and_ends_the_turn(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2), plain("m3", 3))
    claim = await take(store, together=2)
    await store.checkpoint(claim, "turn", VERSION)

    assert await finish(store, claim, "state", ("one", "two"))

    assert await store.peek(ROOM) == "state"
    assert await store.log(ROOM) == ("one", "two")
    following = await take(store)
    assert (ids(following), following.state, following.turn) == (["m3"], "state", None)


async def test_the_log_only_grows_and_keeps_its_order(store: Store) -> None:
    for n in range(3):
        await send(store, plain(f"m{n}", n))
        await send(store, plain(f"m{n}", n), to=OTHER)
        for _ in range(2):
            claim = await take(store)
            await finish(store, claim, f"state {n}", (f"{claim.conversation} {n}a", f"{claim.conversation} {n}b"))

    assert await store.log(ROOM) == tuple(f"{ROOM} {n}{x}" for n in range(3) for x in "ab")
    assert await store.peek(OTHER) == "state 2"


@pytest.mark.parametrize(
    ("last", "lines"), [(None, "abcde"), (2, "de"), (1, "e"), (5, "abcde"), (6, "abcde"), (0, ""), (-1, "")]
)
async def test_the_last_lines_of_a_log_are_read_alone(store: Store, last: int | None, lines: str) -> None:
    for n, said in enumerate(("ab", "c", "de")):
        await send(store, plain(f"m{n}", n))
        await send(store, plain(f"m{n}", n), to=OTHER)
        for _ in range(2):
            claim = await take(store)
            await finish(store, claim, f"state {n}", tuple(said if claim.conversation == ROOM else said.upper()))

    assert await store.log(ROOM, last) == tuple(lines)
    assert await store.log(OTHER, last) == tuple(lines.upper())
    assert await store.log("slack:T1:nowhere", last) == ()


async def test_what_was_never_committed_has_no_state_and_an_empty_log(store: Store) -> None:
    await send(store, plain("m1", 1))
    await store.checkpoint(await take(store), "turn", VERSION)

    assert (await store.peek(ROOM), await store.log(ROOM)) == (None, ())
    assert (await store.peek(OTHER), await store.log(OTHER)) == (None, ())


async def test_a_replayed_commit_is_true_and_changes_nothing(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    claim = await take(store)
    assert await finish(store, claim, "state", ("line",), follow_up=command("next", 3))

    assert await finish(store, claim, "state", ("line",), follow_up=command("next", 3))

    assert await store.log(ROOM) == ("line",)
    assert await drain(store) == ["m2", "next"]


async def test_a_replayed_commit_does_not_disturb_the_next_claim(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    claim = await take(store)
    await finish(store, claim, "state", ("line",))
    following = await take(store)
    await store.checkpoint(following, "next turn", VERSION)

    assert await finish(store, claim, "older state", ("line",))

    assert (await store.peek(ROOM), await store.log(ROOM)) == ("state", ("line",))
    assert await nothing_is_due(store)
    clock.advance(LEASE)
    again = await take(store)
    assert (ids(again), again.turn) == (["m2"], "next turn")


async def test_a_follow_up_comes_behind_everything_that_waits(store: Store) -> None:
    await send(store, plain("m1", 10))
    claim = await take(store)
    await send(store, plain("m2", 20), plain("m3", 30))

    await finish(store, claim, follow_up=command("next", 10))

    assert await drain(store) == ["m2", "m3", "next"]


async def test_a_follow_up_alone_keeps_its_order(store: Store) -> None:
    await send(store, plain("m1", 10))
    await finish(store, await take(store), follow_up=command("next", 25))
    await send(store, plain("m3", 30), plain("m2", 20))

    assert await drain(store) == ["m2", "next", "m3"]


async def test_a_follow_up_finds_room_in_a_full_mailbox(open_store: OpenStore) -> None:
    store = await open_store(1)
    await send(store, plain("m1", 1))
    claim = await take(store)
    await send(store, plain("m2", 2))

    assert await finish(store, claim, follow_up=command("next", 1))

    assert await drain(store) == ["m2", "next"]


async def test_a_commit_with_an_impossible_follow_up_changes_nothing(store: Store) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)

    with pytest.raises(ValueError, match="order of message 'next'"):
        await finish(store, claim, follow_up=command("next", 2**63))

    assert await store.peek(ROOM) is None
    assert await finish(store, claim)


# ---------------------------------------------------------------- control


async def test_a_control_message_flags_the_turn_in_flight(store: Store) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    assert await store.flagged(claim) is None

    assert await store.control(ROOM, command("stop", 2))

    assert await store.flagged(claim) == command("stop", 2)


async def test_with_no_turn_in_flight_a_control_message_is_not_taken(store: Store) -> None:
    assert not await store.control(ROOM, command("stop", 1))
    await send(store, plain("m1", 1))
    assert not await store.control(ROOM, command("stop", 1))
    claim = await take(store)
    await finish(store, claim)

    assert not await store.control(ROOM, command("stop", 1))

    assert await store.enqueue(ROOM, command("stop", 1))


async def test_a_turn_in_another_conversation_is_not_flagged(store: Store) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)

    assert not await store.control(OTHER, command("stop", 1))

    assert await store.flagged(claim) is None


@every_way_to_give_up
async def test_a_turn_that_will_be_retaken_is_in_flight(store: Store, clock: ManualClock, give_up: GiveUp) -> None:
    await send(store, plain("m1", 1))
    await give_up(store, clock, await take(store))

    assert await store.control(ROOM, command("stop", 2))

    assert await store.flagged(await take(store)) == command("stop", 2)


@every_way_to_give_up
async def test_a_flag_stays_for_the_retake_of_its_turn(store: Store, clock: ManualClock, give_up: GiveUp) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    await store.control(ROOM, command("stop", 2))
    await store.checkpoint(claim, "turn", VERSION)

    await give_up(store, clock, claim)

    assert await store.flagged(await take(store)) == command("stop", 2)


async def test_one_look_tells_the_flags_of_many_turns_in_the_order_of_their_claims(store: Store) -> None:
    rooms = [f"slack:T1:C{n}" for n in range(12)]
    claims = []
    for n, where in enumerate(rooms):
        await send(store, plain(f"m{n}", n), to=where)
        claims.append(await take(store))
    assert await store.flagged_among(claims) == (None,) * 12

    for n in (1, 7, 8):
        assert await store.control(rooms[n], command(f"stop{n}", 100 + n))

    raised = {n: command(f"stop{n}", 100 + n) for n in (1, 7, 8)}
    assert await store.flagged_among(claims) == tuple(raised.get(n) for n in range(12))
    assert await store.flagged_among([claims[8], claims[0], claims[1]]) == (raised[8], None, raised[1])
    assert await store.flagged_among([]) == ()


async def test_one_look_at_many_turns_sees_no_flag_of_another_turn(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    before = await take(store)
    await finish(store, before)
    claim = await take(store)
    assert await store.control(ROOM, command("stop", 3))
    stranger = Claim("slack:T1:nowhere", 1, (plain("m1", 1),))

    assert await store.flagged_among([before, claim, stranger]) == (None, command("stop", 3), None)


async def test_a_second_flag_on_the_same_turn_changes_nothing_and_counts_as_taken(store: Store) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    await store.control(ROOM, command("stop", 2))

    assert await store.control(ROOM, command("stop again", 3))

    assert await store.flagged(claim) == command("stop", 2)
    await finish(store, claim, used_flag=True)
    assert not await store.enqueue(ROOM, command("stop again", 3))
    assert await nothing_is_due(store)


async def test_a_redelivered_control_message_does_not_flag_the_next_turn(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    claim = await take(store)
    await store.control(ROOM, command("stop", 3))
    await finish(store, claim, used_flag=True)
    following = await take(store)

    assert await store.control(ROOM, command("stop", 3))

    assert await store.flagged(following) is None


async def test_a_redelivered_control_message_counts_as_taken_when_its_turn_is_over(
    store: Store, clock: ManualClock
) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    await store.control(ROOM, command("stop", 2))
    await finish(store, claim, used_flag=True)

    assert await store.control(ROOM, command("stop", 2))

    assert await nothing_is_due(store)
    clock.advance(25 * HOUR)
    assert not await store.control(ROOM, command("stop", 2))


async def test_a_message_that_was_enqueued_before_flags_nothing(store: Store) -> None:
    await send(store, command("stop", 1))
    claim = await take(store)

    assert await store.control(ROOM, command("stop", 1))

    assert await store.flagged(claim) is None


async def test_a_flag_is_not_seen_by_another_turn(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    claim = await take(store)
    await store.control(ROOM, command("stop", 3))
    await finish(store, claim, used_flag=True)

    following = await take(store)
    assert await store.flagged(following) is None
    await store.control(ROOM, command("stop again", 4))
    assert await store.flagged(claim) is None
    assert await store.flagged(following) == command("stop again", 4)


async def test_a_used_flag_is_gone(store: Store) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    await store.control(ROOM, command("stop", 2))

    await finish(store, claim, used_flag=True)

    assert await nothing_is_due(store)
    assert (await store.stats()).waiting == 0


async def test_an_unused_flag_becomes_a_message_in_its_order(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2), plain("m4", 4))
    claim = await take(store)
    await store.control(ROOM, command("stop", 3))

    await finish(store, claim, used_flag=False, follow_up=command("next", 1))

    following = await take(store)
    assert ids(following) == ["m2"]
    assert await store.flagged(following) is None
    await finish(store, following)
    assert (await take(store)).taken == (command("stop", 3),)
    assert (await store.stats()).waiting == 2


async def test_an_unused_flag_alone_makes_the_conversation_due(store: Store) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    await store.control(ROOM, command("stop", 2))

    await finish(store, claim, used_flag=False)

    assert await drain(store) == ["stop"]
    assert not await store.enqueue(ROOM, command("stop", 2))


async def test_a_control_message_beyond_64_bits_is_refused_by_name(store: Store) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)

    with pytest.raises(ValueError, match="order of message 'stop'"):
        await store.control(ROOM, command("stop", -(2**63) - 1))

    assert await store.flagged(claim) is None


# ---------------------------------------------------------------- put back, under way


async def test_messages_that_are_put_back_are_taken_anew_in_their_order(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m2", 2), plain("m3", 3))
    claim = await take(store, together=2)
    await store.retry(claim, 0)
    claim = await take(store, together=2)
    await send(store, command("m1", 1), plain("m2b", 2))

    assert await store.put_back(claim, 5)

    assert (await store.stats()).in_flight == 0 and (await store.stats()).waiting == 4
    assert await nothing_is_due(store)
    clock.advance(5)
    first = await take(store)
    assert first == Claim(ROOM, first.fence, (command("m1", 1),), None, None, 0, 0)
    await finish(store, first)
    assert await drain(store) == ["m2", "m2b", "m3"]


async def test_a_flag_on_what_is_put_back_becomes_a_message(store: Store) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    await store.control(ROOM, command("stop", 2))

    assert await store.put_back(claim, 0)

    again = await take(store)
    assert ids(again) == ["m1"] and await store.flagged(again) is None
    await finish(store, again)
    assert await drain(store) == ["stop"]


async def test_what_was_put_back_can_be_edited_and_taken_out(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    await store.put_back(await take(store, together=2), 0)

    assert await store.amend(ROOM, "m1", "edited") and await store.amend(ROOM, "m2", None)

    assert [(m.id, m.payload) for m in (await take(store)).taken] == [("m1", "edited")]


async def test_a_turn_that_was_stored_is_not_put_back(store: Store) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    await store.checkpoint(claim, "turn", VERSION)

    assert not await store.put_back(claim, 0)

    assert await nothing_is_due(store) and await finish(store, claim)


async def test_the_turn_under_way_can_be_looked_at(store: Store, clock: ManualClock) -> None:
    assert await store.under_way(ROOM) is None
    await send(store, plain("m1", 1))
    claim = await take(store)
    assert await store.under_way(ROOM) is None
    await store.checkpoint(claim, "turn", VERSION)
    assert await store.under_way(ROOM) == "turn" and await store.under_way(OTHER) is None
    clock.advance(2 * LEASE)
    assert await store.under_way(ROOM) == "turn", "whoever takes it up goes on with it"
    await finish(store, claim)
    assert await store.under_way(ROOM) is None


# ---------------------------------------------------------------- bury, dead


async def test_what_a_buried_turn_leaves_is_saved_with_the_burial(store: Store) -> None:
    await send(store, plain("m0", 0))
    await finish(store, await take(store), "state", ("line",))
    await send(store, command("m1", 1), plain("m2", 2), plain("m3", 3))
    claim = await take(store)
    await store.checkpoint(claim, "turn", VERSION)

    assert await store.bury(claim, "over", Left("a gate", VERSION, ("one", "two")))

    assert len(await store.dead()) == 1
    assert await store.log(ROOM) == ("line", "one", "two")
    following = await take(store, together=2)
    assert following == Claim(ROOM, following.fence, (plain("m2", 2),), "a gate", None, 0, 0), "the floor is not open"


async def test_what_a_newer_build_leaves_at_a_burial_is_left_alone(store: Store) -> None:
    await send(store, plain("m1", 1), plain("m2", 2))
    await store.bury(await take(store), "over", Left("a gate", VERSION + 1))
    assert await nothing_is_due(store)
    assert await store.claim("newer", LEASE, VERSION + 1)


async def test_what_a_buried_turn_leaves_has_no_words_that_were_deleted_meanwhile(store: Store) -> None:
    await send(store, Message("m1", '{"id":"m1","text":"secret"}', 1))
    claim = await take(store)
    await store.blank(ROOM, "m1")

    await store.bury(claim, "over", Left('{"id":"m1","text":"secret"}', VERSION, ('{"id":"m1","text":"secret"}',)))

    kept = (await store.peek(ROOM), *await store.log(ROOM), *(m.payload for m in (await store.dead())[0].messages))
    assert len(kept) == 3 and all(text and "secret" not in text for text in kept)


async def test_a_buried_turn_is_out_of_the_way_and_the_next_one_comes(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m0", 0))
    await finish(store, await take(store), "state", ("line",))
    await send(store, plain("m1", 1), plain("m2", 2), plain("m3", 3))
    claim = await take(store, together=2)
    await store.checkpoint(claim, "turn", VERSION)
    clock.advance(4)

    assert await store.bury(claim, "the model fell over")

    (letter,) = await store.dead()
    assert (letter.conversation, letter.messages, letter.reason, letter.at) == (
        ROOM,
        (plain("m1", 1), plain("m2", 2)),
        "the model fell over",
        clock.now(),
    )
    following = await take(store)
    assert following == Claim(ROOM, following.fence, (plain("m3", 3),), "state", None, 0, 0)
    assert await store.log(ROOM) == ("line",)


async def test_a_flag_is_buried_with_its_turn(store: Store) -> None:
    await send(store, plain("m1", 1))
    claim = await take(store)
    await store.control(ROOM, command("stop", 2))

    await store.bury(claim, "over")

    assert await nothing_is_due(store)
    await send(store, plain("m3", 3))
    assert await store.flagged(await take(store)) is None


async def test_dead_letters_are_listed_newest_first_up_to_the_limit(store: Store) -> None:
    for n in range(4):
        await send(store, plain(f"m{n}", n))
        await store.bury(await take(store), f"reason {n}")

    letters = await store.dead(limit=3)

    assert [letter.reason for letter in letters] == ["reason 3", "reason 2", "reason 1"]
    assert len({letter.id for letter in letters}) == 3
    assert (await store.stats()).dead == 4


async def test_a_buried_message_does_not_come_back_by_a_redelivery(store: Store) -> None:
    await send(store, plain("m1", 1))
    await store.bury(await take(store), "over")

    assert not await store.enqueue(ROOM, plain("m1", 1))
