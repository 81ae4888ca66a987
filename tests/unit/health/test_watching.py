"""What the settings ask for is there, and nothing else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.health.errors import ListenError
from bot.health.vitals import Vitals
from bot.health.watching import Watch
from bot.ports.observer import SILENT
from bot.stores.sqlite import SqliteStore
from tests.contract.redis_server import free_port
from tests.fakes.clock import ManualClock
from tests.unit.health.collector import collecting
from tests.unit.health.turns import claim, talk

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def vitals() -> AsyncIterator[Vitals]:
    store = await SqliteStore.open(":memory:", clock=ManualClock())
    yield Vitals(store, lambda: "working", {}, 60.0)
    await store.close()


async def test_a_bot_that_nobody_watches_tells_nobody(vitals: Vitals) -> None:
    watch = Watch("", "", "worker")
    async with watch.open(vitals) as url:
        assert url == ""
        assert watch.observer is SILENT


async def test_metrics_and_traces_come_from_the_same_turns(vitals: Vitals) -> None:
    async with collecting() as collector:
        watch = Watch("127.0.0.1:0", collector.url, "worker")
        async with watch.open(vitals) as url:
            for happening in talk(claim()):
                watch.observer.saw(happening)
            async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
                assert 'greenroom_turns_total{outcome="committed"} 1.0' in await answer.text()
    assert len(collector.named("turn")) == 1


async def test_traces_are_sent_although_nothing_is_listened_on(vitals: Vitals) -> None:
    async with collecting() as collector:
        watch = Watch("", collector.url, "worker")
        async with watch.open(vitals) as url:
            assert url == ""
            for happening in talk(claim()):
                watch.observer.saw(happening)
    assert len(collector.named("turn")) == 1


async def test_traces_are_sent_also_where_the_body_fails(vitals: Vitals) -> None:
    async def fail(watch: Watch) -> None:
        async with watch.open(vitals):
            for happening in talk(claim()):
                watch.observer.saw(happening)
            raise asyncio.CancelledError

    async with collecting() as collector:
        with pytest.raises(asyncio.CancelledError):
            await fail(Watch("", collector.url, "worker"))
    assert len(collector.named("turn")) == 1


async def test_an_address_that_cannot_be_had_is_told(vitals: Vitals) -> None:
    port = free_port()
    async with Watch(f"127.0.0.1:{port}", "", "one").open(vitals):
        with pytest.raises(ListenError, match=f"127.0.0.1:{port} cannot be listened on"):
            async with Watch(f"127.0.0.1:{port}", "", "other").open(vitals):
                pass


def test_what_is_not_asked_for_is_not_imported() -> None:
    code = (
        "import sys\nfrom bot.health.watching import Watch\nWatch('', '', 'w').observer\n"
        "print(sorted({'aiohttp', 'prometheus_client', 'opentelemetry'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert run.stdout.strip() == "[]"
