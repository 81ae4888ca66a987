"""Deliveries that were refused because the store was away: read again from Slack, in order, when it is back.

Slack repeats a refused event three times within some six minutes and then drops it (docs, Events API: at once, after
one minute, after five). Until what was refused in a place stands in its mailbox, nothing newer from there is taken.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from bot.core.model import Conversation
from bot.platforms.slack import arrival
from bot.platforms.slack.arrival import MICRO, order_of
from bot.platforms.slack.history import Take, handed_over, messages
from bot.platforms.slack.web import RefusedError, Web
from bot.ports.mailbox import Outage
from bot.ports.transport import InboundGateway

log = logging.getLogger(__name__)

DOUBT = 60.0
"""Seconds after an outage in which a place is read again before its first delivery is taken: another process may have
refused something there, and reads it again within that time."""

BLIP = 1.0
"""Seconds of an outage in which nothing was refused: calls are tried again for longer than that."""

EARLIER = 10.0
"""Seconds before its own first failed call in which another process may have refused something: calls may take so long
to fail."""

HELD = 1000
"""So many refused edits and deletions are remembered; the history that is read again does not tell of them."""


class Refused:
    """The places of one workspace from which deliveries were refused, and the order of the first one of each."""

    def __init__(self, web: Web, gateway: InboundGateway, team: str, seconds: float, take: Take) -> None:
        self._web, self._gateway, self._team, self._seconds, self._take = web, gateway, team, seconds, take
        self._first: dict[Conversation, int] = {}
        self._times: defaultdict[Conversation, int] = defaultdict(int)
        self._changes: list[Mapping[str, Any]] = []
        self._locks: defaultdict[Conversation, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._doubt: int | None = None
        self._doubt_ends = 0.0
        self._outage: Outage | None = None
        self._certain: set[Conversation] = set()

    @property
    def is_open(self) -> bool:
        """Whether something that was refused is not in its mailbox yet."""
        return bool(self._first or self._changes)

    def note(self, body: Mapping[str, Any]) -> None:
        """Remember that this delivery was refused."""
        event = body.get("event") or {}
        if event.get("type") not in ("message", "app_mention") or not event.get("channel"):
            return
        if event.get("subtype") in ("message_changed", "message_deleted"):
            if event not in self._changes:
                self._changes = [*self._changes, event][-HELD:]
            return
        where, order = arrival.conversation(self._team, event), order_of(str(event["ts"]))
        self._times[where] += 1
        self._first[where] = min(self._first.get(where, order), order)
        self._doubt = min(self._doubt or order, order)
        self._certain.clear()

    async def read_again(self) -> None:
        """Read everything that was refused. Raises StoreError and UnansweredError where something is left."""
        while self._first:
            for where in sorted(self._first, key=lambda place: bool(place.thread)):
                await self._read(where)
        while self._changes:
            await handed_over(self._take, self._changes[0])
            del self._changes[0]

    def may_miss_something(self) -> bool:
        """Whether there may be anything to read before the next delivery of some place."""
        return bool(self._first) or self._is_doubtful()

    async def settled(self, where: Conversation) -> None:
        """Return when nothing is missing at that place. Raises as `read_again`."""
        if self._is_doubtful() and self._doubt is not None and where not in self._certain:
            self._first.setdefault(where, self._doubt)
        if where in self._first:
            await self._read(where)

    def _is_doubtful(self) -> bool:
        outage = self._gateway.outage()
        if outage and outage != self._outage and outage.last - outage.began > BLIP:
            self._outage = outage
            self._suspect(outage)
        if self.is_open:
            self._doubt_ends = time.monotonic() + DOUBT
        elif self._doubt is not None and time.monotonic() > self._doubt_ends:
            self._doubt = None
        return self._doubt is not None

    def _suspect(self, outage: Outage) -> None:
        """Another process may have refused something in that outage, though this one did not."""
        began = self._web.time.seconds() - (time.monotonic() - outage.began) - EARLIER
        self._doubt = min(self._doubt or int(began * MICRO), int(began * MICRO))
        self._doubt_ends = max(self._doubt_ends, outage.last + DOUBT)
        self._certain.clear()

    async def _read(self, where: Conversation) -> None:
        async with self._locks[where]:
            # What is refused while this reads may be missing in what was read, so it reads once more.
            while (first := self._first.get(where)) is not None:
                times = self._times[where]
                await self._gateway.last_seen(where)  # While the store is away, Slack need not be asked.
                found = await self._said(where, first)
                for message in found:
                    await handed_over(self._take, message, where)
                if self._times[where] == times:
                    del self._first[where], self._times[where]
                    self._certain.add(where)
                    log.info("%d messages of %s were read again from Slack", len(found), where.key)

    async def _said(self, where: Conversation, first: int) -> list[dict[str, Any]]:
        """What was said there from that order on, oldest first. Raises UnansweredError."""
        oldest = int((self._web.time.seconds() - self._seconds) * MICRO)
        try:
            found = [message async for message in messages(self._web, where, max(first - 1, oldest))]
        except RefusedError as error:
            if self._web.revoked:
                raise
            log.error("what the store could not take of %s is lost: Slack does not show it (%s)", where.key, error)
            return []
        return sorted(found, key=lambda message: order_of(message["ts"]))
