"""Single messages of the bot on Discord: sent in the form that it takes, edited, deleted."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from discord.utils import snowflake_time

from bot.core.model import Conversation, Menu, Receipt, Voice
from bot.platforms.discord import components, marks, markup
from bot.platforms.discord.avatars import Avatars
from bot.platforms.discord.hooks import Hook, Hooks
from bot.platforms.discord.names import name_of
from bot.platforms.discord.places import is_direct, posts_to
from bot.platforms.discord.refusals import BLOCKED, HOOK_GONE, INVALID_FORM, NOWHERE, is_of_file, passes
from bot.platforms.discord.web import (
    EMPTY_MESSAGE,
    MISSING_PERMISSIONS,
    NOBODY,
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    RefusedError,
    Web,
)

log = logging.getLogger(__name__)

CHANNEL, OWN = "/channels/{channel_id}/messages", "/channels/{channel_id}/messages/{message_id}"
HOOK = "/webhooks/{webhook_id}/{webhook_token}"
HOOKED = f"{HOOK}/messages/{{message_id}}"

File = tuple[str, bytes] | None
"""A file that goes with a message: its name and what is in it."""

Mark = Callable[[str], str]
"""Gives a text with what its message is found by."""

QUIET, EPHEMERAL = 1 << 2, 1 << 6
"""Flags of a message: no embeds, which are previews of links and our own frames alike; seen by one person alone (docs,
message flags)."""

FRAME = 0x2E7D32
"""The colour of the frame around what the bot itself says at length: help, status, lists."""


@dataclass(frozen=True, slots=True)
class Me:
    """The bot: the ids of its user and of its application."""

    user: str
    application: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A message of ours that stands somewhere; `hook` is the id of the webhook that it went through, "" for none.

    `edited` is when Discord changed it last, as it writes times; "" where it never did.
    """

    where: Conversation
    id: str
    hook: str = ""
    edited: str = ""

    @property
    def receipt(self) -> Receipt:
        """Its receipt: a snowflake is its place in Discord's order too, and holds the time (docs, snowflakes)."""
        number = int(self.id)
        at = datetime.fromisoformat(self.edited) if self.edited else snowflake_time(number)
        return Receipt(self.id, number, at.timestamp())


class Messages:
    """Messages of the bot. Its calls raise RefusedError and UnansweredError."""

    def __init__(self, web: Web, hooks: Hooks, avatars: Avatars) -> None:
        self._web, self._hooks, self._avatars = web, hooks, avatars
        self._warned = False
        self._frameless: set[str] = set()

    async def send(
        self,
        where: Conversation,
        voice: Voice,
        mark: Mark,
        text: str,
        *,
        menu: Menu | None = None,
        file: File = None,
        nonce: str = "",
    ) -> Standing:
        """Send a message: as the persona through the channel's webhook, or else in the bot's own name.

        `mark` gives the text with what it is found by.
        """
        standing = await self._as_persona(where, voice, mark, text, menu, file)
        return standing or await self._as_bot(where, voice, mark, text, menu, file, nonce or secrets.token_hex(8))

    async def _as_persona(
        self, where: Conversation, voice: Voice, mark: Mark, text: str, menu: Menu | None, file: File
    ) -> Standing | None:
        """Send it through the webhook, which is replaced once if it is gone; None where Discord refuses that way."""
        is_new = False
        while hook := await self._hook(where, voice):
            body = self.body(mark(markup.shown(text)), where, menu) | {"username": name_of(voice)}
            if picture := await self._avatars.url(voice):
                body["avatar_url"] = picture
            try:
                return await self._through(hook, where, body, file)
            except RefusedError as error:
                if passes(error) or error.code in BLOCKED or (file and is_of_file(error)):
                    raise
                if error.code in HOOK_GONE and not is_new:
                    log.warning("the webhook of channel %s is gone; another one is looked for or made", where.channel)
                    self._hooks.forget(hook)
                    is_new = True
                elif error.code in (INVALID_FORM, EMPTY_MESSAGE):
                    log.warning("%s speaks under the bot's own name in %s (%s)", voice.name, where.key, error)
                    return None
                else:
                    self._hooks.refused(where.channel, error)
                    return None
        return None

    async def _as_bot(
        self, where: Conversation, voice: Voice, mark: Mark, text: str, menu: Menu | None, file: File, nonce: str
    ) -> Standing:
        """Send it in the bot's own name: at length in a frame, where Discord takes one; buttons as far as it does.

        The text holds the options with their numbers too, so nothing is lost without buttons.
        """
        plain = self.body(mark(spoken(voice, markup.shown(text))), where, menu)
        plain |= {"nonce": nonce, "enforce_nonce": True}
        forms = [plain, {**plain, "components": []}] if menu else [plain]
        if not voice.persona and "\n" in text and not file and where.channel not in self._frameless:
            forms.insert(0, framed(plain))
        for form in forms[:-1]:
            try:
                return await self._as_itself(where, form, file)
            except RefusedError as error:
                if passes(error) or error.code in BLOCKED or error.code in NOWHERE or (file and is_of_file(error)):
                    raise
                if "embeds" in form and error.code in (MISSING_PERMISSIONS, EMPTY_MESSAGE):
                    self._frameless.add(where.channel)
                elif error.code == MISSING_PERMISSIONS:
                    raise
                log.info("a message to %s is sent again in a plainer form (%s)", where.key, error)
        return await self._as_itself(where, forms[-1], file)

    async def edit(self, standing: Standing, voice: Voice, mark: Mark, text: str, menu: Menu | None = None) -> Standing:
        """Change a message of ours, and give it as it is then; refused also where its webhook is gone."""
        where = standing.where
        if not standing.hook:
            body = self.body(mark(spoken(voice, markup.shown(text))), where, menu)
            made = await self._web.call("PATCH", OWN, body, channel_id=posts_to(where), message_id=standing.id)
            return standing_of(where, made)
        hook = await self._hooks.named(where.channel, standing.hook)
        if hook is None:
            raise RefusedError("PATCH", 404, UNKNOWN_WEBHOOK, "the message's webhook is gone")
        body = self.body(mark(markup.shown(text)), where, menu)
        return standing_of(
            where, await self._web.hook("PATCH", HOOKED, body, query=_thread(where), **_ids(hook, standing))
        )

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

    async def _as_itself(self, where: Conversation, body: dict[str, Any], file: File) -> Standing:
        made = await self._web.call("POST", CHANNEL, body, file=file, channel_id=posts_to(where))
        self._compare(body, made)
        return Standing(where, str(made["id"]))

    async def _through(self, hook: Hook, where: Conversation, body: dict[str, Any], file: File) -> Standing:
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

    @staticmethod
    def body(content: str, where: Conversation, menu: Menu | None) -> dict[str, Any]:
        """What a message of ours consists of, but for who says it."""
        return {
            "content": content,
            "allowed_mentions": NOBODY,
            "flags": QUIET,
            "components": components.rows(where, menu) if menu else [],
        }


def framed(body: Mapping[str, Any]) -> dict[str, Any]:
    """A message whose text stands in a frame, by which people tell the bot's own lists and accounts from talk.

    Not `QUIET`: Discord would leave out the frame too (docs, message flags, SUPPRESS_EMBEDS). It shows no previews of
    links that stand in a frame.
    """
    embeds = [{"description": body["content"], "color": FRAME}]
    return {**body, "content": "", "embeds": embeds, "flags": body["flags"] & ~QUIET}


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message of ours, also where it stands in a frame."""
    embeds = message.get("embeds") or [{}]
    return str(message.get("content") or embeds[0].get("description") or "")


def spoken(voice: Voice, text: str) -> str:
    """The text with its speaker's name, as it stands where it comes from the bot itself."""
    return markup.speaking(voice.name, voice.icon, text) if voice.persona else text


def marking(key: str) -> Mark:
    """What gives a finished post the mark of its key."""
    return lambda text: marks.marked(text, key)


def standing_of(where: Conversation, message: Mapping[str, Any]) -> Standing:
    """A message of ours as Discord tells it."""
    hook, edited = str(message.get("webhook_id") or ""), str(message.get("edited_timestamp") or "")
    return Standing(where, str(message["id"]), hook, edited)


def _ids(hook: Hook, standing: Standing | None = None) -> dict[str, Any]:
    """What fills the path of a call through a webhook."""
    return {"webhook_id": hook.id, "webhook_token": hook.token, **({"message_id": standing.id} if standing else {})}


def _thread(where: Conversation) -> dict[str, str]:
    return {"thread_id": where.thread} if where.thread else {}
