"""The fixtures of the contract suites."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from bot.ports.store import Store
from bot.stores.redis import RedisStore
from tests.contract import redis_server
from tests.contract.store_contract import IMPLEMENTATIONS, Factory
from tests.fakes.clock import ManualClock

OURS = f"greenroom-test-{uuid4().hex}"
"""What all keys of this test session begin with."""

_numbers = count()

OpenStore = Callable[[int], Awaitable[Store]]


def _on_redis(address: Callable[[], str], partitions: int = 1) -> Factory:
    """Opens a store under keys of its own, so that one server does for all tests."""

    async def open_one(_folder: Path, clock: ManualClock, cap: int) -> Store:
        prefix = f"{OURS}-{next(_numbers)}"
        return await RedisStore.open(address(), clock=clock, mailbox_cap=cap, prefix=prefix, partitions=partitions)

    return open_one


IMPLEMENTATIONS["valkey"] = _on_redis(lambda: redis_server.shared(redis_server.valkey()))
IMPLEMENTATIONS["valkey-in-3-partitions"] = _on_redis(lambda: redis_server.shared(redis_server.valkey()), 3)
if binary := redis_server.installed():
    IMPLEMENTATIONS["redis"] = _on_redis(partial(redis_server.shared, binary))
if redis_server.at_an_address():
    IMPLEMENTATIONS["redis-at-an-address"] = _on_redis(redis_server.at_an_address)


@pytest.fixture(scope="session", autouse=True)
def _servers() -> Iterator[None]:
    yield
    redis_server.stop_shared()
    if address := redis_server.at_an_address():
        redis_server.forget(address, OURS)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=IMPLEMENTATIONS)
async def open_store(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[OpenStore]:
    """Opens a store with that cap a mailbox, and closes it when the test is over."""
    opened: list[Store] = []

    async def open_one(cap: int) -> Store:
        opened.append(await IMPLEMENTATIONS[request.param](tmp_path, clock, cap))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: OpenStore) -> Store:
    return await open_store(500)
