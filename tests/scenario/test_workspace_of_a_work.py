"""The workspace while a document is being written: real cast, real store, the rehearsal model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from bot.app import shipped_agents
from bot.core.modes.registry import MODES
from bot.core.spaces import space_of
from bot.models.rehearsal import Rehearsal
from bot.personas.library import Library
from bot.personas.model import Cast
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.sqlite import SqliteStore
from tests.fakes.clock import ManualClock
from tests.fakes.platform import ROOM, FakePlatform, Shown


@dataclass(slots=True)
class Shelves:
    """A library whose cast may be another."""

    real: Library
    cast: Cast

    async def read(self, kind: str, name: str, persona: str) -> str:
        return await self.real.read(kind, name, persona)

    async def refresh(self) -> tuple[str, ...]:
        return ()


@dataclass(slots=True)
class Desk:
    store: SqliteStore
    platform: FakePlatform
    worker: Worker

    async def say(self, *texts: str) -> list[Shown]:
        """What is posted because of the last of these."""
        posted: list[Shown] = []
        for text in texts:
            before = set(self.platform.messages)
            await Inbox(self.store).receive(self.platform.said(text))
            while await self.worker.work():
                pass
            posted = [shown for ref, shown in self.platform.messages.items() if ref not in before]
        return posted


@asynccontextmanager
async def desk(**changed: object) -> AsyncIterator[Desk]:
    """Mary at work, with these changes to her file."""
    library = Library((), shipped_agents())
    cast = library.cast
    mary = next(persona for persona in cast.personas if persona.id == "analyst")
    others = [replace(p, **changed) if p is mary else p for p in cast.personas]  # type: ignore[arg-type]
    clock = ManualClock()
    store = await SqliteStore.open(":memory:", clock=clock)
    platform = FakePlatform(limit=100_000, previews=False)
    shelves = Shelves(library, replace(cast, personas=tuple(others)))
    worker = Worker(
        store, {"fake": platform}, Rehearsal(clock, 0), shelves, clock, Options(modes=MODES, threads=False)
    )  # fmt: skip
    try:
        yield Desk(store, platform, worker)
    finally:
        await store.close()


async def test_a_document_goes_out_while_it_is_written_and_its_stop_stays() -> None:
    async with desk() as here:
        await here.say("*analyst", "*create-project-brief", "1", "1")
        (info,) = await here.store.documents.list(space_of(ROOM))

        file, words = await here.say("*doc-out")

        assert file.file is not None and file.file.text.startswith("# ")
        assert words.text == f"`{info.path}`, version {info.version}, as a file."
        saved = await here.say("1")
        assert any(f"saved as version {info.version + 1}" in shown.text for shown in saved), "the stop was still there"


async def test_a_deletion_asks_above_the_stop_which_stands_again() -> None:
    async with desk() as here:
        await here.say("*analyst", "*create-project-brief", "1", "1")
        (info,) = await here.store.documents.list(space_of(ROOM))
        asked = await here.say(f"*docs delete {info.path}")
        assert "It cannot be undone" in asked[-1].text

        kept = await here.say("no")

        assert kept[0].text == f"`{info.path}` stays as it is." and "1. Proceed" in kept[-1].text


async def test_a_nearly_full_space_is_told_when_a_section_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.core.spaces.NEARLY", 0.0)
    async with desk() as here:
        await here.say("*analyst", "*create-project-brief", "1")

        saved = await here.say("1")

        assert any("of 64.0 MB. `*docs delete PATH` makes room." in shown.text for shown in saved)


async def test_a_persona_whose_file_lets_it_only_read_drafts_and_people_save() -> None:
    async with desk(tools=("Read",)) as here:
        (greeting,) = await here.say("*analyst")
        assert "I can read the documents of this channel; I cannot save any." in greeting.text
        await here.say("*create-project-brief", "1")

        told = await here.say("1")

        assert any("Mary may not save documents" in shown.text for shown in told) and told[-1].menu is not None
        assert await here.store.documents.list(space_of(ROOM)) == ()
