"""What was spent today, asked for beside the bot at work."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from tests.fakes.anthropic import says
from tests.operator.day import Day, day

CHECKOUT = Path(__file__).parents[2]


async def usage(here: Day, by: str) -> list[object]:
    command = (sys.executable, "-m", "bot", "usage", "--by", by, "--json", "--state", str(here.folder / "state.db"))
    env = {"PYTHONPATH": str(CHECKOUT), "HOME": str(here.folder)}
    ran = await asyncio.to_thread(
        subprocess.run, command, cwd=here.folder, env=env, capture_output=True, text=True, check=True, timeout=60
    )
    told = json.loads(ran.stdout)
    assert sum(row["tokens"] for row in told["spent"]) == told["total"]["tokens"] > 0
    assert told["total"]["dollars"] > 0
    return [row[by] for row in told["spent"]]


async def test_what_was_spent_is_told_by_channel_persona_model_and_user(tmp_path: Path) -> None:
    async with day(tmp_path, says("Fine."), rooms=2, settings={"GREENROOM_BUDGET__BY_USER": "true"}) as here:
        await here.begin()
        await here.say(4)
        team = here.slack.ws.team
        assert set(map(str, await usage(here, "channel"))) == {f"slack:{team}:{room.id}" for room in here.rooms}
        assert await usage(here, "persona") == ["architect"]
        assert len(await usage(here, "model")) == 1
        assert await usage(here, "user") == [f"slack:{team}:{here.alice.id}"]
