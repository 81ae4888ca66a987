"""The three pages, asked over HTTP as a probe or Prometheus asks them."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest

from bot.health.errors import ListenError
from bot.health.metrics import Metrics
from bot.health.server import serving
from bot.health.vitals import State, Vitals
from bot.models.absent import Absent
from bot.ports.mailbox import Message, Stats
from bot.ports.store import Store
from bot.runtime.worker import Options, Worker
from bot.stores.sqlite import SqliteStore
from tests.contract.redis_server import free_port
from tests.fakes.clock import ManualClock
from tests.fakes.library import FakeLibrary
from tests.fakes.platform import FakePlatform


@dataclass(slots=True)
class Place:
    """A bot's surroundings that a test can change, and its server."""

    worker: State = "working"
    platforms: dict[str, Callable[[], str]] = field(default_factory=dict)
    resting: tuple[str, ...] = ()
    url: str = ""

    async def ask(self, path: str) -> tuple[int, str, str]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as answer:
            return answer.status, answer.headers["Content-Type"], await answer.text()

    async def ready(self) -> tuple[int, dict[str, tuple[bool, str]]]:
        status, kind, text = await self.ask("/readyz")
        assert kind.startswith("application/json")
        told = json.loads(text)
        assert told["ready"] is (status == 200)
        return status, {name: (check["ok"], check["says"]) for name, check in told["checks"].items()}


@asynccontextmanager
async def place(store: Store, served: frozenset[str] | None = None, **how: object) -> AsyncIterator[Place]:
    here = Place(**how)  # type: ignore[arg-type]
    vitals = Vitals(store, lambda: here.worker, here.platforms, 60.0, lambda: here.resting, lambda: served)
    async with serving("127.0.0.1:0", vitals, Metrics()) as here.url:
        yield here


@pytest.fixture
async def store() -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(":memory:", clock=ManualClock())
    yield store
    await store.close()


class Away:
    """The one call of a store that is asked for here, and how it fails."""

    def __init__(self, how: BaseException | None) -> None:
        self.how = how
        self.asked = 0

    async def stats(self, platforms: frozenset[str] | None = None) -> Stats:
        self.asked += 1
        if self.how is None:
            await asyncio.Event().wait()
            raise AssertionError("nobody sets it")
        raise self.how


async def test_a_process_that_works_lives(store: SqliteStore) -> None:
    async with place(store) as here:
        assert await here.ask("/healthz") == (
            200,
            "application/json; charset=utf-8",
            '{"alive": true, "checks": {"worker": {"ok": true, "says": "working"}}}',
        )


async def test_a_process_whose_worker_has_ended_by_itself_does_not(store: SqliteStore) -> None:
    async with place(store, worker="dead") as here:
        status, _, text = await here.ask("/healthz")
        assert status == 503 and "has ended by itself; see the log" in text
        assert (await here.ready())[0] == 503


async def test_a_process_that_stops_lives_and_is_not_ready(store: SqliteStore) -> None:
    async with place(store, worker="stopping") as here:
        assert (await here.ask("/healthz"))[0] == 200
        status, checks = await here.ready()
        assert status == 503 and checks["worker"] == (False, "stopping")


async def test_everything_that_has_to_hold_is_named(store: SqliteStore) -> None:
    async with place(store, platforms={"terminal": lambda: "", "slack": lambda: ""}) as here:
        status, checks = await here.ready()
    assert status == 200
    assert list(checks) == ["worker", "platform slack", "platform terminal", "store", "queue"]
    assert all(ok for ok, _ in checks.values())


async def test_a_platform_that_is_not_connected_is_told_with_why_and_without_its_token(store: SqliteStore) -> None:
    why = "connection refused for xoxb-1234567890-abcdef, next attempt in 5 s"
    async with place(store, platforms={"slack": lambda: why, "terminal": lambda: ""}) as here:
        status, checks = await here.ready()
    assert status == 503
    ok, says = checks["platform slack"]
    assert not ok and "connection refused" in says and "xoxb" not in says
    assert checks["platform terminal"] == (True, "connected")


async def test_work_that_lies_about_for_too_long_is_told() -> None:
    class Late(Away):
        async def stats(self, platforms: frozenset[str] | None = None) -> Stats:
            return Stats(waiting=9, in_flight=0, dead=0, oldest_due=61.0)

    async with place(Late(None)) as here:  # type: ignore[arg-type]
        status, checks = await here.ready()
    assert status == 503
    assert checks["store"] == (True, "answers")
    assert checks["queue"] == (False, "9 waiting, the oldest work due for 61.0 s, at most 60 s are fine")


@pytest.mark.parametrize(("served", "waiting"), [(frozenset({"slack"}), 1), (frozenset({"terminal"}), 0), (None, 2)])
async def test_only_what_this_process_serves_is_counted(
    store: SqliteStore, served: frozenset[str] | None, waiting: int
) -> None:
    for where in ("slack:T1:C1", "discord:G1:C1"):
        await store.enqueue(where, Message("m1", "{}", 1))
    async with place(store, served) as here:
        _, checks = await here.ready()
        _, _, page = await here.ask("/metrics")
    assert checks["queue"][1].startswith(f"{waiting} waiting")
    assert f"greenroom_store_waiting_messages {waiting}.0" in page


async def test_a_platform_that_is_opened_later_is_counted_from_then_on(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.health.vitals.FRESH", 0.0)
    await store.enqueue("discord:G1:C1", Message("m1", "{}", 1))
    transports = {"slack": FakePlatform()}
    worker = Worker(store, transports, Absent("no-key"), FakeLibrary(), ManualClock(), Options())
    vitals = Vitals(store, lambda: "working", {}, 60.0, served=lambda: worker.platforms)
    found = [await vitals.stats()]
    transports["discord"] = FakePlatform()
    found.append(await vitals.stats())
    worker.leave("discord")
    found.append(await vitals.stats())
    assert [stats and stats.waiting for stats in found] == [0, 1, 0]


async def test_a_store_that_fails_is_told_in_its_words_without_a_password() -> None:
    away = Away(ConnectionError("redis://bot:hush@db:6379 refused"))
    async with place(away) as here:  # type: ignore[arg-type]
        status, checks = await here.ready()
        page = await here.ask("/metrics")
    assert status == 503
    assert not checks["store"][0] and checks["store"][1].startswith("ConnectionError: ")
    assert "hush" not in checks["store"][1]
    assert checks["queue"] == (False, "unknown: the store does not answer")
    assert page[0] == 200 and "greenroom_store_up 0.0" in page[2]


async def test_a_store_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.health.vitals.PATIENCE", 0.05)
    async with place(Away(None)) as here:  # type: ignore[arg-type]
        status, checks = await here.ready()
    assert status == 503 and "does not answer within" in checks["store"][1]


async def test_many_who_ask_at_once_cost_the_store_one_look() -> None:
    away = Away(OSError("gone"))
    async with place(away) as here:  # type: ignore[arg-type]
        await asyncio.gather(*(here.ask("/readyz") for _ in range(5)), *(here.ask("/metrics") for _ in range(5)))
    assert away.asked == 1


async def test_a_store_that_comes_back_is_seen_a_moment_later(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Restarted(Away):
        async def stats(self, platforms: frozenset[str] | None = None) -> Stats:
            self.asked += 1
            return await (store.stats(platforms) if self.asked > 1 else super().stats())

    monkeypatch.setattr("bot.health.vitals.FRESH", 0.0)
    async with place(Restarted(OSError("gone"))) as here:  # type: ignore[arg-type]
        assert (await here.ready())[0] == 503
        assert (await here.ready())[0] == 200


async def test_metrics_come_in_the_type_that_prometheus_asks_for(store: SqliteStore) -> None:
    async with place(store, resting=("claude-one",)) as here:
        status, kind, text = await here.ask("/metrics")
    assert status == 200 and kind.startswith("text/plain; version=0.0.4")
    assert 'greenroom_model_breaker_open{model="claude-one"} 1.0' in text
    assert "greenroom_store_up 1.0" in text


async def test_nothing_else_is_there_and_nothing_can_be_changed(store: SqliteStore) -> None:
    async with place(store) as here:
        assert (await here.ask("/"))[0] == 404
        async with aiohttp.ClientSession() as session, session.post(here.url + "/healthz") as answer:
            assert answer.status == 405
        async with aiohttp.ClientSession() as session, session.head(here.url + "/healthz") as answer:
            assert answer.status == 200


async def test_an_address_that_is_taken_is_told_with_what_to_do(store: SqliteStore) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ListenError) as told:
            async with serving(taken, Vitals(store, lambda: "working", {}, 60.0), Metrics()):
                pass
    assert f"health.listen: {taken} cannot be listened on" in str(told.value)
    assert 'turn it off with ""' in str(told.value)


async def test_a_host_that_is_not_known_is_told(store: SqliteStore) -> None:
    with pytest.raises(ListenError, match="cannot be listened on"):
        async with serving("no-such-host.invalid:8080", Vitals(store, lambda: "working", {}, 60.0), Metrics()):
            pass


async def test_the_port_is_free_again_when_the_body_ends(store: SqliteStore) -> None:
    port = free_port()
    for _ in range(2):
        async with serving(f"127.0.0.1:{port}", Vitals(store, lambda: "working", {}, 60.0), Metrics()) as url:
            assert url == f"http://127.0.0.1:{port}"
