"""The strict fake of Discord with one server, and somebody who writes there, in a process of their own.

python -m tests.bench._guild

It prints its address and the bot's token. Each line that it reads is an order: `rooms N` makes N new channels, `say
TEXT` has somebody write TEXT in all of them at once. When something of the bot's stands behind it in each, it prints
the median and the 99th of 100 of the seconds until then, how many messages there were, and how many calls it took.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time

from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_state import EPOCH_MS, Channel

PATIENCE = 120.0


def seconds(snowflake: int) -> float:
    """When something was made, in seconds since the epoch (docs, snowflakes)."""
    return ((snowflake >> 22) + EPOCH_MS) / 1_000


async def first_posts(fake: FakeDiscord, said: dict[Channel, int]) -> dict[str, float]:
    """Wait for what the bot says in each channel behind the message of that id."""
    deadline = time.monotonic() + PATIENCE
    waiting, took = dict(said), list[float]()
    while waiting:
        if time.monotonic() > deadline:
            raise SystemExit(f"the bot has said nothing in {len(waiting)} of {len(said)} channels")
        await asyncio.sleep(0.01)
        for channel, id in list(waiting.items()):
            later = [it.id for it in channel.messages.values() if it.id > id and it.author is fake.me]
            if later:
                took.append(seconds(min(later)) - seconds(id))
                del waiting[channel]
    ours = [it for room, id in said.items() for it in room.messages.values() if it.id > id and it.author is fake.me]
    return {
        "median": statistics.median(took),
        "slowest": statistics.quantiles(took, n=100)[-1] if len(took) > 1 else took[0],
        "posts": len(ours),
    }


async def serve() -> None:
    """Carry out orders until nobody gives any."""
    async with FakeDiscord() as fake:
        ada = fake.person("ada")
        guild = fake.guild("Acme", ada)
        rooms: list[Channel] = []
        print(fake.url, fake.token, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            word, _, rest = line.strip().partition(" ")
            told: dict[str, float] = {}
            if word == "rooms":
                rooms = [fake.channel(guild, f"room-{number}") for number in range(int(rest))]
            else:
                before = len(fake.calls)
                with fake.burst():
                    said = {room: ada.says(room, rest).id for room in rooms}
                told = {**await first_posts(fake, said), "calls": len(fake.calls) - before}
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
