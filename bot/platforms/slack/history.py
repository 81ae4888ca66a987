"""What stands in a conversation, as Slack keeps it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from bot.core.model import Conversation
from bot.platforms.slack.arrival import is_direct, order_of, ts_of
from bot.platforms.slack.web import UnansweredError, Web
from bot.ports.mailbox import StoreError, StoreRefusedError

log = logging.getLogger(__name__)

Take = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Takes a message event."""


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


async def handed_over(take: Take, message: Mapping[str, Any], where: Conversation | None = None) -> None:
    """Have a message of `where` taken as if it had just come; one that cannot be read is told to the log and left out.

    Raises StoreError and UnansweredError where it may be taken later. An event that already tells its channel needs no
    `where`.
    """
    event = dict(message)
    if where is not None:
        kind = {"channel_type": "im"} if is_direct(where.channel) else {}
        event = {**kind, **message, "channel": where.channel}
    try:
        await take(event)
    except Exception as error:
        if isinstance(error, UnansweredError | StoreError) and not isinstance(error, StoreRefusedError):
            raise
        log.exception("a message of %s that was missed could not be read, and is left out", event.get("channel"))
