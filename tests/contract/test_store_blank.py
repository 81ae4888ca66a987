"""The store's contract, part five: a message that was deleted on its platform."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.ports.mailbox import Message
from bot.ports.store import Store
from tests.contract.store_contract import OTHER, ROOM, VERSION, finish, send, take

SECRET = "the password is swordfish"


def said(id: str, text: str = SECRET) -> str:
    """A log line or a payload of that message."""
    return json.dumps({"kind": "said", "who": "U1", "name": "Ada", "id": id, "text": text})


def mail(id: str, order: int) -> Message:
    return Message(id, said(id), order, plain=True)


def kept(id: str) -> object:
    return {"kind": "said", "who": "U1", "name": "Ada", "id": id, "text": ""}


async def test_the_text_is_gone_from_the_log_and_the_rest_stays(store: Store) -> None:
    await send(store, mail("m1", 1))
    reply = json.dumps({"kind": "reply", "who": "pm", "text": "Well, m1!", "content": '[{"id": "m1"}]'})
    await finish(store, await take(store), "state", (said("m1"), said("m2", "hello"), reply, "no JSON at all: m1"))

    assert await store.blank(ROOM, "m1")

    first, *rest = await store.log(ROOM)
    assert json.loads(first) == kept("m1")
    assert rest == [said("m2", "hello"), reply, "no JSON at all: m1"]


async def test_the_text_is_gone_from_a_question_that_waits_in_the_state(store: Store) -> None:
    await send(store, mail("m1", 1))
    state = json.dumps({"session": {"gate": {"kind": "run", "said": [{"id": "m1", "text": SECRET, "name": "Ada"}]}}})
    await finish(store, await take(store), state)

    assert await store.blank(ROOM, "m1")

    found = await store.peek(ROOM)
    assert found is not None
    assert json.loads(found)["session"]["gate"]["said"] == [{"id": "m1", "text": "", "name": "Ada"}]


@pytest.mark.parametrize("id", ["m1", "1700000000.000100", 'quoted " id', "Straße\u2028"])
async def test_every_id_is_found(store: Store, id: str) -> None:
    await send(store, mail("m0", 1))
    await finish(store, await take(store), "state", (said(id),))

    assert await store.blank(ROOM, id)
    assert SECRET not in (await store.log(ROOM))[0]


async def test_blanking_twice_is_once_and_what_is_not_there_is_told(store: Store) -> None:
    await send(store, mail("m1", 1))
    await finish(store, await take(store), "state", (said("m1"),))

    assert await store.blank(ROOM, "m1")
    after = await store.log(ROOM)
    assert await store.blank(ROOM, "m1")

    assert await store.log(ROOM) == after
    assert not await store.blank(ROOM, "m2")
    assert not await store.blank(OTHER, "m1")
    assert not await store.blank("slack:T1:nowhere", "m1")


async def test_a_message_that_no_turn_has_taken_is_not_touched(store: Store) -> None:
    await send(store, mail("m1", 1))

    assert not await store.blank(ROOM, "m1")

    assert (await take(store)).head == mail("m1", 1)


async def test_a_turn_in_flight_commits_nothing_of_a_message_deleted_meanwhile(store: Store) -> None:
    await send(store, mail("m1", 1), mail("m2", 2), mail("m3", 3))
    claim = await take(store, together=2)
    assert await store.checkpoint(claim, json.dumps({"log": [json.loads(said("m1"))]}), VERSION)

    assert await store.blank(ROOM, "m1")
    assert await store.blank(ROOM, "m2")

    state = json.dumps({"said": [json.loads(said("m2")), json.loads(said("m3", "kept"))]})
    assert await finish(store, claim, state, (said("m1"), said("m2"), said("m3", "kept")))
    assert [json.loads(line)["text"] for line in await store.log(ROOM)] == ["", "", "kept"]
    assert SECRET not in (await store.peek(ROOM) or "")
    assert "kept" in (await store.peek(ROOM) or "")


async def test_a_turn_taken_up_again_has_lost_the_text(store: Store) -> None:
    await send(store, mail("m1", 1))
    claim = await take(store)
    turn = json.dumps({"log": [json.loads(said("m1"))]})
    await store.checkpoint(claim, turn, VERSION)
    await store.blank(ROOM, "m1")
    assert await store.checkpoint(claim, turn, VERSION)
    await store.release(claim)

    again = await take(store)

    assert json.loads(again.turn or "") == {"log": [kept("m1")]}
    assert json.loads(again.head.payload) == kept("m1")
    assert (again.head.id, again.head.order, again.head.plain) == ("m1", 1, True)


async def test_the_next_turn_is_not_blanked(store: Store) -> None:
    await send(store, mail("m1", 1))
    claim = await take(store)
    await store.blank(ROOM, "m1")
    await finish(store, claim)
    await send(store, mail("m2", 2))

    await finish(store, await take(store), "state", (said("m1", "another m1"),))

    assert await store.log(ROOM) == (said("m1", "another m1"),)


async def test_a_deletion_that_races_a_commit_always_wins(store: Store) -> None:
    for n in range(12):
        room = f"slack:T1:C{n}"
        await send(store, mail("m1", 1), to=room)
        claim = await take(store)
        committing = asyncio.create_task(finish(store, claim, "state", (said("m1"),)))
        for _ in range(n):
            await asyncio.sleep(0)

        assert await store.blank(room, "m1")

        assert await committing
        assert [json.loads(line)["text"] for line in await store.log(room)] == [""]


async def test_a_dead_letter_loses_the_text_before_and_after_its_burial(store: Store) -> None:
    await send(store, mail("m1", 1), mail("m2", 2), mail("m3", 3), to=OTHER)
    await store.bury(await take(store), "over")
    await store.blank(OTHER, "m1")
    claim = await take(store, together=2)
    await store.blank(OTHER, "m2")
    await store.bury(claim, "over")

    second, first = await store.dead()

    assert [json.loads(m.payload)["text"] for m in first.messages] == [""]
    assert [json.loads(m.payload)["text"] for m in second.messages] == ["", SECRET]
    assert [(m.id, m.order, m.plain) for m in second.messages] == [("m2", 2, True), ("m3", 3, True)]


async def test_a_stop_that_was_deleted_becomes_an_empty_message(store: Store) -> None:
    await send(store, mail("m1", 1))
    claim = await take(store)
    await store.control(ROOM, Message("stop", said("stop"), 2))

    assert await store.blank(ROOM, "stop")

    flag = await store.flagged(claim)
    assert flag is not None
    assert (json.loads(flag.payload), flag.id, flag.order) == (kept("stop"), "stop", 2)
