"""The fake of Discord's CDN: files of messages, by addresses that are signed and run out.

API documentation, "Reference, Signed Attachment CDN URLs". It needs no token, and refuses to see one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from tests.fakes import discord_wire as wire
from tests.fakes.discord_state import World


@dataclass(frozen=True, slots=True)
class Fails:
    """Answers with a status; to which address, where it is a redirect."""

    status: int
    location: str = ""


@dataclass(frozen=True, slots=True)
class Breaks:
    """Breaks the connection in the middle of the file."""


@dataclass(frozen=True, slots=True)
class Hangs:
    """Gives nothing for so many seconds."""

    seconds: float


Fault = Fails | Breaks | Hangs


class Cdn:
    """`serve` takes all downloads; `asked` are the headers of each, and `order` disturbs the next ones."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._faults: list[Fault] = []
        self.asked: list[Mapping[str, str]] = []

    def order(self, *faults: Fault) -> None:
        """Disturb the next downloads, one fault each."""
        self._faults += faults

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Handle one download."""
        self.asked.append(request.headers)
        assert "Authorization" not in request.headers, "a token went to the CDN"
        fault = self._faults.pop(0) if self._faults else None
        match fault:
            case Fails(status, location):
                return web.Response(status=status, headers={"Location": location} if location else {})
            case Hangs(seconds):
                await asyncio.sleep(seconds)
            case Breaks() | None:
                pass
        found = self._found(request)
        if found is None:
            return web.Response(status=404, text="This content is no longer available.")
        data, kind = found
        if fault == Breaks():
            response = web.StreamResponse(headers={"Content-Length": str(len(data) + 1)})
            await response.prepare(request)
            await response.write(data[: len(data) // 2])
            if request.transport is not None:
                request.transport.abort()
            return response
        return web.Response(body=data, content_type=kind)

    def _found(self, request: web.Request) -> tuple[bytes, str] | None:
        info, query = request.match_info, request.query
        channel = self._world.channels.get(int(info["channel"]))
        for message in channel.messages.values() if channel else ():
            for each in message.attachments:
                if str(each.id) != info["id"] or each.filename != info["filename"]:
                    continue
                expires = int(query.get("ex", "0"), 16)
                genuine = query.get("hm") == wire.signature(each, expires) and not message.deleted
                if genuine and self._world.clock.now() < expires:
                    return each.data, (each.content_type or "application/octet-stream").partition(";")[0]
        return None
