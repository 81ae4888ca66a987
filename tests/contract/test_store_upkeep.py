"""The store's contract, part six: what operators look at, and what they move."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.core.events import Usage
from bot.core.steps import Record
from bot.ports.ledger import Audited
from bot.ports.mailbox import MailboxFullError, Message
from bot.ports.store import Store
from bot.ports.upkeep import ConversationInfo
from tests.contract.conftest import OpenStore
from tests.contract.store_contract import (
    DAY,
    HOUR,
    OTHER,
    ROOM,
    VERSION,
    command,
    drain,
    expire,
    finish,
    ids,
    plain,
    send,
    take,
)
from tests.fakes.clock import ManualClock

# ---------------------------------------------------------------- conversations


async def test_conversations_are_listed_by_key_with_what_goes_on_in_them(store: Store, clock: ManualClock) -> None:
    began = clock.now()
    await send(store, plain("m1", 1))
    await finish(store, await take(store), version=VERSION)
    clock.advance(5)
    await send(store, plain("m1", 1), command("m2", 2), to="discord:G1:C1")
    await take(store)

    found = await store.conversations()

    assert found == (
        ConversationInfo("discord:G1:C1", began + 5, 1, True, 0),
        ConversationInfo(ROOM, began, 0, False, VERSION),
    )


async def test_a_long_list_is_read_page_by_page(store: Store) -> None:
    keys = [*sorted(f"slack:T1:C{n}" for n in range(12)), "slack:T1:Ç", "terminal:t:genel"]
    for key in keys:
        await send(store, plain("m1", 1), to=key)

    pages: list[list[str]] = []
    while not pages or pages[-1]:
        page = await store.conversations(pages[-1][-1] if pages else "", 5)
        pages.append([info.key for info in page])

    assert [len(page) for page in pages] == [5, 5, 4, 0]
    assert [key for page in pages for key in page] == keys
    assert await store.conversations(limit=0) == ()


async def test_a_conversation_of_which_nothing_is_left_is_not_listed(store: Store) -> None:
    await send(store, plain("m1", 1))
    await store.bury(await take(store), "over")
    await send(store, plain("m1", 1), to=OTHER)
    await store.amend(OTHER, "m1", None)

    assert await store.conversations() == ()


# ---------------------------------------------------------------- last seen


async def test_the_highest_order_ever_seen_is_remembered(store: Store) -> None:
    assert await store.last_seen(ROOM) == 0
    await send(store, plain("m3", 1_200_000_000_000_000_003), plain("m1", 5))
    assert await store.last_seen(ROOM) == 1_200_000_000_000_000_003

    await drain(store)

    assert await store.last_seen(ROOM) == 1_200_000_000_000_000_003
    assert await store.last_seen(OTHER) == 0


# ---------------------------------------------------------------- dead letters


async def dead_letter(store: Store, *messages: Message, to: str = ROOM) -> int:
    """The id of the letter that these messages have become."""
    await send(store, *messages, to=to)
    await store.bury(await take(store, together=len(messages)), "it broke")
    return next(letter.id for letter in await store.dead() if letter.conversation == to)


async def test_one_dead_letter_is_found_by_its_id(store: Store) -> None:
    first = await dead_letter(store, plain("m1", 1))
    second = await dead_letter(store, plain("m1", 1), to=OTHER)

    for id, where in ((first, ROOM), (second, OTHER)):
        letter = await store.dead_letter(id)
        assert letter is not None
        assert (letter.id, letter.conversation, letter.messages, letter.reason) == (
            id,
            where,
            (plain("m1", 1),),
            "it broke",
        )
    assert await store.dead_letter(second + 1000) is None


async def test_a_replayed_letter_comes_back_once_behind_what_waits(store: Store) -> None:
    id = await dead_letter(store, plain("m1", 1), plain("m2", 2))
    await send(store, command("m8", 8))

    assert await store.replay(id, "again")
    assert not await store.replay(id, "again")
    assert not await store.replay(id, "and again")

    assert await store.dead() == ()
    waiting = await take(store)
    assert ids(waiting) == ["m8"]
    await finish(store, waiting)
    claim = await take(store, together=5)
    assert [(m.id, m.payload, m.plain) for m in claim.taken] == [
        ("again", "text of m1", True),
        ("again/2", "text of m2", True),
    ]
    assert all(m.order >= 8 for m in claim.taken)
    assert (claim.attempt, claim.expiries, claim.turn) == (0, 0, None)


async def test_a_replayed_letter_in_an_idle_conversation_keeps_its_order(store: Store) -> None:
    id = await dead_letter(store, plain("m1", 41))

    await store.replay(id, "again")

    assert (await take(store)).head.order == 41


async def test_a_letter_is_not_replayed_under_an_id_that_was_seen(store: Store) -> None:
    id = await dead_letter(store, plain("m1", 1))

    assert not await store.replay(id, "m1")

    assert [letter.id for letter in await store.dead()] == [id]
    assert await store.replay(id, "m2")


async def test_a_letter_does_not_overfill_its_mailbox(open_store: OpenStore) -> None:
    store = await open_store(2)
    id = await dead_letter(store, plain("m1", 1), plain("m2", 2))
    await send(store, command("m3", 3))

    with pytest.raises(MailboxFullError, match=f"{ROOM} has no room for dead letter {id}: messages waiting in it: 1"):
        await store.replay(id, "again")

    assert [letter.id for letter in await store.dead()] == [id]
    assert await drain(store) == ["m3"]
    assert await store.replay(id, "again")


# ---------------------------------------------------------------- audit


async def test_the_trail_shows_all_conversations_newest_first(store: Store, clock: ManualClock) -> None:
    began = clock.now()
    records = [Record("approve", "U1", "abc"), Record("yolo on", 'U"2'), Record("forget", "Ü3")]
    for n, (where, record) in enumerate(zip((ROOM, OTHER, ROOM), records, strict=True)):
        await store.audit(f"k/{n}", where, record)
        clock.advance(1)

    lines = [
        Audited(ROOM, began + 2, records[2]),
        Audited(OTHER, began + 1, records[1]),
        Audited(ROOM, began, records[0]),
    ]
    assert list(await store.trail()) == lines
    assert list(await store.trail(ROOM)) == [lines[0], lines[2]]
    assert list(await store.trail(after=1, limit=1)) == [lines[1]]
    assert await store.trail("slack:T1:nowhere") == ()


async def test_lines_of_one_moment_are_newest_first_too(store: Store) -> None:
    for n in range(4):
        await store.audit(f"k{n}", ROOM, Record(f"what {n}", "U1"))

    assert [line.record.what for line in await store.trail(ROOM)] == ["what 3", "what 2", "what 1", "what 0"]


# ---------------------------------------------------------------- expiry


async def test_what_has_long_had_nothing_to_do_goes_and_the_audit_stays(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    await finish(store, await take(store), "old", ("line",))
    await store.spend("k1", ROOM, Usage(1, 1, 1, 1, "opus"))
    await store.audit("k1", ROOM, Record("approve", "U1"))
    await dead_letter(store, plain("m1", 1), to="slack:T1:C3")
    clock.advance(11 * HOUR)
    await send(store, plain("m1", 1), to=OTHER)
    await finish(store, await take(store), "new")
    new_letter = await dead_letter(store, plain("m2", 2), to="slack:T1:C3")

    assert await expire(store, clock, HOUR) == 1

    assert (await store.peek(ROOM), await store.log(ROOM), await store.spent(ROOM)) == (None, (), ())
    assert await store.peek(OTHER) == "new"
    assert [letter.id for letter in await store.dead()] == [new_letter]
    assert await store.audited(ROOM) == (Record("approve", "U1"),)
    assert len(await store.trail()) == 1
    assert (await store.expire(HOUR)).gone == 0


async def test_what_is_owed_to_somebody_never_expires(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    await send(store, plain("m1", 1), to=OTHER)
    await take(store)
    clock.advance(1000 * HOUR)

    assert await expire(store, clock) == 0

    assert len(await drain(store)) == 2


async def test_however_many_have_to_go_the_others_get_their_turn_in_between(
    open_store: OpenStore, clock: ManualClock
) -> None:
    store = await open_store(500)
    for n in range(70):
        await send(store, plain("m1", 1), to=f"slack:T1:old{n}")
    while (claim := await store.claim("w", 15, VERSION)) is not None:
        await finish(store, claim, "old")
    letters = [await dead_letter(store, plain(f"d{n}", n)) for n in range(45)]
    clock.advance(60)
    await asyncio.gather(*(store.peek(ROOM) for _ in range(3)))  # so that nobody has to wait for a connection

    await store.expire(0)
    clock.advance(DAY)

    expiring = asyncio.create_task(store.expire(0))
    await asyncio.sleep(0)
    await send(store, plain("m1", 1), to="slack:T1:new")
    others_had_to_wait = expiring.done()

    assert (await expiring).gone == 70
    assert not others_had_to_wait
    assert len(letters) == 45 and await store.dead() == ()
    assert [info.key for info in await store.conversations()] == ["slack:T1:new"]


async def test_a_conversation_begins_anew_after_its_expiry(store: Store, clock: ManualClock) -> None:
    await send(store, plain("m1", 1))
    await finish(store, await take(store), "old", floor_open=False)
    clock.advance(30 * HOUR)
    await expire(store, clock)

    await send(store, plain("m1", 1), plain("m2", 2))

    claim = await take(store, together=5)
    assert (ids(claim), claim.state) == (["m1", "m2"], None)


# ---------------------------------------------------------------- export and import


async def filled(store: Store) -> None:
    """A conversation with everything that one can have."""
    await send(store, plain("m1", 1))
    said = json.dumps({"kind": "said", "id": "m1", "text": "Grüße / \u2028", "who": "U1"}, ensure_ascii=False)
    await finish(store, await take(store), "state 1", (said, "two"), version=3, floor_open=True)
    await send(store, plain("m2", 2), plain("m3", 3), command("m4", -4), plain("m5", 1_200_000_000_000_000_005))
    await store.amend(ROOM, "m4", None)
    claim = await store.claim("w1", 15, 3, 2)
    assert claim is not None and ids(claim) == ["m2", "m3"]
    await store.checkpoint(claim, "turn 2", 3)
    await store.control(ROOM, command("stop", 9))
    await store.spend("s1", ROOM, Usage(1, 2, 3, 4, "opus"))
    await store.spend("s2", ROOM, Usage(5, 6, 7, 8, "haiku"))
    await store.audit("a1", ROOM, Record("approve", "U1", "abc"))


async def test_a_conversation_moves_through_json_and_goes_on_where_it_was(open_store: OpenStore) -> None:
    store = await open_store(10)
    await filled(store)

    dumped = json.loads(json.dumps(await store.dump(ROOM)))
    assert await store.restore(OTHER, dumped)

    assert await store.peek(OTHER) == "state 1"
    assert await store.log(OTHER) == await store.log(ROOM)
    assert await store.spent(OTHER) == (Usage(5, 6, 7, 8, "haiku"), Usage(1, 2, 3, 4, "opus"))
    assert await store.last_seen(OTHER) == 1_200_000_000_000_000_005
    claim = await store.claim("w2", 15, 3)
    assert claim is not None
    assert (claim.conversation, ids(claim), claim.state, claim.turn) == (OTHER, ["m2", "m3"], "state 1", "turn 2")
    assert claim.taken == (plain("m2", 2), plain("m3", 3))
    assert await store.flagged(claim) == command("stop", 9)
    assert await finish(store, claim, "state 2", ("three",))
    assert (await store.log(OTHER))[1:] == ("two", "three")
    assert not await store.enqueue(OTHER, plain("m1", 1))
    assert not await store.enqueue(OTHER, plain("m5", 5))
    await store.spend("s1", OTHER, Usage(1, 2, 3, 4, "opus"))
    assert (await store.spent(OTHER))[1] == Usage(1, 2, 3, 4, "opus")


async def test_a_restored_version_is_still_left_to_newer_builds(store: Store) -> None:
    await filled(store)

    await store.restore(OTHER, await store.dump(ROOM) or {})

    assert await store.claim("w2", 15, 2) is None


async def test_what_is_there_is_never_overwritten(store: Store) -> None:
    await filled(store)
    dumped = await store.dump(ROOM)
    assert dumped is not None

    assert not await store.restore(ROOM, dumped)
    await store.restore(OTHER, dumped)
    assert not await store.restore(OTHER, dumped)

    assert await store.peek(ROOM) == "state 1"
    assert len(await store.log(OTHER)) == 2


async def test_a_forgotten_conversation_may_be_restored(store: Store) -> None:
    await filled(store)
    dumped = await store.dump(ROOM)
    assert dumped is not None
    await store.forget(ROOM)

    assert await store.restore(ROOM, dumped)

    assert await store.dump(ROOM) == dumped
    assert await store.audited(ROOM) == (Record("approve", "U1", "abc"),), "the line that stayed is not doubled"


async def test_a_dump_of_nothing_is_none_and_one_of_an_audit_trail_has_that(store: Store) -> None:
    assert await store.dump(ROOM) is None
    await store.audit("a1", ROOM, Record("approve", "U1", "abc"))

    dumped = await store.dump(ROOM)

    assert dumped is not None
    assert [line["record"]["who"] for line in dumped["audit"]] == ["U1"]


async def test_an_idle_conversation_is_restored_with_nothing_due(store: Store) -> None:
    await send(store, plain("m1", 1))
    await finish(store, await take(store), "state", ("line",), floor_open=False)
    await store.restore(OTHER, await store.dump(ROOM) or {})

    assert await store.claim("w", 15, VERSION) is None
    await send(store, plain("m2", 2), plain("m3", 3), to=OTHER)
    assert ids(await take(store, together=5)) == ["m2"], "the floor was closed when it was exported"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"greenroom": 9}, "exported in format 9"),
        ({"log": [1]}, "log: expected a list of texts"),
        ({"state": 5}, "state: expected text, found 5"),
        ({"floor_open": None}, "floor_open: expected true or false, found nothing"),
        ({"last": 2**63}, "last: expected a whole number of 64 bits"),
        ({"mail": [{"id": "m", "payload": "p", "order": True, "plain": True}]}, r"mail\[0\].order: expected a whole"),
        ({"mail": ["m"]}, r"mail\[0\]: expected keys and values"),
        ({"audit": [{"key": "k", "at": 1, "record": None}]}, r"audit\[0\].record: expected keys and values"),
        ({"taken": []}, "a turn without the messages that it took"),
        ({"at": "yesterday"}, "at: expected a number"),
    ],
)
async def test_what_no_dump_gave_is_refused_with_its_place(
    store: Store, change: dict[str, object], complaint: str
) -> None:
    await filled(store)
    dumped = await store.dump(ROOM)
    assert dumped is not None

    with pytest.raises(ValueError, match=complaint):
        await store.restore(OTHER, {**dumped, **change})

    assert await store.dump(OTHER) is None
    with pytest.raises(ValueError, match="no exported conversation"):
        await store.restore(OTHER, {})
