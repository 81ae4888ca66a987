"""Slots: how many turns are at work at a time. A turn that waits for a model has none."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """At most `at_work` turns are at work, and at most `waiting` turns have a reply under way.

    Two lines wait for slots: claims of new turns, and turns whose model has answered. A slot that comes free goes to
    the two lines alternately: 500 replies that end together do not hold up a command, nor many commands a reply.
    """

    def __init__(self, at_work: int, waiting: int) -> None:
        self._free = at_work
        self._room = waiting
        self._new: deque[asyncio.Future[None]] = deque()
        self._back: deque[asyncio.Future[None]] = deque()
        self._served = self._new

    def take_free(self) -> bool:
        """Take a slot if one is free; whether that was so."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    async def take(self, *, back: bool = False) -> None:
        """Wait for a slot in the line of new claims, or with `back` in that of turns whose model has answered."""
        if self.take_free():
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line = self._back if back else self._new
        line.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place in line:
                line.remove(place)
            elif not place.cancelled():
                self.give()  # it was given just before
            raise

    def give(self) -> None:
        """Give a slot back, to whoever is next."""
        lines = (self._new, self._back) if self._served is self._back else (self._back, self._new)
        for line in lines:
            while line:
                place = line.popleft()
                if not place.done():
                    place.set_result(None)
                    self._served = line
                    return
        self._free += 1

    def enter(self) -> bool:
        """Count a turn among those with a reply under way; False where there are as many as may be."""
        if self._room <= 0:
            return False
        self._room -= 1
        return True

    def leave(self) -> None:
        """Count it no longer."""
        self._room += 1


class Slot:
    """The slot of one turn, which has been taken for it. `end` it when the turn is over."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._is_held = True
        self._may_wait = False

    def may_wait(self) -> bool:
        """Whether the turn may have a reply under way. A turn that has had one may have more, until it ends."""
        self._may_wait = self._may_wait or self._slots.enter()
        return self._may_wait

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """Others may use the slot during the body; the turn waits for one behind it, unless it is cancelled."""
        self._give()
        try:
            yield
        except Exception:
            await self._take()
            raise
        await self._take()

    def end(self) -> None:
        """Give the slot back, and the place among the waiting; a second time does nothing."""
        self._give()
        if self._may_wait:
            self._may_wait = False
            self._slots.leave()

    async def _take(self) -> None:
        await self._slots.take(back=True)
        self._is_held = True

    def _give(self) -> None:
        if self._is_held:
            self._is_held = False
            self._slots.give()
