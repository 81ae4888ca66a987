"""What was written while nobody listened: it is asked for, and taken as if it came now."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import discord
from discord.utils import time_snowflake, utcnow

from bot.core.model import Conversation
from bot.platforms.discord.gateway import Connected, Gateway
from bot.platforms.discord.messages import Me
from bot.platforms.discord.places import is_direct, posts_to
from bot.platforms.discord.web import RefusedError, UnansweredError
from bot.ports.mailbox import StoreError
from bot.ports.transport import InboundGateway

log = logging.getLogger(__name__)

MOST = 500
"""So many messages of a conversation are looked at, the oldest that were missed first."""

MARGIN = 120.0
"""Seconds looked back further than necessary: the library notices after a minute that a connection is dead."""

KNOWN = 24 * 3600.0
"""Seconds for which what was taken once is surely known by its id, so that looking twice does no harm."""

PATIENCE = 5.0
"""Seconds that what is said now waits for what was missed before it; those who say it wait with it."""

TOLD_WITHIN = 60.0
"""Seconds after which missed messages are looked for even though Discord has not told of all guilds yet."""

FIRST_TRY, LATEST_TRY = 1.0, 60.0
"""Seconds after which it is tried again to look for what was missed: they double from the first to the latest."""

Take = Callable[[discord.Message], Awaitable[None]]
"""Takes a message that was missed; raises nothing but cancellation."""

FAILS = (discord.DiscordException, aiohttp.ClientError, OSError, UnansweredError, RefusedError, StoreError)
"""What keeps missed messages from being seen for a while."""


def _ago(seconds: float) -> int:
    """The snowflake of that long ago."""
    return time_snowflake(utcnow()) - (int(seconds * 1000) << 22)


@dataclass(slots=True)
class Gap:
    """A time in which a shard told nothing, and what is known of it.

    Missed is what stands behind `since`, a snowflake; 0 where the process had only begun. What stands behind the last
    message that was seen was missed in any case. Places are put into `filled` when nothing is missing there any more,
    and into `overtaken` where something new would not wait any longer.
    """

    client: Gateway
    connected: Connected
    since: int
    behind: dict[Conversation, int] = field(default_factory=dict)
    filled: set[Conversation] = field(default_factory=set)
    overtaken: set[Conversation] = field(default_factory=set)
    locks: defaultdict[Conversation, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    count: int = 0


class Backfill:
    """Looks for what was missed, in every place that Discord shows, until it was seen everywhere.

    What was taken before is known by its id, so nothing is taken twice. Nothing older than `seconds` is taken; with 0
    nothing is looked for.
    """

    def __init__(self, inbound: InboundGateway, me: Me, seconds: float, take: Take, anew: Callable[[], None]) -> None:
        """`anew` is called when there is a new session: what was known of people may have changed meanwhile."""
        self._inbound, self._me, self._seconds, self._take, self._anew = inbound, me, seconds, take, anew
        self._began = _ago(0.0)
        self._begun_with: Mapping[Conversation, int] = {}
        self._lost: dict[int, int] = {}
        self._known: set[int] = set()
        self._gaps: dict[int, Gap] = {}
        self._work = asyncio.Event()

    async def start(self) -> None:
        """Note how far each conversation has come, before anything new comes in; a store that is away is waited for."""
        delay = FIRST_TRY
        while self._seconds:
            try:
                known = await self._inbound.conversations("discord")
                self._begun_with = {where: await self._inbound.last_seen(where) for where in known}
                return
            except StoreError as error:
                log.error("how far the conversations have come cannot be read (%s); again in %.0f s", error, delay)
                await asyncio.sleep(delay)
                delay = min(2 * delay, LATEST_TRY)

    def lost(self, shards: Iterable[int]) -> None:
        """These shards have no connection from now on."""
        for shard in shards:
            self._lost.setdefault(shard, _ago(MARGIN))

    def resumed(self, shard: int) -> None:
        """A shard has its connection again, and nothing was missed."""
        self._lost.pop(shard, None)

    def connected(self, client: Gateway, connected: Connected) -> None:
        """A shard has a new session: what was said since the one before is not told."""
        shard = connected.shard
        since = self._lost.pop(shard, _ago(MARGIN) if shard in self._known else 0)
        self._known.add(shard)
        self._anew()
        if not self._seconds:
            return
        unfilled = self._gaps.get(shard)
        gap = Gap(client, connected, min(since, unfilled.since) if unfilled else since)
        if unfilled:
            gap.behind = {where: at for where, at in unfilled.behind.items() if where not in unfilled.filled}
        self._gaps[shard] = gap
        self._work.set()

    @property
    def is_behind(self) -> bool:
        """Whether something may have been missed that was not looked for yet."""
        return bool(self._gaps)

    async def run(self) -> None:
        """Fill one gap after the other, until cancelled."""
        delay = FIRST_TRY
        while await self._work.wait():
            self._work.clear()
            for shard, gap in list(self._gaps.items()):
                try:
                    done = await self._fill(gap)
                except Exception as error:
                    if gap.client.is_closed():
                        continue
                    told = "not all that was missed could be looked for yet (%s); going on in %.0f s"
                    log.warning(told, error, delay, exc_info=not isinstance(error, FAILS))
                    await asyncio.sleep(delay)
                    delay = min(2 * delay, LATEST_TRY)
                    self._work.set()
                    continue
                if not done:
                    continue
                delay = FIRST_TRY
                del self._gaps[shard]
                if gap.count:
                    log.info("%d messages were looked at that came while nobody listened", gap.count)

    async def before(self, where: Conversation) -> None:
        """Let what was missed there go first, as far as that takes no longer than `PATIENCE`.

        Then what is said now overtakes it; the gap stays open.
        """
        for place in (where.parent, where):
            gap = self._gap_of(where)
            if place is None or gap is None or place in gap.overtaken:
                continue
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._look(gap, place)
            except Exception as error:
                gap.overtaken.add(place)
                log.info("what is said now in %s goes before what was missed there (%r)", where.key, error)

    # -------------------------------------------------------- one gap

    def _gap_of(self, where: Conversation) -> Gap | None:
        return next((gap for shard, gap in self._gaps.items() if _shard(gap.client, where) == shard), None)

    async def _fill(self, gap: Gap) -> bool:
        """Look everywhere; False where the connection went meanwhile, and a new one has to come first.

        Raises one of `FAILS` where something is left to look at, after a look at all the rest.
        """
        shard = gap.connected.shard
        try:
            await asyncio.wait_for(gap.connected.all_told.wait(), TOLD_WITHIN)
        except TimeoutError:
            log.warning("Discord has not told of all guilds of shard %s in %.0f s", shard, TOLD_WITHIN)
        failed: Exception | None = None
        for where in await self._places(gap):
            if self._gaps.get(shard) is not gap or gap.client.is_closed():
                return False
            try:
                await self._look(gap, where)
            except FAILS as error:
                failed = error
        if failed:
            raise failed
        return self._gaps.get(shard) is gap

    async def _places(self, gap: Gap) -> list[Conversation]:
        """Where to look, channels before the threads in them, and first where something was said last."""
        client, shard = gap.client, gap.connected.shard
        found: dict[Conversation, int] = {}
        for guild in client.guilds:
            if guild.shard_id == shard:
                for room in (*guild.channels, *guild.threads):
                    if isinstance(room, discord.abc.Messageable) and room.last_message_id:
                        found[_place(room)] = room.last_message_id
        oldest = _ago(self._seconds)
        for where in await self._inbound.conversations("discord"):
            if _shard(client, where) == shard and where not in found:
                last = await self._inbound.last_seen(where)
                # Of private talks and archived threads Discord tells nothing; a thread is archived some time after
                # the last message in it.
                if is_direct(where) or (_room(client, where) is None and where.thread and last > oldest):
                    found[where] = last
        return sorted(found, key=lambda where: (bool(where.thread), -found[where]))

    async def _look(self, gap: Gap, where: Conversation) -> None:
        """Take what was missed at one place, unless that was done. Raises one of `FAILS`."""
        async with gap.locks[where]:
            if where in gap.filled:
                return
            last = await self._last(gap, where)
            if where not in gap.behind:
                gap.behind[where] = self._behind(gap, where, last)
            if hidden := _hidden(gap, where):
                if last:
                    log.info("what was missed in %s cannot be seen (%s)", where.key, hidden)
            else:
                for message in await self._missing(gap, where, is_new=not last):
                    gap.count += 1
                    await self._take(message)
            gap.filled.add(where)

    async def _last(self, gap: Gap, where: Conversation) -> int:
        """The last that was seen there before the gap, 0 where nothing ever was."""
        if not gap.since and where in self._begun_with:
            return self._begun_with[where]
        last = await self._inbound.last_seen(where)
        # It tells nothing of a gap before all that this process has seen.
        return last if gap.since or last < self._began else 0

    def _behind(self, gap: Gap, where: Conversation, last: int) -> int:
        """The snowflake behind which messages there may have been missed."""
        behind = min(last, gap.since) if gap.since else last
        if not gap.since and last - _ago(KNOWN) > 0:
            # What was told, but not yet taken, when a process died may stand above a press that was.
            behind = last - (int(MARGIN * 1000) << 22)
        guild = gap.client.get_guild(0 if is_direct(where) else int(where.workspace))
        joined = guild.me.joined_at if guild and guild.me else None
        return max(behind, _ago(self._seconds), time_snowflake(joined) if joined else 0)

    async def _missing(self, gap: Gap, where: Conversation, *, is_new: bool) -> list[discord.Message]:
        """The messages behind the gap's begin, oldest first. Raises one of `FAILS`; what Discord hides is empty."""
        room, behind = _room(gap.client, where), gap.behind[where]
        newest = getattr(room, "last_message_id", None)
        if newest is not None and newest <= behind:
            return []
        if room is None:
            guild = None if is_direct(where) else int(where.workspace)
            room = gap.client.get_partial_messageable(int(posts_to(where)), guild_id=guild)
        found = []
        try:
            async for message in room.history(after=discord.Object(behind), oldest_first=True, limit=MOST):
                found.append(message)
                # Before a store that is no longer there had the bot answer, nothing was missed.
                if is_new and message.id < self._began and self._is_ours(message):
                    found.clear()
        except (discord.Forbidden, discord.NotFound) as error:
            log.info("what was missed in %s cannot be seen (%s)", where.key, error)
        if len(found) == MOST:
            log.warning("more was missed in %s than the %d messages that are looked at", where.key, MOST)
        return found

    def _is_ours(self, message: discord.Message) -> bool:
        if message.webhook_id is not None:
            return str(message.application_id) == self._me.application
        return str(message.author.id) == self._me.user


def _shard(client: Gateway, where: Conversation) -> int:
    """The shard that is told of a conversation (docs, sharding); private talks come to the first."""
    guild = 0 if is_direct(where) else int(where.workspace)
    return (guild >> 22) % (client.shard_count or 1)


def _place(room: Any) -> Conversation:
    """The conversation of a channel or thread of a guild."""
    guild = str(room.guild.id)
    if isinstance(room, discord.Thread):
        return Conversation("discord", guild, str(room.parent_id), str(room.id))
    return Conversation("discord", guild, str(room.id))


def _room(client: Gateway, where: Conversation) -> Any:
    """The library's own object of a place in a guild that it was told of, else None."""
    guild = None if is_direct(where) else client.get_guild(int(where.workspace))
    found = guild.get_channel_or_thread(int(posts_to(where))) if guild else None
    return found if isinstance(found, discord.abc.Messageable) else None


def _hidden(gap: Gap, where: Conversation) -> str:
    """Why the bot may not read what was said at a place; "" where it may, or where that is not known."""
    if is_direct(where):
        return ""
    guild, room = gap.client.get_guild(int(where.workspace)), _room(gap.client, where)
    if guild is None:
        return "the bot is not on that server" if gap.connected.all_told.is_set() else ""
    if room is None or guild.me is None or (isinstance(room, discord.Thread) and room.parent is None):
        return ""
    allowed = room.permissions_for(guild.me)
    if not allowed.view_channel:
        return "the bot does not see the channel"
    return "" if allowed.read_message_history else "the bot lacks the permission Read Message History there"
