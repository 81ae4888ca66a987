"""The store for production: Redis 7 or newer, or Valkey, shared by any number of workers.

All state of a conversation is in keys of one partition, `gr:{p}:...` with p = crc32(conversation) % partitions, so
every call is one script that takes effect as a whole, in a Cluster too. Leases and delays run by the server's clock.
Each write carries the fence of its claim; a write that is sent again after a lost connection changes nothing twice.

What a call has stored survives killed workers. It survives the server as far as its append-only file does:
with `appendfsync everysec` up to a second before a power loss may be gone (redis.io/docs, persistence).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self
from zlib import crc32

from bot.core.events import Usage
from bot.core.steps import Record
from bot.ports.budgets import Amount, Balance, Limit, Reservation
from bot.ports.clock import Clock
from bot.ports.ledger import Audited
from bot.ports.mailbox import Claim, DeadLetter, Left, Message, Outage, Stats
from bot.ports.upkeep import ConversationInfo, Erased, Expired
from bot.stores import redis_codec as codec
from bot.stores import redis_export as export
from bot.stores import redis_health as health
from bot.stores import redis_upkeep as upkeep
from bot.stores.budgets import DAYS, KEPT_SECONDS, MOST, check_amount, check_rate, check_scopes, scopes_of
from bot.stores.erasing import without_message
from bot.stores.errors import StoreError, StoreSettingsError, is_taken
from bot.stores.exporting import from_json, to_json
from bot.stores.redis_documents import RedisDocuments
from bot.stores.redis_hints import Hints
from bot.stores.redis_link import Address, Argument, Link
from bot.stores.redis_posts import RedisPosts
from bot.stores.replaying import full, renamed

LAYOUT = 2
"""Goes up when an older build could no longer work on the same keys."""

DEAD_LETTERS = 10_000
"""How many dead letters a partition keeps; the oldest go first."""

MOST_A_LOOK = 1000
"""How many conversations and dead letters of a partition one look notes or deletes."""

_AT_ONCE = 20
"""How many conversations, and dead letters, one script looks at or deletes: the server does nothing else meanwhile."""

_GIVE_BACK_SECONDS = 2.0
_KEPT_MILLIS = round(KEPT_SECONDS * 1000)
_BUDGET_MILLIS = DAYS * 24 * 3600 * 1000
"""How long a day's budget can be looked at after it was last written to."""


class RedisStore:
    """`bot.ports.store.Store` on Redis; get one with `open`."""

    def __init__(
        self, link: Link, told: tuple[str, ...], clock: Clock | None, partitions: int, cap: int, prefix: str
    ) -> None:
        self._link = link
        self._told = told
        self._clock = clock
        self._roots = tuple(f"{prefix}:{{{p}}}:" for p in range(partitions))
        self._cap = cap
        self._closed = False
        self._version = 0
        self.posts = RedisPosts(self._run)
        # With one partition the scripts leave the hint themselves; a Cluster's scripts cannot reach the key.
        known = self._platforms
        self._hints = Hints(link, clock, f"{self._roots[0]}wake:", known, self._is_due, leaves=partitions > 1)
        self._claiming: set[asyncio.Task[Claim | None]] = set()
        self.documents = RedisDocuments(link, self._run_at, prefix, self._roots[0])

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        clock: Clock | None = None,
        partitions: int = 1,
        mailbox_cap: int = 500,
        prefix: str = "gr",
        patience: float = 5.0,
    ) -> Self:
        """Connect to the server or Cluster at `url`: `redis://`, `rediss://` (TLS) or `unix://`.

        `partitions` is how many parts of a Cluster share the work, and the same for all workers, for good. A lost
        connection is made anew for up to `patience` seconds a call. `clock` is for tests: None is the server's own
        time.

        Raises StoreError where the server cannot be used, with what to do and never with the password; ValueError
        for numbers out of bounds.
        """
        if mailbox_cap < 1:
            raise ValueError(f"mailbox_cap is {mailbox_cap}; a mailbox has to hold at least 1 message")
        if not 1 <= partitions <= 1024:
            raise ValueError(f"partitions is {partitions}; it has to be from 1 to 1024")
        if not prefix or set(prefix) & set("{} "):
            raise ValueError(f"prefix is {prefix!r}; it has to be a word without braces")
        address = Address.parse(url)
        link, info = await Link.open(address, patience)
        try:
            health.check(info, link.name)
            told = health.warnings(info, await _fsync(link))
            store = cls(link, told, clock, partitions, mailbox_cap, prefix)
            await store._agree()
        except BaseException:
            await link.close()
            raise
        return store

    async def time(self) -> float:
        """The server's time, in seconds since the epoch."""
        seconds, micros = await self._link.command("TIME")
        return int(seconds) + int(micros) / 1_000_000

    def warnings(self) -> tuple[str, ...]:
        """How the server is set up to lose data, as far as it is, with what to do about it."""
        return self._told

    async def close(self) -> None:
        """Wake whoever waits and let go of all connections; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        claiming = list(self._claiming)
        for task in claiming:
            task.cancel()
        await asyncio.gather(*claiming, return_exceptions=True)
        await self._hints.close()
        await self._link.close()

    # ------------------------------------------------------------ mailbox

    async def enqueue(self, conversation: str, message: Message) -> bool:
        """See `Store.enqueue`. Raises ValueError for an order that does not fit 64 bits."""
        order, body = codec.order_of(message), codec.body_of(message)
        answer = await self._run("enqueue", conversation, conversation, message.id, order, body, self._cap)
        taken = is_taken(conversation, answer)
        await self._hints.hint(conversation)
        return taken

    async def amend(
        self, conversation: str, message_id: str, payload: str | None, *, plain: bool | None = None
    ) -> bool:
        """See `Store.amend`."""
        new = int(payload is not None), payload or "", "" if plain is None else int(plain)
        return bool(await self._run("amend", conversation, conversation, message_id, *new))

    async def control(self, conversation: str, message: Message) -> bool:
        """See `Store.control`. Raises ValueError for an order that does not fit 64 bits."""
        order, body = codec.order_of(message), codec.body_of(message)
        return bool(await self._run("control", conversation, conversation, message.id, order, body))

    # ------------------------------------------------------------ turns

    async def claim(
        self, worker: str, lease: float, version: int, together: int = 1, platforms: frozenset[str] | None = None
    ) -> Claim | None:
        """See `Store.claim`. Raises ValueError for a lease of no length, or for fewer than one message."""
        if lease <= 0 or together < 1:
            raise ValueError(f"a claim needs lease > 0 and together >= 1, not {lease} and {together}")
        claiming = asyncio.create_task(self._claim(worker, lease, version, together, platforms))
        self._claiming.add(claiming)
        claiming.add_done_callback(self._claiming.discard)
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            # The server may have claimed already, and nobody would know: the conversation would wait for the lease.
            with suppress(StoreError, TimeoutError):
                async with asyncio.timeout(_GIVE_BACK_SECONDS):
                    if (claimed := await claiming) is not None:
                        await self.release(claimed)
            raise

    async def _claim(
        self, worker: str, lease: float, version: int, together: int, platforms: frozenset[str] | None
    ) -> Claim | None:
        self._version = version
        before, asked_at = self._hints.changes, self._hints.now()
        nearest: float | None = None
        # For a script, no platforms are all of them.
        for root in await self._by_due(platforms) if platforms != frozenset() else ():
            how = worker, _micros(lease), version, together
            answer = await self._run_at("claim", root, *how, *(platforms or ()))
            if answer[0] is not None:
                return codec.claim(answer)
            if answer[1] is not None:
                due = asked_at + int(answer[1]) / 1_000_000
                nearest = due if nearest is None else min(nearest, due)
        self._hints.idle(platforms, before, nearest)
        return None

    async def _by_due(self, platforms: frozenset[str] | None) -> Sequence[str]:
        """The partitions in which something waits, the one that has waited longest first."""
        if len(self._roots) == 1:
            return self._roots
        await self._hints.clear(platforms)
        first = await asyncio.gather(*(self._run_at("first", root, *(platforms or ())) for root in self._roots))
        found = [(int(time), n) for n, time in enumerate(first) if time is not None]
        return [self._roots[n] for _, n in sorted(found)]

    async def wait(self, seconds: float, platforms: frozenset[str] | None = None) -> None:
        """See `Store.wait`."""
        await self._hints.wait(seconds, platforms)

    def outage(self) -> Outage | None:
        """See `Store.outage`."""
        return self._link.outage

    async def renew(self, claim: Claim, lease: float) -> bool:
        """See `Store.renew`."""
        return bool(await self._run("renew", claim.conversation, claim.conversation, claim.fence, _micros(lease)))

    async def flagged(self, claim: Claim) -> Message | None:
        """See `Store.flagged`."""
        head, flag = await self._link.command("HMGET", self._key("conv", claim.conversation), "flag_head", "flag")
        return codec.message(flag) if flag is not None and head == claim.head.id.encode() else None

    async def flagged_among(self, claims: Sequence[Claim]) -> tuple[Message | None, ...]:
        """See `Store.flagged_among`. A script for each partition that has some of them."""
        found: list[Message | None] = [None] * len(claims)
        parts: dict[str, list[int]] = {}
        for place, claim in enumerate(claims):
            parts.setdefault(self._root(claim.conversation), []).append(place)
        for root, places in parts.items():
            asked = [part for place in places for part in (claims[place].conversation, claims[place].head.id)]
            for number, flag in await self._run_at("flagged", root, *asked):
                found[places[number - 1]] = codec.message(flag)
        return tuple(found)

    async def checkpoint(self, claim: Claim, turn: str, version: int) -> bool:
        """See `Store.checkpoint`."""

        def arguments(gone: frozenset[str]) -> tuple[Argument, ...]:
            return without_message(turn, gone), version

        return await self._fenced("checkpoint", claim, arguments)

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
        after = (codec.order_of(follow_up), codec.body_of(follow_up)) if follow_up else (b"", b"")

        def arguments(gone: frozenset[str]) -> tuple[Argument, ...]:
            lines = (without_message(line, gone) for line in log)
            return without_message(state, gone), version, int(floor_open), int(used_flag), *after, *lines

        done = await self._fenced("commit", claim, arguments)
        await self._hints.hint(claim.conversation)
        return done

    async def retry(self, claim: Claim, delay: float) -> bool:
        """See `Store.retry`."""
        return await self._give_up("retry", claim.conversation, claim.fence, _micros(delay))

    async def release(self, claim: Claim, delay: float = 0.0) -> bool:
        """See `Store.release`."""
        return await self._give_up("release", claim.conversation, claim.fence, _micros(delay))

    async def put_back(self, claim: Claim, delay: float) -> bool:
        """See `Store.put_back`."""
        return await self._give_up("put_back", claim.conversation, claim.fence, _micros(delay))

    async def bury(self, claim: Claim, reason: str, left: Left | None = None) -> bool:
        """See `Store.bury`. A partition keeps its newest 10,000 dead letters."""

        def arguments(gone: frozenset[str]) -> tuple[Argument, ...]:
            kept = [replace(m, payload=without_message(m.payload, gone)) for m in claim.taken]
            letter = codec.dump_messages(kept), reason, DEAD_LETTERS
            if left is None:
                return letter
            lines = (without_message(line, gone) for line in left.log)
            return *letter, without_message(left.state, gone), left.version, int(left.floor_open), *lines

        done = await self._fenced("bury", claim, arguments)
        await self._hints.hint(claim.conversation)
        return done

    # ------------------------------------------------------------ rates, budgets

    async def throttle(self, key: str, per_minute: float, burst: int) -> float:
        """See `Store.throttle`."""
        apart, ahead = check_rate(per_minute, burst)
        return int(await self._run("throttle", key, key, apart, ahead)) / 1_000_000

    async def reserve(self, key: str, day: str, amount: Amount, limits: Sequence[Limit]) -> Reservation:
        """See `Store.reserve`. All budgets are in the first partition, for a reservation is in several of them."""
        check_amount(amount)
        scopes_of(limits)
        bounds: list[Argument] = []
        for limit in limits:
            bounds += [limit.scope, *("" if part is None else part for part in (limit.tokens, limit.micros))]
        counts = amount.tokens, amount.micros, _KEPT_MILLIS
        allowed, short, *found = await self._run_at("reserve", self._roots[0], key, day, *counts, *bounds)
        return Reservation(bool(allowed), limits[short - 1].scope if short else "", codec.balances(found))

    async def settle(self, key: str, amount: Amount) -> bool:
        """See `Store.settle`. Raises ValueError for an amount below 0."""
        check_amount(amount)
        return bool(await self._run_at("settle", self._roots[0], key, amount.tokens, amount.micros))

    async def budget(self, scope: str, day: str) -> Balance:
        """See `Store.budget`."""
        fields = (f"{kind} {scope}" for kind in "tmTM")
        return codec.balances(await self._link.command("HMGET", f"{self._roots[0]}budget:{day}", *fields))[0]

    async def count(self, key: str, day: str, amount: Amount, scopes: Sequence[str]) -> bool:
        """See `Store.count`."""
        check_amount(amount)
        check_scopes(scopes)
        counts = amount.tokens, amount.micros, _KEPT_MILLIS
        return bool(await self._run_at("count", self._roots[0], key, day, *counts, *scopes))

    async def counted(self, day: str) -> dict[str, Amount]:
        """See `Store.counted`."""
        return codec.amounts(await self._link.command("HGETALL", f"{self._roots[0]}budget:{day}"))

    async def rename_scope(self, day: str, scope: str, other: str) -> bool:
        """See `Store.rename_scope`."""
        return bool(await self._run_at("rename", self._roots[0], day, scope, other))

    async def grant(self, key: str, scope: str, day: str, amount: Amount) -> bool:
        """See `Store.grant`."""
        check_amount(amount, -MOST)
        counts = amount.tokens, amount.micros, _KEPT_MILLIS
        return bool(await self._run_at("grant", self._roots[0], key, scope, day, *counts))

    # ------------------------------------------------------------ upkeep

    async def blank(self, conversation: str, message_id: str) -> bool:
        """See `Store.blank`."""
        return await upkeep.blank(self._runner(self._root(conversation)), conversation, message_id)

    async def conversations(self, after: str = "", limit: int = 100) -> tuple[ConversationInfo, ...]:
        """See `Store.conversations`."""
        found = [info for root in self._roots for info in await upkeep.conversations(self._runner(root), after, limit)]
        return tuple(sorted(found, key=lambda info: info.key)[: max(0, limit)])

    async def last_seen(self, conversation: str) -> int:
        """See `Store.last_seen`."""
        last = await self._link.command("HGET", self._key("conv", conversation), "last")
        return 0 if last is None else codec.load_order(last)

    async def dead_letter(self, id: int) -> DeadLetter | None:
        """See `Store.dead_letter`."""
        number, p = divmod(id, len(self._roots))
        found = await self._run_at("letters", self._roots[p], 1, "", str(number))
        return codec.dead_letter(id, found[0]) if found else None

    async def replay(self, id: int, message_id: str) -> bool:
        """See `Store.replay`."""
        letter = await self.dead_letter(id)
        if letter is None:
            return False
        messages: list[Argument] = []
        for message in renamed(letter.messages, message_id):
            messages += [message.id, codec.order_of(message), codec.body_of(message)]
        where, was = letter.conversation, codec.dump_messages(letter.messages)
        answer = await self._run("replay", where, where, id // len(self._roots), was, self._cap, *messages)
        if answer < 0:
            raise full(letter, -answer - 1)
        await self._hints.hint(where)
        return bool(answer)

    async def trail(self, conversation: str = "", after: int = 0, limit: int = 100) -> tuple[Audited, ...]:
        """See `Store.trail`. All of it is read, whatever the limit."""
        where = [conversation] if conversation else [name async for name in self._names()]
        kept = {name: await self._link.command("LRANGE", self._key("audit", name), 0, -1) for name in where}
        return tuple(upkeep.trail(kept)[max(0, after) :][: max(0, limit)])

    async def forget(self, conversation: str, *, dry_run: bool = False) -> Erased:
        """See `Store.forget`."""
        return await upkeep.forget(self._runner(self._root(conversation)), conversation, dry_run=dry_run)

    async def reset(self, conversation: str) -> Erased:
        """See `Store.reset`."""
        return await upkeep.reset(self._runner(self._root(conversation)), conversation)

    async def forget_user(self, user: str, pseudonym: str, within: str = "", *, dry_run: bool = False) -> Erased:
        """See `Store.forget_user`."""
        erased = Erased()
        for name in [name async for name in self._names() if name.startswith(within)]:
            run = self._runner(self._root(name))
            one = await upkeep.forget_user(run, name, user, pseudonym, dry_run=dry_run)
            if one.conversations and not dry_run:
                await self._hints.hint(name)
            erased = erased.plus(one)
        return erased

    async def expire(self, idle: float) -> Expired:
        """See `Store.expire`. All by the server's clock, whatever this process takes the time for."""
        looks = [await upkeep.expire(self._runner(root), _micros(idle), MOST_A_LOOK, _AT_ONCE) for root in self._roots]
        return Expired(sum(look.gone for look in looks), sum(look.noted for look in looks))

    async def dump(self, conversation: str) -> dict[str, Any] | None:
        """See `Store.dump`."""
        posts = await self._run("posts", conversation, conversation, "all")
        dumped = export.dumped(await self._run("stored", conversation, conversation, 0, ""), posts)
        return None if dumped is None else to_json(conversation, dumped)

    async def restore(self, conversation: str, dumped: dict[str, Any]) -> bool:
        """See `Store.restore`."""
        kept = export.arguments(from_json(dumped))
        done = await self._run("restore", conversation, conversation, *kept)
        await self._hints.hint(conversation)
        return bool(done)

    async def _names(self) -> AsyncIterator[str]:
        for root in self._roots:
            async for name, *_ in upkeep.names(self._runner(root)):
                yield name

    # ------------------------------------------------------------ reading, spending, audit

    async def dead(self, limit: int = 100) -> tuple[DeadLetter, ...]:
        """See `Store.dead`. Their ids are told apart by the partition they stand in."""
        if limit < 1:
            return ()
        letters: list[DeadLetter] = []
        for p, root in enumerate(self._roots):
            for letter in await self._run_at("letters", root, limit, "", ""):
                letters.append(codec.dead_letter(int(letter[0]) * len(self._roots) + p, letter))
        letters.sort(key=lambda letter: (letter.at, letter.id), reverse=True)
        return tuple(letters[:limit])

    async def stats(self, platforms: frozenset[str] | None = None) -> Stats:
        """See `Store.stats`."""
        if platforms == frozenset():
            return Stats(0, 0, 0, 0.0)
        counts = [await self._run_at("stats", root, *(platforms or ())) for root in self._roots]
        waiting, in_flight, dead = (sum(row[n] for row in counts) for n in range(3))
        return Stats(waiting, in_flight, dead, max(int(row[3]) for row in counts) / 1_000_000)

    async def peek(self, conversation: str) -> str | None:
        """See `Store.peek`."""
        state = await self._link.command("HGET", self._key("conv", conversation), "state")
        return None if state is None else str(state.decode())

    async def under_way(self, conversation: str) -> str | None:
        """See `Store.under_way`."""
        turn = await self._link.command("HGET", self._key("conv", conversation), "turn")
        return None if turn is None else str(turn.decode())

    async def log(self, conversation: str, last: int | None = None) -> tuple[str, ...]:
        """See `Store.log`."""
        if last is not None and last <= 0:
            return ()
        lines = await self._link.command("LRANGE", self._key("log", conversation), -(last or 0), -1)
        return tuple(line.decode() for line in lines)

    async def spend(self, key: str, conversation: str, usage: Usage) -> None:
        """See `Store.spend`."""
        counts = (usage.input, usage.output, usage.cache_read, usage.cache_write)
        await self._run("spend", conversation, key, conversation, usage.model, *counts)

    async def spent(self, conversation: str) -> tuple[Usage, ...]:
        """See `Store.spent`."""
        return codec.usages(await self._link.command("HGETALL", self._key("spent", conversation)))

    async def audit(self, key: str, conversation: str, record: Record) -> None:
        """See `Store.audit`."""
        await self._run("audit", conversation, key, conversation, codec.dump_record(record))

    async def audited(self, conversation: str) -> tuple[Record, ...]:
        """See `Store.audited`."""
        kept = await self._link.command("LRANGE", self._key("audit", conversation), 0, -1)
        return tuple(codec.audited(conversation, line).record for line in kept)

    async def _is_due(self, platforms: frozenset[str]) -> bool:
        for root in self._roots:
            if await self._run_at("look", root, self._version, *platforms):
                return True
        return False

    async def _platforms(self) -> frozenset[str]:
        """All that a conversation ever was of."""
        kept = [await self._link.command("SMEMBERS", f"{root}platforms") for root in self._roots]
        return frozenset(name.decode() for names in kept for name in names)

    # ------------------------------------------------------------ keys, scripts, time

    def _root(self, conversation: str) -> str:
        return self._roots[crc32(conversation.encode()) % len(self._roots)]

    def _key(self, kind: str, conversation: str) -> str:
        return f"{self._root(conversation)}{kind}:{conversation}"

    async def _give_up(self, script: str, conversation: str, *arguments: Argument) -> bool:
        """Run a script that ends a claim, and so may have made something due."""
        done = await self._run(script, conversation, conversation, *arguments)
        await self._hints.hint(conversation)
        return bool(done)

    async def _fenced(
        self, script: str, claim: Claim, arguments: Callable[[frozenset[str]], tuple[Argument, ...]]
    ) -> bool:
        """Write under the claim's fence `arguments` without the words of messages that were deleted meanwhile."""
        gone: frozenset[str] = frozenset()
        while True:
            where = claim.conversation
            answer = await self._run(script, where, where, claim.fence, len(gone), *arguments(gone))
            if isinstance(answer, int):
                return bool(answer)
            gone = frozenset(id.decode() for id in answer)

    async def _run(self, script: str, conversation: str, *arguments: Argument) -> Any:
        return await self._run_at(script, self._root(conversation), *arguments)

    def _runner(self, root: str) -> upkeep.Run:
        """Runs scripts in that partition."""
        return lambda script, *arguments: self._run_at(script, root, *arguments)

    async def _run_at(self, script: str, root: str, *arguments: Argument) -> Any:
        return await self._link.run(script, root, self._header, *arguments)

    def _header(self) -> tuple[Argument, ...]:
        """What `lua/shared.lua` reads first: the time, if it is not the server's, and what holds for every call."""
        now = "" if self._clock is None else _micros(self._clock.now())
        return now, _BUDGET_MILLIS, int(len(self._roots) == 1)

    async def _agree(self) -> None:
        """Make sure that everybody who shares the keys cuts them up and reads them the same way."""
        about = f"{self._roots[0]}about"
        for field, value in (("layout", LAYOUT), ("partitions", len(self._roots))):
            await self._link.command("HSETNX", about, field, value)
        layout, partitions = (int(kept) for kept in await self._link.command("HMGET", about, "layout", "partitions"))
        if layout != LAYOUT:
            raise StoreSettingsError(
                f"The keys at {self._link.name} have layout {layout}, this build knows {LAYOUT}. Run the build that "
                "wrote them, or choose another prefix."
            )
        if partitions != len(self._roots):
            raise StoreSettingsError(
                f"The keys at {self._link.name} are cut into partitions: {partitions}, but the settings say "
                f"{len(self._roots)}. The number is fixed once something is stored; set it to {partitions}, or choose "
                "another prefix."
            )


async def _fsync(link: Link) -> str | None:
    """`appendfsync`; None where the server does not tell, as hosted ones often do not."""
    try:
        found = await link.command("CONFIG", "GET", "appendfsync")
    except StoreError:
        return None
    return found[1].decode() if found else None


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


__all__ = ["RedisStore", "StoreError"]
