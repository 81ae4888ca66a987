"""What people say on Discord is taken once, in order, and never lost: repeats, gaps, restarts, two replicas."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bot.app import SystemClock
from bot.platforms.discord import adapter, backfill, listening
from bot.ports.mailbox import Message, StoreError
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.contract.redis_server import Server, running
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_rest import Breaks, Cuts, Fault, Limits, Waits
from tests.fakes.discord_state import READ_MESSAGE_HISTORY, VIEW_CHANNEL, Channel
from tests.scenario.discord_house import House, built, discord_house, replica, words

MANY = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("valkey")) as started:
        yield started


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long before something is tried again."""
    monkeypatch.setattr(adapter, "FIRST_TRY", 0.05)
    monkeypatch.setattr(backfill, "FIRST_TRY", 0.05)
    monkeypatch.setattr(listening, "SOONEST", 0.02)


@asynccontextmanager
async def two_houses(server: Server) -> AsyncIterator[House]:
    """Two replicas of one bot: each with its connection to Discord, to the store, and its worker."""
    assert server.ask("FLUSHALL") == b"+OK\r\n"
    store = await RedisStore.open(server.url)
    async with discord_house(store=store) as house, replica(house, await RedisStore.open(server.url)):
        yield house


async def caught_up(house: House) -> None:
    """Wait for a connection, for an end of looking for what was missed, and for what all of that leads to."""
    await house.fake.until(lambda: not house.adapter.trouble(), "a connection")
    await house.fake.until(lambda: not house.adapter.is_behind, "the end of looking for what was missed")
    await house.quiet(20.0)


def posts(house: House, room: Channel) -> list[str]:
    """What the bot has posted there, with its persona's name."""
    return [f"{seen.author}: {words(seen)}" for seen in house.fake.seen(room) if seen.message.author is house.fake.me]


def speakers(house: House, room: Channel) -> list[str]:
    """Who has said something there, in order."""
    return [seen.author for seen in house.fake.seen(room)]


async def said(house: House, room: Channel) -> list[str]:
    """What people have said there, as the persona is told."""
    return [entry.text for entry in await house.log(room) if entry.kind == "said"]


# ---------------------------------------------------------------- a connection that ends in the middle

Ends = Callable[[House], Awaitable[None]]


async def resumed(house: House) -> None:
    """The connection breaks without a word; its session goes on with the next one."""
    house.fake.gateway.cut()


async def asked_to_come_again(house: House) -> None:
    """Discord asks for another connection (op 7); the session goes on."""
    house.fake.gateway.reconnect()


async def invalid(house: House) -> None:
    """The session is over (op 9): what is said until there is another one, nobody tells."""
    house.fake.gateway.invalidate()


async def forgotten(house: House) -> None:
    """The connection breaks, and its session is not known any more."""
    house.fake.gateway.forget_sessions()
    house.fake.gateway.cut()


async def unreadable(house: House) -> None:
    """An event comes that the library stumbles over, and ends."""
    house.fake.malformed()


every_end = pytest.mark.parametrize("ends", [resumed, asked_to_come_again, invalid, forgotten, unreadable])


async def answered_in_order(house: House, rooms: list[Channel], ends: Ends) -> None:
    """Commands in quick succession, told four times each; all are answered once, in order, whatever ends meanwhile."""
    for room in rooms:
        await house.hear(house.ada, room, "*architect")
    before = [len(posts(house, room)) for room in rooms]
    last = {}
    for number in range(MANY):
        for room in rooms:
            last[room] = house.ada.says(room, f"*nothing-{number}-like-it", repeat=4)
        if number == MANY // 2:
            await ends(house)
            await asyncio.sleep(0)
    for room in rooms:
        await house.taken(room, last[room].id)
    await caught_up(house)
    for room, count in zip(rooms, before, strict=True):
        answers = posts(house, room)[count:]
        assert len(answers) == MANY
        for number, answer in enumerate(answers):
            assert f"nothing-{number}-like-it" in answer


@every_end
async def test_twenty_quick_commands_are_answered_once_and_in_order(ends: Ends) -> None:
    async with discord_house() as house:
        await answered_in_order(house, [house.general, house.ada.opens_dm()], ends)
        assert house.model.prompts == []


@pytest.mark.parametrize("ends", [resumed, invalid])
async def test_two_replicas_answer_twenty_quick_commands_once_and_in_order(server: Server, ends: Ends) -> None:
    async with two_houses(server) as house:
        await answered_in_order(house, [house.general], ends)
        assert len(house.fake.gateway.sessions) == 2


async def each_once_and_in_order(house: House, ends: Ends) -> None:
    """Plain messages in a row: each in one turn, in order, with something answered."""
    await house.hear(house.ada, house.general, "*architect")
    for number in range(MANY):
        last = house.ada.says(house.general, f"thought {number}", repeat=4)
        if number == MANY // 2:
            await ends(house)
            await asyncio.sleep(0)
    await house.taken(house.general, last.id)
    await caught_up(house)
    assert await said(house, house.general) == [f"thought {number}" for number in range(MANY)]
    answers = [text for text in posts(house, house.general) if text.endswith(": Fine.")]
    assert 1 <= len(house.model.prompts) == len(answers)


@every_end
async def test_twenty_plain_messages_are_each_in_one_turn_and_in_order(ends: Ends) -> None:
    async with discord_house() as house:
        await each_once_and_in_order(house, ends)


@pytest.mark.parametrize("ends", [resumed, invalid])
async def test_two_replicas_take_each_of_twenty_plain_messages_once_and_in_order(server: Server, ends: Ends) -> None:
    async with two_houses(server) as house:
        await each_once_and_in_order(house, ends)


async def test_replicas_that_speak_in_a_channel_at_the_same_time_make_one_webhook(server: Server) -> None:
    async with two_houses(server) as house:
        threads = [house.ada.starts_thread(house.general, f"plan {number}") for number in range(6)]
        house.fake.order("POST", f"/channels/{house.general.id}/webhooks", Waits(0.2), Waits(0.2))
        for thread, call in [(thread, house.ada.says(thread, "*architect")) for thread in threads]:
            await house.taken(thread, call.id)
        await house.quiet()
        assert all(len(posts(house, thread)) == 1 for thread in threads)
        assert len(house.fake.webhooks(house.general)) == 1


# ---------------------------------------------------------------- what is said while nobody is connected


async def off(house: House) -> None:
    """The process dies."""
    await house.stop()
    await house.fake.until(lambda: not house.fake.gateway.connections, "the end of the connection")


@asynccontextmanager
async def away(house: House, ends: Ends) -> AsyncIterator[None]:
    """Meanwhile there is no connection, or no bot at all; then everything is caught up."""
    fake = house.fake
    fake.gateway.is_open = False
    await ends(house)
    await fake.until(lambda: not fake.gateway.connections, "the end of the connection")
    # The bot learns of it a moment later; till then it would pass for connected, and caught up.
    await fake.until(lambda: ends is off or house.adapter.trouble(), "the bot to notice")
    yield
    fake.gateway.is_open = True
    if ends is not off:
        await caught_up(house)


@asynccontextmanager
async def back(house: House, ends: Ends) -> AsyncIterator[None]:
    """The bot is there again, and has caught up: the same process, or with `off` another one."""
    if ends is off:
        async with house.at_work():
            await caught_up(house)
            yield
    else:
        yield


every_absence = pytest.mark.parametrize("ends", [invalid, forgotten, unreadable, off])


@every_absence
async def test_what_was_said_meanwhile_is_answered_once_and_in_order_everywhere(ends: Ends) -> None:
    async with discord_house() as house:
        fake, ada, bob = house.fake, house.ada, house.bob
        silent = fake.channel(house.guild, "silent")
        secret = fake.channel(house.guild, "secret", private_to=(bob, fake.me))
        dm, thread = ada.opens_dm(), ada.starts_thread(house.general, "plans")
        for room in (house.general, dm):
            await house.hear(ada, room, "*architect")
        await house.hear(ada, thread, "in a thread")
        async with away(house, ends):
            for number in range(3):
                for room in (thread, house.general, dm):
                    ada.says(room, f"missed {number}")
            root = ada.says(house.general, "one more")
            new = ada.starts_thread(house.general, "more plans", message=root)
            ada.says(new, "in a new thread")
            for room in (silent, secret):
                bob.says(room, "how are you?")
                bob.says(room, "*pm")
        async with back(house, ends):
            missed = [f"missed {number}" for number in range(3)]
            for room, before, after in (
                (house.general, [], ["one more"]),
                (thread, ["in a thread"], []),
                (dm, [], []),
                (new, ["in a new thread"], []),
            ):
                assert await said(house, room) == [*before, *(missed if room is not new else []), *after]
                assert words(fake.seen(room)[-1]).endswith("Fine.")
            assert speakers(house, new)[-1] == "🏗 Winston"
            for room in (silent, secret):
                assert speakers(house, room) == ["bob", "bob", "📋 John"]
        # And once more, though all of it is looked at again.
        standing = {room.id: len(room.messages) for room in fake.world.channels.values()}
        async with house.restarted():
            await caught_up(house)
        assert standing == {room.id: len(room.messages) for room in fake.world.channels.values()}


async def test_what_comes_first_after_a_gap_waits_for_what_was_said_in_it() -> None:
    async with discord_house() as house:
        fake = house.fake
        others = [fake.channel(house.guild, f"room-{number}") for number in range(5)]
        for room in (*others, house.general):
            await house.hear(house.ada, room, "*architect")
        fake.gateway.is_open = False
        fake.gateway.invalidate()
        await fake.until(lambda: not fake.gateway.connections, "the end of the connection")
        for room in (house.general, *others):
            house.ada.says(room, "said in the gap")
        for room in (house.general, *others):
            fake.order("GET", f"/channels/{room.id}/messages", Waits(0.2))
        fake.gateway.is_open = True
        await fake.until(lambda: fake.gateway.sessions, "a session")
        house.ada.says(house.general, "said after it")
        await fake.until(lambda: len(posts(house, house.general)) == 2, "an answer")
        assert house.adapter.is_behind, "the other channels are still looked through"
        await caught_up(house)
        assert await said(house, house.general) == ["said in the gap", "said after it"]


async def test_what_comes_after_a_gap_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "PATIENCE", 0.05)
    async with discord_house() as house:
        fake = house.fake
        await house.hear(house.ada, house.general, "*architect")
        async with away(house, invalid):
            house.ada.says(house.general, "*pm correct-course")
            fake.order("GET", f"/channels/{house.general.id}/messages", Waits(0.6), Waits(0.6))
            fake.gateway.is_open = True
            await fake.until(lambda: fake.gateway.sessions, "a session")
            house.ada.says(house.general, "*status")
            await house.sees(house.general, "Winston", "*status", "Winston")
            assert house.adapter.is_behind
        assert any("John" in text for text in posts(house, house.general))


async def test_a_press_that_comes_before_what_was_missed_does_not_hide_it() -> None:
    async with discord_house() as house:
        fake = house.fake
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        async with away(house, invalid):
            house.ada.says(house.general, "said in the gap")
            fake.order("GET", f"/channels/{house.general.id}/messages", Waits(0.3))
            fake.gateway.is_open = True
            await fake.until(lambda: fake.gateway.sessions, "a session")
            pressed = house.bob.presses(greeting.message, "1 *help")
            await house.answered(pressed)
        assert await said(house, house.general) == ["said in the gap"]


async def test_a_process_that_died_over_what_it_was_told_takes_it_when_it_is_back() -> None:
    store = await Moody.open(":memory:", clock=SystemClock())
    async with built(store=store) as house:
        async with house.at_work():
            (greeting,) = await house.hear(house.ada, house.general, "*architect")
            store.deaf_to = "told, but not taken"
            house.ada.says(house.general, "told, but not taken")
            await house.fake.until(lambda: store.refused, "a message that cannot be kept")
            pressed = house.bob.presses(greeting.message, "1 *help")
            await house.fake.until(lambda: pressed.answered, "an answer")
            await house.quiet()
        store.deaf_to = ""
        async with house.at_work():
            await caught_up(house)
            assert await said(house, house.general) == ["told, but not taken"]


class Moody(SqliteStore):
    """A store that takes mail only when it likes to."""

    fails = 0
    deaf_to = ""
    refused = 0

    async def enqueue(self, conversation: str, message: Message) -> bool:
        if self.fails or (self.deaf_to and self.deaf_to in message.payload):
            self.fails = max(0, self.fails - 1)
            self.refused += 1
            raise StoreError("the store is away")
        return await super().enqueue(conversation, message)


async def test_trouble_while_catching_up_is_waited_for_and_nothing_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = await Moody.open(":memory:", clock=SystemClock())
    async with discord_house(store=store) as house:
        fake = house.fake
        rooms = [fake.channel(house.guild, f"room-{number}") for number in range(5)]
        for room in rooms[:3]:
            await house.hear(house.ada, room, "*architect")
        thread = house.ada.starts_thread(rooms[0], "plans")
        async with away(house, invalid):
            for room in (*rooms, thread):
                house.ada.says(room, "*pm")
            store.fails = 3
            faults: tuple[Fault, ...] = (Breaks(503), Cuts(), Limits(via=False), Limits(0.05), Waits(0.1))
            for room, fault in zip(rooms, faults, strict=True):
                fake.order("GET", f"/channels/{room.id}/messages", fault, fault)
            fake.order("GET", "/guilds/*/members/*", Breaks(503))
        for room in (*rooms, thread):
            assert speakers(house, room)[-2:] == ["ada", "📋 John"]
    told = [r for r in caplog.records if "not all that was missed could be looked for yet" in r.getMessage()]
    assert told and all(record.levelno == logging.WARNING and not record.exc_info for record in told)


async def test_what_is_older_than_backfill_looks_is_left_alone() -> None:
    def hours(options: Any) -> Any:
        return replace(options, backfill=2 * 3600.0)

    async with discord_house(options=hours) as house:
        fake, other = house.fake, house.fake.channel(house.guild, "other")
        await off(house)
        house.ada.says(house.general, "*pm")
        later(fake, house.general, 3 * 3600.0)
        house.ada.says(other, "*pm")
        later(fake, other, 3600.0)
        async with house.at_work():
            await caught_up(house)
            assert speakers(house, house.general) == ["ada"]
            assert speakers(house, other) == ["ada", "📋 John"]


def later(fake: FakeDiscord, room: Channel, seconds: float) -> None:
    """The last message there was said so long ago, and what stands above it before that."""
    moved = [(message.id - (int(seconds * 1000) << 22), message) for message in room.messages.values()]
    for ident, message in moved:
        fake.world.messages.pop(message.id, None)
        message.id = ident
    room.messages = dict(moved)
    fake.world.messages |= room.messages


async def test_without_backfill_nothing_is_looked_for() -> None:
    async with discord_house(options=lambda options: replace(options, backfill=0.0)) as house:
        for ends in (invalid, off):
            async with away(house, ends):
                house.ada.says(house.general, "*pm")
        async with house.at_work():
            await house.quiet()
        assert speakers(house, house.general) == ["ada", "ada"]
        assert house.fake.called("GET", "/channels/*/messages") == []


async def test_a_channel_that_the_bot_may_not_read_is_left_out_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with discord_house() as house:
        fake = house.fake
        closed, hidden = fake.channel(house.guild, "closed"), fake.channel(house.guild, "hidden")
        rooms = (closed, hidden, house.general)
        for room in rooms:
            await house.hear(house.ada, room, "*architect")
        await off(house)
        for room in rooms:
            house.ada.says(room, "*pm")
        fake.permits(closed, fake.me, deny=READ_MESSAGE_HISTORY)
        fake.permits(hidden, fake.me, deny=VIEW_CHANNEL)
        async with house.at_work():
            await caught_up(house)
            assert [speakers(house, room)[-1] for room in rooms] == ["ada", "ada", "📋 John"]
        for room, why in ((closed, "lacks the permission Read Message History"), (hidden, "does not see the channel")):
            assert any(house.conversation(room).key in line and why in line for line in caplog.messages)


async def test_a_server_that_has_thrown_the_bot_out_is_not_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    async with discord_house() as house:
        other = house.fake.guild("Other", house.ada)
        room = house.fake.channel(other, "general")
        await house.hear(house.ada, room, "*architect")
        await house.hear(house.ada, house.general, "*architect")
        async with away(house, invalid):
            house.fake.removes_bot(other)
            house.ada.says(room, "hello?")
            house.ada.says(house.general, "hello?")
        assert speakers(house, room)[-1] == "ada"
        assert words(house.fake.seen(house.general)[-1]) == "Fine."
        ours = [record for record in caplog.records if record.name.startswith("bot")]
        assert [record.getMessage() for record in ours if record.levelno >= logging.ERROR] == []


async def test_a_bot_that_has_lost_its_store_does_not_answer_the_last_day_again() -> None:
    async with discord_house() as house:
        dm = house.ada.opens_dm()
        for room in (house.general, dm):
            await house.hear(house.ada, room, "*architect")
            await house.hear(house.ada, room, "What do we need?")
        await off(house)
        house.ada.says(house.general, "*pm")
        before = [len(room.messages) for room in (house.general, dm)]
        async with replica(house, await SqliteStore.open(":memory:", clock=SystemClock())) as other:
            await caught_up(other)
            assert [len(room.messages) for room in (house.general, dm)] == [before[0] + 1, before[1]]
            assert speakers(house, house.general)[-1] == "📋 John"


async def test_a_server_that_discord_can_tell_of_only_later_is_looked_at_then() -> None:
    async with discord_house() as house:
        fake = house.fake
        await house.hear(house.ada, house.general, "*architect")
        await off(house)
        house.ada.says(house.general, "What do we need?")
        tell, held = fake.gateway._tell_guild, []
        fake.gateway._tell_guild = lambda session, guild: held.append((session, guild))  # type: ignore[method-assign]
        async with house.at_work():
            await fake.until(lambda: not house.adapter.is_behind, "the end of looking")
            assert speakers(house, house.general)[-1] == "ada"
            for session, guild in held:
                tell(session, guild)
            await house.sees(house.general, "What do we need?", "Fine.")
            await caught_up(house)


async def test_one_shard_that_is_away_is_named_and_caught_up_and_the_other_goes_on_meanwhile() -> None:
    fake = FakeDiscord(shards=2)
    async with built(fake=fake) as house:
        rooms = [fake.channel(fake.guild(f"g{n}", house.ada, shard=n, of=2), "general") for n in range(2)]
        async with house.at_work():
            for room in rooms:
                await house.hear(house.ada, room, "*architect")
            fake.gateway.is_open = False
            fake.gateway.invalidate(0)
            await fake.until(house.adapter.trouble, "words about it")
            assert "(shard 0)" in house.adapter.trouble()
            house.ada.says(rooms[0], "What do we need?")
            assert [words(seen) for seen in await house.hear(house.ada, rooms[1], "And you?")] == ["Fine."]
            assert words(fake.seen(rooms[0])[-1]) == "What do we need?"
            looks = len(fake.called("GET", f"/channels/{rooms[1].id}/messages"))
            fake.gateway.is_open = True
            await caught_up(house)
            assert words(fake.seen(rooms[0])[-1]) == "Fine."
            assert len(fake.called("GET", f"/channels/{rooms[1].id}/messages")) == looks
