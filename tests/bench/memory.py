"""The memory of `greenroom run` as a process of its own: on Slack, with SQLite or Valkey, with traces.

python -m tests.bench.memory

On strict fakes of Slack and of the model's service, with the real SDKs: what a machine really needs.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.contract.redis_server import running
from tests.fakes.anthropic import says
from tests.operator.day import day
from tests.unit.health.collector import collecting

TURNS = 200


def resident(pid: int) -> float:
    """MiB that the process has in memory (man proc_pid_status)."""
    (kib,) = re.findall(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(kib) / 1024


async def measured(settings: Mapping[str, str]) -> list[float]:
    """MiB when it serves, after the first reply, and after many."""
    with tempfile.TemporaryDirectory() as folder:
        async with day(Path(folder), says("A sentence of some length. " * 40), rooms=8, settings=settings) as here:
            await here.until("/readyz", '"ready": true')
            found = [resident(here.process.pid)]
            await here.begin()
            await here.say(8)
            found.append(resident(here.process.pid))
            await here.say(TURNS)
            found.append(resident(here.process.pid))
    return found


async def rows() -> None:
    """Print a row of the table for each set-up."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = stack.enter_context(running(Path(folder)))
        async with collecting() as collector:
            redis, otel = {"GREENROOM_STORE__URL": server.url}, {"GREENROOM_TELEMETRY__OTLP": collector.url}
            for name, settings in {
                "Slack, SQLite": {},
                "Slack, Valkey": redis,
                "Slack, SQLite, traces": otel,
                "Slack, Valkey, traces": redis | otel,
            }.items():
                rest, first, many = await measured(settings)
                print(f"| {name} | {rest:.0f} MiB | {first:.0f} MiB | {many:.0f} MiB |", flush=True)


def main() -> None:
    """Measure, and print."""
    asyncio.run(rows())


if __name__ == "__main__":
    main()
