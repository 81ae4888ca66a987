"""The contract of `bot.ports.posts.Posts`: what stands in the conversations of platforms that keep nothing."""

from __future__ import annotations

import json

import pytest

from bot.ports.posts import Kept
from bot.ports.store import Store
from bot.ports.upkeep import Erased
from tests.contract.store_contract import DAY, OTHER, ROOM, plain, send
from tests.fakes.clock import ManualClock


def said(text: str, id: str = "m1", user: str = "U1", name: str = "Ana") -> str:
    """The body of a person's message."""
    return json.dumps({"id": id, "user": user, "name": name, "text": text})


def post(markdown: str) -> str:
    """The body of a post of the bot's."""
    return json.dumps({"markdown": markdown})


async def bodies(store: Store, where: str = ROOM) -> list[str]:
    return [kept.body for kept in await store.posts.page(where)]


async def nothing_stands(store: Store) -> bool:
    posts = store.posts
    return not (await posts.page(ROOM) or await posts.changes(ROOM, 0) or await posts.growing(ROOM, 0))


# ---------------------------------------------------------------- putting


async def test_what_is_put_stands_in_order_under_growing_numbers(store: Store) -> None:
    first = await store.posts.put(ROOM, "a", "one")
    second = await store.posts.put(ROOM, "b", "two")
    elsewhere = await store.posts.put(OTHER, "a", "elsewhere")
    assert (await bodies(store), await bodies(store, OTHER)) == (["one", "two"], ["elsewhere"])
    assert first < second and elsewhere > 0


async def test_what_is_put_twice_stands_once_as_it_was_first(store: Store, clock: ManualClock) -> None:
    number = await store.posts.put(ROOM, "a", "one")
    at = (await store.posts.page(ROOM))[0].at
    clock.advance(5)
    assert await store.posts.put(ROOM, "a", "another", growing=True) == number
    assert [(kept.body, kept.state, kept.at) for kept in await store.posts.page(ROOM)] == [("one", "shown", at)]


async def test_any_text_comes_back_as_it_was(store: Store) -> None:
    for n, body in enumerate(("", "a b\n c ", "Ünïcödé 🏗️ \x00 \u2028", "x" * 300_000)):
        await store.posts.put(ROOM, f"key {n} ö:1", body)
        found = await store.posts.one(ROOM, f"key {n} ö:1")
        assert found is not None and found.body == body


async def test_nothing_is_found_of_what_never_was(store: Store) -> None:
    await store.posts.put(OTHER, "a", "one")
    assert await store.posts.one(ROOM, "a") is None
    assert (
        await store.posts.page(ROOM) == await store.posts.changes(ROOM, 0) == await store.posts.growing(ROOM, 0) == ()
    )
    assert not await store.posts.change(ROOM, "a", "two")
    assert not await store.posts.remove(ROOM, "a")


# ---------------------------------------------------------------- changing


async def test_a_preview_grows_and_is_sealed_for_good(store: Store) -> None:
    number = await store.posts.put(ROOM, "a", "He", growing=True)
    assert await store.posts.change(ROOM, "a", "Hello", growing=True)
    assert [(kept.number, kept.body) for kept in await store.posts.growing(ROOM, 0)] == [(number, "Hello")]
    assert await store.posts.growing(ROOM, number) == ()

    assert await store.posts.change(ROOM, "a", "Hello there")
    assert await store.posts.growing(ROOM, 0) == ()
    assert not await store.posts.change(ROOM, "a", "Hello the", growing=True), "a late piece of it"
    assert await bodies(store) == ["Hello there"]
    assert await store.posts.change(ROOM, "a", "Hello there"), "sealed again after a lost answer"


async def test_what_is_taken_back_leaves_its_place(store: Store) -> None:
    number = await store.posts.put(ROOM, "a", "one", growing=True)
    await store.posts.put(ROOM, "b", "two")
    assert await store.posts.remove(ROOM, "a")
    assert await store.posts.remove(ROOM, "a")
    assert await bodies(store) == ["two"]
    gone = await store.posts.one(ROOM, "a")
    assert gone is not None and (gone.number, gone.body, gone.state) == (number, "", "gone")
    assert await store.posts.growing(ROOM, 0) == ()
    assert not await store.posts.change(ROOM, "a", "back"), "what is gone stays gone"
    assert await store.posts.put(ROOM, "a", "again") == number and await bodies(store) == ["two"]


# ---------------------------------------------------------------- reading


async def test_a_page_is_the_newest_below_a_number(store: Store) -> None:
    numbers = [await store.posts.put(ROOM, f"k{n}", str(n)) for n in range(7)]
    assert [kept.body for kept in await store.posts.page(ROOM, limit=3)] == ["4", "5", "6"]
    assert [kept.body for kept in await store.posts.page(ROOM, numbers[4], 3)] == ["1", "2", "3"]
    assert [kept.body for kept in await store.posts.page(ROOM, numbers[1], 3)] == ["0"]
    assert await store.posts.page(ROOM, numbers[0], 3) == await store.posts.page(ROOM, limit=0) == ()


async def test_changes_tell_what_a_reader_has_not_seen(store: Store) -> None:
    for n in range(3):
        await store.posts.put(ROOM, f"k{n}", str(n))
    seen = (await store.posts.changes(ROOM, 0))[-1].change
    assert await store.posts.changes(ROOM, seen) == ()

    await store.posts.change(ROOM, "k0", "new")
    await store.posts.remove(ROOM, "k1")
    await store.posts.put(ROOM, "k3", "3")
    await store.posts.change(ROOM, "k0", "newer")
    found = await store.posts.changes(ROOM, seen)
    assert [(kept.id, kept.body, kept.state) for kept in found] == [
        ("k1", "", "gone"),
        ("k3", "3", "shown"),
        ("k0", "newer", "shown"),
    ]
    assert [kept.change for kept in found] == sorted(kept.change for kept in found)
    assert await store.posts.changes(ROOM, seen, 1) == found[:1]
    assert await store.posts.changes(ROOM, found[0].change) == found[1:]


# ---------------------------------------------------------------- with their conversation


async def test_they_are_forgotten_with_their_conversation_and_no_place_is_given_twice(store: Store) -> None:
    last = [await store.posts.put(ROOM, f"k{n}", str(n)) for n in range(3)][-1]
    change = (await store.posts.changes(ROOM, 0))[-1].change
    await store.posts.put(OTHER, "a", "elsewhere")
    erased = Erased(conversations=1, posts=3)
    assert await store.forget(ROOM, dry_run=True) == erased
    assert len(await store.posts.page(ROOM)) == 3

    assert await store.forget(ROOM) == erased
    assert (
        await store.posts.page(ROOM) == await store.posts.changes(ROOM, 0) == await store.posts.growing(ROOM, 0) == ()
    )
    assert await bodies(store, OTHER) == ["elsewhere"]
    assert await store.posts.put(ROOM, "k0", "anew") > last
    assert (await store.posts.changes(ROOM, change))[0].body == "anew"


async def test_a_reset_leaves_them(store: Store) -> None:
    await store.posts.put(ROOM, "a", "one")
    await send(store, plain("m1", 1))
    await store.reset(ROOM)
    assert await bodies(store) == ["one"]


async def test_words_of_a_deleted_message_go_and_readers_are_told(store: Store) -> None:
    await store.posts.put(ROOM, "m1", said("secret"))
    await store.posts.put(ROOM, "m2", said("open", "m2"))
    seen = (await store.posts.changes(ROOM, 0))[-1].change
    assert await store.blank(ROOM, "m1")
    assert [json.loads(body)["text"] for body in await bodies(store)] == ["", "open"]
    assert [kept.id for kept in await store.posts.changes(ROOM, seen)] == ["m1"]


async def test_a_person_is_taken_out_of_them_and_readers_are_told(store: Store) -> None:
    await store.posts.put(ROOM, "m1", said("my words"))
    await store.posts.put(ROOM, "p1", post("Ana chose: 1"))
    await store.posts.put(ROOM, "m2", said("of another", "m2", "U2", "Bob"))
    seen = (await store.posts.changes(ROOM, 0))[-1].change
    assert await store.forget_user("U1", "somebody", dry_run=True) == Erased(conversations=1, posts=2)
    assert await store.forget_user("U1", "somebody") == Erased(conversations=1, posts=2)
    first, second, third = (json.loads(body) for body in await bodies(store))
    assert (first["user"], first["name"], first["text"]) == ("somebody", "somebody", "")
    assert second["markdown"] == "somebody chose: 1"
    assert third["text"] == "of another"
    assert [kept.id for kept in await store.posts.changes(ROOM, seen)] == ["m1", "p1"]


async def test_a_turn_goes_on_when_only_what_stands_there_was_of_the_person(store: Store) -> None:
    await store.posts.put(ROOM, "m1", said("my words"))
    await send(store, plain("m2", 2))
    claim = await store.claim("w", 15.0, 1)
    assert claim is not None
    await store.forget_user("U1", "somebody")
    assert await store.renew(claim, 15.0)


async def test_they_expire_with_their_conversation(store: Store, clock: ManualClock) -> None:
    await store.posts.put(ROOM, "a", "one")
    clock.advance(20 * DAY)
    await store.posts.put(OTHER, "b", "young")
    await store.expire(10 * DAY)
    clock.advance(DAY + 1)
    await store.posts.put(OTHER, "c", "younger")
    await store.expire(10 * DAY)
    assert await store.posts.page(ROOM) == ()
    assert await bodies(store, OTHER) == ["young", "younger"]


async def test_they_move_with_their_numbers(store: Store) -> None:
    for n in range(3):
        await store.posts.put(ROOM, f"k{n}", f"{n} ö\n", growing=n == 2)
    await store.posts.remove(ROOM, "k1")
    dumped = json.loads(json.dumps(await store.dump(ROOM)))
    assert await store.restore(OTHER, dumped)

    def told(kept: Kept) -> tuple[int, str, str, str]:
        return kept.number, kept.id, kept.body, kept.state

    moved = await store.posts.page(OTHER)
    assert [told(kept) for kept in moved] == [told(kept) for kept in await store.posts.page(ROOM)]
    assert [kept.id for kept in await store.posts.growing(OTHER, 0)] == ["k2"]
    gone = await store.posts.one(OTHER, "k1")
    assert gone is not None and gone.state == "gone"
    assert await store.posts.put(OTHER, "k9", "next") > max(kept.number for kept in moved)
    assert not await store.restore(OTHER, dumped), "something is there by now"


@pytest.mark.parametrize("broken", [{"state": "odd"}, {"number": "one"}, {"body": None}])
async def test_broken_exports_are_refused_with_the_place(store: Store, broken: dict[str, object]) -> None:
    await store.posts.put(ROOM, "a", "one")
    dumped = json.loads(json.dumps(await store.dump(ROOM)))
    dumped["posts"][0] |= broken
    with pytest.raises(ValueError, match="posts"):
        await store.restore(OTHER, dumped)


async def test_exports_of_builds_without_posts_can_be_read(store: Store) -> None:
    await send(store, plain("m1", 1))
    dumped = json.loads(json.dumps(await store.dump(ROOM)))
    del dumped["posts"]
    assert await store.restore(OTHER, dumped)
    assert await store.posts.page(OTHER) == ()
