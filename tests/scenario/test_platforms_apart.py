"""Processes that serve different platforms share one store: each carries what it can post, and counts only that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app import SystemClock, library_of, running
from bot.core.model import Conversation
from bot.ports.mailbox import Message, Stats
from bot.ports.store import Store
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.settings import load
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.contract import redis_server
from tests.fakes.library import FakeLibrary
from tests.fakes.model import FakeModel, Says
from tests.fakes.platform import FakePlatform

NAMES = ("slack", "discord")
ROOMS = {name: [Conversation(name, "team", f"room{n}") for n in range(3)] for name in NAMES}


@pytest.fixture(params=["one SQLite store", "two Redis stores"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[Store]]:
    async with AsyncExitStack() as stack:
        if request.param == "one SQLite store":
            store = await SqliteStore.open(tmp_path / "state.db", clock=SystemClock())
            stack.push_async_callback(store.close)
            yield [store, store]
            return
        server = stack.enter_context(redis_server.running(tmp_path))
        opened: list[Store] = []
        for _ in NAMES:
            opened.append(await RedisStore.open(server.url))
            stack.push_async_callback(opened[-1].close)
        yield opened


@asynccontextmanager
async def at_work(*workers: Worker) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(worker.run(stop)) for worker in workers]
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks)


def worker_of(name: str, store: Store, platform: FakePlatform) -> Worker:
    model = FakeModel(lambda _prompt, _n: Says.text("Noted."))
    return Worker(store, {name: platform}, model, FakeLibrary(), SystemClock(), Options(name=name, lease=2))


async def nothing_is_owed(store: Store) -> None:
    async with asyncio.timeout(20):
        while (stats := await store.stats()) and (stats.waiting or stats.in_flight):  # noqa: ASYNC110  # a store tells nobody
            await asyncio.sleep(0.02)


async def test_each_worker_answers_on_its_own_platform_and_nothing_is_buried(stores: list[Store]) -> None:
    platforms = {name: FakePlatform() for name in NAMES}
    for n in range(3):
        for name, store in zip(NAMES, stores, strict=True):
            said = platforms[name].said("*architect", conversation=ROOMS[name][n])
            await Inbox(store).receive(said)

    pairs = zip(NAMES, stores, strict=True)
    async with at_work(*(worker_of(name, store, platforms[name]) for name, store in pairs)):
        for name, store in zip(NAMES, stores, strict=True):
            for room in ROOMS[name]:
                await Inbox(store).receive(platforms[name].said("well?", conversation=room))
        await nothing_is_owed(stores[0])

    for name in NAMES:
        for room in ROOMS[name]:
            greeting, reply = platforms[name].seen(room)
            assert ("I am **Winston**" in greeting.text, reply.text.strip()) == (True, "Noted.")
        others = {shown.conversation.split(":")[0] for shown in platforms[name].messages.values()}
        assert others == {name}
    assert await stores[0].dead() == ()


async def test_a_worker_leaves_what_it_cannot_post_alone_until_somebody_comes_who_can(stores: list[Store]) -> None:
    platform = FakePlatform()
    await Inbox(stores[0]).receive(platform.said("*architect", conversation=ROOMS["discord"][0]))
    on_slack = worker_of("slack", stores[0], FakePlatform())

    assert not await on_slack.work()

    waiting = await stores[0].stats()
    assert (waiting.waiting, waiting.in_flight, waiting.dead) == (1, 0, 0)
    assert await worker_of("discord", stores[1], platform).work()
    assert "I am **Winston**" in platform.seen(ROOMS["discord"][0])[0].text


async def test_a_worker_that_has_left_a_platform_carries_what_waits_on_the_other_one_alone(stores: list[Store]) -> None:
    platforms = {name: FakePlatform() for name in NAMES}
    model = FakeModel(lambda _prompt, _n: Says.text("Noted."))
    worker = Worker(stores[0], platforms, model, FakeLibrary(), SystemClock(), Options(lease=2))
    worker.leave("discord")
    for name in NAMES:
        await Inbox(stores[0]).receive(platforms[name].said("*architect", conversation=ROOMS[name][0]))

    assert await worker.work() and not await worker.work()

    assert platforms["slack"].messages and not platforms["discord"].messages
    assert (await stores[0].stats()).waiting == 1


async def test_mail_wakes_the_worker_of_its_platform_without_delay(
    stores: list[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.runtime.worker.POLL", 60)
    monkeypatch.setattr("bot.stores.redis_hints.POLL_SECONDS", 30)
    platforms = {name: FakePlatform() for name in NAMES}
    pairs = zip(NAMES, stores, strict=True)
    async with at_work(*(worker_of(name, store, platforms[name]) for name, store in pairs)):
        await asyncio.sleep(0.3)
        for name, store in zip(reversed(NAMES), stores, strict=True):
            await Inbox(store).receive(platforms[name].said("*architect", conversation=ROOMS[name][0]))
        async with asyncio.timeout(5):
            while not all(platforms[name].messages for name in NAMES):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_bot_is_done_when_its_own_platforms_are(tmp_path: Path) -> None:
    (tmp_path / "greenroom.yaml").write_text("{}")
    settings = load(tmp_path / "greenroom.yaml", {"GREENROOM_STORE__PATH": str(tmp_path / "state.db")})
    platform = FakePlatform()
    async with running(settings, library_of(settings), {"fake": platform}, in_background=False) as bot:
        await bot.store.enqueue("slack:T1:C1", Message("m1", "{}", 1))
        bot = replace(bot, patience=0.0)
        await bot.inbox.receive(platform.said("*status"))

        async with asyncio.timeout(10):
            assert await bot.answered()

        assert len(platform.texts) == 1
        assert await bot.store.stats(bot.worker.platforms) == Stats(0, 0, 0, 0.0)
        assert (await bot.store.stats()).waiting == 1
