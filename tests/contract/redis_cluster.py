"""A real Cluster of three nodes for tests: its slots move, its primaries die, as operators and machines do it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis.asyncio as client
from redis.crc import key_slot

from tests.contract.redis_server import Server, free_port, running

NODES = 3
SLOTS = 16384
_START_SECONDS = 30.0
_NODE_TIMEOUT_MILLIS = 2000

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
"""A killed node then has everything that it has answered."""


@dataclass(slots=True)
class Node:
    """A server of the Cluster, under the id that the others know it by."""

    server: Server
    id: str = ""

    async def tell(self, *command: str | int | bytes) -> object:
        """What the server answers. Raises RedisError."""
        async with client.Redis(host="127.0.0.1", port=self.server.port) as link:
            answer: object = await link.execute_command(*command)  # type: ignore[no-untyped-call]
            return answer


@dataclass(slots=True)
class Cluster:
    """The nodes; the first `NODES` began as primaries, each with a third of the slots."""

    nodes: list[Node]
    owners: dict[int, Node] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address of one of them."""
        return self.nodes[0].server.url

    def owner(self, slot: int) -> Node:
        """Who has that slot, after all moves so far."""
        return self.owners.get(slot, self.nodes[min(slot * NODES // SLOTS, NODES - 1)])

    async def begin_move(self, slot: int, to: Node) -> Node:
        """Tell both sides that the slot moves; from whom."""
        source = self.owner(slot)
        await to.tell("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        await source.tell("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id)
        return source

    async def move_keys(self, slot: int, source: Node, to: Node, most: int) -> int:
        """Move at most so many of the slot's keys, as `redis-cli --cluster reshard` does; how many."""
        keys = await source.tell("CLUSTER", "GETKEYSINSLOT", slot, most)
        assert isinstance(keys, list)
        if keys:
            await source.tell("MIGRATE", "127.0.0.1", to.server.port, "", 0, 5000, "KEYS", *keys)
        return len(keys)

    async def end_move(self, slot: int, source: Node, to: Node) -> None:
        """Tell everybody whose the slot is now, the new owner first."""
        others = [node for node in self.nodes[:NODES] if node not in (source, to)]
        for node in (to, source, *others):
            await node.tell("CLUSTER", "SETSLOT", slot, "NODE", to.id)
        self.owners[slot] = to

    async def move(self, slot: int, to: Node, pause: float = 0.0) -> None:
        """Move a slot, a few keys at a time, with a pause behind each few."""
        source = await self.begin_move(slot, to)
        while await self.move_keys(slot, source, to, 3):  # noqa: ASYNC110
            await asyncio.sleep(pause)
        await self.end_move(slot, source, to)

    async def whole(self) -> None:
        """Return when every node says that all slots are served."""
        async with asyncio.timeout(_START_SECONDS):
            for node in self.nodes:
                while not await self._is_whole(node):  # noqa: ASYNC110  # a server tells nobody
                    await asyncio.sleep(0.05)

    async def _is_whole(self, node: Node) -> bool:
        try:
            found = await node.tell("CLUSTER", "INFO")
        except (OSError, client.RedisError):
            return False
        return "cluster_state:ok" in str(found)


def slot_of(partition: int) -> int:
    """The slot in which all keys of a store's partition lie: that of their hash tag."""
    return int(key_slot(f"{{{partition}}}".encode()))


@contextmanager
def three_nodes(folder: Path, *options: str, replicas: int = 0) -> Iterator[Cluster]:
    """A Cluster of three primaries, and so many further nodes that each follow one of them."""
    with ExitStack() as stack:
        nodes = []
        for n in range(NODES + replicas):
            of_cluster = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
            timeout = ("--cluster-node-timeout", str(_NODE_TIMEOUT_MILLIS), *options)
            nodes.append(Node(stack.enter_context(running(folder / f"node{n}", *of_cluster, *timeout))))
        for n, node in enumerate(nodes):
            node.id = _answered(node.server.ask("CLUSTER MYID"))
            node.server.ask(f"CLUSTER SET-CONFIG-EPOCH {n + 1}")
        for n, node in enumerate(nodes[:NODES]):
            first, last = -(-n * SLOTS // NODES), -(-(n + 1) * SLOTS // NODES) - 1
            node.server.ask(f"CLUSTER ADDSLOTSRANGE {first} {last}")
        for node in nodes[1:]:
            bus = nodes[0].server.option("--cluster-port")
            node.server.ask(f"CLUSTER MEET 127.0.0.1 {nodes[0].server.port} {bus}")
        _until(lambda: all(b"cluster_state:ok" in node.server.ask("CLUSTER INFO") for node in nodes[:NODES]))
        _until(lambda: all(_knows(node, len(nodes)) for node in nodes))
        for n, node in enumerate(nodes[NODES:]):
            _until(lambda node=node, n=n: node.server.ask(f"CLUSTER REPLICATE {nodes[n % NODES].id}") == b"+OK\r\n")
            _until(lambda node=node: b"master_link_status:up" in node.server.ask("INFO replication"))
        yield Cluster(nodes)


def _knows(node: Node, count: int) -> bool:
    return f"cluster_known_nodes:{count}".encode() in node.server.ask("CLUSTER INFO")


def _answered(reply: bytes) -> str:
    return reply.split(b"\r\n")[1].decode()


def _until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + _START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("the Cluster does not come up")
        time.sleep(0.05)


__all__ = ["DURABLE", "NODES", "Cluster", "Node", "slot_of", "three_nodes"]
