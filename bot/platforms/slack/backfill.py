"""What was written while nobody was connected: it is asked for, and taken as if it came now."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.core.model import Conversation
from bot.platforms.slack.arrival import order_of
from bot.platforms.slack.history import messages
from bot.platforms.slack.web import RefusedError, UnansweredError, Web
from bot.ports import Door, StoreError

log = logging.getLogger(__name__)

Take = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Takes a message event."""


async def backfill(web: Web, door: Door, team: str, seconds: float, take: Take) -> int:
    """Hand the messages of the last `seconds` that came behind the last one seen to `take`; how many there were.

    Channels in which the bot is are looked through, and threads with something to say in that time. What was taken
    before is known by its id, so nothing is said twice. A place that cannot be read is left out, and said so.
    """
    oldest = int((time.time() - seconds) * 1e6)
    count = 0
    try:
        known = await door.conversations("slack", team)
        channels = {where.channel: where for where in known if not where.thread}
        kinds = "public_channel,private_channel,mpim,im"
        pages = web.pages("users.conversations", "channels", types=kinds, exclude_archived=True, limit=200)
        async for channel in pages:
            channels.setdefault(channel["id"], Conversation("slack", team, channel["id"]))
        for where in (*channels.values(), *(where for where in known if where.thread)):
            count += await _fill(web, door, where, oldest, take)
    except (UnansweredError, RefusedError, StoreError) as error:
        log.warning("not all that was missed could be looked for: %s", error)
    if count:
        log.info("%d messages were looked at that came while nobody was connected", count)
    return count


async def _fill(web: Web, door: Door, where: Conversation, oldest: int, take: Take) -> int:
    last = await door.last_seen(where)
    if where.thread and last < oldest:
        return 0
    found: list[dict[str, Any]] = []
    try:
        async for message in messages(web, where, max(last, oldest)):
            found.append({"channel_type": "im", **message} if where.channel.startswith("D") else message)
    except RefusedError as error:
        log.info("what was missed in %s cannot be seen (%s)", where.key, error)
        return 0
    for message in sorted(found, key=lambda message: order_of(str(message["ts"]))):
        await take({**message, "channel": where.channel})
    return len(found)
