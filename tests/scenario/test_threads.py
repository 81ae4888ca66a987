"""A work in a thread of its own, on strict fakes of Slack and Discord: opened, begun there once, or where it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model import Listen
from bot.runtime.turns import HASTE
from bot.runtime.worker import Options
from tests.fakes.discord_state import CREATE_PUBLIC_THREADS
from tests.fakes.model import Says, Script
from tests.fakes.toy_mode import MODES, TOYS
from tests.scenario.discord_house import discord_house, words
from tests.scenario.slack_house import slack_house

OPENS = "The toy goes on in a thread."
HERE = "There is no thread, so the toy is played here."


def drafting() -> Script:
    return lambda _prompt, n: Says.text(f"Draft {n}.")


def playing(listen: Listen = "active") -> Options:
    return replace(Options(), lease=5.0, modes=MODES, listen=lambda _: listen)


@pytest.mark.parametrize("listen", ["active", "mention"])
async def test_on_slack_a_work_begins_in_the_thread_of_its_post_and_is_heard_there(listen: Listen) -> None:
    async with slack_house(drafting(), cast=TOYS, works=lambda _: playing(listen)) as house:
        alice, bob = house.fake.user("alice"), house.fake.user("bob")
        general = house.fake.channel("general", [alice, bob])
        await house.hear(alice, general, "@greenroom *pm")
        (root,) = await house.hear(alice, general, "@greenroom *toy thread")
        assert root.text == OPENS
        draft, gate = house.fake.seen(general, root.ts)[-2:]
        assert (draft.name, draft.shown, gate.text.splitlines()[0]) == ("John", "Draft 1.", "Part 1 stands.")
        house.fake.clock.advance(HASTE)
        *_, again, _ = await house.hear(bob, general, "2", thread=root.ts)
        assert again.shown == "Draft 2.", "people need not mention the bot in a thread that they have asked for"
        assert house.prompt().count("Draft part 1.") == 2
        assert (await house.session(general)).work == () and (await house.session(general, root.ts)).work
        assert (await house.session(general)).personas == ("pm",)


@pytest.mark.parametrize("listen", ["active", "mention"])
async def test_on_discord_a_work_begins_in_a_thread_below_its_post_and_is_heard_there(listen: Listen) -> None:
    async with discord_house(drafting(), cast=TOYS, works=lambda _: playing(listen)) as house:
        me = f"<@{house.fake.me.id}>"
        await house.hear(house.ada, house.general, f"{me} *pm")
        (root,) = await house.hear(house.ada, house.general, f"{me} *toy thread")
        thread = house.fake.world.channels[root.id]
        assert (thread.name, thread.parent) == ("The toy", house.general)
        draft, gate = [seen for seen in house.fake.seen(thread) if seen.text]
        assert (words(draft), words(gate).splitlines()[0]) == ("Draft 1.", "Part 1 stands.")
        house.fake.advance(HASTE)
        *_, again, _ = await house.hear(house.bob, thread, "2")
        assert words(again) == "Draft 2."
        assert (await house.session(house.general)).work == () and (await house.session(thread)).work


async def test_where_the_bot_may_open_no_thread_the_work_begins_where_it_is() -> None:
    async with discord_house(drafting(), cast=TOYS, works=lambda _: playing()) as house:
        house.fake.permits(house.general, house.fake.me, deny=CREATE_PUBLIC_THREADS)
        await house.hear(house.ada, house.general, "*pm")
        root, told, draft, _ = await house.hear(house.ada, house.general, "*toy thread")
        assert [words(each) for each in (root, told, draft)] == [OPENS, HERE, "Draft 1."]


async def test_in_private_and_below_a_thread_a_work_begins_where_it_is() -> None:
    async with slack_house(drafting(), cast=TOYS, works=lambda _: playing()) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        top = await house.fake.says(alice, general, "something to talk about")
        for room, thread in ((general, top), (house.fake.people.dm(alice), None)):
            await house.hear(alice, room, "*pm", thread=thread)
            root, told, _, _ = await house.hear(alice, room, "*toy thread", thread=thread)
            assert (root.text, told.text) == (OPENS, HERE)
