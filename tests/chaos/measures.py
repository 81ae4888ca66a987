"""Two times to hold: until somebody takes up what a killed replica was at, and until a heap of work is done."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.chaos.platform import Call
from tests.chaos.scene import NAMES, room, scene


async def recovery(folder: Path, lease: float, seed: int = 1) -> float:
    """Seconds from `kill -9` in the middle of a reply until somebody looks what it left of that turn."""
    async with scene(folder, seed, options=("--lease", str(lease), "--pause", "0.05")) as on:
        killed_at, taken_up_at = 0.0, 0.0

        def on_call(call: Call) -> None:
            nonlocal killed_at, taken_up_at
            if not killed_at and call.method == "extend" and on.fleet.kill(call.replica):
                killed_at = time.perf_counter()
            elif killed_at and call.method == "torn" and not taken_up_at:
                taken_up_at = time.perf_counter()

        on.platform.on_call = on_call
        await on.platform.say(room("a"), "*architect tell me about m1")
        await on.at_rest([room("a")])
        await on.is_sound([room("a")])
        return taken_up_at - killed_at


async def draining(folder: Path, replicas: int, turns: int, wait: float) -> float:
    """Seconds in which so many replicas, 4 turns in flight each, answer all; a post takes `wait` seconds."""
    names = NAMES[:replicas]
    options = ("--in-flight", "4", "--lag", str(wait), "--pause", "0")
    rooms = [room(f"room{n}") for n in range(turns)]
    async with scene(folder, 1, options=options, names=names) as on:
        for where in rooms:
            await on.platform.say(where, "*architect")
        await on.at_rest(rooms)
        before = time.perf_counter()
        await asyncio.gather(*(on.platform.say(where, "some words on m1, please") for where in rooms))
        await on.at_rest(rooms, 120)
        took = time.perf_counter() - before
        await on.is_sound(rooms)
        await on.leave()
        return took
