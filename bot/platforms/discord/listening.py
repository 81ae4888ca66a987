"""What Discord tells the bot, taken in the order in which it was told. A message is done with when it is queued."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import assert_never

import discord

from bot.core.model import Conversation, Inbound
from bot.platforms.discord import arrival
from bot.platforms.discord.arrival import Person
from bot.platforms.discord.gateway import Told
from bot.platforms.discord.messages import Me
from bot.platforms.discord.places import Places, posts_to
from bot.platforms.discord.web import CANNOT_REPLY, NOBODY, RefusedError, UnansweredError, Web
from bot.ports.library import Library
from bot.ports.mailbox import MailboxFullError, StoreError, StoreRefusedError
from bot.ports.transport import InboundGateway

log = logging.getLogger(__name__)

FULL = "Too many messages are waiting here, so this one was not taken. Please send it again in a while."

TEXTS = 1000
"""So many of the last messages are remembered as they read, to know what an edit has changed."""

SOONEST, LATEST = 0.5, 15.0
"""Seconds after which something that could not be taken is tried again: they double from the first to the latest."""


class EventHandler:
    """Takes messages, edits and deletions, one after the other; `before` has what was missed somewhere go first."""

    def __init__(
        self,
        web: Web,
        me: Me,
        places: Places,
        gateway: InboundGateway,
        library: Library,
        before: Callable[[Conversation], Awaitable[None]],
    ) -> None:
        self._web, self._me, self._places, self._gateway = web, me, places, gateway
        self._library, self._before = library, before
        self._waiting: asyncio.Queue[Told] = asyncio.Queue()
        self._texts: OrderedDict[int, str] = OrderedDict()
        self._persons: dict[tuple[str, str], Person] = {}

    def told(self, told: Told) -> None:
        """Put it behind all that was told before."""
        self._waiting.put_nowait(told)

    async def listen(self) -> None:
        """Take what is told, until cancelled."""
        while True:
            told = await self._waiting.get()
            await self._until_taken(lambda told=told: self._take(told))  # type: ignore[misc]
            self._waiting.task_done()

    async def missed(self, message: discord.Message) -> None:
        """Take a message that was said before, and not told."""
        await self._until_taken(lambda: self._take_message(message))

    async def _until_taken(self, take: Callable[[], Awaitable[None]]) -> None:
        """Take one thing. While the store or Discord fails it is tried again: it is told only once."""
        delay = SOONEST
        while True:
            try:
                await take()
                return
            except StoreRefusedError:
                log.exception("something that Discord told can never be kept, and is left out")
                return
            except (StoreError, UnansweredError) as error:
                log.warning("what Discord told cannot be taken (%s); trying again in %.1f s", error, delay)
                await asyncio.sleep(delay)
                delay = min(2 * delay, LATEST)
            except RefusedError as error:
                log.info("what Discord told is left out, since it cannot be placed (%s)", error)
                return
            except Exception:
                log.exception("something that Discord told could not be read, and is left out")
                return

    async def _take(self, told: Told) -> None:
        match told:
            case discord.Message():
                if arrival.is_said(told):
                    await self._before(await self._place(told))
                    await self._take_message(told)
            case discord.RawMessageUpdateEvent():
                await self._edited(told.message)
            case discord.RawMessageDeleteEvent():
                await self._deleted(told.guild_id, told.channel_id, (told.message_id,))
            case discord.RawBulkMessageDeleteEvent():
                await self._deleted(told.guild_id, told.channel_id, sorted(told.message_ids))
            case _:
                assert_never(told)

    async def _take_message(self, message: discord.Message) -> None:
        if arrival.is_said(message):
            inbound = await self._read(message)
            self._remember(message.id, inbound.text)
            await self._or_full(inbound, self._gateway.receive(inbound))

    async def _place(self, message: discord.Message) -> Conversation:
        return await self._places.of(_guild(message), message.channel.id, message.channel)

    async def _read(self, message: discord.Message) -> Inbound:
        guild, where = _guild(message), await self._place(message)
        return arrival.said(message, where, self._me, await self._sender(message, guild), self._library.cast)

    async def _sender(self, message: discord.Message, guild: int | None) -> Person:
        """Who wrote it. Discord tells the roles of a member with what is said now, not with what was said before."""
        if guild is None or isinstance(message.author, discord.Member):
            return arrival.person(message.author)
        key = str(guild), str(message.author.id)
        if key not in self._persons:
            path = "/guilds/{guild_id}/members/{user_id}"
            try:
                found = await self._web.call("GET", path, guild_id=guild, user_id=message.author.id)
                name = found.get("nick") or message.author.display_name
                self._persons[key] = Person(key[1], str(name), tuple(str(role) for role in found["roles"]))
            except RefusedError as error:
                log.info("who %s is in guild %s cannot be told (%s)", key[1], guild, error)
                self._persons[key] = arrival.person(message.author)
        return self._persons[key]

    def forget_persons(self) -> None:
        """Ask anew who has which roles."""
        self._persons.clear()

    async def _edited(self, message: discord.Message) -> None:
        """A message reads otherwise now. Discord tells of an edit also where it adds a link's preview by itself."""
        if message.edited_at is None or not arrival.is_said(message):
            return
        await self._before(await self._place(message))
        inbound = await self._read(message)
        was = self._texts.get(message.id, "")
        self._remember(message.id, inbound.text)
        await self._or_full(inbound, self._gateway.edited(inbound, was))

    async def _deleted(self, guild: int | None, channel: int, messages: tuple[int, ...] | list[int]) -> None:
        where = await self._places.of(guild, channel)
        await self._before(where)
        for ident in messages:
            self._texts.pop(ident, None)
            await self._gateway.deleted(where, str(ident))

    def _remember(self, ident: int, text: str) -> None:
        self._texts[ident] = text
        while len(self._texts) > TEXTS:
            self._texts.popitem(last=False)

    async def _or_full(self, inbound: Inbound, taking: Awaitable[object]) -> None:
        try:
            await taking
        except MailboxFullError as error:
            if error.tell == "all":  # it is said in public
                await self._say_full(inbound.conversation, inbound.id)

    async def _say_full(self, where: Conversation, message: str) -> None:
        body = {
            "content": FULL,
            "allowed_mentions": NOBODY,
            "message_reference": {"message_id": message, "fail_if_not_exists": False},
            "nonce": message,
            "enforce_nonce": True,
        }
        plain = {name: value for name, value in body.items() if name != "message_reference"}
        for said in (body, plain):
            try:
                await self._web.call("POST", "/channels/{channel_id}/messages", said, channel_id=posts_to(where))
                return
            except RefusedError as error:
                # A message can be answered only where the bot may read what stands there (docs, create message).
                if said is plain or error.code != CANNOT_REPLY:
                    log.warning("that %s is full could not be told (%s)", where.key, error)
                    return
            except UnansweredError as error:
                log.warning("whether it was told that %s is full is not known (%s)", where.key, error)
                return


def _guild(message: discord.Message) -> int | None:
    return message.guild.id if message.guild else getattr(message.channel, "guild_id", None)
