"""What a process without work costs its Redis server, and itself, as it looks for some.

python -m tests.bench.idle [--seconds N]

A command counts wherever the server carries it out, in a script too; a Cluster's nodes share them.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from bot.runtime.worker import Options, Worker
from bot.stores.redis import RedisStore
from tests.bench.sizing import Answering, Sink
from tests.bench.store import SystemClock
from tests.contract.redis_server import running
from tests.fakes.library import FakeLibrary

SETTLING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Idle:
    """Commands a second that the server carries out, and the shares of a core that this process and it have used."""

    commands: float
    ours: float
    servers: float


async def idle(url: str, partitions: int, in_flight: int, seconds: float) -> Idle:
    """A worker with that many slots and nothing to do, over so many seconds."""
    store = await RedisStore.open(url, partitions=partitions, prefix=f"idle-{partitions}-{in_flight}")
    options = Options(in_flight=in_flight)
    worker = Worker(store, {"sink": Sink()}, Answering(), FakeLibrary(), SystemClock(), options)
    stop = asyncio.Event()
    async with Redis.from_url(url) as server, asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        await asyncio.sleep(SETTLING_SECONDS)
        ours, servers, before = time.process_time(), await _core(server), await _counted(server)
        began = time.perf_counter()
        await asyncio.sleep(seconds)
        took = time.perf_counter() - began
        after, ours = await _counted(server), time.process_time() - ours
        servers = await _core(server) - servers
        stop.set()
    await store.close()
    return Idle((after - before) / took, ours / took, servers / took)


async def _counted(server: Redis) -> int:
    """How many commands were carried out, but for what this measurement asks itself."""
    found = await server.info("commandstats")
    return sum(int(row["calls"]) for name, row in found.items() if name != "cmdstat_info")


async def _core(server: Redis) -> float:
    """Seconds of a core that the server has used."""
    found = await server.info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.idle")
    parser.add_argument("--seconds", type=float, default=10.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), "--appendonly", "yes") as server:
        for partitions in (1, 64):
            for in_flight in (4, 80):
                found = asyncio.run(idle(server.url, partitions, in_flight, args.seconds))
                print(
                    f"{partitions:2} parts, {in_flight:2} turns in flight: {found.commands:6.1f} commands/s,"
                    f" {found.ours:.1%} of our core, {found.servers:.1%} of the server's",
                    flush=True,
                )


if __name__ == "__main__":
    main()
