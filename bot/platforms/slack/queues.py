"""One delivery after the other: what comes to a place is taken in the order in which it came here.

Deliveries are tasks of their own. Without this, one whose author has to be looked up first would go behind the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from bot.core.model import Conversation


class PlaceQueues:
    """A queue for each conversation that something is being taken from."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Conversation, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, where: Conversation | None, patience: float) -> AsyncIterator[bool]:
        """Wait until all that came to that place before was taken; whether that was so within `patience` seconds.

        What belongs to no place (None) waits for nobody.
        """
        if where is None:
            yield True
            return
        lock = self._locks.setdefault(where, asyncio.Lock())
        try:
            async with asyncio.timeout(patience):
                await lock.acquire()
        except TimeoutError:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()
