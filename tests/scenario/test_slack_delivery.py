"""What people say on Slack is taken once, in order, and never lost: repeats, two replicas, a full house, gaps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bot.app import SystemClock
from bot.platforms.slack import backfill, event_source
from bot.platforms.slack.listening import FULL
from bot.ports.mailbox import Message, StoreError
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.contract.redis_server import Server, running
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Cut, Limited, Says, Slow, Status
from tests.fakes.slack_methods import MANIFEST_SCOPES
from tests.fakes.slack_state import Person, Room
from tests.scenario.slack_house import House, replica, slack_house, subscribed

MANY = 20
READS = MANIFEST_SCOPES | {"im:read", "mpim:read"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("valkey")) as started:
        yield started


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long before something is tried again."""
    monkeypatch.setattr(event_source, "FIRST_TRY", 0.05)
    monkeypatch.setattr(event_source, "LATEST_TRY", 0.1)
    monkeypatch.setattr(backfill, "FIRST_TRY", 0.05)


@asynccontextmanager
async def two_houses(server: Server, **how: Any) -> AsyncIterator[tuple[House, House]]:
    """Two replicas of one bot: each with its connection to Slack, to the store, and its worker."""
    assert server.ask("FLUSHALL") == b"+OK\r\n"
    store = await RedisStore.open(server.url)
    async with slack_house(store=store, **how) as house, replica(house, await RedisStore.open(server.url)) as other:
        yield house, other


# ---------------------------------------------------------------- once, in order


async def says(house: House, person: Person, room: Room, text: str, *, alone: bool) -> None:
    """Say it; `alone`, the next thing is said as soon as this one is acknowledged.

    Two connections have no order between them: what is under way on both at once may come in either order.
    """
    ts = await house.fake.says(person, room, text)
    if alone:
        (delivery,) = [d for d in house.fake.dispatch.deliveries if d.event.get("ts") == ts]
        await house.fake.until(lambda: delivery.acked, "an acknowledgement")


async def answered_in_order(house: House, rooms: list[Room], person: Person, *, alone: bool = False) -> None:
    """Commands in quick succession, and everything is answered once, in order."""
    for room in rooms:
        await house.fake.says(person, room, "*architect")
    await house.quiet()
    for number in range(MANY):
        for room in rooms:
            await says(house, person, room, f"*nothing-{number}-like-it", alone=alone)
    await house.quiet(20.0)
    for room in rooms:
        said = [seen.shown for seen in house.fake.seen(room) if seen.user != person.id][1:]
        assert len(said) == MANY
        for number, answer in enumerate(said):
            assert f"nothing-{number}-like-it" in answer


async def test_twenty_quick_commands_that_come_four_times_each_are_answered_once_and_in_order() -> None:
    async with slack_house() as house:
        alice = house.fake.user("alice")
        house.fake.dispatch.redeliver_all = 4
        await answered_in_order(house, [house.fake.channel("general", [alice]), house.fake.people.dm(alice)], alice)
        assert house.model.prompts == []


async def test_two_replicas_answer_twenty_quick_commands_once_and_in_order(server: Server) -> None:
    async with two_houses(server) as (house, _):
        alice = house.fake.user("alice")
        house.fake.dispatch.redeliver_all = 4
        await answered_in_order(house, [house.fake.channel("general", [alice])], alice, alone=True)
        used = {number for delivery in house.fake.dispatch.deliveries for number in delivery.connections}
        assert used == {1, 2}


async def each_once_and_in_order(house: House, *, alone: bool = False) -> None:
    """Plain messages in a row: each in one turn, in order, with something answered."""
    alice = house.fake.user("alice")
    general = house.fake.channel("general", [alice])
    await house.hear(alice, general, "*architect")
    house.fake.dispatch.redeliver_all = 4
    for number in range(MANY):
        await says(house, alice, general, f"thought {number}", alone=alone)
    await house.quiet(20.0)
    said = [entry.text for entry in await house.log(general) if entry.kind == "said"]
    assert said == [f"thought {number}" for number in range(MANY)]
    assert 1 <= len(house.model.prompts) == len([s for s in house.fake.seen(general) if s.shown == "Fine."])


async def test_twenty_plain_messages_are_each_in_one_turn_and_in_order() -> None:
    async with slack_house() as house:
        await each_once_and_in_order(house)


async def test_two_replicas_take_each_of_twenty_plain_messages_once_and_in_order(server: Server) -> None:
    async with two_houses(server) as (house, _):
        await each_once_and_in_order(house, alone=True)


async def test_a_message_whose_author_is_looked_up_slowly_is_not_overtaken() -> None:
    async with slack_house() as house:
        alice, bob = house.fake.user("alice"), house.fake.user("bob")
        general = house.fake.channel("general", [alice, bob])
        await house.hear(alice, general, "*architect")
        house.fake.faults.order("users.info", Slow(0.5))
        await house.fake.says(bob, general, "thought of bob")
        await house.fake.says(alice, general, "thought of alice")
        await house.quiet()
        said = [entry.text for entry in await house.log(general) if entry.kind == "said"]
        assert said == ["thought of bob", "thought of alice"]


# ---------------------------------------------------------------- acknowledged when it is safe, and not before


class Moody(SqliteStore):
    """A store that takes mail only when it likes to: it fails, or waits, as long as it is told to."""

    fails = 0
    waits: asyncio.Event | None = None
    tried = 0

    async def enqueue(self, conversation: str, message: Message) -> bool:
        self.tried += 1
        if self.waits:
            await self.waits.wait()
        if self.fails:
            self.fails -= 1
            raise StoreError("the store is away")
        return await super().enqueue(conversation, message)


async def test_what_the_store_could_not_keep_is_not_acknowledged_and_taken_once_when_it_comes_again() -> None:
    store = await Moody.open(":memory:", clock=SystemClock())
    fake = FakeSlack(events=subscribed(), ack_within=0.3, retries=(0, 0.05))
    async with slack_house(fake=fake, store=store) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        store.fails = 2
        posted = await house.hear(alice, general, "*architect")
        (delivery,) = [d for d in fake.dispatch.deliveries if d.event.get("text") == "*architect"]
        assert delivery.acked and delivery.attempts in (2, 3) and store.tried >= 3
        assert [seen.name for seen in posted] == ["Winston"]


async def test_while_the_store_takes_its_time_nothing_is_acknowledged() -> None:
    store = await Moody.open(":memory:", clock=SystemClock())
    fake = FakeSlack(events=subscribed(), ack_within=0.2, retries=(0,))
    async with slack_house(fake=fake, store=store) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        store.waits = asyncio.Event()
        await fake.says(alice, general, "*architect")
        (delivery,) = [d for d in fake.dispatch.deliveries if d.event.get("text") == "*architect"]
        await fake.until(lambda: delivery.attempts == 2, "the second attempt")
        assert not delivery.acked
        store.waits.set()
        await house.quiet()
        assert delivery.acked
        assert [seen.name for seen in fake.seen(general)] == ["alice", "Winston"]


async def test_when_a_mailbox_is_full_the_sender_alone_is_told_and_nothing_comes_again() -> None:
    store = await SqliteStore.open(":memory:", clock=SystemClock(), mailbox_cap=2)
    async with slack_house(store=store, works=lambda options: replace(options, together=1)) as house:
        alice, bob = house.fake.user("alice"), house.fake.user("bob")
        general = house.fake.channel("general", [alice, bob])
        await house.hear(alice, general, "*architect")
        thinking, go_on = asyncio.Event(), asyncio.Event()

        async def think(_ask: int, _piece: int) -> None:
            thinking.set()
            await go_on.wait()

        house.model.on_piece = think
        await house.fake.says(alice, general, "thought 0")
        await thinking.wait()
        for number in range(1, 5):
            await house.fake.says(bob, general, f"thought {number}")
        await house.fake.settled()
        assert all(d.acked and d.attempts == 1 for d in house.fake.dispatch.deliveries if d.event.get("user") == bob.id)
        told = [seen.text for seen in house.fake.people.whispers(bob, general)]
        assert told == [FULL], "once, however many were refused"
        assert house.fake.people.whispers(alice) == []
        go_on.set()
        await house.quiet()
        said = [entry.text for entry in await house.log(general) if entry.kind == "said"]
        assert said == [f"thought {number}" for number in range(3)]


# ---------------------------------------------------------------- what is said while nobody is connected


def whole() -> FakeSlack:
    """A workspace whose app may see which private talks there are, as its manifest would have it."""
    return FakeSlack(scopes=READS, events=subscribed())


async def cut(house: House) -> None:
    house.fake.dispatch.cut(house.fake.dispatch.connections[0])


async def told_to_go(house: House) -> None:
    await house.fake.dispatch.disconnect(house.fake.dispatch.connections[0], "refresh_requested")


async def told_that_socket_mode_is_off(house: House) -> None:
    await house.fake.dispatch.disconnect(house.fake.dispatch.connections[0], "link_disabled")


Ends = Callable[[House], Any]


@asynccontextmanager
async def away(house: House, ends: Ends | None) -> AsyncIterator[None]:
    """Meanwhile there is no connection, or with None no bot at all; then everything is caught up."""
    fake = house.fake
    if ends is None:
        await house.stop()
        await house.stack.aclose()
        await fake.until(lambda: not fake.dispatch.connections, "the end of the connection")
        yield
        await house.restart()
    else:
        fake.faults.order("apps.connections.open", Says("internal_error"), None)
        await ends(house)
        await fake.until(house.adapter.trouble, "the end of the connection")
        await fake.until(lambda: not fake.dispatch.connections, "the end of the connection")
        yield
        fake.faults.heal("apps.connections.open")
        await fake.until(lambda: not house.adapter.trouble(), "a connection")
    await house.quiet()


every_end = pytest.mark.parametrize("ends", [cut, told_to_go, told_that_socket_mode_is_off, None])


@every_end
async def test_what_was_said_meanwhile_is_answered_once_and_in_order_everywhere(ends: Ends | None) -> None:
    async with slack_house(fake=whole()) as house:
        fake = house.fake
        alice, bob = fake.user("alice"), fake.user("bob")
        general, silent = fake.channel("general", [alice]), fake.channel("silent", [bob])
        dm, first, secret = fake.people.dm(alice), fake.people.dm(bob), fake.channel("x", [bob], private=True)
        for room in (general, dm):
            await house.hear(alice, room, "*architect")
        thread = fake.seen(general)[-1].ts
        await house.hear(alice, general, "in a thread", thread=thread)
        async with away(house, ends):
            for number in range(3):
                for room, below in ((general, None), (general, thread), (dm, None)):
                    await fake.says(alice, room, f"missed {number}", thread=below)
            root = await fake.says(alice, general, "one more")
            await fake.says(alice, general, "*pm", thread=root)
            for room in (silent, first, secret):
                await fake.says(bob, room, "*pm")
        missed = [f"missed {number}" for number in range(3)]
        for room, below, before, after in (
            (general, "", [], ["one more"]),
            (general, thread, ["in a thread"], []),
            (dm, "", [], []),
        ):
            said = [entry.text for entry in await house.log(room, below) if entry.kind == "said"]
            assert said == [*before, *missed, *after]
            assert fake.seen(room, below or None)[-1].shown == "Fine."
        assert [seen.name for seen in fake.seen(general, root)] == ["alice", "John"]
        for room in (silent, first, secret):
            assert [seen.name for seen in fake.seen(room)] == ["bob", "John"]
        # And once more, though all of it is looked at again.
        standing = {room.id: len(room.messages) for room in fake.ws.rooms.values()}
        async with away(house, None):
            pass
        assert standing == {room.id: len(room.messages) for room in fake.ws.rooms.values()}


async def test_slack_asks_for_another_connection_and_nothing_is_missed_or_looked_for() -> None:
    async with slack_house() as house:
        fake = house.fake
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        await fake.dispatch.disconnect(fake.dispatch.connections[0], "warning", closes=False)
        await fake.until(lambda: [c.number for c in fake.dispatch.connections] == [2], "the other connection")
        assert [seen.name for seen in await house.hear(alice, general, "*architect")] == ["Winston"]
        assert fake.called("conversations.history") == [] and not house.adapter.trouble()


async def test_a_connection_that_cannot_be_made_for_a_while_is_told_and_made_in_the_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.sending.WAITS", (0.01,))
    async with slack_house() as house:
        house.fake.faults.order("apps.connections.open", Says("invalid_auth"), 2)
        house.fake.faults.order("apps.connections.open", Status(503), 3)
        await cut(house)
        await house.fake.until(lambda: "invalid_auth" in house.adapter.trouble(), "words about it")
        await house.fake.until(lambda: not house.adapter.trouble(), "a connection", 15.0)
    told = [
        r.getMessage() for r in caplog.records if r.levelno == logging.ERROR and "trying again in" in r.getMessage()
    ]
    assert [("invalid_auth" in line, "HTTP 503" in line) for line in told] == [(True, False)] * 2 + [(False, True)]
    assert not any("bot's token" in r.getMessage() for r in caplog.records)


async def test_connections_that_die_before_the_greeting_leave_the_bot_deaf_for_no_time_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_source, "FIRST_TRY", 0.01)
    monkeypatch.setattr("bot.platforms.slack.socket.HELLO", 3600.0)
    async with slack_house() as house:
        fake = house.fake
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        fake.dispatch.dies_early = ["", "too_many_websockets", ""]
        await cut(house)
        await fake.until(lambda: fake.dispatch.opened == 2, "another connection")
        await fake.says(alice, general, "*architect")
        await house.quiet()
        assert fake.seen(general)[-1].name == "Winston"


def moved(house: House, room: Room, ts: str, seconds: float) -> None:
    """That message was said so long ago."""
    message = house.fake.ws.message(room, ts)
    message.ts = f"{float(message.ts) - seconds:.6f}"
    room.messages.sort(key=lambda message: message.ts)


async def test_what_is_older_than_backfill_looks_is_left_alone() -> None:
    hour = 3600.0
    async with slack_house(slack=lambda options: replace(options, backfill=2 * hour)) as house:
        fake = house.fake
        alice = fake.user("alice")
        general, other = fake.channel("general", [alice]), fake.channel("other", [alice])
        async with away(house, None):
            moved(house, general, await fake.says(alice, general, "*pm"), 3 * hour)
            moved(house, other, await fake.says(alice, other, "*pm"), hour)
        assert [seen.name for seen in fake.seen(general)] == ["alice"]
        assert [seen.name for seen in fake.seen(other)] == ["alice", "John"]


async def test_without_backfill_nothing_is_looked_for() -> None:
    async with slack_house(slack=lambda options: replace(options, backfill=0.0)) as house:
        fake = house.fake
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        async with away(house, None):
            await fake.says(alice, general, "*pm")
        async with away(house, cut):
            await fake.says(alice, general, "*pm")
        assert [seen.name for seen in fake.seen(general)] == ["alice", "alice"]
        assert not {"users.conversations", "conversations.history"} & {call.method for call in fake.calls}


async def test_what_bots_and_slack_itself_wrote_meanwhile_is_left_alone() -> None:
    async with slack_house() as house:
        fake = house.fake
        alice, bob = fake.user("alice"), fake.user("bob")
        general = fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        async with away(house, None):
            await fake.people.app_posts(general, "*pm")
            await fake.people.app_posts(general, "*sm", old=True)
            await fake.people.joins(bob, general)
            await fake.says(bob, general, "hello")
        assert [seen.text for seen in fake.seen(general)][-2:] == ["hello", "Fine."]
        assert [entry.text for entry in await house.log(general) if entry.kind == "said"] == ["hello"]


async def test_a_channel_that_slack_does_not_show_is_left_out_and_the_others_are_not(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(backfill, "AHEAD", 0.0)  # the look ahead would meet the refusal, and the next one none
    async with slack_house() as house:
        fake = house.fake
        alice = fake.user("alice")
        hidden, general = fake.channel("hidden", [alice]), fake.channel("general", [alice])
        async with away(house, None):
            for room in (hidden, general):
                await fake.says(alice, room, "*pm")
            fake.faults.order("conversations.history", Says("channel_not_found"))
        assert [seen.name for seen in fake.seen(hidden)] == ["alice"]
        assert [seen.name for seen in fake.seen(general)] == ["alice", "John"]
        assert f"what was missed in {house.conversation(hidden).key} cannot be seen" in caplog.text


async def test_private_talks_that_are_known_are_caught_up_though_the_app_may_not_list_them() -> None:
    async with slack_house(fake=FakeSlack(scopes=MANIFEST_SCOPES - {"im:read", "mpim:read"})) as house:
        fake = house.fake
        alice = fake.user("alice")
        dm, group = fake.people.dm(alice), fake.people.group_dm([alice, fake.user("bob")])
        for room in (dm, group):
            await house.hear(alice, room, "*architect")
        async with away(house, None):
            for room in (dm, group):
                await fake.says(alice, room, "and now?")
        assert [fake.seen(room)[-1].shown for room in (dm, group)] == ["Fine.", "Fine."]


async def test_what_was_said_before_the_bot_came_is_not_for_it() -> None:
    async with slack_house() as house:
        fake = house.fake
        alice = fake.user("alice")
        async with away(house, None):
            late = fake.channel("late", [alice], bot=False)
            await fake.says(alice, late, "*pm")
            await fake.people.joins(None, late)
            await fake.says(alice, late, "*sm")
        assert [seen.name for seen in fake.seen(late) if seen.user != fake.ws.bot_user or seen.metadata] == [
            "alice", "alice", "Bob",
        ]  # fmt: skip


async def test_a_bot_that_has_lost_its_store_does_not_answer_the_last_day_again() -> None:
    async with slack_house(fake=whole()) as house:
        fake = house.fake
        alice = fake.user("alice")
        general, dm = fake.channel("general", [alice]), fake.people.dm(alice)
        for room in (general, dm):
            await house.hear(alice, room, "*architect")
            await house.hear(alice, room, "What do we need?")
        await house.stop()
        await house.stack.aclose()
        await fake.says(alice, general, "*pm")
        before = [len(room.messages) for room in (general, dm)]
        async with replica(house, await SqliteStore.open(":memory:", clock=SystemClock())) as other:
            await other.quiet()
            assert [len(room.messages) for room in (general, dm)] == [before[0] + 1, before[1]]
            assert fake.seen(general)[-1].name == "John"


async def test_trouble_while_catching_up_is_waited_for_and_nothing_is_left_out(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.sending.WAITS", (0.01,))
    store = await Moody.open(":memory:", clock=SystemClock())
    async with slack_house(store=store) as house:
        fake = house.fake
        alice = fake.user("alice")
        rooms = [fake.channel(f"room-{number}", [alice]) for number in range(5)]
        async with away(house, cut):
            for room in rooms:
                await fake.says(alice, room, "*pm")
            store.fails = 2
            fake.faults.order("users.conversations", Cut())
            fake.faults.order("conversations.history", Status(500), 3)
            fake.faults.order("conversations.history", Limited(1))
        for room in rooms:
            assert [seen.name for seen in fake.seen(room)] == ["alice", "John"]
    told = [r for r in caplog.records if "not all that was missed could be looked for yet" in r.getMessage()]
    assert told and all(record.levelno == logging.WARNING and not record.exc_info for record in told)


async def test_what_comes_first_after_a_gap_waits_for_what_was_said_in_it() -> None:
    async with slack_house() as house:
        fake = house.fake
        alice = fake.user("alice")
        others = [fake.channel(f"room-{number}", [alice]) for number in range(5)]
        general = fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        fake.faults.order("apps.connections.open", Says("internal_error"), None)
        await cut(house)
        await fake.until(house.adapter.trouble, "the end of the connection")
        await fake.says(alice, general, "said in the gap")
        fake.faults.order("conversations.history", Slow(0.2), None)
        fake.faults.heal("apps.connections.open")
        await fake.until(lambda: fake.dispatch.connections, "a connection")
        await fake.says(alice, general, "said after it")
        await fake.until(lambda: len(fake.seen(general)) >= 5, "an answer to the first")
        assert house.adapter.is_behind, "the other channels are still looked through"
        fake.faults.heal("conversations.history")
        await house.quiet()
        assert len(others) == 5
        said = [entry.text for entry in await house.log(general) if entry.kind == "said"]
        assert said == ["said in the gap", "said after it"]
