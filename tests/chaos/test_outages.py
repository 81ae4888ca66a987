"""Redis dies, stalls or drops its connections under two replicas at work: late, but each answer comes, and once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import redis.asyncio as client

from tests.chaos.scene import Scene, room, scene

ROOMS = [room(f"room{n}") for n in range(4)]
EVER = 1_000_000
IMPATIENT = ("--patience", "0.3")
"""The store gives up soon, so that its errors reach the worker."""


async def killed(on: Scene) -> None:
    for _ in range(2):
        on.server.kill()
        await asyncio.sleep(1.3)
        await asyncio.to_thread(on.server.start)
        await asyncio.sleep(0.5)


async def stalled(on: Scene) -> None:
    async with client.Redis.from_url(on.server.url) as redis:
        pid = int((await redis.info("server"))["process_id"])
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(2)
    finally:
        os.kill(pid, signal.SIGCONT)


async def cut_off(on: Scene) -> None:
    for _ in range(30):
        try:
            async with client.Redis.from_url(on.server.url) as redis:
                await redis.client_kill_filter(_type="normal", skipme=True)
        finally:
            await asyncio.sleep(0.03)


@pytest.mark.parametrize("options", [(), IMPATIENT], ids=["patient", "impatient"])
@pytest.mark.parametrize("befalls", [killed, stalled, cut_off])
async def test_nothing_is_lost_or_doubled_when_redis(
    befalls: Callable[[Scene], Awaitable[None]], options: tuple[str, ...], tmp_path: Path
) -> None:
    async with scene(tmp_path, seed=11, options=options, durable=True) as on:
        people = [on.person(where, turns=EVER) for where in ROOMS]
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(person.talk())
            await on.until(lambda: on.answered >= 4, "people are answered")
            await befalls(on)
            for person in people:
                person.turns = person.answered() + 2
        await on.at_rest(ROOMS)

        await on.is_sound(ROOMS)
        await on.leave()


async def test_a_replica_that_cannot_reach_redis_says_so_and_asks_for_the_message_again(tmp_path: Path) -> None:
    async with scene(tmp_path, seed=12, options=IMPATIENT, durable=True, names=("one",)) as on:
        on.server.kill()
        saying = asyncio.create_task(on.platform.say(ROOMS[0], "*architect"))
        await on.until(lambda: "the worker cannot go on" in on.fleet.told("one"), "the worker tells what is wrong")
        assert not saying.done()
        assert "cannot be reached" in on.fleet.told("one")
        on.server.start()
        await asyncio.wait_for(saying, 10)
        await on.at_rest(ROOMS[:1])
        await on.is_sound(ROOMS[:1])
        await on.leave()


async def test_a_clock_that_is_an_hour_off_changes_no_lease(tmp_path: Path) -> None:
    slow = ("--lease", "0.6", "--pause", "0.25", "--in-flight", "2")
    async with scene(tmp_path, seed=13, options=slow, names=()) as on:
        await on.fleet.start("right", options=slow)
        await on.fleet.start("ahead", options=(*slow, "--clock-off", "3600"))
        await on.fleet.start("behind", options=(*slow, "--clock-off", "-3600"))
        for where in ROOMS:
            await on.platform.say(where, "*architect tell me about m1", copies=4)
        await on.at_rest(ROOMS)

        assert on.platform.calls["seal"] == len(ROOMS)
        assert on.platform.calls["torn"] == 0, "nobody took up what another was still at"
        await on.is_sound(ROOMS)
        await on.leave()
