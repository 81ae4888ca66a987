"""A store that is away for longer than Slack repeats its events: nothing is lost, doubled or out of order on Slack."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.core.steps import HERE
from bot.platforms.slack import backfill, event_source
from bot.platforms.slack import refused as refusals
from bot.stores.redis import RedisStore
from tests.contract.redis_server import Server, running
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Says, Slow
from tests.fakes.slack_state import Person, Room
from tests.scenario.slack_house import House, replica, slack_house, subscribed

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
ROOMS = 4


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_source, "FIRST_TRY", 0.05)
    monkeypatch.setattr(backfill, "FIRST_TRY", 0.05)
    monkeypatch.setattr(backfill, "STORE_TRY", 0.1)


@asynccontextmanager
async def on_valkey(folder: Path, **how: Any) -> AsyncIterator[tuple[House, Server]]:
    """A bot whose state is on a server of its own, which a test can take away."""
    with running(folder, *DURABLE) as server:
        store = await RedisStore.open(server.url, patience=0.05)
        async with slack_house(store=store, **how) as house:
            yield house, server


async def given_up(house: House) -> None:
    """Let time pass until Slack no longer repeats what was refused."""
    dispatch = house.fake.dispatch

    def is_over() -> bool:
        house.fake.clock.advance(2)
        return all(delivery.over.is_set() for delivery in dispatch.deliveries)

    await house.fake.until(is_over, "Slack to give up", 30.0)
    last = dispatch.deliveries[-1]
    assert (last.acked, last.attempts) == (False, 4)


async def team(house: House, count: int = ROOMS) -> tuple[Person, list[Room]]:
    """Alice in some channels, each with Winston on."""
    alice = house.fake.user("alice")
    rooms = [house.fake.channel(f"room-{number}", [alice]) for number in range(count)]
    for room in rooms:
        await house.hear(alice, room, "*architect")
    return alice, rooms


async def said(house: House, room: Room, thread: str = "") -> list[str]:
    return [entry.text for entry in await house.log(room, thread) if entry.kind == "said"]


async def test_what_was_refused_for_longer_than_slack_repeats_it_is_taken_when_the_store_is_back(
    tmp_path: Path,
) -> None:
    async with on_valkey(tmp_path) as (house, server):
        alice, rooms = await team(house)
        thread = house.fake.seen(rooms[0])[0].ts
        await house.hear(alice, rooms[0], "in a thread", thread=thread)
        server.kill()
        for number in range(3):
            for room in rooms:
                await house.fake.says(alice, room, f"missed {number}")
        await house.fake.says(alice, rooms[0], "missed in the thread", thread=thread)
        await given_up(house)
        refused = [d for d in house.fake.dispatch.deliveries if "missed" in str(d.event.get("text"))]
        assert len(refused) == 3 * ROOMS + 1 and not any(d.acked for d in refused)
        assert house.adapter.is_behind
        server.start()
        for room in rooms:
            await house.fake.says(alice, room, "after it")
        await house.quiet(30.0)
        for room in rooms:
            assert await said(house, room) == ["missed 0", "missed 1", "missed 2", "after it"]
            assert house.fake.seen(room)[-1].shown == "Fine."
        assert await said(house, rooms[0], thread) == ["in a thread", "missed in the thread"]


async def test_nothing_overtakes_what_waits_for_slack_to_repeat_it(tmp_path: Path) -> None:
    """The store is back before Slack has given up: the next message comes before the repetition."""
    async with on_valkey(tmp_path) as (house, server):
        alice, (room,) = await team(house, 1)
        server.kill()
        await house.fake.says(alice, room, "first")
        (refused,) = [d for d in house.fake.dispatch.deliveries if d.event.get("text") == "first"]
        house.fake.clock.advance(4)
        await house.fake.until(lambda: refused.attempts == 2, "the second attempt")
        house.fake.clock.advance(4)
        server.start()
        await house.fake.says(alice, room, "second")
        await house.fake.until(lambda: len(house.fake.seen(room)) > 4, "an answer", 20.0)
        house.fake.clock.advance(61)
        await house.quiet(20.0)
        assert await said(house, room) == ["first", "second"]


async def test_a_process_that_dies_during_the_outage_finds_what_was_refused_at_its_next_start(tmp_path: Path) -> None:
    async with on_valkey(tmp_path) as (house, server):
        alice, rooms = await team(house)
        server.kill()
        for room in rooms:
            await house.fake.says(alice, room, "missed")
        await given_up(house)
        await house.stop()
        await house.stack.aclose()
        server.start()
        for room in rooms:
            await house.fake.says(alice, room, "said while nobody was there")
        await house.restart()
        await house.quiet(30.0)
        for room in rooms:
            assert await said(house, room) == ["missed", "said while nobody was there"]


async def test_a_process_looks_for_what_it_missed_before_anything_is_given_to_it(tmp_path: Path) -> None:
    async with on_valkey(tmp_path) as (house, _):
        alice, rooms = await team(house)
        await house.stop()
        await house.stack.aclose()
        for room in rooms:
            await house.fake.says(alice, room, "missed")
        before = len(house.fake.calls)
        await house.restart()
        await house.quiet()
        calls = [call.method for call in house.fake.calls[before:]]
        assert calls[: calls.index("apps.connections.open")].count("conversations.history") >= ROOMS
        for room in rooms:
            assert await said(house, room) == ["missed"]


async def test_what_is_being_read_is_not_begun_anew_by_each_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "PATIENCE", 0.05)
    async with slack_house() as house:
        _, (room,) = await team(house, 1)
        missed = house.adapter._missed
        assert missed is not None
        house.fake.faults.order("conversations.history", Slow(0.5), None)
        asked = len(house.fake.called("conversations.history"))
        missed._gap = backfill.Gap(0)  # nobody fills it but the deliveries
        for _ in range(4):
            assert not await missed.before(house.conversation(room))
        while not await missed.before(house.conversation(room)):
            pass
        assert len(house.fake.called("conversations.history")) == asked + 1


async def test_another_process_reads_what_was_refused_by_one_that_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had refused nothing itself, but it has seen that the store was away."""
    monkeypatch.setattr(refusals, "BLIP", 0.1)
    async with on_valkey(tmp_path) as (house, server):
        dispatch = house.fake.dispatch
        dispatch.chosen = dispatch.connections[0]
        alice, (room,) = await team(house, 1)
        async with replica(house, await RedisStore.open(server.url, patience=0.05)) as other:
            await house.fake.until(lambda: len(dispatch.connections) == 2, "the other's connection")
            server.kill()
            await house.fake.says(alice, room, "first")
            noticed = other.store.outage
            await house.fake.until(lambda: (o := noticed()) and o.last - o.began > 0.1, "the other to notice", 20.0)
            await house.stop()
            server.start()
            await house.fake.says(alice, room, "second")
            await house.fake.until(lambda: house.fake.seen(room)[-1].shown == "Fine.", "an answer", 20.0)
            house.fake.clock.advance(400)  # also what Slack repeats comes to nothing more
            await other.quiet(20.0)
            assert await said(other, room) == ["first", "second"]


async def test_an_edit_and_a_deletion_that_were_refused_are_done_when_the_store_is_back(tmp_path: Path) -> None:
    async with on_valkey(tmp_path) as (house, server):
        alice, (room,) = await team(house, 1)
        await house.hear(alice, room, "the password is swordfish")
        ts = next(seen.ts for seen in house.fake.seen(room) if "swordfish" in seen.text)
        server.kill()
        await house.fake.people.deletes(room, ts)
        await given_up(house)
        server.start()
        await house.quiet(20.0)
        await house.hear(alice, room, "what do you know?")
        assert "swordfish" not in house.prompt()


async def test_a_press_does_not_overtake_what_was_refused(tmp_path: Path) -> None:
    async with on_valkey(tmp_path) as (house, server):
        alice, (room,) = await team(house, 1)
        button = house.fake.seen(room)[-1].buttons[0]
        server.kill()
        await house.fake.says(alice, room, "said before the press")
        await given_up(house)
        server.start()
        await house.fake.presses(alice, room, house.fake.seen(room)[1].ts, button.label)
        await house.quiet(20.0)
        log = await house.log(room)
        texts = [entry.text for entry in log if entry.kind in ("said", "note") and entry.call != HERE]
        assert texts[0] == "said before the press", texts


async def test_while_the_store_is_away_slack_is_not_asked_again_and_again(tmp_path: Path) -> None:
    async with on_valkey(tmp_path) as (house, server):
        alice, (room,) = await team(house, 1)
        server.kill()
        for number in range(10):
            await house.fake.says(alice, room, f"missed {number}")
        await given_up(house)
        assert house.fake.called("conversations.history") == []
        server.start()
        await house.quiet(20.0)
        assert await said(house, room) == [f"missed {number}" for number in range(10)]


# ---------------------------------------------------------------- Slack's own limits


async def test_what_slack_drops_in_a_minute_of_too_many_events_is_looked_for() -> None:
    async with slack_house() as house:
        alice, (room, other) = await team(house, 2)
        events, house.fake._events = house.fake._events, frozenset()
        for number in range(3):
            await house.fake.says(alice, room, f"dropped {number}")
        await house.fake.says(alice, other, "dropped")
        house.fake._events = events
        house.fake.people.limits_events(minute=time.time() - 70)
        await house.fake.until(lambda: house.fake.called("conversations.history"), "a look")
        await house.quiet()
        assert await said(house, room) == ["dropped 0", "dropped 1", "dropped 2"]
        assert await said(house, other) == ["dropped"]


async def test_a_delivery_waits_for_what_was_missed_and_goes_before_it_only_where_slack_shows_nothing_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backfill, "PATIENCE", 0.05)
    monkeypatch.setattr(backfill, "OVERTAKEN", 0.2)
    fake = FakeSlack(events=subscribed(), ack_within=0.3, retries=(0, 0.1, 0.1))
    async with slack_house(fake=fake) as house:
        alice, (room,) = await team(house, 1)
        fake.faults.order("apps.connections.open", Says("internal_error"), None)
        fake.dispatch.cut(fake.dispatch.connections[0])
        await fake.until(lambda: not fake.dispatch.connections, "the end of the connection")
        fake.faults.order("conversations.history", Slow(60.0), None)
        fake.faults.heal("apps.connections.open")
        await fake.until(lambda: fake.dispatch.connections, "a connection")
        await fake.says(alice, room, "hello?")
        await fake.until(lambda: fake.seen(room)[-1].shown == "Fine.", "an answer all the same", 10.0)
        assert house.adapter.is_behind
