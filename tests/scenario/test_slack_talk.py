"""A team and its personas on Slack, as people see it: who is called how, who is heard, and who is not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.core.model import Listen
from bot.core.speakers import indented
from bot.runtime.access import Access, Names
from bot.runtime.worker import Options
from tests.fakes.slack_faults import Says
from tests.scenario.slack_house import slack_house
from tests.scenario.stage import answering
from tests.scenario.test_rules import never

GREETING = "Hello, I am *John*"


async def test_a_persona_greets_under_her_own_name_and_icon_and_answers() -> None:
    async with slack_house(answering("Use one database.")) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        (greeting,) = await house.hear(alice, general, "*architect")
        assert (greeting.name, greeting.icon) == ("Winston", ":building_construction:")
        assert greeting.text.startswith("Hello, I am *Winston*")
        assert [b.label for b in greeting.buttons][:2] == ["1 *help", "2 *create-backend-architecture"]
        (reply,) = await house.hear(alice, general, "What do we need?")
        assert (reply.name, reply.shown) == ("Winston", "Use one database.")


# ---------------------------------------------------------------- calling somebody


@pytest.mark.parametrize(
    "typed", ["*pm", "!pm", "* pm", "*pm*", "@greenroom *pm", "@greenroom pm", "*Product Manager", "@greenroom: *pm"]
)
async def test_a_persona_is_called_in_a_channel(typed: str) -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        (greeting,) = await house.hear(alice, house.fake.channel("general", [alice]), typed)
        assert greeting.name == "John" and greeting.text.startswith(GREETING)


async def test_a_persona_is_called_in_a_thread_in_private_and_among_a_few() -> None:
    async with slack_house(never) as house:
        alice, bob = house.fake.user("alice"), house.fake.user("bob")
        general = house.fake.channel("general", [alice])
        root = await house.fake.says(alice, general, "something to talk about")
        for room, thread in (
            (general, root),
            (house.fake.people.dm(alice), None),
            (house.fake.people.group_dm([alice, bob]), None),
        ):
            (greeting,) = await house.hear(alice, room, "*pm", thread=thread)
            assert greeting.name == "John" and greeting.thread_ts == thread
        assert [seen.text for seen in house.fake.seen(general)] == ["something to talk about"]


@pytest.mark.parametrize("text", ["pm", "*pm"])
async def test_a_persona_is_called_by_the_slash_command(text: str) -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await house.fake.slash(alice, general, "/greenroom", text)
        await house.quiet()
        said, greeting = house.fake.seen(general)
        assert said.shown == "alice wrote: `*pm`", "for others, who do not see what was typed"
        assert greeting.name == "John" and greeting.text.startswith(GREETING)


async def test_the_slash_command_says_where_the_bot_is_not() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        for room in (
            house.fake.channel("else", [alice], bot=False),
            house.fake.channel("p", [alice], private=True, bot=False),
        ):
            await house.fake.slash(alice, room, "/greenroom", "pm")
            await house.quiet()
            (told,) = house.fake.people.whispers(alice, room)
            assert "/invite" in told.text
            assert house.fake.seen(room) == []
        assert (await house.store.stats()).dead == 0


async def test_the_slash_command_works_where_slack_does_not_tell_whether_the_bot_is_there() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        house.fake.faults.order("conversations.info", Says("missing_scope"))
        await house.fake.slash(alice, general, "/greenroom", "pm")
        await house.quiet()
        assert house.fake.seen(general)[-1].name == "John"


@pytest.mark.parametrize("typed", ["*help", "* help", "*help*", "!help"])
async def test_a_newcomer_is_shown_everybody_in_private(typed: str) -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        (guide,) = await house.hear(alice, house.fake.people.dm(alice), typed)
        assert "*5 personas* are here" in guide.text
        assert [b.label for b in guide.buttons] == [
            "1 *bmad-orchestrator", "2 *pm", "3 *architect", "4 *sm", "5 *vm-migration-architect"
        ]  # fmt: skip


@pytest.mark.parametrize(
    "typed", ["@greenroom help", "@greenroom *help", "@greenroom", "hello @greenroom, who are you?"]
)
async def test_whoever_mentions_the_bot_in_a_channel_gets_an_answer(typed: str) -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        (answer,) = await house.hear(alice, house.fake.channel("general", [alice]), typed)
        assert "*help" in answer.text


async def test_another_persona_takes_over_and_a_number_picks_from_the_last_list() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        (john,) = await house.hear(alice, general, "*pm")
        assert john.name == "John"
        (ran,) = await house.hear(alice, general, "7")
        assert "was not begun" in ran.text
        (left, *_) = await house.hear(alice, general, "*exit")
        assert "Leave now?" in left.text
        (gone,) = await house.hear(alice, general, "1")
        assert gone.text.startswith("Goodbye")
        assert await house.hear(alice, general, "hello?") == []


@pytest.mark.parametrize("typed", ["1", "1.", "#1", "1️⃣"])
async def test_a_choice_is_typed_in_many_ways(typed: str) -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        (shown,) = await house.hear(alice, general, typed)
        assert shown.name == "Winston" and "1. `*help`" in shown.shown


async def test_a_thread_begins_with_the_persona_of_its_channel_and_goes_its_own_way() -> None:
    async with slack_house(answering("Fine.")) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        root = await house.fake.says(alice, general, "// for later")
        (reply,) = await house.hear(alice, general, "And here?", thread=root)
        assert (reply.name, reply.shown, reply.thread_ts) == ("Winston", "Fine.", root)
        (john,) = await house.hear(alice, general, "*pm", thread=root)
        assert john.name == "John"
        (reply,) = await house.hear(alice, general, "Who is here?")
        assert reply.name == "Winston"


# ---------------------------------------------------------------- what is for nobody


@pytest.mark.parametrize(
    "typed", ["// between us", "@bob can you look?", "🎉 👍🏽", ":tada:", "@bob *help is what you type"]
)
async def test_what_people_say_to_each_other_is_not_answered(typed: str) -> None:
    async with slack_house(never) as house:
        alice, bob = house.fake.user("alice"), house.fake.user("bob")
        general = house.fake.channel("general", [alice, bob])
        await house.hear(alice, general, "*architect")
        assert await house.hear(alice, general, typed) == []


@pytest.mark.parametrize("typed", ["*qa* is blocked", "*help* wanted", "• one\n• two", "*this* and *that*", "•"])
async def test_prose_that_only_looks_like_a_command_is_prose(typed: str) -> None:
    async with slack_house(answering("I see.")) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        (reply,) = await house.hear(alice, general, typed)
        assert reply.shown == "I see."
        assert indented(typed.replace("•\n", "")) in house.prompt() or typed == "•"


async def test_the_model_reads_what_people_typed_and_who_was_named() -> None:
    typed = "if a < b && c > d: see #random and https://x.example/?a=1&b=2, ask @bob about `x -> y` @greenroom"
    async with slack_house(answering("I see.")) as house:
        alice, bob = house.fake.user("alice"), house.fake.user("bob")
        general = house.fake.channel("general", [alice, bob])
        house.fake.channel("random", [alice])
        await house.hear(alice, general, "*architect")
        await house.hear(alice, general, typed)
        assert f"alice: {typed.removesuffix(' @greenroom')}" in house.prompt()


async def test_other_bots_and_the_app_itself_never_begin_a_turn() -> None:
    async with slack_house(answering("*pm")) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        (reply,) = await house.hear(alice, general, "say it")
        assert reply.name == "Winston" and "pm" in reply.text, "and it stands there as words"
        before = len(house.fake.seen(general))
        for name in ("buildbot", "another greenroom"):
            for is_old in (False, True):
                await house.fake.people.app_posts(general, "*pm", name, old=is_old)
                await house.fake.people.app_posts(general, "@greenroom *help", name, old=is_old)
        await house.fake.people.joins(house.fake.user("carol"), general)
        await house.quiet()
        assert len(house.fake.seen(general)) == before + 9
        assert len(house.model.prompts) == 1


# ---------------------------------------------------------------- how a channel is listened to


def listening(how: Listen, access: Access | None = None) -> Options:
    options = Options(listen=lambda _conversation: how)
    return replace(options, access=access) if access else options


async def test_a_channel_that_listens_to_mentions_hears_those_presses_and_their_threads() -> None:
    async with slack_house(answering("Fine."), works=lambda _: listening("mention")) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        for unheard in ("*architect", "hello", "*help", "1"):
            assert await house.hear(alice, general, unheard) == []
        (greeting,) = await house.hear(alice, general, "@greenroom *architect")
        assert await house.hear(alice, general, "hello there") == []
        await house.fake.presses(alice, general, greeting.ts, "1 *help")
        await house.quiet()
        assert [seen.text.split("\n")[0] for seen in house.fake.seen(general)][-2] == "alice chose: `*help`"
        root = await house.fake.says(alice, general, "@greenroom have a look")
        await house.quiet()
        (reply,) = await house.hear(alice, general, "and this?", thread=root)
        assert reply.shown == "Fine."
        other = await house.fake.says(alice, general, "among ourselves")
        assert await house.hear(alice, general, "and that?", thread=other) == []


async def test_stop_ends_a_reply_where_nobody_can_watch_it() -> None:
    async with slack_house(answering("one two three four five six")) as house:
        alice = house.fake.user("alice")
        direct = house.fake.people.dm(alice)
        await house.hear(alice, direct, "*architect")

        async def stop(_reply: int, number: int) -> None:
            if number == 3:
                await house.fake.says(alice, direct, "stop")
                await house.fake.settled()
            if number > 3:
                await asyncio.sleep(5)

        house.model.on_piece = stop
        replies = await house.hear(alice, direct, "tell me")
        (reply,) = [reply.shown for reply in replies if reply.name == "Winston"]
        assert reply.startswith("one two three") and "six" not in reply and reply.endswith("\n\n_(stopped by alice)_")


async def test_a_channel_that_listens_to_commands_leaves_talk_to_people() -> None:
    async with slack_house(answering("Fine."), works=lambda _: listening("commands")) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        assert await house.hear(alice, general, "hello there") == []
        (reply,) = await house.hear(alice, general, "hello @greenroom")
        assert reply.shown == "Fine."


@pytest.mark.parametrize("kind", ["guest", "single_channel", "stranger"])
async def test_guests_and_people_of_other_organisations_are_told_once_until_they_are_allowed(kind: str) -> None:
    async with slack_house(answering("Fine.")) as house:
        alice = house.fake.user("alice")
        gast = {
            "guest": lambda: house.fake.user("gast", guest=True),
            "single_channel": lambda: house.fake.user("gast", single_channel=True),
            "stranger": lambda: house.fake.user("gast", team="T0ELSEWHERE"),
        }[kind]()
        general = house.fake.channel("general", [alice, gast], shared=True)
        (told,) = await house.hear(gast, general, "*pm")
        assert told.shown.startswith("gast: Guests and people from other organisations")
        assert await house.hear(gast, general, "*architect") == []
        (greeting,) = await house.hear(alice, general, "*architect")
        assert await house.hear(gast, general, "hello") == []
        await house.fake.presses(gast, general, greeting.ts, "1 *help")
        await house.quiet()
        assert house.fake.seen(general)[-1].text == "hello", "and a press of theirs counts for nothing"
        house.worker.options = replace(
            house.worker.options, access=Access(allow=Names(users=frozenset({gast.id, alice.id})))
        )
        (reply,) = await house.hear(gast, general, "hello again")
        assert reply.shown == "Fine."
        assert "hello again" in house.prompt() and "*architect" not in house.prompt()
