"""A forward proxy that lets everybody through, or wants a password that nobody has."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

REFUSAL = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=proxy\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)
"""What is answered without credentials that are good (RFC 9110, 407 Proxy Authentication Required)."""


class FakeProxy:
    """Listens on a port of its own. `refuses` may change at any time; `asked` are the first lines that came."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.asked: list[str] = []
        self._open: dict[asyncio.StreamWriter, str] = {}
        self._server: asyncio.Server | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        if self._server is not None:
            self._server.close()

    def hang_up(self, but: str = "") -> None:
        """Close all connections, so that what follows has to ask again; not those that asked for `but` last."""
        for writer, last in self._open.items():
            if not but or but not in last:
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            first = head.split(b"\r\n", 1)[0].decode()
            self.asked.append(first)
            if self.refuses:
                writer.write(REFUSAL)
                await writer.drain()
            else:
                await self._pass(first, head, reader, writer)
        writer.close()

    async def _pass(self, first: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """To the server that is asked for: a tunnel, or requests that name it (RFC 9112, 3.2.2 and 3.2.3)."""
        tunnel = re.match(r"CONNECT (\S+):(\d+) ", first)
        to = urlsplit(first.split(" ")[1])
        host, port = (tunnel[1], int(tunnel[2])) if tunnel else (str(to.hostname), to.port or 80)
        there, back = await asyncio.open_connection(host, port)
        if tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            back.write(head)

        def sees(piece: bytes) -> None:
            if piece.startswith((b"GET ", b"POST ")):
                self._open[writer] = self._open[back] = piece.split(b"\r\n", 1)[0].decode()

        self._open[writer] = self._open[back] = first
        try:
            await asyncio.gather(_copy(reader, back, sees), _copy(there, writer))
        finally:
            del self._open[writer], self._open[back]
            back.close()


async def _copy(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, sees: Callable[[bytes], None] = lambda _: None
) -> None:
    with suppress(OSError):
        while piece := await source.read(65536):
            sees(piece)
            target.write(piece)
            await target.drain()
    target.close()
