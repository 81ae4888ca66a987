"""Replicas that share one Redis and die at any moment: nobody in the chat can tell."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.scene import room, scene


@dataclass(frozen=True, slots=True)
class Size:
    """How much is to happen, and within how many seconds at most."""

    rooms: int
    turns: int
    kills: int
    seconds: float


CI, SOAK = Size(10, 12, 15, 60.0), Size(30, 20, 60, 300.0)


@pytest.mark.timeout(330)
async def test_replicas_killed_at_random_lose_nothing_and_say_nothing_twice(tmp_path: Path, soak: bool) -> None:
    size = SOAK if soak else CI
    rooms = [room(f"room{n}") for n in range(size.rooms)]
    async with scene(tmp_path, seed=7) as on:
        people = [on.person(where, size.turns) for where in rooms]
        async with asyncio.timeout(size.seconds), asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(person.talk())
            group.create_task(on.killed(size.kills, size.rooms * size.turns))
        await on.at_rest(rooms)

        assert on.answered >= size.rooms * size.turns
        assert on.fleet.kills >= size.kills
        assert on.platform.calls["find"] >= size.kills / 3, "kills hit turns that somebody had to take up"
        await on.is_sound(rooms)
        await on.leave()
