"""The embedded store: one SQLite file, one worker process, and any number of readers beside it.

A write is in the file when its call returns; with durability "normal" it then holds against killed processes, with
"full" against power loss too (sqlite.org/pragma.html#pragma_synchronous, on WAL). `sqlite_link` tells on which thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

from bot.core.events import Usage
from bot.core.steps import Record
from bot.ports.budgets import Amount, Balance, Limit, Reservation
from bot.ports.clock import Clock
from bot.ports.ledger import Audited
from bot.ports.mailbox import Claim, DeadLetter, Left, Message, Outage, Stats
from bot.ports.upkeep import ConversationInfo, Erased, Expired
from bot.stores import sqlite_budget as budget
from bot.stores import sqlite_export as export
from bot.stores import sqlite_ledger as ledger
from bot.stores import sqlite_mailbox as mailbox
from bot.stores import sqlite_upkeep as upkeep
from bot.stores.budgets import MOST, check_amount, check_rate, check_scopes
from bot.stores.errors import StoreBusyError, StoreError, StoreRefusedError, is_taken
from bot.stores.exporting import from_json, to_json
from bot.stores.sqlite_documents import SqliteDocuments
from bot.stores.sqlite_link import BusyError, Durability, Link, Work
from bot.stores.sqlite_posts import SqlitePosts
from bot.stores.sqlite_time import FileTime, repair

MOST_A_LOOK = 1000
"""How many conversations, and dead letters, one look notes or deletes."""

_AT_ONCE = 20
"""How many conversations, and dead letters, one transaction lets expire: others wait for no more than that."""

_FEW = 100
"""So many lines of a log are read without a thread for it."""

T = TypeVar("T")


class SqliteStore:
    """`bot.ports.store.Store` on SQLite; get one with `open`."""

    def __init__(self, path: str, clock: Clock, mailbox_cap: int, exclusive: bool, durability: Durability) -> None:
        if mailbox_cap < 1:
            raise ValueError(f"mailbox_cap is {mailbox_cap}; a mailbox has to hold at least 1 message")
        self._clock = clock
        self._time = FileTime(clock)
        self._cap = mailbox_cap
        self._exclusive = exclusive
        self._link = Link(path, exclusive=exclusive, durability=durability, changed=self._wake)
        self.posts = SqlitePosts(self._link, self._time)
        self.documents = SqliteDocuments(self._link, self._time)
        # The link counts changes that may have made something due; a claim that found nothing notes the count it saw,
        # and when something becomes due by itself. So `wait` knows of a change between that claim and itself. Written
        # by whoever has the connection.
        self._idle: dict[frozenset[str] | None, tuple[int, float | None]] = {}
        self._waiting: set[asyncio.Future[None]] = set()  # timers; a wake-up cuts them short

    @classmethod
    async def open(
        cls,
        path: str | Path,
        *,
        clock: Clock,
        mailbox_cap: int = 500,
        exclusive: bool = True,
        durability: Durability = "normal",
    ) -> Self:
        """Open the database at `path`, or a private one in memory for ":memory:".

        A worker opens it exclusively: folders and file are made, an older file is brought up to date, a second
        worker gets StoreBusyError, and what a dead worker held is due at once, whatever is left of its lease. With
        `exclusive` off an existing file is opened for reading beside the worker; writes raise StoreError. Raises
        StoreError where the file cannot be opened, ValueError for a cap below 1.
        """
        store = cls(str(path), clock, mailbox_cap, exclusive, durability)
        try:
            await store._link.open(store._take_up)
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """Finish what was asked for already, then let go of file and lock; a second time does nothing."""
        await self._link.close()

    # ------------------------------------------------------------ mailbox

    async def enqueue(self, conversation: str, message: Message) -> bool:
        """See `Store.enqueue`. Raises ValueError for an order that does not fit 64 bits."""
        answer = await self._write(
            lambda db: mailbox.enqueue(db, self._time.now(), conversation, message, self._cap), wakes=True
        )
        return is_taken(conversation, answer)

    async def amend(
        self, conversation: str, message_id: str, payload: str | None, *, plain: bool | None = None
    ) -> bool:
        """See `Store.amend`."""

        def work(db: sqlite3.Connection) -> bool:
            return mailbox.amend(db, conversation, message_id, payload, plain)

        return await (self._write(work) if payload is not None else self._erase(work))

    async def control(self, conversation: str, message: Message) -> bool:
        """See `Store.control`. Raises ValueError for an order that does not fit 64 bits."""
        return await self._write(lambda db: mailbox.control(db, self._time.now().own, conversation, message))

    # ------------------------------------------------------------ turns

    async def claim(
        self, worker: str, lease: float, version: int, together: int = 1, platforms: frozenset[str] | None = None
    ) -> Claim | None:
        """See `Store.claim`. Raises ValueError for a lease of no length, or for fewer than one message."""
        if lease <= 0 or together < 1:
            raise ValueError(f"a claim needs lease > 0 and together >= 1, not {lease} and {together}")

        def work(db: sqlite3.Connection) -> Claim | None:
            self._time.watch(db)
            now = self._time.now().own
            found = mailbox.claim(db, now, worker, lease, version, together, platforms)
            if found is None:
                self._idle[platforms] = self._link.changes, mailbox.next_due(db, now, version, platforms)
            return found

        link, transaction = self._link, self._link.transaction
        if link.is_free:
            try:
                return link.here(transaction(work))
            except BusyError:
                pass  # nothing was done; the thread can wait for whoever has the file
        future = link.submit(transaction(work))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            # The thread may have claimed already, and nobody would know: the conversation would wait for the lease.
            if not future.cancelled() and not link.is_closed:
                link.submit(transaction(lambda db: self._give_back(db, future)), wakes=True)
            raise

    async def wait(self, seconds: float, platforms: frozenset[str] | None = None) -> None:
        """See `Store.wait`."""
        changes, next_due = self._idle.get(platforms, (-1, None))
        if self._link.changes != changes or self._link.is_closed:
            return
        if next_due is not None:
            seconds = min(seconds, next_due - self._time.now().own)
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        self._waiting.add(timer)
        try:
            await asyncio.wait({timer})
        finally:
            self._waiting.discard(timer)
            timer.cancel()
        if not timer.cancelled():
            timer.result()

    def outage(self) -> Outage | None:
        """See `Store.outage`. The file has one worker, which knows by itself what it could not take."""
        return None

    async def renew(self, claim: Claim, lease: float) -> bool:
        """See `Store.renew`."""
        return await self._write(lambda db: mailbox.renew(db, self._time.now().own, claim, lease))

    async def flagged(self, claim: Claim) -> Message | None:
        """See `Store.flagged`."""
        return await self._run(lambda db: mailbox.flagged(db, claim))

    async def flagged_among(self, claims: Sequence[Claim]) -> tuple[Message | None, ...]:
        """See `Store.flagged_among`."""
        return await self._run(lambda db: mailbox.flagged_among(db, claims))

    async def checkpoint(self, claim: Claim, turn: str, version: int) -> bool:
        """See `Store.checkpoint`."""
        return await self._write(lambda db: mailbox.checkpoint(db, claim, turn, version))

    async def commit(
        self,
        claim: Claim,
        state: str,
        version: int,
        log: Sequence[str],
        *,
        floor_open: bool,
        used_flag: bool,
        follow_up: Message | None = None,
    ) -> bool:
        """See `Store.commit`. Raises ValueError for a follow-up whose order does not fit 64 bits."""
        return await self._write(
            lambda db: mailbox.commit(
                db,
                self._time.now(),
                claim,
                state,
                version,
                log,
                floor_open=floor_open,
                used_flag=used_flag,
                follow_up=follow_up,
            ),
            wakes=True,
        )

    async def retry(self, claim: Claim, delay: float) -> bool:
        """See `Store.retry`."""
        return await self._write(lambda db: mailbox.retry(db, self._time.now().own, claim, delay), wakes=True)

    async def release(self, claim: Claim, delay: float = 0.0) -> bool:
        """See `Store.release`."""
        return await self._write(lambda db: mailbox.release(db, self._time.now().own, claim, delay), wakes=True)

    async def put_back(self, claim: Claim, delay: float) -> bool:
        """See `Store.put_back`."""
        return await self._write(lambda db: mailbox.put_back(db, self._time.now().own, claim, delay), wakes=True)

    async def bury(self, claim: Claim, reason: str, left: Left | None = None) -> bool:
        """See `Store.bury`."""
        return await self._write(lambda db: mailbox.bury(db, self._time.now(), claim, reason, left), wakes=True)

    # ------------------------------------------------------------ rates, budgets

    async def throttle(self, key: str, per_minute: float, burst: int) -> float:
        """See `Store.throttle`."""
        apart, ahead = check_rate(per_minute, burst)
        return await self._write(lambda db: budget.throttle(db, self._time.now().own, key, apart, ahead))

    async def reserve(self, key: str, day: str, amount: Amount, limits: Sequence[Limit]) -> Reservation:
        """See `Store.reserve`."""
        check_amount(amount)
        return await self._write(lambda db: budget.reserve(db, self._time.now().own, key, day, amount, limits))

    async def settle(self, key: str, amount: Amount) -> bool:
        """See `Store.settle`. Raises ValueError for an amount below 0."""
        check_amount(amount)
        return await self._write(lambda db: budget.settle(db, key, amount))

    async def budget(self, scope: str, day: str) -> Balance:
        """See `Store.budget`."""
        return await self._run(lambda db: budget.budget(db, scope, day))

    async def grant(self, key: str, scope: str, day: str, amount: Amount) -> bool:
        """See `Store.grant`."""
        check_amount(amount, -MOST)
        return await self._write(lambda db: budget.grant(db, self._time.now().own, key, scope, day, amount))

    async def count(self, key: str, day: str, amount: Amount, scopes: Sequence[str]) -> bool:
        """See `Store.count`."""
        check_amount(amount)
        check_scopes(scopes)
        return await self._write(lambda db: budget.count(db, self._time.now().own, key, day, amount, scopes))

    async def counted(self, day: str) -> dict[str, Amount]:
        """See `Store.counted`."""
        return await self._run_apart(lambda db: budget.counted(db, day))

    async def rename_scope(self, day: str, scope: str, other: str) -> bool:
        """See `Store.rename_scope`."""
        return await self._write(lambda db: budget.rename_scope(db, day, scope, other))

    # ------------------------------------------------------------ upkeep

    async def blank(self, conversation: str, message_id: str) -> bool:
        """See `Store.blank`."""
        return await self._erase(lambda db: upkeep.blank(db, conversation, message_id))

    async def conversations(self, after: str = "", limit: int = 100) -> tuple[ConversationInfo, ...]:
        """See `Store.conversations`."""
        return await self._run_apart(lambda db: upkeep.conversations(db, after, limit))

    async def last_seen(self, conversation: str) -> int:
        """See `Store.last_seen`."""
        return await self._run(lambda db: upkeep.last_seen(db, conversation))

    async def dead_letter(self, id: int) -> DeadLetter | None:
        """See `Store.dead_letter`."""
        return await self._run_apart(lambda db: upkeep.one_letter(db, id))

    async def replay(self, id: int, message_id: str) -> bool:
        """See `Store.replay`."""
        now = self._time.now
        return await self._write_apart(lambda db: upkeep.replay(db, now(), id, message_id, self._cap), wakes=True)

    async def trail(self, conversation: str = "", after: int = 0, limit: int = 100) -> tuple[Audited, ...]:
        """See `Store.trail`."""
        return await self._run_apart(lambda db: upkeep.trail(db, conversation, after, limit))

    async def forget(self, conversation: str, *, dry_run: bool = False) -> Erased:
        """See `Store.forget`."""

        def work(db: sqlite3.Connection) -> Erased:
            return upkeep.forget(db, self._time.now().wall, conversation, dry_run=dry_run)

        return await (self._run_apart(work) if dry_run else self._erase(work))

    async def reset(self, conversation: str) -> Erased:
        """See `Store.reset`."""
        return await self._erase(lambda db: upkeep.reset(db, self._time.now().wall, conversation))

    async def forget_user(self, user: str, pseudonym: str, within: str = "", *, dry_run: bool = False) -> Erased:
        """See `Store.forget_user`. A conversation at a time, so that nobody waits for all of them."""
        erased = Erased()
        for conversation in await self._run_apart(lambda db: upkeep.known(db, within)):

            def work(db: sqlite3.Connection, where: str = conversation) -> Erased:
                return upkeep.forget_user(db, self._time.now().own, where, user, pseudonym, dry_run=dry_run)

            erased = erased.plus(await (self._run_apart(work) if dry_run else self._write_apart(work, wakes=True)))
        if not dry_run:
            await self._run_apart(self._link.purge)
        return erased

    async def expire(self, idle: float) -> Expired:
        """See `Store.expire`. A transaction for every few of them, behind whatever else was asked for meanwhile."""

        def look(db: sqlite3.Connection) -> int:
            self._time.note(db)
            return upkeep.note_idle(db, self._time.now(), idle, MOST_A_LOOK)

        noted, states, gone, of_this = await self._write_apart(look), 0, 0, 1
        while of_this and gone < MOST_A_LOOK:
            with_state, of_this = await self._write_apart(lambda db: upkeep.expire(db, self._time.now(), _AT_ONCE))
            states, gone = states + with_state, gone + of_this
        if gone:
            await self._run_apart(self._link.purge)
        return Expired(states, noted)

    async def dump(self, conversation: str) -> dict[str, Any] | None:
        """See `Store.dump`."""
        dumped = await self._run_apart(lambda db: export.dump(db, conversation))
        return None if dumped is None else to_json(conversation, dumped)

    async def restore(self, conversation: str, dumped: dict[str, Any]) -> bool:
        """See `Store.restore`."""
        kept = from_json(dumped)
        return await self._write_apart(lambda db: export.restore(db, self._time.now(), conversation, kept), wakes=True)

    # ------------------------------------------------------------ reading, spending, audit

    async def dead(self, limit: int = 100) -> tuple[DeadLetter, ...]:
        """See `Store.dead`."""
        return await self._run_apart(lambda db: mailbox.dead(db, limit))

    async def stats(self, platforms: frozenset[str] | None = None) -> Stats:
        """See `Store.stats`."""
        return await self._run_apart(lambda db: mailbox.stats(db, self._time.now().own, platforms))

    async def peek(self, conversation: str) -> str | None:
        """See `Store.peek`."""
        return await self._run(lambda db: ledger.peek(db, conversation))

    async def under_way(self, conversation: str) -> str | None:
        """See `Store.under_way`."""
        return await self._run(lambda db: ledger.under_way(db, conversation))

    async def log(self, conversation: str, last: int | None = None) -> tuple[str, ...]:
        """See `Store.log`."""
        lines = -1 if last is None else max(0, last)
        run = self._run if 0 <= lines <= _FEW else self._run_apart
        return await run(lambda db: ledger.log(db, conversation, lines))

    async def spend(self, key: str, conversation: str, usage: Usage) -> None:
        """See `Store.spend`."""
        await self._write(lambda db: ledger.spend(db, key, conversation, usage))

    async def spent(self, conversation: str) -> tuple[Usage, ...]:
        """See `Store.spent`."""
        return await self._run_apart(lambda db: ledger.spent(db, conversation))

    async def audit(self, key: str, conversation: str, record: Record) -> None:
        """See `Store.audit`."""
        await self._write(lambda db: ledger.audit(db, self._time.now().wall, key, conversation, record))

    async def audited(self, conversation: str) -> tuple[Record, ...]:
        """See `Store.audited`."""
        return await self._run_apart(lambda db: ledger.audited(db, conversation))

    # ------------------------------------------------------------ how it is done

    async def _run(self, work: Work[T]) -> T:
        """A question that is answered from a few rows."""
        return await self._link.done(work)

    async def _write(self, work: Work[T], *, wakes: bool = False) -> T:
        """A transaction over a few rows."""
        return await self._link.done(self._link.transaction(work), wakes=wakes)

    async def _erase(self, work: Work[T]) -> T:
        """A transaction that deletes for good: where it did, nothing of that is left in the file or beside it."""
        done = await self._write_apart(work)
        if done:
            await self._run_apart(self._link.purge)
        return done

    async def _run_apart(self, work: Work[T]) -> T:
        """A question over any number of rows."""
        return await self._link.done_apart(work)

    async def _write_apart(self, work: Work[T], *, wakes: bool = False) -> T:
        """A transaction over any number of rows."""
        return await self._link.done_apart(self._link.transaction(work), wakes=wakes)

    def _take_up(self, db: sqlite3.Connection) -> None:
        if not self._exclusive:
            self._time.read(db)
            return
        self._time.begin(db)
        repair(db, self._time.now().own)

    def _wake(self) -> None:
        for timer in self._waiting:
            timer.cancel()

    def _give_back(self, db: sqlite3.Connection, claimed: Future[Claim | None]) -> None:
        found = claimed.result()
        if found is not None:
            mailbox.release(db, self._time.now().own, found, 0.0)


__all__ = ["Durability", "SqliteStore", "StoreBusyError", "StoreError", "StoreRefusedError"]
