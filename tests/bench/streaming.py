"""What it costs to carry a reply that streams, and whether many of them at once still end in time.

python -m tests.bench.streaming [--turns N] [--streams N ...]

The whole bot on a real store, with the real client, asks a service in a process of its own; CPU time is that of the
bot's process alone. A talk turn: 2 kB in 125 pieces. Ratios are between measurements that take turns:
a thousand personas against ten, and a reply ten times as long. Then so many streams of 20 pieces a second at once: how
late each of them ends, against the time that its pieces take. Exit code 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from bot.app import seldom_collecting
from bot.core.codec import dump
from bot.core.model import Conversation, Inbound, Receipt
from bot.models.anthropic import AnthropicModel
from bot.models.options import ModelOptions
from bot.personas.model import Cast
from bot.ports.mailbox import Message
from bot.ports.store import Store
from bot.ports.transport import Outgoing
from bot.runtime.worker import Options, Worker
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.bench.sizing import Sink
from tests.bench.store import SystemClock
from tests.contract.redis_server import running
from tests.fakes.library import ARCHITECT, CAST, FakeLibrary

TURN, FLAT, LINEAR, LATE = 10.0, 1.2, 13.0, 1.5
"""The bars: ms of CPU a turn, 1,000 personas against 10, a reply ten times as long, seconds that a stream ends late."""

PIECE, PIECES = "sixteen letters ", 125
PACE = 20.0
"""Pieces a second of each stream."""

QUICK = 500.0
"""Pieces a second where only the cost is of interest: each still comes by itself."""

USUAL = 50.0
"""Pieces a second of a model in service: few of them come within one read."""

LONG_STREAM = 200
"""Pieces of a stream that is watched for its end: ten seconds."""

PATIENCE = 120.0
"""Seconds after which everything has to be over."""

# ---------------------------------------------------------------- the service


def event(kind: str, **fields: object) -> bytes:
    """An event of the stream, as a chunk of the answer's body."""
    wire = f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(wire), wire)


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
BEGIN = event(
    "message_start",
    message={"id": "m", "type": "message", "role": "assistant", "content": [], "usage": {"input_tokens": 9}},
) + event("content_block_start", index=0, content_block={"type": "text", "text": ""})
DELTA = event("content_block_delta", index=0, delta={"type": "text_delta", "text": PIECE})
END = (
    event("content_block_stop", index=0)
    + event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 500})
    + event("message_stop")
    + b"0\r\n\r\n"
)


async def serve() -> None:
    """Answer every request by what its last message asks for: `PIECES PACE`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                (size,) = (
                    int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                )
                body = json.loads(await reader.readexactly(size))
                pieces, pace = body["messages"][-1]["content"][-1]["text"].split()[-2:]
                writer.write(HEAD + BEGIN)
                begun = loop.time()
                for number in range(int(pieces)):
                    await asyncio.sleep(begun + (number + 1) / float(pace) - loop.time())
                    writer.write(DELTA)
                    await writer.drain()
                writer.write(END)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


@contextmanager
def service() -> Iterator[str]:
    """Its address."""
    command = [sys.executable, "-m", "tests.bench.streaming", "--serve"]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process without the pipes that were asked for")
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


# ---------------------------------------------------------------- the bot


class Shown(Sink):
    """A platform that shows replies as they grow, and notes when each conversation's reply was finished."""

    tables = False

    def __init__(self) -> None:
        super().__init__()
        self.ended: dict[str, float] = {}
        self.posted = asyncio.Event()
        self.begun = 0

    async def preview(self, out: Outgoing) -> str | None:
        """Begin."""
        self.begun += 1
        return str(self.begun)

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """Finish it."""
        return await self.post(out)

    async def post(self, out: Outgoing) -> Receipt:
        """Take it, and note the time."""
        self.ended[out.conversation.key] = time.perf_counter()
        self.posted.set()
        return await super().post(out)


def people(personas: int) -> Cast:
    """The architect, and others up to so many."""
    others = (replace(ARCHITECT, id=f"persona-{n}", name=f"Persona the {n}th") for n in range(personas - 1))
    return replace(CAST, personas=(ARCHITECT, *others))


class Bot:
    """The bot at work on one store."""

    def __init__(self, store: Store, platform: Shown) -> None:
        self._store, self._platform = store, platform
        self._rooms = 0

    async def room(self) -> Conversation:
        """A new conversation with the architect on, and at rest."""
        self._rooms += 1
        where = Conversation("sink", "T", f"room{self._rooms}")
        await self._say(where, "*architect", 1)
        await self.rest()
        return where

    async def ask(self, where: Conversation, order: int, pieces: int, pace: float) -> None:
        """Ask for a reply of so many pieces, so many a second."""
        await self._say(where, f"Tell me all about it. {pieces} {pace}", order)

    async def turn(self, where: Conversation, order: int, pieces: int, pace: float = QUICK) -> float:
        """Milliseconds of CPU that a turn takes."""
        began = time.process_time()
        begun = self._platform.begun
        self._platform.posted.clear()
        await self.ask(where, order, pieces, pace)
        await self._platform.posted.wait()
        await self.rest()
        if self._platform.begun == begun:
            raise SystemExit("the reply was not watched")
        return (time.process_time() - began) * 1_000

    async def late(self, streams: int) -> list[float]:
        """Seconds by which each of so many streams ends later than its pieces take."""
        await self.turn(await self.room(), 2, PIECES)  # the SDK is imported with the first call
        rooms = [await self.room() for _ in range(streams)]
        self._platform.ended.clear()
        began = {}
        for where in rooms:
            began[where.key] = time.perf_counter()
            await self.ask(where, 2, LONG_STREAM, PACE)
        await self.rest()
        return sorted(self._platform.ended[key] - start - LONG_STREAM / PACE for key, start in began.items())

    async def rest(self) -> None:
        """Wait until nothing is left to be done."""
        deadline = time.monotonic() + PATIENCE
        while (stats := await self._store.stats()) and (stats.waiting or stats.in_flight):
            if time.monotonic() > deadline:
                raise SystemExit(f"the bot has not come to rest within {PATIENCE:.0f} s: {stats}")
            await asyncio.sleep(0.02)

    async def _say(self, where: Conversation, text: str, order: int) -> None:
        said = Inbound(where, f"m{order}", "U1", "alice", text, order, time.time())
        await self._store.enqueue(where.key, Message(said.id, dump(said), order, not text.startswith("*")))


@asynccontextmanager
async def bot(store: Store, url: str, personas: int) -> AsyncIterator[Bot]:
    """A bot at work until the body ends; the store is closed then."""
    clock, platform = SystemClock(), Shown()
    model = AnthropicModel(ModelOptions("claude-sonnet-5-5", base_url=url), "key", clock)
    library = FakeLibrary(people(personas))
    worker = Worker(store, {"sink": platform}, model, library, clock, Options(in_flight=600, lease=60.0))
    stop = asyncio.Event()
    working = asyncio.create_task(worker.run(stop))
    try:
        yield Bot(store, platform)
    finally:
        stop.set()
        await working
        await model.close()
        await store.close()


async def compared(
    opened: dict[str, Store],
    url: str,
    sides: tuple[tuple[int, int], tuple[int, int]],
    turns: int,
    paces: tuple[float, float] = (QUICK, QUICK),
) -> tuple[list[float], list[float]]:
    """CPU of turns with (personas, pieces) on either side, taken in turns, with the product's collector settings."""
    one, other = opened.values()
    async with bot(one, url, sides[0][0]) as first, bot(other, url, sides[1][0]) as second:
        found: tuple[list[float], list[float]] = ([], [])
        pairs = tuple(zip((first, second), sides, paces, found, strict=True))
        for number in range(turns + 5):
            for carrying, (_, pieces), pace, times in pairs if number % 2 else pairs[::-1]:
                where = await carrying.room()
                gc.collect()
                with seldom_collecting():
                    took = await carrying.turn(where, 2, pieces, pace)
                if number >= 5:
                    times.append(took)
        return found


# ---------------------------------------------------------------- the figures


def verdict(what: str, figure: float, unit: str, bar: float) -> bool:
    """Print a line; whether the bar is held."""
    holds = figure <= bar
    print(f"{what:<58} {figure:7.2f}{unit}  bar {bar:g}{unit}  {'held' if holds else 'MISSED'}", flush=True)
    return holds


async def measure(folder: Path, valkey: str, url: str, turns: int, streams: list[int]) -> bool:
    """Print everything; whether all bars are held."""
    good = True

    async def two(name: str) -> dict[str, Store]:
        return {side: await opened(name) for side in ("one", "other")}

    async def opened(name: str) -> Store:
        if name == "sqlite":
            return await SqliteStore.open(folder / f"{uuid4().hex}.db", clock=SystemClock())
        return await RedisStore.open(valkey, prefix=f"bench-{uuid4().hex}")

    for name in ("sqlite", "valkey"):
        few, many = await compared(await two(name), url, ((10, PIECES), (1_000, PIECES)), turns)
        good &= verdict(f"{name}: a turn of 2 kB in {PIECES} pieces", statistics.median(few), " ms", TURN)
        sides = (10, PIECES), (10, PIECES)
        _, usual = await compared(await two(name), url, sides, max(5, turns // 4), (QUICK, USUAL))
        good &= verdict(f"{name}: the same at {USUAL:.0f} pieces a second", statistics.median(usual), " ms", TURN)
        ratio = statistics.median(many) / statistics.median(few)
        good &= verdict(f"{name}: 1,000 personas against 10", ratio, "x", FLAT)
        short, long = await compared(await two(name), url, ((10, PIECES), (10, 10 * PIECES)), max(5, turns // 3))
        ratio = statistics.median(long) / statistics.median(short)
        good &= verdict(f"{name}: a reply ten times as long", ratio, "x", LINEAR)
    for name in ("sqlite", "valkey"):
        for count in streams:
            async with bot(await opened(name), url, 10) as carrying:
                began = time.process_time()
                late = await carrying.late(count)
                core = (time.process_time() - began) / (LONG_STREAM / PACE)
            what = f"{name}: the latest of {count} streams ({core:.0%} of a core)"
            good &= verdict(what, late[-1], " s", LATE)
    return good


def main() -> int:
    """Print what streams cost; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="bench streaming")
    parser.add_argument("--turns", type=int, default=40, metavar="N", help="turns of each kind")
    parser.add_argument("--streams", type=int, nargs="*", default=[100, 500], metavar="N", help="streams at once")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    for name in [name for name in os.environ if name.upper().endswith("_PROXY")]:
        del os.environ[name]
    if args.serve:
        asyncio.run(serve())
        return 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running(folder / "valkey", "--appendonly", "yes"))
        url = stack.enter_context(service())
        return 0 if asyncio.run(measure(folder, server.url, url, args.turns, args.streams)) else 1


if __name__ == "__main__":
    sys.exit(main())
