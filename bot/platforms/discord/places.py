"""Where things are said: Discord names a channel, and a conversation is to be made of it."""

from __future__ import annotations

from collections import OrderedDict

import discord

from bot.core.model import PRIVATE, Conversation
from bot.platforms.discord.web import Web

MOST = 10_000
THREADS = (10, 11, 12)
"""Kinds of channels that are threads (docs, channel types)."""


def is_direct(where: Conversation) -> bool:
    """Whether it is a private talk of one person with the bot."""
    return where.workspace == PRIVATE


def posts_to(where: Conversation) -> str:
    """The id of the channel or thread that its messages stand in."""
    return where.thread or where.channel


class Places:
    """The conversations of channels and threads; what the gateway did not tell of is asked for and remembered."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._known: OrderedDict[int, Conversation] = OrderedDict()

    async def of(self, guild: int | None, channel: int, known: object = None) -> Conversation:
        """The conversation of a channel in a guild, or in private with None; `known` is the library's own object.

        Raises RefusedError and UnansweredError where Discord has to be asked.
        """
        if guild is None:
            return Conversation("discord", PRIVATE, str(channel))
        if channel not in self._known:
            self._known[channel] = _conversation(guild, channel, await self._parent(channel, known))
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return self._known[channel]

    async def _parent(self, channel: int, known: object) -> str:
        """The channel that a thread belongs to; "" for what is no thread."""
        if isinstance(known, discord.Thread):
            return str(known.parent_id)
        if isinstance(known, discord.abc.GuildChannel):
            return ""
        found = await self._web.call("GET", "/channels/{channel_id}", channel_id=channel)
        return str(found["parent_id"]) if found["type"] in THREADS else ""


def _conversation(guild: int, channel: int, parent: str) -> Conversation:
    thread = str(channel) if parent else ""
    return Conversation("discord", str(guild), parent or str(channel), thread)
