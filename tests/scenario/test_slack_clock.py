"""A machine whose clock is off, on Slack: orders are Slack's own, and nothing that was said is skipped for it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from bot.core.prompt import Prompt
from bot.platforms.slack.arrival import MICRO
from bot.platforms.slack.backfill import KNOWN, Gap
from bot.platforms.slack.when import FRESH, SlackTime
from bot.ports.mailbox import Message
from tests.fakes.model import Says
from tests.fakes.slack import FakeSlack
from tests.scenario.slack_house import House, slack_house, subscribed

HOUR, DAY = 3600.0, 86400.0

OFF = pytest.mark.parametrize("off", [-200 * DAY, -HOUR, HOUR, 200 * DAY], ids=["-200d", "-1h", "+1h", "+200d"])
"""By how much this machine is ahead of Slack."""


def fine(_prompt: Prompt, _n: int) -> Says:
    return Says(("Fine.",))


async def last_seen(house: House, room: object) -> float:
    """The order of the newest message there, in seconds."""
    return await house.store.last_seen(house.conversation(room).key) / MICRO  # type: ignore[arg-type]


@OFF
async def test_what_was_said_while_the_bot_was_down_is_answered_after_a_slash_command(off: float) -> None:
    fake = FakeSlack(events=subscribed())
    fake.clock.is_off(-off)
    async with slack_house(fine, fake=fake) as house:
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        await fake.slash(alice, general, "/greenroom", "architect")
        await house.quiet()
        assert abs(await last_seen(house, general) - fake.clock.now()) < 60
        await house.stop()
        for n in range(8):
            await fake.says(alice, general, f"said {n} meanwhile")

        await house.restart()
        await house.quiet()

        log = [entry.text for entry in await house.log(general) if entry.kind == "said"]
        assert log == [f"said {n} meanwhile" for n in range(8)]


@OFF
async def test_a_slash_command_stands_between_what_was_said_before_and_after_it(off: float) -> None:
    fake = FakeSlack(events=subscribed())
    fake.clock.is_off(-off)
    async with slack_house(fine, fake=fake) as house:
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        orders = [await last_seen(house, general)]
        for text in ("status", None, "help", "status", None):
            if text:
                await fake.slash(alice, general, "/greenroom", text)
                await house.quiet()
            else:
                await house.hear(alice, general, "well?")
            orders.append(await last_seen(house, general))

        assert orders == sorted(set(orders)), "each is the newest when it comes"


@OFF
async def test_a_number_by_slash_command_chooses_from_the_menu_above_it(off: float) -> None:
    fake = FakeSlack(events=subscribed())
    fake.clock.is_off(-off)
    async with slack_house(fine, fake=fake) as house:
        alice = fake.user("alice")
        room = fake.people.dm(alice)
        (guide,) = await house.hear(alice, room, "*help")
        assert guide.buttons[1].label == "2 *pm"

        await fake.slash(alice, room, "/greenroom", "2")
        await house.quiet()

        assert fake.seen(room)[-1].name == "John"


async def test_orders_that_a_wrong_clock_has_left_in_the_store_are_passed_over() -> None:
    async with slack_house(fine) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await house.hear(alice, general, "*architect")
        future = int((time.time() + 200 * DAY) * MICRO)
        where = house.conversation(general).key
        await house.store.enqueue(where, Message("slash-before", "{}", future))
        await house.store.amend(where, "slash-before", None)
        await house.stop()
        for n in range(8):
            await house.fake.says(alice, general, f"said {n} meanwhile")

        await house.restart()
        await house.quiet()

        said = [entry.text for entry in await house.log(general) if entry.kind == "said"]
        assert said == [f"said {n} meanwhile" for n in range(8)]


def test_a_gap_begins_where_ids_are_known_when_the_last_order_is_of_a_wrong_clock() -> None:
    gap, now = Gap(0, {}), 1_700_000_000.0
    where = House.conversation  # any key will do
    gap = replace(gap, seen={where: int((now + 200 * DAY) * MICRO)})  # type: ignore[dict-item]
    assert gap.behind(where, now) == int((now - KNOWN) * MICRO)  # type: ignore[arg-type]


# ---------------------------------------------------------------- Slack's time


class Steady:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 50.0

    def __call__(self) -> float:
        return self.at


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
TOLD = 1792567680.0


def test_the_latest_that_slack_has_told_counts_and_goes_on_with_a_steady_clock() -> None:
    steady = Steady()
    when = SlackTime(steady)
    assert when.now() is None
    when.answered({"date": DATE})
    assert when.now() == TOLD
    steady.at += 3
    when.said(f"{TOLD:.0f}.500000")  # said before, and told now
    assert when.now() == TOLD + 3
    when.said(f"{TOLD + 4:.0f}.250000")
    assert when.now() == TOLD + 4.25
    when.answered({"Date": [DATE]})
    assert when.now() == TOLD + 4.25


def test_a_new_date_replaces_what_is_long_ago_since_clocks_drift() -> None:
    steady = Steady()
    when = SlackTime(steady)
    when.said(f"{TOLD + 5:.0f}.0")
    steady.at += FRESH + 1
    when.answered({"Date": DATE})
    assert when.now() == TOLD


@pytest.mark.parametrize("headers", [{}, {"Date": "soon"}, {"Date": []}, {"Date": ""}])
def test_what_is_no_date_tells_nothing(headers: dict[str, object]) -> None:
    when = SlackTime(Steady())
    when.answered(headers)
    when.said(None)
    when.said("soon")
    assert when.now() is None
    assert when.order(7) == 8


def test_an_order_is_behind_what_is_known_and_never_in_the_future() -> None:
    when = SlackTime(Steady())
    when.answered({"Date": DATE})
    now = int(TOLD * MICRO)
    assert when.order(0) == now
    assert when.order(now + 5) == now + 6
    assert when.order(now + 3600 * MICRO) == now
