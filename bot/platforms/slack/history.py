"""What stands in a conversation, as Slack keeps it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from bot.core.model import Conversation
from bot.platforms.slack.arrival import order_of, ts_of
from bot.platforms.slack.web import Web


async def messages(web: Web, where: Conversation, after: int) -> AsyncIterator[dict[str, Any]]:
    """The messages of a conversation behind that order; a thread's without the one that it hangs on.

    Raises RefusedError and UnansweredError.
    """
    method = "conversations.replies" if where.thread else "conversations.history"
    place = {"channel": where.channel, **({"ts": where.thread} if where.thread else {})}
    pages = web.pages(method, "messages", oldest=ts_of(after), limit=200, include_all_metadata=True, **place)
    async for message in pages:
        if order_of(str(message["ts"])) > after and message["ts"] != where.thread:
            yield message
