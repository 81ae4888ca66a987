"""The store's contract, part four: whatever is interleaved, nothing is lost, nothing twice, and order is kept."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.ports.mailbox import Claim, Left, Message
from bot.ports.store import Store
from tests.contract.conftest import OpenStore
from tests.contract.store_contract import IMPLEMENTATIONS, LEASE, VERSION, Mailbox, command, finish, plain
from tests.fakes.clock import ManualClock

CAP = 4
ROOMS = ("slack:T1:C1", "discord:G1:C2", "terminal:local:me")


@dataclass(frozen=True, slots=True)
class Enqueue:
    room: str
    message: Message


@dataclass(frozen=True, slots=True)
class Control:
    room: str
    message: Message


@dataclass(frozen=True, slots=True)
class Amend:
    room: str
    id: str
    payload: str | None
    plain: bool | None


@dataclass(frozen=True, slots=True)
class Take:
    together: int


@dataclass(frozen=True, slots=True)
class Write:
    """A write of the claim that many claims back: most often the last, sometimes one that is long lost."""

    kind: str
    back: int
    flag: bool
    follow_up: bool


@dataclass(frozen=True, slots=True)
class Pass:
    seconds: float


Move = Enqueue | Control | Amend | Take | Write | Pass

rooms = st.sampled_from(ROOMS)
names = st.sampled_from([f"m{n}" for n in range(12)])
messages = st.builds(
    lambda id, order, is_plain: plain(id, order) if is_plain else command(id, order),
    names,
    st.integers(0, 9),
    st.booleans(),
)
moves: st.SearchStrategy[Move] = st.one_of(
    st.builds(Enqueue, rooms, messages),
    st.builds(Enqueue, rooms, messages),
    st.builds(Take, st.sampled_from([1, 2, 20])),
    st.builds(Take, st.sampled_from([1, 2, 20])),
    st.builds(
        Write,
        st.sampled_from(
            [
                "commit",
                "commit",
                "commit",
                "checkpoint",
                "renew",
                "retry",
                "release",
                "put back",
                "bury",
                "bury, and leave",
            ]
        ),
        st.sampled_from([0, 0, 0, 1, 2]),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(Control, rooms, messages),
    st.builds(Amend, rooms, names, st.sampled_from(["edited", None]), st.sampled_from([None, True, False])),
    st.builds(Pass, st.sampled_from([1.0, LEASE / 2, LEASE])),
)


@dataclass
class World:
    """The store, and what it has to be like."""

    store: Store
    clock: ManualClock
    boxes: dict[str, Mailbox] = field(default_factory=lambda: {room: Mailbox() for room in ROOMS})
    claims: list[Claim] = field(default_factory=list)
    buried: list[tuple[Message, ...]] = field(default_factory=list)
    moved: int = 0

    async def make(self, move: Move) -> None:
        self.moved += 1
        match move:
            case Enqueue(room, message):
                await self.enqueue(room, message)
            case Control(room, message):
                await self.control(room, message)
            case Amend(room, id, payload, is_plain):
                await self.amend(room, id, payload, is_plain)
            case Take(together):
                await self.take(together)
            case Write():
                if len(self.claims) > move.back:
                    await self.write(self.claims[-1 - move.back], move)
            case Pass(seconds):
                self.clock.advance(seconds)
            case _:
                assert_never(move)

    async def enqueue(self, room: str, message: Message) -> None:
        box = self.boxes[room]
        if message.id in box.seen:
            assert not await self.store.enqueue(room, message)
        elif len(box.untaken) >= CAP:
            with pytest.raises(Exception, match="is full"):
                await self.store.enqueue(room, message)
            box.seen.add(message.id)
        else:
            assert await self.store.enqueue(room, message)
            box.seen.add(message.id)
            box.put(message)
            box.due = self.clock.now() if box.due is None else box.due

    async def control(self, room: str, message: Message) -> None:
        box = self.boxes[room]
        known = message.id in box.seen
        assert await self.store.control(room, message) == (known or bool(box.taken))
        if box.taken and not known:
            box.seen.add(message.id)
            box.flag = box.flag or message

    async def amend(self, room: str, id: str, payload: str | None, is_plain: bool | None) -> None:
        box = self.boxes[room]
        changed = [
            m
            if m.id != id
            else None
            if payload is None
            else Message(m.id, payload, m.order, m.plain if is_plain is None else is_plain)
            for m in box.untaken
        ]
        assert await self.store.amend(room, id, payload, plain=is_plain) == any(m.id == id for m in box.untaken)
        box.untaken = [m for m in changed if m is not None]
        if not box.untaken and not box.taken:
            box.due = None

    async def take(self, together: int) -> None:
        now = self.clock.now()
        due = {room: box.due for room, box in self.boxes.items() if box.due is not None and box.due <= now}
        claim = await self.store.claim("w", LEASE, VERSION, together)
        if claim is None:
            assert not due
            return
        assert due[claim.conversation] == min(due.values())
        box = self.boxes[claim.conversation]
        box.claim(now, together)
        assert claim.fence > box.fence
        assert claim == Claim(
            claim.conversation, claim.fence, box.taken, box.state, box.turn, box.attempt, len(box.lapsed)
        )
        box.held, box.fence = claim, claim.fence
        self.claims.append(claim)
        assert await self.store.flagged(claim) == box.flag

    async def write(self, claim: Claim, write: Write) -> None:
        box = self.boxes[claim.conversation]
        now, mine, tag = self.clock.now(), box.held is claim, f"{write.kind} {self.moved}"
        match write.kind:
            case "commit":
                follow_up = command(tag, claim.head.order) if write.follow_up else None
                done = await finish(
                    self.store,
                    claim,
                    tag,
                    (tag, claim.head.id),
                    floor_open=write.flag,
                    used_flag=not write.flag,
                    follow_up=follow_up,
                )
                assert done == (mine or box.done is claim)
                if mine:
                    if box.flag is not None and write.flag:
                        box.put(box.flag)
                    if follow_up is not None:
                        last = max([m.order for m in box.untaken], default=follow_up.order)
                        box.put(command(tag, max(last, follow_up.order)))
                    box.state, box.floor_open, box.done = tag, write.flag, claim
                    box.log += [tag, claim.head.id]
                    box.end(now)
            case "checkpoint":
                assert await self.store.checkpoint(claim, tag, VERSION) == mine
                if mine:
                    box.turn, box.attempt, box.lapsed = tag, 0, set()
            case "renew":
                assert await self.store.renew(claim, LEASE) == mine
                if mine:
                    box.due = now + LEASE
            case "retry":
                assert await self.store.retry(claim, 3) == mine
                if mine:
                    box.held, box.due, box.attempt = None, now + 3, box.attempt + 1
            case "release":
                assert await self.store.release(claim) == mine
                if mine:
                    box.held, box.due = None, now
                box.lapsed.discard(claim.fence)
            case "put back":
                assert await self.store.put_back(claim, 1) == (mine and box.turn is None)
                if mine and box.turn is None:
                    box.put_back(now + 1)
            case kind:
                left = Left(tag, VERSION, (tag,), floor_open=write.flag) if kind == "bury, and leave" else None
                assert await self.store.bury(claim, tag, left) == mine
                if mine:
                    self.buried.append(claim.taken)
                    box.end(now)
                    if left is not None:
                        box.state, box.floor_open = tag, write.flag
                        box.log.append(tag)

    async def compare(self) -> None:
        """What can be looked at without changing anything."""
        for room, box in self.boxes.items():
            assert await self.store.peek(room) == box.state
            assert await self.store.log(room) == tuple(box.log)
        stats = await self.store.stats()
        now = self.clock.now()
        oldest = max((now - box.due for box in self.boxes.values() if box.due is not None), default=0.0)
        assert stats.waiting == sum(len(box.untaken) for box in self.boxes.values())
        assert stats.in_flight == sum(bool(box.taken) for box in self.boxes.values())
        assert stats.dead == len(self.buried)
        assert stats.oldest_due == pytest.approx(max(oldest, 0.0))

    async def drain(self) -> None:
        """Everything that is still owed comes out, as the model has it."""
        while any(box.due is not None for box in self.boxes.values()):
            self.clock.advance(LEASE)
            await self.take(20)
            await self.write(self.claims[-1], Write("commit", 0, True, False))
        assert [letter.messages for letter in await self.store.dead()] == self.buried[::-1][:100]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=st.lists(moves, min_size=10, max_size=60))
async def test_the_store_does_what_a_few_lists_would_do(implementation: str, script: list[Move]) -> None:
    clock = ManualClock()
    with tempfile.TemporaryDirectory() as folder:
        store = await IMPLEMENTATIONS[implementation](Path(folder), clock, CAP)
        try:
            world = World(store, clock)
            for move in script:
                await world.make(move)
            await world.compare()
            await world.drain()
            await world.compare()
        finally:
            await store.close()


@pytest.mark.parametrize("seed", range(3))
async def test_each_message_is_in_exactly_one_turn_and_in_order_whoever_dies(
    open_store: OpenStore, clock: ManualClock, seed: int
) -> None:
    """Senders deliver everything twice while four workers claim, lose their leases, fail, hand back and commit."""
    store = await open_store(500)
    chance = random.Random(seed)
    sent = {room: [plain(f"{room}/{n}", n) for n in range(40)] for room in ROOMS}
    committed: dict[str, list[str]] = defaultdict(list)
    accepted: Counter[str] = Counter()
    owed = sum(map(len, sent.values()))

    async def sender(room: str) -> None:
        for message in sent[room]:
            for _ in range(2):
                accepted[message.id] += await store.enqueue(room, message)
                await asyncio.sleep(0)

    async def worker(name: str) -> None:
        while sum(map(len, committed.values())) < owed:
            claim = await store.claim(name, LEASE, VERSION, chance.choice([1, 3]))
            if claim is None:
                clock.advance(1.0)
                await asyncio.sleep(0)
                continue
            await asyncio.sleep(0)
            match chance.randrange(8):
                case 0:
                    clock.advance(LEASE)  # the worker hangs; somebody else may have the turn when it comes back
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                case 1:
                    await store.retry(claim, chance.choice([0.0, 2.0]))
                    continue
                case 2:
                    await store.release(claim)
                    continue
                case 3:
                    continue  # killed
                case _:
                    await store.checkpoint(claim, f"turn of {name}", VERSION)
            taken = [message.id for message in claim.taken]
            if await finish(store, claim, log=tuple(taken)):
                committed[claim.conversation] += taken

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for room in ROOMS:
            group.create_task(sender(room))
        for n in range(4):
            group.create_task(worker(f"w{n}"))

    for room, said in sent.items():
        assert list(await store.log(room)) == [message.id for message in said]
        assert committed[room] == [message.id for message in said]
    assert set(accepted.values()) == {1}
    assert (await store.stats()).waiting == 0
