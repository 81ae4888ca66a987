"""The Redis store on a Cluster of three nodes whose slots move and whose primaries die: it pauses, nothing is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest
from redis.crc import key_slot

from bot.ports.documents import Written
from bot.ports.mailbox import StoreError, StoreRefusedError
from bot.stores.redis import RedisStore
from tests.contract.redis_cluster import DURABLE, NODES, Cluster, slot_of, three_nodes
from tests.contract.store_contract import VERSION, finish, ids, plain, send, take

PARTITIONS = 4
LEASE = 2.0
PAUSE = 0.05


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with three_nodes(tmp_path_factory.mktemp("cluster"), *DURABLE) as found:
        yield found


def room(n: int) -> str:
    return f"slack:T1:C{n}"


T = TypeVar("T")
P = ParamSpec("P")


async def insisted(call: Callable[P, Awaitable[T]], *values: P.args, **named: P.kwargs) -> T:
    """What a call gives that is made again while the store is away. Raises StoreRefusedError."""
    while True:
        try:
            return await call(*values, **named)
        except StoreRefusedError:
            raise
        except StoreError:
            await asyncio.sleep(PAUSE)


@dataclass(slots=True)
class Load:
    """People who write and workers who carry turns, over stores of their own, until every message is answered.

    `acted` counts what workers did between claim and commit, once for each message and fence, as a platform would see.
    """

    stores: list[RedisStore]
    rooms: int
    messages: int
    answered: int = 0
    acted: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Everything at once."""
        async with asyncio.TaskGroup() as tasks:
            for n in range(self.rooms):
                tasks.create_task(self._writes(self.stores[n % len(self.stores)], room(n)))
            for n, store in enumerate(self.stores):
                tasks.create_task(self._works(store, f"w{n}"))

    async def _writes(self, store: RedisStore, where: str) -> None:
        for n in range(self.messages):
            # Said twice, as a platform does that was not answered in time.
            for _ in range(2):
                await insisted(store.enqueue, where, plain(f"m{n}", n))
            await asyncio.sleep(0.005)

    async def _works(self, store: RedisStore, worker: str) -> None:
        while self.answered < self.rooms * self.messages:
            claim = await insisted(store.claim, worker, LEASE, VERSION)
            if claim is None:
                await asyncio.sleep(0.01)
                continue
            key = f"{claim.conversation} {claim.head.id}"
            if not await insisted(store.checkpoint, claim, "turn", VERSION):
                continue
            if await insisted(store.commit, claim, "state", VERSION, [key], floor_open=False, used_flag=False):
                self.acted[key] += 1
                self.answered += 1

    async def is_sound(self) -> None:
        """Every message was answered once and in order, by what is stored and by what the workers know."""
        for n in range(self.rooms):
            log = await self.stores[0].log(room(n))
            assert list(log) == [f"{room(n)} m{i}" for i in range(self.messages)]
        assert set(self.acted.values()) == {1}
        stats = await self.stores[0].stats()
        assert (stats.waiting, stats.in_flight, stats.dead) == (0, 0, 0)


async def opened(cluster: Cluster, prefix: str) -> list[RedisStore]:
    """Three stores on the same keys, as three replicas have them."""
    return [await RedisStore.open(cluster.url, partitions=PARTITIONS, prefix=prefix, patience=0.5) for _ in range(3)]


@pytest.fixture
async def stores(cluster: Cluster, request: pytest.FixtureRequest) -> AsyncIterator[list[RedisStore]]:
    found = await opened(cluster, request.node.name)
    yield found
    for store in found:
        await store.close()


async def test_a_conversation_whose_slot_is_half_moved_is_neither_lost_nor_begun_anew(
    cluster: Cluster, stores: list[RedisStore]
) -> None:
    store = stores[0]
    for n in range(8):
        await send(store, plain("m1", 1), to=room(n))
        await finish(store, await take(store), f"state of {room(n)}", ("said",))
    slots = {slot_of(p) for p in range(PARTITIONS)}
    moved = []
    for slot in slots:
        to = next(node for node in cluster.nodes if node is not cluster.owner(slot))
        source = await cluster.begin_move(slot, to)
        await cluster.move_keys(slot, source, to, 3)
        moved.append((slot, source, to))

    for n in range(8):
        with pytest.raises(StoreError) as caught:
            await store.enqueue(room(n), plain("m2", 2))
        assert not isinstance(caught.value, StoreRefusedError)
    with pytest.raises(StoreError):
        await store.claim("w1", LEASE, VERSION)

    for slot, source, to in moved:
        while await cluster.move_keys(slot, source, to, 100):
            pass
        await cluster.end_move(slot, source, to)
    for n in range(8):
        assert not await insisted(store.enqueue, room(n), plain("m1", 1)), "it was seen before"
        assert await store.enqueue(room(n), plain("m2", 2))
    states = []
    for _ in range(8):
        claim = await take(store)
        assert ids(claim) == ["m2"]
        states.append(claim.state == f"state of {claim.conversation}")
        await finish(store, claim, log=("said again",))
    assert all(states)
    assert [await store.log(room(n)) for n in range(8)] == [("said", "said again")] * 8


@pytest.mark.timeout(330)
async def test_slots_that_move_under_load_lose_nothing_and_double_nothing(
    cluster: Cluster, stores: list[RedisStore], soak: bool
) -> None:
    load = Load(stores, rooms=24 if soak else 8, messages=150 if soak else 25)
    running = asyncio.create_task(load.run())
    slots = sorted({slot_of(p) for p in range(PARTITIONS)})
    moves = 0
    while moves < (60 if soak else 8) and not running.done():
        slot = slots[moves % len(slots)]
        place = cluster.nodes.index(cluster.owner(slot))
        await cluster.move(slot, cluster.nodes[(place + 1 + moves % 2) % NODES], pause=0.002)
        moves += 1
        await asyncio.sleep(0.05)
    await running

    assert moves >= 4
    await load.is_sound()


@pytest.mark.timeout(330)
async def test_documents_whose_slot_moves_while_they_are_written_have_every_version_once(
    cluster: Cluster, stores: list[RedisStore], soak: bool
) -> None:
    space, each = room(1), 100 if soak else 25
    slot = int(key_slot(stores[0].documents._root(space).encode()))

    async def writes(store: RedisStore, who: int) -> None:
        for n in range(each):
            while True:
                stands = await insisted(store.documents.read, space, "a.md")
                base = stands.version if stands else 0
                done = await insisted(store.documents.write, f"k{who}-{n}-{base}", space, "a.md", base, f"{who} {n}")
                if isinstance(done, Written):
                    break

    running = asyncio.ensure_future(asyncio.gather(*(writes(store, n) for n, store in enumerate(stores))))
    moves = 0
    while not running.done():
        place = cluster.nodes.index(cluster.owner(slot))
        await cluster.move(slot, cluster.nodes[(place + 1) % NODES], pause=0.002)
        moves += 1
        await asyncio.sleep(0.05)
    await running

    history = await insisted(stores[0].documents.history, space, "a.md")
    texts = [await insisted(stores[0].documents.read, space, "a.md", version.version) for version in history]
    assert [version.version for version in history] == list(range(1, each * len(stores) + 1))
    assert sorted(found.text for found in texts if found) == sorted(
        f"{who} {n}" for who in range(len(stores)) for n in range(each)
    )
    assert moves >= 1


@pytest.mark.timeout(330)
async def test_a_primary_that_is_killed_and_comes_back_loses_nothing(
    cluster: Cluster, stores: list[RedisStore], soak: bool
) -> None:
    load = Load(stores, rooms=8, messages=100 if soak else 25)
    running = asyncio.create_task(load.run())
    for n in range(6 if soak else 1):
        while load.answered < 20 * (n + 1) and not running.done():  # noqa: ASYNC110  # counted by others
            await asyncio.sleep(0.01)
        victim = cluster.owner(slot_of(n % PARTITIONS))
        victim.server.kill()
        await asyncio.sleep(0.3)
        victim.server.start()
        await cluster.whole()
    await running

    await load.is_sound()


@pytest.mark.parametrize("how", ["told to", "killed"])
async def test_a_replica_that_takes_over_for_its_primary_goes_on_with_everything(
    tmp_path: Path, soak: bool, how: str
) -> None:
    if how == "killed" and not soak:
        pytest.skip("replication is asynchronous, so a killed primary may take what it has just answered with it")
    with three_nodes(tmp_path, *DURABLE, replicas=1) as cluster:
        stores = await opened(cluster, "taken-over")
        load = Load(stores, rooms=8, messages=40)
        running = asyncio.create_task(load.run())
        while load.answered < 30:  # noqa: ASYNC110  # counted by others
            await asyncio.sleep(0.01)
        primary, follower = cluster.nodes[0], cluster.nodes[NODES]
        if how == "killed":
            primary.server.kill()
        else:
            await follower.tell("CLUSTER", "FAILOVER")
        while b"role:master" not in follower.server.ask("INFO replication"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await running

        await load.is_sound()
        for store in stores:
            await store.close()
