"""A team and its personas on Discord: the whole bot over the real discord.py, against the strict fake."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from bot.app import shipped_agents
from bot.core.model import Conversation
from bot.core.prompt import Prompt
from bot.core.speakers import indented
from bot.personas.library import Library
from bot.runtime.turns import HASTE
from tests.fakes import discord_wire as wire
from tests.fakes.discord_rest import Refuses
from tests.fakes.discord_state import (
    EMBED_LINKS,
    GUILDS,
    JOINED,
    MANAGE_WEBHOOKS,
    PINNED,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    VIEW_CHANNEL,
    Event,
)
from tests.fakes.model import Says
from tests.scenario.discord_house import House, discord_house, words
from tests.scenario.stage import answering
from tests.scenario.test_rules import never

GREETING = "Hello, I am **John**"


def typed_by_people(house: House, text: str) -> str:
    """`text` as Discord's client sends it: mentions by their ids."""
    names = {"@Greenroom": f"<@{house.fake.me.id}>", "@bob": house.bob.mention}
    for name, mention in names.items():
        text = text.replace(name, mention)
    return text


async def test_a_persona_greets_under_its_own_name_and_picture_and_waits() -> None:
    async with discord_house(never) as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        assert (greeting.author, greeting.is_webhook) == ("🏗 Winston", True)
        assert words(greeting).startswith("Hello, I am **Winston**")
        assert "1. `*help`" in words(greeting)
        assert greeting.buttons == ("1 *help", "2 *create-backend-architecture", "3 *explain", "4 *exit")
        assert greeting.avatar_url


async def test_a_persona_answers_what_is_said_and_types_meanwhile() -> None:
    async with discord_house(answering("It depends.")) as house:
        await house.hear(house.ada, house.general, "*architect")
        assert not house.fake.called("POST", f"/channels/{house.general.id}/typing")
        (reply,) = await house.hear(house.ada, house.general, "which database?")
        assert (reply.author, words(reply)) == ("🏗 Winston", "It depends.")
        assert house.fake.called("POST", f"/channels/{house.general.id}/typing")


# ---------------------------------------------------------------- calling somebody


@pytest.mark.parametrize(
    "typed",
    [
        "*pm", "!pm", "* pm", "*pm*", "*Product Manager", "*agent pm",
        "@Greenroom *pm", "@Greenroom pm", "@Greenroom: *pm", "*pm @Greenroom", "@Greenroom Product Manager",
    ],
)  # fmt: skip
async def test_a_persona_is_called_in_a_channel(typed: str) -> None:
    async with discord_house(never) as house:
        (greeting,) = await house.hear(house.ada, house.general, typed_by_people(house, typed))
        assert greeting.author == "📋 John" and words(greeting).startswith(GREETING)


async def test_the_role_that_came_with_the_bot_is_its_name_too() -> None:
    async with discord_house(never) as house:
        role = next(role for role in house.guild.roles.values() if role.name == house.fake.me.name)
        came_along = {"managed": True, "tags": {"bot_id": str(house.fake.me.id)}}
        data = {"guild_id": str(house.guild.id), "role": wire.role(role, 1) | came_along}
        house.fake.world.publish(Event("GUILD_ROLE_UPDATE", data, house.guild, intent=GUILDS))
        (greeting,) = await house.hear(house.ada, house.general, f"<@&{role.id}> pm")
        assert greeting.author == "📋 John"


async def test_a_persona_is_called_in_threads_and_in_private() -> None:
    async with discord_house(never) as house:
        root = house.ada.says(house.general, "something to talk about")
        below = house.ada.starts_thread(house.general, "below", message=root)
        beside = house.ada.starts_thread(house.general, "beside")
        for thread in (below, beside):
            (greeting,) = await house.hear(house.ada, thread, "*pm")
            assert greeting.author == "📋 John"
        (greeting,) = await house.hear(house.ada, house.ada.opens_dm(), "*pm")
        assert (greeting.author, words(greeting).split("\n")[0]) == ("Greenroom", "**📋 John**")
        assert [seen.text for seen in house.fake.seen(house.general)] == ["something to talk about"]


@pytest.mark.parametrize("what", ["pm", "*pm", "!pm", "agent pm"])
async def test_a_persona_is_called_by_the_slash_command_and_everybody_sees_by_whose_words(what: str) -> None:
    async with discord_house(never) as house:
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        await house.answered(house.ada.slash(house.general, "greenroom", what=what))
        echo, greeting = house.fake.seen(house.general)
        assert (echo.text, echo.ephemeral_to) == (f"`*{what.lstrip('*')}`" if what[0] != "!" else "`!pm`", "")
        assert greeting.author == "📋 John" and words(greeting).startswith(GREETING)


async def test_the_slash_command_works_in_private_and_in_threads() -> None:
    async with discord_house(never) as house:
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        for room in (house.ada.opens_dm(), house.ada.starts_thread(house.general, "plans")):
            typing = house.ada.completes(room, "greenroom", "what", "pm")
            await house.answered(typing)
            assert typing.choices and typing.choices[0]["value"] == "*pm"
            await house.answered(house.ada.slash(room, "greenroom", what="*pm"))
            assert GREETING in words(house.fake.seen(room)[-1])


async def test_the_slash_command_alone_is_help_and_calls_nobody_by_its_echo() -> None:
    async with discord_house(never) as house:
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        await house.answered(house.ada.slash(house.general, "greenroom"))
        assert any("personas** are here" in words(seen) for seen in house.fake.seen(house.general))
        await house.answered(house.ada.slash(house.general, "greenroom", what=f"`@everyone {house.bob.mention} " * 60))
        assert all(seen.pings == frozenset() for seen in house.fake.seen(house.general))


@pytest.mark.parametrize(
    ("denied", "named"),
    [(VIEW_CHANNEL, "View Channels"), (SEND_MESSAGES, "Send Messages"), (SEND_MESSAGES_IN_THREADS, "in Threads")],
)
async def test_the_slash_command_says_where_the_bot_cannot_answer(denied: int, named: str) -> None:
    async with discord_house(never) as house:
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        is_thread = denied == SEND_MESSAGES_IN_THREADS
        room = house.ada.starts_thread(house.general, "plans") if is_thread else house.general
        house.fake.permits(house.general, house.fake.me, deny=denied)
        await house.answered(house.ada.slash(room, "greenroom", what="pm"))
        (told,) = house.fake.seen(room)
        assert told.ephemeral_to == "ada" and named in told.text
        assert (await house.store.stats()).dead == 0
        house.fake.permits(house.general, house.fake.me)
        await house.answered(house.ada.slash(room, "greenroom", what="pm"))
        assert house.fake.seen(room)[-1].author == "📋 John"


async def test_what_can_be_typed_is_offered_meanwhile() -> None:
    async with discord_house(never) as house:
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        typing = house.ada.completes(house.general, "greenroom", "what", "arch")
        await house.fake.until(lambda: typing.choices, "choices")
        assert typing.choices is not None
        assert {"name": "*architect - 🏗 Winston", "value": "*architect"} in typing.choices
        thread = house.ada.starts_thread(house.general, "plans")
        await house.hear(house.ada, thread, "*pm")
        typing = house.ada.completes(thread, "greenroom", "what", "create-p")
        await house.fake.until(lambda: typing.choices, "choices")
        assert typing.choices is not None
        assert typing.choices[0]["value"] == "*create-prd"


async def test_no_more_is_offered_than_discord_shows() -> None:
    async with discord_house(never, cast=Library((), shipped_agents()).cast) as house:
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        for typed in ("", "a", "*", "  ", "no such thing at all", "x" * 500):
            typing = house.ada.completes(house.general, "greenroom", "what", typed)
            await house.answered(typing)
            assert typing.choices is not None and len(typing.choices) <= 25
            assert all(len(choice["name"]) <= 100 and choice["value"][0] == "*" for choice in typing.choices)


async def test_the_command_is_registered_once() -> None:
    async with discord_house(never) as house:
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        async with house.restarted():
            await house.fake.until(lambda: len(house.fake.called("GET", "/applications/*/commands")) == 2, "a look")
            assert await house.hear(house.ada, house.general, "*architect")
        assert len(house.fake.called("PUT", "/applications/*/commands")) == 1


@pytest.mark.parametrize("typed", ["*help", "* help", "*help*", "!help", "hello, who are you?"])
async def test_a_newcomer_is_shown_everybody_in_private(typed: str) -> None:
    async with discord_house(never) as house:
        (guide,) = await house.hear(house.ada, house.ada.opens_dm(), typed)
        if "who" in typed:
            assert "*help" in words(guide)
            return
        assert "**5 personas** are here" in words(guide)
        assert guide.buttons == ("1 *bmad-orchestrator", "2 *pm", "3 *architect", "4 *sm", "5 *vm-migration-architect")


@pytest.mark.parametrize(
    "typed", ["@Greenroom help", "@Greenroom *help", "@Greenroom", "hello @Greenroom, who are you?"]
)
async def test_whoever_mentions_the_bot_in_a_channel_gets_an_answer(typed: str) -> None:
    async with discord_house(never) as house:
        (answer,) = await house.hear(house.ada, house.general, typed_by_people(house, typed))
        assert "*help" in words(answer)


async def test_an_answer_to_a_post_of_the_bot_calls_it() -> None:
    async with discord_house(never) as house:
        (asked,) = await house.hear(house.ada, house.general, "*architect")
        await house.hear(house.ada, house.general, "*exit")
        for ping in (True, False):
            (host,) = await house.hear(house.ada, house.general, "thanks", reply_to=asked.message, ping=ping)
            assert (host.author, host.is_webhook) == ("Greenroom", False)


async def test_another_persona_takes_over_and_a_number_picks_from_the_last_list() -> None:
    async with discord_house(never) as house:
        await house.hear(house.ada, house.general, "*architect")
        (john,) = await house.hear(house.bob, house.general, "*pm")
        assert john.author == "📋 John"
        house.fake.advance(HASTE)
        (ran,) = await house.hear(house.ada, house.general, "7")
        assert "was not begun" in words(ran)
        (left, *_) = await house.hear(house.ada, house.general, "*exit")
        assert "Leave now?" in words(left)
        house.fake.advance(HASTE)
        (gone,) = await house.hear(house.bob, house.general, "1")
        assert words(gone).startswith("Goodbye")
        assert await house.hear(house.ada, house.general, "hello?") == []


@pytest.mark.parametrize("typed", ["1", "1.", "#1", "1️⃣"])
async def test_a_choice_is_typed_in_many_ways(typed: str) -> None:
    async with discord_house(never) as house:
        await house.hear(house.ada, house.general, "*architect")
        (shown,) = await house.hear(house.bob, house.general, typed)
        assert shown.author == "🏗 Winston" and "1. `*help`" in words(shown)


async def test_a_thread_begins_with_the_persona_of_its_channel_and_goes_its_own_way() -> None:
    async with discord_house(answering("Fine.")) as house:
        await house.hear(house.ada, house.general, "*architect")
        thread = house.ada.starts_thread(house.general, "plans")
        (reply,) = await house.hear(house.ada, thread, "which database?")
        assert (reply.author, words(reply)) == ("🏗 Winston", "Fine.")
        (john,) = await house.hear(house.ada, thread, "*pm")
        assert john.author == "📋 John"
        (reply,) = await house.hear(house.ada, house.general, "who is here?")
        assert reply.author == "🏗 Winston"
        assert house.conversation(thread) == Conversation(
            "discord", str(house.guild.id), str(house.general.id), str(thread.id)
        )


async def test_threads_and_private_talks_go_on_after_a_restart() -> None:
    async with discord_house(answering("Fine.")) as house:
        thread, direct = house.ada.starts_thread(house.general, "plans"), house.ada.opens_dm()
        for room in (thread, direct):
            await house.hear(house.ada, room, "*architect")
        house.fake.archives(thread)
        async with house.restarted():
            for room in (thread, direct):
                (reply,) = await house.hear(house.ada, room, "which database?")
                assert words(reply).endswith("Fine.")
            assert words(house.fake.seen(thread)[-1]) == "Fine."


async def test_in_a_private_thread_the_bot_answers_once_somebody_has_called_it_in() -> None:
    async with discord_house(never) as house:
        thread = house.ada.starts_thread(house.general, "plans", private=True)
        said = house.ada.says(thread, f"<@{house.fake.me.id}> *pm")
        await house.taken(thread, said.id)
        await house.quiet()
        assert [seen.author for seen in house.fake.seen(thread)] == ["ada", "📋 John"]


# ---------------------------------------------------------------- what is for nobody


@pytest.mark.parametrize(
    "typed",
    [
        "// between us", "@bob can you look?", "🎉 👍🏽", "<:party:700000000000000000>", "👩‍👩‍👧‍👦 🇩🇪",
        "<a:dance:700000000000000001> <:party:700000000000000000>", "@bob *help is what you type",
    ],
)  # fmt: skip
async def test_what_people_say_to_each_other_is_not_answered(typed: str) -> None:
    async with discord_house(never) as house:
        await house.hear(house.ada, house.general, "*architect")
        assert await house.hear(house.ada, house.general, typed_by_people(house, typed)) == []


async def test_an_answer_to_somebody_else_is_for_them() -> None:
    async with discord_house(answering("Fine.")) as house:
        await house.hear(house.ada, house.general, "*architect")
        said = house.bob.says(house.general, "// lunch?")
        await house.caught_up(house.general)
        assert await house.hear(house.ada, house.general, "I agree", reply_to=said) == []


@pytest.mark.parametrize(
    "typed", ["*qa* is blocked", "*help* wanted", "* one\n* two", "- one\n- two", "*this* and *that*", "**bold** words"]
)
async def test_prose_that_only_looks_like_a_command_is_prose(typed: str) -> None:
    async with discord_house(answering("I see.")) as house:
        await house.hear(house.ada, house.general, "*architect")
        (reply,) = await house.hear(house.ada, house.general, typed)
        assert words(reply) == "I see."
        assert indented(typed) in house.prompt()


async def test_the_model_reads_what_people_typed_and_who_was_named() -> None:
    typed = "if a < b && c > d: see #general and https://x.example/?a=1&b=2, ask @Bob about `x -> y` @Greenroom"
    async with discord_house(answering("I see.")) as house:
        await house.hear(house.ada, house.general, "*architect")
        sent = typed.replace("#general", f"<#{house.general.id}>").replace("@Bob", house.bob.mention)
        await house.hear(house.ada, house.general, typed_by_people(house, sent))
        assert f"Ada: {typed.removesuffix(' @Greenroom')}" in house.prompt()


async def test_bots_webhooks_and_discord_itself_never_begin_a_turn() -> None:
    async with discord_house(answering("*pm")) as house:
        await house.hear(house.ada, house.general, "*architect")
        (reply,) = await house.hear(house.ada, house.general, "say it")
        assert (reply.author, words(reply)) == ("🏗 Winston", "*pm")
        before = len(house.fake.seen(house.general))
        other = house.fake.person("other bot", house.guild, bot=True)
        (ours,) = house.fake.webhooks(house.general)
        theirs = house.fake.other_webhook(house.general, "news", house.ada)
        for text in ("*pm", f"<@{house.fake.me.id}> *help"):
            other.says(house.general, text)
            house.fake.webhook_says(theirs, text)
            house.fake.webhook_says(ours, text, username="📋 John")
        house.fake.notes(house.general, JOINED, house.bob)
        house.fake.notes(house.general, PINNED, house.bob)
        await house.caught_up(house.general)
        assert len(house.fake.seen(house.general)) == before + 7
        assert len(house.model.prompts) == 1


# ---------------------------------------------------------------- voices


async def test_one_webhook_a_channel_is_made_and_used_by_everybody_and_after_a_restart() -> None:
    async with discord_house(never) as house:
        theirs = house.fake.other_webhook(house.general, "Greenroom", house.ada)
        for typed in ("*architect", "*pm", "*sm"):
            await house.hear(house.ada, house.general, typed)
        thread = house.ada.starts_thread(house.general, "plans")
        (greeting,) = await house.hear(house.ada, thread, "*pm")
        assert greeting.author == "📋 John"
        async with house.restarted():
            (greeting,) = await house.hear(house.ada, house.general, "*architect")
            assert greeting.author == "🏗 Winston"
        made = [hook for hook in house.fake.webhooks(house.general) if hook is not theirs]
        assert [hook.name for hook in made] == ["Greenroom"]
        assert all(seen.message.webhook is not theirs for seen in house.fake.seen(house.general))


async def test_pictures_are_kept_and_not_drawn_again_after_a_restart() -> None:
    async with discord_house(never) as house:
        await house.hear(house.ada, house.general, "*architect")
        (john,) = await house.hear(house.ada, house.general, "*pm")
        (winston,) = await house.hear(house.ada, house.general, "*architect")
        assert john.avatar_url and winston.avatar_url and john.avatar_url != winston.avatar_url
        async with house.restarted():
            (again,) = await house.hear(house.bob, house.general, "*pm")
            assert again.avatar_url == john.avatar_url
        assert len(house.fake.called("POST", "/applications/*/emojis")) == 2


async def test_without_pictures_the_icon_stands_in_the_name() -> None:
    async with discord_house(never, options=lambda o: replace(o, avatars=False)) as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        assert (greeting.author, greeting.avatar_url) == ("🏗 Winston", None)
        assert house.fake.called("POST", "/applications/*/emojis") == []


async def test_where_a_picture_cannot_be_kept_its_persona_speaks_without(caplog: pytest.LogCaptureFixture) -> None:
    async with discord_house(never) as house:
        house.fake.order("POST", "/applications/*/emojis", Refuses(400, 30008, "Maximum number of emojis reached"))
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        assert (greeting.author, greeting.avatar_url) == ("🏗 Winston", None)
        assert "the picture of Winston cannot be kept" in caplog.text


async def test_where_the_channel_has_all_the_webhooks_that_it_may_have_the_bot_speaks_for_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with discord_house(never) as house:
        for number in range(15):
            house.fake.other_webhook(house.general, f"hook {number}", house.ada)
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        assert greeting.author == "Greenroom" and words(greeting).startswith("**🏗️ Winston**\n")
        assert "as many webhooks as Discord allows" in caplog.text


async def test_without_webhooks_all_of_it_works_in_the_bots_own_name_which_the_log_says_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with discord_house(answering("Fine.")) as house:
        house.fake.permits(house.general, house.fake.me, deny=MANAGE_WEBHOOKS)
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        assert (greeting.author, greeting.is_webhook) == ("Greenroom", False)
        assert words(greeting).startswith("**🏗️ Winston**\n")
        (reply,) = await house.hear(house.ada, house.general, "which database?")
        assert words(reply) == "**🏗️ Winston**\nFine."
        await house.press(house.ada, greeting, "4 *exit")
        assert (await house.session(house.general)).personas == ()
        told = [record for record in caplog.records if "Manage Webhooks" in record.getMessage()]
        assert [record.levelno for record in told] == [logging.WARNING]


# ---------------------------------------------------------------- several people at once


async def test_what_two_people_say_while_a_reply_is_written_is_answered_with_their_names() -> None:
    def script(prompt: Prompt, n: int) -> Says:
        return Says.text("First." if n == 1 else "Both.")

    async with discord_house(script) as house:
        await house.hear(house.ada, house.general, "*architect")

        async def both_speak(reply: int, piece: int) -> None:
            if (reply, piece) == (1, 1):
                house.ada.says(house.general, "and tests?")
                await house.taken(house.general, house.bob.says(house.general, "and docs?").id)

        house.model.on_piece = both_speak
        await house.hear(house.ada, house.general, "what do we need?")
        told = [words(seen) for seen in house.fake.seen(house.general) if seen.author == "🏗 Winston"]
        assert told[1:] == ["First.", "Both."]
        assert "Ada: and tests?" in house.prompt() and "Bob (2): and docs?" in house.prompt(), "one is a persona"


# ---------------------------------------------------------------- frames


async def test_what_the_bot_itself_says_at_length_stands_in_a_frame_and_what_personas_say_does_not() -> None:
    async with discord_house(never) as house:
        await house.hear(house.ada, house.general, "*architect")
        await house.hear(house.ada, house.general, "*status")
        await house.hear(house.ada, house.general, "*usage")
        _, greeting, _, status, _, told = house.fake.seen(house.general)
        assert not greeting.embeds and "I am **Winston**" in words(greeting)
        assert status.embeds and not status.message.content and "Active: 🏗️ **Winston**" in words(status)
        assert not told.embeds and "\n" not in words(told), "a line of its own needs none"


async def test_a_link_in_a_reply_has_no_preview_and_what_stands_in_a_frame_is_seen() -> None:
    async with discord_house(answering("See https://example.com/ for it.")) as house:
        await house.hear(house.ada, house.general, "*architect")
        *_, reply = await house.hear(house.ada, house.general, "where is it?")
        assert "https://example.com/" in words(reply) and reply.previews == ()
        (status,) = await house.hear(house.ada, house.general, "*status")
        assert status.embeds and "Active: 🏗️ **Winston**" in words(status), "the frame is hidden"


async def test_without_the_right_to_frames_the_words_stand_plain() -> None:
    async with discord_house(never) as house:
        house.fake.permits(house.general, house.fake.me, deny=EMBED_LINKS)
        for _ in range(2):
            await house.hear(house.ada, house.general, "*help")
        guides = [seen for seen in house.fake.seen(house.general) if "personas** are here" in words(seen)]
        assert len(guides) == 2 and not any(seen.embeds for seen in guides)
        refused = [call for call in house.fake.called("POST", "/channels/*/messages") if call.status == 403]
        assert len(refused) == 1, "it is tried once"
