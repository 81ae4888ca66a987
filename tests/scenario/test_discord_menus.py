"""Choices on Discord: numbered, as buttons, in a select, in words; first come, first served, and old ones told so."""

from __future__ import annotations

from typing import Any

import pytest

from bot.app import shipped_agents
from bot.core.model import Conversation, Inbound
from bot.personas.library import Library
from bot.ports.mailbox import MailboxFullError
from bot.runtime.inbox import Inbox
from bot.runtime.turns import HASTE
from tests.fakes.discord import Seen
from tests.fakes.discord_rest import Refuses, Waits
from tests.fakes.discord_state import READ_MESSAGE_HISTORY, Interaction
from tests.fakes.model import Says, Script
from tests.scenario.discord_house import House, discord_house, words
from tests.scenario.stage import answering
from tests.scenario.test_rules import never

QUESTION = Says(calls=(("ask", {"question": "Which database?", "options": ["Postgres", "SQLite"]}),))
FIELD = "greenroom-text"
PASSED = "That choice has passed."


def asking(*after: str) -> Script:
    """A model that asks once, and then says these."""
    replies = [QUESTION, *map(Says.text, after)]
    return lambda _prompt, n: replies[n - 1]


async def asked(house: House) -> Seen:
    """The question that Winston has been brought to ask."""
    await house.hear(house.ada, house.general, "*architect")
    return (await house.hear(house.ada, house.general, "what shall we take?"))[-1]


async def form_of(house: House, question: Seen) -> Interaction:
    """The interaction by which Ada has opened the form for an answer in words."""
    opened = house.ada.presses(question.message, "Answer in words")
    await house.fake.until(lambda: opened.answered, "an answer to a press")
    return opened


def forge(message: Seen, **custom_ids: str) -> None:
    """Let buttons of a message, by label, carry something else."""
    for row in message.message.components:
        for each in row["components"]:
            each["custom_id"] = custom_ids.get(str(each.get("label")), each["custom_id"])


# ---------------------------------------------------------------- buttons, selects, numbers


async def test_up_to_five_options_are_buttons_and_more_are_a_select_under_the_same_numbers() -> None:
    async with discord_house(never) as house:
        (few,) = await house.hear(house.ada, house.general, "*architect")
        assert "4. `*exit`" in words(few)
        assert few.buttons == ("1 *help", "2 *create-backend-architecture", "3 *explain", "4 *exit")
        (many,) = await house.hear(house.ada, house.general, "*pm")
        assert "7. `*create-prd`" in words(many) and many.buttons == () and len(many.options) == 9
        chose, ran = await house.press(house.bob, many, "7 *create-prd")
        assert chose.text.startswith("Bob (2) chose: `*create-prd`") and "was not begun" in words(ran)


async def test_everybody_of_a_large_library_can_be_chosen_page_by_page() -> None:
    cast = Library((), shipped_agents()).cast
    async with discord_house(never, cast=cast) as house:
        page = (await house.hear(house.ada, house.general, "*agent"))[-1]
        offered: list[str] = []
        while True:
            labels = page.options or page.buttons
            assert len(page.options) <= 25
            offered += [label.split(" ", 1)[1] for label in labels]
            following = [label for label in labels if " Next: " in label]
            if not following:
                break
            page = (await house.press(house.bob, page, following[0]))[-1]
        assert {f"*{persona.id}" for persona in cast.personas} <= set(offered)
        last = next(label for label in reversed(labels) if "*" in label)
        greeting = (await house.press(house.bob, page, last))[-1]
        assert (await house.session(house.general)).active == last.partition("*")[2] and greeting.is_webhook


async def test_a_press_that_is_told_twice_counts_once() -> None:
    async with discord_house(never) as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        pressed = house.bob.presses(greeting.message, "1 *help", repeat=3)
        await house.answered(pressed)
        await house.caught_up(house.general)
        assert pressed.answer == 6
        assert sum("what I can do here" in seen.text for seen in house.fake.seen(house.general)) == 1


async def test_a_press_is_acknowledged_at_once_though_posts_take_long() -> None:
    async with discord_house(never) as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        house.fake.order("POST", "/channels/*/messages", Waits(0.5))
        pressed = house.ada.presses(greeting.message, "1 *help")
        await house.fake.until(lambda: pressed.answered, "an acknowledgement", deadline=0.4)
        await house.quiet()


async def test_the_first_choice_counts_and_is_told_and_the_second_presser_alone_hears_that_it_has_passed() -> None:
    async with discord_house(never) as house:
        await house.hear(house.ada, house.general, "*pm")
        (question,) = await house.hear(house.ada, house.general, "*exit")
        assert question.buttons == ("1 Yes, leave", "2 No, stay")
        with house.fake.burst():
            house.bob.presses(question.message, "2 No, stay")
            late = house.ada.presses(question.message, "1 Yes, leave")
        await house.answered(late)
        told = [seen for seen in house.fake.seen(house.general) if seen.id > question.id]
        assert [words(seen) for seen in told if not seen.ephemeral_to] == ["Bob (2) chose: No, stay", "I stay."]
        (late_told,) = [seen for seen in told if seen.ephemeral_to]
        assert late_told.ephemeral_to == "ada" and words(late_told).startswith(PASSED)
        assert (await house.session(house.general)).active == "pm"


async def test_numbers_of_several_people_are_taken_in_order_and_the_first_one_decides() -> None:
    async with discord_house(answering("Hm.")) as house:
        await house.hear(house.ada, house.general, "*pm")
        await house.hear(house.ada, house.general, "*exit")
        house.fake.advance(HASTE)
        await house.rests()
        with house.fake.burst(reverse=True):
            house.bob.says(house.general, "2")
            last = house.ada.says(house.general, "1")
        await house.taken(house.general, last.id)
        await house.taken(house.general, house.bob.says(house.general, "// so far").id)
        async with house.restarted():
            await house.quiet()
        assert any(words(seen) == "I stay." for seen in house.fake.seen(house.general))
        assert (await house.session(house.general)).active == "pm"


async def test_a_number_typed_after_somebodys_press_chooses_nothing() -> None:
    async with discord_house(answering("Hm.")) as house:
        await house.hear(house.ada, house.general, "*pm")
        (question,) = await house.hear(house.ada, house.general, "*exit")
        await house.press(house.bob, question, "2 No, stay")
        (told,) = await house.hear(house.ada, house.general, "1")
        assert words(told).startswith(PASSED) or words(told) == "Hm."
        assert (await house.session(house.general)).active == "pm"


async def test_an_old_button_is_answered_politely_days_later_and_after_a_restart() -> None:
    async with discord_house(never) as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        (now,) = await house.hear(house.ada, house.general, "*pm")
        async with house.restarted():
            house.fake.advance(3 * 24 * 3600)
            (told,) = await house.press(house.ada, greeting, "1 *help")
            assert (words(told), told.ephemeral_to) == (f"{PASSED} `*help` shows what can be chosen now.", "ada")
            chose, _ = await house.press(house.ada, now, "1 *help")
            assert chose.text.startswith("Ada chose: `*help`"), "the open one still counts"


async def test_a_late_presser_alone_is_told_though_the_acknowledgement_of_the_press_takes_long() -> None:
    async with discord_house(never) as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        await house.hear(house.ada, house.general, "*pm")
        house.fake.order("POST", "/interactions/*/*/callback", Waits(0.2))
        (told,) = await house.press(house.bob, greeting, "1 *help")
        assert (told.ephemeral_to, words(told).startswith(PASSED)) == ("bob", True)


async def test_after_a_quarter_of_an_hour_it_is_told_to_all_with_their_name() -> None:
    async with discord_house(asking("Good.")) as house:
        question = await asked(house)
        await house.press(house.ada, question, "1 Postgres")
        house.fake.order("POST", f"/webhooks/{house.fake.world.application}/*", Refuses(401, 50027, "Invalid Token"))
        (told,) = await house.press(house.bob, question, "2 SQLite")
        assert words(told).startswith(f"{house.bob.mention} {PASSED}")
        assert (told.ephemeral_to, told.pings) == ("", frozenset())


async def test_a_press_in_a_thread_or_in_private_is_answered_there() -> None:
    async with discord_house(never) as house:
        for place in (house.ada.starts_thread(house.general, "plans"), house.ada.opens_dm()):
            (greeting,) = await house.hear(house.ada, place, "*architect")
            assert len(await house.press(house.ada, greeting, "1 *help")) == 2
            await house.hear(house.ada, place, "*pm")
            (told,) = await house.press(house.ada, greeting, "1 *help")
            assert told.ephemeral_to == "ada" and PASSED in words(told)
        assert house.fake.seen(house.general) == []


async def test_a_button_of_another_conversation_does_nothing_there_and_names_nothing() -> None:
    async with discord_house(never) as house:
        secret = house.fake.channel(house.guild, "secret", private_to=(house.fake.me, house.ada))
        await house.hear(house.ada, secret, "*pm")
        await house.hear(house.ada, secret, "*exit")
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        menu = (await house.session(secret)).menus[-1].id
        forge(greeting, **{"1 *help": f"1|{menu}|{house.conversation(secret).key}"})
        (told,) = await house.press(house.bob, greeting, "1 *help")
        assert told.ephemeral_to == "bob" and "secret" not in told.text and str(secret.id) not in told.text
        assert (await house.session(secret)).gate is not None
        assert len(house.fake.seen(secret)) == 4


@pytest.mark.parametrize("value", ["1", "1|m1", "x|m1|discord:1:2", "0|m1|discord:1:2", "9|m1|", "other bot's"])
async def test_a_button_that_is_none_of_ours_counts_for_nothing(value: str) -> None:
    async with discord_house(never) as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")
        forge(greeting, **{"1 *help": value})
        (told,) = await house.press(house.ada, greeting, "1 *help")
        assert told.ephemeral_to == "ada"
        assert (await house.session(house.general)).active == "architect"


async def test_a_full_mailbox_is_told_to_whoever_filled_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with discord_house(never) as house:
        (greeting,) = await house.hear(house.ada, house.general, "*architect")

        async def full(_inbox: Inbox, _inbound: Inbound) -> bool:
            raise MailboxFullError("full")

        monkeypatch.setattr(Inbox, "receive", full)
        said = house.ada.says(house.general, "hello")
        await house.sees(house.general, "Too many messages are waiting here")
        told = house.fake.seen(house.general)[-1]
        assert (told.reply_to, told.pings) == (said.id, frozenset())
        pressed = house.bob.presses(greeting.message, "1 *help")
        await house.fake.until(lambda: pressed.answered, "an answer")
        assert house.fake.seen(house.general)[-1].ephemeral_to == "bob"


async def test_a_full_mailbox_is_told_also_where_the_bot_may_not_read_what_it_would_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with discord_house(never) as house:
        house.fake.permits(house.general, house.fake.me, deny=READ_MESSAGE_HISTORY)

        async def full(_inbox: Inbox, _inbound: Inbound) -> bool:
            raise MailboxFullError("full")

        monkeypatch.setattr(Inbox, "receive", full)
        house.ada.says(house.general, "hello")
        await house.sees(house.general, "Too many messages are waiting here")
        assert house.fake.seen(house.general)[-1].reply_to is None


# ---------------------------------------------------------------- in words


async def test_a_question_of_a_persona_is_answered_in_words_by_a_form_and_everybody_reads_them() -> None:
    async with discord_house(asking("Then DuckDB.")) as house:
        question = await asked(house)
        assert question.buttons == ("1 Postgres", "2 SQLite", "Answer in words")
        form = await form_of(house, question)
        assert form.modal is not None and form.modal["title"] == "Answer in words"
        await house.answered(house.ada.submits(form, {FIELD: "DuckDB & nothing <else> @everyone"}))
        shown, reply = [seen for seen in house.fake.seen(house.general) if seen.id > question.id]
        assert words(shown) == "Ada wrote: DuckDB & nothing <else> @everyone" and words(reply) == "Then DuckDB."
        assert shown.pings == frozenset()
        assert "Ada: DuckDB & nothing <else> @everyone" in house.prompt()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("1", "Ada chose: Postgres"),
        ("Mongo", "Ada: Mongo"),
        ("", "Ada chose: Postgres"),
    ],
)
async def test_a_question_is_answered_by_a_number_a_button_and_plain_words_too(typed: str, told: str) -> None:
    async with discord_house(asking("Good.")) as house:
        question = await asked(house)
        if typed:
            await house.hear(house.ada, house.general, typed)
        else:
            await house.press(house.ada, question, "1 Postgres")
        assert told in house.prompt()


async def test_a_question_is_answered_after_a_restart() -> None:
    async with discord_house(asking("Good.")) as house:
        question = await asked(house)
        async with house.restarted():
            form = await form_of(house, question)
            await house.answered(house.ada.submits(form, {FIELD: "Mongo"}))
            assert "Ada: Mongo" in house.prompt()


@pytest.mark.parametrize("answer", ["DuckDB", "DuckDB " * 500])
async def test_words_that_come_too_late_are_given_back_to_whoever_wrote_them(answer: str) -> None:
    async with discord_house(asking("Postgres it is.")) as house:
        question = await asked(house)
        form = await form_of(house, question)
        await house.press(house.bob, question, "1 Postgres")
        count = len(house.fake.seen(house.general))
        await house.answered(house.ada.submits(form, {FIELD: answer}))
        (told,) = house.fake.seen(house.general)[count:]
        assert told.ephemeral_to == "ada" and "answered meanwhile" in told.text
        given_back = told.attachments[0][1].decode() if told.attachments else told.text
        assert answer.strip() in given_back
        assert len(house.model.prompts) == 2


async def test_a_form_for_a_question_that_has_passed_is_not_opened() -> None:
    async with discord_house(asking("Postgres it is.")) as house:
        question = await asked(house)
        await house.press(house.bob, question, "1 Postgres")
        count = len(house.fake.seen(house.general))
        opened = await form_of(house, question)
        await house.quiet()
        (told,) = house.fake.seen(house.general)[count:]
        assert opened.modal is None and told.ephemeral_to == "ada" and words(told).startswith(PASSED)


@pytest.mark.parametrize("other", ["0|m1|discord:1:2", "nothing of ours"])
async def test_a_form_of_another_place_or_of_somebody_else_does_nothing(other: str) -> None:
    async with discord_house(asking()) as house:
        form = await form_of(house, await asked(house))
        assert form.modal is not None
        form.modal = changed(form.modal, other)
        submitted = house.ada.submits(form, {FIELD: "DuckDB"})
        await house.answered(submitted)
        assert house.fake.seen(house.general)[-1].ephemeral_to == "ada"
        assert len(house.model.prompts) == 1


def changed(modal: dict[str, Any], custom_id: str) -> dict[str, Any]:
    return {**modal, "custom_id": custom_id}


async def test_an_answer_of_spaces_is_none() -> None:
    async with discord_house(asking()) as house:
        form = await form_of(house, await asked(house))
        await house.answered(house.ada.submits(form, {FIELD: "   "}))
        assert house.fake.seen(house.general)[-1].ephemeral_to == "ada"
        assert (await house.session(house.general)).gate is not None


# ---------------------------------------------------------------- as they stand


async def test_every_button_carries_its_conversation_in_what_discord_takes() -> None:
    async with discord_house(never) as house:
        thread = house.ada.starts_thread(house.general, "plans")
        for place in (house.general, thread):
            (greeting,) = await house.hear(house.ada, place, "*architect")
            carried = [each["custom_id"] for row in greeting.components for each in row["components"]]
            key = house.conversation(place).key
            assert len(carried) == 4 and all(each.endswith(f"|{key}") and len(each) <= 100 for each in carried)
            assert Conversation.parse(key) == house.conversation(place)
