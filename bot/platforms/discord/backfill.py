"""What was written while nobody listened: it is asked for, and taken as if it came now."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import aiohttp
import discord
from discord.utils import time_snowflake

from bot.core.model import Conversation
from bot.platforms.discord.gateway import Gateway
from bot.platforms.discord.places import is_direct, posts_to
from bot.ports import Door

log = logging.getLogger(__name__)

MOST = 500
"""So many messages of a conversation are looked at, the oldest that were missed first."""

Take = Callable[[discord.Message], Awaitable[None]]


async def backfill(client: Gateway, shard: int, door: Door, seconds: float, take: Take) -> int:
    """Hand the messages of the last `seconds` behind the last one seen to `take`; how many there were.

    Looked at are the conversations of that shard which began, and the threads in them in which something was said.
    What was taken before is known by its id, so nothing is said twice. Raises StoreError.
    """
    oldest = time_snowflake(discord.utils.utcnow()) - (int(seconds * 1000) << 22)
    count = 0
    for where, seen in (await _rooms(client, shard, door)).items():
        count += await _fill(client, where, max(seen, oldest), take)
    if count:
        log.info("%d messages were looked at that came while nobody listened", count)
    return count


async def _rooms(client: Gateway, shard: int, door: Door) -> dict[Conversation, int]:
    """Where to look, and behind which message.

    A thread that is not known yet began after the last thing that was seen in its channel, or has nothing for us.
    """
    known = [where for where in await door.conversations("discord") if _shard(client, where) == shard]
    rooms = {where: await door.last_seen(where) for where in known}
    for guild in client.guilds:
        if guild.shard_id == shard:
            for thread in guild.threads:
                channel = Conversation("discord", str(guild.id), str(thread.parent_id))
                where = Conversation("discord", str(guild.id), str(thread.parent_id), str(thread.id))
                if channel in rooms and where not in rooms:
                    rooms[where] = rooms[channel]
    return rooms


def _shard(client: Gateway, where: Conversation) -> int:
    """The shard that is told of a conversation (docs, sharding); private talks come to the first."""
    guild = 0 if is_direct(where) else int(where.workspace)
    return (guild >> 22) % (client.shard_count or 1)


async def _fill(client: Gateway, where: Conversation, after: int, take: Take) -> int:
    room: discord.abc.Messageable = client.get_partial_messageable(int(posts_to(where)))
    if not is_direct(where):
        guild = client.get_guild(int(where.workspace))
        if guild is None:
            return 0
        found = guild.get_channel_or_thread(int(posts_to(where)))
        newest = getattr(found, "last_message_id", None)
        if newest is not None and newest <= after:
            return 0
        if isinstance(found, discord.abc.Messageable):
            room = found
        else:
            room = client.get_partial_messageable(int(posts_to(where)), guild_id=guild.id)
    count = 0
    try:
        async for message in room.history(after=discord.Object(after), oldest_first=True, limit=MOST):
            count += 1
            await take(message)
    except (discord.Forbidden, discord.NotFound) as error:
        log.info("what was missed in %s cannot be seen (%s)", where.key, error)
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        log.warning("not all that was missed in %s could be looked for (%s)", where.key, error)
    if count == MOST:
        log.warning("more was missed in %s than the %d messages that are looked at", where.key, MOST)
    return count
