"""Files of people, fetched from where Discord keeps them, and from nowhere else."""

from __future__ import annotations

import aiohttp
from discord.asset import Asset
from yarl import URL

from bot.core.model import Attachment
from bot.platforms.attachments import Source, fetched

HOSTS = ("https://cdn.discordapp.com", "https://media.discordapp.net")
"""Discord's own hosts of files (docs, reference, image formatting; API, attachments)."""

GONE = frozenset((401, 403, 404, 410))
"""What the CDN answers for an address that is no longer good: its signature has run out, or the message was deleted
(docs, signed attachment CDN URLs)."""


def source() -> Source:
    """Where files come from: Discord's hosts, and the one that discord.py has for pictures."""
    return Source("Discord", frozenset((*HOSTS, str(URL(Asset.BASE).origin()))), gone=GONE)


async def read(session: aiohttp.ClientSession, file: Attachment, room: int) -> Attachment:
    """The file with at most the first `room` characters of its text, or with what is wrong with it.

    `session` must hold no token: none is needed, and none may go to a CDN. Raises TransportError where it may be
    fetched a little later.
    """
    return file if file.problem or not file.ref else await fetched(file, source(), session, room)
