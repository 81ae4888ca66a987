"""The messages of conversations in SQLite, for platforms that keep none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from bot.ports.posts import Kept
from bot.stores.sqlite_link import Link
from bot.stores.sqlite_mailbox import place_of
from bot.stores.sqlite_time import FileTime

_COLUMNS = "number, id, body, state, change, at"
_OF = "conversation = (SELECT id FROM conversation WHERE key = ?)"
_SELECT = f"SELECT {_COLUMNS} FROM post WHERE {_OF}"  # noqa: S608


def append(db: sqlite3.Connection, place: int, posts: Iterable[Kept]) -> None:
    """Add messages that are not there yet, with their numbers; their changes are counted anew."""
    db.executemany(
        "INSERT INTO post (conversation, number, id, body, state, at) VALUES (?, ?, ?, ?, ?, ?)",
        [(place, post.number, post.id, post.body, post.state, post.at) for post in posts],
    )


def all_of(db: sqlite3.Connection, conversation: str) -> tuple[Kept, ...]:
    """Everything that ever stood in the conversation, in order."""
    return tuple(Kept(*row) for row in db.execute(f"{_SELECT} ORDER BY number", (conversation,)))


class SqlitePosts:
    """`bot.ports.posts.Posts` over the store's own connection."""

    def __init__(self, link: Link, time: FileTime) -> None:
        self._link, self._time = link, time

    async def put(self, conversation: str, id: str, body: str, *, growing: bool = False) -> int:
        """See `Posts.put`."""

        def work(db: sqlite3.Connection) -> int:
            now, place = self._time.now().wall, place_of(db, conversation)
            there = db.execute("SELECT number FROM post WHERE conversation = ? AND id = ?", (place, id)).fetchone()
            if there is not None:
                return int(there["number"])
            counted = db.execute("SELECT number FROM post_count WHERE conversation = ?", (place,)).fetchone()
            number = 1 if counted is None else int(counted["number"]) + 1
            append(db, place, (Kept(number, id, body, "growing" if growing else "shown", 0, now),))
            db.execute("UPDATE conversation SET at = ? WHERE id = ?", (now, place))
            return number

        return await self._link.done(self._link.transaction(work))

    async def change(self, conversation: str, id: str, body: str, *, growing: bool = False) -> bool:
        """See `Posts.change`."""
        state = "growing" if growing else "shown"
        from_states = "state = 'growing'" if growing else "state <> 'gone'"

        def work(db: sqlite3.Connection) -> bool:
            found = db.execute(
                f"UPDATE post SET body = ?, state = ? WHERE {_OF} AND id = ? AND {from_states}",  # noqa: S608
                (body, state, conversation, id),
            )
            return found.rowcount == 1

        return await self._link.done(self._link.transaction(work))

    async def remove(self, conversation: str, id: str) -> bool:
        """See `Posts.remove`."""

        def work(db: sqlite3.Connection) -> bool:
            there = db.execute(f"SELECT n FROM post WHERE {_OF} AND id = ?", (conversation, id)).fetchone()  # noqa: S608
            if there is not None:
                db.execute("UPDATE post SET body = '', state = 'gone' WHERE n = ? AND state <> 'gone'", (there["n"],))
            return there is not None

        return await self._link.done(self._link.transaction(work))

    async def one(self, conversation: str, id: str) -> Kept | None:
        """See `Posts.one`."""
        found = await self._read("id = ?", conversation, id)
        return found[0] if found else None

    async def page(self, conversation: str, before: int | None = None, limit: int = 100) -> tuple[Kept, ...]:
        """See `Posts.page`."""
        which = "state <> 'gone' AND (? IS NULL OR number < ?) ORDER BY number DESC LIMIT ?"
        return (await self._read(which, conversation, before, before, max(0, limit)))[::-1]

    async def changes(self, conversation: str, after: int, limit: int = 100) -> tuple[Kept, ...]:
        """See `Posts.changes`."""
        return await self._read("change > ? ORDER BY change LIMIT ?", conversation, after, max(0, limit))

    async def growing(self, conversation: str, after: int) -> tuple[Kept, ...]:
        """See `Posts.growing`."""
        return await self._read("state = 'growing' AND number > ? ORDER BY number", conversation, after)

    async def _read(self, which: str, *values: str | int | None) -> tuple[Kept, ...]:
        query = f"{_SELECT} AND {which}"

        def work(db: sqlite3.Connection) -> tuple[Kept, ...]:
            return tuple(Kept(*row) for row in db.execute(query, values))

        return await self._link.done(work)
