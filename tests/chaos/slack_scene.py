"""Two processes of `greenroom run` on one Redis and one strict Slack, and all that befalls them."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import os
import re
import resource
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

from bot.core.codec import load
from bot.core.model import Conversation
from bot.core.steps import Entry
from bot.stores.redis import RedisStore
from tests.chaos.slack_order import Deaf, Overtaken, overtaken
from tests.contract.redis_server import Server, running
from tests.fakes.anthropic import Answer, FakeAnthropic, says
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_socket import Delivery
from tests.fakes.slack_state import Person, Room, Seen
from tests.scenario.slack_house import subscribed

KEPT = ("--appendonly", "yes", "--appendfsync", "no")
"""A server that is killed then loses nothing that it has answered: the system has it, if not yet the disk. Waiting for
the disk as well would make a loaded machine's store too slow for leases of some seconds."""

NAMES = ("one", "two")
LEASE = 3.0
TAG = re.compile(r"\bm\d+\b")
COMMANDS = ("*status", "*help", "*nonsense")

ACK, RETRIES = 1.0, (0.0, 1.0, 3.0)
"""Seconds that stand for Slack's three seconds, and for its minute and its five (docs, Events API, retries)."""


def noted(body: dict[str, Any]) -> Answer:
    """Quote the tags of what was said last, in several pieces."""
    tags = TAG.findall(json.dumps(body["messages"][-1]))
    return says("Noted ", *(f"{tag} " for tag in tags), "with care.")


@dataclass(slots=True)
class SlackScene:
    """What is on stage; `sent` is what people have said, by the id of its room."""

    server: Server
    slack: FakeSlack
    service: FakeAnthropic
    folder: Path
    random: Random
    alice: Person
    sent: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    befell: Counter[str] = field(default_factory=Counter)
    deaf: list[Deaf] = field(default_factory=list)
    _processes: dict[str, Process] = field(default_factory=dict)
    _supervising: list[asyncio.Task[None]] = field(default_factory=list)

    # ---------------------------------------------------------------- processes

    def begin(self) -> None:
        """Start the replicas; one that ends is started again, as a supervisor does it."""
        self._supervising = [asyncio.create_task(self._supervise(name)) for name in NAMES]

    async def leave(self) -> list[int]:
        """End the replicas as an operator does; their exit codes."""
        await self._unsupervised()
        for process in self._processes.values():
            process.terminate()
        return [await process.wait() for process in self._processes.values()]

    async def close(self) -> None:
        """Kill what is still there."""
        await self._unsupervised()
        for process in self._processes.values():
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _unsupervised(self) -> None:
        for task in self._supervising:
            task.cancel()
        await asyncio.gather(*self._supervising, return_exceptions=True)

    async def _supervise(self, name: str) -> None:
        while True:
            await self._start(name)
            await self._processes[name].wait()
            await asyncio.sleep(0.2)

    async def _start(self, name: str) -> None:
        clock = self.folder / f"{name}.clock"
        if not clock.exists():
            clock.write_text("0")
        ours = ("SLACK_", "DISCORD_", "GREENROOM_", "ANTHROPIC_")
        others = {k: v for k, v in os.environ.items() if not k.startswith(ours) and not k.lower().endswith("_proxy")}
        given = {
            "CHAOS_CLOCK": str(clock),
            "SLACK_BOT_TOKEN": self.slack.ws.bot_token,
            "SLACK_APP_TOKEN": self.slack.ws.app_token,
            "GREENROOM_SLACK__API": self.slack.api,
            "ANTHROPIC_API_KEY": self.service.key,
            "GREENROOM_MODEL__BASE_URL": self.service.url,
            "GREENROOM_STORE__URL": self.server.url,
            "GREENROOM_STORE__LEASE": f"{LEASE:.0f}s",
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.chaos.slack_replica", "run"),
                env={**others, **given},
                cwd=Path(__file__).parents[2],
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=log,
            )

    # ---------------------------------------------------------------- what befalls

    async def _some(self) -> Process:
        """A replica that is connected."""
        await self.slack.until(lambda: len(self.slack.dispatch.connections) == len(NAMES), "both connections", 60.0)
        return self._processes[self.random.choice(NAMES)]

    def _hears_nothing(self, process: Process, seconds: float = math.inf) -> None:
        """From now on nothing is read over the process's connections to Slack."""
        ours, now = _ports(process.pid), asyncio.get_running_loop().time()
        for connection in self.slack.dispatch.connections:
            if connection.transport and connection.transport.get_extra_info("peername")[1] in ours:
                self.deaf.append(Deaf(connection.number, now, now + seconds))

    async def killed(self) -> None:
        """A process dies without a word."""
        process = await self._some()
        self._hears_nothing(process)
        process.kill()
        self.befell["kill -9"] += 1

    async def starved(self) -> None:
        """A process gets no more memory, and is killed for it a moment later, as the kernel does it."""
        process = await self._some()
        self._hears_nothing(process)
        resource.prlimit(process.pid, resource.RLIMIT_AS, (_size(process.pid),) * 2)
        await asyncio.sleep(0.3)
        if process.returncode is None:
            process.kill()
        self.befell["out of memory"] += 1

    async def suspended(self) -> None:
        """A process stands still for longer than its leases last, and goes on as if nothing had been."""
        process = await self._some()
        self._hears_nothing(process, 1.5 * LEASE)
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1.5 * LEASE)
        process.send_signal(signal.SIGCONT)
        self.befell["SIGSTOP beyond the lease"] += 1

    async def clock_set(self) -> None:
        """The wall clock of a process jumps an hour, forth or back."""
        clock = self.folder / f"{self.random.choice(NAMES)}.clock"
        clock.write_text(str(float(clock.read_text()) + self.random.choice((-3600.0, 3600.0))))
        self.befell["clock set by an hour"] += 1

    async def store_away(self) -> None:
        """The store is away until Slack has given up on something that it could not deliver meanwhile."""
        await self._some()
        began = len(self.slack.dispatch.deliveries)
        self.server.kill()

        def is_given_up(delivery: Delivery) -> bool:
            return delivery.over.is_set() and not delivery.acked

        await self.slack.until(
            lambda: any(is_given_up(delivery) for delivery in self.slack.dispatch.deliveries[began:]),
            "a delivery that Slack gives up",
            60.0,
        )
        await asyncio.to_thread(self.server.start)
        self.befell["store away beyond the redeliveries"] += 1
        self.befell["deliveries given up"] += sum(map(is_given_up, self.slack.dispatch.deliveries[began:]))

    # ---------------------------------------------------------------- people

    async def talks(self, room: Room, count: int, pause: float, over: asyncio.Event) -> None:
        """Somebody says so many things there, and more until it is over, whatever comes of them."""
        for number in itertools.count():
            if number >= count and over.is_set():
                return
            is_command = self.random.random() < 0.3
            text = self.random.choice(COMMANDS) if is_command else f"some words on m{number}, please"
            ts = await self.slack.says(self.alice, room, text)
            self.sent.setdefault(room.id, []).append((ts, text))
            await asyncio.sleep(self.random.uniform(0, 2 * pause))

    # ---------------------------------------------------------------- the verdict

    async def at_rest(self, seconds: float) -> bool:
        """Wait until nothing is on its way, due or in flight for a second; whether that was so within so many."""
        calm, deadline = 0, asyncio.get_running_loop().time() + seconds
        async with self.store() as store:
            while calm < 10 and asyncio.get_running_loop().time() < deadline:
                stats = await store.stats()
                is_busy = stats.waiting or stats.in_flight or not await self._is_complete(store)
                calm = 0 if is_busy else calm + 1
                await asyncio.sleep(0.1)
        return calm >= 10

    async def _is_complete(self, store: RedisStore) -> bool:
        for room, sent in self._rooms():
            last = [ts for ts, text in sent if text.startswith("*")][-1:]
            if not set(last) <= {head for head, _ in self._heads(room)}:
                return False
            if len(await self._said(store, room)) < sum(not text.startswith("*") for _, text in sent):
                return False
        return True

    async def differences(self) -> list[str]:
        """All that was lost, doubled, torn, buried or out of order."""
        found: list[str] = []
        async with self.store() as store:
            found += [f"buried: {letter.reason}" for letter in await store.dead()]
            for room, sent in self._rooms():
                plain = [text for _, text in sent if not text.startswith("*")]
                said = await self._said(store, room)
                if Counter(said) != Counter(plain):
                    found.append(f"{room.name}: taken {_difference(plain, said)}")
                tags = [tag for seen in self._posts(room) for tag in TAG.findall(seen.text) if "Noted" in seen.text]
                if Counter(tags) != Counter(tag for text in plain for tag in TAG.findall(text)):
                    found.append(f"{room.name}: answered {_difference(TAG.findall(' '.join(plain)), tags)}")
                found += self._shape(room, [ts for ts, _ in sent])
        return found

    def _shape(self, room: Room, sent: Sequence[str]) -> list[str]:
        posts = self._posts(room)
        found = [f"{room.name}: torn: {seen.text!r}" for seen in posts if seen.streaming]
        keys = Counter(_key(seen) for seen in posts)
        found += [f"{room.name}: posted {count} times: {key}" for key, count in keys.items() if count > 1]
        heads = [head for head, _ in self._heads(room) if head in sent]
        commands = {ts for ts, text in self.sent[room.id] if text.startswith("*")}
        found += [f"{room.name}: no answer to a command of {ts}" for ts in commands - set(heads)]
        return found

    async def out_of_order(self) -> list[Overtaken]:
        """Every two messages of a room that were taken, or answered, in another order than they were said in."""
        by_ts = {(str(d.event.get("channel")), str(d.event.get("ts"))): d for d in self.slack.dispatch.deliveries}
        found: dict[tuple[str, str, str], Overtaken] = {}
        async with self.store() as store:
            for room, sent in self._rooms():
                told = {ts: by_ts[room.id, ts] for ts, _ in sent}
                log = [load(line, Entry) for line in await store.log(self._conversation(room).key)]
                said = [entry.id for entry in log if entry.kind == "said"]
                heads = list(dict.fromkeys(head for head, _ in self._heads(room)))
                for taken in (heads, said):
                    for pair in overtaken([ts for ts, _ in sent], taken, told, self.deaf, ACK):
                        found[room.id, pair.first, pair.then] = pair
        return list(found.values())

    def _rooms(self) -> list[tuple[Room, list[tuple[str, str]]]]:
        return [(self.slack.ws.rooms[ident], sent) for ident, sent in self.sent.items()]

    def _posts(self, room: Room) -> list[Seen]:
        return [seen for seen in self.slack.seen(room) if seen.user == self.slack.ws.bot_user]

    def _heads(self, room: Room) -> list[tuple[str, int]]:
        prefix = f"{self._conversation(room).key}/"
        heads = (_key(seen).removeprefix(prefix).split("/")[0] for seen in self._posts(room))
        return [(head, len(list(posts))) for head, posts in groupby(heads)]

    async def _said(self, store: RedisStore, room: Room) -> list[str]:
        entries = [load(line, Entry) for line in await store.log(self._conversation(room).key)]
        return [entry.text for entry in entries if entry.kind == "said"]

    def _conversation(self, room: Room) -> Conversation:
        return Conversation("slack", self.slack.ws.team, room.id)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[RedisStore]:
        """What the replicas share, to look into."""
        store = await RedisStore.open(self.server.url)
        try:
            yield store
        finally:
            await store.close()


def _size(pid: int) -> int:
    """Bytes of a process's address space (proc(5), statm)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _ports(pid: int) -> set[int]:
    """The local ports of a process's TCP connections (proc(5), fd and net/tcp)."""
    inodes = set[str]()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            inodes.add(os.readlink(descriptor))
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if f"socket:[{row[9]}]" in inodes}


def _key(seen: Seen) -> str:
    return str(seen.metadata["event_payload"]["key"]) if seen.metadata else ""


def _difference(wanted: Sequence[str], got: Sequence[str]) -> str:
    lost = Counter(wanted) - Counter(got)
    doubled = Counter(got) - Counter(wanted)
    return f"lost {sorted(lost)}, doubled {sorted(doubled)}, of {len(wanted)}: {list(got)[:60]}"


@asynccontextmanager
async def slack_scene(folder: Path, seed: int) -> AsyncIterator[SlackScene]:
    """A Redis, a Slack, a model's service, and both replicas connected."""
    fake = FakeSlack(events=subscribed(), ack_within=ACK, retries=RETRIES)
    with running(folder / "redis", *KEPT) as server:
        async with fake as slack, FakeAnthropic(otherwise=noted) as service:
            scene = SlackScene(server, slack, service, folder, Random(seed), slack.user("alice"))
            try:
                scene.begin()
                await slack.until(lambda: len(slack.dispatch.connections) == len(NAMES), "both connections", 60.0)
                yield scene
            finally:
                await scene.close()
