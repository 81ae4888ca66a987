"""A gateway's connections, and the sessions that outlive them."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

COMMANDS_A_MINUTE = 120


class CloseError(Exception):
    """The connection is to be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(slots=True, eq=False)
class Session:
    """What one client is told. `buffer[n]` is the event with the number `n + 1`."""

    id: str
    intents: int
    shard: tuple[int, int]
    buffer: list[dict[str, Any]] = field(default_factory=list)
    connection: Connection | None = None

    @property
    def connected(self) -> bool:
        """Whether a client hears it right now."""
        return self.connection is not None

    def tell(self, name: str, data: object) -> None:
        """Number an event, keep it, and send it if somebody listens."""
        event = {"op": 0, "t": name, "s": len(self.buffer) + 1, "d": data}
        self.buffer.append(event)
        if self.connection is not None:
            self.connection.send(event)


class Connection:
    """One websocket, and its own zlib context."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, *, compress: bool) -> None:
        self.session: Session | None = None
        self.last_beat = time.monotonic()
        self.sent = 0
        self._request = request
        self._socket = socket
        self._deflate = zlib.compressobj() if compress else None
        self._outgoing: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._commands: deque[float] = deque()

    def send(self, payload: dict[str, Any]) -> None:
        """Put a payload into the queue of what goes out."""
        self._outgoing.put_nowait(payload)

    def detach(self) -> None:
        """From now on the session hears nothing through this connection."""
        if self.session is not None and self.session.connection is self:
            self.session.connection = None

    def cut(self) -> None:
        """Break the connection without a word, what is still on its way included."""
        self.detach()
        if self._request.transport is not None:
            self._request.transport.abort()

    async def close(self, code: int, reason: str) -> None:
        """Close in good order."""
        self.detach()
        await self._socket.close(code=code, message=reason.encode())

    async def write(self) -> None:
        """Send what is to be sent, until cancelled or broken."""
        while (payload := await self._outgoing.get()) is not None:
            data = json.dumps(payload, separators=(",", ":")).encode()
            try:
                if self._deflate is None:
                    await self._socket.send_str(data.decode())
                else:
                    packed = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
                    await self._socket.send_bytes(packed)
            except ConnectionError:
                self.detach()
                return
            self.sent += 1

    def count_command(self) -> None:
        """Count what the client sent; raises CloseError for more than 120 in a minute."""
        now = time.monotonic()
        self._commands.append(now)
        while self._commands[0] < now - 60:
            self._commands.popleft()
        if len(self._commands) > COMMANDS_A_MINUTE:
            raise CloseError(4008, "Rate limited.")
