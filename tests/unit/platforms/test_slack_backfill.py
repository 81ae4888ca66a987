"""How far back is looked for what was missed on Slack."""

from __future__ import annotations

import time

import pytest

from bot.core.model import Conversation
from bot.platforms.slack.arrival import MICRO
from bot.platforms.slack.backfill import KNOWN, MARGIN, Gap

ROOM = Conversation("slack", "T1", "C1")


def hours_ago(hours: float) -> int:
    return int((time.time() - hours * 3600) * MICRO)


def test_a_little_is_looked_at_twice_where_its_ids_are_known() -> None:
    last = hours_ago(2)
    assert Gap(hours_ago(48), {ROOM: last}).behind(ROOM) == last - int(MARGIN * MICRO)


@pytest.mark.parametrize("hours", [KNOWN / 3600 + 1, 100])
def test_nothing_is_looked_at_twice_whose_id_may_be_forgotten(hours: float) -> None:
    last = hours_ago(hours)
    assert Gap(hours_ago(7 * 24), {ROOM: last}).behind(ROOM) == last


def test_nothing_older_than_the_bound_is_looked_at() -> None:
    since = hours_ago(24)
    assert Gap(since, {ROOM: hours_ago(48)}).behind(ROOM) == since
    assert Gap(since, {}).behind(ROOM) == since
    assert Gap(since).behind(ROOM) == since
