"""Where Discord keeps the files that people send."""

from __future__ import annotations

from discord.asset import Asset
from yarl import URL

from bot.platforms.attachments import Source

ORIGINS = frozenset(("https://cdn.discordapp.com", "https://media.discordapp.net"))
"""Discord's own hosts of files (docs, reference, image formatting; API, attachments)."""


def source() -> Source:
    """Discord's CDN. Its addresses are signed, and it needs no token: none may go there."""
    return Source("Discord", ORIGINS | {str(URL(Asset.BASE).origin())}, signed=True)
