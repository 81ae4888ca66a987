"""An operator's day: `greenroom run` as a process of its own, on strict fakes of Slack and of the model's service."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp

from tests.contract.redis_server import free_port
from tests.fakes.anthropic import Answer, FakeAnthropic
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_state import Person, Room, Seen
from tests.scenario.slack_house import subscribed
from tests.scenario.test_slack_process import READY, Process, connected, greenroom, shown

SOON = 30.0
"""Seconds in which what a test waits for has to come."""


@dataclass(slots=True)
class Day:
    """The process, the services that it talks with, and people who write."""

    process: Process
    slack: FakeSlack
    model: FakeAnthropic
    health: str
    folder: Path
    alice: Person
    rooms: list[Room]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of the log so far, oldest first."""
        return [json.loads(line) for line in self.process.told.splitlines() if line.startswith("{")]

    def told(self, level: str = "", words: str = "") -> list[dict[str, Any]]:
        """The lines of that level that have these words in them."""
        return [line for line in self.lines if (not level or line["level"] == level) and words in str(line["event"])]

    async def begin(self) -> None:
        """A persona comes on in every room."""
        for room in self.rooms:
            await self.slack.says(self.alice, room, "*architect")
        for room in self.rooms:
            await self.answered(room, 1)

    async def say(self, count: int) -> None:
        """So many messages to the personas, spread over the rooms, each answered before the next one there."""
        for number in range(count):
            room = self.rooms[number % len(self.rooms)]
            before = len(self.posts(room))
            await self.slack.says(self.alice, room, f"question {number}?")
            await self.answered(room, before + 1)

    def posts(self, room: Room) -> list[Seen]:
        """What the bot has said in the room."""
        return [seen for seen in shown(self.slack, room) if not seen.streaming]

    async def answered(self, room: Room, count: int) -> None:
        """Wait until the bot has said so much there."""
        await self.slack.until(lambda: len(self.posts(room)) >= count, f"{count} posts in {room.name}", SOON)

    async def ask(self, path: str) -> tuple[int, str]:
        """Status and body of a page of the health port."""
        async with aiohttp.ClientSession() as session, session.get(f"http://{self.health}{path}") as answer:
            return answer.status, await answer.text()

    async def until(self, path: str, words: str) -> tuple[int, str]:
        """The page, once it has these words in it."""
        async with asyncio.timeout(SOON):
            while True:
                try:
                    status, text = await self.ask(path)
                    if words in text:
                        return status, text
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)


@asynccontextmanager
async def day(
    folder: Path, *answers: Answer, rooms: int = 1, settings: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Day]:
    """A bot at work whose model answers by `answers`, the last of them for ever."""
    given = list(answers)

    def answer(_body: Any) -> Answer:
        return given.pop(0) if len(given) > 1 else given[0]

    health = f"127.0.0.1:{free_port()}"
    key = folder / "key"
    async with FakeAnthropic(otherwise=answer) as model, FakeSlack(events=subscribed()) as slack:
        key.write_text(model.key)
        os.chmod(key, 0o600)
        base = {
            "GREENROOM_MODEL__NAME": "sonnet",
            "GREENROOM_MODEL__BASE_URL": model.url,
            "GREENROOM_MODEL__RETRY": "0s",
            "GREENROOM_HEALTH__LISTEN": health,
            "ANTHROPIC_API_KEY_FILE": str(key),
            "GREENROOM_MODEL__PAUSE": "",
        }
        async with greenroom(slack, folder, **{**base, **settings}) as process:
            await connected(slack)
            alice = slack.user("alice")
            here = [slack.channel(f"room-{number}", [alice]) for number in range(rooms)]
            yield Day(process, slack, model, health, folder, alice, here)


__all__ = ["READY", "SOON", "Day", "day"]
