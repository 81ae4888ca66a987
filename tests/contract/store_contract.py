"""What the store's contract suite runs over, and the verbs that it is written in.

A new implementation of `bot.ports.store.Store` joins by a function in `IMPLEMENTATIONS`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

import pytest

from bot.ports.mailbox import Claim, Message
from bot.ports.store import Store
from bot.stores.sqlite import SqliteStore
from tests.fakes.clock import ManualClock

VERSION = 1
LEASE = 15.0
HOUR = 3600.0
DAY = 24 * HOUR
ROOM = "slack:T1:C1"
OTHER = "slack:T1:C2"

Factory = Callable[[Path, ManualClock, int], Awaitable[Store]]
"""Opens an empty store in a folder of its own, on that clock, with that cap a mailbox."""


async def _in_memory(_folder: Path, clock: ManualClock, cap: int) -> Store:
    return await SqliteStore.open(":memory:", clock=clock, mailbox_cap=cap)


async def _in_file(folder: Path, clock: ManualClock, cap: int) -> Store:
    return await SqliteStore.open(folder / "greenroom.db", clock=clock, mailbox_cap=cap)


IMPLEMENTATIONS: dict[str, Factory] = {"sqlite-memory": _in_memory, "sqlite-file": _in_file}


# ---------------------------------------------------------------- verbs


def plain(id: str, order: int) -> Message:
    """Words of a person."""
    return Message(id, f"text of {id}", order, plain=True)


def command(id: str, order: int) -> Message:
    """A message that is never taken together with others."""
    return Message(id, f"command of {id}", order)


async def send(store: Store, *messages: Message, to: str = ROOM) -> None:
    """Enqueue messages that are all new."""
    for message in messages:
        assert await store.enqueue(to, message)


async def take(store: Store, together: int = 1, worker: str = "w1") -> Claim:
    """Claim what has to be there."""
    claim = await store.claim(worker, LEASE, VERSION, together)
    assert claim is not None
    return claim


async def nothing_is_due(store: Store) -> bool:
    """Whether a claim finds nothing."""
    return await store.claim("w9", LEASE, VERSION) is None


async def finish(
    store: Store,
    claim: Claim,
    state: str = "state",
    log: tuple[str, ...] = (),
    *,
    version: int = VERSION,
    floor_open: bool = True,
    used_flag: bool = False,
    follow_up: Message | None = None,
) -> bool:
    """Commit with what most tests do not care about filled in."""
    return await store.commit(
        claim, state, version, log, floor_open=floor_open, used_flag=used_flag, follow_up=follow_up
    )


async def drain(store: Store) -> list[str]:
    """Work through everything that is due, one message a turn; the ids in the order in which they were taken."""
    order: list[str] = []
    while (claim := await store.claim("drain", LEASE, VERSION)) is not None:
        order += [message.id for message in claim.taken]
        assert await finish(store, claim, used_flag=True)
    return order


async def expire(store: Store, clock: ManualClock, idle: float = 0.0) -> int:
    """Two looks, a day apart; how many conversations with a state are gone."""
    assert (await store.expire(idle)).gone == 0
    clock.advance(DAY)
    return (await store.expire(idle)).gone


def ids(claim: Claim) -> list[str]:
    """The ids of the messages that the claim has taken."""
    return [message.id for message in claim.taken]


# ---------------------------------------------------------------- ways in which a claim ends without a commit


async def give_up_by_lease(store: Store, clock: ManualClock, claim: Claim) -> None:
    clock.advance(LEASE)


async def give_up_by_release(store: Store, clock: ManualClock, claim: Claim) -> None:
    assert await store.release(claim)


async def give_up_by_retry(store: Store, clock: ManualClock, claim: Claim) -> None:
    assert await store.retry(claim, 0)


GiveUp = Callable[[Store, ManualClock, Claim], Awaitable[None]]
every_way_to_give_up = pytest.mark.parametrize(
    "give_up", [give_up_by_lease, give_up_by_release, give_up_by_retry], ids=["lease", "release", "retry"]
)


# ---------------------------------------------------------------- a model of one mailbox


@dataclass
class Mailbox:
    """What a conversation must look like, in a few lists: the suite compares the store with it, call by call."""

    untaken: list[Message] = field(default_factory=list)
    taken: tuple[Message, ...] = ()
    seen: set[str] = field(default_factory=set)
    due: float | None = None
    held: Claim | None = None
    done: Claim | None = None
    flag: Message | None = None
    turn: str | None = None
    state: str | None = None
    log: list[str] = field(default_factory=list)
    floor_open: bool = True
    attempt: int = 0
    lapsed: set[int] = field(default_factory=set)
    fence: int = 0

    def put(self, message: Message) -> None:
        """Behind everything whose order is not greater."""
        self.untaken.append(message)
        self.untaken.sort(key=lambda m: m.order)

    def claim(self, now: float, together: int) -> None:
        """Settle what a claim takes; `held` is for the caller to set."""
        if self.held is not None:
            self.lapsed.add(self.held.fence)
        if not self.taken:
            burst = list(takewhile(lambda m: m.plain and self.floor_open, self.untaken[:together]))
            count = max(1, len(burst))
            self.taken, self.untaken = tuple(self.untaken[:count]), self.untaken[count:]
        self.due = now + LEASE

    def put_back(self, due: float) -> None:
        """What was taken waits again, in front of what came later; so does the flag, behind it."""
        self.untaken = sorted((*self.taken, *self.untaken), key=lambda m: m.order)
        if self.flag is not None:
            self.put(self.flag)
        self.end(due)

    def end(self, now: float) -> None:
        """The turn is over, one way or the other."""
        self.taken, self.held, self.turn, self.flag = (), None, None, None
        self.attempt, self.lapsed = 0, set()
        self.due = now if self.untaken else None
