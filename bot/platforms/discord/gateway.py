"""The connection on which Discord tells things. discord.py makes it, and makes it again when it breaks."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import discord
import yarl

from bot.platforms.discord.options import DiscordOptions

log = logging.getLogger(__name__)

INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True)
"""What is asked for: where people talk, and what they say. The words of messages have to be allowed in the portal."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A shard has a new session: what was said since the one before was never told. `all_told`: its guilds were."""

    shard: int
    all_told: asyncio.Event = field(default_factory=asyncio.Event)


Told = (
    discord.Message | discord.RawMessageUpdateEvent | discord.RawMessageDeleteEvent | discord.RawBulkMessageDeleteEvent
)


class Watch(Protocol):
    """Who wants to know of the shards' connections. Its calls neither wait nor raise."""

    def connected(self, client: Gateway, connected: Connected) -> None:
        """A shard has a new session, or tells of a server that it could not tell of before."""

    def resumed(self, shard: int) -> None:
        """A shard has its connection again, and what was missed was told."""

    def lost(self, shards: Iterable[int]) -> None:
        """These shards have no connection."""


def _in_words(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}"


def _told_in_a_line(record: logging.LogRecord) -> bool:
    """The library's words about a connection, with the error in place of its traceback, which tells nobody anything."""
    if record.exc_info:
        record.msg, record.args = "%s (%s)", (record.getMessage(), _in_words(record.exc_info[1]))
        record.exc_info = None
    return True


logging.getLogger("discord.shard").addFilter(_told_in_a_line)


class NotReachedError(ConnectionError):
    """The gateway let nobody in."""


class Gateway(discord.AutoShardedClient):
    """Hands what is told to `told` and `asked`, in the order in which it comes; those must neither wait nor raise.

    The library begins its tasks in order, and each of these handlers is done at its first step.
    """

    def __init__(
        self,
        options: DiscordOptions,
        told: Callable[[Told], None],
        asked: Callable[[discord.Interaction[Any]], None],
        watch: Watch,
    ) -> None:
        shards: dict[str, Any] = {"shard_ids": list(options.shard_ids)} if options.shard_ids else {}
        super().__init__(
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            shard_count=options.shard_count,
            guild_ready_timeout=options.settle,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            **shards,
        )
        self._told, self._asked, self._watch = told, asked, watch
        self._tried: set[int] = set()
        self._up: set[int] = set()
        self._telling: dict[int, Connected] = {}

    def away(self) -> list[int] | None:
        """The shards that have no connection just now; None where not all had one yet."""
        return [shard for shard in self.shards if shard not in self._up] if self.is_ready() else None

    async def launch_shard(self, gateway: yarl.URL, shard_id: int, *, initial: bool = False) -> None:
        """Make a shard's first connection. Raises NotReachedError.

        Left alone, the library tries for ever, and calls this again from within each try that has failed.
        """
        if shard_id in self._tried:
            raise NotReachedError(f"the gateway does not let shard {shard_id} in ({_in_words(sys.exception())})")
        self._tried.add(shard_id)
        await super().launch_shard(gateway, shard_id, initial=initial)

    async def close(self) -> None:
        """End all connections; nobody is to wait for what they would still have told."""
        for telling in self._telling.values():
            telling.all_told.set()
        await super().close()

    async def on_message(self, message: discord.Message) -> None:
        """Somebody said something."""
        self._told(message)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Something that was said has changed."""
        self._told(event)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """A message was deleted."""
        self._told(event)

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Several messages of a channel were deleted."""
        self._told(event)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Somebody pressed something, or used the slash command."""
        self._asked(interaction)

    async def on_shard_connect(self, shard: int) -> None:
        """A shard has a session; its guilds come behind."""
        self._up.add(shard)
        self._telling[shard] = Connected(shard)
        self._watch.connected(self, self._telling[shard])

    async def on_shard_ready(self, shard: int) -> None:
        """The guilds of a shard were told of."""
        if telling := self._telling.pop(shard, None):
            telling.all_told.set()

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """A server is told of; behind all others, where it was out of order till now."""
        if guild.shard_id not in self._telling:
            late = Connected(guild.shard_id)
            late.all_told.set()
            self._watch.connected(self, late)

    async def on_shard_resumed(self, shard: int) -> None:
        """A connection was made again, and what was missed was told."""
        self._up.add(shard)
        self._watch.resumed(shard)

    async def on_shard_disconnect(self, shard: int) -> None:
        """A connection broke."""
        self._up.discard(shard)
        self._watch.lost((shard,))
