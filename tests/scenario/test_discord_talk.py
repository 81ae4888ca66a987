"""People and personas at Discord: the whole bot over the real discord.py, against the strict fake."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.core.model import Inbound
from bot.core.prompt import Prompt
from bot.ports import MailboxFullError
from bot.runtime.access import Access, Names
from bot.runtime.inbox import Inbox
from tests.fakes.discord_rest import Refuses
from tests.fakes.discord_state import JOINED, MANAGE_WEBHOOKS
from tests.fakes.model import Says
from tests.scenario.discord_house import House, discord_house, words
from tests.scenario.stage import answering

# ---------------------------------------------------------------- talk


async def test_a_persona_greets_under_its_own_name_and_picture_and_waits() -> None:
    async with discord_house() as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        assert (greeting.author, greeting.is_webhook) == ("🏗️ Winston", True)
        assert words(greeting).startswith("Hello, I am **Winston**")
        assert "1. `*help`" in words(greeting)
        assert greeting.buttons == ("1 *help", "2 *create-backend-architecture", "3 *explain", "4 *exit")
        assert greeting.avatar_url
        assert house.model.prompts == []


async def test_a_persona_answers_what_is_said_and_types_meanwhile() -> None:
    async with discord_house(answering("It depends.")) as house:
        await house.hear(house.ada, house.general, "*architect")
        (reply,) = await house.hear(house.ada, house.general, "which database?")
        assert (reply.author, words(reply)) == ("🏗️ Winston", "It depends.")
        assert house.fake.called("POST", f"/channels/{house.general.id}/typing")


LINES = "It depends.\nFirst, on what you have to keep.\nThen, on how many you are."


async def test_a_reply_is_watched_as_it_grows_and_stays_one_message() -> None:
    async with discord_house(answering(LINES)) as house:

        async def seen_at_the_fourth(call: int, piece: int) -> None:
            if piece == 4:
                await house.fake.until(lambda: _last(house) == "It depends. …", "a preview")

        house.model.on_piece = seen_at_the_fourth
        await house.hear(house.ada, house.general, "*architect")
        (reply,) = await house.hear(house.ada, house.general, "which database?")
        assert words(reply) == LINES


def _last(house: House) -> str:
    return words(house.fake.seen(house.general)[-1])


async def test_a_reply_can_be_stopped_while_it_is_written() -> None:
    async with discord_house(answering(LINES)) as house:

        async def stopped_at_the_fourth(call: int, piece: int) -> None:
            if piece == 4:
                await house.fake.until(lambda: _last(house) == "It depends. …", "a preview")
                house.bob.says(house.general, "stop")
                await asyncio.sleep(5)

        house.model.on_piece = stopped_at_the_fourth
        await house.hear(house.ada, house.general, "*architect")
        posts = await house.hear(house.ada, house.general, "which database?")
        told = [words(post) for post in posts if post.author != "bob"]
        assert told[0].startswith("It depends.")
        assert not any("how many" in text or "…" in text for text in told)
        assert any("stopped by Bob" in text for text in told)


async def test_numbers_are_typed_and_personas_switched() -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
        (picked,) = await house.hear(house.bob, house.general, "1")
        assert "what I can do here" in words(picked)
        posts = await house.hear(house.bob, house.general, "*pm")
        assert posts[-1].author == "📋 John"
        assert (await house.session(house.general)).personas == ("pm",)


async def test_the_bot_is_called_by_its_name_its_role_or_an_answer_to_it() -> None:
    async with discord_house() as house:
        me = house.fake.me
        (asked,) = await house.hear(house.ada, house.general, f"<@{me.id}> *architect")
        assert asked.author == "🏗️ Winston"
        await house.hear(house.ada, house.general, "*exit")
        (host,) = await house.hear(house.ada, house.general, "thanks", reply_to=asked.message)
        assert (host.author, host.is_webhook) == ("Greenroom", False)


async def test_asides_emoji_and_words_for_others_are_let_be() -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
        said = house.bob.says(house.general, "lunch?")
        await house.taken(house.general, said.id)
        await house.quiet()
        count = len(house.model.prompts)
        for text in ("// between us", "👍", "<:party:700000000000000000>", f"{house.bob.mention} what do you think?"):
            assert await house.hear(house.ada, house.general, text) == []
        assert await house.hear(house.ada, house.general, "I agree", reply_to=said) == []
        assert len(house.model.prompts) == count


async def test_bots_webhooks_and_discord_itself_are_not_heard() -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
        count = len(house.fake.seen(house.general))
        other = house.fake.person("other bot", house.guild, bot=True)
        other.says(house.general, "*pm")
        house.fake.webhook_says(house.fake.other_webhook(house.general, "news", house.ada), "*pm")
        house.fake.notes(house.general, JOINED, house.bob)
        (reply,) = await house.hear(house.ada, house.general, "hello")
        assert reply.author == "🏗️ Winston"
        assert len(house.model.prompts) == 1
        assert len(house.fake.seen(house.general)) == count + 4


async def test_names_stand_in_the_place_of_mentions() -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
        text = f"<@{house.fake.me.id}> ask {house.bob.mention} in <#{house.general.id}>"
        await house.hear(house.ada, house.general, text)
        assert (await house.log(house.general))[-2].text == "ask @Bob in #general"


async def test_a_thread_begins_with_its_channels_persona_and_goes_its_own_way() -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
        thread = house.ada.starts_thread(house.general, "plans")
        (reply,) = await house.hear(house.ada, thread, "which database?")
        assert reply.author == "🏗️ Winston"
        await house.hear(house.ada, thread, "*pm")
        assert (await house.session(thread)).personas == ("pm",)
        assert (await house.session(house.general)).personas == ("architect",)
        assert len(house.fake.webhooks(house.general)) == 1


async def test_a_private_talk_needs_no_mention() -> None:
    async with discord_house() as house:
        dm = house.ada.opens_dm()
        (greeting,) = await house.hear(house.ada, dm, "*architect")
        assert words(greeting).startswith("**🏗️ Winston**\nHello, I am **Winston**")
        (reply,) = await house.hear(house.ada, dm, "which database?")
        assert words(reply) == "**🏗️ Winston**\nFine."
        pressed = house.ada.presses(greeting.message, "4 *exit")
        await house.answered(pressed)
        assert (await house.session(dm)).personas == ()


async def test_a_channel_that_listens_to_mentions_alone_leaves_talk_be() -> None:
    async with discord_house(works=lambda o: replace(o, listen=lambda where: "mention")) as house:
        await house.hear(house.ada, house.general, f"<@{house.fake.me.id}> *architect")
        assert await house.hear(house.ada, house.general, "which database?") == []
        (reply,) = await house.hear(house.ada, house.general, f"<@{house.fake.me.id}> which database?")
        assert words(reply) == "Fine."


# ---------------------------------------------------------------- buttons, forms, the slash command


async def test_a_press_is_acknowledged_and_does_what_the_number_would() -> None:
    async with discord_house() as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        pressed = house.bob.presses(greeting.message, "1 *help", repeat=2)
        await house.answered(pressed)
        assert pressed.answer == 6
        said = [words(seen) for seen in house.fake.seen(house.general)]
        assert sum("what I can do here" in text for text in said) == 1


async def test_a_press_means_the_same_after_a_restart() -> None:
    async with discord_house() as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        async with house.restarted():
            await house.answered(house.ada.presses(greeting.message, "4 *exit"))
            assert (await house.session(house.general)).personas == ()


async def test_many_options_are_chosen_from_a_select() -> None:
    async with discord_house() as house:
        (greeting,) = await house.hear(house.ada, house.general, "*pm")
        assert greeting.buttons == ()
        assert len(greeting.options) == 9
        await house.answered(house.ada.selects(greeting.message, "1 *help"))
        assert "what I can do here" in words(house.fake.seen(house.general)[-1])


async def test_a_question_can_be_answered_in_words() -> None:
    async with discord_house(asking) as house:
        await house.hear(house.ada, house.general, "*architect")
        posts = await house.hear(house.ada, house.general, "paint it")
        assert posts[-1].buttons == ("1 red", "2 blue", "Answer in words")
        asked = house.ada.presses(posts[-1].message, "Answer in words")
        await house.fake.until(lambda: asked.modal, "a form")
        submitted = house.ada.submits(asked, {"greenroom-text": "green, please"})
        await house.answered(submitted)
        assert words(house.fake.seen(house.general)[-1]) == "Noted."
        assert any("green, please" in entry.text for entry in await house.log(house.general))


async def test_a_button_of_another_place_does_nothing() -> None:
    async with discord_house() as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        other = house.fake.channel(house.guild, "random")
        greeting.message.channel = other
        pressed = house.ada.presses(greeting.message, "4 *exit")
        await house.answered(pressed)
        assert [seen.ephemeral_to for seen in house.fake.seen(other)] == ["ada"]
        assert (await house.session(house.general)).personas == ("architect",)


async def test_the_slash_command_is_what_would_have_been_typed() -> None:
    async with discord_house() as house:
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        used = house.ada.slash(house.general, "greenroom", what="architect")
        await house.answered(used)
        echo, greeting = house.fake.seen(house.general)
        assert (echo.text, echo.ephemeral_to) == ("`*architect`", "")
        assert greeting.author == "🏗️ Winston"
        await house.answered(house.ada.slash(house.general, "greenroom"))
        assert "what I can do here" in words(house.fake.seen(house.general)[-1])


async def test_what_can_be_typed_is_offered_meanwhile() -> None:
    async with discord_house() as house:
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        typing = house.ada.completes(house.general, "greenroom", "what", "arch")
        await house.fake.until(lambda: typing.choices, "choices")
        assert typing.choices is not None
        assert {"name": "*architect - 🏗️ Winston", "value": "*architect"} in typing.choices
        thread = house.ada.starts_thread(house.general, "plans")
        await house.hear(house.ada, thread, "*pm")
        typing = house.ada.completes(thread, "greenroom", "what", "create-p")
        await house.fake.until(lambda: typing.choices, "choices")
        assert typing.choices is not None
        assert typing.choices[0]["value"] == "*create-prd"


async def test_the_command_is_registered_once() -> None:
    async with discord_house() as house:
        await house.fake.until(lambda: house.fake.world.commands[None], "the command")
        async with house.restarted():
            await house.fake.until(lambda: len(house.fake.called("GET", "/applications/*/commands")) == 2, "a look")
            assert await house.hear(house.ada, house.general, "*architect")
        assert len(house.fake.called("PUT", "/applications/*/commands")) == 1


def asking(prompt: Prompt, n: int) -> Says:
    """The first reply is a question with two answers."""
    if n == 1:
        return Says((), (("ask", {"question": "Which one?", "options": ["red", "blue"]}),))
    return Says.text("Noted.")


async def test_a_choice_that_has_passed_is_told_to_whoever_pressed_it_alone() -> None:
    async with discord_house(asking) as house:
        await house.hear(house.ada, house.general, "*architect")
        posts = await house.hear(house.ada, house.general, "paint it")
        await house.answered(house.ada.presses(posts[-1].message, "1 red"))
        count = len(house.model.prompts)
        await house.answered(house.bob.presses(posts[-1].message, "2 blue"))
        told = house.fake.seen(house.general)[-1]
        assert (told.ephemeral_to, len(house.model.prompts)) == ("bob", count)
        assert "passed" in words(told)


async def test_after_a_quarter_of_an_hour_it_is_told_to_all_with_their_name() -> None:
    async with discord_house(asking) as house:
        await house.hear(house.ada, house.general, "*architect")
        posts = await house.hear(house.ada, house.general, "paint it")
        await house.answered(house.ada.presses(posts[-1].message, "1 red"))
        house.fake.order("POST", f"/webhooks/{house.fake.world.application}/*", Refuses(401, 50027, "Invalid Token"))
        await house.answered(house.bob.presses(posts[-1].message, "2 blue"))
        told = house.fake.seen(house.general)[-1]
        assert told.text.startswith(house.bob.mention)
        assert (told.ephemeral_to, told.pings) == ("", frozenset())


async def test_roles_decide_who_is_heard() -> None:
    async with discord_house() as house:
        team = house.fake.role(house.guild, "team")
        house.fake.grants(house.guild, house.ada, team)
        allow = Names(roles=frozenset({str(team.id)}))
        house.worker.options = replace(house.worker.options, access=Access(allow=allow))
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        await house.answered(house.bob.presses(greeting.message, "4 *exit"))
        assert "not open to you" in words(house.fake.seen(house.general)[-1])
        assert (await house.session(house.general)).personas == ("architect",)
        await house.answered(house.ada.presses(greeting.message, "4 *exit"))
        assert (await house.session(house.general)).personas == ()


async def test_a_full_mailbox_is_told_to_whoever_filled_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with discord_house() as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")

        async def full(inbox: Inbox, inbound: Inbound) -> bool:
            raise MailboxFullError

        monkeypatch.setattr(Inbox, "receive", full)
        said = house.ada.says(house.general, "hello")
        await house.sees(house.general, "Too many messages are waiting here")
        told = house.fake.seen(house.general)[-1]
        assert (told.reply_to, told.pings) == (said.id, frozenset())
        pressed = house.bob.presses(greeting.message, "1 *help")
        await house.fake.until(lambda: pressed.answered, "an answer")
        assert house.fake.seen(house.general)[-1].ephemeral_to == "bob"


# ---------------------------------------------------------------- text, files, edits


async def test_a_long_reply_comes_in_pieces_and_a_longer_one_as_a_file() -> None:
    long, longer = "word " * 700, "word " * 4000
    async with discord_house(lambda prompt, n: Says((long,) if n == 1 else (longer,))) as house:
        await house.hear(house.ada, house.general, "*architect")
        posts = await house.hear(house.ada, house.general, "tell me")
        assert len(posts) == 2
        assert " ".join(words(post) for post in posts).split() == long.split()
        posts = await house.hear(house.ada, house.general, "more")
        ((name, data),) = posts[1].attachments
        assert name.startswith("winston-")
        assert data.decode().split() == longer.split()
        assert all(post.author == "🏗️ Winston" for post in posts)


async def test_nobody_is_called_by_what_a_model_says() -> None:
    async with discord_house(answering("@everyone and <@1>: look")) as house:
        await house.hear(house.ada, house.general, "*architect")
        (reply,) = await house.hear(house.ada, house.general, "call them")
        assert reply.pings == frozenset()


async def test_a_long_paste_is_read_as_the_file_that_discord_makes_of_it() -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
        pasted = house.ada.pastes(house.general, "the quick brown fox\n" * 150)
        await house.taken(house.general, pasted.id)
        await house.quiet()
        assert "the quick brown fox" in str(house.model.prompts[-1])


async def test_an_edit_that_mends_a_command_runs_it_and_a_preview_of_a_link_does_not() -> None:
    async with discord_house() as house:
        said = house.ada.says(house.general, "*zzzzqqq")
        await house.taken(house.general, said.id)
        await house.quiet()
        house.ada.edits(said, "*architect")
        await house.sees(house.general, "Hello, I am **Winston**")
        await house.quiet()
        count = len(house.fake.seen(house.general))
        house.fake.unfurls(said, title="a link")
        house.ada.edits(said, "*architect")
        await house.hear(house.bob, house.general, "// nothing")
        assert len(house.fake.seen(house.general)) == count + 1


async def test_what_was_deleted_is_not_read_again() -> None:
    async with discord_house() as house:
        await house.hear(house.ada, house.general, "*architect")
        said = [house.ada.says(house.general, text) for text in ("my secret", "and another", "and a third")]
        await house.taken(house.general, said[-1].id)
        await house.quiet()
        house.ada.deletes(said[0])
        house.ada.deletes(*said[1:])
        for _ in range(100):
            texts = [entry.text for entry in await house.log(house.general)]
            if not any("secret" in text or "and a" in text for text in texts):
                break
            await asyncio.sleep(0.01)
        assert not any("secret" in text or "and a" in text for text in texts)


async def test_without_webhooks_all_of_it_works_in_the_bots_own_name() -> None:
    async with discord_house() as house:
        house.fake.permits(house.general, house.fake.me, deny=MANAGE_WEBHOOKS)
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        assert (greeting.author, greeting.is_webhook) == ("Greenroom", False)
        assert words(greeting).startswith("**🏗️ Winston**\n")
        (reply,) = await house.hear(house.ada, house.general, "which database?")
        assert words(reply) == "**🏗️ Winston**\nFine."
        await house.answered(house.ada.presses(greeting.message, "4 *exit"))
        assert (await house.session(house.general)).personas == ()
