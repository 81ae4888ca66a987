"""A number that was typed just below a list which somebody else made appear may be meant for the one above: asked."""

from __future__ import annotations

import pytest

from bot.core.gates import ExitGate
from bot.runtime.turns import HASTE
from tests.scenario.discord_house import discord_house, words
from tests.scenario.slack_house import slack_house
from tests.scenario.test_rules import never

AGAIN = "This list came up just before {} typed 1. Please choose again:"


async def test_on_slack_a_number_below_a_list_that_somebody_else_just_made_appear_is_asked_again() -> None:
    async with slack_house(never) as house:
        alice, carol = house.fake.user("alice"), house.fake.user("carol")
        general = house.fake.channel("general", [alice, carol])
        await house.hear(carol, general, "*pm")
        house.fake.clock.advance(HASTE + 1)
        await house.hear(alice, general, "*exit")
        (again,) = await house.hear(carol, general, "1")
        assert again.text.startswith(AGAIN.format("carol"))
        assert isinstance((await house.session(general)).gate, ExitGate), "carol may have meant *help"
        await house.hear(carol, general, "1")
        assert (await house.session(general)).active == "", "now it was carol's number that made the list appear"


async def test_on_discord_a_number_below_a_list_that_somebody_else_just_made_appear_is_asked_again() -> None:
    async with discord_house(never) as house:
        carol = house.fake.person("carol", house.guild)
        await house.hear(carol, house.general, "*pm")
        house.fake.advance(HASTE + 1)
        await house.hear(house.ada, house.general, "*exit")
        (again,) = await house.hear(carol, house.general, "1")
        assert words(again).startswith(AGAIN.format("Carol"))
        assert isinstance((await house.session(house.general)).gate, ExitGate)
        await house.hear(carol, house.general, "1")
        assert (await house.session(house.general)).active == ""


@pytest.mark.parametrize("wait", [0.0, HASTE + 1])
async def test_on_slack_whoever_made_a_list_appear_may_choose_at_once_and_others_a_little_later(wait: float) -> None:
    async with slack_house(never) as house:
        alice, carol = house.fake.user("alice"), house.fake.user("carol")
        general = house.fake.channel("general", [alice, carol])
        await house.hear(carol, general, "*pm")
        house.fake.clock.advance(HASTE + 1)
        await house.hear(alice, general, "*exit")
        house.fake.clock.advance(wait)
        await house.hear(carol if wait else alice, general, "1")
        assert (await house.session(general)).active == ""


@pytest.mark.parametrize("wait", [0.0, HASTE + 1])
async def test_on_discord_whoever_made_a_list_appear_may_choose_at_once_and_others_a_little_later(wait: float) -> None:
    async with discord_house(never) as house:
        carol = house.fake.person("carol", house.guild)
        await house.hear(carol, house.general, "*pm")
        house.fake.advance(HASTE + 1)
        await house.hear(house.ada, house.general, "*exit")
        house.fake.advance(wait)
        await house.hear(carol if wait else house.ada, house.general, "1")
        assert (await house.session(house.general)).active == ""
