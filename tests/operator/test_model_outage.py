"""A model that answers nobody: the log says so, the metrics, the readiness page and the doctor."""

from __future__ import annotations

import json
from pathlib import Path

from bot.doctor.finding import Case
from bot.doctor.running import check_health
from bot.settings import Settings
from bot.settings.keys import HealthSettings
from tests.fakes.anthropic import refuses, says
from tests.operator.day import day


async def test_a_refused_key_is_seen_by_whoever_looks_after_the_bot(tmp_path: Path) -> None:
    async with day(tmp_path, refuses(401, message="invalid x-api-key"), rooms=3) as here:
        await here.begin()
        await here.say(24)
        (line,) = here.told("error", "replies fail")
        assert (line["reason"], line["failed"]) == ("auth", 1)
        assert "ANTHROPIC_API_KEY" in line["event"]
        status, text = await here.ask("/readyz?verbose")
        assert status == 200, "a restart would not help, and commands go on working"
        assert "24 replies have failed" in json.loads(text)["degraded"]["model"]
        _, page = await here.ask("/metrics")
        assert 'greenroom_model_calls_total{result="auth"} 24.0' in page


async def test_when_the_model_answers_again_that_is_told_and_nothing_is_degraded(tmp_path: Path) -> None:
    async with day(tmp_path, refuses(529), refuses(529), says("Fine.")) as here:
        await here.begin()
        await here.say(3)
        (line,) = here.told("warning", "the model answers again")
        assert line["failed"] == 2
        _, text = await here.ask("/readyz?verbose")
        assert json.loads(text)["degraded"] == {}


async def test_a_bot_without_a_key_says_so_at_its_start(tmp_path: Path) -> None:
    keyless = {"ANTHROPIC_API_KEY_FILE": "", "GREENROOM_MODEL__BASE_URL": ""}
    async with day(tmp_path, says("Fine."), settings=keyless) as here:
        (line,) = here.told("error", "ANTHROPIC_API_KEY")
        assert "no model is asked" in line["event"]
        await here.until("/readyz", '"ready": true')
        (started,) = here.told("info", "serving")
        assert started["model_credentials"] == "missing"
        _, text = await here.ask("/readyz?verbose")
        assert "ANTHROPIC_API_KEY" in json.loads(text)["degraded"]["model"]


async def test_the_doctor_asks_the_bot_at_work_how_its_model_does(tmp_path: Path) -> None:
    async with day(tmp_path, refuses(401)) as here:
        await here.begin()
        await here.say(2)
        settings = Settings(health=HealthSettings(listen=here.health))
        found = await check_health(Case(settings, {}))
    (bad,) = [finding for finding in found if finding.level == "problem"]
    assert "model: 2 replies have failed" in bad.says and "--online" in bad.mend
