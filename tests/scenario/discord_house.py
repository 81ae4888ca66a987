"""A whole bot on a strict fake of Discord: the real discord.py, real store, worker and machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import discord

from bot.app import SystemClock
from bot.core.model import Conversation
from bot.core.session import Session
from bot.core.steps import Entry
from bot.personas.model import Cast
from bot.platforms.discord import marks
from bot.platforms.discord.adapter import DiscordAdapter, opened
from bot.platforms.discord.options import DiscordOptions
from bot.ports.store import Store
from bot.runtime.lease import ended
from bot.runtime.worker import Options, Worker
from bot.stores.sqlite import SqliteStore
from tests.fakes.discord import FakeDiscord, Person, Seen, pointed_at
from tests.fakes.discord_state import Channel, Guild, Interaction
from tests.fakes.library import CAST, FakeLibrary
from tests.fakes.model import FakeModel, Script
from tests.scenario.kept import asked, at_work, ended_early, log_of, quiet, raised, session_of
from tests.scenario.stage import answering


@dataclass(slots=True)
class House:
    """The fake, two people in a channel of it, and the bot that lives there."""

    fake: FakeDiscord
    ada: Person
    bob: Person
    guild: Guild
    general: Channel
    store: Store
    model: FakeModel
    library: FakeLibrary
    options: DiscordOptions
    works: Options
    adapter: DiscordAdapter = field(init=False)
    worker: Worker = field(init=False)
    _serving: list[asyncio.Task[Any]] = field(default_factory=list)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """The bot connects, and works until the end of the block."""
        async with opened(self.options) as self.adapter:
            transports = {"discord": self.adapter.transport}
            self.worker = Worker(self.store, transports, self.model, self.library, SystemClock(), self.works)
            self._serving = at_work(self.adapter, self.worker, self.store, self.library)
            try:
                await self.connected()
                yield
            finally:
                await ended(self._serving)

    async def stop(self) -> None:
        """The process dies; nobody is at work."""
        await ended(self._serving)

    @asynccontextmanager
    async def restarted(self) -> AsyncIterator[None]:
        """This process dies, and another one is at work until the end of the block."""
        await self.stop()
        async with self.at_work():
            yield

    async def connected(self) -> None:
        """Wait for a connection, or for what keeps the bot from having one."""
        await self.fake.until(lambda: not self.adapter.trouble() or ended_early(self._serving), "a connection")
        raised(self._serving)

    async def sees(self, channel: Channel, *texts: str) -> list[Seen]:
        """Wait until messages with these texts in them stand in the channel, in that order; all that do."""
        await self.fake.until(lambda: _in_order(self.fake.seen(channel), texts), f"{texts}")
        return self.fake.seen(channel)

    async def quiet(self, deadline: float = 10.0) -> None:
        """Wait until nothing is due or in flight, and has not been for a moment."""
        await quiet(self.store, deadline, looks=3)

    async def hear(self, person: Person, channel: Channel, text: str, *, of: str = "", **how: Any) -> list[Seen]:
        """What the bot posts there because somebody says something; `of`: who is waited for, with their answer."""
        before = {seen.id for seen in self.fake.seen(channel)}
        said = person.says(channel, text, **how)
        await self.taken(channel, said.id)
        await self.quiet()
        return [seen for seen in self.fake.seen(channel) if seen.id not in before and seen.id != said.id]

    async def press(self, person: Person, message: Seen, label: str) -> list[Seen]:
        """What the bot posts there because somebody presses a button, or chooses from a select."""
        channel = message.message.channel
        before = {seen.id for seen in self.fake.seen(channel)}
        act = person.selects if label in message.options else person.presses
        await self.answered(act(message.message, label))
        return [seen for seen in self.fake.seen(channel) if seen.id not in before]

    async def caught_up(self, channel: Channel) -> None:
        """Wait until all that was told of the channel so far is taken and done; somebody talks past the bot there."""
        await self.taken(channel, self.bob.says(channel, "// so far").id)
        await self.quiet()

    async def rests(self) -> None:
        """Nobody works any more; what is said is still taken in."""
        await ended(self._serving[1:])

    def prompt(self) -> str:
        """The words of the last prompt that the model got, messages only."""
        return asked(self.model)

    async def taken(self, channel: Channel, order: int) -> None:
        """Wait until a message of that id was queued."""
        end = time.monotonic() + 5.0
        while await self.store.last_seen(self.conversation(channel).key) < order:
            assert time.monotonic() < end, f"{order} never came"
            await asyncio.sleep(0.005)

    async def answered(self, interaction: Interaction) -> None:
        """Wait until an interaction was answered and what it leads to is done."""
        await self.fake.until(lambda: interaction.answered, "an answer to an interaction")
        await self.quiet()

    def conversation(self, channel: Channel) -> Conversation:
        workspace = str(channel.guild.id) if channel.guild else "@me"
        if channel.parent:
            return Conversation("discord", workspace, str(channel.parent.id), str(channel.id))
        return Conversation("discord", workspace, str(channel.id))

    async def session(self, channel: Channel) -> Session:
        return await session_of(self.store, self.conversation(channel))

    async def log(self, channel: Channel) -> list[Entry]:
        return await log_of(self.store, self.conversation(channel))


@asynccontextmanager
async def built(
    script: Script | None = None,
    *,
    cast: Cast = CAST,
    fake: FakeDiscord | None = None,
    options: Callable[[DiscordOptions], DiscordOptions] = lambda options: options,
    works: Callable[[Options], Options] = lambda options: options,
    store: Store | None = None,
) -> AsyncIterator[House]:
    """A house whose bot is not yet at work; `options` and `works` change what it is told by the settings."""
    async with fake or FakeDiscord() as there:
        ada, bob = there.person("ada"), there.person("bob")
        guild = there.guild("Acme", ada, bob)
        general = there.channel(guild, "general")
        store = store or await SqliteStore.open(":memory:", clock=SystemClock())
        told = options(DiscordOptions(there.token, settle=0.02))
        with pointed_at(there), _no_wait_to_identify():
            try:
                model, library = FakeModel(script or answering("Fine.")), FakeLibrary(cast)
                lease = works(replace(Options(), lease=5.0))
                yield House(there, ada, bob, guild, general, store, model, library, told, lease)
                assert there.rest.undocumented == []
                assert there.blank() == [], "the bot has sent something on which there is nothing to see"
            finally:
                await store.close()


@asynccontextmanager
async def discord_house(script: Script | None = None, **how: Any) -> AsyncIterator[House]:
    """A house whose bot is at work; `how` is for `built`."""
    async with built(script, **how) as house, house.at_work():
        yield house


@asynccontextmanager
async def replica(house: House, store: Store) -> AsyncIterator[House]:
    """Another process of the bot that lives in `house`, with the same token, on a connection of its own to a store."""
    works, library = replace(house.works, name="another worker"), FakeLibrary(house.library.cast)
    other = replace(house, store=store, works=works, library=library, _serving=[])
    try:
        async with other.at_work():
            yield other
    finally:
        await store.close()


def _in_order(seen: list[Seen], texts: tuple[str, ...]) -> bool:
    left = list(texts)
    for each in seen:
        if left and left[0] in each.text:
            left.pop(0)
    return not left


def words(seen: Seen) -> str:
    """What people read: without the marks that they do not see."""
    return marks.without(seen.text)


@contextmanager
def _no_wait_to_identify() -> Iterator[None]:
    """The library waits 5 s before it begins a session anew; a test has no time."""

    async def at_once(client: discord.Client, shard_id: int | None, *, initial: bool = False) -> None:
        """Go on."""

    before = discord.Client.before_identify_hook
    setattr(discord.Client, "before_identify_hook", at_once)  # noqa: B010 -- an assignment has no type for it
    try:
        yield
    finally:
        setattr(discord.Client, "before_identify_hook", before)  # noqa: B010 -- as above
