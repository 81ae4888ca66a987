"""A state file and a Redis of the previous format open, are upgraded, keep everything, and the bot goes on in them.

`tests/scenario/recorded` holds what the last build with sessions of version 1 left when it died: a conversation for
each gate, turns under way (a reply that was asked for, one that was stored and not posted, a resource that was being
read, a summary), a stop that nobody had used, mail that waited, a dead letter, budgets.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from bot.core.gates import AskGate, ExitGate, FileGate, ForgetGate, MeantGate, ProposeGate, RunGate
from bot.core.model import SESSION_VERSION, Conversation
from bot.core.session import Session
from bot.core.steps import Entry
from bot.ports.budgets import Amount, Balance
from bot.ports.store import Store
from bot.ports.transport import Outgoing
from bot.runtime.access import Access
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.contract.redis_server import Server, running
from tests.fakes.clock import ManualClock
from tests.fakes.library import FakeLibrary
from tests.fakes.model import FakeModel, Says
from tests.fakes.platform import FakePlatform
from tests.scenario.kept import asked, log_of, session_of, state_of

RECORDED = Path(__file__).parent / "recorded"
GATES = {
    "ask": AskGate,
    "exit": ExitGate,
    "forget": ForgetGate,
    "long file": FileGate,
    "propose": ProposeGate,
    "run": RunGate,
    "slip": MeantGate,
}
UNDER_WAY = ("dying", "stop", "stored", "summary", "tools")
SPOKEN = 1000
"""More messages than were recorded, and than the platform had shown."""


@dataclass(slots=True)
class Watched(FakePlatform):
    """Notes where people watched a reply grow."""

    watched: list[str] = field(default_factory=list)

    async def preview(self, out: Outgoing) -> str | None:
        self.watched.append(out.conversation.channel)
        return await FakePlatform.preview(self, out)


@dataclass(slots=True)
class Upgraded:
    """This build over what that one left."""

    store: Store
    clock: ManualClock
    platform: Watched
    model: FakeModel
    worker: Worker

    async def say(self, name: str, text: str) -> list[str]:
        """What is posted there for it."""
        where = Conversation("fake", "team", name)
        await Inbox(self.store).receive(self.platform.said(text, conversation=where, at=self.clock.now()))
        return (await self.rest()).get(name, [])

    async def rest(self) -> dict[str, list[str]]:
        """What is posted, by channel, until nothing is left to do."""
        before = set(self.platform.messages)
        while await self.worker.work():
            pass
        stats = await self.store.stats()
        assert (stats.waiting, stats.in_flight) == (0, 0)
        posted: dict[str, list[str]] = {}
        for ref, shown in self.platform.messages.items():
            if ref not in before:
                assert shown.sealed
                posted.setdefault(Conversation.parse(shown.conversation).channel, []).append(shown.text)
        return posted

    async def session(self, name: str) -> Session:
        return await session_of(self.store, Conversation("fake", "team", name))

    async def log(self, name: str) -> list[Entry]:
        return await log_of(self.store, Conversation("fake", "team", name))


async def on_sqlite(folder: Path, clock: ManualClock) -> Store:
    path = folder / "greenroom.sqlite3"
    db = sqlite3.connect(path)
    db.executescript((RECORDED / "version_1.sql").read_text("utf-8"))
    db.close()
    return await SqliteStore.open(path, clock=clock)


async def on_redis(url: str, clock: ManualClock) -> Store:
    client = redis.Redis.from_url(url)
    kept: dict[str, tuple[str, object]] = json.loads((RECORDED / "version_1.json").read_text("utf-8"))
    for key, (kind, value) in kept.items():
        match kind, value:
            case "string", str():
                client.set(key, value)
            case "hash", dict():
                client.hset(key, mapping=value)
            case "list", list():
                client.rpush(key, *value)
            case "set", list():
                client.sadd(key, *value)
            case "zset", list():
                client.zadd(key, dict(value))
            case _:
                raise AssertionError(f"{key} is a {kind}")
    client.close()
    return await RedisStore.open(url, clock=clock)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("valkey")) as started:
        yield started


@pytest.fixture(params=["sqlite", "redis"])
async def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Upgraded]:
    clock = ManualClock()
    if request.param == "redis":
        server: Server = request.getfixturevalue("server")
        assert server.ask("FLUSHALL") == b"+OK\r\n"
        store = await on_redis(server.url, clock)
    else:
        store = await on_sqlite(tmp_path, clock)
    platform, model = Watched(clock=SPOKEN, spoken=SPOKEN), FakeModel(lambda _prompt, _n: Says.text("Fine."))
    options = Options(access=Access(admins=frozenset({"Ualice"})))
    clock.advance(options.lease + 1)
    yield Upgraded(
        store, clock, platform, model, Worker(store, {"fake": platform}, model, FakeLibrary(), clock, options)
    )
    await store.close()


async def test_everything_is_kept(upgraded: Upgraded) -> None:
    store = upgraded.store
    for name, gate in GATES.items():
        session = await upgraded.session(name)
        assert session.gate is not None and type(session.gate) is gate and session.active == "pm"
        assert session.gate.menu in {menu.id for menu in session.menus}
        state = await state_of(store, Conversation("fake", "team", name))
        assert state.number_anchors[-1].menu == session.gate.menu, "a number typed now is meant for it"
    for name in UNDER_WAY:
        assert await store.under_way(f"fake:team:{name}")
    stats = await store.stats()
    assert (stats.waiting, stats.in_flight, stats.dead) == (3, len(UNDER_WAY), 1)
    (letter,) = await store.dead()
    assert (letter.conversation, letter.reason) == ("fake:team:dead", "ValueError: it broke")
    assert [e.kind for e in await upgraded.log("talk")] == ["on", "said", "reply"]
    assert await store.spent("fake:team:talk")
    assert await store.budget("all", "2026-11-21") == Balance(Amount(3, 4), Amount(5, 7))
    assert (await upgraded.session("talk")).yolo


async def test_what_was_under_way_goes_on_and_what_waited_is_answered(upgraded: Upgraded) -> None:
    posted = await upgraded.rest()
    assert posted["dying"] == ["Fine."]
    assert posted["stored"] == ["Stored but not posted."]
    assert posted["tools"][-1] == "Fine." and len(posted["tools"]) > 1
    assert posted["stop"] == ["_(stopped by alice)_"]
    assert "dying" in upgraded.platform.watched and "summary" not in upgraded.platform.watched
    assert posted["summary"][0] == "Fine." and posted["summary"][1].startswith("This talk has grown long")
    assert posted["mail"][0].startswith("Hello, I am **John**") and posted["mail"][-1] == "Fine."
    assert posted["talk"] == ["Fine."]
    assert "hello, all of you" in "".join(e.text for e in await upgraded.log("mail")), "as it was edited"
    assert [e.kind for e in await upgraded.log("summary")].count("compact") == 1
    assert {letter.reason for letter in await upgraded.store.dead()} == {"ValueError: it broke"}


async def test_people_choose_at_the_gates_that_stood(upgraded: Upgraded) -> None:
    await upgraded.rest()
    assert (await upgraded.say("exit", "1"))[-1].startswith("Goodbye")
    assert (await upgraded.say("ask", "2"))[-1] == "Fine." and "blue" in asked(upgraded.model)
    assert any("create-prd" in text for text in await upgraded.say("propose", "1"))
    assert not any("error" in text for text in await upgraded.say("run", "2"))
    await upgraded.say("slip", "2")
    await upgraded.say("forget", "2")
    assert (await upgraded.say("long file", "1"))[-1] == "Fine."
    for name in GATES:
        assert (await upgraded.session(name)).gate is None, name
    assert (await upgraded.store.stats()).dead == 1


async def test_the_build_before_leaves_alone_what_this_one_has_written(upgraded: Upgraded) -> None:
    await upgraded.rest()
    where = Conversation("fake", "team", "talk")
    await Inbox(upgraded.store).receive(upgraded.platform.said("and now?", conversation=where))
    assert await upgraded.store.claim("the build before", 15.0, SESSION_VERSION - 1) is None
    assert await upgraded.store.claim("this one", 15.0, SESSION_VERSION)
