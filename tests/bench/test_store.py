"""The measurement of the stores at a size for every day; `scripts/bench store` runs it with 100,000 conversations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.ports.store import Store
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.bench.store import BAR, LINE, LINES, STATE, SystemClock, filled, growth
from tests.contract.redis_server import running

SLACK = 2.0
"""How much more than the bar is put down to a busy machine: what walks over all of them takes five times as long."""


@pytest.fixture(params=["sqlite", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "sqlite":
        on_sqlite = await SqliteStore.open(tmp_path / "bench.db", clock=SystemClock())
        yield on_sqlite
        await on_sqlite.close()
        return
    with running(tmp_path / "valkey", "--appendonly", "yes") as server:
        on_redis = await RedisStore.open(server.url)
        yield on_redis
        await on_redis.close()


@pytest.fixture(params=["sqlite", "redis"])
async def sized(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[dict[int, Store]]:
    """Empty stores of one kind, by how many conversations are to be stored in them."""
    async with AsyncExitStack() as stack:
        found: dict[int, Store] = {}
        server = stack.enter_context(running(tmp_path / "valkey", "--appendonly", "yes"))
        for count in (1_000, 5_000):
            if request.param == "sqlite":
                found[count] = await SqliteStore.open(tmp_path / f"{count}.db", clock=SystemClock())
            else:
                found[count] = await RedisStore.open(server.url, prefix=f"bench{count}")
            stack.push_async_callback(found[count].close)
        yield found


async def test_load_and_save_take_as_long_however_many_conversations_are_stored(sized: dict[int, Store]) -> None:
    assert await growth("test", sized, rounds=8) <= BAR * SLACK


async def test_what_is_measured_are_whole_conversations(store: Store) -> None:
    await filled(store, 0, 3)
    await filled(store, 3, 5)

    rooms = [f"bench:W:stored{n}" for n in range(5)]
    assert [info.key for info in await store.conversations()] == rooms
    for room in rooms:
        assert (await store.peek(room), await store.log(room)) == (STATE, (LINE,) * LINES)
    assert (await store.stats()).waiting == 0


async def test_what_was_stored_before_is_not_measured_as_new(store: Store) -> None:
    await filled(store, 0, 2)

    with pytest.raises(SystemExit, match="stored1 to bench:W:stored2 was stored before"):
        await filled(store, 1, 3)
