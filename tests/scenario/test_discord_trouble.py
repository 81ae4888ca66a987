"""Discord in trouble: limits, lost answers, outages, what it no longer allows; and nothing is lost or said twice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import discord
import pytest

from bot.core.model import Voice
from bot.platforms.discord import adapter, backfill, web
from bot.platforms.discord.adapter import opened
from bot.platforms.discord.marks import mark_in, without
from bot.ports.transport import PlatformError
from bot.runtime import worker
from tests.fakes.discord_rest import Breaks, Cuts, Fault, Limits, Waits
from tests.fakes.discord_state import (
    MANAGE_WEBHOOKS,
    MESSAGE_CONTENT,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    VIEW_CHANNEL,
    Channel,
)
from tests.fakes.model import Says
from tests.scenario.discord_house import House, built, discord_house, words

WINSTON = Voice("Winston", "🏗️", "architect")

LOST: list[Fault] = [Breaks(502), Breaks(502, after=True), Cuts(), Cuts(after=True), Breaks(503), Limits(via=False)]
"""A call whose answer nobody gets, before it took effect or after."""

HOOK, SEND, HISTORY = "/webhooks/*/*", "/channels/*/messages", "/channels/*/messages"


class Quick:
    """The library's `asyncio`, in which nobody sleeps for seconds."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds if seconds < 1.0 else 0.02)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long before something is tried again."""
    monkeypatch.setattr("bot.platforms.sending.WAITS", (0.01, 0.02))
    monkeypatch.setattr(adapter, "FIRST_TRY", 0.02)
    monkeypatch.setattr(backfill, "FIRST_TRY", 0.05)
    monkeypatch.setattr(worker, "AWAY", 0.1)
    monkeypatch.setattr("discord.http.asyncio", Quick())
    monkeypatch.setattr("discord.shard.asyncio", Quick())


def told(caplog: pytest.LogCaptureFixture, text: str) -> list[logging.LogRecord]:
    return [r for r in caplog.records if text in r.getMessage() and r.levelno >= logging.WARNING]


def ours(house: House, room: Channel) -> list[str]:
    """The texts of the bot's posts there, each of which bears a mark of its own."""
    found = [seen.text for seen in house.fake.seen(room) if seen.message.author is house.fake.me]
    marks = [mark_in(text) for text in found]
    assert all(marks) and len(set(marks)) == len(marks), "a post without a mark, or one that stands there twice"
    return [without(text) for text in found]


def healed(house: House) -> None:
    """No call is disturbed any more."""
    house.fake.rest._orders.clear()


def heavy(*texts: str) -> Callable[[Any, int], Says]:
    return lambda prompt, n: Says.text(texts[n - 1])


# ---------------------------------------------------------------- limits


async def test_in_a_storm_of_limits_each_channel_gets_everything_once_and_in_order() -> None:
    async with discord_house() as house:
        fake = house.fake
        rooms = [house.general, fake.channel(house.guild, "random"), house.ada.opens_dm()]
        fake.limit(*("POST", SEND), 1, 0.15)
        fake.limit(*("POST", HOOK), 1, 0.15)
        for number in range(4):
            for room in rooms:
                last = house.ada.says(room, f"*pm no-such-{number}-at-all" if number == 0 else f"*no-such-{number}")
        await house.taken(rooms[-1], last.id)
        await house.quiet(20.0)
        for room in rooms:
            answers = [text for text in ours(house, room) if "no-such-" in text]
            assert [f"no-such-{number}" in text for number, text in enumerate(answers)] == [True] * 4
        refused = [call for call in fake.calls if call.method == "POST" and call.status == 429]
        assert len(refused) <= 3, "the library waits as the headers say, and learns of a limit at most once a room"


async def test_limits_that_are_met_all_the_same_are_waited_for() -> None:
    async with discord_house() as house:
        for path in (HOOK, "/channels/*/webhooks"):
            house.fake.order("POST", path, Limits(0.02), Limits(0.02, everywhere=True))
        posts = await house.hear(house.ada, house.general, "*architect")
        assert [post.author for post in posts] == ["🏗 Winston"]
        house.fake.order("POST", HOOK, *[Limits(0.01)] * 12)
        assert [words(post) for post in await house.hear(house.ada, house.general, "And now?")] == ["Fine."]


async def test_a_ban_of_the_address_is_waited_for_and_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
        banned = [Limits(via=False)] * 8
        house.fake.order("POST", HOOK, *banned)
        house.fake.order("GET", HISTORY, *banned)
        assert [words(post) for post in await house.hear(house.ada, house.general, "And now?")] == ["Fine."]
        assert told(caplog, "has to wait") and not told(caplog, "cannot be told")
        assert len(house.model.prompts) == 1


# ---------------------------------------------------------------- answers that are lost


@pytest.mark.parametrize("fault", LOST, ids=repr)
@pytest.mark.parametrize("times", [1, 2])
async def test_a_post_whose_answer_is_lost_stands_there_once(fault: Fault, times: int) -> None:
    async with discord_house() as house:
        dm = house.ada.opens_dm()
        for room, path in ((house.general, HOOK), (dm, SEND)):
            for text, answer in (("*architect", "Hello, I am **Winston**"), ("And now?", "Fine.")):
                house.fake.order("POST", path, *[fault] * times)
                await house.hear(house.ada, room, text)
                assert answer in ours(house, room)[-1]
                healed(house)
            assert len(ours(house, room)) == 2
        assert len(house.fake.webhooks(house.general)) == 1


@pytest.mark.parametrize("late", [Waits(1.0), Waits(1.0, after=True)], ids=["before", "after"])
async def test_a_post_that_takes_too_long_stands_there_once(late: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "TIMEOUT", 0.2)
    async with discord_house() as house:
        dm = house.ada.opens_dm()
        for room, path in ((house.general, HOOK), (dm, SEND)):
            house.fake.order("POST", path, late)
            await house.hear(house.ada, room, "*architect")
            assert len(ours(house, room)) == 1


async def test_equal_texts_in_one_turn_are_as_many_posts_also_when_their_answers_are_lost() -> None:
    same = "\n\n".join(["The same again. " * 100] * 3)
    async with discord_house(heavy(same, same)) as house:
        await house.hear(house.ada, house.general, "*architect")
        for fault in (Breaks(502, after=True), Cuts(after=True)):
            house.fake.order("PATCH", f"{HOOK}/messages/*", fault)
            house.fake.order("POST", HOOK, fault, fault)
            posts = await house.hear(house.ada, house.general, "Once more")
            assert len(posts) == 3 and len({words(post) for post in posts}) == 1
        assert len(ours(house, house.general)) == 7


@pytest.mark.parametrize("fault", [Breaks(503), Breaks(503, after=True), Cuts(after=True)], ids=repr)
async def test_an_outage_of_discord_buries_no_turn_and_asks_no_model_again(
    fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    async with discord_house() as house:
        other = house.fake.channel(house.guild, "other")
        await house.hear(house.ada, house.general, "*architect")
        house.fake.order("GET", HISTORY, *[Breaks(503)] * 30)
        house.fake.order("POST", HOOK, *[fault] * 30)
        house.ada.says(house.general, "What do we need?")
        house.ada.says(other, "*pm")
        await house.fake.until(lambda: len(told(caplog, "has to wait")) > 4 * worker.EXCEPTIONS, "many tries")
        assert (await house.store.stats()).dead == 0
        healed(house)
        await house.quiet()
        assert ours(house, house.general)[-1] == "Fine."
        assert (len(ours(house, house.general)), len(ours(house, other))) == (2, 1)
        assert len(house.model.prompts) == 1


# ---------------------------------------------------------------- what Discord no longer allows


async def test_without_a_good_token_turns_wait_and_go_on_when_there_is_one_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with discord_house() as house:
        fake, token = house.fake, house.fake.token
        dm = house.ada.opens_dm()
        await house.hear(house.ada, dm, "*architect")
        fake.world.token = "another"
        house.ada.says(dm, "What do we need?")
        await fake.until(lambda: told(caplog, "has to wait"), "a turn that waits")
        assert house.adapter.trouble() == "Discord no longer takes the bot's token"
        assert len(told(caplog, "reset it in the portal, and set DISCORD_TOKEN")) == 1
        fake.world.token = token
        await house.quiet()
        assert ours(house, dm)[-1].endswith("Fine.") and len(house.model.prompts) == 1
        assert house.adapter.trouble() == "" and (await house.store.stats()).dead == 0


async def interrupted(house: House, deed: Callable[[], object]) -> None:
    """Somebody asks, and while the persona thinks, `deed` is done."""
    await house.hear(house.ada, house.general, "*architect")

    async def think(_ask: int, _piece: int) -> None:
        house.model.on_piece = None
        deed()

    house.model.on_piece = think
    house.ada.says(house.general, "What do we need?")
    await house.fake.until(lambda: house.model.prompts and house.model.on_piece is None, "a thought")
    await house.quiet()


async def the_others_go_on(house: House) -> None:
    guild = house.fake.guild("Others", house.ada)
    other = house.fake.channel(guild, "other")
    assert [seen.author for seen in await house.hear(house.ada, other, "*pm")] == ["📋 John"]
    assert house.adapter.trouble() == ""


async def reasons(house: House) -> list[str]:
    return [letter.reason for letter in await house.store.dead()]


async def test_in_a_channel_that_is_deleted_meanwhile_a_turn_ends_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with discord_house() as house:
        await interrupted(house, lambda: house.fake.deletes_channel(house.general))
        where = house.conversation(house.general).key
        assert await reasons(house) == [f"nothing can be posted to {where}: the channel or thread was deleted"]
        (line,) = told(caplog, "cannot be told: ")
        assert line.levelno == logging.ERROR and "was deleted" in line.getMessage() and not line.exc_info
        assert len(house.model.prompts) == 1
        await the_others_go_on(house)


async def test_a_bot_that_is_thrown_out_of_a_server_says_so_in_its_log_and_is_heard_elsewhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with discord_house() as house:

        def thrown_out() -> None:
            house.fake.deletes_webhook(house.fake.webhooks(house.general)[0])
            house.fake.removes_bot(house.guild)

        await interrupted(house, thrown_out)
        (line,) = told(caplog, "cannot be told: ")
        assert "the bot does not see the channel: give its role the permission View Channel" in line.getMessage()
        await the_others_go_on(house)


@pytest.mark.parametrize("right", [VIEW_CHANNEL, SEND_MESSAGES])
async def test_what_the_bot_may_no_longer_do_in_a_channel_is_named(
    right: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with discord_house() as house:
        house.fake.permits(house.general, house.fake.me, deny=SEND_MESSAGES | MANAGE_WEBHOOKS)
        if right == VIEW_CHANNEL:
            said = house.ada.says(house.general, "*status")
            house.fake.permits(house.general, house.fake.me, deny=VIEW_CHANNEL)
            await house.taken(house.general, said.id)
            await house.quiet()
        else:
            assert await house.hear(house.ada, house.general, "*status") == []
        (line,) = told(caplog, "cannot be told: ")
        says = {VIEW_CHANNEL: "does not see the channel", SEND_MESSAGES: "its role needs View Channels, Send Messages"}
        assert says[right] in line.getMessage()
        (reason,) = await reasons(house)
        assert says[right] in reason
        await the_others_go_on(house)


async def test_without_manage_webhooks_personas_speak_all_the_same_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with discord_house() as house:
        house.fake.permits(house.general, house.fake.me, deny=MANAGE_WEBHOOKS)
        await house.hear(house.ada, house.general, "*architect")
        await house.hear(house.ada, house.general, "And now?")
        assert ours(house, house.general)[-1] == "**🏗️ Winston**\nFine."
        (line,) = told(caplog, "lacks the permission Manage Webhooks there: give it to the bot's role")
        assert str(house.general.id) in line.getMessage()


async def test_without_read_message_history_a_turn_goes_on_and_what_may_happen_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with discord_house() as house:
        house.fake.permits(house.general, house.fake.me, deny=READ_MESSAGE_HISTORY)
        house.fake.order("POST", HOOK, Breaks(502), Breaks(502))
        await house.hear(house.ada, house.general, "*architect")
        house.fake.order("POST", HOOK, Cuts())
        assert [words(post) for post in await house.hear(house.ada, house.general, "And now?")] == ["Fine."]
        (line,) = told(caplog, "give its role the permission Read Message History")
        assert str(house.general.id) in line.getMessage()


async def test_a_webhook_that_somebody_deletes_is_made_anew_once_and_nothing_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with discord_house() as house:
        await interrupted(house, lambda: house.fake.deletes_webhook(house.fake.webhooks(house.general)[0]))
        assert ours(house, house.general)[-1] == "Fine."
        assert len(house.fake.webhooks(house.general)) == 1
        assert len(house.fake.called("POST", "/channels/*/webhooks")) == 2
        assert len(told(caplog, "is gone; another one is looked for or made")) == 1
        assert await reasons(house) == []


# ---------------------------------------------------------------- connections that are not made


async def test_a_gateway_that_lets_nobody_in_is_told_and_tried_again_ever_more_rarely(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with built() as house:
        house.fake.gateway.is_open = False
        connecting = asyncio.create_task(_at_work(house))
        await house.fake.until(lambda: len(told(caplog, "Discord cannot be connected")) >= 3, "three tries")
        why = "NotReachedError: the gateway does not let shard 0 in (WSServerHandshakeError: 503, "
        assert house.adapter.trouble().startswith(f"Discord cannot be connected: {why}")
        assert not any(record.exc_info for record in caplog.records if record.name.startswith("discord"))
        delays = [record.args[1] for record in told(caplog, "Discord cannot be connected") if record.args]  # type: ignore[index]
        assert delays[:3] == [0.02, 0.04, 0.08]
        house.fake.gateway.is_open = True
        await connecting
    assert house.fake.seen(house.general)[-1].author == "🏗 Winston"


async def _at_work(house: House) -> None:
    async with house.at_work():
        await house.hear(house.ada, house.general, "*architect")


async def test_events_that_the_library_cannot_read_end_a_connection_and_no_bot(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with discord_house() as house:
        for number in range(1, 4):
            house.fake.malformed()
            await house.fake.until(lambda count=number: len(house.fake.gateway.identified) == count + 1, "a session")  # type: ignore[misc]
            await house.fake.until(lambda: not house.adapter.trouble(), "a connection")
        assert [seen.author for seen in await house.hear(house.ada, house.general, "*architect")] == ["🏗 Winston"]
        lines = told(caplog, "Discord cannot be connected: KeyError")
        assert len(lines) == 3 and not any(line.exc_info for line in lines)


async def test_a_token_that_is_reset_while_the_bot_is_connected_ends_it_in_words() -> None:
    async with discord_house() as house:
        house.fake.world.token = "another"
        house.fake.gateway.forget_sessions()
        house.fake.gateway.cut()
        with pytest.raises(PlatformError, match="Discord does not take DISCORD_TOKEN: copy the bot's token from"):
            async with asyncio.timeout(5.0):
                await house._serving[0]
        assert 4004 in house.fake.gateway.refused


async def test_a_token_that_calls_are_refused_for_time_and_again_ends_it_though_the_connection_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adapter, "LOOKS", (0.01, 0.02, 0.02))
    async with discord_house() as house:
        house.fake.world.token = "another"
        house.ada.says(house.ada.opens_dm(), "*architect")
        with pytest.raises(PlatformError, match="Discord does not take DISCORD_TOKEN: copy the bot's token from"):
            async with asyncio.timeout(10.0):
                await house._serving[0]
        looks = len(house.fake.called("GET", "/users/@me"))
        await house.rests()
        assert len(house.fake.called("GET", "/users/@me")) == looks <= 5, "nothing is asked any more"


async def test_an_intent_that_is_switched_off_while_the_bot_is_connected_ends_it_in_words() -> None:
    async with discord_house() as house:
        house.fake.forbid_intent(MESSAGE_CONTENT)
        house.fake.gateway.invalidate()
        with pytest.raises(PlatformError, match="switch on the Message Content Intent in the Developer Portal"):
            async with asyncio.timeout(5.0):
                await house._serving[0]
        assert 4014 in house.fake.gateway.refused


async def test_a_token_that_discord_does_not_know_is_told_before_anything_begins() -> None:
    async with built() as house:
        house.fake.world.token = "another"
        with pytest.raises(PlatformError, match="your application, Bot, Reset Token"):
            async with opened(house.options):
                raise AssertionError("it opened")


async def test_the_library_is_the_one_whose_ways_are_known() -> None:
    """What `Gateway.launch_shard` relies on: a first try that fails is repeated from within, by calling it again."""
    calls: list[int] = []

    class Client(discord.AutoShardedClient):
        async def launch_shard(self, gateway: Any, shard_id: int, *, initial: bool = False) -> None:
            calls.append(shard_id)
            if len(calls) == 2:
                raise ConnectionError
            await super().launch_shard(gateway, shard_id, initial=initial)

    async with built() as house:
        house.fake.gateway.is_open = False
        client = Client(intents=discord.Intents(guilds=True), shard_count=1)
        with pytest.raises(ConnectionError):
            await client.start(house.fake.token)
        await client.close()
    assert calls == [0, 0]


async def test_a_channel_that_has_to_wait_keeps_no_other_from_being_answered() -> None:
    async with discord_house() as house:
        other = house.fake.channel(house.guild, "other")
        for room in (house.general, other):
            await house.hear(house.ada, room, "*architect")
        hook, waits = house.fake.webhooks(house.general)[0], [Limits(0.9)] * 2
        house.fake.order("POST", f"/webhooks/{hook.id}/*", *waits)
        last = house.ada.says(house.general, "And now?")
        await house.fake.until(lambda: house.fake.rest.unused < 2, "a limit")
        house.ada.says(other, "And you?")
        await house.sees(other, "And you?", "Fine.")
        assert house.fake.seen(house.general)[-1].id == last.id, "it still waits"
        await house.quiet()
        assert ours(house, house.general)[-1] == "Fine."
