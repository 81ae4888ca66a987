"""What was silent for longer than `store.keep` is forgotten while the bot runs, and nothing else is."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.app import library_of, running
from bot.core.steps import Record
from bot.ports.mailbox import Message, StoreError
from bot.ports.store import Store
from bot.ports.upkeep import Expired
from bot.runtime.upkeep import DAY, EVERY, Upkeep
from bot.settings import Settings, load
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.contract import redis_server
from tests.contract.store_contract import OTHER, ROOM, finish, plain, send, take
from tests.fakes.clock import ManualClock
from tests.fakes.platform import FakePlatform


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["SQLite", "Redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    if request.param == "SQLite":
        opened: Store = await SqliteStore.open(tmp_path / "state.db", clock=clock)
        yield opened
        await opened.close()
        return
    with redis_server.running(tmp_path) as server:
        opened = await RedisStore.open(server.url, clock=clock)
        yield opened
        await opened.close()


@asynccontextmanager
async def kept_up(upkeep: Upkeep, clock: ManualClock) -> AsyncIterator[None]:
    task = asyncio.create_task(upkeep.run())
    try:
        await asleep(clock)
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


async def asleep(clock: ManualClock) -> None:
    """Return when the upkeep has done what it had to, and waits for its next hour."""
    async with asyncio.timeout(5):
        while not clock.sleepers:  # noqa: ASYNC110  # a clock tells nobody
            await asyncio.sleep(0.001)


async def an_hour(clock: ManualClock) -> None:
    clock.advance(EVERY)
    await asyncio.sleep(0)
    await asleep(clock)


async def talked(store: Store, where: str) -> None:
    await send(store, plain("m1", 1), to=where)
    await finish(store, await take(store), f"state of {where}", ("line",))


async def a_day(clock: ManualClock) -> None:
    for _ in range(24):
        await an_hour(clock)


async def test_what_was_silent_for_too_long_goes_a_day_after_it_was_noted(store: Store, clock: ManualClock) -> None:
    await talked(store, ROOM)
    await store.audit("k", ROOM, Record("approve", "U1"))
    clock.advance(10 * DAY + 1)
    await talked(store, OTHER)

    async with kept_up(Upkeep(store, clock, 10 * DAY), clock):
        assert [info.key for info in await store.conversations()] == sorted([ROOM, OTHER])
        await a_day(clock)
        assert [info.key for info in await store.conversations()] == [OTHER]
        assert await store.audited(ROOM) == (Record("approve", "U1"),)

        clock.advance(9 * DAY)
        await asyncio.sleep(0)
        await asleep(clock)
        assert await store.peek(OTHER) == f"state of {OTHER}"
        await an_hour(clock)
        await a_day(clock)

        assert await store.conversations() == ()


async def test_documents_go_by_their_own_time(store: Store, clock: ManualClock) -> None:
    await talked(store, ROOM)
    await store.documents.write("k1", ROOM, "old.md", 0, "text")
    clock.advance(10 * DAY + 1)
    await store.documents.write("k2", ROOM, "new.md", 0, "text")

    async with kept_up(Upkeep(store, clock, 100 * DAY, 10 * DAY), clock):
        assert len(await store.documents.list(ROOM)) == 2
        await a_day(clock)
        assert [info.path for info in await store.documents.list(ROOM)] == ["new.md"]
        assert await store.peek(ROOM) is not None
    async with kept_up(Upkeep(store, clock, 2 * DAY), clock):
        clock.advance(100 * DAY)
        await asyncio.sleep(0)
        await asleep(clock)
        await a_day(clock)
        await a_day(clock)
        assert await store.peek(ROOM) is None
        assert len(await store.documents.list(ROOM)) == 1, "without a time of their own they stay for ever"


async def test_a_conversation_in_which_somebody_speaks_stays_and_so_does_what_is_owed(
    store: Store, clock: ManualClock
) -> None:
    await talked(store, ROOM)
    await send(store, plain("m1", 1), to=OTHER)
    clock.advance(11 * DAY)

    async with kept_up(Upkeep(store, clock, 10 * DAY), clock):
        await an_hour(clock)
        await store.enqueue(ROOM, Message("m2", "again", 2))
        await a_day(clock)
        clock.advance(30 * DAY)
        await asyncio.sleep(0)
        await asleep(clock)

    assert await store.log(ROOM) == ("line",)
    assert (await store.stats()).waiting == 2


async def test_with_nothing_set_nothing_is_ever_forgotten(clock: ManualClock) -> None:
    store = await SqliteStore.open(":memory:", clock=clock)
    await talked(store, ROOM)
    clock.advance(10_000 * DAY)

    async with asyncio.timeout(5):
        await Upkeep(store, clock, 0).run()

    assert await Upkeep(store, clock, 0).once() == Expired()
    assert await store.peek(ROOM) is not None
    await store.close()


class Away:
    """A store that fails the next `times` that something is to expire."""

    def __init__(self, real: Store, *failures: Exception) -> None:
        self.real, self.failures = real, [*failures]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def expire(self, idle: float) -> Expired:
        if self.failures:
            raise self.failures.pop(0)
        return await self.real.expire(idle)


async def test_a_store_that_fails_is_told_and_tried_again_an_hour_later(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    real = await SqliteStore.open(":memory:", clock=clock)
    away: Any = Away(real, StoreError("It is away."), RuntimeError("It is broken."))
    await talked(real, ROOM)
    clock.advance(11 * DAY)

    with caplog.at_level(logging.INFO):
        async with kept_up(Upkeep(away, clock, 10 * DAY), clock):
            await an_hour(clock)
            await an_hour(clock)
            assert await real.peek(ROOM) is not None
            await a_day(clock)
            assert await real.peek(ROOM) is None

    told = [(r.levelname, bool(r.exc_info)) for r in caplog.records if r.name == "bot.runtime.upkeep"]
    assert told == [("WARNING", False), ("ERROR", True), ("INFO", False), ("INFO", False)]
    assert [text.split(":")[0] for text in caplog.messages[-2:]] == [
        "found silent for more than 10 days, to be forgotten in a day if they stay so",
        "conversations forgotten that were silent for more than 10 days",
    ]
    assert "silent for 10 days is forgotten in an hour: It is away." in caplog.messages[0]
    await real.close()


# ---------------------------------------------------------------- in the running bot


def settings(tmp_path: Path, **env: str) -> Settings:
    (tmp_path / "greenroom.yaml").write_text("{}")
    return load(tmp_path / "greenroom.yaml", {"GREENROOM_STORE__PATH": str(tmp_path / "state.db"), **env})


@pytest.mark.parametrize(("keep", "goes"), [("", True), ("400d", False), ("0", False)])
async def test_a_running_bot_forgets_what_its_settings_tell(tmp_path: Path, keep: str, goes: bool) -> None:
    long_ago = ManualClock(time.time() - 200 * DAY)
    old = await SqliteStore.open(tmp_path / "state.db", clock=long_ago)
    await talked(old, ROOM)
    await old.expire(180 * DAY)
    await old.close()
    chosen = settings(tmp_path, **({"GREENROOM_STORE__KEEP": keep} if keep else {}))

    for _ in range(2):
        async with running(chosen, library_of(chosen), {"fake": FakePlatform()}) as bot:
            await looked(bot.store, chosen.store.keep)
            assert await bot.store.peek(ROOM) is not None, "one look deletes nothing"
        with sqlite3.connect(tmp_path / "state.db") as db:
            db.execute("UPDATE leaving SET noted = noted - ?", (DAY,))
        db.close()
        if goes:
            break

    async with running(chosen, library_of(chosen), {"fake": FakePlatform()}) as bot:
        async with asyncio.timeout(5):
            while goes and await bot.store.peek(ROOM) is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await looked(bot.store, chosen.store.keep)
        assert (await bot.store.peek(ROOM) is None) is goes


async def looked(store: Store, keep: float) -> None:
    """Look as the upkeep does, so that a look has been had whatever it has come to."""
    if keep:
        await store.expire(keep)


async def test_on_redis_no_replicas_clock_makes_anything_expire(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    with redis_server.running(tmp_path / "server") as server:
        store = await RedisStore.open(server.url)
        await talked(store, ROOM)
        ahead = ManualClock(time.time() + 200 * DAY)
        upkeep = Upkeep(store, ahead, 2 * DAY)

        looks = [await upkeep.once()]
        ahead.advance(2 * DAY)
        looks.append(await upkeep.once())

        assert looks == [Expired(), Expired()]
        assert await store.peek(ROOM) is not None
        await store.close()
