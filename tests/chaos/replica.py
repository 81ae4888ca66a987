"""A replica as a process of its own: the real store and worker, a model that waits a little, a transport over HTTP.

python -m tests.chaos.replica REDIS PLATFORM [--name N] [--lease S] [--newer CHANNEL] [--recast] [--clock-off S] ...

It prints `ready PORT` when it takes deliveries at `http://127.0.0.1:PORT/`. SIGTERM lets the turns in flight finish.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from bot.core.codec import load
from bot.core.model import Conversation, Inbound, Receipt
from bot.ports.mailbox import Claim, MailboxFullError
from bot.ports.transport import Outgoing
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.redis import RedisStore, StoreError
from tests.chaos.model import SlowModel
from tests.chaos.transport import HttpTransport
from tests.fakes.library import CAST, FakeLibrary
from tests.scenario.sweep import OTHER_CAST


@dataclass(frozen=True, slots=True)
class OffClock:
    """The real time, so many seconds off."""

    off: float

    def now(self) -> float:
        """Seconds since the epoch, wrongly."""
        return time.time() + self.off

    def steady(self) -> float:
        """Seconds that only run forward."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        await asyncio.sleep(seconds)


class Forgetful(HttpTransport):
    """A transport that does not know what it has posted before."""

    async def find(self, out: Outgoing) -> Receipt | None:
        """Nothing, wrongly."""
        return None


class NewerStore(RedisStore):
    """The store of a newer build, which saves what an older one cannot read in all channels that begin with `newer`."""

    newer = ""

    async def claim(self, worker: str, lease: float, version: int, *rest: Any, **how: Any) -> Claim | None:
        """See `Store.claim`."""
        return await super().claim(worker, lease, version + bool(self.newer), *rest, **how)

    async def checkpoint(self, claim: Claim, turn: str, version: int) -> bool:
        """See `Store.checkpoint`."""
        return await super().checkpoint(claim, turn, self._saved_as(claim, version))

    async def commit(self, claim: Claim, state: str, version: int, *rest: Any, **how: Any) -> bool:
        """See `Store.commit`."""
        return await super().commit(claim, state, self._saved_as(claim, version), *rest, **how)

    def _saved_as(self, claim: Claim, version: int) -> int:
        channel = Conversation.parse(claim.conversation).channel
        return version + bool(self.newer and channel.startswith(self.newer))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.replica")
    parser.add_argument("redis")
    parser.add_argument("platform")
    parser.add_argument("--name", default="replica")
    parser.add_argument("--lease", type=float, default=1.0, help="seconds")
    parser.add_argument("--in-flight", type=int, default=4)
    parser.add_argument("--together", type=int, default=20)
    parser.add_argument("--pause", type=float, default=0.01, help="seconds before each piece of a reply")
    parser.add_argument("--wait", type=float, default=0.0, help="seconds before a reply begins")
    parser.add_argument("--lag", type=float, default=0.0, help="seconds that each post takes longer")
    parser.add_argument("--patience", type=float, default=5.0, help="seconds for which the store tries again")
    parser.add_argument("--forgetful", action="store_true", help="never look for what was posted: a fault to be found")
    parser.add_argument("--newer", default="", help="save sessions of a newer version in channels that begin so")
    parser.add_argument("--recast", action="store_true", help="the personas of the next release")
    parser.add_argument("--clock-off", type=float, default=0.0, help="seconds that its clock is ahead")
    return parser.parse_args()


def taking(inbox: Inbox) -> web.Application:
    """The way in: 200 when a message is stored (or was before), 503 when it is to be delivered again."""

    async def receive(request: web.Request) -> web.Response:
        try:
            await inbox.receive(load(await request.text(), Inbound))
        except (StoreError, MailboxFullError) as error:
            return web.Response(status=503, text=str(error))
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/", receive)])
    return app


async def main(args: argparse.Namespace) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = await NewerStore.open(args.redis, patience=args.patience)
    store.newer = args.newer
    async with aiohttp.ClientSession() as session:
        options = Options(name=args.name, lease=args.lease, in_flight=args.in_flight, together=args.together)
        library = FakeLibrary(OTHER_CAST if args.recast else CAST)
        transport = (Forgetful if args.forgetful else HttpTransport)(session, args.platform, args.name, args.lag)
        clock = OffClock(args.clock_off)
        worker = Worker(store, {"fake": transport}, SlowModel(args.pause, args.wait), library, clock, options)
        runner = web.AppRunner(taking(Inbox(store, stop_raised=worker.stop_raised)), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print("ready", runner.addresses[0][1], flush=True)
        await worker.run(stop)
        await runner.cleanup()
    await store.close()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(main(arguments()))
