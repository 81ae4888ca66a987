"""A crash sweep over Discord: the process dies before or after any call to the store, the model or Discord itself.

Discord keeps no nonce of a webhook's post, so what a dead process has posted is found again by its mark alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.core.model import Conversation, Inbound
from bot.core.prompt import Prompt
from bot.platforms.discord import marks
from bot.platforms.discord.adapter import DiscordAdapter, opened
from bot.platforms.discord.options import DiscordOptions
from bot.platforms.discord.posting import Poster
from bot.platforms.discord.streaming import Previews
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from tests.fakes.clock import ManualClock
from tests.fakes.discord import FakeDiscord, Person, pointed_at
from tests.fakes.discord_state import Channel
from tests.fakes.library import FakeLibrary
from tests.fakes.model import FakeModel, Says
from tests.scenario.sweep import Crash, Points, Port
from tests.scenario.sweep_stores import OnSqlite

SHORT = "First in, first out.\nThat is all there is to it, but for the many ways in which it fills up."
LONG = "\n\n".join(f"Paragraph {number} of many. {'It goes on and on. ' * 12}" for number in range(12))
TALK = ("*architect what is a queue?", "more, please")
REPLIES = (SHORT, LONG)

Outcome = tuple[tuple[tuple[str, str], ...], tuple[str, ...]]


@dataclass(slots=True)
class Life:
    """A talk with one crash in it, and what people read at its end."""

    crash: int = 0
    private: bool = False
    points: Points = field(init=False)

    async def play(self) -> tuple[Outcome, int]:
        """The posts by name and text and the kinds of the log's entries; how many points there were."""
        self.points = Points(frozenset({self.crash}))
        ground = OnSqlite()
        clock = ManualClock()
        async with FakeDiscord() as fake:
            ada = fake.person("ada")
            guild = fake.guild("Acme", ada)
            room = ada.opens_dm() if self.private else fake.channel(guild, "general")
            with pointed_at(fake):
                try:
                    store = await ground.begin(clock)
                    for line in TALK:
                        await self._say(fake, ada, room, line, store, clock)
                    key = Conversation(*_place(room)).key
                    kinds = tuple(line.split('"kind":"')[1].split('"')[0] for line in await store.log(key))
                finally:
                    await ground.end()
            shown = fake.seen(room)
        posts = tuple((seen.author, marks.without(seen.text)) for seen in shown if seen.author != "ada")
        return (posts, kinds), self.points.passed

    async def _say(
        self, fake: FakeDiscord, ada: Person, room: Channel, line: str, store: Any, clock: ManualClock
    ) -> None:
        said = ada.says(room, line)
        where = Conversation(*_place(room))
        inbound = Inbound(where, str(said.id), str(ada.id), "ada", line, said.id, clock.now(), direct=self.private)
        taken = False

        async def at_work(worker: Worker, inbox: Inbox) -> None:
            nonlocal taken
            if not taken:
                await inbox.receive(inbound)
                taken = True
            while await worker.work():
                pass

        while not await self._lives(fake, store, clock, at_work):
            clock.advance(Options().lease + 1)

    async def _lives(
        self, fake: FakeDiscord, store: Any, clock: ManualClock, doing: Callable[[Worker, Inbox], Awaitable[None]]
    ) -> bool:
        """One process; False where it died before all was done."""
        self.points.dead = False
        async with opened(DiscordOptions(fake.token, avatars=False)) as adapter:
            self._crashing(adapter)
            port = Port(store, self.points, lambda name, args: None)
            model = FakeModel(lambda prompt, n: Says((_reply(prompt)[:60], _reply(prompt)[60:])))
            model.on_piece = _watched(fake)
            worker = Worker(
                port,
                {"discord": adapter.transport},
                Port(model, self.points, lambda name, args: None),
                FakeLibrary(),
                clock,
            )
            try:
                await doing(worker, Inbox(port))
            except Crash:
                await _killed(adapter._previews)
                return False
        return True

    def _crashing(self, adapter: DiscordAdapter) -> None:
        """Make every call to Discord two points; that somebody types passes by itself."""
        web = adapter._web

        def crashing(real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            async def call(method: str, path: str, *args: Any, **kwargs: Any) -> Any:
                if path.endswith("/typing"):
                    return None
                self.points.point()
                answer = await real(method, path, *args, **kwargs)
                self.points.point()
                return answer

            return call

        for name in ("call", "hook"):
            setattr(web, name, crashing(getattr(web, name)))


def _place(room: Channel) -> tuple[str, str, str]:
    return "discord", str(room.guild.id) if room.guild else "@me", str(room.id)


def _reply(prompt: Prompt) -> str:
    return REPLIES[sum(message.role == "assistant" for message in prompt.messages)]


def _watched(fake: FakeDiscord) -> Callable[[int, int], Awaitable[None]]:
    """Leave some time after each piece, so that it is seen."""

    async def wait(call: int, piece: int) -> None:
        await asyncio.sleep(0.01)

    return wait


async def _killed(previews: Previews) -> None:
    """A dead process sends nothing more."""
    pumps = [shown.pump.task for shown in previews._open.values() if shown.pump]
    for pump in pumps:
        pump.cancel()
    await asyncio.gather(*pumps, return_exceptions=True)
    previews._open.clear()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.platforms.discord.streaming.PACE", 0.002)


@pytest.mark.parametrize("private", [False, True], ids=["through a webhook", "in private"])
async def test_a_crash_at_any_point_leaves_no_trace(private: bool) -> None:
    known, points = await Life(private=private).play()
    assert [text.endswith(("fills up.", "on and on.")) for _, text in known[0]] == [False, True, True, True]
    for point in range(1, points + 1):
        outcome, _ = await Life(point, private=private).play()
        assert outcome == known, f"crash at {point} of {points}"


async def _nothing(*args: object) -> None:
    """Find nothing."""


@pytest.mark.parametrize(("where", "name"), [(Poster, "find"), (Previews, "torn")])
async def test_were_nothing_found_again_the_sweep_would_tell(
    where: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, points = await Life().play()
    monkeypatch.setattr(where, name, _nothing)
    for point in range(1, points + 1):
        outcome, _ = await Life(point).play()
        if outcome != known:
            return
    raise AssertionError("nobody would have noticed")
