"""How long `*help` and a press take in an idle conversation while replies are being written in all others.

python -m tests.bench.busy [--replies N ...] [--samples N] [--reply SECONDS]

In so many conversations a reply is under way at any time: 2 kB in 125 pieces over 15 s, and people ask for the next one
when it has ended. Meanwhile somebody types `*help` in a conversation where nothing else goes on, and presses the button
of what comes; the time runs from the inbox to the post. Worker, machine and store are the bot's, on SQLite and on a
Valkey server; model and platform are stand-ins that cost nothing, in the same process. The bar: p99 <= 100 ms, without
the time for which others kept this process from a core (Linux tells it: proc(5), schedstat); the whole time is printed
too. Nothing fails here: the machine is anybody's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.app import SystemClock, seldom_collecting
from bot.core.events import Usage
from bot.core.model import Conversation, Inbound, Menu, Receipt
from bot.core.prompt import Prompt
from bot.ports.model import Reply, Show
from bot.ports.store import Store
from bot.ports.transport import Outgoing
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.bench._apart import until
from tests.bench.sizing import Sink
from tests.bench.store import p
from tests.contract.redis_server import running as valkey_running
from tests.fakes.library import FakeLibrary

REPLIES = (4, 50, 500)
SAMPLES = 200
BAR = 100.0
"""Milliseconds."""

PIECES, REPLY = 125, 15.0
PIECE = "a word or two. "
CONTENT = json.dumps([{"type": "text", "text": PIECE * PIECES}])
APART = 0.1
"""Seconds between two things that somebody does in the idle conversation, on average."""

IDLE = Conversation("sink", "T", "idle")


@dataclass(slots=True)
class Writing:
    """A model whose replies take so many seconds each; `under_way` counts them."""

    seconds: float
    under_way: int = 0

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        """See `Model.reply`."""
        self.under_way += 1
        try:
            for _ in range(PIECES):
                await asyncio.sleep(self.seconds / PIECES)
                await show(PIECE)
        finally:
            self.under_way -= 1
        return Reply(CONTENT, "end_turn", Usage(input=100, output=500, model="bench"))

    async def close(self) -> None:
        """Nothing is held."""


class Platform(Sink):
    """Shows previews, tells people that a reply has ended, and keeps what was last posted in the idle conversation."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: asyncio.Queue[Conversation] = asyncio.Queue()
        self.posted: list[Outgoing] = []

    async def post(self, out: Outgoing) -> Receipt:
        """Take it."""
        if out.conversation == IDLE:
            self.posted.append(out)
        return await super().post(out)

    async def preview(self, out: Outgoing) -> str | None:
        """One a conversation."""
        return out.conversation.key

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """The reply is there."""
        self.ended.put_nowait(out.conversation)
        return await super().post(out)


@dataclass(frozen=True, slots=True)
class Answered:
    """Seconds that an answer took, in all and without those for which others had the core."""

    took: float
    ours: float


def kept_waiting() -> float:
    """Seconds for which this thread could have run so far but for others; 0 where the system does not tell."""
    told = Path("/proc/thread-self/schedstat")
    return int(told.read_text().split()[1]) / 1e9 if told.exists() else 0.0


@dataclass(slots=True)
class House:
    """A bot at work and the people who write to it."""

    inbox: Inbox
    platform: Platform
    model: Writing
    rooms: tuple[Conversation, ...]
    _count: int = 0
    asking: set[asyncio.Task[None]] = field(default_factory=set)

    async def says(self, where: Conversation, text: str, menu: str = "", number: int = 0) -> None:
        """Somebody writes there, or presses a button."""
        self._count += 1
        id, now = f"m{self._count}", time.time()
        await self.inbox.receive(Inbound(where, id, "U1", "alice", text, self._count, now, menu=menu, number=number))

    async def keep_asking(self) -> None:
        """Ask for the next reply wherever one has ended."""
        while True:
            await self.says(await self.platform.ended.get(), "And what comes next?")

    async def begin(self) -> None:
        """Ask everywhere, spread over the time of a reply, and return when all replies are under way."""
        for room in self.rooms:
            await self.says(room, "*architect")
        for room in self.rooms:
            await self.says(room, "What is a queue?")
            await asyncio.sleep(self.model.seconds / len(self.rooms))
        await until(lambda: self.model.under_way >= 0.95 * len(self.rooms), "all replies to be under way")

    async def answered(self, text: str, menu: str = "", number: int = 0) -> Answered:
        """What somebody does in the idle conversation, until it is answered with a menu."""
        self.platform.posted.clear()
        began, kept = time.perf_counter(), kept_waiting()
        await self.says(IDLE, text, menu, number)
        while self.last_menu() is None:  # noqa: ASYNC110  # the tick is a hundredth of the bar
            await asyncio.sleep(0.001)
        took = time.perf_counter() - began
        return Answered(took, took - (kept_waiting() - kept))

    def last_menu(self) -> Menu | None:
        """The menu that was posted last there."""
        return next((out.menu for out in reversed(self.platform.posted) if out.menu), None)


@asynccontextmanager
async def busy(store: Store, replies: int, seconds: float) -> AsyncIterator[House]:
    """A bot with so many replies under way until the body ends."""
    platform, model = Platform(), Writing(seconds)
    options = Options(waiting=2 * replies)
    worker = Worker(store, {"sink": platform}, model, FakeLibrary(), SystemClock(), options)
    rooms = tuple(Conversation("sink", "T", f"room{n}") for n in range(replies))
    house = House(Inbox(store, stop_raised=worker.stop_raised), platform, model, rooms)
    tasks = [asyncio.create_task(worker.run(asyncio.Event())), asyncio.create_task(house.keep_asking())]
    try:
        await house.begin()
        yield house
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def measured(
    store: Store, replies: int, seconds: float, samples: int
) -> tuple[list[Answered], list[Answered], float]:
    """The times of `*help` and of presses behind so many replies, and the share of a core that the process used."""
    helps: list[Answered] = []
    presses: list[Answered] = []
    chance = random.Random(replies)
    async with busy(store, replies, seconds) as house:
        await house.answered("*architect")
        with seldom_collecting():
            began, spent = time.perf_counter(), time.process_time()
            for _ in range(samples):
                await asyncio.sleep(chance.uniform(0, 2 * APART))
                helps.append(await house.answered("*help"))
                menu = house.last_menu()
                if menu is None:
                    raise SystemExit("*help has come without a menu")
                await asyncio.sleep(chance.uniform(0, 2 * APART))
                presses.append(await house.answered("", menu.id, 1))
            share = (time.process_time() - spent) / (time.perf_counter() - began)
    return helps, presses, share


def told(name: str, replies: int, answered: list[Answered]) -> bool:
    """Print the times with a verdict; whether the bar is held."""
    took, ours = [each.took for each in answered], [each.ours for each in answered]
    held = p(ours, 99) <= BAR
    print(
        f"  {name} behind {replies:3} replies: p50 {p(ours, 50):6.1f} ms, p99 {p(ours, 99):6.1f} ms "
        f"(bar {BAR:.0f} ms: {'held' if held else 'NOT HELD'}); with the time of others on this machine "
        f"{p(took, 50):.1f} and {p(took, 99):.1f} ms",
        flush=True,
    )
    return held


async def bench(folder: Path, redis: str, counts: list[int], seconds: float, samples: int) -> bool:
    """Measure on both stores."""
    held = True
    for replies in counts:
        for name in ("SQLite", "Valkey"):
            async with AsyncExitStack() as stack:
                store: Store
                if name == "SQLite":
                    store = await SqliteStore.open(folder / f"{replies}.db", clock=SystemClock())
                else:
                    store = await RedisStore.open(redis, prefix=f"busy-{replies}")
                stack.push_async_callback(store.close)
                helps, presses, share = await measured(store, replies, seconds, samples)
            print(f"on {name}, at {share:.0%} of a core:")
            held &= told("*help  ", replies, helps)
            held &= told("a press", replies, presses)
    return held


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench busy")
    parser.add_argument("--replies", type=int, nargs="+", default=list(REPLIES), metavar="N")
    parser.add_argument("--samples", type=int, default=SAMPLES, metavar="N", help="of `*help`, and of presses")
    parser.add_argument("--reply", type=float, default=REPLY, metavar="SECONDS", help="what a reply takes")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        with valkey_running(folder / "valkey", "--appendonly", "yes") as server:
            held = asyncio.run(bench(folder, server.url, args.replies, args.reply, args.samples))
    print(f"commands and presses go on behind running replies: {'held' if held else 'NOT HELD'}")


if __name__ == "__main__":
    main()
