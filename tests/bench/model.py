"""How much later the first words stand on the platform than the bare SDK has them, in the same run.

python -m tests.bench.model [--samples N]

Both ask the same body of the strict fake, which runs in a process of its own; the two take turns, and so does who goes
first. The whole bot's time runs from the message's arrival to the first words on the platform, with a database on disk.
Once the service answers at once, which shows what the house itself takes, and once after `THINKING` seconds, less than
any real model needs. Each has a bar; the machine decides the milliseconds, so nothing fails here.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anthropic

from bot.app import SystemClock, seldom_collecting, shipped_agents
from bot.core.model import Conversation
from bot.core.prompt import prompt
from bot.core.steps import Entry
from bot.models import request
from bot.models.anthropic import AnthropicModel
from bot.models.options import ModelOptions
from bot.personas.library import Library
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.sqlite import SqliteStore
from tests.bench._ratios import total, verdict
from tests.fakes.anthropic import FakeAnthropic, Gate, says
from tests.fakes.platform import FakePlatform

BAR, BAR_AT_ONCE = 1.05, 1.5
SAMPLES = 150
WARM = 10
"""Samples at the start that are thrown away: connections, imports, caches."""

THINKING = 0.3
"""Seconds until the first token in the second row. What is published of today's fast models begins near 0.4."""

PATIENCE = 30.0
"""Seconds after which a turn has to be over."""

PIECES = ("The queue goes first, ", "and behind it the cache, ", "since everything waits for that.")
QUESTION = "What would you build first, and why?"
MODEL = "claude-sonnet-5-5"


class Later(Gate):
    """Lets the first delta through after so many seconds, and everything behind it at once."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def pass_through(self) -> None:
        """Wait, the first time."""
        seconds, self._seconds = self._seconds, 0.0
        if seconds:
            await asyncio.sleep(seconds)


async def serve(seconds: float) -> None:
    """The service, until nobody reads its address any more."""
    async with FakeAnthropic(otherwise=lambda _: says(*PIECES, gate=Later(seconds))) as fake:
        print(fake.url, fake.key, flush=True)
        await asyncio.to_thread(sys.stdin.read)


@contextmanager
def service(seconds: float) -> Iterator[tuple[str, str]]:
    """Its address and key; its first token takes so many seconds."""
    command = [sys.executable, "-m", "tests.bench.model", "--serve", str(seconds)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process without the pipes that were asked for")
        url, key = process.stdout.readline().split()
        try:
            yield url, key
        finally:
            process.stdin.close()


class Watched(FakePlatform):
    """A platform that notes when the first words of a reply are to be seen."""

    first: float | None = None

    async def extend(self, ref: str, text: str) -> None:
        """Show it, and note the time."""
        if self.first is None:
            self.first = time.perf_counter()
        await super().extend(ref, text)


class Whole:
    """The bot at work."""

    def __init__(self, store: SqliteStore, inbox: Inbox, platform: Watched) -> None:
        self._store = store
        self._inbox = inbox
        self._platform = platform
        self._count = 0

    async def sample(self) -> float:
        """Seconds from a message in a new channel with Winston to his first words."""
        self._count += 1
        room = Conversation("fake", "team", f"room{self._count}")
        await self._inbox.receive(self._platform.said("*architect", conversation=room, at=time.time()))
        await self._rest()
        self._platform.first = None
        asked = self._platform.said(QUESTION, conversation=room, at=time.time())
        began = time.perf_counter()
        await self._inbox.receive(asked)
        await self._rest()
        if self._platform.first is None:
            raise SystemExit("the bot has shown nothing; the platform has: " + self._platform.seen(room)[-1].text)
        return self._platform.first - began

    async def _rest(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while (stats := await self._store.stats()) and (stats.waiting or stats.in_flight):
            if time.monotonic() > deadline:
                raise SystemExit(f"the bot has not come to rest within {PATIENCE:.0f} s: {stats}")
            await asyncio.sleep(0.02)


@asynccontextmanager
async def whole(url: str, key: str, library: Library) -> AsyncIterator[Whole]:
    """A bot with a database of its own, working until the body ends."""
    clock, platform = SystemClock(), Watched()
    with tempfile.TemporaryDirectory() as folder:
        store = await SqliteStore.open(Path(folder) / "state.db", clock=clock)
        model = AnthropicModel(ModelOptions(MODEL, base_url=url), key, clock)
        stop = asyncio.Event()
        working = asyncio.create_task(Worker(store, {"fake": platform}, model, library, clock, Options()).run(stop))
        try:
            yield Whole(store, Inbox(store), platform)
        finally:
            stop.set()
            await working
            await model.close()
            await store.close()


async def bare(client: anthropic.AsyncAnthropic, body: dict[str, Any]) -> float:
    """Seconds from the call to the first text of the SDK's stream."""
    began, first = time.perf_counter(), None
    async with client.messages.stream(**body) as stream:
        async for event in stream:
            if event.type == "text" and first is None:
                first = time.perf_counter()
    if first is None:
        raise SystemExit("the service has sent no text")
    return first - began


async def measured(seconds: float, samples: int) -> tuple[list[float], list[float]]:
    """The times of the bare SDK and of the whole bot, in the order they were taken."""
    library = Library((), shipped_agents())
    persona = library.cast.persona("architect")
    if persona is None:
        raise SystemExit("the shipped library has no architect")
    asked = prompt(persona, [Entry("on", persona.id), Entry("said", "Ualice", QUESTION, name="alice")])
    bares: list[float] = []
    wholes: list[float] = []
    with service(seconds) as (url, key):
        body = request.body(asked, ModelOptions(MODEL, base_url=url), MODEL)
        client = anthropic.AsyncAnthropic(
            api_key=key, base_url=url, max_retries=0, http_client=anthropic.DefaultAioHttpClient()
        )
        async with client, whole(url, key, library) as bot:
            for number in range(WARM + samples):
                if number % 2:
                    bares.append(await bare(client, body))
                wholes.append(await bot.sample())
                if not number % 2:
                    bares.append(await bare(client, body))
    return bares[WARM:], wholes[WARM:]


def told(name: str, bares: list[float], wholes: list[float], bar: float) -> bool:
    """Print medians, what lies between them, and their ratio beside the bar; whether it is held."""
    low, high = statistics.median(bares), statistics.median(wholes)
    print(
        f"{name}: {len(bares)} samples each  bare SDK {low * 1_000:6.1f} ms  whole bot {high * 1_000:6.1f} ms  "
        f"{(high - low) * 1_000:+5.1f} ms"
    )
    return verdict(name, high / low, bar)


def main() -> None:
    """Print the time to the first words, through the bot and without it."""
    parser = argparse.ArgumentParser(prog="bench model")
    parser.add_argument("--samples", type=int, default=SAMPLES, metavar="N", help="samples of each in a row")
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    for name in [name for name in os.environ if name.upper().endswith("_PROXY")]:
        del os.environ[name]
    if args.serve is not None:
        asyncio.run(serve(args.serve))
        return
    slow = max(2, args.samples // 5)
    with seldom_collecting():
        held = [
            told("a service at once", *asyncio.run(measured(0.0, args.samples)), BAR_AT_ONCE),
            told(f"after {THINKING * 1_000:.0f} ms", *asyncio.run(measured(THINKING, slow)), BAR),
        ]
    total(held)


if __name__ == "__main__":
    main()
