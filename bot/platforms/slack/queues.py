"""One delivery after the other: what comes to a place is taken in the order in which it came here.

Deliveries are tasks of their own. Without this, one whose author has to be looked up first would go behind the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.core.model import Conversation


@dataclass(slots=True)
class _Queue:
    """Whoever has the lock is being taken; `length` counts it and those behind it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class PlaceQueues:
    """A queue for each conversation that something is being taken from."""

    def __init__(self) -> None:
        self._queues: dict[Conversation, _Queue] = {}

    @asynccontextmanager
    async def turn(self, where: Conversation | None, patience: float) -> AsyncIterator[bool]:
        """Wait until all that came to that place before was taken; whether that was so within `patience` seconds.

        What belongs to no place (None) waits for nobody.
        """
        if where is None:
            yield True
            return
        queue = self._queues.setdefault(where, _Queue())
        queue.length += 1
        is_next = False
        try:
            is_next = await _is_next(queue, patience)
            yield is_next
        finally:
            queue.length -= 1
            if is_next:
                queue.lock.release()
            if not queue.length:
                del self._queues[where]


async def _is_next(queue: _Queue, patience: float) -> bool:
    if queue.length == 1:  # nobody is there, so no timer is needed
        return await queue.lock.acquire()
    try:
        async with asyncio.timeout(patience):
            return await queue.lock.acquire()
    except TimeoutError:
        return False
