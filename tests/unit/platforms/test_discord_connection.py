"""Discord's connection: broken, refused, made again; nothing is lost and nothing is said twice."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from bot.core.model import HOST, Inbound
from bot.platforms.discord.adapter import opened
from bot.platforms.discord.options import DiscordOptions
from bot.ports.mailbox import MailboxFullError, StoreError
from bot.ports.transport import Outgoing, PlatformError
from bot.runtime.access import Access, Names
from bot.runtime.inbox import Inbox
from bot.runtime.lease import ended
from tests.fakes.discord import FakeDiscord, pointed_at
from tests.fakes.discord_rest import Breaks, Cuts
from tests.fakes.discord_sessions import CloseError
from tests.fakes.discord_state import MESSAGE_CONTENT
from tests.fakes.library import FakeLibrary
from tests.scenario.discord_house import House, built, discord_house, words


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.platforms.discord.adapter.FIRST_TRY", 0.05)
    monkeypatch.setattr("bot.platforms.discord.backfill.FIRST_TRY", 0.3)


def greetings(house: House) -> int:
    return sum("Hello, I am" in words(seen) for seen in house.fake.seen(house.general))


# ---------------------------------------------------------------- connections that break


async def test_a_message_that_is_told_several_times_is_taken_once() -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect", repeat=4)
        assert greetings(house) == 1


async def test_messages_told_in_a_jumble_are_answered_in_the_order_in_which_they_were_said() -> None:
    async with discord_house(works=lambda o: replace(o, together=1)) as house:
        await house.hear(house.ada, house.general, "*architect")
        with house.fake.burst():
            for number in range(10):
                last = house.ada.says(house.general, f"line {number}", repeat=2)
        await house.taken(house.general, last.id)
        await house.quiet()
        said = [entry.text for entry in await house.log(house.general) if entry.kind == "said"]
        assert said[-10:] == [f"line {number}" for number in range(10)]


async def test_what_is_said_while_the_connection_is_away_is_heard_when_it_is_back() -> None:
    async with discord_house() as house:
        house.fake.gateway.cut()
        house.ada.says(house.general, "*architect")
        await house.sees(house.general, "Hello, I am **Winston**")
        assert house.fake.gateway.resumed == 1


async def test_what_a_lost_session_never_told_is_looked_for() -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
        house.fake.gateway.is_open = False
        house.fake.gateway.invalidate()
        house.ada.says(house.general, "*pm")
        house.fake.gateway.is_open = True
        await house.sees(house.general, "Hello, I am **John**")
        await house.quiet()
        assert greetings(house) == 2


async def test_what_was_said_while_the_bot_was_off_is_looked_for_in_threads_too() -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
        await house.stop()
        missed = house.ada.says(house.general, "which database?")
        house.fake.webhook_says(house.fake.other_webhook(house.general, "news", house.ada), "*pm")
        thread = house.ada.starts_thread(house.general, "plans", message=missed)
        asked = house.bob.says(thread, "and which queue?")
        async with house.at_work():
            await house.taken(thread, asked.id)
            await house.quiet()
            assert words(house.fake.seen(house.general)[-1]) == "Fine."
            assert words(house.fake.seen(thread)[-1]) == "Fine."
            assert len(house.model.prompts) == 2


async def test_a_private_talk_is_caught_up_too_and_nothing_twice() -> None:
    async with discord_house() as house:
        dm = house.ada.opens_dm()
        await house.hear(house.ada, dm, "*architect")
        for _ in range(2):
            await house.stop()
            async with house.at_work():
                await house.hear(house.ada, dm, "hello")
        assert len(house.model.prompts) == 2


async def test_roles_count_for_what_was_missed_too() -> None:
    async with discord_house() as house:
        team = house.fake.role(house.guild, "team")
        house.fake.grants(house.guild, house.ada, team)
        access = Access(allow=Names(roles=frozenset({str(team.id)})))
        house.works = replace(house.works, access=access)
        await house.hear(house.ada, house.general, "*architect")
        await house.stop()
        house.bob.says(house.general, "hello")
        missed = house.ada.says(house.general, "which database?")
        async with house.at_work():
            await house.taken(house.general, missed.id)
            await house.quiet()
            assert len(house.model.prompts) == 1


async def test_nothing_is_looked_for_where_that_is_not_wanted_or_too_old() -> None:
    for backfill in (0.0, 0.01):
        async with discord_house(options=lambda o, b=backfill: replace(o, backfill=b)) as house:
            await house.hear(house.ada, house.general, "*architect")
            await house.stop()
            house.ada.says(house.general, "*pm")
            await asyncio.sleep(0.05)
            async with house.at_work():
                await house.hear(house.ada, house.general, "// hello")
                assert greetings(house) == 1


async def test_a_place_that_cannot_be_read_does_not_keep_others_from_being_caught_up() -> None:
    async with discord_house() as house:
        random = house.fake.channel(house.guild, "random")
        await house.hear(house.ada, random, "*architect")
        await house.hear(house.ada, house.general, "*architect")
        await house.stop()
        house.ada.says(random, "*pm")
        house.ada.says(house.general, "*pm")
        house.fake.order("GET", f"/channels/{random.id}/messages", *[Cuts()] * 5)
        async with house.at_work():
            await house.sees(house.general, "Hello, I am **John**")
            assert len(house.fake.seen(random)) == 3
            await house.sees(random, "Hello, I am **John**")


async def test_an_event_that_cannot_be_read_ends_a_connection_and_another_one_is_made() -> None:
    async with discord_house() as house:
        house.fake.malformed()
        await house.fake.until(lambda: len(house.fake.gateway.identified) == 2, "another session")
        await house.hear(house.ada, house.general, "*architect")
        assert greetings(house) == 1


async def test_a_gateway_that_is_closed_is_told_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with built() as house:
        house.fake.order("GET", "/gateway/bot", Breaks(503), Cuts())
        async with house.at_work():
            await house.hear(house.ada, house.general, "*architect")
            assert greetings(house) == 1
        assert "not been connected" in house.adapter.trouble() or "cannot be connected" in house.adapter.trouble()


async def test_a_connection_that_is_away_is_told() -> None:
    async with discord_house() as house:
        house.fake.gateway.is_open = False
        house.fake.gateway.cut()
        await house.fake.until(house.adapter.trouble, "trouble")
        assert "is away" in house.adapter.trouble()


# ---------------------------------------------------------------- connections that are refused


async def test_a_wrong_token_is_told_before_anything_begins() -> None:
    async with FakeDiscord() as fake:
        with pointed_at(fake), pytest.raises(PlatformError, match="DISCORD_TOKEN: copy"):
            async with opened(DiscordOptions("wrong")):
                pass


async def test_a_discord_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discord.http.Route.BASE", "http://127.0.0.1:1/api/v10")
    with pytest.raises(PlatformError, match="cannot be reached"):
        async with opened(DiscordOptions("token")):
            pass


async def test_without_the_words_of_messages_the_bot_says_what_to_switch_on() -> None:
    async with built() as house:
        house.fake.forbid_intent(MESSAGE_CONTENT)
        with pytest.raises(PlatformError, match="Message Content Intent"):
            async with house.at_work():
                pass


@pytest.mark.parametrize(("code", "says"), [(4004, "DISCORD_TOKEN"), (4010, "discord.shards"), (4011, "more shards")])
async def test_a_gateway_that_will_never_let_the_bot_in_is_told_in_words(
    code: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise CloseError(code, "closed")

    async with built() as house:
        monkeypatch.setattr(house.fake.gateway, "_identify", refuse)
        with pytest.raises(PlatformError, match=says):
            async with house.at_work():
                pass


async def test_a_token_that_was_reset_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async with discord_house() as house:
        house.fake.world.token = "another"
        with caplog.at_level(logging.ERROR):
            where = house.conversation(house.general)
            await house.adapter.transport.busy(Outgoing("k", where, HOST, "", since=0))
        assert "no longer takes the bot's token" in house.adapter.trouble()
        assert "set DISCORD_TOKEN" in caplog.text


# ---------------------------------------------------------------- several processes, shards, a store that fails


async def test_two_processes_with_one_token_answer_once() -> None:
    async with discord_house() as house, opened(house.options) as other:
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        serving = asyncio.create_task(other.serve(Inbox(house.store), FakeLibrary()))
        await house.fake.until(lambda: not other.trouble(), "another connection")
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        pressed = house.bob.presses(greeting.message, "1 *help")
        await house.answered(pressed)
        used = house.ada.slash(house.general, "greenroom", what="pm")
        await house.answered(used)
        texts = [words(seen) for seen in house.fake.seen(house.general)]
        assert sum("what I can do here" in text for text in texts) == 1
        assert sum("Hello, I am" in text for text in texts) == 2
        assert sum(text == "`*pm`" for text in texts) == 1
        await ended([serving])


async def test_each_process_takes_the_guilds_of_its_shards() -> None:
    fake = FakeDiscord(shards=2)
    async with built(fake=fake, options=lambda o: replace(o, shard_count=2, shard_ids=(1,))) as house:
        second = fake.guild("Second", house.ada, shard=1, of=2)
        room = fake.channel(second, "general")
        async with house.at_work():
            assert [session.shard for session in fake.gateway.sessions.values()] == [(1, 2)]
            assert await house.hear(house.ada, room, "*architect")


async def test_as_many_shards_are_held_as_discord_recommends() -> None:
    fake = FakeDiscord(shards=2)
    async with built(fake=fake) as house:
        rooms = [fake.channel(fake.guild(f"g{n}", house.ada, shard=n, of=2), "general") for n in (0, 1)]
        async with house.at_work():
            assert sorted(session.shard for session in fake.gateway.sessions.values()) == [(0, 2), (1, 2)]
            for room in rooms:
                assert await house.hear(house.ada, room, "*architect")


async def test_what_a_failing_store_did_not_take_is_taken_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.platforms.discord.listening.SOONEST", 0.01)
    async with discord_house() as house:
        receive = Inbox.receive
        failed: list[str] = []

        async def fails_twice(inbox: Inbox, inbound: Inbound) -> bool:
            if len(failed) < 2:
                failed.append(inbound.id)
                raise StoreError("it is away")
            return await receive(inbox, inbound)

        monkeypatch.setattr(Inbox, "receive", fails_twice)
        house.ada.says(house.general, "*architect")
        house.ada.says(house.general, "*pm")
        await house.sees(house.general, "Hello, I am **Winston**", "Hello, I am **John**")
        assert len(failed) == 2


async def test_a_press_that_the_store_does_not_take_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with discord_house() as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")

        async def fails(inbox: Inbox, inbound: Inbound) -> bool:
            raise StoreError("it is away")

        monkeypatch.setattr(Inbox, "receive", fails)
        pressed = house.ada.presses(greeting.message, "4 *exit")
        await house.fake.until(lambda: pressed.answered, "an answer")
        told = house.fake.seen(house.general)[-1]
        assert (told.ephemeral_to, told.text[:24]) == ("ada", "This could not be taken ")


async def test_a_press_is_acknowledged_in_time_though_the_store_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.platforms.discord.interactions.WITHIN", 0.05)
    async with discord_house() as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        receive = Inbox.receive
        taken: list[int] = []

        async def slowly(inbox: Inbox, inbound: Inbound) -> bool:
            await asyncio.sleep(0.3)
            taken.append(inbound.number)
            return await receive(inbox, inbound)

        monkeypatch.setattr(Inbox, "receive", slowly)
        pressed = house.ada.presses(greeting.message, "4 *exit")
        await house.fake.until(lambda: pressed.answered, "an answer")
        assert taken == []
        await house.fake.until(lambda: taken, "the press")
        await house.quiet()
        assert (await house.session(house.general)).personas == ()


async def test_what_was_acknowledged_is_taken_however_long_the_store_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("WITHIN", 0.02), ("SOONEST", 0.01)):
        monkeypatch.setattr(f"bot.platforms.discord.interactions.{name}", value)
    async with discord_house() as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        receive = Inbox.receive
        failed: list[int] = []

        async def fails_slowly(inbox: Inbox, inbound: Inbound) -> bool:
            if len(failed) < 3:
                failed.append(inbound.number)
                await asyncio.sleep(0.05)
                raise StoreError("it is away")
            return await receive(inbox, inbound)

        monkeypatch.setattr(Inbox, "receive", fails_slowly)
        house.ada.presses(greeting.message, "4 *exit")
        await house.fake.until(lambda: len(failed) == 3, "three failures")
        await house.fake.until(lambda: len(house.fake.seen(house.general)) > 2, "a goodbye")
        await house.quiet()
        assert (await house.session(house.general)).personas == ()


async def test_a_mailbox_that_turns_out_full_is_told_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.platforms.discord.interactions.WITHIN", 0.02)
    async with discord_house() as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")

        async def full(inbox: Inbox, inbound: Inbound) -> bool:
            await asyncio.sleep(0.05)
            raise MailboxFullError("full")

        monkeypatch.setattr(Inbox, "receive", full)
        house.ada.presses(greeting.message, "4 *exit")
        await house.sees(house.general, "Too many things are waiting")
        assert house.fake.seen(house.general)[-1].ephemeral_to == "ada"


async def test_what_was_said_in_a_thread_before_the_bot_was_called_is_not_looked_for() -> None:
    async with built() as house:
        thread = house.ada.starts_thread(house.general, "old plans")
        house.ada.says(thread, "what shall we do?")
        async with house.at_work():
            await house.hear(house.ada, house.general, "*architect")
        async with house.at_work():
            await house.hear(house.ada, house.general, "hello")
        assert len(house.model.prompts) == 1
        assert len(house.fake.seen(thread)) == 1


async def test_nothing_is_left_running_when_the_bot_stops() -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert [task.get_name() for task in left if not task.done()] == []
