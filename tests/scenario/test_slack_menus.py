"""Choices on Slack: numbered, as buttons, in a select, in words; first come, first served, and old ones told so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model import Conversation
from bot.platforms.slack.blocks import TEXT, WORDS
from bot.platforms.slack.views import ASK, PERSONA
from tests.fakes.model import Says, Script
from tests.fakes.slack_faults import Slow
from tests.fakes.slack_state import Person, Room
from tests.scenario.slack_house import House, slack_house
from tests.scenario.stage import answering
from tests.scenario.test_rules import never

QUESTION = Says(calls=(("ask", {"question": "Which database?", "options": ["Postgres", "SQLite"]}),))


def asking(*after: str) -> Script:
    """A model that asks once, and then says these."""
    replies = [QUESTION, *map(Says.text, after)]
    return lambda _prompt, n: replies[n - 1]


async def team(house: House, *names: str) -> tuple[Room, list[Person]]:
    people = [house.fake.user(name) for name in names]
    return house.fake.channel("general", people), people


async def press(house: House, person: Person, room: Room, ts: str, label: str) -> list[str]:
    """What is posted because of a press, in the channel."""
    before = len(house.fake.seen(room))
    delivery = await house.fake.presses(person, room, ts, label)
    await house.quiet()
    assert delivery.acked
    return [seen.shown for seen in house.fake.seen(room)[before:]]


# ---------------------------------------------------------------- buttons, selects, numbers


async def test_up_to_five_options_are_buttons_and_more_are_a_select_under_the_same_numbers() -> None:
    async with slack_house(never) as house:
        general, (alice,) = await team(house, "alice")
        (few,) = await house.hear(alice, general, "*architect")
        assert "4. `*exit`" in few.shown
        assert [b.label for b in few.buttons] == [
            "1 *help", "2 *create-backend-architecture", "3 *explain", "4 *exit"
        ]  # fmt: skip
        (many,) = await house.hear(alice, general, "*pm")
        assert "7. `*create-prd`" in many.shown and many.buttons == ()
        await house.fake.interactions.chooses(alice, general, many.ts, "greenroom:pick:list", "7 *create-prd")
        await house.quiet()
        chose, ran = house.fake.seen(general)[-2:]
        assert chose.text == "alice chose: `*create-prd`" and "was not begun" in ran.text


async def test_a_press_is_acknowledged_at_once_though_nobody_can_post_for_a_while() -> None:
    async with slack_house(never) as house:
        general, (alice,) = await team(house, "alice")
        (greeting,) = await house.hear(alice, general, "*architect")
        house.fake.faults.order("chat.postMessage", Slow(1.0))
        delivery = await house.fake.presses(alice, general, greeting.ts, "1 *help")
        await house.fake.until(delivery.over.is_set, "an acknowledgement", deadline=0.9)
        assert delivery.acked and delivery.attempts == 1
        await house.quiet()


async def test_the_first_choice_counts_and_is_told_and_the_second_presser_alone_hears_that_it_has_passed() -> None:
    async with slack_house(never) as house:
        general, (alice, bob) = await team(house, "alice", "bob")
        await house.hear(alice, general, "*pm")
        (question,) = await house.hear(alice, general, "*exit")
        assert [b.label for b in question.buttons] == ["1 Yes, leave", "2 No, stay"]
        first = await house.fake.presses(bob, general, question.ts, "2 No, stay")
        await first.over.wait()
        await house.fake.presses(alice, general, question.ts, "1 Yes, leave")
        await house.quiet()
        told = [seen.shown for seen in house.fake.seen(general)]
        assert told[-2:] == ["bob (2) chose: No, stay", "I stay."]
        (late,) = house.fake.people.whispers(alice)
        assert late.shown.startswith("That choice has passed.")
        assert house.fake.people.whispers(bob) == []
        assert (await house.session(general)).active == "pm"


async def test_a_number_typed_after_somebodys_press_chooses_nothing() -> None:
    async with slack_house(answering("Hm.")) as house:
        general, (alice, bob) = await team(house, "alice", "bob")
        await house.hear(alice, general, "*pm")
        (question,) = await house.hear(alice, general, "*exit")
        await press(house, bob, general, question.ts, "2 No, stay")
        (told,) = await house.hear(alice, general, "1")
        assert told.shown.startswith("That choice has passed.") or told.shown == "Hm."
        assert (await house.session(general)).active == "pm"


async def test_an_old_button_is_answered_politely_days_later_and_after_a_restart() -> None:
    async with slack_house(never) as house:
        general, (alice,) = await team(house, "alice")
        (greeting,) = await house.hear(alice, general, "*architect")
        (question,) = await house.hear(alice, general, "*pm")
        await house.restart()
        house.fake.clock.advance(3 * 24 * 3600)
        assert await press(house, alice, general, greeting.ts, "1 *help") == []
        (told,) = house.fake.people.whispers(alice)
        assert told.shown == "That choice has passed. `*help` shows what can be chosen now."
        await house.fake.interactions.chooses(alice, general, question.ts, "greenroom:pick:list", "1 *help")
        await house.quiet()
        assert "chose: `*help`" in house.fake.seen(general)[-2].text, "the open one still counts"


async def test_a_press_in_a_thread_is_answered_in_that_thread() -> None:
    async with slack_house(never) as house:
        general, (alice,) = await team(house, "alice")
        root = await house.fake.says(alice, general, "let us talk here")
        (greeting,) = await house.hear(alice, general, "*architect", thread=root)
        await house.hear(alice, general, "*architect", thread=root)
        assert await press(house, alice, general, greeting.ts, "1 *help") == []
        (told,) = house.fake.people.whispers(alice)
        assert told.thread_ts == root and told.shown.startswith("That choice has passed.")


async def test_a_button_of_another_conversation_counts_for_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with slack_house(never) as house:
        general, (alice,) = await team(house, "alice")
        secret = house.fake.channel("secret", [house.fake.user("bob")], private=True)
        (here,) = await house.hear(alice, general, "*pm")
        (button,) = (await house.hear(alice, general, "*exit"))[0].buttons[:1]
        elsewhere = Conversation("slack", house.fake.ws.team, secret.id).key
        there = Conversation("slack", house.fake.ws.team, general.id).key
        forged = replace(button, value=button.value.replace(there, elsewhere))
        assert forged.value != button.value
        await house.fake.presses(alice, general, here.ts, forged)
        await house.quiet()
        assert (await house.session(general)).gate is not None
        assert house.fake.seen(secret) == [] and house.fake.people.whispers(alice) == []
        assert "was pressed in" in caplog.text


@pytest.mark.parametrize("value", ["", "1|m1", "x|m1|slack:T:C", "0|m1|slack:T:C", "9|m1|"])
async def test_a_button_that_is_none_of_ours_counts_for_nothing(value: str) -> None:
    async with slack_house(never) as house:
        general, (alice,) = await team(house, "alice")
        (greeting,) = await house.hear(alice, general, "*architect")
        forged = replace(greeting.buttons[0], value=value)
        delivery = await house.fake.presses(alice, general, greeting.ts, forged)
        await house.quiet()
        assert delivery.acked and len(house.fake.seen(general)) == 2


# ---------------------------------------------------------------- in words


async def test_a_question_of_a_persona_is_answered_in_words_by_a_form() -> None:
    async with slack_house(asking("Then DuckDB.")) as house:
        general, (alice,) = await team(house, "alice")
        await house.hear(alice, general, "*architect")
        (question,) = await house.hear(alice, general, "What shall we take?")
        assert [b.label for b in question.buttons] == ["1 Postgres", "2 SQLite", "Answer in words"]
        await press(house, alice, general, question.ts, "Answer in words")
        (form,) = house.fake.interactions.open_views(alice)
        await house.fake.interactions.submits(alice, form["id"], {TEXT: "DuckDB & nothing <else>"})
        await house.quiet()
        assert house.fake.interactions.open_views(alice) == []
        assert "alice: DuckDB & nothing <else>" in house.prompt()
        shown = [seen.shown for seen in house.fake.seen(general)]
        assert shown[-1] == "Then DuckDB."


async def test_a_question_is_answered_by_a_button_and_by_plain_words_too() -> None:
    for answer, told in (
        ("1 Postgres", "alice chose: Postgres"),
        ("", "alice: Mongo"),
    ):
        async with slack_house(asking("Good.")) as house:
            general, (alice,) = await team(house, "alice")
            await house.hear(alice, general, "*architect")
            (question,) = await house.hear(alice, general, "What shall we take?")
            if answer:
                await press(house, alice, general, question.ts, answer)
            else:
                await house.hear(alice, general, "Mongo")
            assert told in house.prompt()


async def test_words_for_a_question_that_was_answered_meanwhile_are_not_taken_for_its_answer() -> None:
    async with slack_house(asking("Postgres it is.")) as house:
        general, (alice, bob) = await team(house, "alice", "bob")
        await house.hear(alice, general, "*architect")
        (question,) = await house.hear(alice, general, "What shall we take?")
        await press(house, alice, general, question.ts, "Answer in words")
        await press(house, bob, general, question.ts, "1 Postgres")
        (form,) = house.fake.interactions.open_views(alice)
        before = len(house.fake.seen(general))
        sent = await house.fake.interactions.submits(alice, form["id"], {TEXT: "DuckDB"})
        await house.quiet()
        assert len(house.model.prompts) == 2 and len(house.fake.seen(general)) == before
        assert house.fake.interactions.open_views(alice) == [form], "so that nothing of it is lost"
        assert sent.answer and sent.answer["errors"][TEXT].startswith("This was answered meanwhile.")


async def test_a_form_for_a_question_that_has_passed_is_not_opened() -> None:
    async with slack_house(asking("Postgres it is.")) as house:
        general, (alice, bob) = await team(house, "alice", "bob")
        await house.hear(alice, general, "*architect")
        (question,) = await house.hear(alice, general, "What shall we take?")
        await press(house, bob, general, question.ts, "1 Postgres")
        await press(house, alice, general, question.ts, "Answer in words")
        assert house.fake.interactions.open_views(alice) == []
        (told,) = house.fake.people.whispers(alice)
        assert told.shown.startswith("That choice has passed.")


async def test_an_empty_answer_keeps_the_form_open() -> None:
    async with slack_house(asking()) as house:
        general, (alice,) = await team(house, "alice")
        await house.hear(alice, general, "*architect")
        (question,) = await house.hear(alice, general, "What shall we take?")
        await house.fake.presses(alice, general, question.ts, WORDS)
        await house.quiet()
        (form,) = house.fake.interactions.open_views(alice)
        await house.fake.interactions.submits(alice, form["id"], {TEXT: "  "})
        await house.quiet()
        assert house.fake.interactions.open_views(alice) == [form]
        assert len(house.model.prompts) == 1


# ---------------------------------------------------------------- the shortcut


async def test_a_persona_is_asked_about_a_message_in_its_thread() -> None:
    async with slack_house(answering("It is a queue.")) as house:
        general, (alice, bob) = await team(house, "alice", "bob")
        ts = await house.fake.says(bob, general, "we need something < fast & durable")
        await house.fake.interactions.uses_shortcut(alice, general, ts, ASK)
        await house.quiet()
        (form,) = house.fake.interactions.open_views(alice)
        await house.fake.interactions.submits(alice, form["id"], {PERSONA: "architect", TEXT: "What fits?"})
        await house.quiet()
        asked, greeting, reply = house.fake.seen(general, ts)
        assert asked.shown == "alice wrote: *architect What fits?\n> we need something < fast & durable"
        assert (greeting.name, reply.name, reply.shown) == ("Winston", "Winston", "It is a queue.")
        assert "alice: What fits?\n  > we need something < fast & durable" in house.prompt()


async def test_the_shortcut_says_where_the_bot_is_not() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        there = house.fake.channel("elsewhere", [alice], bot=False)
        ts = await house.fake.says(alice, there, "nobody hears this")
        await house.fake.interactions.uses_shortcut(alice, there, ts, ASK)
        await house.quiet()
        (form,) = house.fake.interactions.open_views(alice)
        assert "/invite" in form["blocks"][0]["text"]["text"] and form["submit"] is None
