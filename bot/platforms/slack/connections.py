"""A bound on the connections to a port, and on how long one may take to send its request.

Whoever opens connections and never finishes a request would otherwise use up the process's files, and nobody else
would get through. A connection that is *waited for* (its request has not come in whole) gives way to newer ones, the
longest waited for first; one whose request is being answered never does.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

from aiohttp import web as http

log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that the head of a request may take, and its body again."""

TOLD_EVERY = 60.0
"""Seconds between two lines of the log on connections that were closed."""


@dataclass(slots=True, eq=False)
class Connections:
    """The connections to one port: at most `most`, and of one address at most `per_peer` that are waited for.

    With `per_peer` 0 there is no bound on those. Behind a proxy all have one address: then the oldest that are waited
    for give way all the same, which a request that comes in whole never is for long.
    """

    most: int
    per_peer: int
    patience: float = PATIENCE
    _open: set[Connection] = field(default_factory=set)
    _waiting: dict[Connection, None] = field(default_factory=dict)
    _waiting_of: Counter[str] = field(default_factory=Counter)
    _closed: Counter[str] = field(default_factory=Counter)
    _told_at: float = float("-inf")

    def __len__(self) -> int:
        return len(self._open)

    def protocol(self, inner: asyncio.Protocol) -> Connection:
        """What asyncio hands a new connection to; `inner` speaks HTTP on it."""
        return Connection(self, inner)

    def opened(self, new: Connection) -> bool:
        """Make room for a new connection; False where all others are being answered."""
        if self.per_peer and self._waiting_of[new.peer] >= self.per_peer:
            self.close(next(each for each in self._waiting if each.peer == new.peer), "made room")
        elif len(self._open) >= self.most:
            if not self._waiting:
                self._count("found no room", new.peer)
                return False
            self.close(next(iter(self._waiting)), "made room")
        self._open.add(new)
        self.waits(new)
        return True

    def waits(self, each: Connection) -> None:
        """The next request of that connection is waited for from now on."""
        self.is_served(each)
        self._waiting[each] = None
        self._waiting_of[each.peer] += 1

    def is_served(self, each: Connection) -> None:
        """That connection is not waited for any more."""
        if each in self._waiting:
            del self._waiting[each]
            self._waiting_of[each.peer] -= 1
            self._waiting_of += Counter()

    def gone(self, each: Connection) -> None:
        """That connection is closed."""
        self.is_served(each)
        self._open.discard(each)

    def close(self, each: Connection, why: str) -> None:
        """Close a connection that is waited for, and tell the log now and then."""
        self.gone(each)
        each.abort()
        self._count(why, each.peer)

    def _count(self, why: str, peer: str) -> None:
        self._closed[why] += 1
        now = asyncio.get_running_loop().time()
        if now - self._told_at < TOLD_EVERY:
            return
        self._told_at = now
        log.warning(
            "connections to the port for Slack's calls were closed: %d sent no whole request in %.0f s, %d made room "
            "for newer ones, %d found no room (%d are open; the last was from %s)",
            *(self._closed["was late"], self.patience, self._closed["made room"], self._closed["found no room"]),
            *(len(self._open), peer),
        )
        self._closed.clear()


class Connection(asyncio.Protocol):
    """One connection, between asyncio and the protocol that speaks HTTP on it."""

    def __init__(self, all_of_them: Connections, inner: asyncio.Protocol) -> None:
        self._all, self._inner = all_of_them, inner
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._has_begun = self._is_answered = False
        self.peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio; one for which there is no room is closed unheard."""
        self.peer = str((transport.get_extra_info("peername") or [""])[0])
        if not self._all.opened(self):
            cast(asyncio.Transport, transport).abort()
            return
        self._transport = cast(asyncio.Transport, transport)
        self._wait(self._all.patience)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio. The first bytes of a request begin the time for its head."""
        if self._transport is None:
            return
        if not self._has_begun:
            self._has_begun = True
            if not self._is_answered:
                self._wait(self._all.patience)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """See asyncio."""
        return self._inner.eof_received() if self._transport else None

    def pause_writing(self) -> None:
        """See asyncio."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """See asyncio."""
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._stop_waiting()
        self._all.gone(self)
        if self._transport is not None:
            self._transport = None
            self._inner.connection_lost(exc)

    def abort(self) -> None:
        """Close it at once."""
        self._stop_waiting()
        if self._transport is not None:
            self._transport.abort()

    async def whole(self, request: http.Request) -> None:
        """Wait for the body of a request whose head is here; from then on it is being answered."""
        self._wait(self._all.patience)
        await request.read()
        self._stop_waiting()
        self._has_begun, self._is_answered = False, True
        self._all.is_served(self)

    def answered(self) -> None:
        """It may be used for another request now."""
        self._is_answered = False
        if self._transport is not None and not self._transport.is_closing():
            self._all.waits(self)
            if self._has_begun:
                self._wait(self._all.patience)

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._all.close, self, "was late")

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@http.middleware
async def bounded(
    request: http.Request, handler: Callable[[http.Request], Awaitable[http.StreamResponse]]
) -> http.StreamResponse:
    """Reads a request whole before it is answered, and tells its connection both."""
    connection = request.transport.get_protocol() if request.transport else None
    if not isinstance(connection, Connection):
        return await handler(request)
    try:
        await connection.whole(request)
    except ConnectionError:
        return http.Response(status=400)  # which nobody hears: it was closed before all was there
    try:
        return await handler(request)
    finally:
        connection.answered()
