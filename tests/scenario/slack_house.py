"""A whole bot on a strict fake of Slack: real slack-bolt and slack-sdk, real store, worker and machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from bot.app import SystemClock
from bot.core.model import Conversation
from bot.core.session import Session
from bot.core.steps import Entry
from bot.personas.model import Cast
from bot.platforms.slack.adapter import SlackAdapter, opened
from bot.platforms.slack.manifest import manifest
from bot.platforms.slack.options import SlackOptions
from bot.ports.store import Store
from bot.runtime.lease import ended
from bot.runtime.worker import Options, Worker
from bot.stores.sqlite import SqliteStore
from tests.fakes.library import CAST, FakeLibrary
from tests.fakes.model import FakeModel, Script
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_state import Person, Room, Seen
from tests.scenario.kept import asked, at_work, ended_early, log_of, quiet, raised, session_of
from tests.scenario.stage import answering


@dataclass(slots=True)
class House:
    """The fake, the people in it, and the bot that lives there."""

    fake: FakeSlack
    adapter: SlackAdapter
    store: Store
    worker: Worker
    model: FakeModel
    library: FakeLibrary
    options: SlackOptions
    serving: list[asyncio.Task[Any]] = field(default_factory=list)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Connect, and begin to work."""
        self.serving = at_work(self.adapter, self.worker, self.store, self.library)
        adapter = self.adapter
        await self.fake.until(
            lambda: not (adapter.trouble() or adapter.is_behind) or ended_early(self.serving), "a connection"
        )
        raised(self.serving)

    async def stop(self) -> None:
        """Die, more or less gracefully."""
        await ended(self.serving)

    async def restart(self) -> None:
        """End the process and begin another: all that it knows is in the store and on Slack."""
        await self.stop()
        await self.stack.aclose()
        self.adapter = await self.stack.enter_async_context(opened(self.options))
        transports, options = {"slack": self.adapter.transport}, self.worker.options
        self.worker = Worker(self.store, transports, self.model, self.library, SystemClock(), options)
        await self.start()

    async def quiet(self, deadline: float = 10.0) -> None:
        """Wait until everything that was said is in the house, and nothing is due or in flight."""
        await self.fake.settled(deadline)
        await self.fake.until(lambda: not self.adapter.is_behind, "what was missed", deadline)
        await quiet(self.store, deadline)

    async def hear(self, person: Person, room: Room, text: str, **how: Any) -> list[Seen]:
        """What is posted, there and to that thread, because somebody says something."""
        thread = how.get("thread")
        before = {seen.ts for seen in self.fake.seen(room, thread)}
        said = await self.fake.says(person, room, text, **how)
        await self.quiet()
        return [seen for seen in self.fake.seen(room, thread) if seen.ts not in before and seen.ts != said]

    def prompt(self) -> str:
        """The words of the last prompt that the model got, messages only."""
        return asked(self.model)

    async def session(self, room: Room, thread: str = "") -> Session:
        return await session_of(self.store, self.conversation(room, thread))

    async def log(self, room: Room, thread: str = "") -> list[Entry]:
        return await log_of(self.store, self.conversation(room, thread))

    def conversation(self, room: Room, thread: str = "") -> Conversation:
        return Conversation("slack", self.fake.ws.team, room.id, thread)


def subscribed() -> frozenset[str]:
    """The events that the app's manifest asks for."""
    return frozenset(manifest("Greenroom")["settings"]["event_subscriptions"]["bot_events"])


@asynccontextmanager
async def slack_house(
    script: Script | None = None,
    *,
    cast: Cast = CAST,
    fake: FakeSlack | None = None,
    slack: Callable[[SlackOptions], SlackOptions] = lambda options: options,
    works: Callable[[Options], Options] = lambda options: options,
    store: Store | None = None,
) -> AsyncIterator[House]:
    """A bot at work in a fake workspace; `slack` and `works` change what it is told by the settings."""
    async with fake or FakeSlack(events=subscribed()) as there:
        options = slack(SlackOptions(there.ws.bot_token, there.ws.app_token, there.secret, api=there.api))
        store = store or await SqliteStore.open(":memory:", clock=SystemClock())
        model, library = FakeModel(script or answering("Fine.")), FakeLibrary(cast)
        try:
            async with AsyncExitStack() as stack:
                adapter = await stack.enter_async_context(opened(options))
                transports = {"slack": adapter.transport}
                told = works(replace(Options(), lease=5.0))
                worker = Worker(store, transports, model, library, SystemClock(), told)
                house = House(there, adapter, store, worker, model, library, options, stack=stack)
                await house.start()
                try:
                    yield house
                finally:
                    await house.stop()
        finally:
            await store.close()
        assert there.interactions.problems == []


@asynccontextmanager
async def replica(
    house: House, store: Store, *, slack: Callable[[SlackOptions], SlackOptions] = lambda options: options
) -> AsyncIterator[House]:
    """Another process of the bot that lives in `house`, on a connection of its own to the same store."""
    options = slack(house.options)
    async with AsyncExitStack() as stack:
        adapter = await stack.enter_async_context(opened(options))
        library = FakeLibrary(house.library.cast)
        transports, told = {"slack": adapter.transport}, replace(house.worker.options, name="another worker")
        worker = Worker(store, transports, house.model, library, SystemClock(), told)
        other = House(house.fake, adapter, store, worker, house.model, library, options, stack=stack)
        await other.start()
        try:
            yield other
        finally:
            await other.stop()
            await store.close()
