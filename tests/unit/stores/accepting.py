"""A worker to be killed: `python accepting.py <database> <name>`.

Enqueues messages and commits turns for ever, and prints each id and each log line once the store has accepted it.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time

from bot.ports.mailbox import Message
from bot.stores.sqlite import SqliteStore


class SystemClock:
    """The real time."""

    def now(self) -> float:
        return time.time()

    def steady(self) -> float:
        """Seconds that only run forward."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def main(path: str, name: str) -> None:
    store = await SqliteStore.open(path, clock=SystemClock(), mailbox_cap=10_000_000)
    print("open", flush=True)
    for n in itertools.count():
        assert await store.enqueue("t:w:kept", Message(f"{name}-{n}", "kept", n))
        print(f"kept {name}-{n}", flush=True)
        assert await store.enqueue("t:w:done", Message(f"{name}-{n}", "done", n))
        claim = await store.claim(name, 60, 1)
        while claim is not None and claim.conversation != "t:w:done":
            claim = await store.claim(name, 60, 1)
        if claim is None:
            continue
        line = f"{name} {claim.head.id}"
        assert await store.commit(claim, line, 1, [line], floor_open=True, used_flag=False)
        print(f"done {line}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
