"""Who is heard on Discord and where: listening modes, threads below a mention, roles, and what stays private."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model import Listen
from bot.runtime.access import Access, Names
from bot.runtime.worker import Options
from tests.fakes.discord_state import Channel
from tests.scenario.discord_house import House, discord_house, words
from tests.scenario.stage import answering
from tests.scenario.test_rules import never


def listening(how: Listen) -> Options:
    return Options(listen=lambda _conversation: how)


def me(house: House) -> str:
    return f"<@{house.fake.me.id}>"


# ---------------------------------------------------------------- how a channel is listened to


async def test_a_channel_that_listens_to_mentions_hears_those_presses_and_their_threads() -> None:
    async with discord_house(answering("Fine."), works=lambda _: listening("mention")) as house:
        for unheard in ("*architect", "hello", "*help", "1"):
            assert await house.hear(house.ada, house.general, unheard) == []
        (greeting,) = await house.hear(house.ada, house.general, f"{me(house)} *architect")
        assert await house.hear(house.ada, house.general, "hello there") == []
        chose, _ = await house.press(house.ada, greeting, "1 *help")
        assert words(chose) == "Ada chose: `*help`"
        root = house.ada.says(house.general, f"{me(house)} have a look")
        await house.taken(house.general, root.id)
        await house.quiet()
        thread = house.ada.starts_thread(house.general, "a look", message=root)
        assert thread.id == root.id, "Discord calls a thread as the message that it hangs on"
        (reply,) = await house.hear(house.bob, thread, "and this?")
        assert words(reply) == "Fine."
        (reply,) = await house.hear(house.ada, thread, "and that?")
        assert words(reply) == "Fine."


async def test_threads_that_did_not_begin_with_a_mention_are_left_to_people() -> None:
    async with discord_house(answering("Fine."), works=lambda _: listening("mention")) as house:
        await house.hear(house.ada, house.general, f"{me(house)} *architect")
        root = house.ada.says(house.general, "among ourselves")
        below = house.ada.starts_thread(house.general, "below", message=root)
        beside = house.ada.starts_thread(house.general, "beside")
        for thread in (below, beside):
            assert await house.hear(house.ada, thread, "and that?") == []
        called = house.ada.starts_thread(house.general, "called")
        for text in (f"{me(house)} come here", "and go on"):
            (reply,) = await house.hear(house.ada, called, text)
            assert words(reply) == "Fine."


async def test_in_a_channel_that_listens_to_mentions_the_slash_command_and_answers_count() -> None:
    async with discord_house(answering("Fine."), works=lambda _: listening("mention")) as house:
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        await house.answered(house.ada.slash(house.general, "greenroom", what="architect"))
        greeting = house.fake.seen(house.general)[-1]
        assert greeting.author == "🏗 Winston"
        (reply,) = await house.hear(house.ada, house.general, "which database?", reply_to=greeting.message)
        assert words(reply) == "Fine."


async def test_a_channel_that_listens_to_commands_leaves_talk_to_people() -> None:
    async with discord_house(answering("Fine."), works=lambda _: listening("commands")) as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        assert await house.hear(house.ada, house.general, "hello there") == []
        assert await house.hear(house.ada, house.general, "*qa* is blocked") == []
        (shown,) = await house.hear(house.ada, house.general, "1")
        assert "what I can do here" in words(shown)
        assert await house.press(house.ada, greeting, "1 *help")
        (reply,) = await house.hear(house.ada, house.general, f"hello {me(house)}")
        assert words(reply) == "Fine."


async def test_channels_may_be_listened_to_in_different_ways() -> None:
    async with discord_house(answering("Fine.")) as house:
        quiet = house.fake.channel(house.guild, "quiet")
        how: dict[str, Listen] = {str(quiet.id): "mention"}
        house.worker.options = replace(house.worker.options, listen=lambda where: how.get(where.channel, "active"))
        for room, answers in ((house.general, 1), (quiet, 0)):
            await house.hear(house.ada, room, f"{me(house)} *architect")
            assert len(await house.hear(house.ada, room, "hello")) == answers


# ---------------------------------------------------------------- who is heard


async def test_whoever_has_none_of_the_roles_is_told_once_until_they_have_one() -> None:
    async with discord_house(answering("Fine.")) as house:
        team = house.fake.role(house.guild, "team")
        house.fake.grants(house.guild, house.ada, team)
        allow = Names(roles=frozenset({str(team.id)}))
        house.worker.options = replace(house.worker.options, access=Access(allow=allow))
        (told,) = await house.hear(house.bob, house.general, "*pm")
        assert words(told).startswith("Bob: ") and "not open to you" in words(told)
        assert await house.hear(house.bob, house.general, "*architect") == []
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        assert await house.hear(house.bob, house.general, "hello") == []
        assert await house.press(house.bob, greeting, "4 *exit") == []
        assert (await house.session(house.general)).active == "architect"
        house.fake.grants(house.guild, house.bob, team)
        (reply,) = await house.hear(house.bob, house.general, "hello again")
        assert words(reply) == "Fine."
        assert "hello again" in house.prompt() and "*pm" not in house.prompt()
        assert await house.press(house.bob, greeting, "4 *exit")
        assert (await house.session(house.general)).active == ""


async def test_a_press_of_whoever_is_not_heard_is_refused_in_words_too() -> None:
    async with discord_house(never) as house:
        house.worker.options = replace(
            house.worker.options, access=Access(allow=Names(users=frozenset({str(house.ada.id)})))
        )
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        (told,) = await house.press(house.bob, greeting, "4 *exit")
        assert "not open to you" in words(told)
        assert (await house.session(house.general)).active == "architect"


async def test_the_everyone_role_is_nobodys_right() -> None:
    async with discord_house(never) as house:
        everyone = Names(roles=frozenset({str(house.guild.id)}))
        house.worker.options = replace(house.worker.options, access=Access(allow=everyone))
        (told,) = await house.hear(house.ada, house.general, "*pm")
        assert "not open to you" in words(told)


# ---------------------------------------------------------------- what stays private


@pytest.mark.parametrize("kind", ["channel", "thread", "direct"])
async def test_what_is_private_is_named_nowhere_else(kind: str) -> None:
    async with discord_house(answering("Fine.")) as house:
        secret = private(house, kind)
        await house.hear(house.ada, secret, f"{me(house)} *architect")
        await house.hear(house.ada, secret, "the password is swordfish")
        before = len(house.fake.seen(house.general))
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        for typed in ("*help", "*status", "*agent", "*usage", "hello", "*pm", "tell me"):
            await house.hear(house.bob, house.general, typed)
        for typed in ("", "swordfish", str(secret.id), "sec"):
            typing = house.bob.completes(house.general, "greenroom", "what", typed)
            await house.fake.until(lambda it=typing: it.answered, "choices")  # type: ignore[misc]
            assert not any(leaks(str(choice), secret) for choice in typing.choices or ())
        shown = [words(seen) for seen in house.fake.seen(house.general)[before:] if seen.author != "bob"]
        assert shown and not any(leaks(text, secret) for text in shown)
        assert not leaks(house.prompt(), secret)


def private(house: House, kind: str) -> Channel:
    """A place that Ada and the bot alone see."""
    match kind:
        case "channel":
            return house.fake.channel(house.guild, "secret-plans", private_to=(house.fake.me, house.ada))
        case "thread":
            return house.ada.starts_thread(house.general, "secret-plans", private=True)
        case _:
            return house.ada.opens_dm()


def leaks(text: str, secret: Channel) -> bool:
    return any(word in text for word in (str(secret.id), "secret-plans", "swordfish"))


@pytest.mark.parametrize("kind", ["channel", "thread"])
async def test_the_name_of_a_private_channel_is_not_read_where_others_read_along(kind: str) -> None:
    async with discord_house(answering("Fine.")) as house:
        secret = private(house, kind)
        await house.hear(house.ada, secret, f"{me(house)} *architect")
        await house.hear(house.ada, house.general, "*architect")
        await house.hear(house.ada, house.general, f"as said in <#{secret.id}> and <#{house.general.id}>")
        assert "secret-plans" not in house.prompt() and "#general" in house.prompt()
        await house.hear(house.ada, secret, f"as said in <#{secret.id}> and <#{house.general.id}>")
        assert "#secret-plans and #general" in house.prompt()
