"""Messages of the bot on Discord: sent, edited, deleted, and found again by the mark at their end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from bot.core.model import HOST, Conversation, Receipt
from bot.platforms import sending
from bot.platforms.discord import marks
from bot.platforms.discord.avatars import Avatars
from bot.platforms.discord.hooks import Hooks
from bot.platforms.discord.messages import (
    CHANNEL,
    EPHEMERAL,
    HOOK,
    OWN,
    Me,
    Messages,
    marking,
    spoken,
    standing_of,
    text_of,
)
from bot.platforms.discord.places import is_direct, posts_to
from bot.platforms.discord.refusals import BLOCKED, told
from bot.platforms.discord.web import (
    MISSING_PERMISSIONS,
    UNKNOWN_WEBHOOK,
    RefusedError,
    UnansweredError,
    Web,
)
from bot.platforms.sending import sent_once
from bot.ports.transport import Outgoing, TransportError

log = logging.getLogger(__name__)

PAGE = 100
PAGES = 20
"""So many pages of a conversation are looked through for a post of the turn, from its beginning on."""

NOTICE = (
    "Discord did not take what {name} wrote here: {why}. It counts as said all the same, so you can ask for it in "
    "other words; whoever manages the server can change its rules."
)
"""What people read in place of a post that is refused for its words."""


class Poster:
    """Messages of the bot. Its calls raise RefusedError and UnansweredError, but for those that say otherwise."""

    def __init__(self, web: Web, me: Me, hooks: Hooks, avatars: Avatars) -> None:
        self._web, self._me = web, me
        self.messages = Messages(web, hooks, avatars)
        self._asked: set[str] = set()

    # -------------------------------------------------------- posts

    async def post(self, out: Outgoing) -> Receipt:
        """Post it; where no answer comes, it is looked for before it is sent again. Raises TransportError.

        What Discord refuses for its words stands there as a line that says so, under the same key.
        """
        try:
            return await self._posted(out)
        except RefusedError as error:
            if error.code in BLOCKED:
                return await self._excused(out, error)
            raise told(error, out.conversation.key, file=out.file is not None) from error

    async def _posted(self, out: Outgoing) -> Receipt:
        """Post it, once. Raises TransportError where no answer comes, and RefusedError."""
        file = (out.file.name, out.file.content) if out.file else None

        async def send() -> Receipt:
            where, mark, nonce = out.conversation, marking(out.key), nonce_of(out.key)
            sent = await self.messages.send(where, out.voice, mark, out.text, menu=out.menu, file=file, nonce=nonce)
            return sent.receipt

        return await sent_once(send, lambda: self.find(out), UnansweredError, "Discord")

    async def _excused(self, out: Outgoing, refused: RefusedError) -> Receipt:
        """Say what Discord refused, and why; the menu stays, unless it is refused too. Raises TransportError."""
        where = out.conversation.key
        log.warning(
            "what %s wrote in %s was refused for its words, and people are told (%s)", *(out.voice.name, where, refused)
        )
        said = replace(out, voice=HOST, text=NOTICE.format(name=out.voice.name, why=BLOCKED[refused.code]), file=None)
        for menu in (out.menu, None):
            try:
                return await self._posted(replace(said, menu=menu))
            except RefusedError as error:
                if menu is None or error.code not in BLOCKED:
                    raise told(error, where) from error
        raise AssertionError("the last round returns or raises")

    async def whisper(self, out: Outgoing) -> Receipt:
        """Show it to `out.only` alone while that is possible, else post it with their name. Raises TransportError.

        Discord keeps what one person alone sees out of the history: one that is repeated shows twice.
        """
        if out.only is None:
            raise ValueError(f"nobody to whisper to: {out.key}")
        application, _, token = out.only.handle.partition("/")
        if token:
            body = self.messages.body(spoken(out.voice, out.text), out.conversation, out.menu)
            body["flags"] |= EPHEMERAL
            for wait in (*sending.WAITS, None):
                try:
                    made = await self._web.hook("POST", HOOK, body, webhook_id=application, webhook_token=token)
                    return standing_of(out.conversation, made).receipt
                except UnansweredError as error:
                    raise TransportError(f"Discord does not answer: {error}") from error
                except RefusedError as error:
                    # Until the press has been acknowledged, which may be on its way, its token is good for nothing.
                    if wait is not None and error.code == UNKNOWN_WEBHOOK:
                        await asyncio.sleep(wait)
                        continue
                    log.info("what %s alone was to see is posted for all, with their name (%s)", out.only.user, error)
                    break
        named = Outgoing(
            out.key,
            out.conversation,
            out.voice,
            f"<@{out.only.user}> {out.text}" if out.only.user.isdecimal() else out.text,
            out.since,
            out.menu,
            out.again,
        )
        return await self.post(named)

    # -------------------------------------------------------- looking

    async def find(self, out: Outgoing) -> Receipt | None:
        """The message of that key, or the one that shows that file. Raises TransportError."""
        file = out.file.name if out.file else ""
        async for message in self.ours(out.conversation, out.since):
            names = [str(each["filename"]) for each in message.get("attachments", ())]
            if marks.carries(text_of(message), names, out.key, file):
                return standing_of(out.conversation, message).receipt
        return None

    async def ours(self, where: Conversation, since: int) -> AsyncIterator[dict[str, Any]]:
        """The bot's own messages there below `since`, oldest first. Raises TransportError if they cannot be read."""
        try:
            for number in range(PAGES):
                query = {"after": since, "limit": PAGE}
                page = await self._web.call("GET", CHANNEL, query=query, channel_id=posts_to(where))
                if not page and not number:
                    await self._say_if_hidden(where, since)
                for message in sorted(page, key=lambda message: int(message["id"])):
                    since = int(message["id"])
                    if self._is_ours(message):
                        yield message
                if len(page) < PAGE:
                    return
        except UnansweredError as error:
            raise TransportError(f"what stands in {where.key} cannot be seen: {error}") from error
        except RefusedError as error:
            raise told(error, where.key) from error

    async def _say_if_hidden(self, where: Conversation, message: int) -> None:
        """Say, once a channel, if the bot may not read there: then Discord shows it an empty history, and no error."""
        if where.channel in self._asked or is_direct(where):
            return
        try:
            await self._web.call("GET", OWN, channel_id=posts_to(where), message_id=message)
        except RefusedError as error:
            if error.code == MISSING_PERMISSIONS:
                log.warning(
                    "the bot may not read what stands in channel %s, so after a crash a post may stand there twice: "
                    "give its role the permission Read Message History",
                    where.channel,
                )
        self._asked.add(where.channel)

    def _is_ours(self, message: Mapping[str, Any]) -> bool:
        if message.get("webhook_id"):
            return str(message.get("application_id")) == self._me.application
        return str(message["author"]["id"]) == self._me.user


def nonce_of(key: str) -> str:
    """What makes Discord take a post of the bot's own once within some minutes; at most 25 characters (docs)."""
    return blake2b(key.encode(), digest_size=12).hexdigest()
