"""Two replicas, one Redis, one platform, and people who talk: what the chaos tests begin with and end with."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bot.core.model import Conversation
from bot.stores.redis import RedisStore
from tests.chaos.fleet import Fleet
from tests.chaos.people import Floor, Person
from tests.chaos.platform import Call, Platform
from tests.chaos.verdict import differences
from tests.contract.redis_cluster import Cluster, three_nodes
from tests.contract.redis_server import Server, running

CALM_SECONDS = 1.0
LEAVING_SECONDS = 15.0
NAMES = ("one", "two")
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
"""A killed Redis then loses nothing that it has answered; with `everysec` the last moment may be gone."""


def room(name: str) -> Conversation:
    """A channel of that name on the platform."""
    return Conversation("fake", "team", name)


@dataclass(slots=True)
class Scene:
    """Everything on stage; `random` makes the run the same each time, as far as processes can be."""

    server: Server
    fleet: Fleet
    platform: Platform
    floor: Floor
    random: Random
    people: list[Person] = field(default_factory=list)
    cluster: Cluster | None = None

    def person(self, conversation: Conversation, turns: int = 0, *, leaves: bool = True) -> Person:
        """Somebody in that conversation, with chances of their own."""
        person = Person(conversation, self.platform, self.floor, Random(self.random.random()), turns, leaves=leaves)
        self.people.append(person)
        return person

    @property
    def answered(self) -> int:
        """Turns that have left something to be seen, so far."""
        return sum(person.answered() for person in self.people)

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
        """Wait for something that is to happen. Raises AssertionError with what it was."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, f"{what}: not within {seconds} s"
            await asyncio.sleep(0.01)

    async def killed(self, times: int, turns: int) -> None:
        """Kill replicas so many times, evenly over so many turns: at any moment, or at a call to the platform."""
        for kill in range(times):
            due = (kill + 0.5) * turns / times
            await self.until(lambda due=due: self.answered >= due, "people are answered", 120)  # type: ignore[misc]
            if self.random.random() < 0.4:
                await asyncio.sleep(self.random.uniform(0, 0.3))
                await self.until(lambda: self.fleet.kill(self.random.choice(NAMES)), "somebody to kill")
            else:
                await self._killed_at_a_call(self.random.randint(1, 12), self.random.random() < 0.5)
        await self.fleet.settled()

    async def _killed_at_a_call(self, number: int, done: bool) -> None:
        """Kill whoever makes the n-th call from now, before or after its effect."""
        calls, over = 0, asyncio.Event()

        def on_call(call: Call) -> None:
            nonlocal calls
            calls += call.done == done
            if calls >= number and not over.is_set() and self.fleet.kill(call.replica):
                over.set()

        self.platform.on_call = on_call
        try:
            async with asyncio.timeout(CALM_SECONDS):
                await over.wait()
        except TimeoutError:  # nobody has anything to do
            await self.until(lambda: self.fleet.kill(self.random.choice(NAMES)), "somebody to kill")
        finally:
            self.platform.on_call = lambda call: None

    async def at_rest(self, conversations: Iterable[Conversation], seconds: float = 30.0) -> None:
        """Return when every copy has come and nothing is owed to anybody."""
        async with asyncio.timeout(seconds):
            await self.platform.quiet()
            await asyncio.gather(*(self.floor.free(conversation) for conversation in conversations))

    @asynccontextmanager
    async def store(self) -> AsyncIterator[RedisStore]:
        """What the replicas share, to look into."""
        store = await RedisStore.open(self.server.url)
        try:
            yield store
        finally:
            await store.close()

    async def is_sound(self, conversations: Iterable[Conversation]) -> None:
        """Raises AssertionError with all that was lost, doubled, torn, buried or out of order."""
        found = list(self.platform.faults)
        async with self.store() as store:
            stats = await store.stats()
            found += [f"buried: {letter.reason}" for letter in await store.dead()]
            for conversation in conversations:
                sent = [m for m in self.platform.sent if m.conversation == conversation]
                found += await differences(conversation, sent, self.platform.state, store)
        assert not found, "\n".join(found)
        assert (stats.waiting, stats.in_flight, stats.dead) == (0, 0, 0)

    async def leave(self) -> None:
        """End the replicas as an operator does. Raises AssertionError where one does not end well."""
        for name in list(self.fleet.replicas):
            process = self.fleet.replicas[name].process
            try:
                async with asyncio.timeout(LEAVING_SECONDS):
                    await self.fleet.end(name, signal.SIGTERM)
            except TimeoutError:
                raise AssertionError(f"{name} does not end: {self.fleet.told(name)}") from None
            assert process is None or process.returncode == 0, self.fleet.told(name)


@asynccontextmanager
async def scene(
    folder: Path,
    seed: int,
    *,
    options: tuple[str, ...] = (),
    durable: bool = False,
    names: tuple[str, ...] = NAMES,
    in_cluster: bool = False,
) -> AsyncIterator[Scene]:
    """A Redis, or a Cluster of three nodes, a platform and replicas of those names with those options."""
    random, kept = Random(seed), DURABLE if durable else ()
    with ExitStack() as stack:
        cluster = stack.enter_context(three_nodes(folder / "redis", *kept)) if in_cluster else None
        server = cluster.nodes[0].server if cluster else stack.enter_context(running(folder / "redis", *kept))
        async with Fleet(server.url, folder) as fleet, Platform(random, fleet.addresses) as platform:
            fleet.platform = platform.url
            await fleet.start(*names, options=options)
            floor = Floor(server.url, in_cluster=in_cluster)
            watching = asyncio.create_task(floor.watch())
            try:
                yield Scene(server, fleet, platform, floor, random, cluster=cluster)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
