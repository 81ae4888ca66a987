"""The app's own tabs on Slack: who can be called, where they stand for whoever looks, and something to begin with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.personas.model import Cast
from bot.platforms.slack.views import A_PAGE, START
from bot.ports.mailbox import Message
from bot.runtime.lease import ended
from tests.fakes.library import CAST, PM
from tests.fakes.slack_faults import Says
from tests.fakes.slack_state import Person
from tests.scenario.slack_house import House, slack_house
from tests.scenario.stage import answering
from tests.scenario.test_rules import never


async def home(house: House, person: Person) -> dict[str, Any]:
    """The home tab, as it is when somebody opens it."""
    await house.fake.people.opens_app(person)
    await house.fake.settled()
    view: dict[str, Any] = house.fake.ws.homes[person.id]
    return view


def words(view: dict[str, Any]) -> list[str]:
    """The texts of a view, one a block."""
    return [block["text"]["text"] for block in view["blocks"] if "text" in block]


def starters(view: dict[str, Any]) -> list[str]:
    return [b["accessory"]["text"]["text"] for b in view["blocks"] if "accessory" in b]


async def test_the_home_tells_what_this_is_who_there_is_and_what_each_is_for() -> None:
    async with slack_house(never) as house:
        view = await home(house, house.fake.user("alice"))
        told = words(view)
        assert told[0] == "Greenroom" and "`*help`" in told[1]
        assert "*📋 John*, Product Manager  `*pm`\nUse for PRDs and product strategy" in told
        assert starters(view) == [f"Talk with {persona.name}" for persona in CAST.personas]
        assert "Where I am" not in told, "nobody is on anywhere"


async def test_everybody_sees_only_the_channels_that_they_belong_to() -> None:
    async with slack_house(never) as house:
        alice, bob = house.fake.user("alice"), house.fake.user("bob")
        general = house.fake.channel("general", [alice, bob])
        board = house.fake.channel("board", [alice], private=True)
        quiet = house.fake.channel("quiet", [alice, bob])
        await house.hear(alice, general, "*pm")
        await house.hear(alice, board, "*architect")
        await house.hear(alice, quiet, "*help")
        await house.hear(alice, house.fake.people.dm(alice), "*sm")
        (hers,) = [text for text in words(await home(house, alice)) if text.startswith("<#")]
        assert hers.split("\n") == [f"<#{board.id}>: 🏗️ Winston", f"<#{general.id}>: 📋 John"]
        his = await home(house, bob)
        (told,) = [text for text in words(his) if text.startswith("<#")]
        assert told == f"<#{general.id}>: 📋 John"
        assert board.id not in str(his)


async def test_the_home_tells_that_a_choice_is_waited_for_and_forgets_who_has_left() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await house.hear(alice, general, "*pm")
        await house.hear(alice, general, "*exit")
        assert f"<#{general.id}>: 📋 John, waiting for a choice" in words(await home(house, alice))
        await house.hear(alice, general, "1")
        assert "Where I am" not in words(await home(house, alice))


async def test_a_channel_whose_state_a_newer_build_has_written_is_left_out() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        general, later = house.fake.channel("general", [alice]), house.fake.channel("later", [alice])
        await house.hear(alice, general, "*pm")
        key, newer = house.conversation(later).key, '{"session": {"menus": {"kept": "otherwise"}}}'
        await ended(house.serving[1:])
        await house.store.enqueue(key, Message("other", "{}", 1))
        claim = await house.store.claim("another build", 15.0, 9)
        assert claim and await house.store.commit(claim, newer, 9, (), floor_open=True, used_flag=False)
        (told,) = [text for text in words(await home(house, alice)) if text.startswith("<#")]
        assert told == f"<#{general.id}>: 📋 John"


async def test_where_slack_does_not_tell_who_belongs_where_no_channel_is_named() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        await house.hear(alice, house.fake.channel("general", [alice]), "*pm")
        house.fake.faults.order("users.conversations", Says("missing_scope"))
        view = await home(house, alice)
        assert "Where I am" not in words(view) and "Talk with John" in starters(view)


async def test_the_home_costs_a_call_or_two_however_many_channels_there_are() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        for number in range(5):
            await house.hear(alice, house.fake.channel(f"room{number}", [alice]), "*pm")
        before = len(house.fake.calls)
        await home(house, alice)
        assert [call.method for call in house.fake.calls[before:]] == ["users.conversations", "views.publish"]


async def test_who_has_just_come_into_a_channel_sees_it() -> None:
    async with slack_house(never) as house:
        alice, bob = house.fake.user("alice"), house.fake.user("bob")
        general = house.fake.channel("general", [alice])
        await house.hear(alice, general, "*pm")
        assert "Where I am" not in words(await home(house, bob))
        await house.fake.people.joins(bob, general)
        await house.fake.settled()
        assert "Where I am" in words(await home(house, bob))


async def test_a_button_of_the_home_starts_a_persona_in_private() -> None:
    async with slack_house(answering("Fine.")) as house:
        alice = house.fake.user("alice")
        view = await home(house, alice)
        delivery = await house.fake.interactions.presses_in_view(alice, view["id"], "Talk with John")
        await house.quiet()
        assert delivery.acked
        (greeting,) = house.fake.seen(house.fake.people.dm(alice))
        assert greeting.name == "John" and greeting.text.startswith("Hello, I am *John*")
        (reply,) = await house.hear(alice, house.fake.people.dm(alice), "hello")
        assert reply.shown == "Fine."


async def test_a_persona_that_is_gone_since_the_home_was_opened_is_said_to_be_gone() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        view = await home(house, alice)
        house.library.cast = replace(CAST, personas=(PM,))
        await house.fake.interactions.presses_in_view(alice, view["id"], "Talk with Winston")
        await house.quiet()
        (told,) = house.fake.seen(house.fake.people.dm(alice))
        assert "There is no `*architect`" in told.shown


async def test_a_library_of_many_personas_is_turned_page_by_page() -> None:
    many = tuple(replace(PM, id=f"p{number}", name=f"Persona {number}") for number in range(A_PAGE + 3))
    async with slack_house(never, cast=Cast(personas=many)) as house:
        alice = house.fake.user("alice")
        view = await home(house, alice)
        assert "Personas (1 of 2)" in words(view) and len(starters(view)) == A_PAGE
        await house.fake.interactions.presses_in_view(alice, view["id"], "Next")
        await house.fake.settled()
        view = house.fake.ws.homes[alice.id]
        assert "Personas (2 of 2)" in words(view)
        assert starters(view) == [f"Talk with Persona {A_PAGE + number}" for number in range(3)]
        await house.fake.interactions.presses_in_view(alice, view["id"], "Previous")
        await house.fake.settled()
        assert "Personas (1 of 2)" in words(house.fake.ws.homes[alice.id])
        await house.fake.interactions.presses_in_view(alice, view["id"], START)
        await house.quiet()
        assert house.fake.seen(house.fake.people.dm(alice))[0].name == "Persona 0"


async def test_an_empty_library_is_said_to_be_empty() -> None:
    async with slack_house(never, cast=Cast()) as house:
        view = await home(house, house.fake.user("alice"))
        assert any("`library.paths`" in text for text in words(view))
        assert starters(view) == []


async def test_a_home_that_slack_refuses_disturbs_nobody_else() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        house.fake.faults.order("views.publish", Says("not_enabled"))
        await house.fake.people.opens_app(alice)
        await house.fake.settled()
        assert alice.id not in house.fake.ws.homes
        assert await home(house, alice)


async def test_who_opens_the_messages_tab_is_offered_something_to_begin_with() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        await house.fake.people.opens_app(alice, "messages")
        await house.fake.settled()
        prompts = house.fake.people.dm(alice).prompts
        assert prompts[0] == {"title": "What can be done here?", "message": "*help"}
        assert prompts[1]["message"] == "*bmad-orchestrator" and len(prompts) == 4
        for prompt in prompts:
            assert len(await house.hear(alice, house.fake.people.dm(alice), prompt["message"])) >= 1
