"""A mailbox that is full: what it refuses stays refused, and whoever meant the bot is told, once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.app import SystemClock
from bot.core.model import Inbound
from bot.platforms.discord.listening import FULL as DISCORDS
from bot.platforms.slack.listening import FULL as SLACKS
from bot.ports.mailbox import MailboxFullError
from bot.runtime.inbox import Inbox
from bot.runtime.lease import ended
from bot.stores.sqlite import SqliteStore
from tests.scenario.discord_house import discord_house
from tests.scenario.slack_house import slack_house
from tests.scenario.stage import Stage, answering, stage
from tests.scenario.test_rules import never


async def full(s: Stage, room: int = 2) -> None:
    """A conversation in which so many messages wait, and no more fit."""
    s.store._cap = room
    for n in range(room):
        await s.inbox.receive(s.platform.said(f"waiting {n}"))


async def told(inbox: Inbox, inbound: Inbound) -> str:
    """Who is to be told that the message was refused."""
    with pytest.raises(MailboxFullError) as refused:
        await inbox.receive(inbound)
    return refused.value.tell


async def test_a_refused_command_that_comes_again_runs_nothing() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*architect")
        await s.say("*yolo")
        await full(s)
        refused = s.platform.said("*yolo")
        await told(s.inbox, refused)
        await s.settle()
        assert not await s.inbox.receive(refused), "by backfill"
        assert not await Inbox(s.store).receive(refused), "after a restart"
        await s.settle()
        assert (await s.session()).yolo


async def test_an_edit_of_what_was_refused_does_not_bring_it_back() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*architect")
        await full(s)
        refused = s.platform.said("hm")
        await told(s.inbox, refused)
        await s.settle()
        await s.inbox.edited(replace(refused, text="*exit"), "hm")
        await s.settle()
        assert (await s.session()).active == "architect"
        assert s.platform.texts[-1].startswith("An edit of an earlier message decides nothing here.")


async def test_each_who_meant_the_bot_is_told_once_until_there_is_room_again() -> None:
    async with stage(answering("Yes.")) as s:
        await s.say("*architect")
        await full(s)
        for user, text, expected in (
            ("bob", "// between us", ""),
            ("bob", "one", "all"),
            ("bob", "two", ""),
            ("alice", "three", "sender"),
            ("alice", "*status", ""),
        ):
            assert await told(s.inbox, s.platform.said(text, user=user, at=s.clock.now())) == expected, text
        await s.settle()
        await full(s)
        assert await told(s.inbox, s.platform.said("again", user="bob", at=s.clock.now())) == "all"


async def test_where_nobody_is_on_only_those_who_address_the_bot_are_told() -> None:
    async with stage(never) as s:
        await full(s)
        for n in range(26):
            assert await told(s.inbox, s.platform.said(f"talk {n}", user=f"user{n}")) == ""
        assert await told(s.inbox, s.platform.said("hello?", addressed=True)) == "all"
        assert await told(s.inbox, s.platform.said("*help", user="bob")) == "sender"
        assert await told(s.inbox, s.platform.said("hi", user="carol", direct=True)) == "sender"


async def test_where_something_is_asked_whoever_answers_is_told() -> None:
    async with stage(never, admins=frozenset({"Ualice"})) as s:
        await s.say("*forget")
        assert (await s.session()).gate and not (await s.session()).active
        await full(s)
        assert await told(s.inbox, s.platform.said("keep it, please")) == "all"


async def test_slack_whispers_it_to_each_once_and_backfill_brings_nothing_back() -> None:
    store = await SqliteStore.open(":memory:", clock=SystemClock(), mailbox_cap=3)
    async with slack_house(answering("Yes."), store=store) as house:
        alice, bob = house.fake.user("alice"), house.fake.user("bob")
        general = house.fake.channel("general", [alice, bob])
        await house.hear(alice, general, "*architect")
        await ended(house.serving[1:])
        for n in range(3):
            await house.fake.says(alice, general, f"waiting {n}")
        for n in range(12):
            await house.fake.says(alice if n % 2 else bob, general, f"refused {n}")
        await house.fake.settled()
        for person in (alice, bob):
            assert [seen.text for seen in house.fake.people.whispers(person)] == [SLACKS]
        await house.restart()
        await house.quiet()
        assert "refused" not in house.prompt()
        assert not any(SLACKS in seen.text for seen in house.fake.seen(general))


async def test_discord_says_it_once_in_the_channel_and_backfill_brings_nothing_back() -> None:
    store = await SqliteStore.open(":memory:", clock=SystemClock(), mailbox_cap=3)
    async with discord_house(answering("Yes."), store=store) as house:
        await house.hear(house.ada, house.general, "*architect")
        await house.rests()
        for n in range(3):
            house.ada.says(house.general, f"waiting {n}")
        for n in range(13):
            last = (house.ada if n % 2 else house.bob).says(house.general, f"refused {n}")
        await house.taken(house.general, last.id)
        await house.fake.until(lambda: any(DISCORDS in seen.text for seen in house.fake.seen(house.general)), "a word")
        async with house.restarted():
            await house.quiet()
        assert "refused" not in house.prompt()
        assert sum(DISCORDS in seen.text for seen in house.fake.seen(house.general)) == 1
