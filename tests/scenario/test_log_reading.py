"""A turn reads the log from where its prompt begins, and what it asks is what the whole log would have come to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.codec import dump, load
from bot.core.log_index import BACK, LogIndex
from bot.core.prompt import prompt
from bot.core.session import ConversationState
from bot.core.steps import Entry
from bot.ports.model import ModelError
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.sqlite import SqliteStore
from tests.fakes.clock import ManualClock
from tests.fakes.library import ARCHITECT, FakeLibrary
from tests.fakes.model import FakeModel, Says
from tests.fakes.platform import ROOM, FakePlatform
from tests.scenario.stage import Stage, answering


class Watched(SqliteStore):
    """The store, and how many lines of the log each turn has read."""

    def __init__(self, *given: object, **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        self.read: list[int] = []

    async def log(self, conversation: str, last: int | None = None) -> tuple[str, ...]:
        """See `SqliteStore.log`."""
        lines = await super().log(conversation, last)
        self.read.append(len(lines))
        return lines


@asynccontextmanager
async def stage_at(path: Path | str) -> AsyncIterator[tuple[Stage, Watched]]:
    """A bot on the file at `path`."""
    clock = ManualClock()
    store = await Watched.open(path, clock=clock)
    platform, model, library = FakePlatform(3500), FakeModel(answering("Fine.")), FakeLibrary()
    worker = Worker(store, {"fake": platform}, model, library, clock, Options())
    try:
        yield Stage(clock, store, platform, model, library, Inbox(store), worker), store
    finally:
        await store.close()


def later(s: Stage) -> None:
    """Let a new platform go on behind what was said on another."""
    s.platform.clock, s.platform.spoken = 10**9, 1_000


async def is_whole(s: Stage) -> bool:
    """Whether the last prompt was that of the whole log, as far as it went then."""
    log = await s.log()
    while log[-1].kind != "said":
        log.pop()
    return s.model.prompts[-1] == prompt(ARCHITECT, log)


async def test_a_talk_reads_only_what_its_prompt_begins_with() -> None:
    async with stage_at(":memory:") as (s, store):
        await s.say("*pm")
        for n in range(60):
            await s.say(f"line {n}")
        await s.say("*architect")
        store.read.clear()

        await s.say("one")
        await s.say("two")
        await s.say("*help")

        assert store.read == [BACK + 2, BACK + 4], "so much from above the coming on, and what has come since"
        assert await is_whole(s)


async def test_a_turn_that_asks_nothing_reads_nothing_of_the_log() -> None:
    async with stage_at(":memory:") as (s, store):
        for text in ("*architect", "*help", "*status", "*exit"):
            await s.say(text)
        assert store.read == []


async def test_behind_a_summary_only_that_and_the_last_lines_are_read() -> None:
    large = replace(Says.text("Reply.").usage, input=900)

    async with stage_at(":memory:") as (s, store):
        await s.say("*architect")
        s.worker.options = replace(s.worker.options, context=1000, compact_at=0)
        for n in range(20):
            await s.say(f"line {n}")
        s.worker.options = replace(s.worker.options, compact_at=0.75)
        s.model.script = lambda prompt, n: replace(Says.text("Summed up."), usage=large)
        await s.say("line 20")
        s.model.script = answering("Summed up.")
        await s.say("line 21")
        s.model.script = answering("Fine.")
        assert [e.text for e in await s.log() if e.kind == "compact"] == ["Summed up."]
        store.read.clear()

        await s.say("and now?")

        assert store.read[0] <= 12, store.read
        assert await is_whole(s)


async def test_a_state_of_the_release_before_is_taken_up_and_read_once_as_a_whole(tmp_path: Path) -> None:
    """Such a state is one without an index, which is all that has come to it since."""
    path = tmp_path / "state.db"
    async with stage_at(path) as (s, store):
        await s.say("*architect")
        for n in range(5):
            await s.say(f"line {n}")
        now = load(await store.peek(ROOM.key) or "", ConversationState)
        assert now.index is not None

        state = json.loads(dump(now))
        del state["index"]
        with sqlite3.connect(path) as db:
            db.execute("UPDATE state SET body = ?", (json.dumps(state),))
    async with stage_at(path) as (s, store):
        later(s)
        await s.say("go on")
        assert await is_whole(s)
        await s.say("and on")
        assert await is_whole(s)
        index = load(await store.peek(ROOM.key) or "", ConversationState).index
        assert index == LogIndex().grown(await s.log())


async def test_a_reset_forgets_the_index_and_not_the_log() -> None:
    async with stage_at(":memory:") as (s, store):
        await s.say("*architect")
        await s.say("one")
        await store.reset(ROOM.key)

        await s.say("*architect")
        await s.say("two")

        assert await is_whole(s)
        assert load(await store.peek(ROOM.key) or "", ConversationState).index == LogIndex().grown(await s.log())


async def test_forgetting_a_conversation_begins_at_nothing() -> None:
    async with stage_at(":memory:") as (s, store):
        await s.say("*architect")
        await s.say("one")
        await store.forget(ROOM.key)

        await s.say("*architect")
        await s.say("two")

        assert await is_whole(s)
        assert load(await store.peek(ROOM.key) or "", ConversationState).index == LogIndex().grown(await s.log())


async def test_a_deleted_message_and_a_forgotten_person_move_nothing() -> None:
    async with stage_at(":memory:") as (s, store):
        await s.say("*architect")
        for n in range(4):
            await s.say(f"line {n}")
        assert await store.blank(ROOM.key, "in3")
        await s.say("on")
        assert await is_whole(s) and "line 1" not in str(s.model.prompts[-1])

        await store.forget_user("Ualice", "somebody")
        await s.say("and on")
        assert await is_whole(s) and "line 2" not in str(s.model.prompts[-1])


async def test_an_imported_conversation_is_read_from_where_it_was() -> None:
    async with stage_at(":memory:") as (s, store):
        await s.say("*architect")
        await s.say("one")
        dumped = await store.dump(ROOM.key)
        assert dumped is not None
        async with stage_at(":memory:") as (there, imported):
            assert await imported.restore(ROOM.key, dumped)
            later(there)
            await there.say("two")
            assert imported.read == [4] and await is_whole(there)


async def test_an_index_that_does_not_fit_the_log_is_told_and_made_anew(caplog: pytest.LogCaptureFixture) -> None:
    async with stage_at(":memory:") as (s, store):
        await s.say("*pm")
        await s.say("*architect")
        await s.say("one")
        dumped = await store.dump(ROOM.key)
        assert dumped is not None
        await store.forget(ROOM.key)
        more = [*dumped["log"], dump(Entry("note", "pm", "From elsewhere."))]
        assert await store.restore(ROOM.key, {**dumped, "log": more})

        await s.say("two")

        assert "does not fit it; all of it is read again" in caplog.text
        assert await is_whole(s)
        assert load(await store.peek(ROOM.key) or "", ConversationState).index == LogIndex().grown(await s.log())


async def test_a_turn_that_failed_reads_the_same_again() -> None:
    async with stage_at(":memory:") as (s, store):
        await s.say("*architect")
        s.model.script = lambda prompt, n: ModelError("overloaded")
        await s.say("one")
        s.model.script = answering("Fine.")
        await s.say("*retry")
        first, second = s.model.prompts[-2:]
        assert first.messages[0] == second.messages[0]
        assert len(store.read) == 2
