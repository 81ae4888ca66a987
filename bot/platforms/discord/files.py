"""Files of people, fetched from where Discord keeps them: within a minute, or it is told what is wrong with them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import yarl
from discord.asset import Asset

from bot.core.model import Attachment
from bot.core.modes.files import label
from bot.platforms.attachments import read_text

log = logging.getLogger(__name__)

CHUNK = 65536

PATIENCE = 15.0
"""Seconds that one try may take. With `WAITS`, all of them take less than a minute."""

WAITS = (2.0, 8.0)
"""Seconds before a file is asked for again."""

GONE = (401, 403, 404, 410)
"""What the CDN answers for an address that is no longer good: its signature has run out, or the message was deleted
(docs, signed attachment CDN URLs)."""

HOSTS = ("cdn.discordapp.com", "media.discordapp.net")
"""Discord's own hosts of files (docs, reference, image formatting; API, attachments)."""


class _LaterError(Exception):
    """The file was not to be had; the text says why."""


def is_discords(address: str) -> bool:
    """Whether a file's address is one of Discord's CDN. What a message brings is not asked for anywhere else."""
    try:
        url = yarl.URL(address)
        own = yarl.URL(Asset.BASE).origin()
        return url.origin() == own or (url.scheme == "https" and url.host in HOSTS and url.port == 443)
    except ValueError:
        return False


async def read(session: aiohttp.ClientSession, file: Attachment, room: int) -> Attachment:
    """The file with at most the first `room` characters of its text, or with what is wrong with it.

    It is tried three times. `session` must hold no token: none is needed, and none may go to a CDN.
    """
    if file.problem or not file.ref:
        return file
    if not is_discords(file.ref):
        return _wrong(file, "is not kept by Discord, and I fetch files from nowhere else; upload it here.")
    why = ""
    for wait in (*WAITS, None):
        try:
            return await read_text(file, _chunks(session, file.ref), room)
        except FileNotFoundError:
            return _wrong(file, "is not there any more; send it again.")
        except _LaterError as error:
            why = str(error)
        except (aiohttp.ClientError, TimeoutError) as error:
            why = f"{type(error).__name__}: {error}".rstrip(": ")
        if wait is not None:
            await asyncio.sleep(wait)
    log.warning("a file of a message cannot be fetched from Discord: %s", why)
    return _wrong(file, "cannot be fetched from Discord just now; send it again later, or paste what matters in it.")


async def _chunks(session: aiohttp.ClientSession, address: str) -> AsyncIterator[bytes]:
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    # The address is signed, so it goes out as it came in; a redirect could lead anywhere.
    url = yarl.URL(address, encoded=True)
    async with session.get(url, timeout=timeout, allow_redirects=False) as answer:
        if answer.status in GONE:
            raise FileNotFoundError
        if answer.status != 200:
            raise _LaterError(f"HTTP {answer.status}")
        async for chunk in answer.content.iter_chunked(CHUNK):
            yield chunk


def _wrong(file: Attachment, problem: str) -> Attachment:
    return replace(file, text=None, cut=False, problem=f"{label(file.name)} {problem}")
