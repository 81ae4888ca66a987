"""What a turn costs and what a conversation weighs: the figures that docs/deploying.md sizes machines by.

python -m tests.bench.sizing

The whole worker runs on a real store, with a platform that takes every post at once and a model that answers at once,
so what is left is our own work: platforms' SDKs, TLS and the reading of a stream come on top of it.
"""

from __future__ import annotations

import asyncio
import json
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import redis

from bot.core.codec import dump
from bot.core.events import Usage
from bot.core.model import Attachment, Conversation, Inbound, Receipt
from bot.core.prompt import Prompt
from bot.ports.mailbox import Message
from bot.ports.model import Reply, Show
from bot.ports.store import Store
from bot.ports.transport import Outgoing
from bot.runtime.worker import Options, Worker
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.bench.store import SystemClock
from tests.contract.redis_server import running
from tests.fakes.library import FakeLibrary

ROOMS = 200
TURNS = 10
"""Plain messages a conversation, behind the command that brings a persona on; each is answered."""

WORDS = "A message of some length, as people write them to each other in a channel on a usual day. " * 3
ANSWER = json.dumps([{"type": "text", "text": "An answer takes more room than a question does. " * 20}])
PARTS = 64
"""What a store for a Cluster is cut into: every claim looks into all of them."""

HELD = 500
"""Turns that wait for a model at the same time."""


class Sink:
    """A platform that takes everything, keeps nothing, and shows no previews."""

    limit = 3500
    most = 0
    tables = True

    def __init__(self) -> None:
        self.order = 10_000_000

    async def post(self, out: Outgoing) -> Receipt:
        """Take it."""
        self.order += 1
        return Receipt(str(self.order), self.order)

    async def find(self, out: Outgoing) -> Receipt | None:
        """Nothing is kept."""

    async def preview(self, out: Outgoing) -> str | None:
        """There are none."""

    async def extend(self, ref: str, text: str) -> None:
        """There are none."""

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """There are none."""

    async def withdraw(self, ref: str) -> None:
        """There are none."""

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        """There are none."""

    async def busy(self, out: Outgoing) -> None:
        """Nobody looks."""

    async def read(self, file: Attachment, room: int) -> Attachment:
        """There are none."""
        return file

    async def open_thread(self, conversation: Conversation, receipt: Receipt, title: str) -> Conversation | None:
        """There are none."""


class Answering:
    """A model that answers at once, or, while `gate` is closed, not yet."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = 0

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        """The same answer to everything."""
        self.waiting += 1
        await self.gate.wait()
        self.waiting -= 1
        return Reply(ANSWER, "end_turn", Usage(input=100, output=100, model="bench"))

    async def close(self) -> None:
        """Nothing is held."""


def inbound(room: int, number: int, text: str) -> tuple[str, Message]:
    """A message as an adapter would queue it."""
    where = Conversation("sink", "T", f"room{room}")
    message = Inbound(where, f"m{number}", "U1", "alice", text, number + 1, time.time())
    return where.key, Message(message.id, dump(message), message.order, not text.startswith("*"))


def resident() -> float:
    """MiB of memory that this process has right now (man proc_pid_statm)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    """Return when it is so, or raise TimeoutError after two minutes."""
    async with asyncio.timeout(120):
        while True:
            if await done():
                return
            await asyncio.sleep(0.01)


async def rested(store: Store) -> bool:
    """Whether nothing is left to be done."""
    stats = await store.stats()
    return not stats.waiting and not stats.in_flight


async def turns(name: str, store: Store) -> None:
    """Print turns a second and what each takes of a core."""
    worker = Worker(
        store, {"sink": Sink()}, Answering(), FakeLibrary(), SystemClock(), Options(in_flight=8, together=1)
    )
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        for number in range(TURNS + 1):
            wall, core = time.perf_counter(), time.process_time()
            for room in range(ROOMS):
                await store.enqueue(*inbound(room, number, WORDS if number else "*architect"))
            await until(lambda: rested(store))
            wall, core = time.perf_counter() - wall, time.process_time() - core
            if number in (1, TURNS):
                kind = f"reply {number:2} of a conversation"
                print(f"{name}  {kind}  {ROOMS / wall:6.0f} turns/s  {core / ROOMS * 1000:5.2f} ms of a core each")
        stop.set()


async def held(store: Store) -> None:
    """Print what turns that wait for a model take of memory."""
    model = Answering()
    options = Options(waiting=HELD, lease=600)
    worker = Worker(store, {"sink": Sink()}, model, FakeLibrary(), SystemClock(), options)
    for room in range(HELD):
        await store.enqueue(*inbound(1000 + room, 0, "*architect"))
        await store.enqueue(*inbound(1000 + room, 1, WORDS))
    model.gate.clear()
    before = resident()
    stop = asyncio.Event()

    async def all_wait() -> bool:
        return model.waiting == HELD

    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        await until(all_wait)
        after = resident()
        print(
            f"{HELD} turns that wait for a model: {(after - before) * 1024 / HELD:.0f} KiB each, {after:.0f} MiB in all"
        )
        model.gate.set()
        await until(lambda: rested(store))
        stop.set()


async def bench(folder: Path, url: str) -> None:
    """Both stores, one after the other."""
    print(f"the process before any work: {resident():.0f} MiB")
    path = folder / "bench.db"
    on_sqlite = await SqliteStore.open(path, clock=SystemClock())
    await turns("sqlite", on_sqlite)
    await on_sqlite.close()
    print(f"sqlite  {path.stat().st_size / ROOMS / 1024:.1f} KiB a conversation of {TURNS} replies")

    with redis.Redis.from_url(url) as server:
        empty = int(server.info("memory")["used_memory"])
        on_redis = await RedisStore.open(url, prefix=f"bench-{uuid4().hex}")
        await turns("redis ", on_redis)
        used = int(server.info("memory")["used_memory"]) - empty
    print(f"redis   {used / ROOMS / 1024:.1f} KiB a conversation of {TURNS} replies")
    await held(on_redis)
    await on_redis.close()

    in_parts = await RedisStore.open(url, prefix=f"bench-{uuid4().hex}", partitions=PARTS)
    await turns(f"redis in {PARTS} parts", in_parts)
    await in_parts.close()


def main() -> None:
    """Print it all."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running(folder / "valkey", "--appendonly", "yes"))
        asyncio.run(bench(folder, server.url))


if __name__ == "__main__":
    main()
