"""Messages of the bot on Discord: sent, edited, deleted, and found again by the mark at their end."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from bot.core.model import Conversation, Menu, Receipt, Voice
from bot.platforms.discord import components, marks, markup
from bot.platforms.discord.avatars import Avatars
from bot.platforms.discord.hooks import Hook, Hooks
from bot.platforms.discord.names import name_of
from bot.platforms.discord.places import is_direct, posts_to
from bot.platforms.discord.rights import RIGHTS
from bot.platforms.discord.web import (
    EMPTY_MESSAGE,
    INVALID_WEBHOOK_TOKEN,
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    NOBODY,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    RefusedError,
    UnansweredError,
    Web,
)
from bot.ports import Outgoing, TransportError

log = logging.getLogger(__name__)

WAITS = (0.5, 1.0, 2.0)
"""Seconds before a post whose answer was lost is looked for, and sent again where it is not there."""

CHANNEL, OWN = "/channels/{channel_id}/messages", "/channels/{channel_id}/messages/{message_id}"
HOOK = "/webhooks/{webhook_id}/{webhook_token}"
HOOKED = f"{HOOK}/messages/{{message_id}}"

HOOK_GONE = (UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN)

Mark = Callable[[str], str]
"""Gives a text with what its message is found by."""

QUIET, EPHEMERAL = 1 << 2, 1 << 6
"""Flags of a message: no previews of links; seen by one person alone (docs, message flags)."""

FRAME = 0x2E7D32
"""The colour of the frame around what the bot itself says at length: help, status, lists."""

PAGE = 100
PAGES = 20
"""So many pages of a conversation are looked through for a post of the turn, from its beginning on."""

GONE: Mapping[int, str] = {
    UNKNOWN_CHANNEL: "the channel or thread was deleted",
    MISSING_ACCESS: "the bot does not see the channel: give its role the permission View Channel",
    MISSING_PERMISSIONS: f"the bot lacks a permission there: its role needs {', '.join(RIGHTS)}",
    40005: "the file is larger than Discord takes",
    50007: "they do not take direct messages of the bot",
    50083: "the thread is archived and locked",
    160005: "the thread is locked",
}
"""What Discord says where posting again would not help, in words."""


@dataclass(frozen=True, slots=True)
class Me:
    """The bot: the ids of its user and of its application."""

    user: str
    application: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A message of ours that stands somewhere; `hook` is the id of the webhook that it went through, "" for none."""

    where: Conversation
    id: str
    hook: str = ""

    @property
    def receipt(self) -> Receipt:
        """Its receipt: a snowflake is its place in Discord's order too."""
        return Receipt(self.id, int(self.id))


class Postbox:
    """Messages of the bot. Its calls raise RefusedError and UnansweredError, but for those that say otherwise."""

    def __init__(self, web: Web, me: Me, hooks: Hooks, avatars: Avatars) -> None:
        self._web, self._me, self._hooks, self._avatars = web, me, hooks, avatars
        self._warned = False
        self._asked: set[str] = set()
        self._frameless: set[str] = set()

    # -------------------------------------------------------- posts

    async def post(self, out: Outgoing) -> Receipt:
        """Post it; where no answer comes, it is looked for before it is sent again. Raises TransportError."""
        file = (out.file.name, out.file.text.encode()) if out.file else None
        for wait in (*WAITS, None):
            try:
                standing = await self.send(
                    out.conversation,
                    out.voice,
                    lambda text: marks.marked(text, out.key),
                    out.text,
                    menu=out.menu,
                    file=file,
                    nonce=nonce_of(out.key),
                )
                return standing.receipt
            except UnansweredError as error:
                if wait is None:
                    raise TransportError(f"Discord does not answer: {error}") from error
                await asyncio.sleep(wait)
                if found := await self.find(out):
                    return found
            except RefusedError as error:
                raise self.told(error, out.conversation) from error
        raise AssertionError("the last round returns or raises")

    async def whisper(self, out: Outgoing) -> Receipt:
        """Show it to `out.only` alone while that is possible, else post it with their name. Raises TransportError.

        Discord keeps what one person alone sees out of the history: one that is repeated shows twice.
        """
        if out.only is None:
            raise ValueError(f"nobody to whisper to: {out.key}")
        application, _, token = out.only.handle.partition("/")
        if token:
            body = self._body(self._spoken(out.voice, out.text), out.conversation, out.menu)
            body["flags"] |= EPHEMERAL
            for wait in (*WAITS, None):
                try:
                    told = await self._web.hook("POST", HOOK, body, webhook_id=application, webhook_token=token)
                    return Receipt(str(told["id"]), int(told["id"]))
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

    def told(self, error: RefusedError, where: Conversation) -> TransportError:
        """What Discord refused, for whoever has to mend it.

        A token that is no longer good says nothing about the post; nor does an answer without a code of Discord's,
        which comes from what stands before it.
        """
        says = GONE.get(error.code) or f"Discord says {error}"
        passes = error.status == 401 or not error.code
        return TransportError(f"nothing can be posted to {where.key}: {says}", retry=passes)

    # -------------------------------------------------------- messages

    async def send(
        self,
        where: Conversation,
        voice: Voice,
        mark: Mark,
        text: str,
        *,
        menu: Menu | None = None,
        file: tuple[str, bytes] | None = None,
        nonce: str = "",
    ) -> Standing:
        """Send a message: as the persona through the channel's webhook, or in the bot's own name.

        `mark` gives the text with what it is found by. A webhook that is gone is replaced, once.
        """
        for last in (False, True):
            hook = await self._hook(where, voice)
            if hook is None:
                break
            body = self._body(mark(markup.shown(text)), where, menu) | {"username": name_of(voice)}
            if picture := await self._avatars.url(voice):
                body["avatar_url"] = picture
            try:
                return await self._through(hook, where, body, file)
            except RefusedError as error:
                if last or error.code not in (*HOOK_GONE, UNKNOWN_CHANNEL):
                    raise
                log.warning("the webhook of channel %s is gone; another one is looked for or made", where.channel)
                self._hooks.forget(hook)
        body = self._body(mark(self._spoken(voice, markup.shown(text))), where, menu)
        body |= {"nonce": nonce or secrets.token_hex(8), "enforce_nonce": True}
        if not voice.persona and "\n" in text and not file and where.channel not in self._frameless:
            try:
                return await self._as_itself(where, framed(body), None)
            except RefusedError as error:
                if error.code not in (MISSING_PERMISSIONS, EMPTY_MESSAGE):
                    raise
                log.info("what the bot itself says stands without a frame in channel %s (%s)", where.channel, error)
                self._frameless.add(where.channel)
        return await self._as_itself(where, body, file)

    async def edit(self, standing: Standing, voice: Voice, mark: Mark, text: str, menu: Menu | None = None) -> None:
        """Change a message of ours; refused also where the webhook that it went through is gone."""
        where = standing.where
        if not standing.hook:
            body = self._body(mark(self._spoken(voice, markup.shown(text))), where, menu)
            await self._web.call("PATCH", OWN, body, channel_id=posts_to(where), message_id=standing.id)
            return
        hook = await self._hooks.named(where.channel, standing.hook)
        if hook is None:
            raise RefusedError("PATCH", 404, UNKNOWN_WEBHOOK, "the message's webhook is gone")
        body = self._body(mark(markup.shown(text)), where, menu)
        await self._web.hook("PATCH", HOOKED, body, query=_thread(where), **_ids(hook, standing))

    async def delete(self, standing: Standing) -> None:
        """Take a message of ours away; one that is gone already is no error.

        Where its webhook is gone it is deleted as other people's messages are, for which the bot needs Manage Messages.
        """
        where = standing.where
        try:
            hook = await self._hooks.named(where.channel, standing.hook) if standing.hook else None
            if hook:
                try:
                    await self._web.hook("DELETE", HOOKED, query=_thread(where), **_ids(hook, standing))
                    return
                except RefusedError as error:
                    if error.code not in HOOK_GONE:
                        raise
            await self._web.call("DELETE", OWN, channel_id=posts_to(where), message_id=standing.id)
        except RefusedError as error:
            if error.code != UNKNOWN_MESSAGE:
                raise

    async def _as_itself(self, where: Conversation, body: dict[str, Any], file: tuple[str, bytes] | None) -> Standing:
        made = await self._web.call("POST", CHANNEL, body, file=file, channel_id=posts_to(where))
        self._compare(body, made)
        return Standing(where, str(made["id"]))

    async def _through(
        self, hook: Hook, where: Conversation, body: dict[str, Any], file: tuple[str, bytes] | None
    ) -> Standing:
        query = {"wait": "true", **_thread(where)}
        made = await self._web.hook("POST", HOOK, body, file=file, query=query, **_ids(hook))
        self._compare(body, made)
        standing = Standing(where, str(made["id"]), hook.id)
        if str(made["channel_id"]) != posts_to(where):
            # Somebody has moved the webhook to another channel: nobody there was meant.
            await self.delete(standing)
            raise RefusedError("POST", 404, UNKNOWN_WEBHOOK, f"the webhook has moved away from {where.channel}")
        return standing

    def _compare(self, sent: Mapping[str, Any], made: Mapping[str, Any]) -> None:
        """Say, once, if Discord should not keep what posts are found again by."""
        if marks.mark_in(text_of(made)) != marks.mark_in(text_of(sent)) and not self._warned:
            self._warned = True
            log.warning(
                "Discord does not keep the marks of posts, so after a crash one may be posted twice; please report this"
            )

    async def _hook(self, where: Conversation, voice: Voice) -> Hook | None:
        """What a voice speaks through: the host itself is the bot, and private talks have no webhooks."""
        return await self._hooks.of(where.channel) if voice.persona and not is_direct(where) else None

    def _spoken(self, voice: Voice, text: str) -> str:
        """The text with its speaker's name where it comes from the bot itself."""
        return markup.speaking(voice.name, voice.icon, text) if voice.persona else text

    def _body(self, content: str, where: Conversation, menu: Menu | None) -> dict[str, Any]:
        return {
            "content": content,
            "allowed_mentions": NOBODY,
            "flags": QUIET,
            "components": components.rows(where, menu) if menu else [],
        }

    # -------------------------------------------------------- looking

    async def find(self, out: Outgoing) -> Receipt | None:
        """The message of that key, or the one that shows that file. Raises TransportError."""
        file = out.file.name if out.file else ""
        async for message in self.ours(out.conversation, out.since):
            names = [str(each["filename"]) for each in message.get("attachments", ())]
            if marks.carries(text_of(message), names, out.key, file):
                return Receipt(str(message["id"]), int(message["id"]))
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
            raise self.told(error, where) from error

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


def framed(body: Mapping[str, Any]) -> dict[str, Any]:
    """A message whose text stands in a frame, by which people tell the bot's own lists and accounts from talk."""
    return {**body, "content": "", "embeds": [{"description": body["content"], "color": FRAME}]}


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message of ours, also where it stands in a frame."""
    embeds = message.get("embeds") or [{}]
    return str(message.get("content") or embeds[0].get("description") or "")


def standing_of(where: Conversation, message: Mapping[str, Any]) -> Standing:
    """A message of ours as Discord tells it."""
    return Standing(where, str(message["id"]), str(message.get("webhook_id") or ""))


def nonce_of(key: str) -> str:
    """What makes Discord take a post of the bot's own once within some minutes; at most 25 characters (docs)."""
    return blake2b(key.encode(), digest_size=12).hexdigest()


def _ids(hook: Hook, standing: Standing | None = None) -> dict[str, Any]:
    """What fills the path of a call through a webhook."""
    return {"webhook_id": hook.id, "webhook_token": hook.token, **({"message_id": standing.id} if standing else {})}


def _thread(where: Conversation) -> dict[str, str]:
    return {"thread_id": where.thread} if where.thread else {}
