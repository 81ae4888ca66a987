"""A process beside the one that is measured, and waiting for a bot: what the measurements of platforms share."""

from __future__ import annotations

import asyncio
import cProfile
import json
import pstats
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.ports.store import Store

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
SHOWN = 30
"""Lines of a profile."""

Rest = Callable[[], Any]
"""Gives something to await, which is over when an app has nothing left to do."""


class Apart:
    """A process that takes an order a line and answers each with a line of JSON; `greeting` is its first line."""

    def __init__(self, process: asyncio.subprocess.Process, greeting: str) -> None:
        self._process = process
        self.greeting = greeting

    async def order(self, *words: object) -> dict[str, float]:
        """What comes of an order. Raises SystemExit where the process has given up, which it has said itself."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("a process without the pipes that were asked for")
        self._process.stdin.write(f"{' '.join(map(str, words))}\n".encode())
        line = await self._process.stdout.readline()
        if not line:
            raise SystemExit("the platform and its people have given up; see above")
        told: dict[str, float] = json.loads(line)
        return told


@asynccontextmanager
async def apart(module: str) -> AsyncIterator[Apart]:
    """The process that runs `module`, until the body ends."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, cwd=ROOT, stdin=-1, stdout=-1)
    try:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("a process without the pipes that were asked for")
        yield Apart(process, (await process.stdout.readline()).decode().strip())
        process.stdin.close()
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def at_rest(store: Store) -> None:
    """Return when no message waits and no turn is under way."""
    deadline = time.monotonic() + PATIENCE
    while (stats := await store.stats()) and (stats.waiting or stats.in_flight):
        if time.monotonic() > deadline:
            raise SystemExit(f"the bot has not come to rest within {PATIENCE:.0f} s: {stats}")
        await asyncio.sleep(0.02)


async def until(holds: Callable[[], object], what: str) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {PATIENCE:.0f} s in vain for {what}")
        await asyncio.sleep(0.01)


def show(profile: cProfile.Profile) -> None:
    """Print what of the bot's own took longest, with all that it called; threads but the main one are left out."""
    pstats.Stats(profile).sort_stats("cumtime").print_stats(r"/bot/|/slack_sdk/web/|/slack_bolt/app/|/discord/", SHOWN)
