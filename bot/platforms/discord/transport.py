"""`bot.ports.transport.Transport` onto Discord."""

from __future__ import annotations

import logging

from bot.core.model import Attachment, Conversation, Receipt
from bot.platforms.discord import files
from bot.platforms.discord.places import posts_to
from bot.platforms.discord.posting import Poster
from bot.platforms.discord.streaming import Previews
from bot.platforms.discord.threads import open_thread
from bot.platforms.discord.web import RefusedError, UnansweredError, Web
from bot.ports.transport import Outgoing

log = logging.getLogger(__name__)


class DiscordTransport:
    """Posts, growing replies and files of the bot."""

    limit = 1_850
    """Discord takes 2,000 characters (docs, create message); with them go a mark and, in the bot's own name, the
    persona's, and while a reply grows its cursor and what closes a fence."""

    most = 5
    tables = False

    def __init__(self, web: Web, box: Poster, previews: Previews) -> None:
        self._web, self._box, self._previews = web, box, previews

    async def post(self, out: Outgoing) -> Receipt:
        """Post it; see `Poster`."""
        return await (self._box.whisper(out) if out.only else self._box.post(out))

    async def find(self, out: Outgoing) -> Receipt | None:
        """What is there of an earlier `post` or `seal` of it; what one person alone sees cannot be found again."""
        return await self._box.find(out)

    async def preview(self, out: Outgoing) -> str | None:
        """Begin to show a reply; what one person alone is to see does not grow."""
        return None if out.only else await self._previews.preview(out)

    async def extend(self, ref: str, text: str) -> None:
        """Show more of it."""
        await self._previews.extend(ref, text)

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """Finish it; a file takes the place of what has grown."""
        if out.file or out.only:
            await self._previews.withdraw(ref)
            return None
        return await self._previews.seal(ref, out)

    async def withdraw(self, ref: str) -> None:
        """Take it away."""
        await self._previews.withdraw(ref)

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        """What a dead worker left unfinished."""
        return await self._previews.torn(conversation, since)

    async def busy(self, out: Outgoing) -> None:
        """Show that the bot types, for some ten seconds (docs, trigger typing indicator)."""
        try:
            await self._web.call("POST", "/channels/{channel_id}/typing", channel_id=posts_to(out.conversation))
        except (RefusedError, UnansweredError) as error:
            log.debug("that somebody is at work could not be shown (%s)", error)

    async def read(self, file: Attachment, room: int) -> Attachment:
        """The file with its text, or with its problem. Raises TransportError where it may be read a little later."""
        return await files.read(self._web.cdn, file, room)

    async def open_thread(self, conversation: Conversation, receipt: Receipt, title: str) -> Conversation | None:
        """The thread below that message; None in private, below a thread, and where the bot may open none."""
        return await open_thread(self._web, conversation, receipt, title)
