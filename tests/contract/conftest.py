"""The fixtures of the contract suites."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.ports import Store
from tests.contract.store_contract import IMPLEMENTATIONS
from tests.fakes.clock import ManualClock

OpenStore = Callable[[int], Awaitable[Store]]


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
