"""What the stores cost: a message's way to its worker, and a conversation's state and log as more of them are stored.

python -m tests.bench.store [--stored N ...] [--redis URL]

Without an address a Valkey of its own is started; it takes 2 GiB of memory, and the files some 5 GiB of disk. The
machine decides the milliseconds; the ratios are what to watch. Stores of all sizes stand side by side and take turns:
measured one after the other, minutes apart, they told of the machine's other users. The bar: load and save take no more
than 1.2 times as long however many conversations are stored.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import redis.asyncio as client

from bot.ports.clock import Clock
from bot.ports.mailbox import Claim, Message
from bot.ports.store import Store
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.bench._ratios import Side, in_turns, ratio, total, verdict
from tests.contract.redis_server import forget, running

KEYS = f"bench-{uuid4().hex}"
"""What all keys of this run begin with."""

MESSAGES = 500
A_SECOND = 100
LOADS = 20
"""Loads and saves a round."""

ROUNDS = 25
STORED = (1_000, 10_000, 100_000)
BAR = 1.2
AT_ONCE = 64
LINES = 50
LINE = "x" * 300
STATE = "y" * 2_000


class SystemClock:
    """The real time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def steady(self) -> float:
        """Seconds that only run forward."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        await asyncio.sleep(seconds)


def p(times: Sequence[float], percent: int) -> float:
    """That percentile, in milliseconds."""
    return statistics.quantiles(times, n=100)[percent - 1] * 1_000


# ---------------------------------------------------------------- from enqueue to start


async def paced(send: Callable[[int], Awaitable[None]]) -> None:
    """Send at the rate, whatever a single one takes."""
    start = time.perf_counter()
    for n in range(MESSAGES):
        await asyncio.sleep(max(0.0, start + n / A_SECOND - time.perf_counter()))
        await send(n)


async def through_the_store(store: Store) -> list[float]:
    """Seconds from before `enqueue` until a worker that waited holds the claim."""
    sent: dict[str, float] = {}
    took: list[float] = []

    async def send(n: int) -> None:
        sent[f"m{n}"] = time.perf_counter()
        await store.enqueue(f"bench:W:room{n % 20}", Message(f"m{n}", LINE, n))

    async def work() -> None:
        while len(took) < MESSAGES:
            claim = await store.claim("bench", 15, 1)
            if claim is None:
                await store.wait(1)
                continue
            took.append(time.perf_counter() - sent[claim.head.id])
            await end(store, claim, ())

    async with asyncio.TaskGroup() as group:
        group.create_task(work())
        group.create_task(paced(send))
    return took


async def through_a_bare_list(url: str) -> list[float]:
    """Seconds from before LPUSH until BLPOP on another connection has it: what no queue on this server can beat."""
    key = f"{KEYS}-list"
    took: list[float] = []
    async with client.Redis.from_url(url) as pushes, client.Redis.from_url(url) as pops:

        async def send(_n: int) -> None:
            await pushes.rpush(key, repr(time.perf_counter()))

        async def work() -> None:
            while len(took) < MESSAGES:
                popped = await pops.blpop([key], timeout=1)
                if popped is not None:
                    took.append(time.perf_counter() - float(popped[1]))

        async with asyncio.TaskGroup() as group:
            group.create_task(work())
            group.create_task(paced(send))
    return took


# ---------------------------------------------------------------- load and save


async def end(store: Store, claim: Claim, log: Sequence[str]) -> None:
    """Commit, which has to succeed."""
    if not await store.commit(claim, STATE, 1, log, floor_open=True, used_flag=False):
        raise SystemExit(f"the claim of {claim.conversation} was lost in the middle of the bench")


async def turn(store: Store, room: str, id: str, log: Sequence[str]) -> None:
    """A message and its whole turn."""
    await store.enqueue(room, Message(id, LINE, 0))
    claim = await store.claim("bench", 60, 1)
    if claim is None or claim.conversation != room:
        raise SystemExit(f"the message {id} of {room} is not what was claimed")
    await end(store, claim, log)


async def filled(store: Store, before: int, count: int) -> None:
    """Store conversations until there are `count`: a turn makes one, the others are restored from what it came to."""
    model = f"bench:W:model{before}"
    await turn(store, model, "m", [LINE] * LINES)
    dumped = await store.dump(model)
    if dumped is None:
        raise SystemExit(f"{model} has come to nothing")
    await store.forget(model)
    for first in range(before, count, AT_ONCE):
        rooms = [f"bench:W:stored{n}" for n in range(first, min(first + AT_ONCE, count))]
        if not all(await asyncio.gather(*(store.restore(room, dumped) for room in rooms))):
            raise SystemExit(f"one of {rooms[0]} to {rooms[-1]} was stored before")


async def load_and_save(store: Store, stored: int, run: int) -> float:
    """Seconds, at the median, for state and log of a conversation to be read and its next turn to be saved."""
    took = []
    for n in range(run * LOADS, (run + 1) * LOADS):
        room = f"bench:W:stored{n * 7919 % stored}"
        await store.enqueue(room, Message(f"load {n}", LINE, 0))
        start = time.perf_counter()
        claim = await store.claim("bench", 60, 1)
        if claim is None or claim.state != STATE or len(await store.log(room, LINES)) < LINES:
            raise SystemExit(f"{room} has lost its state or its log")
        await end(store, claim, (LINE,))
        took.append(time.perf_counter() - start)
    return statistics.median(took)


async def growth(name: str, stores: Mapping[int, Store], rounds: int = ROUNDS) -> float:
    """Print what load and save take in each store, by the number stored in it; the largest ratio to the first."""
    for count, store in stores.items():
        start = time.perf_counter()
        await filled(store, 0, count)
        print(f"{name}  {count:7,} conversations stored in {time.perf_counter() - start:.0f} s", flush=True)

    def side(count: int, store: Store) -> Side:
        runs = itertools.count()
        return lambda: load_and_save(store, count, next(runs))

    costs = await in_turns(rounds, {str(count): side(count, store) for count, store in stores.items()})
    first = next(iter(costs.values()))
    for stored, found in costs.items():
        times = f"p50 {statistics.median(found) * 1_000:6.2f} ms  {ratio(found, first)}"
        print(f"{name}  load and save at {int(stored):7,}  {times}", flush=True)
    return max(ratio(found, first).median for found in costs.values())


# ---------------------------------------------------------------- all of it


async def bench(folder: Path, url: str, counts: Sequence[int]) -> None:
    """The way through each store, then both at all sizes."""
    clock: Clock = SystemClock()
    bare = await through_a_bare_list(url)
    print(f"bare BLPOP        p50 {p(bare, 50):6.2f} ms  p99 {p(bare, 99):6.2f} ms  1.00x")
    on_redis = await RedisStore.open(url, prefix=KEYS)
    on_sqlite = await SqliteStore.open(folder / "bench.db", clock=clock)
    stores: tuple[tuple[str, Store], ...] = (("redis ", on_redis), ("sqlite", on_sqlite))
    for name, store in stores:
        took = await through_the_store(store)
        ratios = f"{p(took, 50) / p(bare, 50):.2f}x and {p(took, 99) / p(bare, 99):.2f}x"
        print(f"{name} to its start  p50 {p(took, 50):6.2f} ms  p99 {p(took, 99):6.2f} ms  {ratios}")
        await store.close()
    held = []
    sides: tuple[tuple[str, Callable[[int], Awaitable[Store]]], ...] = (
        ("redis ", lambda count: RedisStore.open(url, prefix=f"{KEYS}-{count}")),
        ("sqlite", lambda count: SqliteStore.open(folder / f"{count}.db", clock=clock)),
    )
    for name, opened in sides:
        of_size = {count: await opened(count) for count in counts}
        most = await growth(name, of_size)
        held.append(verdict(f"{name}  load and save at {counts[-1]:,} against {counts[0]:,}", most, BAR))
        for store in of_size.values():
            await store.close()
    total(held)


def main() -> None:
    """Print milliseconds, and ratios to a bare BLPOP and to the smallest count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, nargs="+", default=STORED, help="how many conversations, smallest first")
    parser.add_argument("--redis", metavar="URL", help="use this server; the keys of the bench are deleted afterwards")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = options.redis or stack.enter_context(running(folder / "valkey", "--appendonly", "yes")).url
        stack.callback(forget, url, KEYS)
        asyncio.run(bench(folder, url, options.stored))


if __name__ == "__main__":
    main()
