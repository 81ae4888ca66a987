"""What is to be forgotten is nowhere any more: no table, key or file has a word, a name or an id of it.

A conversation in which somebody's words come to every place that a turn can put them, then each way of forgetting; then
every byte that the store keeps is searched.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import redis

from bot.cli import main
from bot.core import machine
from bot.core.codec import dump
from bot.core.model import FILE, Attachment, Conversation, Inbound
from bot.core.prompt import Prompt
from bot.ports.store import Store
from bot.runtime import turns
from bot.runtime.access import Access, Names
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.contract.redis_server import Server, running
from tests.contract.store_contract import DAY, HOUR, expire
from tests.fakes.clock import ManualClock
from tests.fakes.library import CAST, FakeLibrary
from tests.fakes.model import FakeModel, Says
from tests.fakes.platform import ROOM, FakePlatform

ID, NAME, WORD = "U0MARKED9", "Zarathustra", "xyzzysecret"
ROOMS = (ROOM, Conversation("fake", "team", "general", "t1"), Conversation("fake", "team", "broken"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("valkey"), "--appendonly", "no", "--save", "") as started:
        yield started


@dataclass(slots=True)
class Kept:
    """A store, and a look at all that it keeps: (where, bytes)."""

    store: Store
    look: Callable[[], Iterator[tuple[str, bytes]]]

    def places(self, *marks: str) -> list[str]:
        """Where one of the marks stands."""
        wanted = [mark.encode() for mark in marks]
        return sorted({where for where, kept in self.look() if any(mark in kept for mark in wanted)})


def of_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The names and bytes of all files: the database, its write-ahead log, its index, the lock."""
    for path in sorted(folder.rglob("*")):
        yield path.name, path.name.encode() + path.read_bytes()


def of_server(server: Server) -> Iterator[tuple[str, bytes]]:
    """The names and values of all keys."""
    with redis.Redis.from_url(server.url) as client:
        reads: dict[bytes, Callable[[bytes], Any]] = {
            b"string": client.get,
            b"hash": client.hgetall,
            b"list": lambda key: client.lrange(key, 0, -1),
            b"set": client.smembers,
            b"zset": lambda key: client.zrange(key, 0, -1),
            b"stream": client.xrange,
            b"none": lambda _: "its time has run out meanwhile",
        }
        for key in client.scan_iter():
            value = reads[client.type(key)](key)
            yield key.decode(), key + b" " + repr(value).encode()


@pytest.fixture(params=["sqlite", "valkey"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[ManualClock], Any]:
    """Opens an empty store on that clock."""

    @asynccontextmanager
    async def kept(clock: ManualClock) -> AsyncIterator[Kept]:
        if request.param == "sqlite":
            store: Store = await SqliteStore.open(tmp_path / "state" / "greenroom.db", clock=clock)
            look = lambda: of_files(tmp_path / "state")  # noqa: E731
        else:
            found: Server = request.getfixturevalue("server")
            found.ask("FLUSHALL")
            store = await RedisStore.open(found.url, clock=clock)
            look = lambda: of_server(found)  # noqa: E731
        try:
            yield Kept(store, look)
        finally:
            await store.close()

    return kept


# ---------------------------------------------------------------- a life in which the words come everywhere


@dataclass(slots=True)
class Life:
    """What somebody says, while another is there too."""

    kept: Kept
    clock: ManualClock
    platform: FakePlatform = field(default_factory=lambda: FakePlatform(limit=100_000))
    replies: list[Says] = field(default_factory=list)
    said: list[Inbound] = field(default_factory=list)
    worker: Worker = field(init=False)
    inbox: Inbox = field(init=False)

    def __post_init__(self) -> None:
        access = Access(per_minute=1000, burst=1000, admins=frozenset({"Uroot"}))
        model, options = FakeModel(self.reply), Options(access=access)
        transports = {"fake": self.platform}
        self.worker = Worker(self.kept.store, transports, model, FakeLibrary(CAST), self.clock, options)
        self.inbox = Inbox(self.kept.store)

    def reply(self, _prompt: Prompt, _n: int) -> Says:
        return self.replies.pop(0) if self.replies else Says.text("Fine.")

    def message(self, text: str, where: Conversation = ROOM, **how: Any) -> Inbound:
        one = self.platform.said(text, at=self.clock.now(), conversation=where, **how)
        self.said.append(replace(one, user=ID, name=NAME))
        return self.said[-1]

    async def says(self, text: str, where: Conversation = ROOM, *replies: Says, **how: Any) -> None:
        self.replies += replies
        hidden = how.pop("hidden", False)
        one = self.message(text, where, **how)
        await self.inbox.receive(replace(one, hidden=hidden))
        await self.settle()

    async def other(self, text: str, where: Conversation = ROOM, user: str = "bob") -> None:
        await self.inbox.receive(self.platform.said(text, user=user, at=self.clock.now(), conversation=where))
        await self.settle()

    async def press(self, number: int) -> None:
        await self.says("", menu=self.platform.last_menu().id, number=number)

    async def settle(self) -> None:
        while await self.worker.work():
            pass
        while self.kept.store and (await self.kept.store.stats()).in_flight:
            self.clock.advance(10)
            while await self.worker.work():
                pass

    async def lives(self) -> None:
        """Everything that people can do to bring words into a session, a log, a menu, a dead letter."""
        ask = Says(("Hm. ",), (("ask", {"question": "Which?", "options": ["red", "blue"]}),))
        proposes = Says(("Hm. ",), (("propose_command", {"command": "explain"}),))
        await self.other("*architect")
        await self.says(f"{WORD} as talk")
        await self.says(f"*explain {WORD}")
        await self.says(f"*explian {WORD}")
        await self.says(f"*{WORD} and more")
        await self.says(f"*create-prd {WORD}")
        await self.says(f"*task {WORD}")
        await self.says(f"*agent {WORD}")
        await self.says(f"*pm {WORD}?")
        await self.says("*architect")
        await self.says(f"{WORD} in a form", hidden=True)
        await self.says("which colour?", ROOM, ask)
        await self.says(f"{WORD} as an answer")
        await self.says("which colour now?", ROOM, ask)
        await self.says("2")
        await self.says("and now?", ROOM, ask)
        await self.press(1)
        await self.says("explained?", ROOM, proposes)
        await self.press(2)
        await self.says("explained now?", ROOM, proposes)
        await self.press(1)
        named = Attachment(f"{WORD}.txt", 9, ref="f1", text=f"{WORD} in a file")
        await self.says(f"{WORD} beside a file", files=(named,))
        await self.says(f"*explain {WORD}", files=(replace(named, ref="f2", text=None, problem="an image"),))
        thread = ROOMS[1]
        await self.says("*pm", thread)
        await self.says(f"create prd for {WORD}", thread)
        await self.says(f"*story {WORD}", thread)
        await self.says("*exit", thread)
        await self.says(f"{WORD} at a gate", thread)
        long = Attachment(f"{WORD}.log", 10**6, ref="f3", text=f"{WORD} " + "x" * FILE, cut=True)
        await self.says(f"{WORD} with much", thread, files=(long,))
        refuses = replace(self.worker.options.access, deny=Names(users=frozenset({ID})))
        options = self.worker.options
        self.worker.options = replace(options, access=refuses)
        await self.says(f"*help {WORD}")
        self.worker.options = options
        await self.breaks()
        await self.edits()
        await self.in_flight()

    async def breaks(self) -> None:
        """A turn that is given up, with an error that quotes what was said."""

        def quoting(_prompt: Prompt, _n: int) -> Says:
            raise ValueError(f"cannot read: {WORD} of {NAME}")

        broken = ROOMS[2]
        await self.says("*architect", broken)
        model = self.worker.model
        self.worker.model = FakeModel(quoting)
        await self.says(f"{WORD} breaks it", broken)
        self.worker.model = model
        assert await self.kept.store.dead()

    async def edits(self) -> None:
        edited = replace(self.said[2], text=f"*explain {WORD} again")
        await self.inbox.edited(edited, self.said[2].text)

    async def in_flight(self) -> None:
        """A turn that was begun and stored, with what stops it, and mail behind it."""
        await self.settle()
        await self.inbox.receive(replace(self.message(f"{WORD} in flight"), hidden=True))
        claim = await self.kept.store.claim("dead", 15.0, 9)
        assert claim is not None
        saved = await self.inbox.saved(ROOM) or _nothing()
        before = turns.began(claim, machine.step(saved.session, turns.opening(claim, saved), CAST))
        assert WORD in dump(before)
        assert await self.kept.store.checkpoint(claim, dump(before), 1)
        await self.inbox.receive(self.message("stop"))
        await self.inbox.receive(self.message(f"{WORD} waits"))
        await self.inbox.receive(self.platform.said("Bob waits too", user="bob", at=self.clock.now()))


def _nothing() -> Any:
    raise AssertionError("the conversation has a state")


@asynccontextmanager
async def life(opened: Any) -> AsyncIterator[Life]:
    clock = ManualClock()
    async with opened(clock) as kept:
        alive = Life(kept, clock)
        await alive.lives()
        yield alive


# ---------------------------------------------------------------- each way of forgetting


async def test_the_search_finds_what_was_not_forgotten(opened: Any) -> None:
    async with life(opened) as one:
        for mark in (WORD, NAME, ID):
            assert one.kept.places(mark)


async def test_deleted_messages_leave_no_word(opened: Any) -> None:
    async with life(opened) as one:
        for message in one.said:
            await one.inbox.deleted(message.conversation, message.id)
        assert one.kept.places(WORD) == []
        assert one.kept.places(NAME), "only the words were deleted"
        one.clock.advance(60)
        await one.settle()
        assert one.kept.places(WORD) == [], "nor what the turn in flight has written since"


async def test_a_forgotten_person_leaves_no_word_name_or_id(opened: Any) -> None:
    async with life(opened) as one:
        await one.kept.store.forget_user(ID, "somebody")
        assert one.kept.places(WORD, NAME, ID) == []
        one.clock.advance(60)
        await one.settle()
        assert one.kept.places(WORD, NAME, ID) == []
        assert any("Bob waits too" in line for line in await one.kept.store.log(ROOM.key)), "others go on"


async def test_forgotten_conversations_leave_nothing(opened: Any) -> None:
    async with life(opened) as one:
        for room in ROOMS:
            await one.kept.store.forget(room.key)
        assert one.kept.places(WORD, NAME, ID) == []


async def test_a_conversation_that_an_admin_wiped_in_the_chat_leaves_nothing(opened: Any) -> None:
    async with life(opened) as one:
        one.clock.advance(60)
        await one.settle()
        for room in ROOMS:
            await one.other("*forget", room, "root")
            await one.other("1", room, "root")
        assert one.kept.places(WORD, NAME, ID) == []


async def test_what_expired_leaves_nothing(opened: Any) -> None:
    async with life(opened) as one:
        one.clock.advance(60)
        await one.settle()
        one.clock.advance(DAY)
        await expire(one.kept.store, one.clock, HOUR)
        assert one.kept.places(WORD, NAME, ID) == []


@pytest.mark.parametrize("size", [40, 9000])
async def test_a_long_log_of_which_half_goes_leaves_nothing_in_any_page(opened: Any, size: int) -> None:
    """Pages that were split and joined while the log grew hold copies of what stood in them before."""
    clock = ManualClock()
    async with opened(clock) as kept:
        one = Life(kept, clock)
        await one.other("*architect")
        for n in range(40):
            await one.says(f"{n} " + f"{WORD} " * (size // 12 + n % 7))
            if n % 2:
                await one.other(f"{n} " + "other words " * (n % 11))
            if n % 10 == 9:
                await one.inbox.deleted(ROOM, one.said[-n % 5 - 1].id)
        await kept.store.forget_user(ID, "somebody")
        assert kept.places(WORD, NAME, ID) == []


@pytest.mark.parametrize("command", ["user", "conversation"])
def test_the_command_line_leaves_nothing(
    opened: Any,
    command: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def live() -> Callable[[], Iterator[tuple[str, bytes]]]:
        async with life(opened) as one:
            return one.kept.look

    look = asyncio.run(live())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GREENROOM_STORE__PATH", str(tmp_path / "state" / "greenroom.db"))
    if request.node.callspec.params["opened"] == "valkey":
        monkeypatch.setenv("GREENROOM_STORE__URL", request.getfixturevalue("server").url)
    for name in [ID] if command == "user" else [room.key for room in ROOMS]:
        assert main(["forget", command, name]) == 0, capsys.readouterr().err
    assert not [where for where, kept in look() if any(mark.encode() in kept for mark in (WORD, NAME, ID))]


# ---------------------------------------------------------------- documents

META = f'{{"by": {{"user": "{ID}", "name": "{NAME}"}}, "approved_by": [{{"user": "{ID}", "name": "{NAME}"}}]}}'


@pytest.mark.parametrize("how", ["delete", "forget", "expire"])
async def test_of_a_document_that_is_gone_nothing_is_left(opened: Callable[[ManualClock], Any], how: str) -> None:
    clock = ManualClock()
    async with opened(clock) as kept:
        documents, space = kept.store.documents, ROOM.key
        await documents.settle(f"fake:team:{ID}", space)
        await documents.write("k1", space, f"{WORD}.md", 0, WORD * 3000, META)
        await documents.write("k2", space, f"{WORD}.md", 1, WORD, META)
        assert kept.places(WORD) and kept.places(NAME)
        match how:
            case "delete":
                await documents.delete("k3", space, f"{WORD}.md", 2)
            case "forget":
                await documents.forget(space)
            case _:
                clock.advance(2 * HOUR)
                await documents.expire(HOUR)
                clock.advance(DAY)
                assert (await documents.expire(HOUR))[0] == 1
        assert kept.places(WORD, NAME) == []
        if how == "forget":
            assert kept.places(ID) == []


async def test_of_a_person_only_the_texts_of_documents_say_anything(opened: Callable[[ManualClock], Any]) -> None:
    async with opened(ManualClock()) as kept:
        documents = kept.store.documents
        await documents.settle(f"fake:team:{ID}", "fake:team:D1")
        await documents.write("k1", ROOM.key, "a.md", 0, "words of nobody", META)
        await documents.write("k2", ROOM.key, "b.md", 0, f"as {NAME} wished", META)
        assert kept.places(ID) and len(kept.places(NAME)) > 0

        found = await documents.forget_user(ID, "somebody")

        assert found.mentions == ((ROOM.key, "b.md", 2),) and found.versions == 2
        assert kept.places(ID) == []
        await documents.delete("k3", ROOM.key, "b.md", 2)
        assert kept.places(NAME) == []
