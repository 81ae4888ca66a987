"""What is Redis's own about the Redis store: restarts, lost connections, replicas, hints, keys and their time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis

from bot.core.events import Usage
from bot.core.steps import Record
from bot.ports.budgets import Amount, Balance, Limit, Reservation
from bot.ports.mailbox import Claim, Left, MailboxFullError, Message
from bot.ports.store import Store
from bot.ports.upkeep import Erased
from bot.stores import redis as redis_store
from bot.stores import redis_hints, redis_link
from bot.stores.errors import StoreError, StoreRefusedError
from bot.stores.exporting import Dumped, to_json
from bot.stores.redis import RedisStore
from bot.stores.redis_link import script
from tests.contract.redis_server import Server, running, running_cluster
from tests.contract.store_contract import (
    HOUR,
    LEASE,
    OTHER,
    ROOM,
    VERSION,
    command,
    drain,
    finish,
    ids,
    nothing_is_due,
    plain,
    send,
    take,
)

CHECKOUT = Path(__file__).parents[3]
SLACK = frozenset({"slack"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("valkey")) as started:
        yield started


@pytest.fixture
def admin(server: Server) -> Iterator[redis.Redis]:
    """Looks into an empty server."""
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
async def store(server: Server, admin: redis.Redis) -> AsyncIterator[RedisStore]:
    async with opened(server.url) as one:
        yield one


@asynccontextmanager
async def opened(url: str, partitions: int = 1, patience: float = 5.0) -> AsyncIterator[RedisStore]:
    one = await RedisStore.open(url, partitions=partitions, patience=patience)
    try:
        yield one
    finally:
        await one.close()


# ---------------------------------------------------------------- restarts


async def test_a_killed_server_comes_back_with_everything_that_was_accepted(tmp_path: Path) -> None:
    with running(tmp_path, "--appendonly", "yes") as server:
        async with opened(server.url) as store:
            assert store.warnings() == ()
            await send(store, plain("m0", 0), plain("m1", 1), plain("m2", 2))
            await finish(store, await take(store), "state", ("line",))
            claim = await take(store)
            await store.checkpoint(claim, "turn", VERSION)
            await store.control(ROOM, command("stop", 3))
            await store.spend("k", ROOM, Usage(1, 2, 3, 4, "opus"))
            await store.audit("k", ROOM, Record("approve", "U1"))

            server.kill()
            server.start()

            assert await store.flagged(claim) == command("stop", 3)
            assert await store.release(claim)
            again = await take(store)
            assert (ids(again), again.state, again.turn) == (["m1"], "state", "turn")
            assert await store.log(ROOM) == ("line",)
            assert await store.spent(ROOM) == (Usage(1, 2, 3, 4, "opus"),)
            assert await store.audited(ROOM) == (Record("approve", "U1"),)
            assert not await store.enqueue(ROOM, plain("m2", 2))


async def test_a_call_waits_for_a_server_that_is_away_for_a_moment(tmp_path: Path) -> None:
    with running(tmp_path, "--appendonly", "yes") as server:
        async with opened(server.url) as store:
            server.kill()
            sending = asyncio.create_task(store.enqueue(ROOM, plain("m1", 1)))
            await asyncio.sleep(0.1)
            assert not sending.done()

            await asyncio.to_thread(server.start)

            assert await sending
            assert await drain(store) == ["m1"]


async def test_a_server_that_stays_away_is_told_and_a_waiting_worker_wakes_to_hear_it(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        store = await RedisStore.open(server.url, patience=0.2)
        assert await nothing_is_due(store)
        waiting = asyncio.create_task(store.wait(60))
        await asyncio.sleep(0)
        server.kill()

        async with asyncio.timeout(10):
            await waiting
        with pytest.raises(StoreError, match=rf"127.0.0.1:{server.port}, database 0 cannot be reached"):
            await store.claim("w1", LEASE, VERSION)
        await store.close()


async def test_a_server_that_forgot_the_scripts_learns_them_again(store: RedisStore, admin: redis.Redis) -> None:
    await send(store, plain("m1", 1))
    admin.script_flush()

    assert ids(await take(store)) == ["m1"]


# ---------------------------------------------------------------- lost connections


class Proxy:
    """Stands before a server, and cuts the connection instead of passing on one reply."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self._marker = b""
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def before(cls, server: Server) -> AsyncIterator[tuple[Proxy, str]]:
        proxy = cls(server.port)
        listening = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
        async with listening:
            yield proxy, f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        await asyncio.gather(*proxy._tasks, return_exceptions=True)

    def cut_the_reply_to(self, marker: str) -> None:
        """The next request that holds the marker reaches the server, its reply reaches nobody."""
        self._marker = marker.encode()

    @property
    def has_cut(self) -> bool:
        return not self._marker

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        is_cut = False

        async def requests() -> None:
            nonlocal is_cut
            while data := await reader.read(65536):
                if self._marker and self._marker in data:
                    self._marker, is_cut = b"", True
                up_writer.write(data)
            up_writer.close()

        task = asyncio.create_task(requests())
        self._tasks.add(task)
        while (data := await up_reader.read(65536)) and not is_cut:
            writer.write(data)
        writer.close()
        up_writer.close()


RESERVED = Reservation(True, "", (Balance(Amount(5, 5)),))
Call = Callable[[Store, Claim], Awaitable[object]]
MOVED = to_json(OTHER, Dumped(1.0, state="moved", taken=(plain("m1", 1),), log=("line",), usage=(Usage(1),), turn="t"))


async def forget_a_person(store: Store, _: Claim) -> object:
    await store.enqueue(ROOM, Message("m9", '{"user":"U1","text":"secret"}', 9))
    return await store.forget_user("U1", "somebody")


async def replay(store: Store, claim: Claim) -> object:
    await store.bury(claim, "over")
    return await store.replay((await store.dead())[0].id, "again")


async def put_a_post(store: Store, _: Claim) -> object:
    return await store.posts.put(ROOM, "p1", "words")


CALLS: dict[str, tuple[Call, object]] = {
    "enqueue": (lambda store, _: store.enqueue(ROOM, plain("m9", 9)), True),
    "amend": (lambda store, _: store.amend(ROOM, "m2", None), True),
    "control": (lambda store, _: store.control(ROOM, command("stop", 9)), True),
    "renew": (lambda store, claim: store.renew(claim, LEASE), True),
    "checkpoint": (lambda store, claim: store.checkpoint(claim, "turn", VERSION), True),
    "commit": (lambda store, claim: finish(store, claim, "state", ("line",), follow_up=command("next", 9)), True),
    "retry": (lambda store, claim: store.retry(claim, 0), True),
    "release": (lambda store, claim: store.release(claim), True),
    "put_back": (lambda store, claim: store.put_back(claim, 0), True),
    "bury": (lambda store, claim: store.bury(claim, "over", Left("state", VERSION, ("line",))), True),
    "spend": (lambda store, _: store.spend("k", ROOM, Usage(1, 1, 1, 1, "opus")), None),
    "audit": (lambda store, _: store.audit("k", ROOM, Record("approve", "U1")), None),
    "stats": (lambda store, _: store.stats(), None),
    "throttle": (lambda store, _: store.throttle("U1", 1, 1), 0.0),
    "reserve": (lambda store, _: store.reserve("k", "day", Amount(5, 5), [Limit("all", 9)]), RESERVED),
    "grant": (lambda store, _: store.grant("k", "all", "day", Amount(5, 5)), True),
    "stored": (lambda store, _: store.blank(ROOM, "m1"), False),
    "wipe": (lambda store, _: store.forget(ROOM), Erased(1, messages=2)),
    "restore": (lambda store, _: store.restore(OTHER, MOVED), True),
    "rewrite": (forget_a_person, Erased(1, messages=1)),
    "replay": (replay, True),
    "posts": (put_a_post, 1),
}


async def test_a_refusal_whose_reply_was_lost_is_a_refusal_all_the_same(server: Server, admin: redis.Redis) -> None:
    admin.flushall()
    async with Proxy.before(server) as (proxy, url), opened(url) as store:
        store._cap = 1
        await send(store, plain("m1", 1))
        admin.script_load(script("enqueue").text)
        proxy.cut_the_reply_to(script("enqueue").sha)
        with pytest.raises(MailboxFullError):
            await store.enqueue(ROOM, plain("m2", 2))
        assert not await store.enqueue(ROOM, plain("m2", 2)), "this is another call"


MARKS = ("given", "claimed", "at", "wiped")


async def everything(store: RedisStore, admin: redis.Redis) -> dict[str, object]:
    """All that a call may have changed, but for times and what marks the call itself."""
    conv = admin.hgetall(f"gr:{{0}}:conv:{ROOM}")
    assert isinstance(conv, dict)
    letters = [(letter.messages, letter.reason) for letter in await store.dead()]
    counts = await store.stats()
    return {
        "conv": {field: value for field, value in conv.items() if field not in MARKS},
        "mail": admin.zrange(f"gr:{{0}}:mail:{ROOM}", 0, -1),
        "taken": admin.lrange(f"gr:{{0}}:taken:{ROOM}", 0, -1),
        "counts": (counts.waiting, counts.in_flight, counts.dead),
        "rest": (letters, await store.log(ROOM), await store.spent(ROOM), await store.audited(ROOM)),
        "budget": await store.budget("all", "day"),
        "elsewhere": await store.dump(OTHER),
        "posts": [(kept.number, kept.body) for kept in await store.posts.page(ROOM)],
    }


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_whose_reply_was_lost_is_answered_as_if_it_were_not(
    server: Server, admin: redis.Redis, name: str
) -> None:
    call, answer = CALLS[name]
    outcomes = []
    async with Proxy.before(server) as (proxy, url), opened(url) as store:
        for lost in (False, True):
            admin.flushall()
            await send(store, plain("m1", 1), plain("m2", 2))
            claim = await take(store)
            admin.script_load(script(name).text)
            if lost:
                proxy.cut_the_reply_to(script(name).sha)

            got = await call(store, claim)

            assert proxy.has_cut
            assert answer is None or got == answer
            outcomes.append(await everything(store, admin))
    assert outcomes[0] == outcomes[1]


async def test_a_claim_whose_reply_was_lost_brings_what_it_had_claimed(server: Server, admin: redis.Redis) -> None:
    async with Proxy.before(server) as (proxy, url), opened(url) as store:
        await send(store, plain("m1", 1))
        await send(store, plain("m1", 1), to=OTHER)
        admin.script_load(script("claim").text)
        proxy.cut_the_reply_to(script("claim").sha)

        first, second = await take(store), await take(store)

        assert {first.conversation, second.conversation} == {ROOM, OTHER}
        assert (first.fence, first.expiries) == (1, 0)
        assert await nothing_is_due(store)


async def test_connections_cut_all_the_time_lose_nothing_and_double_nothing(server: Server, admin: redis.Redis) -> None:
    """Senders and two workers go on while somebody kills every client's connection again and again."""
    rooms = (ROOM, OTHER, "discord:G1:C1")
    sent = {room: [f"m{n}" for n in range(60)] for room in rooms}
    committed: dict[str, list[str]] = defaultdict(list)
    owed = sum(map(len, sent.values()))
    cuts = 0

    async def sender(store: Store, room: str) -> None:
        for n, id in enumerate(sent[room]):
            assert await store.enqueue(room, plain(id, n))

    async def worker(store: Store) -> None:
        while sum(map(len, committed.values())) < owed:
            claim = await store.claim("w", LEASE, VERSION, 3)
            if claim is None:
                await store.wait(0.05)
                continue
            assert await store.checkpoint(claim, "turn", VERSION)
            if not await finish(store, claim, log=tuple(ids(claim))):
                # It took effect, and before it was sent again the other worker had ended a turn behind it.
                assert set(ids(claim)) <= set(await store.log(claim.conversation))
            committed[claim.conversation] += ids(claim)

    async def cutter() -> None:
        nonlocal cuts
        while sum(map(len, committed.values())) < owed:
            killed = admin.client_kill_filter(_type="normal", skipme=True)
            cuts += bool(killed)
            await asyncio.sleep(0.02)

    async with opened(server.url) as one, opened(server.url) as two:
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            for room in rooms:
                group.create_task(sender(one, room))
            group.create_task(worker(one))
            group.create_task(worker(two))
            group.create_task(cutter())
        for room in rooms:
            assert sorted(committed[room]) == sorted(sent[room])
            assert list(await one.log(room)) == sent[room]
    assert cuts > 2


# ---------------------------------------------------------------- replicas, memory, rights


async def test_a_replica_is_refused_and_its_primary_named(server: Server, tmp_path: Path) -> None:
    with (
        running(tmp_path, "--replicaof", f"127.0.0.1 {server.port}") as replica,
        pytest.raises(StoreError, match=rf"read-only replica. Name its primary .* 127.0.0.1:{server.port}"),
    ):
        await RedisStore.open(replica.url)


async def test_a_primary_that_became_a_replica_is_told_and_used_again_when_it_is_one_no_more(tmp_path: Path) -> None:
    with running(tmp_path) as server, redis.Redis.from_url(server.url) as admin:
        async with opened(server.url) as store:
            store._link._patience = 0.2
            await send(store, plain("m1", 1))
            admin.replicaof("127.0.0.1", "1")

            with pytest.raises(StoreError, match=r"read-only replica. Name its primary"):
                await store.enqueue(ROOM, plain("m2", 2))

            admin.replicaof("NO", "ONE")
            assert await store.enqueue(ROOM, plain("m2", 2))
            assert await drain(store) == ["m1", "m2"]


async def test_after_a_failover_the_address_leads_to_the_new_primary(server: Server, tmp_path: Path) -> None:
    with running(tmp_path) as heir, redis.Redis.from_url(server.url) as admin:
        admin.flushall()
        async with Proxy.before(server) as (proxy, url), opened(url) as store:
            await send(store, plain("m1", 1))
            admin.replicaof("127.0.0.1", str(heir.port))
            proxy.upstream = heir.port
            try:
                assert await store.enqueue(ROOM, plain("m2", 2))
            finally:
                admin.replicaof("NO", "ONE")
        async with opened(heir.url) as store:
            assert await drain(store) == ["m2"]


async def test_full_memory_is_told_and_changes_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as server, redis.Redis.from_url(server.url) as admin:
        async with opened(server.url) as store:
            await send(store, plain("m1", 1))
            admin.config_set("maxmemory", 1)

            with pytest.raises(StoreError, match=r"has its memory full, .* Nothing was changed"):
                await store.enqueue(ROOM, plain("m2", 2))

            admin.config_set("maxmemory", 0)
            assert await store.enqueue(ROOM, plain("m2", 2))
            assert await drain(store) == ["m1", "m2"]


async def test_a_user_without_the_right_to_write_is_told(server: Server, admin: redis.Redis) -> None:
    admin.acl_setuser("reader", enabled=True, passwords=["+Geheim"], categories=["+@read", "+@connection"], keys=["*"])
    admin.acl_setuser("reader", enabled=True, commands=["+info"], keys=["*"])

    with pytest.raises(StoreError, match=r"refuses: .*permission") as told:
        await RedisStore.open(f"redis://reader:Geheim@127.0.0.1:{server.port}")

    assert "Geheim" not in str(told.value)


async def test_a_server_that_cannot_write_its_file_is_the_stores_failure_and_not_the_calls(
    store: RedisStore, admin: redis.Redis
) -> None:
    admin.acl_setuser("default", enabled=True, nopass=True, categories=["+@all"], commands=["-zadd"], keys=["*"])
    try:
        with pytest.raises(StoreError, match=r"refuses: .*Nothing was changed") as told:
            await store.enqueue(ROOM, plain("m1", 1))
    finally:
        admin.acl_setuser("default", enabled=True, nopass=True, categories=["+@all"], keys=["*"])

    assert not isinstance(told.value, StoreRefusedError)


async def test_a_call_that_the_server_can_never_take_is_told_apart(store: RedisStore, admin: redis.Redis) -> None:
    admin.set(f"gr:{{0}}:mail:{ROOM}", "a text, where a set has to be")

    with pytest.raises(StoreRefusedError, match=r"cannot take this: .*wrong kind of value"):
        await store.enqueue(ROOM, plain("m1", 1))


async def test_after_a_lost_connection_a_refusal_does_not_say_that_nothing_was_changed(
    server: Server, admin: redis.Redis
) -> None:
    async with Proxy.before(server) as (proxy, url), opened(url) as store:
        await send(store, plain("m1", 1))
        admin.script_load(script("audit").text)
        proxy.cut_the_reply_to(script("audit").sha)
        auditing = asyncio.create_task(store.audit("k", ROOM, Record("approve", "U1")))
        while not proxy.has_cut:  # noqa: ASYNC110  # the proxy tells nobody
            await asyncio.sleep(0)
        await asyncio.sleep(0.02)
        admin.set(f"gr:{{0}}:audit-keys:{ROOM}", "a text, where a set has to be")

        with pytest.raises(StoreRefusedError, match=r"may have taken effect"):
            await auditing


async def test_a_server_that_hides_its_settings_is_used_all_the_same(server: Server, admin: redis.Redis) -> None:
    admin.acl_setuser("guest", enabled=True, nopass=True, categories=["+@all"], commands=["-config"], keys=["*"])

    async with opened(f"redis://guest:x@127.0.0.1:{server.port}") as store:
        await send(store, plain("m1", 1))
        assert await drain(store) == ["m1"]


# ---------------------------------------------------------------- opening


async def test_a_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    with running(tmp_path, "--requirepass", "Geheim1") as server:
        for url in (f"redis://:Falsch7@127.0.0.1:{server.port}", server.url):
            with pytest.raises(StoreError, match="refuses the user or the password") as told:
                await RedisStore.open(url)
            assert "Falsch7" not in str(told.value)
        async with opened(f"redis://:Geheim1@127.0.0.1:{server.port}") as store:
            assert await nothing_is_due(store)


async def test_nobody_at_the_address_is_told(unused_port: int) -> None:
    with pytest.raises(StoreError, match=rf"127.0.0.1:{unused_port} cannot be reached") as told:
        await RedisStore.open(f"redis://:Geheim@127.0.0.1:{unused_port}", patience=0.1)
    assert "Geheim" not in str(told.value)


@pytest.fixture
async def unused_port() -> int:
    async with await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0) as listening:
        port: int = listening.sockets[0].getsockname()[1]
    return port


async def test_a_server_of_another_kind_is_told() -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(web, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(StoreError, match=rf"What answers at 127.0.0.1:{port} is no Redis server"):
            await RedisStore.open(f"redis://127.0.0.1:{port}", patience=0.1)


async def test_a_server_that_never_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_link, "_CALL_SECONDS", 0.1)
    over = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(StoreError, match=rf"127.0.0.1:{port} does not answer"):
            await RedisStore.open(f"redis://127.0.0.1:{port}", patience=0.3)
        over.set()


async def test_the_number_of_partitions_is_fixed_once_it_is_chosen(server: Server, admin: redis.Redis) -> None:
    async with opened(server.url, partitions=4):
        pass

    with pytest.raises(StoreError, match=r"cut into partitions: 4, but the settings say 1"):
        await RedisStore.open(server.url)


async def test_keys_of_another_layout_are_left_alone(server: Server, admin: redis.Redis) -> None:
    for layout in ("1", "1000"):
        admin.hset("gr:{0}:about", "layout", layout)

        with pytest.raises(StoreError, match=f"have layout {layout}, this build knows 2"):
            await RedisStore.open(server.url)


@pytest.mark.parametrize(
    ("option", "value"),
    [("mailbox_cap", 0), ("partitions", 0), ("partitions", 1025), ("prefix", "a{b}"), ("prefix", "")],
)
async def test_a_number_out_of_bounds_is_refused_by_name(server: Server, option: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{option} is {value!r}"):
        await RedisStore.open(server.url, **{option: value})  # type: ignore[arg-type]


def test_without_the_package_redis_it_is_said_how_to_get_it() -> None:
    program = "import sys; sys.modules['redis'] = None; import bot.stores.redis"
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "-m pip install " in done.stderr and "[redis]" in done.stderr


async def test_a_closed_store_says_so(server: Server, admin: redis.Redis) -> None:
    store = await RedisStore.open(server.url)
    await store.close()

    calls = (store.enqueue(ROOM, plain("m1", 1)), store.peek(ROOM), store.claim("w", LEASE, VERSION), store.dead())
    for call in calls:
        with pytest.raises(StoreError, match="is closed"):
            await call
    await store.wait(60)


# ---------------------------------------------------------------- several stores on one server


async def test_mail_by_one_store_wakes_another_that_waits(
    store: RedisStore, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_hints, "POLL_SECONDS", 60)
    async with opened(server.url) as other:
        waiting = await idle(other, SLACK)

        await send(store, plain("m1", 1))

        async with asyncio.timeout(5):
            await waiting
        assert ids(await take(other)) == ["m1"]


async def test_who_waits_for_all_platforms_is_woken_for_each_that_was_ever_seen(
    store: RedisStore, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(store, plain("m1", 1), to="discord:G1:C1")
    await drain(store)
    monkeypatch.setattr(redis_hints, "POLL_SECONDS", 60)
    async with opened(server.url) as other:
        waiting = await idle(other, None)

        await send(store, plain("m2", 2), to="discord:G1:C1")

        async with asyncio.timeout(5):
            await waiting


async def test_a_hint_wakes_a_worker_of_its_platform_and_is_not_taken_by_another(
    store: RedisStore, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_hints, "POLL_SECONDS", 60)
    async with opened(server.url) as on_slack, opened(server.url) as on_discord:
        waits = [await idle(on_slack, SLACK), await idle(on_discord, frozenset({"discord"}))]

        await send(store, plain("m1", 1), to="discord:G1:C1")

        async with asyncio.timeout(5):
            await waits[1]
        assert not waits[0].done()
        await send(store, plain("m1", 1))
        async with asyncio.timeout(5):
            await waits[0]


async def idle(store: RedisStore, platforms: frozenset[str] | None) -> asyncio.Task[None]:
    """A worker of those platforms that found nothing and waits."""
    assert await store.claim("w", LEASE, VERSION, platforms=platforms) is None
    waiting = asyncio.create_task(store.wait(60, platforms))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    return waiting


async def test_what_others_have_waiting_costs_a_claim_nothing(store: RedisStore, admin: redis.Redis) -> None:
    for n in range(2_000):
        admin.zadd("gr:{0}:due:discord", {f"discord:G1:C{n}": 1})
    await store.claim("w", LEASE, VERSION, platforms=SLACK)
    admin.config_resetstat()

    assert await store.claim("w", LEASE, VERSION, platforms=SLACK) is None
    assert not await store._is_due(SLACK)
    assert (await store.stats(SLACK)).waiting == 0

    calls = admin.info("commandstats")
    assert isinstance(calls, dict)
    assert sum(stat["calls"] for stat in calls.values()) < 25


async def test_mail_whose_hint_got_lost_is_found_all_the_same(store: RedisStore) -> None:
    assert await nothing_is_due(store)
    waiting = asyncio.create_task(store.wait(60))
    await asyncio.sleep(0.05)
    body = (ROOM, "m1", f"{2**63:020d}", b"1000002m1hello", 500)
    assert await store._link.run("enqueue", "gr:{0}:", lambda: ("", 1000, 0), *body) == 1

    async with asyncio.timeout(5):
        await waiting

    assert ids(await take(store)) == ["m1"]


async def test_a_wait_ends_by_the_servers_time_when_a_lease_does(store: RedisStore) -> None:
    await send(store, plain("m1", 1))
    assert await store.claim("w1", 0.2, VERSION) is not None
    assert await nothing_is_due(store)

    async with asyncio.timeout(5):
        while (again := await store.claim("w2", LEASE, VERSION)) is None:
            await store.wait(60)

    assert (ids(again), again.expiries) == (["m1"], 1)


async def test_a_lease_taken_over_by_another_store_makes_the_first_claim_void(
    store: RedisStore, server: Server
) -> None:
    await send(store, plain("m1", 1))
    stale = await store.claim("w1", 0.01, VERSION)
    assert stale is not None
    await asyncio.sleep(0.02)
    async with opened(server.url) as other:
        good = await take(other)

        assert not await finish(store, stale)
        assert await finish(other, good)
    assert await drain(store) == []


async def test_a_cluster_does_what_a_single_server_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_hints, "POLL_SECONDS", 60)
    with running_cluster(tmp_path) as server:
        rooms = [f"slack:T1:C{n}" for n in range(12)]
        async with opened(server.url, partitions=8) as store, opened(server.url, partitions=8) as other:
            waiting = await idle(other, SLACK)
            for room in rooms:
                await send(store, plain("m1", 1), plain("m2", 2), to=room)
            async with asyncio.timeout(5):
                await waiting
            assert (await store.stats()).waiting == 24
            for room in rooms:
                claim = await take(other, together=2)
                assert (claim.conversation, ids(claim)) == (room, ["m1", "m2"])
                assert await finish(other, claim, "state", ("line",))
            assert await store.log(rooms[3]) == ("line",)
            assert await nothing_is_due(store)


async def test_what_operators_do_works_on_a_cluster_too(tmp_path: Path) -> None:
    with running_cluster(tmp_path) as server:
        rooms = [f"slack:T1:C{n}" for n in range(6)]
        async with opened(server.url, partitions=8) as store:
            for n, room in enumerate(rooms):
                await send(store, Message("m1", '{"user":"U1","name":"Ada","id":"m1","text":"secret"}', n + 1), to=room)
                await finish(store, await take(store), "state", ('{"kind":"said","who":"U1","id":"m1","text":"x"}',))
                await store.audit(f"k{n}", room, Record("approve", "U1"))
            assert await store.throttle("U1", 1, 1) == 0.0
            limits = [Limit(room, 10) for room in rooms]
            assert (await store.reserve("k", "day", Amount(5), limits)).allowed
            assert await store.settle("k", Amount(7))
            assert (await store.budget(rooms[5], "day")).spent == Amount(7)

            assert [info.key for info in await store.conversations()] == rooms
            assert await store.blank(rooms[0], "m1")
            assert (await store.forget_user("U1", "somebody")).records == 6
            assert {line.record.who for line in await store.trail()} == {"somebody"}
            dumped = await store.dump(rooms[1])
            assert dumped is not None and await store.restore("slack:T2:C9", dumped)
            assert (await store.forget(rooms[1])).entries == 1
            with redis.Redis.from_url(server.url, decode_responses=True) as admin:
                assert await expired(store, admin) == 6
            assert await store.conversations() == ()


async def test_counters_and_reservations_do_not_stay_for_ever(store: RedisStore, admin: redis.Redis) -> None:
    await store.throttle("U1", 6, 3)
    await store.reserve("k", "day", Amount(5), [Limit("all")])
    await store.grant("g", "all", "day", Amount(5))

    assert 0 < admin.ttl("gr:{0}:rate:U1") <= 10
    week, quarter = 7 * 24 * HOUR, 90 * 24 * HOUR
    for key in ("reservation:k", "granted:g"):
        assert week - 60 < admin.ttl(f"gr:{{0}}:{key}") <= week
    assert quarter - 60 < admin.ttl("gr:{0}:budget:day") <= quarter


async def test_what_is_left_of_a_forgotten_conversation_expires_with_the_others(
    store: RedisStore, admin: redis.Redis
) -> None:
    await send(store, plain("m1", 1))
    await take(store)

    await store.forget(ROOM)

    assert admin.exists(f"gr:{{0}}:conv:{ROOM}")
    assert not admin.exists(f"gr:{{0}}:taken:{ROOM}", f"gr:{{0}}:mail:{ROOM}")
    assert await expired(store, admin) == 0
    assert kinds_of(admin) - {"wake"} == {"about", "platforms", "seen"}


async def expired(store: RedisStore, admin: redis.Redis) -> int:
    """Two looks at everything, with what is noted made a day older in between; how many conversations are gone."""
    await store.expire(-1)
    for leaving in admin.keys("*:leaving"):
        for member in admin.zrange(leaving, 0, -1):
            admin.zincrby(leaving, -24 * HOUR * 1e6, str(member))
    return (await store.expire(-1)).gone


def kinds_of(admin: redis.Redis) -> set[str]:
    return {str(key).split(":")[2] for key in admin.keys("gr:*")}


# ---------------------------------------------------------------- keys and their time


async def test_only_ids_have_a_time_of_their_own_and_what_is_owed_stays(store: RedisStore, admin: redis.Redis) -> None:
    await send(store, plain("m1", 1))
    await finish(store, await take(store), "state", ("line",))
    await store.spend("k", ROOM, Usage(1, 1, 1, 1, "opus"))
    await store.audit("k", ROOM, Record("approve", "U1"))

    (seen,) = admin.keys("gr:{0}:seen:*")
    assert 25 * HOUR - 60 < admin.ttl(seen) <= 25 * HOUR
    lasting = [f"gr:{{0}}:{kind}:{ROOM}" for kind in ("conv", "log", "spent", "paid", "audit")]
    assert [admin.ttl(key) for key in lasting] == [-1] * 5
    assert admin.zrange("gr:{0}:idle", 0, -1) == [ROOM]

    await send(store, plain("m2", 2))
    assert await expired(store, admin) == 0
    assert admin.exists(*lasting) == 5

    await store.amend(ROOM, "m2", None)
    assert await expired(store, admin) == 1
    assert admin.exists(*lasting) == 1


async def test_usage_of_a_conversation_that_has_gone_expires_too(store: RedisStore, admin: redis.Redis) -> None:
    await store.spend("k", ROOM, Usage(1, 1, 1, 1, "opus"))

    await expired(store, admin)

    assert kinds_of(admin) == {"about"}


async def test_an_idle_conversation_leaves_no_mailbox_behind(store: RedisStore, admin: redis.Redis) -> None:
    await send(store, plain("m1", 1))
    await finish(store, await take(store), "state", ("line",))
    assert await nothing_is_due(store)

    assert kinds_of(admin) == {"about", "conv", "idle", "log", "names", "platforms", "seen"}


async def test_a_conversation_whose_messages_somebody_deleted_by_hand_does_not_stop_the_others(
    store: RedisStore, admin: redis.Redis
) -> None:
    await send(store, plain("m1", 1))
    await send(store, plain("m1", 1), to=OTHER)
    admin.delete(f"gr:{{0}}:mail:{ROOM}")

    assert (await take(store)).conversation == OTHER
    assert await nothing_is_due(store)


async def test_the_oldest_dead_letters_go_first(store: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_store, "DEAD_LETTERS", 3)
    for n in range(5):
        await send(store, plain(f"m{n}", n))
        await store.bury(await take(store), f"reason {n}")

    assert [letter.reason for letter in await store.dead()] == ["reason 4", "reason 3", "reason 2"]
    assert [letter.reason for letter in await store.dead(limit=1)] == ["reason 4"]
    assert await store.dead(limit=0) == ()


async def test_an_id_of_a_megabyte_is_refused(store: RedisStore) -> None:
    with pytest.raises(ValueError, match="id of a message has 1000000 bytes"):
        await store.enqueue(ROOM, plain("m" * 1_000_000, 1))


# ---------------------------------------------------------------- cancellation


async def test_a_cancelled_call_ends_as_cancelled_wherever_it_was(server: Server, admin: redis.Redis) -> None:
    for ticks in range(20):
        async with opened(server.url) as store:
            await store._link._reconnect()
            call = asyncio.create_task(store.renew(Claim(ROOM, 1, (plain("m1", 1),)), LEASE))
            for _ in range(ticks):
                await asyncio.sleep(0)
            if call.done():
                break
            call.cancel()

            await asyncio.wait({call})

            assert call.cancelled(), f"after {ticks} steps"
