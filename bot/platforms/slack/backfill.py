"""What was written while nobody was connected: it is asked for, and taken as if it came now."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.model import Conversation
from bot.platforms.slack import arrival
from bot.platforms.slack.arrival import MICRO, Me, order_of
from bot.platforms.slack.history import Take, handed_over, messages
from bot.platforms.slack.refused import Refused
from bot.platforms.slack.web import RefusedError, UnansweredError, Web
from bot.platforms.slack.when import FUTURE
from bot.ports.mailbox import StoreError
from bot.ports.transport import InboundGateway

log = logging.getLogger(__name__)

MARGIN = 600.0
"""Seconds looked back further than necessary: Slack delivers again, for some six minutes, what nobody acknowledged."""

KNOWN = 24 * 3600.0
"""Seconds for which a store surely knows the ids of what was taken (`Store.enqueue` says 25 hours)."""

PATIENCE = 2.0
"""Seconds that a delivery waits for what was missed before it, and is refused then; Slack gives 3 to acknowledge."""

OVERTAKEN = 60.0
"""Seconds after which deliveries go before what was missed, where Slack has not shown it by then."""

AHEAD = 10.0
"""Seconds for which what was missed is looked for before there is a connection; the rest is looked for behind it."""

OVERLAP = 5.0
"""Seconds before the newest message found then, from which it is looked again: Slack may show some a little late."""

FIRST_TRY, LATEST_TRY = 1.0, 60.0
"""Seconds after which it is tried again to look for what was missed: they double from the first to the latest."""

STORE_TRY = 5.0
"""The latest of them where the store was what failed: people wait for it."""

MINUTE, LATE = 60.0, 5.0
"""Seconds for which Slack drops events when it limits them, and that the last of them may be on its way."""

KINDS = ("public_channel,private_channel", "mpim", "im")
"""Kinds of channels, each asked for by itself, as an app may lack the scope for one of them."""


@dataclass(slots=True)
class Gap:
    """A time in which messages may have been missed: all behind `since`, an order, or behind what `seen` knows of.

    `seen` is how far each conversation had come when the process began; None for a gap in the middle of its life.
    `threads` are those that were found with replies in that time, and the order of their last. Places are put into
    `filled` when nothing is missing there any more; `newest` is the order of the last message that Slack showed there.
    `ahead` has the places that were looked at before there was a connection, and up to where nothing is missing there.
    """

    since: int
    seen: Mapping[Conversation, int] | None = None
    threads: dict[Conversation, int] = field(default_factory=dict)
    filled: set[Conversation] = field(default_factory=set)
    newest: dict[Conversation, int] = field(default_factory=dict)
    ahead: dict[Conversation, int] = field(default_factory=dict)
    locks: defaultdict[Conversation, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    count: int = 0

    def behind(self, where: Conversation, now: float | None = None) -> int:
        """The order behind which messages of `where` may have been missed, at that time by Slack's clock."""
        last = self.seen.get(where, 0) if self.seen is not None else 0
        now = time.time() if now is None else now
        # What was taken so long ago is no longer known by its id, so there is no looking back beyond it.
        oldest = int((now - KNOWN) * MICRO)
        if last > int(now * MICRO) + FUTURE:
            last = oldest  # builds before this one gave slash commands the time of this machine, which was ahead
        margin = int(MARGIN * MICRO) if last > oldest else 0
        return max(self.since, last - margin, self.ahead.get(where, 0))


class Backfill:
    """Looks for what was missed, in every place that Slack shows, until it was seen everywhere.

    What was taken before is known by its id, so looking twice does no harm. Nothing older than `seconds` is taken.
    """

    def __init__(self, web: Web, gateway: InboundGateway, me: Me, seconds: float, take: Take) -> None:
        self._web, self._gateway, self._me, self._seconds, self._take = web, gateway, me, seconds, take
        self._gap: Gap | None = None
        self._begun = asyncio.Event()
        self._refused = Refused(web, gateway, me.team, seconds, take)
        self._slow_since: float | None = None
        self._limited: set[asyncio.Task[None]] = set()
        self._reading: set[asyncio.Task[None]] = set()

    def _oldest(self) -> int:
        return int((self._web.time.seconds() - self._seconds) * MICRO)

    async def start(self) -> None:
        """Note how far each conversation has come, before anything new comes in. Raises StoreError."""
        if self._seconds <= 0:
            return
        known = await self._gateway.conversations("slack", self._me.team)
        seen = {where: await self._gateway.last_seen(where) for where in known}
        self._gap = Gap(self._oldest(), seen)

    async def look_ahead(self) -> None:
        """Before there is a connection, look for what was missed, for `AHEAD` seconds at most.

        What comes over a connection has to wait for what was missed before it, and may be refused for that, while other
        processes take what is newer. So little should be left to look for then.
        """
        if (gap := self._gap) is None:
            return
        try:
            async with asyncio.timeout(AHEAD):
                await self._fill(gap)
        except (UnansweredError, RefusedError, StoreError, TimeoutError) as error:
            log.info("not all that was missed could be looked for before Slack is connected (%r)", error)
        ahead = {where: gap.newest[where] - int(OVERLAP * MICRO) for where in gap.filled & gap.newest.keys()}
        self._gap = Gap(gap.since, gap.seen, gap.threads, ahead=ahead, count=gap.count)

    def connected(self, since: float | None) -> None:
        """There is a connection, and was none since then, in seconds since the epoch; None: since the process began.

        To look any sooner would leave out what is said between the look and the connection.
        """
        if self._seconds <= 0:
            return
        self._begun.set()
        if since is None:
            return
        begin = max(int((since - MARGIN) * MICRO), self._oldest())
        unfilled = self._gap
        self._gap = Gap(min(begin, unfilled.since), unfilled.seen) if unfilled else Gap(begin)

    def refused(self, body: Mapping[str, Any]) -> None:
        """That delivery was not taken. Slack repeats it a few times only, so it is read from Slack if need be."""
        if self._seconds > 0:
            self._refused.note(body)
            if self._refused.is_open:
                self._begun.set()

    def limited(self, minute: float) -> None:
        """Slack says that it drops events in the minute which begins then, in seconds since the epoch."""

        async def when_over() -> None:
            await asyncio.sleep(max(0.0, minute + MINUTE + LATE - time.time()))
            self.connected(minute)

        log.warning("Slack has dropped events, as there were too many: what they told of is looked for in a minute")
        task = asyncio.create_task(when_over())
        self._limited.add(task)
        task.add_done_callback(self._limited.discard)

    @property
    def is_behind(self) -> bool:
        """Whether something may have been missed that was not looked for yet."""
        return self._gap is not None or self._refused.is_open or bool(self._limited)

    async def run(self) -> None:
        """Fill one gap after the other, until cancelled."""
        try:
            while await self._begun.wait():
                self._begun.clear()
                await self._catch_up()
        finally:
            for task in (*self._limited, *self._reading):
                task.cancel()

    async def _catch_up(self) -> None:
        """Look until everything was seen, however long it takes."""
        delay = FIRST_TRY
        while self._gap is not None or self._refused.is_open:
            try:
                await self._refused.read_again()
                if (gap := self._gap) is not None:
                    await self._fill(gap)
                    if self._gap is gap:
                        self._gap = None
                    if gap.count:
                        log.info("%d messages were looked at that came while nobody was connected", gap.count)
            except Exception as error:
                is_known = isinstance(error, UnansweredError | RefusedError | StoreError)
                told = "not all that was missed could be looked for yet (%s); going on in %.0f s"
                log.warning(told, error, delay, exc_info=not is_known)
                await asyncio.sleep(delay)
                delay = min(2 * delay, STORE_TRY if isinstance(error, StoreError) else LATEST_TRY)

    async def before(self, where: Conversation | None) -> bool:
        """Let what was missed in the place of a delivery go first; whether the delivery may be taken then.

        Where that takes longer than `PATIENCE`, it may not: `refused` makes sure that it is taken in its order. Where
        Slack shows nothing for `OVERTAKEN` seconds, deliveries are taken all the same, and the gap stays open.
        """
        if where is None or (self._gap is None and not self._refused.may_miss_something()):
            self._slow_since = None
            return True
        # What is being read goes on when the waiting ends: begun anew by each delivery, it would never come to its end.
        reading = asyncio.create_task(self._settled(where))
        self._reading.add(reading)
        reading.add_done_callback(self._was_read)
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.shield(reading)
        except StoreError as error:
            log.warning("a delivery to %s has to wait for what was missed before it (%s)", where.key, error)
            return False
        except (UnansweredError, RefusedError, TimeoutError) as error:
            now = time.monotonic()
            self._slow_since = now if self._slow_since is None else self._slow_since
            if now - self._slow_since < OVERTAKEN:
                log.info("a delivery to %s waits for what was missed before it (%r)", where.key, error)
                return False
            log.warning("a message of %s goes before what was missed there (%r)", where.key, error)
            return True
        self._slow_since = None
        return True

    async def _settled(self, where: Conversation) -> None:
        """Return when nothing is missing there. Raises as `_fill` does."""
        for place in (where.parent, where):
            if place and (gap := self._gap):
                await self._look(gap, place)
            if place and self._seconds > 0:
                await self._refused.settled(place)

    def _was_read(self, reading: asyncio.Task[None]) -> None:
        self._reading.discard(reading)
        if not reading.cancelled() and (error := reading.exception()):
            log.debug("what was missed could not be read (%r)", error)  # who still waits for it is told

    # -------------------------------------------------------- one gap

    async def _fill(self, gap: Gap) -> None:
        """Look everywhere. Raises RefusedError, UnansweredError and StoreError where something is left to look at."""
        known = await self._gateway.conversations("slack", self._me.team)
        for where in await self._channels(known):
            await self._look(gap, where)
        oldest = self._oldest()
        for where in known:
            # The channel tells of replies to what was said lately; below what is older, only we know of a thread.
            if where.thread and order_of(where.thread) < oldest <= await self._gateway.last_seen(where):
                await self._look(gap, where)
        for where, latest in sorted(gap.threads.items(), key=lambda found: found[1]):
            if latest > gap.behind(where, self._web.time.seconds()):
                await self._look(gap, where)

    async def _channels(self, known: tuple[Conversation, ...]) -> list[Conversation]:
        """Where the bot is: as Slack lists it, and where it does not, as far as we know. Raises as `Web.call` does."""
        found: dict[str, Conversation] = {}
        unlisted = []
        for kind in KINDS:
            try:
                listed = self._web.pages(
                    "users.conversations", "channels", types=kind, exclude_archived=True, limit=200
                )
                async for channel in listed:
                    found[channel["id"]] = Conversation("slack", self._me.team, channel["id"])
            except RefusedError as error:
                if error.code != "missing_scope":
                    raise
                log.info("conversations of the kind %s that are new cannot be looked for (%s)", kind, error)
                unlisted.append(kind)
        for where in known:
            is_unlisted = "im" in unlisted if arrival.is_direct(where.channel) else set(unlisted) - {"im"}
            if is_unlisted and not where.thread:
                found.setdefault(where.channel, where)
        return list(found.values())

    async def _look(self, gap: Gap, where: Conversation) -> None:
        """Take what was missed at one place, unless that was done. Raises as `_fill` does; what Slack hides is done."""
        async with gap.locks[where]:
            if where in gap.filled:
                return
            try:
                found = await self._missing(gap, where)
            except RefusedError as error:
                if self._web.revoked:
                    raise
                log.info("what was missed in %s cannot be seen (%s)", where.key, error)
                found = []
            for message in found:
                await handed_over(self._take, message, where)
            gap.count += len(found)
            gap.filled.add(where)

    async def _missing(self, gap: Gap, where: Conversation) -> list[dict[str, Any]]:
        """The messages behind the gap's begin, oldest first; of a channel, the threads too are noted that go on."""
        behind = gap.behind(where, self._web.time.seconds())
        is_new = gap.seen is not None and where not in gap.seen
        found = []
        async for message in messages(self._web, where, behind if where.thread else min(behind, self._oldest())):
            if not where.thread and (latest := message.get("latest_reply")):
                gap.threads[Conversation("slack", self._me.team, where.channel, message["ts"])] = order_of(latest)
            order = order_of(message["ts"])
            gap.newest[where] = max(order, gap.newest.get(where, 0))
            if order > behind:
                found.append(message)
            # Before the bot came, or before a store that is no longer there had it answer, nothing was missed.
            if is_new and (self._me.bot == message.get("bot_id") or self._me.user == message.get("user")):
                behind = max(behind, order)
        return sorted((m for m in found if order_of(m["ts"]) > behind), key=lambda m: order_of(m["ts"]))


def place_of(body: Mapping[str, Any], team: str) -> Conversation | None:
    """Where a message or a slash command was said, or a button was pressed; None for all else."""
    event = body.get("event") or {}
    if event.get("type") in ("message", "app_mention") and event.get("channel"):
        return arrival.conversation(team, event)
    if body.get("command") and body.get("channel_id"):
        return Conversation("slack", team, str(body["channel_id"]))
    pressed = body.get("container") or {}
    if body.get("type") == "block_actions" and pressed.get("channel_id"):
        thread, ts = str(pressed.get("thread_ts") or ""), str(pressed.get("message_ts") or "")
        return Conversation("slack", team, str(pressed["channel_id"]), "" if thread == ts else thread)
    return None
