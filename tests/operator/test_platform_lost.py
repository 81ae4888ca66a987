"""A platform that is lost, money that is spent: what Prometheus is told."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.anthropic import says
from tests.operator.day import Day, day


async def scraped(here: Day) -> dict[str, float]:
    """The samples of the bot's own page, as `name{label=value}`."""
    _, text = await here.ask("/metrics")
    return {
        f"{sample.name}{''.join(f'{{{k}={v}}}' for k, v in sorted(sample.labels.items()))}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_token_that_is_revoked_shows_and_ends_slack_instead_of_going_round(tmp_path: Path) -> None:
    async with day(tmp_path, says("Fine.")) as here:
        await here.begin()
        assert (await scraped(here))["greenroom_platform_connected{platform=slack}"] == 1
        here.slack.ws.token_error = "token_revoked"  # an error code
        await here.slack.says(here.alice, here.rooms[0], "are you there?")
        await here.until("/metrics", 'greenroom_platform_connected{platform="slack"} 0.0')
        status, text = await here.ask("/readyz")
        assert status == 503 and "no longer takes the bot's token" in text


async def test_what_was_spent_and_what_is_left_of_the_budget_is_told(tmp_path: Path) -> None:
    settings = {"GREENROOM_BUDGET__EVERYWHERE__TOKENS": "100000", "GREENROOM_BUDGET__CHANNEL__DOLLARS": "1"}
    async with day(tmp_path, says("Fine."), settings=settings) as here:
        await here.begin()
        await here.say(1)
        found = await scraped(here)
        (cost,) = [value for name, value in found.items() if name.startswith("greenroom_cost_dollars_total")]
        assert cost > 0
        assert 0 < found["greenroom_budget_ratio{scope=everywhere}"] < 1
        assert 0 < found["greenroom_budget_ratio{scope=channel}"] < 1
        (build,) = [name for name in found if name.startswith("greenroom_build_info")]
        assert re.search(r"\{version=\d", build)
        assert found["process_resident_memory_bytes"] > 0
