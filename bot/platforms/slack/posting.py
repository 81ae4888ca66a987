"""Posts onto Slack, each found again by the key in its metadata."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from bot.core.model import Conversation, Receipt, Voice
from bot.platforms import sending
from bot.platforms.sending import sent_once
from bot.platforms.slack import markup
from bot.platforms.slack.arrival import MICRO, Me, order_of
from bot.platforms.slack.blocks import menu_blocks
from bot.platforms.slack.history import messages
from bot.platforms.slack.icons import short_name
from bot.platforms.slack.web import RefusedError, UnansweredError, Web
from bot.ports.transport import FormRefusedError, Outgoing, TransportError, Upload

log = logging.getLogger(__name__)

EVENT = "greenroom_post"
"""The type of the metadata that a post carries; its payload is the key."""

POSTED = (None, "bot_message", "file_share", "thread_broadcast")
"""The subtypes of what a bot posts (docs, message event); of the others, Slack itself tells what a bot has done."""

GONE: Mapping[str, str] = {
    "channel_not_found": "Slack shows the bot no such channel: it was deleted, or the bot was never invited",
    "not_in_channel": "the bot is not in this channel any more: invite it again",
    "is_archived": "this channel is archived",
    "restricted_action": "a setting of the workspace keeps the bot from posting here",
    "user_not_in_channel": "they are not in this channel",
    "missing_scope": "the app lacks a scope: install it again from the manifest",
}
"""What Slack says where posting again would not help, in words."""


class Poster:
    """Messages of the bot in one workspace: written, looked for, taken back. Raises TransportError."""

    def __init__(self, web: Web, me: Me) -> None:
        self._web, self._me = web, me
        self._customize = True

    # -------------------------------------------------------- writing

    async def post(self, out: Outgoing) -> Receipt:
        """Post it; where no answer comes, it is looked for before it is posted again."""
        return await sent_once(lambda: self._posted(out), lambda: self.find(out), UnansweredError, "Slack")

    async def _posted(self, out: Outgoing) -> Receipt:
        """Post it in one call, or in two where Slack does not let the bot speak under a name."""
        message = self._message(out)
        try:
            answer = await self._web.call("chat.postMessage", where=out.conversation.channel, **message)
            return receipt(str(answer["ts"]))
        except RefusedError as error:
            if not self.spoken_for(error, message):
                raise self.told(error, out.conversation) from error
            return await self._posted(out)

    async def whisper(self, out: Outgoing) -> Receipt:
        """Show it to `out.only` alone. Slack keeps no such message: one that is repeated shows twice."""
        if out.only is None:
            raise ValueError(f"nobody to whisper to: {out.key}")
        message = self._message(out)
        del message["metadata"], message["unfurl_links"], message["unfurl_media"]
        try:
            answer = await self._web.call("chat.postEphemeral", again=True, user=out.only.user, **message)
        except UnansweredError as error:
            raise TransportError(f"Slack does not answer: {error}") from error
        except RefusedError as error:
            if self.spoken_for(error, message):
                return await self.whisper(out)
            raise self.told(error, out.conversation) from error
        return receipt(str(answer["message_ts"]))

    async def upload(self, out: Outgoing) -> Receipt:
        """Put the file up. Slack shows files under the bot's own name, and keeps no metadata with them.

        Raises FormRefusedError where Slack takes no file from the bot, and TransportError where it may have taken this.
        """
        if out.file is None:
            raise ValueError(f"no file to put up: {out.key}")
        file_id = await self._stored(out.file)
        where, is_known = place(out.conversation), True
        for wait in (*sending.WAITS, None):
            try:
                await self._web.call(
                    "files.completeUploadExternal",
                    files=[{"id": file_id, "title": out.file.name}],
                    channel_id=where["channel"],
                    **({"thread_ts": where["thread_ts"]} if "thread_ts" in where else {}),
                )
                break
            except UnansweredError as error:
                is_known = False
                await asyncio.sleep(wait or 0)
                if found := await self.find(out):
                    return found
                if wait is None:
                    raise TransportError(f"Slack does not answer: {error}") from error
            except RefusedError as error:
                if is_known:
                    raise self._no_file(error) from error
                # It may be shared already and not be shown yet: whoever looks again in a while will know.
                raise TransportError(f"whether Slack took {out.file.name} is not known yet ({error})") from error
        # The message that shows the file comes later, and Slack does not say under which ts.
        return Receipt(file_id, int(self._web.time.seconds() * MICRO))

    async def _stored(self, file: Upload) -> str:
        """Give Slack the bytes, which nobody sees yet; the file's id. Raises FormRefusedError."""
        data = file.content
        try:
            slot = await self._web.call("files.getUploadURLExternal", again=True, filename=file.name, length=len(data))
            for wait in (*sending.WAITS, None):
                try:
                    async with self._web.session.post(slot["upload_url"], data=data) as answer:
                        if answer.status == 200:
                            return str(slot["file_id"])
                        why = f"HTTP {answer.status}"
                except (aiohttp.ClientError, TimeoutError) as error:
                    why = f"{type(error).__name__}: {error}"
                await asyncio.sleep(wait or 0)
        except (RefusedError, UnansweredError) as error:
            raise self._no_file(error) from error
        raise FormRefusedError(f"Slack took no file ({why})")

    def _no_file(self, error: RefusedError | UnansweredError) -> TransportError:
        """What to do without the file; with a token that is no longer good, words would not pass either."""
        if self._web.revoked:
            return TransportError(f"Slack took no file ({error})")
        return FormRefusedError(f"Slack took no file ({error})")

    def voiced(self, voice: Voice) -> dict[str, Any]:
        """The arguments that make a post somebody's own."""
        if not self._customize:
            return {}
        icon = short_name(voice.icon)
        return {"username": voice.name, "icon_emoji": icon} if icon else {"username": f"{voice.icon} {voice.name}"}

    def text_of(self, out: Outgoing) -> str:
        """Its text, with the speaker's name in it where Slack does not let the bot speak under that."""
        return out.text if self._customize else markup.speaking(out.voice.name, out.voice.icon, out.text)

    def _message(self, out: Outgoing) -> dict[str, Any]:
        where, text = out.conversation, self.text_of(out)
        return {
            "text": markup.fallback(text),
            "blocks": [*markup.blocks(text), *(menu_blocks(where, out.menu) if out.menu else [])],
            "metadata": metadata(out.key),
            "unfurl_links": False,
            "unfurl_media": False,
            **place(where),
            **self.voiced(out.voice),
        }

    def spoken_for(self, error: RefusedError, arguments: Mapping[str, Any]) -> bool:
        """Whether the name among the `arguments` was what Slack refused: then call again without; it is said once."""
        if error.code != "missing_scope" or "customize" not in error.needed or "username" not in arguments:
            return False
        if self._customize:
            log.warning(
                "the Slack app lacks the scope chat:write.customize: personas speak under the bot's own name, with "
                "theirs in the text; install the app again from the manifest"
            )
        self._customize = False
        return True

    def told(self, error: RefusedError, where: Conversation) -> TransportError:
        """What Slack refused, for whoever has to mend it."""
        says = GONE.get(error.code) or f"Slack says {error.code}"
        says += f" (it needs {error.needed})" if error.needed else ""
        return TransportError(f"nothing can be posted to {where.key}: {says}", retry=bool(self._web.revoked))

    # -------------------------------------------------------- looking

    async def find(self, out: Outgoing) -> Receipt | None:
        """The message of that key, or the one that shows that file."""
        async for message in self.ours(out.conversation, out.since):
            files = {file.get("name") for file in message.get("files", ())}
            if key_of(message) == out.key or (out.file and out.file.name in files):
                return receipt(str(message["ts"]))
        return None

    async def ours(self, where: Conversation, since: int) -> AsyncIterator[dict[str, Any]]:
        """The bot's own messages of a conversation below `since`. Raises TransportError where they cannot be read."""
        try:
            async for message in messages(self._web, where, since):
                if message.get("bot_id") == self._me.bot and message.get("subtype") in POSTED:
                    yield message
        except UnansweredError as error:
            raise TransportError(f"what stands in {where.key} cannot be seen: {error}") from error
        except RefusedError as error:
            raise self.told(error, where) from error


def place(where: Conversation) -> dict[str, Any]:
    """The arguments that say where a post goes."""
    return {"channel": where.channel, **({"thread_ts": where.thread} if where.thread else {})}


def metadata(key: str) -> dict[str, Any]:
    """What a post carries so that it can be found."""
    return {"event_type": EVENT, "event_payload": {"key": key}}


def key_of(message: Mapping[str, Any]) -> str:
    """The key that a message carries; "" without one."""
    found = message.get("metadata") or {}
    return str(found.get("event_payload", {}).get("key", "")) if found.get("event_type") == EVENT else ""


def receipt(ts: str, at: float = 0.0) -> Receipt:
    """A message's receipt; `at` is when it was finished, in seconds of Slack's clock, if not when it was posted."""
    order = order_of(ts)
    return Receipt(ts, order, at or order / MICRO)
