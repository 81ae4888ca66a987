"""Threads on Discord: one below each message at most, with the id of that message."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.core.model import Conversation, Receipt
from bot.platforms.discord.places import THREADS, is_direct
from bot.platforms.discord.refusals import passes, told
from bot.platforms.discord.web import HAS_THREAD, MISSING_PERMISSIONS, RefusedError, UnansweredError, Web
from bot.ports.transport import TransportError

log = logging.getLogger(__name__)

START = "/channels/{channel_id}/messages/{message_id}/threads"

NAME = 100
"""Characters of a thread's name at most (docs, start thread from message)."""

WEEK = 10_080
"""Minutes of silence after which Discord puts a thread out of sight, the most there is; a post brings it back."""


async def open_thread(web: Web, where: Conversation, below: Receipt, title: str) -> Conversation | None:
    """The thread below a message of that channel, opened if it is not yet; None where Discord has none or refuses it.

    Raises TransportError where Discord does not answer, or does not take it now.
    """
    if where.thread or is_direct(where):
        return None
    thread = replace(where, thread=below.ref)
    body = {"name": " ".join(title.split())[:NAME].strip() or "Thread", "auto_archive_duration": WEEK}
    try:
        await web.call("POST", START, body, channel_id=where.channel, message_id=below.ref)
    except UnansweredError as error:
        raise TransportError(f"Discord does not answer: {error}") from error
    except RefusedError as error:
        # An earlier call may have opened it, with a permission that is gone by now.
        if error.code == HAS_THREAD or await _stands(web, thread):
            return thread
        if passes(error):
            raise told(error, where.key) from error
        hint = ": give its role the permission Create Public Threads" if error.code == MISSING_PERMISSIONS else ""
        log.warning("the bot cannot open a thread in channel %s (%s)%s", where.channel, error, hint)
        return None
    return thread


async def _stands(web: Web, thread: Conversation) -> bool:
    """Whether there is such a thread for the bot. Raises TransportError."""
    try:
        found = await web.call("GET", "/channels/{channel_id}", channel_id=thread.thread)
    except UnansweredError as error:
        raise TransportError(f"Discord does not answer: {error}") from error
    except RefusedError:
        return False
    return found["type"] in THREADS and str(found["parent_id"]) == thread.channel
