"""What was written while nobody was connected: it is asked for, and taken as if it came now."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.model import Conversation
from bot.platforms.slack import arrival
from bot.platforms.slack.arrival import MICRO, Me, order_of
from bot.platforms.slack.history import messages
from bot.platforms.slack.web import RefusedError, UnansweredError, Web
from bot.platforms.slack.when import FUTURE
from bot.ports import Door, StoreError, StoreRefusedError

log = logging.getLogger(__name__)

MARGIN = 600.0
"""Seconds looked back further than necessary: Slack delivers again, for some six minutes, what nobody acknowledged."""

KNOWN = 24 * 3600.0
"""Seconds for which a store surely knows the ids of what was taken (`Store.enqueue` says 25 hours)."""

PATIENCE = 2.0
"""Seconds that a message waits for what was missed before it; Slack gives 3 for an acknowledgement."""

FIRST_TRY, LATEST_TRY = 1.0, 60.0
"""Seconds after which it is tried again to look for what was missed: they double from the first to the latest."""

KINDS = ("public_channel,private_channel", "mpim", "im")
"""Kinds of channels, each asked for by itself, as an app may lack the scope for one of them."""

Take = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Takes a message event."""


@dataclass(slots=True)
class Gap:
    """A time in which messages may have been missed: all behind `since`, an order, or behind what `seen` knows of.

    `seen` is how far each conversation had come when the process began; None for a gap in the middle of its life.
    `threads` are those that were found with replies in that time, and the order of their last. Places are put into
    `filled` when nothing is missing there any more.
    """

    since: int
    seen: Mapping[Conversation, int] | None = None
    threads: dict[Conversation, int] = field(default_factory=dict)
    filled: set[Conversation] = field(default_factory=set)
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
        return max(self.since, last - margin)


class Backfill:
    """Looks for what was missed, in every place that Slack shows, until it was seen everywhere.

    What was taken before is known by its id, so looking twice does no harm. Nothing older than `seconds` is taken.
    """

    def __init__(self, web: Web, door: Door, me: Me, seconds: float, take: Take) -> None:
        self._web, self._door, self._me, self._seconds, self._take = web, door, me, seconds, take
        self._gap: Gap | None = None
        self._begun = asyncio.Event()

    def _oldest(self) -> int:
        return int((self._web.time.seconds() - self._seconds) * MICRO)

    async def start(self) -> None:
        """Note how far each conversation has come, before anything new comes in. Raises StoreError."""
        if self._seconds <= 0:
            return
        known = await self._door.conversations("slack", self._me.team)
        seen = {where: await self._door.last_seen(where) for where in known}
        self._gap = Gap(self._oldest(), seen)

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

    @property
    def is_behind(self) -> bool:
        """Whether something may have been missed that was not looked for yet."""
        return self._gap is not None

    async def run(self) -> None:
        """Fill one gap after the other, until cancelled."""
        while await self._begun.wait():
            self._begun.clear()
            delay = FIRST_TRY
            while (gap := self._gap) is not None:
                try:
                    await self._fill(gap)
                except Exception as error:
                    is_known = isinstance(error, UnansweredError | RefusedError | StoreError)
                    told = "not all that was missed could be looked for yet (%s); going on in %.0f s"
                    log.warning(told, error, delay, exc_info=not is_known)
                    await asyncio.sleep(delay)
                    delay = min(2 * delay, LATEST_TRY)
                    continue
                if self._gap is gap:
                    self._gap = None
                if gap.count:
                    log.info("%d messages were looked at that came while nobody was connected", gap.count)

    async def before(self, body: Mapping[str, Any]) -> None:
        """Let what was missed in the place of that delivery go first, as far as that takes no longer than `PATIENCE`.

        Then the delivery overtakes it; the gap stays open.
        """
        where = _place(body, self._me.team)
        if self._gap is None or where is None:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                for place in (where.parent, where):
                    if place and (gap := self._gap):
                        await self._look(gap, place)
        except (UnansweredError, RefusedError, StoreError, TimeoutError) as error:
            log.info("a message of %s goes before what was missed there (%r)", where.key, error)

    # -------------------------------------------------------- one gap

    async def _fill(self, gap: Gap) -> None:
        """Look everywhere. Raises RefusedError, UnansweredError and StoreError where something is left to look at."""
        known = await self._door.conversations("slack", self._me.team)
        for where in await self._channels(known):
            await self._look(gap, where)
        oldest = self._oldest()
        for where in known:
            # The channel tells of replies to what was said lately; below what is older, only we know of a thread.
            if where.thread and order_of(where.thread) < oldest <= await self._door.last_seen(where):
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
                await self._hand_over(where, message)
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
            if order > behind:
                found.append(message)
            # Before the bot came, or before a store that is no longer there had it answer, nothing was missed.
            if is_new and (self._me.bot == message.get("bot_id") or self._me.user == message.get("user")):
                behind = max(behind, order)
        return sorted((m for m in found if order_of(m["ts"]) > behind), key=lambda m: order_of(m["ts"]))

    async def _hand_over(self, where: Conversation, message: Mapping[str, Any]) -> None:
        kind = {"channel_type": "im"} if arrival.is_direct(where.channel) else {}
        try:
            await self._take({**kind, **message, "channel": where.channel})
        except Exception as error:
            if isinstance(error, UnansweredError | StoreError) and not isinstance(error, StoreRefusedError):
                raise
            log.exception("a message of %s that was missed could not be read, and is left out", where.key)


def _place(body: Mapping[str, Any], team: str) -> Conversation | None:
    """Where a message or a slash command was said; None for all else."""
    event = body.get("event") or {}
    if event.get("type") in ("message", "app_mention") and event.get("channel"):
        return arrival.conversation(team, event)
    if body.get("command") and body.get("channel_id"):
        return Conversation("slack", team, str(body["channel_id"]))
    return None
