"""A team and its personas on Slack, as people see it: channels, threads, private talks, menus."""

from __future__ import annotations

from tests.scenario.slack_house import slack_house
from tests.scenario.stage import answering


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
