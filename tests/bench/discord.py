"""How soon a burst of messages on Discord is answered, and what it costs in CPU, beside a bare discord.py client.

python -m tests.bench.discord [--messages N] [--rounds N] [--profile]

Somebody writes in so many channels at once. The bot answers twice: `*architect` in channels that it has never seen, for
which it has to find and make a webhook each before Winston can greet, and then, in the same channels, `*help`. The bare
client says the same text back. Discord is the strict fake in a process of its own (`tests.bench._guild`), without the
rate limits of the real one; what counts is the CPU time of this process alone, with all its threads, and the time from
the message to the first post in its channel, of which half are sooner. Nothing fails here: the machine is anybody's.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import logging
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import discord
import yarl
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.app import library_of, running
from bot.platforms.discord.adapter import DiscordAdapter
from bot.runtime.lease import ended
from bot.service import platforms_of
from bot.settings import load
from tests.bench._apart import ROOT, Apart, Rest, apart, at_rest, show, until

MESSAGES, ROUNDS, WARM = 200, 3, 20
NEW, KNOWN = "whole bot, new channels", "whole bot, known channels"
BARE = "bare discord.py client"


@contextmanager
def pointed_at(url: str) -> Iterator[None]:
    """Let the library call what is at that address in the place of Discord."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE
    Route.BASE, Asset.BASE = f"{url}/api/v10", url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url.replace("http", "ws", 1) + "/gateway")
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE = before


@asynccontextmanager
async def whole(token: str, folder: str) -> AsyncIterator[Rest]:
    """The bot, put together as `greenroom run` does, with its state on SQLite."""
    env = {"DISCORD_TOKEN": token, "GREENROOM_STORE__PATH": f"{folder}/state.db", "GREENROOM_MODEL__NAME": "rehearsal"}
    settings = load(ROOT / "config" / "greenroom.yaml", env)
    library = library_of(settings)
    async with platforms_of(settings) as platforms:
        (adapter,) = platforms.adapters
        transports, connected = {adapter.name: adapter.transport}, {adapter.name: adapter.trouble}
        async with running(settings, library, transports, connected=connected) as bot:
            serving = asyncio.create_task(adapter.serve(bot.inbox, library))
            try:
                assert isinstance(adapter, DiscordAdapter)
                await until(lambda: serving.done() or _is_at_hand(adapter), "a connection, with nothing missed")
                yield lambda: at_rest(bot.store)
            finally:
                await ended([serving])


def _is_at_hand(adapter: DiscordAdapter) -> bool:
    return not adapter.trouble() and not adapter.is_behind


@asynccontextmanager
async def bare(token: str) -> AsyncIterator[Rest]:
    """A client as the library's documentation begins: it says what people say."""
    intents = discord.Intents.default()
    intents.message_content = True
    client = discord.Client(intents=intents, guild_ready_timeout=0.2)

    @client.event
    async def on_message(message: discord.Message) -> None:
        if not message.author.bot:
            await message.channel.send(message.content)

    running_client = asyncio.create_task(client.start(token))
    try:
        await until(lambda: client.is_ready() or running_client.done(), "a connection")
        yield lambda: asyncio.sleep(0)
    finally:
        await client.close()
        await asyncio.gather(running_client, return_exceptions=True)


class Figures:
    """What was measured of each client, burst by burst."""

    def __init__(self) -> None:
        self.cpu: dict[str, list[float]] = {BARE: [], NEW: [], KNOWN: []}
        self.median: dict[str, list[float]] = {BARE: [], NEW: [], KNOWN: []}

    async def burst(
        self, name: str, there: Apart, text: str, messages: int, rest: Rest, profile: cProfile.Profile | None = None
    ) -> None:
        """Let somebody write everywhere, and wait until all of it is answered."""
        if profile:
            profile.enable()
        began = time.process_time()
        told = await there.order("say", text)
        await rest()
        spent = (time.process_time() - began) / messages
        if profile:
            profile.disable()
        self.cpu[name].append(spent)
        self.median[name].append(told["median"])
        print(
            f"  {name:<26} first post {told['median'] * 1_000:6.0f} ms (99 of 100: {told['slowest'] * 1_000:.0f} ms)  "
            f"{spent * 1_000:5.2f} ms CPU a message  {told['posts'] / messages:.2f} posts, "
            f"{told['calls'] / messages:.2f} calls",
            flush=True,
        )

    def tell(self) -> None:
        """Print medians, and how they compare with the bare client's."""
        base, cpu = statistics.median(self.median[BARE]), statistics.median(self.cpu[BARE])
        for name in self.cpu:
            first, spent = statistics.median(self.median[name]), statistics.median(self.cpu[name])
            print(
                f"{name:<26} first post {first * 1_000:6.0f} ms ({first / base:.2f}x)  "
                f"{spent * 1_000:5.2f} ms CPU a message ({spent / cpu:.2f}x)"
            )


async def measured(messages: int, rounds: int, profile: cProfile.Profile | None) -> Figures:
    """Bursts of all kinds, in turns; `profile` is of the bot in channels that it knows."""
    figures = Figures()
    async with apart("tests.bench._guild") as there:
        url, token = there.greeting.split()
        with pointed_at(url):
            for _ in range(rounds):
                async with bare(token) as rest:
                    await there.order("rooms", WARM)
                    await there.order("say", "warm")
                    await there.order("rooms", messages)
                    await figures.burst(BARE, there, "*help", messages, rest)
                with tempfile.TemporaryDirectory() as folder:
                    async with whole(token, folder) as rest:
                        await there.order("rooms", WARM)
                        await there.order("say", "*architect")
                        await rest()
                        await there.order("rooms", messages)
                        await figures.burst(NEW, there, "*architect", messages, rest)
                        await figures.burst(KNOWN, there, "*help", messages, rest, profile)
    return figures


def main() -> None:
    """Print how soon and how dear, through the bot and without it."""
    parser = argparse.ArgumentParser(prog="bench discord")
    parser.add_argument("--messages", type=int, default=MESSAGES, metavar="N", help="messages in a burst")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    args = parser.parse_args()
    for name in [name for name in os.environ if name.upper().endswith("_PROXY")]:
        del os.environ[name]
    logging.getLogger("discord").setLevel(logging.ERROR)
    profile = cProfile.Profile() if args.profile else None
    asyncio.run(measured(args.messages, args.rounds, profile)).tell()
    if profile:
        show(profile)


if __name__ == "__main__":
    main()
