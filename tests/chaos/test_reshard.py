"""Replicas on a Cluster that is resharded, with clocks an hour off both ways and kills: late, but each answer, once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.scene import Scene, room, scene
from tests.contract.redis_cluster import NODES, slot_of

LEASE = "1"
"""Seconds: less than a slot takes to move, so leases end meanwhile, and none of them is to count."""

CLOCKS = (("one", "3600"), ("two", "-3600"))


@dataclass(frozen=True, slots=True)
class Size:
    """How much is to happen."""

    rooms: int
    turns: int
    kills: int
    moves: int


CI, SOAK = Size(3, 3, 1, 2), Size(8, 8, 6, 12)


async def resharded(on: Scene, moves: int) -> None:
    """Move the slot in which everything is from node to node, so many times, a few keys at a time."""
    assert on.cluster is not None
    slot = slot_of(0)
    for n in range(moves):
        await on.until(lambda n=n: on.answered >= n, "people are answered", 120)  # type: ignore[misc]
        place = on.cluster.nodes.index(on.cluster.owner(slot))
        await on.cluster.move(slot, on.cluster.nodes[(place + 1) % NODES], pause=0.005)
        await asyncio.sleep(0.5)


@pytest.mark.timeout(330)
async def test_nothing_is_lost_or_doubled_while_slots_move_and_clocks_are_off(tmp_path: Path, soak: bool) -> None:
    size = SOAK if soak else CI
    async with scene(tmp_path, seed=31, durable=True, names=(), in_cluster=True) as on:
        for name, off in CLOCKS:
            await on.fleet.start(name, options=("--clock-off", off, "--lease", LEASE))
        rooms = [room(f"room{n}") for n in range(size.rooms)]
        people = [on.person(where, turns=size.turns) for where in rooms]
        async with asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(person.talk())
            group.create_task(resharded(on, size.moves))
            group.create_task(on.killed(size.kills, size.rooms * size.turns // 2))
        await on.at_rest(rooms)

        await on.is_sound(rooms)
        await on.leave()
