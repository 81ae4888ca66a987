"""The measurements of Slack and Discord measure what they say: a few events each, through all that takes part."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import discord, slack
from tests.bench._apart import apart


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.upper().endswith("_PROXY")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(slack, "WARM", 2)
    monkeypatch.setattr(discord, "WARM", 2)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_an_event_of_slacks_is_answered_once_by_either_app(tmp_path: Path) -> None:
    async with apart("tests.bench._workspace") as process:
        there = slack.People(process)
        store = {"GREENROOM_STORE__PATH": str(tmp_path / "state.db")}
        for app in (slack.bare(there.api), slack.whole(there.api, store)):
            cpu, seconds, posts = await slack.measured(there, app, 5, None)
            assert cpu > 0 and seconds > 0 and posts == 1.0


def test_a_ratio_is_that_of_a_round_and_is_held_against_its_bar(capsys: pytest.CaptureFixture[str]) -> None:
    spent = {"bare bolt app": [1.0, 2.0, 1.0], "bot on SQLite": [2.4, 2.0, 9.0], "bot on Valkey": [2.9, 4.0, 3.0]}
    assert not slack.told(spent)
    out = capsys.readouterr().out
    assert "2.40x (1.00 to 9.00)  (bar 2.5x: held)" in out and "2.90x (2.00 to 3.00)  (bar 2.8x: NOT HELD)" in out
    assert "verdict: 1 of 2 bars missed" in out


async def test_a_burst_on_discord_is_answered_once_by_either_client(capsys: pytest.CaptureFixture[str]) -> None:
    figures = await discord.measured(4, 1, None)
    assert all(len(each) == 1 and each[0] > 0 for each in (*figures.cpu.values(), *figures.median.values()))
    told = capsys.readouterr().out.splitlines()
    assert [line.split("1.00 posts, ")[1] for line in told] == ["1.00 calls", "4.00 calls", "1.00 calls"]
