"""The store's contract, part seven: forgetting a conversation, and a person."""

from __future__ import annotations

import json

from bot.core.events import Usage
from bot.core.steps import Record
from bot.ports.mailbox import Message
from bot.ports.store import Store
from bot.ports.upkeep import Erased
from tests.contract.store_contract import OTHER, ROOM, VERSION, command, finish, ids, nothing_is_due, plain, send, take
from tests.fakes.clock import ManualClock

# ---------------------------------------------------------------- a conversation


async def full_room(store: Store, room: str = ROOM) -> None:
    """A state, two lines, a turn with one message, one that waits, a dead letter, usage, a line of audit."""
    await send(store, plain("m0", 0), to=room)
    await store.bury(await take(store), "over")
    await send(store, plain("m1", 1), to=room)
    await finish(store, await take(store), "state", ("one", "two"))
    await send(store, plain("m2", 2), command("m3", 3), to=room)
    await store.checkpoint(await take(store), "turn", VERSION)
    await store.spend(f"k {room}", room, Usage(1, 1, 1, 1, "opus"))
    await store.audit(f"k {room}", room, Record("approve", "U1"))


WHOLE = Erased(conversations=1, sessions=1, turns=1, entries=2, messages=2, letters=1)


async def test_a_forgotten_conversation_leaves_its_audit_and_its_place_only(store: Store) -> None:
    await full_room(store)
    await full_room(store, OTHER)

    assert await store.forget(ROOM) == WHOLE

    assert (await store.peek(ROOM), await store.log(ROOM), await store.spent(ROOM)) == (None, (), ())
    assert [letter.conversation for letter in await store.dead()] == [OTHER]
    assert [info.key for info in await store.conversations()] == [OTHER]
    assert await store.audited(ROOM) == (Record("approve", "U1"),)
    assert await store.last_seen(ROOM) == 3
    assert not await store.enqueue(ROOM, plain("m1", 1)), "a redelivery brings nothing back"
    assert await store.peek(OTHER) == "state"
    assert len(await store.log(OTHER)) == 2
    assert await store.forget(ROOM) == Erased()


async def test_a_dry_run_counts_and_changes_nothing(store: Store) -> None:
    await full_room(store)
    before = await store.dump(ROOM)

    assert await store.forget(ROOM, dry_run=True) == WHOLE
    assert await store.forget("slack:T1:nowhere", dry_run=True) == Erased()

    assert await store.dump(ROOM) == before
    assert len(await store.dead()) == 1


async def test_who_works_on_a_forgotten_conversation_loses_it_for_good(store: Store) -> None:
    await send(store, plain("m1", 1), command("m2", 2))
    late = await take(store)
    await store.forget(ROOM)

    assert not await store.checkpoint(late, "turn", VERSION)
    assert not await finish(store, late, "late state", ("late line",))
    assert await nothing_is_due(store)

    await send(store, plain("m9", 9))
    claim = await take(store)
    assert (ids(claim), claim.state, claim.turn, claim.attempt) == (["m9"], None, None, 0)
    assert claim.fence > late.fence
    assert not await finish(store, late, "late state")
    assert await finish(store, claim, "new state")


async def test_a_forgotten_conversation_takes_bursts_again(store: Store) -> None:
    await send(store, plain("m1", 1))
    await finish(store, await take(store), floor_open=False)
    await store.forget(ROOM)
    await send(store, plain("m2", 2), plain("m3", 3))

    assert ids(await take(store, together=5)) == ["m2", "m3"]


async def test_a_reset_conversation_begins_anew_and_keeps_its_log(store: Store) -> None:
    await full_room(store)
    usage = await store.spent(ROOM)

    assert await store.reset(ROOM) == Erased(conversations=1, sessions=1, turns=1, messages=2)

    assert await nothing_is_due(store)
    assert (await store.peek(ROOM), await store.log(ROOM), await store.spent(ROOM)) == (None, ("one", "two"), usage)
    assert len(await store.dead()) == 1
    assert await store.reset(ROOM) == await store.reset(OTHER) == Erased()
    await send(store, plain("m9", 9))
    claim = await take(store)
    assert (ids(claim), claim.state, claim.turn) == (["m9"], None, None)
    await finish(store, claim, "new", ("three",))
    assert await store.log(ROOM) == ("one", "two", "three")


async def test_who_works_on_a_reset_conversation_loses_it(store: Store) -> None:
    await send(store, plain("m1", 1))
    late = await take(store)

    await store.reset(ROOM)

    assert not await finish(store, late, "late")
    assert await store.peek(ROOM) is None


# ---------------------------------------------------------------- a person

ADA, BOB = {"user": "U1", "name": "Ada"}, {"user": "U2", "name": "Bob"}


def mail(id: str, order: int, by: dict[str, str] = ADA, *, is_plain: bool = True) -> Message:
    """A message as an adapter hands it over."""
    return Message(id, json.dumps({"_type": "Inbound", "id": id, "text": f"secret {id}", **by}), order, is_plain)


def said(id: str, by: dict[str, str] = ADA) -> str:
    """What was said, as the log keeps it."""
    return json.dumps({"kind": "said", "who": by["user"], "name": by["name"], "id": id, "text": f"secret {id}"})


def state() -> str:
    """People, a question about what Ada has typed, and a persona whose id is Ada's."""
    waiting = {"kind": "run", "said": [{**ADA, "id": "m1", "text": "secret m1"}, {**BOB, "id": "m2", "text": "hi"}]}
    session = {"people": ["Ada", "Bob"], "refused": ["U1", "U2"], "gate": waiting, "waiting": {"who": "U1"}}
    return json.dumps({"session": session})


async def test_a_forgotten_person_is_in_no_session_log_or_message(store: Store) -> None:
    reply = json.dumps({"kind": "reply", "who": "U1", "text": "Ada is right", "content": "[]"})
    await send(store, mail("m1", 1))
    await finish(store, await take(store), state(), (said("m1"), said("m2", BOB), reply), floor_open=True)
    await send(store, mail("m3", 3), mail("m4", 4, BOB), mail("m5", 5), mail("m6", 6, BOB))
    claim = await take(store, together=2)
    await store.checkpoint(claim, json.dumps({"log": [json.loads(said("m3"))]}), VERSION)

    erased = await store.forget_user("U1", "somebody")

    assert erased == Erased(conversations=1, sessions=1, turns=1, entries=1, messages=2)
    session = json.loads(await store.peek(ROOM) or "")["session"]
    assert (session["people"], session["refused"], session["waiting"]) == (["Bob"], ["U2"], {"who": "U1"})
    assert [line["text"] for line in session["gate"]["said"]] == ["", "hi"]
    log = [json.loads(line) for line in await store.log(ROOM)]
    assert log[0] == {"kind": "said", "who": "somebody", "name": "somebody", "id": "m1", "text": ""}
    assert log[1:] == [json.loads(said("m2", BOB)), json.loads(reply)]
    again = await take(store)
    assert ids(again) == ["m3", "m4"]
    assert json.loads(again.head.payload) == {
        "_type": "Inbound", "id": "m3", "text": "", "user": "somebody", "name": "somebody"
    }  # fmt: skip
    assert again.taken[1] == mail("m4", 4, BOB)
    assert json.loads(again.turn or "")["log"] == [{**log[0], "id": "m3"}]
    await finish(store, again)
    assert ids(await take(store)) == ["m6"], "what waited is gone"


async def test_a_worker_with_a_forgotten_person_in_its_hands_writes_nothing_of_it(store: Store) -> None:
    await send(store, mail("m1", 1))
    claim = await take(store)

    await store.forget_user("U1", "somebody")

    assert not await finish(store, claim, state(), (said("m1"),))
    again = await take(store)
    assert (again.attempt, again.fence > claim.fence, "secret" in again.head.payload) == (0, True, False)


async def test_a_turn_of_others_goes_on_undisturbed(store: Store) -> None:
    await send(store, mail("m1", 1, BOB))
    claim = await take(store)
    await store.audit("k1", ROOM, Record("approve", "U1"))

    assert await store.forget_user("U1", "somebody") == Erased(conversations=1, records=1)

    assert await finish(store, claim)


async def test_the_audit_and_its_times_stay_under_the_pseudonym(store: Store, clock: ManualClock) -> None:
    await store.audit("k1", ROOM, Record("approve", "U1", "abc"))
    clock.advance(5)
    await store.audit("k2", ROOM, Record("approve", "U2"))
    times = [line.at for line in await store.trail()]

    assert (await store.forget_user("U1", "somebody")).records == 1

    assert await store.audited(ROOM) == (Record("approve", "somebody", "abc"), Record("approve", "U2"))
    assert [line.at for line in await store.trail()] == times
    await store.audit("k1", ROOM, Record("approve", "U1", "abc"))
    assert len(await store.trail()) == 2


async def test_dead_letters_lose_a_persons_messages_and_go_when_none_is_left(store: Store) -> None:
    await send(store, mail("m1", 1), to=OTHER)
    await store.bury(await take(store), "over")
    await send(store, mail("m2", 2), mail("m3", 3, BOB))
    await store.bury(await take(store, together=2), "over")

    assert await store.forget_user("U1", "somebody") == Erased(conversations=2, letters=2)

    (letter,) = await store.dead()
    assert (letter.conversation, letter.messages) == (ROOM, (mail("m3", 3, BOB),))
    assert (await store.stats()).dead == 1


async def test_a_stop_of_a_forgotten_person_still_stops(store: Store) -> None:
    await send(store, mail("m1", 1, BOB))
    await store.control(ROOM, mail("stop", 2)) if (claim := await take(store)) else None

    await store.forget_user("U1", "somebody")

    again = await take(store)
    assert again.taken == claim.taken
    flag = await store.flagged(again)
    assert flag is not None
    assert (flag.id, json.loads(flag.payload)["name"]) == ("stop", "somebody")


async def test_the_last_words_of_a_forgotten_person_leave_nothing_due(store: Store) -> None:
    await send(store, mail("m1", 1))

    assert await store.forget_user("U1", "somebody") == Erased(conversations=1, messages=1)

    assert await nothing_is_due(store)
    assert await store.conversations() == ()


async def test_only_conversations_within_are_searched(store: Store) -> None:
    for where in (ROOM, "discord:G1:C1", "slack:T10:C1"):
        await send(store, mail("m1", 1), to=where)

    assert (await store.forget_user("U1", "somebody", "slack:T1:")).conversations == 1

    assert [info.key for info in await store.conversations()] == ["discord:G1:C1", "slack:T10:C1"]


async def test_a_dry_run_counts_a_person_and_changes_nothing(store: Store) -> None:
    await send(store, mail("m1", 1))
    await finish(store, await take(store), state(), (said("m1"),))
    await store.audit("k1", ROOM, Record("approve", "U1"))
    await send(store, mail("m2", 2))
    before = await store.dump(ROOM)

    found = await store.forget_user("U1", "somebody", dry_run=True)

    assert found == Erased(conversations=1, sessions=1, entries=1, messages=1, records=1)
    assert await store.dump(ROOM) == before
    assert await store.forget_user("U1", "somebody") == found
    assert await store.forget_user("U1", "somebody") == Erased()
