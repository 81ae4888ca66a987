"""What an event of Slack's costs in CPU: through the whole bot, and through a bare slack-bolt app, in the same run.

python -m tests.bench.slack [--events N] [--rounds N] [--profile]

Somebody says `*architect` in a channel that has not been spoken in; Slack tells it by a signed request. The bot answers
with Winston's greeting, with its state on SQLite or on a Valkey server; the bare app says the same text back. Slack and
its people are a process of their own (`tests.bench._workspace`), and so is Valkey: what counts is the CPU time of this
process alone, with all its threads, per event. The three take turns, and none of them pays for garbage collections over
what the others have imported. Nothing fails here: the machine is anybody's.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import library_of, running, seldom_collecting
from bot.runtime.lease import ended
from bot.service import adapters_of
from bot.settings import load
from tests.bench._apart import ROOT, Apart, Rest, apart, at_rest, show, until
from tests.contract.redis_server import free_port
from tests.contract.redis_server import running as valkey_running

EVENTS, ROUNDS, WARM = 300, 5, 60
BARS = {"bot on SQLite": 1.5, "bot on Valkey": 2.0}
SECRET = "0123456789abcdef0123456789abcdef"
TOKENS = {"SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_SIGNING_SECRET": SECRET}


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
    async with adapters_of(settings) as adapters:
        (adapter,) = adapters
        transports, connected = {adapter.name: adapter.transport}, {adapter.name: adapter.trouble}
        async with running(settings, library, transports, connected=connected) as bot:
            serving = asyncio.create_task(adapter.serve(bot.inbox, library))
            try:
                await until(lambda: not adapter.trouble() or serving.done(), "a port")
                with seldom_collecting():
                    yield f"http://{listen}{settings.slack.path}", lambda: at_rest(bot.store)
            finally:
                await ended([serving])


@asynccontextmanager
async def bare(api: str) -> AsyncIterator[tuple[str, Rest]]:
    """A bolt app as its documentation begins: one listener that says what was said; its address."""
    client = AsyncWebClient(TOKENS["SLACK_BOT_TOKEN"], base_url=api)
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
    there: People, app: AbstractAsyncContextManager[tuple[str, Rest]], events: int, profile: cProfile.Profile | None
) -> tuple[float, float, float]:
    """CPU seconds, seconds and posts per event of one app, after a warm-up."""
    gc.collect()
    gc.freeze()
    async with app as (url, rest):
        await there.write(url, WARM)
        await rest()
        if profile:
            profile.enable()
        began = time.process_time()
        told = await there.write(url, events)
        await rest()
        spent = time.process_time() - began
        if profile:
            profile.disable()
    return spent / events, told["seconds"] / events, told["posts"] / events


async def rounds(events: int, number: int, redis: str, profile: cProfile.Profile | None) -> dict[str, list[float]]:
    """CPU seconds per event of each app, round by round; `profile` is of the bot on SQLite alone."""
    spent: dict[str, list[float]] = {"bare bolt app": [], "bot on SQLite": [], "bot on Valkey": []}
    async with apart("tests.bench._workspace") as process:
        there = People(process)
        for _ in range(number):
            with tempfile.TemporaryDirectory() as folder:
                apps = {
                    "bare bolt app": (bare(there.api), None),
                    "bot on SQLite": (whole(there.api, {"GREENROOM_STORE__PATH": f"{folder}/state.db"}), profile),
                    "bot on Valkey": (whole(there.api, {"GREENROOM_STORE__URL": redis}), None),
                }
                for name, (app, watched) in apps.items():
                    cpu, seconds, posts = await measured(there, app, events, watched)
                    spent[name].append(cpu)
                    print(
                        f"  {name:<14} {cpu * 1_000:6.2f} ms CPU an event, {1 / seconds:5.0f} events a second, "
                        f"{posts:.2f} posts an event",
                        flush=True,
                    )
    return spent


def told(spent: dict[str, list[float]]) -> bool:
    """Print medians, and the ratios of each round next to the bar; whether every bar is held."""
    bares, held = spent["bare bolt app"], True
    print(f"{'bare bolt app':<14} {statistics.median(bares) * 1_000:6.2f} ms an event")
    for name, bar in BARS.items():
        ratios = sorted(whole / bare for whole, bare in zip(spent[name], bares, strict=True))
        ratio = statistics.median(ratios)
        held = held and ratio <= bar
        print(
            f"{name:<14} {statistics.median(spent[name]) * 1_000:6.2f} ms an event  {ratio:.2f}x "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f})  (bar {bar}x: {'held' if ratio <= bar else 'NOT HELD'})"
        )
    return held


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
