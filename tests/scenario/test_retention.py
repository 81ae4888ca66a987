"""What was silent for longer than `store.keep` is forgotten while the bot runs, and nothing else is."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.app import library_of, running
from bot.core.steps import Record
from bot.ports import Message, Store, StoreError
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


async def test_what_was_silent_for_too_long_goes_at_the_start_and_every_hour(store: Store, clock: ManualClock) -> None:
    await talked(store, ROOM)
    await store.audit("k", ROOM, Record("approve", "U1"))
    clock.advance(10 * DAY + 1)
    await talked(store, OTHER)

    async with kept_up(Upkeep(store, clock, 10 * DAY), clock):
        assert [info.key for info in await store.conversations()] == [OTHER]
        assert await store.audited(ROOM) == (Record("approve", "U1"),)

        clock.advance(10 * DAY - EVERY)
        await asyncio.sleep(0)
        await asleep(clock)
        assert await store.peek(OTHER) == f"state of {OTHER}"
        await an_hour(clock)
        await an_hour(clock)

        assert await store.conversations() == ()


async def test_a_conversation_in_which_somebody_speaks_stays_and_so_does_what_is_owed(
    store: Store, clock: ManualClock
) -> None:
    await talked(store, ROOM)
    await send(store, plain("m1", 1), to=OTHER)
    clock.advance(9 * DAY)
    await store.enqueue(ROOM, Message("m2", "again", 2))

    async with kept_up(Upkeep(store, clock, 10 * DAY), clock):
        for _ in range(3):
            await an_hour(clock)
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

    assert await Upkeep(store, clock, 0).once() == 0
    assert await store.peek(ROOM) is not None
    await store.close()


class Away:
    """A store that fails the next `times` that something is to expire."""

    def __init__(self, real: Store, *failures: Exception) -> None:
        self.real, self.failures = real, [*failures]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def expire(self, before: float) -> int:
        if self.failures:
            raise self.failures.pop(0)
        return await self.real.expire(before)


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
            assert await real.peek(ROOM) is not None
            await an_hour(clock)
            assert await real.peek(ROOM) is None

    told = [(r.levelname, bool(r.exc_info)) for r in caplog.records if r.name == "bot.runtime.upkeep"]
    assert told == [("WARNING", False), ("ERROR", True), ("INFO", False)]
    assert "silent for 10 days is forgotten in an hour: It is away." in caplog.messages[0]
    await real.close()


# ---------------------------------------------------------------- in the running bot


def settings(tmp_path: Path, **env: str) -> Settings:
    (tmp_path / "greenroom.yaml").write_text("{}")
    return load(tmp_path / "greenroom.yaml", {"GREENROOM_STORE__PATH": str(tmp_path / "state.db"), **env})


@pytest.mark.parametrize(("keep", "stays"), [("", False), ("400d", True), ("0", True)])
async def test_a_running_bot_forgets_what_its_settings_tell(tmp_path: Path, keep: str, stays: bool) -> None:
    long_ago = ManualClock(time.time() - 200 * DAY)
    old = await SqliteStore.open(tmp_path / "state.db", clock=long_ago)
    await talked(old, ROOM)
    await old.close()
    chosen = settings(tmp_path, **({"GREENROOM_STORE__KEEP": keep} if keep else {}))

    async with running(chosen, library_of(chosen), {"fake": FakePlatform()}) as bot:
        await is_there(bot.store, stays)


async def test_a_running_bot_forgets_on_redis_too(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    with redis_server.running(tmp_path / "server") as server:
        old = await RedisStore.open(server.url, clock=ManualClock(time.time() - 200 * DAY))
        await talked(old, ROOM)
        await old.close()
        chosen = settings(tmp_path, GREENROOM_STORE__URL=server.url)
        async with running(chosen, library_of(chosen), {"fake": FakePlatform()}) as bot:
            await is_there(bot.store, False)


async def is_there(store: Store, stays: bool) -> None:
    """Whether the conversation is still there when the upkeep has had its time."""
    async with asyncio.timeout(5):
        if stays:
            await asyncio.sleep(0.3)
        while (await store.peek(ROOM) is not None) is not stays:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
