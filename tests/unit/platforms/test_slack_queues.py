"""Deliveries to one place are taken one after the other."""

from __future__ import annotations

import asyncio

from bot.core.model import Conversation
from bot.platforms.slack.queues import PlaceQueues

ROOM, OTHER = Conversation("slack", "T1", "C1"), Conversation("slack", "T1", "C2")


async def test_who_comes_first_goes_first_and_other_places_do_not_wait() -> None:
    queues, taken, gate = PlaceQueues(), list[str](), asyncio.Event()

    async def take(name: str, where: Conversation | None, opens: asyncio.Event | None = None) -> None:
        async with queues.turn(where, 60.0) as is_next:
            assert is_next
            if opens:
                await opens.wait()
            taken.append(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(take("first", ROOM, gate))
        for name in ("second", "third"):
            group.create_task(take(name, ROOM))
        group.create_task(take("elsewhere", OTHER))
        group.create_task(take("nowhere", None))
        while len(taken) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        gate.set()
    assert taken == ["elsewhere", "nowhere", "first", "second", "third"]
    assert not queues._queues, "nothing is kept of a place where nothing goes on"


async def test_who_has_waited_too_long_is_told_and_holds_nobody_up() -> None:
    queues, gate = PlaceQueues(), asyncio.Event()

    async def slow() -> None:
        async with queues.turn(ROOM, 60.0):
            await gate.wait()

    first = asyncio.create_task(slow())
    await asyncio.sleep(0)
    async with queues.turn(ROOM, 0.01) as is_next:
        assert not is_next
    gate.set()
    await first
    async with queues.turn(ROOM, 0.01) as is_next:
        assert is_next
