"""What a turn of talk costs in a long conversation, against a short one, in the same run.

python -m tests.bench.log [--rounds N] [--lengths N ...]

The whole worker on a real store, with a platform that takes every post at once and a model that answers at once. A
conversation has a log of so many entries; above it all stands what others have talked about, or what the persona has
summed up. Both have the bar, for their prompts are as short as the short one's. In the third kind all of it is in the
prompt, which has to be made and is not read twice: it is printed without a bar.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from uuid import uuid4

from bot.core.codec import dump
from bot.core.log_index import LogIndex
from bot.core.model import Conversation, Inbound
from bot.core.session import ConversationState, Session
from bot.core.steps import Entry
from bot.ports.mailbox import Message
from bot.ports.store import Store
from bot.runtime.worker import Options, Worker
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.bench._ratios import Side, cpu, in_turns, ratio, ratio_verdict, total
from tests.bench.sizing import Answering, Sink
from tests.bench.store import SystemClock
from tests.contract.redis_server import forget, running
from tests.fakes.library import ARCHITECT, FakeLibrary

ROUNDS = 15
TURNS = 10
LENGTHS = (10, 100, 1_000, 5_000)
BAR = 1.5
WORDS = "A message of some length, as people write them to each other in a channel on a usual day."

_ROOMS = count(1)

# ---------------------------------------------------------------- conversations


def talk(who: str, number: int) -> list[Entry]:
    """So many entries: people speak, and a persona answers."""
    content = json.dumps([{"type": "text", "text": WORDS}])
    said = [Entry("said", "U1", WORDS, "alice", id=f"s{n}") for n in range(number)]
    replies = [Entry("reply", who, WORDS, who, content) for _ in range(number)]
    return [entry for pair in zip(said, replies, strict=True) for entry in pair][:number]


def behind_others(length: int) -> list[Entry]:
    """The persona has just come on, and all above is somebody else's talk."""
    return [Entry("on", "pm"), *talk("pm", length - 3), Entry("off", "pm"), Entry("on", ARCHITECT.id)]


def summed_up(length: int) -> list[Entry]:
    """The persona has summed up what it has talked about."""
    return [Entry("on", ARCHITECT.id), *talk(ARCHITECT.id, length - 2), Entry("compact", ARCHITECT.id, WORDS)]


def in_the_prompt(length: int) -> list[Entry]:
    """The persona has talked all the time."""
    return [Entry("on", ARCHITECT.id), *talk(ARCHITECT.id, length - 1)]


KINDS: dict[str, Callable[[int], list[Entry]]] = {
    "others' talk above": behind_others,
    "summed up": summed_up,
    "all in the prompt": in_the_prompt,
}


class Talks:
    """A worker on one store; each measurement has a conversation of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._worker = Worker(store, {"sink": Sink()}, Answering(), FakeLibrary(), SystemClock(), Options(together=1))

    async def room(self, log: Sequence[Entry]) -> Conversation:
        """A new conversation with that log, in which the architect is on, as if all of it had been said there."""
        where = Conversation("sink", "T", f"room{next(_ROOMS)}")
        message = Message("first", dump(Inbound(where, "first", "U1", "alice", "*architect", 1, time.time())), 1)
        await self._store.enqueue(where.key, message)
        await self._work()
        dumped = await self._store.dump(where.key)
        if dumped is None:
            raise SystemExit(f"{where.key} has come to nothing")
        await self._store.forget(where.key)
        saved = ConversationState(Session(personas=(ARCHITECT.id,)), index=LogIndex().grown(log))
        restored = {**dumped, "log": [dump(entry) for entry in log], "state": dump(saved)}
        if not await self._store.restore(where.key, restored):
            raise SystemExit(f"{where.key} could not be restored")
        return where

    async def cost(self, log: Sequence[Entry]) -> float:
        """CPU seconds of a turn of talk there, from the message's arrival to its commit."""
        where = await self.room(log)
        with cpu() as spent:
            for n in range(TURNS):
                said = Inbound(where, f"m{n}", "U1", "alice", WORDS, n + 2, time.time())
                await self._store.enqueue(where.key, Message(said.id, dump(said), said.order, plain=True))
                await self._work()
        entries = len(await self._store.log(where.key)) - len(log)
        if entries != 2 * TURNS + 1:  # the date is told once
            raise SystemExit(f"{TURNS} turns of talk in {where.key} have left {entries} entries")
        await self._store.forget(where.key)
        return spent.seconds / TURNS

    async def _work(self) -> None:
        while await self._worker.work():
            pass


# ---------------------------------------------------------------- measuring


async def growth(name: str, store: Store, kind: str, lengths: Sequence[int], rounds: int) -> list[bool]:
    """Print what a turn costs at each length; for a kind with a bar, whether it is held at the longest."""
    talks = Talks(store)

    def side(length: int) -> Side:
        log = KINDS[kind](length)
        return lambda: talks.cost(log)

    costs = await in_turns(rounds, {str(length): side(length) for length in lengths})
    first, *others = (costs[str(length)] for length in lengths)
    for length in lengths:
        found = costs[str(length)]
        took = sorted(found)[len(found) // 2] * 1_000
        print(
            f"{name}  {kind:<18} {length:6,} entries  {took:6.2f} ms of CPU a turn  {ratio(found, first)}", flush=True
        )
    if kind == "all in the prompt":
        return []
    return [ratio_verdict(f"{name}  {kind}, {lengths[-1]:,} entries against {lengths[0]}", others[-1], first, BAR)]


async def bench(folder: Path, url: str, prefix: str, lengths: Sequence[int], rounds: int) -> None:
    """Both stores and all kinds."""
    stores: dict[str, Store] = {
        "sqlite": await SqliteStore.open(folder / "bench.db", clock=SystemClock()),
        "valkey": await RedisStore.open(url, prefix=prefix),
    }
    held: list[bool] = []
    for kind in KINDS:
        for name, store in stores.items():
            held += await growth(name, store, kind, lengths, rounds)
    total(held)
    for store in stores.values():
        await store.close()


def main() -> None:
    """Print the CPU time of a turn by the length of its conversation's log."""
    parser = argparse.ArgumentParser(prog="bench log")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, metavar="N", help="entries, shortest first")
    args = parser.parse_args()
    prefix = f"bench-{uuid4().hex}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(running(folder / "valkey", "--appendonly", "yes")).url
        stack.callback(forget, url, prefix)
        asyncio.run(bench(folder, url, prefix, args.lengths, args.rounds))


if __name__ == "__main__":
    main()
