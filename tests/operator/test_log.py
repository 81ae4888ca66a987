"""What the log of an ordinary day holds: a line for the start, one a turn, one for the end, and no gossip."""

from __future__ import annotations

import signal
from pathlib import Path

from bot.health.trace import trace_of
from bot.ports.mailbox import Claim, Message
from tests.fakes.anthropic import says
from tests.operator.day import day
from tests.unit.health.collector import collecting


async def test_every_turn_is_a_line_and_nothing_else_is(tmp_path: Path) -> None:
    async with day(tmp_path, says("A secret plan."), rooms=2) as here:
        await here.begin()
        await here.say(10)
        here.process.gets(signal.SIGTERM)
        assert await here.process.ends() == 0
    lines = here.lines
    assert len(lines) == len(here.process.told.splitlines()), "a line that is no JSON"
    assert {line["logger"].split(".")[0] for line in lines} == {"bot"}
    turns = [line for line in lines if line["event"] == "turn"]
    # What was said before the connection stood is looked for; that is a line of its own where there was something.
    others = [line for line in lines if line not in turns and not line["logger"].endswith("backfill")]
    started, told, stopped = others
    assert (started["event"], started["platforms"], started["model_credentials"]) == ("serving", "slack", "set")
    assert started["version"] and started["schema"] and started["store"].endswith("state.db") and started["model"]
    assert told["event"].startswith("told to stop") and stopped["event"] == "stopped" and stopped["seconds"] > 0
    assert len(turns) == 12
    replies = [line for line in turns if line["persona"]]
    assert len(replies) == 10
    for line in replies:
        assert line["level"] == "info" and line["outcome"] == "committed" and line["persona"] == "architect"
        assert line["conversation"].startswith("slack:") and line["tokens_read"] > 0 and line["tokens_written"] > 0
        assert line["cost"] > 0 and line["seconds"] > 0 and line["posts"] == 1
    assert "secret plan" not in here.process.told and "question" not in here.process.told


async def test_the_line_leads_to_the_trace(tmp_path: Path) -> None:
    async with (
        collecting() as collector,
        day(tmp_path, says("Fine."), settings={"GREENROOM_TELEMETRY__OTLP": collector.url}) as here,
    ):
        await here.begin()
        here.process.gets(signal.SIGTERM)
        assert await here.process.ends() == 0
    (line,) = [line for line in here.lines if line["event"] == "turn"]
    assert {span.trace_id.hex() for span in collector.spans} == {line["trace"]}
    assert line["trace"] == trace_of(Claim(line["conversation"], 1, (Message(line["turn"], "{}", 1),)))


async def test_a_level_that_was_chosen_holds(tmp_path: Path) -> None:
    async with day(tmp_path, says("Fine."), settings={"GREENROOM_LOG__LEVEL": "warning"}) as here:
        await here.begin()
        here.process.gets(signal.SIGTERM)
        assert await here.process.ends() == 0
    assert here.process.told == ""
