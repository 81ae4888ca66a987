"""`bot.ports.transport.Transport` onto Slack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.model import Attachment, Conversation, Receipt
from bot.platforms.slack.arrival import is_direct
from bot.platforms.slack.decoration import Decoration
from bot.platforms.slack.files import Files
from bot.platforms.slack.posting import Poster
from bot.platforms.slack.streaming import Streams
from bot.platforms.slack.web import Web
from bot.ports.transport import Outgoing


class SlackTransport:
    """Posts, streams and files of the bot in one workspace."""

    limit = 3_500
    """Slack splits or refuses a text above some 4,000 characters, though its documentation names 40,000."""

    most = 5
    tables = False

    def __init__(self, web: Web, box: Poster, streams: Streams) -> None:
        self._web, self._box, self._streams = web, box, streams
        self._files = Files(web)
        self._decoration = Decoration(web, box)

    async def post(self, out: Outgoing) -> Receipt:
        """Post it; see `Poster`."""
        if out.only:
            return await self._box.whisper(out)
        receipt = await (self._box.upload(out) if out.file else self._box.post(out))
        self._decoration.rested(out.conversation)
        return receipt

    async def find(self, out: Outgoing) -> Receipt | None:
        """What is there of an earlier `post` of it; a whisper cannot be found again."""
        return None if out.only else await self._box.find(out)

    async def preview(self, out: Outgoing) -> str | None:
        """Begin a stream where Slack has some: in threads, and at the top of channels."""
        return await self._streams.preview(out)

    async def extend(self, ref: str, text: str) -> None:
        """Show more of the stream."""
        await self._streams.extend(ref, text)

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """Finish the stream; None where it had to be taken away."""
        receipt = await self._streams.seal(ref, out)
        if receipt:
            self._decoration.rested(out.conversation)
        return receipt

    async def withdraw(self, ref: str) -> None:
        """Take the stream away."""
        await self._streams.withdraw(ref)

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        """A stream that a dead worker left."""
        return await self._streams.torn(conversation, since)

    async def busy(self, out: Outgoing) -> None:
        """Say "is thinking..." where the message is that is being answered, and show Slack's stop button."""
        await self._decoration.busy(out)

    def stopped(self, channel: str, thread: str, streams: Sequence[str]) -> Conversation | None:
        """Slack's stop button was pressed and has ended these streams; where that was, if this process works there."""
        found = [self._streams.stopped(channel, ts) for ts in streams]
        return next((where for where in found if where), None) or self._decoration.session_at(channel, thread)

    async def close(self) -> None:
        """Show nothing further."""
        await self._streams.close()
        await self._decoration.close()

    async def read(self, file: Attachment, room: int) -> Attachment:
        """The file with its text; see `Files`."""
        return await self._files.read(file, room)

    async def open_thread(self, conversation: Conversation, receipt: Receipt, title: str) -> Conversation | None:
        """The thread of that message, which is there with its first reply; Slack gives threads no title."""
        if conversation.thread or is_direct(conversation.channel):
            return None
        return replace(conversation, thread=receipt.ref)
