"""Reading a reply in batches: pieces that come within a tenth of a second are taken in together.

A piece that is read by itself costs several rounds of the event loop, ten times what it costs to take it in, and nobody
would see it any sooner: previews show no more than ten looks a second.
"""

from __future__ import annotations

import asyncio
from typing import Any

BATCH = 0.1
"""Seconds for which a connection is left alone at most, once something has been written."""

SHARE = 4
"""A pause is at most this part of the time for which the reply has been coming, so that a short one is not held up."""

LEAST = 0.005
"""Seconds of a pause that is worth its own cost."""


class ReadPace:
    """When the next bytes of one streamed answer of the SDK's are read."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._loop = asyncio.get_running_loop()
        self._began: float | None = None

    async def pause(self) -> None:
        """Wait a little, after something that was written; what comes meanwhile stays with the operating system."""
        now = self._loop.time()
        if self._began is None:
            self._began = now
        seconds = min(BATCH, (now - self._began) / SHARE)
        if seconds < LEAST:
            return
        if connection := connection_of(self._response):
            connection.pause_reading()
        try:
            await asyncio.sleep(seconds)
        finally:
            if connection:
                connection.resume_reading()


def connection_of(response: Any) -> asyncio.ReadTransport | None:
    """The connection that an answer of the SDK's comes over, as long as it does.

    It lies below three layers that do not hand it out (httpx2's response, the SDK's bridge to aiohttp, aiohttp's
    response). Where they look different, there is none: then every arrival wakes the loop, and nothing else changes.
    """
    found = response.http_response.stream
    for layer in ("_stream", "_aiohttp_response", "connection", "transport"):
        found = getattr(found, layer, None)
    return found if isinstance(found, asyncio.ReadTransport) else None
