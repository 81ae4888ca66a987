"""The preview of a reply: what people watch while it is still being written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.core.events import Usage
from bot.core.growing import GrowingReply
from bot.core.steps import Shape
from bot.core.voices import Names
from bot.ports.clock import Clock
from bot.ports.transport import Outgoing, Transport
from bot.runtime.lease import ended

PACE = 0.1
"""Seconds between two looks at what of a reply may be shown; what came meanwhile is shown then at the latest."""

BUSY = 7.0
"""Seconds after which it is shown again that somebody is at work: Discord shows it for 10 (docs, trigger typing)."""


@dataclass(slots=True)
class Preview:
    """A reply of that `shape` as it comes in, and what people watch of it; `refused`: nothing.

    `head` and `brief` are those of `AskModel`.

    A piece costs no more than to be noted. What of the reply may be shown is found out in a task of its own, so that
    neither its cost nor the platform holds up the reply itself.
    """

    transport: Transport
    out: Outgoing
    names: Names
    refused: bool = False
    shape: Shape = "talk"
    head: str = ""
    brief: str = ""
    ref: str | None = field(default=None, init=False)
    shown: str = field(default="", init=False)
    usage: Usage | None = field(default=None, init=False)
    _pieces: list[str] = field(default_factory=list, init=False)
    _growing: GrowingReply = field(init=False)
    _more: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _is_showing: bool = field(default=False, init=False)
    _is_over: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        limit, tables = self.transport.limit, self.transport.tables
        self._growing = GrowingReply(
            self.names, limit, tables=tables, shape=self.shape, head=self.head, brief=self.brief
        )

    @property
    def heard(self) -> str:
        """All of the reply that has come."""
        return "".join(self._pieces)

    async def add(self, piece: str) -> None:
        """Take the next piece."""
        self._pieces.append(piece)
        if not self.refused:
            self._growing.add(piece)
            self._more.set()

    @asynccontextmanager
    async def watched(self, clock: Clock) -> AsyncIterator[None]:
        """Meanwhile people see what there is of the reply, and until then that it is being made."""
        tasks = [asyncio.create_task(self._busy(clock))]
        if not self.refused:
            tasks.append(asyncio.create_task(self._grow(clock)))
        try:
            yield
        except Exception:
            await self._end(tasks)
            raise
        except BaseException:
            await ended(tasks)
            raise
        await self._end(tasks)
        for task in tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def _busy(self, clock: Clock) -> None:
        while self.ref is None:
            await self.transport.busy(self.out)
            await clock.sleep(BUSY)

    async def _grow(self, clock: Clock) -> None:
        """Show more as it comes, until no more may be shown before the reply is finished."""
        while True:
            await self._more.wait()
            self._more.clear()
            self._is_showing = True
            await self._show()
            self._is_showing = False
            if self._is_over or self.refused or self._growing.is_full:
                return
            await clock.sleep(PACE)

    async def _show(self) -> None:
        text = self._growing.shown()
        if not text or text == self.shown:
            return
        if self.ref is None:
            self.ref = await self.transport.preview(self.out)
            self.refused = self.ref is None
        if self.ref is not None:
            await self.transport.extend(self.ref, text)
            self.shown = text

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        """Stop showing; but a call of the platform that is under way may begin a message, so its ref is waited for."""
        self._is_over = True
        busy, *growing = tasks
        if self._is_showing:
            await asyncio.wait(growing)
        await ended([busy, *growing])
