"""A whole bot on fakes: real store, real worker, real machine; people type, the worker works, everybody looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.core.model import Conversation, Inbound, Listen
from bot.core.session import Session
from bot.core.steps import Entry
from bot.personas.model import Cast
from bot.ports.library import Library
from bot.runtime.access import Access
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.sqlite import SqliteStore
from tests.fakes.clock import ManualClock
from tests.fakes.library import CAST, FakeLibrary
from tests.fakes.model import FakeModel, Says, Script
from tests.fakes.platform import ROOM, FakePlatform, Shown
from tests.scenario.kept import log_of, session_of


@dataclass(slots=True)
class Stage:
    clock: ManualClock
    store: SqliteStore
    platform: FakePlatform
    model: FakeModel
    library: FakeLibrary
    inbox: Inbox
    worker: Worker

    async def hear(self, inbound: Inbound) -> list[Shown]:
        """Deliver, work until nothing is due, and give what was posted meanwhile."""
        before = set(self.platform.messages)
        await self.inbox.receive(inbound)
        await self.settle()
        return [m for ref, m in self.platform.messages.items() if ref not in before]

    async def say(self, text: str, **how: object) -> list[Shown]:
        how.setdefault("at", self.clock.now())
        return await self.hear(self.platform.said(text, **how))  # type: ignore[arg-type]

    async def press(self, menu: str, number: int, **how: object) -> list[Shown]:
        return await self.say("", menu=menu, number=number, **how)

    async def settle(self) -> None:
        while await self.worker.work():
            pass

    async def session(self, conversation: Conversation = ROOM) -> Session:
        return await session_of(self.store, conversation)

    async def log(self, conversation: Conversation = ROOM) -> list[Entry]:
        return await log_of(self.store, conversation)


def answering(text: str) -> Script:
    """A script that always says `text`."""
    return lambda _prompt, _n: Says.text(text)


@asynccontextmanager
async def stage(
    script: Script | None = None,
    *,
    cast: Cast = CAST,
    limit: int = 3500,
    listen: Listen = "active",
    library: Library | None = None,
    admins: frozenset[str] = frozenset(),
    approvers: frozenset[str] = frozenset(),
) -> AsyncIterator[Stage]:
    clock = ManualClock()
    store = await SqliteStore.open(":memory:", clock=clock)
    platform, model = FakePlatform(limit), FakeModel(script or answering("Fine."))
    fake = FakeLibrary(cast)
    worker = Worker(
        store,
        {"fake": platform},
        model,
        library or fake,
        clock,
        Options(listen=lambda _: listen, access=Access(admins=admins), approvers=approvers),
    )
    try:
        yield Stage(
            clock, store, platform, model, fake, Inbox(store, worker.options.access, worker.stop_raised), worker
        )
    finally:
        await store.close()
