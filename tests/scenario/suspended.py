"""A worker as a process of its own that suspends itself as soon as its first post stands on the platform.

`python -m tests.scenario.suspended URL LEASE` carries one turn from the Redis store at URL, and tells by its exit code
whether one was due. The platform is a list on the same server, so that every process sees what stands there.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass

import redis.asyncio as client

from bot.app import SystemClock
from bot.core.model import Receipt
from bot.ports.transport import Outgoing
from bot.runtime.worker import Options, Worker
from bot.stores.redis import RedisStore
from tests.fakes.library import FakeLibrary
from tests.fakes.model import FakeModel, Says
from tests.fakes.platform import FakePlatform

POSTS = "platform"


@dataclass(slots=True)
class SharedPlatform(FakePlatform):
    """A platform without previews, whose posts are in that list; `stops` once, right behind the next post."""

    url: str = ""
    stops: bool = False

    async def post(self, out: Outgoing) -> Receipt:
        async with client.Redis.from_url(self.url) as server:
            order = await server.rpush(POSTS, json.dumps([out.key, out.text]))
        if self.stops:
            self.stops = False
            os.kill(os.getpid(), signal.SIGSTOP)
        return Receipt(str(order), order)

    async def find(self, out: Outgoing) -> Receipt | None:
        posts = await self.standing()
        return next((Receipt(str(n), n) for n, (key, _) in enumerate(posts, 1) if key == out.key), None)

    async def standing(self) -> list[list[str]]:
        """Key and text of all posts, in their order."""
        async with client.Redis.from_url(self.url) as server:
            return [json.loads(post) for post in await server.lrange(POSTS, 0, -1)]


def worker(store: RedisStore, platform: SharedPlatform, lease: float) -> Worker:
    """A worker that posts there."""
    model = FakeModel(lambda _prompt, _n: Says.text("Noted."))
    return Worker(store, {"fake": platform}, model, FakeLibrary(), SystemClock(), Options(lease=lease))


async def main(url: str, lease: float) -> bool:
    store = await RedisStore.open(url)
    try:
        return await worker(store, SharedPlatform(previews=False, url=url, stops=True), lease).work()
    finally:
        await store.close()


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main(sys.argv[1], float(sys.argv[2]))) else 1)
