"""People who talk to the personas: commands, numbers, plain talk and bursts of it, by chance but the same each time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import redis.asyncio as client
from redis.exceptions import RedisClusterException, RedisError

from bot.core.model import Conversation, Menu
from tests.chaos.platform import Platform
from tests.chaos.verdict import head_of

COMMANDS = ("*exit", "*help", "*status", "*yolo", "*pm", "*architect", "*sm", "*nonsense")

LOOK = 0.02
"""Seconds between two looks at what is still being answered."""

DUE = "gr:{0}:due:fake"
"""The key under which the store keeps what is due on the platform `fake`; see `bot/stores/lua/shared.lua`."""

COPIES = 4
"""Most times that a message is delivered."""


@dataclass(slots=True)
class Floor:
    """Tells in which conversations something is still to be answered, by what the store has marked as due."""

    url: str
    busy: frozenset[str] = frozenset()
    in_cluster: bool = False
    _looked: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def watch(self) -> None:
        """Look again and again, also while the server is away, until cancelled."""
        while True:
            try:
                # With a `socket_timeout` of its own the client swallows a cancellation now and then (Python 3.11).
                kind: Any = client.RedisCluster if self.in_cluster else client.Redis
                async with kind.from_url(self.url, decode_responses=True, socket_timeout=None) as redis:
                    while True:
                        async with asyncio.timeout(1):
                            due = await redis.zrange(DUE, 0, -1)
                        async with self._looked:
                            self.busy = frozenset(str(member) for member in due)
                            self._looked.notify_all()
                        await asyncio.sleep(LOOK)
            except (RedisError, RedisClusterException, OSError, TimeoutError):
                await asyncio.sleep(LOOK)

    async def free(self, conversation: Conversation) -> None:
        """Return when nothing is owed to that conversation, as a look tells that begins after this call."""
        async with self._looked:
            await self._looked.wait()
            await self._looked.wait()
            await self._looked.wait_for(lambda: conversation.key not in self.busy)


@dataclass(slots=True)
class Person:
    """Somebody in one conversation, who talks until `turns` turns were answered; with `leaves`, sends personas off."""

    conversation: Conversation
    platform: Platform
    floor: Floor
    random: Random
    turns: int
    copies: int = COPIES
    leaves: bool = True
    said: int = 0

    async def talk(self) -> None:
        """Call a persona, and go on until enough was answered."""
        await self._say("*architect")
        await self.floor.free(self.conversation)
        while self.answered() < self.turns:
            await self.random.choice(ACTS)(self)
            await self.floor.free(self.conversation)

    def answered(self) -> int:
        """How many turns have left something to be seen."""
        seen = self.platform.state.seen(self.conversation)
        return len({head_of(shown) for shown in seen if shown.sealed})

    async def _say(self, text: str, menu: str = "", number: int = 0) -> None:
        self.said += 1
        copies = self.random.randint(1, self.copies)
        await self.platform.say(self.conversation, text, copies=copies, menu=menu, number=number)

    def _tag(self) -> str:
        return f"m{self.said}"

    async def _chat(self) -> None:
        await self._say(f"some words on {self._tag()}, please")

    async def _ask_for_a_choice(self) -> None:
        await self._say(f"let us choose {self._tag()} now")

    async def _ask_for_a_look(self) -> None:
        await self._say(f"have a look at {self._tag()} now")

    async def _command(self) -> None:
        await self._say(self.random.choice(COMMANDS if self.leaves else COMMANDS[1:]))

    async def _type_a_number(self) -> None:
        await self._say(str(self.random.randint(1, 2)))

    async def _press(self) -> None:
        menus: Sequence[Menu] = [m.menu for m in self.platform.state.seen(self.conversation) if m.menu]
        await self._say("", self.random.choice(menus[-2:]).id, 1)

    async def _burst(self) -> None:
        for _ in range(self.random.randint(2, 5)):
            await (self._command() if self.random.random() < 0.3 else self._chat())


ACTS = (
    Person._chat,
    Person._chat,
    Person._ask_for_a_choice,
    Person._ask_for_a_look,
    Person._command,
    Person._type_a_number,
    Person._press,
    Person._burst,
    Person._burst,
)
