"""`bot.ports.Transport` onto Slack."""

from __future__ import annotations

import logging
from typing import Any

from bot.core.model import Attachment, Conversation, Receipt
from bot.platforms.slack.arrival import is_direct
from bot.platforms.slack.files import Files
from bot.platforms.slack.posting import Postbox
from bot.platforms.slack.streaming import Streams
from bot.platforms.slack.web import RefusedError, UnansweredError, Web
from bot.ports import Outgoing

log = logging.getLogger(__name__)


class SlackTransport:
    """Posts, streams and files of the bot in one workspace."""

    limit = 3_500
    """Slack splits or refuses a text above some 4,000 characters, though its documentation names 40,000."""

    most = 5
    tables = False

    def __init__(self, web: Web, box: Postbox, streams: Streams) -> None:
        self._web, self._box, self._streams = web, box, streams
        self._files = Files(web)
        self._processing: set[Conversation] = set()
        self._has_sessions = True

    async def post(self, out: Outgoing) -> Receipt:
        """Post it; see `Postbox`."""
        if out.only:
            return await self._box.whisper(out)
        receipt = await (self._box.upload(out) if out.file else self._box.post(out))
        await self._rested(out.conversation)
        return receipt

    async def find(self, out: Outgoing) -> Receipt | None:
        """What is there of an earlier `post` of it; a whisper cannot be found again."""
        return None if out.only else await self._box.find(out)

    async def preview(self, out: Outgoing) -> str | None:
        """Begin a stream where Slack has some: in threads."""
        return await self._streams.preview(out)

    async def extend(self, ref: str, text: str) -> None:
        """Show more of the stream."""
        await self._streams.extend(ref, text)

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """Finish the stream; None where it had to be taken away."""
        receipt = await self._streams.seal(ref, out)
        if receipt:
            await self._rested(out.conversation)
        return receipt

    async def withdraw(self, ref: str) -> None:
        """Take the stream away."""
        await self._streams.withdraw(ref)

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        """A stream that a dead worker left."""
        return await self._streams.torn(conversation, since)

    async def busy(self, out: Outgoing) -> None:
        """Say "is thinking..." below the thread, and show Slack's stop button; a channel's top level has neither."""
        where = out.conversation
        if where.thread or is_direct(where.channel):
            await self._works(where)
        if not where.thread:
            return
        voice = self._box.voiced(out.voice)
        place: dict[str, Any] = {"channel_id": where.channel, "thread_ts": where.thread}
        try:
            await self._web.call("assistant.threads.setStatus", status="is thinking...", **place, **voice)
        except (RefusedError, UnansweredError) as error:
            if isinstance(error, RefusedError) and self._box.spoken_for(error, voice):
                await self.busy(out)
            else:
                log.debug("that somebody is at work could not be shown (%s)", error)

    async def _works(self, where: Conversation) -> None:
        """Slack shows its stop button while a session is being processed (docs, agents.sessions.setStatus)."""
        if self._has_sessions and where not in self._processing:
            self._processing.add(where)
            await self._session(where, "processing")

    async def _rested(self, where: Conversation) -> None:
        if where in self._processing:
            self._processing.discard(where)
            await self._session(where, "active")

    async def _session(self, where: Conversation, status: str) -> None:
        thread: dict[str, Any] = {"thread_ts": where.thread} if where.thread else {}
        try:
            await self._web.call("agents.sessions.setStatus", channel_id=where.channel, status=status, **thread)
        except RefusedError as error:
            self._has_sessions = False
            log.info("Slack shows no stop button (%s); to write `stop` does the same", error)
        except UnansweredError as error:
            log.debug("whether a reply is being written could not be shown (%s)", error)

    async def read(self, file: Attachment, room: int) -> Attachment:
        """The file with its text; see `Files`."""
        return await self._files.read(file, room)
