"""The messages of conversations in Redis, for platforms that keep none. `lua/posts.lua` has their layout."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bot.ports.posts import Kept, PostState
from bot.stores.redis_link import Argument

Run = Callable[..., Awaitable[Any]]
"""Runs the script of that name in the partition of a conversation, with these arguments."""

_STATES: dict[bytes, PostState] = {b"growing": "growing", b"shown": "shown", b"gone": "gone"}


def kept(row: Sequence[bytes]) -> Kept:
    """A message as `lua/posts.lua` tells it."""
    number, id, state, change, at, body = row
    return Kept(int(number), id.decode(), body.decode(), _STATES[state], int(change), int(at) / 1_000_000)


class RedisPosts:
    """`bot.ports.posts.Posts` by scripts that take effect as a whole; all of them may be sent twice."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def put(self, conversation: str, id: str, body: str, *, growing: bool = False) -> int:
        """See `Posts.put`."""
        return int(await self._posts(conversation, "put", id, body, "growing" if growing else "shown"))

    async def change(self, conversation: str, id: str, body: str, *, growing: bool = False) -> bool:
        """See `Posts.change`."""
        return bool(await self._posts(conversation, "change", id, body, "growing" if growing else "shown"))

    async def remove(self, conversation: str, id: str) -> bool:
        """See `Posts.remove`."""
        return bool(await self._posts(conversation, "remove", id))

    async def one(self, conversation: str, id: str) -> Kept | None:
        """See `Posts.one`."""
        rows = await self._posts(conversation, "one", id)
        return kept(rows[0]) if rows else None

    async def page(self, conversation: str, before: int | None = None, limit: int = 100) -> tuple[Kept, ...]:
        """See `Posts.page`."""
        rows = await self._posts(conversation, "page", "" if before is None else before, max(0, limit))
        return tuple(kept(row) for row in reversed(rows))

    async def changes(self, conversation: str, after: int, limit: int = 100) -> tuple[Kept, ...]:
        """See `Posts.changes`."""
        return tuple(kept(row) for row in await self._posts(conversation, "changes", after, max(0, limit)))

    async def growing(self, conversation: str, after: int) -> tuple[Kept, ...]:
        """See `Posts.growing`."""
        return tuple(kept(row) for row in await self._posts(conversation, "growing", after))

    async def _posts(self, conversation: str, how: str, *arguments: Argument) -> Any:
        return await self._run("posts", conversation, conversation, how, *arguments)
