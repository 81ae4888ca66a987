"""Two replicas on Slack to which everything happens at once: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.slack_order import counted
from tests.chaos.slack_scene import SlackScene, slack_scene

ALL = (
    SlackScene.store_away,
    SlackScene.killed,
    SlackScene.suspended,
    SlackScene.clock_set,
    SlackScene.starved,
    SlackScene.clock_set,
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is said, in how many rooms, and how often each thing befalls; `pause` is in seconds, at the mean."""

    rooms: int
    messages: int
    rounds: int
    pause: float


CI, SOAK = Size(6, 20, 1, 0.5), Size(10, 105, 4, 2.0)


@pytest.mark.timeout(1200)
async def test_whatever_befalls_two_replicas_slack_shows_each_answer_once(tmp_path: Path, soak: bool) -> None:
    size = SOAK if soak else CI
    async with slack_scene(tmp_path, seed=5) as on:
        rooms = [on.slack.channel(f"room-{n}", [on.alice]) for n in range(size.rooms)]
        for room in rooms:
            await on.slack.says(on.alice, room, "*architect")
        await on.slack.until(lambda: all(on.slack.seen(room)[1:] for room in rooms), "the greetings", 60.0)

        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for room in rooms:
                group.create_task(on.talks(room, size.messages, size.pause, over))
            group.create_task(befall(on, size.rounds, over))
        assert await on.at_rest(300.0), "not everything was carried out; nothing is told of what is still under way"

        found = await on.differences()
        said = sum(map(len, on.sent.values()))
        requests = len(on.service.requests)
        pairs = await on.out_of_order()
        print(f"\n{said} messages, {requests} requests to the model, {len(found)} differences; {dict(on.befell)}")
        print(f"taken in another order than said: {counted(pairs)}")
        assert not found, "\n".join(found)
        faults = [pair for pair in pairs if pair.reason == "fault"]
        assert not faults, "\n".join(map(str, faults))
        assert await on.leave() == [0, 0]


async def befall(on: SlackScene, rounds: int, over: asyncio.Event) -> None:
    """One thing after the other, in another order each round; then it is over."""
    for _ in range(rounds):
        happenings: list[Callable[[SlackScene], Awaitable[None]]] = [*ALL]
        on.random.shuffle(happenings)
        for happens in happenings:
            await happens(on)
            await asyncio.sleep(on.random.uniform(0.2, 1.0))
    over.set()
