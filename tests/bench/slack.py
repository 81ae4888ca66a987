"""What an event of Slack's costs in CPU: through the whole bot, and through a bare slack-bolt app, in the same run.

python -m tests.bench.slack [--events N] [--rounds N] [--profile]

Somebody says `*architect` in a channel that has not been spoken in; Slack tells it by a signed request. The bot answers
with Winston's greeting, with its state on SQLite or on a Valkey server; the bare app says the same text back. Slack and
its people are a process of their own (`tests.bench._workspace`), and so is Valkey: what counts is the CPU time of this
process alone, with all its threads, per event. The three take turns, and each round begins with another one. All have
the garbage collector's settings of the product, and the bare app keeps its connections to Slack, as the bot does:
without a shared session slack-sdk makes one a call. Nothing fails here: the machine is anybody's.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import library_of, running, seldom_collecting
from bot.runtime.lease import ended
from bot.service import platforms_of
from bot.settings import load
from tests.bench._apart import ROOT, Apart, Rest, apart, at_rest, show, until
from tests.bench._ratios import Side, cpu, in_turns, ratio_verdict, total
from tests.contract.redis_server import free_port
from tests.contract.redis_server import running as valkey_running

EVENTS, ROUNDS, WARM = 300, 5, 60
BARE, SQLITE, VALKEY = "bare bolt app", "bot on SQLite", "bot on Valkey"
BARS = {SQLITE: 2.5, VALKEY: 2.8}
SECRET = "0123456789abcdef0123456789abcdef"
TOKENS = {"SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_SIGNING_SECRET": SECRET}


App = AbstractAsyncContextManager[tuple[str, Rest]]
"""Gives, while it runs, its address and what tells when it has nothing left to do."""


class People:
    """Slack's people, who write in a new channel each time."""

    def __init__(self, there: Apart) -> None:
        self._there = there
        self.api = there.greeting
        self._channels = 0

    async def write(self, url: str, number: int) -> dict[str, float]:
        """Let somebody write in so many channels; how many posts came of it, and in how many seconds."""
        first, self._channels = self._channels, self._channels + number
        return await self._there.order(url, SECRET, first, number)


# ---------------------------------------------------------------- the apps


@asynccontextmanager
async def whole(api: str, store: dict[str, str]) -> AsyncIterator[tuple[str, Rest]]:
    """The bot, put together as `greenroom run` does; its address."""
    listen = f"127.0.0.1:{free_port()}"
    slack = {"GREENROOM_SLACK__MODE": "http", "GREENROOM_SLACK__LISTEN": listen, "GREENROOM_SLACK__API": api}
    settings = load(
        ROOT / "config" / "greenroom.yaml", {**TOKENS, **slack, **store, "GREENROOM_MODEL__NAME": "rehearsal"}
    )
    library = library_of(settings)
    async with platforms_of(settings) as platforms:
        (adapter,) = platforms.adapters
        transports, connected = {adapter.name: adapter.transport}, {adapter.name: adapter.trouble}
        async with running(settings, library, transports, connected=connected) as bot:
            serving = asyncio.create_task(adapter.serve(bot.inbox, library))
            try:
                await until(lambda: not adapter.trouble() or serving.done(), "a port")
                yield f"http://{listen}{settings.slack.path}", lambda: at_rest(bot.store)
            finally:
                await ended([serving])


@asynccontextmanager
async def bare(api: str) -> AsyncIterator[tuple[str, Rest]]:
    """A bolt app as its documentation begins: one listener that says what was said; its address."""
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(TOKENS["SLACK_BOT_TOKEN"], base_url=api, session=session)
        app = AsyncApp(client=client, signing_secret=SECRET)

        @app.event("message")
        async def echo(event: dict[str, Any], say: Any) -> None:
            await say(event["text"])

        runner = web.AppRunner(app.web_app("/slack/events"), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events", lambda: asyncio.sleep(0)
        finally:
            await runner.cleanup()


# ---------------------------------------------------------------- measuring


async def measured(
    there: People, app: App, events: int, profile: cProfile.Profile | None
) -> tuple[float, float, float]:
    """CPU seconds, seconds and posts per event of one app, after a warm-up."""
    async with app as (url, rest):
        await there.write(url, WARM)
        await rest()
        with seldom_collecting(), cpu() as spent:
            if profile:
                profile.enable()
            told = await there.write(url, events)
            await rest()
            if profile:
                profile.disable()
    return spent.seconds / events, told["seconds"] / events, told["posts"] / events


async def rounds(events: int, number: int, redis: str, profile: cProfile.Profile | None) -> dict[str, list[float]]:
    """CPU seconds per event of each app, round by round; `profile` is of the bot on SQLite alone."""
    async with apart("tests.bench._workspace") as process:
        there = People(process)

        async def cost(name: str, app: App, watched: cProfile.Profile | None = None) -> float:
            spent, seconds, posts = await measured(there, app, events, watched)
            rates = f"{1 / seconds:5.0f} events a second, {posts:.2f} posts an event"
            print(f"  {name:<14} {spent * 1_000:6.2f} ms CPU an event, {rates}", flush=True)
            return spent

        async def on_sqlite() -> float:
            with tempfile.TemporaryDirectory() as folder:
                store = {"GREENROOM_STORE__PATH": f"{folder}/state.db"}
                return await cost(SQLITE, whole(there.api, store), profile)

        sides: dict[str, Side] = {
            BARE: lambda: cost(BARE, bare(there.api)),
            SQLITE: on_sqlite,
            VALKEY: lambda: cost(VALKEY, whole(there.api, {"GREENROOM_STORE__URL": redis})),
        }
        return await in_turns(number, sides, warm=0)


def told(spent: dict[str, list[float]]) -> bool:
    """Print medians, and the ratios of each round next to the bar; whether every bar is held."""
    for name, costs in spent.items():
        print(f"{name:<14} {statistics.median(costs) * 1_000:6.2f} ms an event")
    held = [ratio_verdict(f"{name} against the {BARE}", spent[name], spent[BARE], bar) for name, bar in BARS.items()]
    total(held)
    return all(held)


def main() -> None:
    """Print the CPU time of an event; where a bar is not held, also where the bot's time goes."""
    parser = argparse.ArgumentParser(prog="bench slack")
    parser.add_argument("--events", type=int, default=EVENTS, metavar="N", help="events in a round")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    parser.add_argument("--profile", action="store_true", help="show where the time goes, in any case")
    args = parser.parse_args()
    for name in [name for name in os.environ if name.upper().endswith("_PROXY")]:
        del os.environ[name]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(valkey_running(folder)).url
        held = told(asyncio.run(rounds(args.events, args.rounds, redis, None)))
        if args.profile or not held:
            profile = cProfile.Profile()
            print("\nwhere the bot's time goes, on SQLite, in its main thread; being watched makes it slower:")
            asyncio.run(rounds(args.events, 1, redis, profile))
            show(profile)


if __name__ == "__main__":
    main()
