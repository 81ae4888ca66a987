"""Documents in the SQLite store's file, by its connection and its time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from bot.core import spaces as told
from bot.core.paths import checked, folded
from bot.core.spaces import DocumentInfo, Version, about
from bot.ports.documents import Forgotten, Refused, Stale, Stored, Written
from bot.stores import documents as shared
from bot.stores.sqlite_link import Link
from bot.stores.sqlite_time import FileTime, Moment
from bot.stores.sqlite_upkeep import has_left, leaving, note_idle

MOST_A_LOOK = 100
"""How many documents one look notes or deletes."""

Answer = Written | Stale | Refused


class SqliteDocuments:
    """`bot.ports.documents.Documents` on SQLite; a store has one."""

    def __init__(self, link: Link, time: FileTime) -> None:
        self._link = link
        self._time = time

    async def list(self, space: str) -> tuple[DocumentInfo, ...]:
        """See `Documents.list`."""
        rows = await self._link.done_apart(
            lambda db: db.execute(
                "SELECT document.path, document.version, size, document_version.at, meta FROM document"
                " JOIN document_version ON document_version.document = document.id"
                " AND document_version.version = document.version"
                " JOIN space ON space.id = document.space WHERE key = ? ORDER BY folded",
                (space,),
            ).fetchall()
        )
        found = []
        for row in rows:
            says = about(row["meta"])
            where = row["path"], row["version"]
            found.append(DocumentInfo(*where, says.title, row["size"], row["at"], says.by, says.approved_by))
        return tuple(found)

    async def read(self, space: str, path: str, version: int = 0) -> Stored | None:
        """See `Documents.read`."""

        def work(db: sqlite3.Connection) -> Stored | None:
            row = _document(db, space, path)
            if row is None:
                return None
            found = db.execute(
                "SELECT version, text, meta, at FROM document_version WHERE document = ? AND version = ?",
                (row["id"], version or row["version"]),
            ).fetchone()
            if found is None:
                return None
            number, text, meta, at = found
            return Stored(row["path"], number, text, meta, at, row["version"])

        return await self._link.done_apart(work)

    async def history(self, space: str, path: str) -> tuple[Version, ...]:
        """See `Documents.history`."""

        def work(db: sqlite3.Connection) -> list[sqlite3.Row]:
            row = _document(db, space, path)
            found = "SELECT version, path, size, at, meta FROM document_version WHERE document = ? ORDER BY version"
            return [] if row is None else db.execute(found, (row["id"],)).fetchall()

        versions = []
        for number, where, size, at, meta in await self._link.done_apart(work):
            says = about(meta)
            versions.append(Version(number, where, size, at, says.by, says.approved_by, meta))
        return tuple(versions)

    async def written(self, space: str, key: str) -> int:
        """See `Documents.written`."""
        return await self._link.done_apart(lambda db: _written(db, _space(db, space), key))

    async def write(
        self, key: str, space: str, path: str, base: int, text: str, meta: str = "{}"
    ) -> Written | Stale | Refused:
        """See `Documents.write`."""
        if refused := shared.refusal(path, text, meta):
            return refused
        where, size = checked(path), told.size_of(text, meta)

        def work(db: sqlite3.Connection, place: int) -> Answer:
            row = _document(db, space, path)
            if (stale := _stale(row, path, base)) is not None:
                return stale
            used = _used(db, place)
            if used + size > told.SPACE_BYTES:
                return Refused(path, told.too_full(used))
            (count,) = db.execute("SELECT count(*) FROM document WHERE space = ?", (place,)).fetchone()
            if row is None and count >= told.DOCUMENTS:
                return Refused(path, told.too_many())
            now = self._time.now().wall
            version = _counted(db, place)
            if row is None:
                added = "INSERT INTO document (space, folded, path, version, at) VALUES (?, ?, ?, ?, ?)"
                id, stands = db.execute(added, (place, folded(where), where, version, now)).lastrowid, where
            else:
                id, stands = row["id"], row["path"]
                db.execute("UPDATE document SET version = ?, at = ? WHERE id = ?", (version, now, id))
            db.execute(
                "INSERT INTO document_version (document, version, size, at, path, meta, text)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (id, version, size, now, stands, meta, text),
            )
            return Written(stands, version, used + size)

        return await self._changed(key, space, where, work)

    async def rename(self, key: str, space: str, path: str, base: int, to: str) -> Written | Stale | Refused:
        """See `Documents.rename`."""
        if refused := shared.misnamed(to):
            return refused
        where = checked(to)

        def work(db: sqlite3.Connection, place: int) -> Answer:
            row = _document(db, space, path)
            if (stale := _stale(row, path, base)) is not None or row is None:
                return stale or Stale(path, 0)
            other = _document(db, space, where)
            if other is not None and other["id"] != row["id"]:
                return Refused(to, told.taken(other["path"]))
            db.execute("UPDATE document SET path = ?, folded = ? WHERE id = ?", (where, folded(where), row["id"]))
            return Written(where, row["version"], _used(db, place))

        return await self._changed(key, space, where, work)

    async def delete(self, key: str, space: str, path: str, base: int) -> Written | Stale | Refused:
        """See `Documents.delete`."""

        def work(db: sqlite3.Connection, place: int) -> Answer:
            row = _document(db, space, path)
            if (stale := _stale(row, path, base)) is not None or row is None:
                return stale or Stale(path, 0)
            _drop(db, [row["id"]])
            return Written(row["path"], row["version"], _used(db, place))

        answer = await self._changed(key, space, path, work)
        await self._link.done_apart(self._link.purge)
        return answer

    async def spaces(self, after: str = "", limit: int = 100) -> tuple[str, ...]:
        """See `Documents.spaces`."""
        rows = await self._link.done_apart(
            lambda db: db.execute(
                "SELECT key FROM space WHERE key > ? AND EXISTS"
                " (SELECT 1 FROM document WHERE document.space = space.id) ORDER BY key LIMIT ?",
                (after, max(0, limit)),
            ).fetchall()
        )
        return tuple(row["key"] for row in rows)

    async def forget(self, space: str, *, dry_run: bool = False) -> Forgotten:
        """See `Documents.forget`."""

        def work(db: sqlite3.Connection) -> Forgotten:
            found = "SELECT document.id FROM document JOIN space ON space.id = document.space WHERE key = ?"
            ids = [int(row["id"]) for row in db.execute(found, (space,))]
            count = "SELECT count(*) FROM document_version WHERE document = ?"
            versions = sum(int(db.execute(count, (id,)).fetchone()[0]) for id in ids)
            if not dry_run:
                _drop(db, ids)
                db.execute("DELETE FROM home WHERE space = ?", (space,))
            return Forgotten(len(ids), versions)

        if dry_run:
            return await self._link.done_apart(work)
        forgotten = await self._link.done_apart(self._link.transaction(work))
        await self._link.done_apart(self._link.purge)
        return forgotten

    async def forget_user(
        self, user: str, pseudonym: str, within: str = "", names: frozenset[str] = frozenset(), *, dry_run: bool = False
    ) -> Forgotten:
        """See `Documents.forget_user`."""
        found = await shared.forget_user(self, self._amend, user, pseudonym, within, names, dry_run=dry_run)
        if not dry_run:
            gone = "DELETE FROM home WHERE substr(person, -length(?)) = ?"
            tail = f":{user}"
            await self._link.done_apart(self._link.transaction(lambda db: db.execute(gone, (tail, tail)).rowcount))
            await self._link.done_apart(self._link.purge)
        return found

    async def _amend(self, space: str, path: str, version: int, was: str, meta: str) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            row = _document(db, space, path)
            more = len(meta.encode()) - len(was.encode())
            changed = (
                "UPDATE document_version SET meta = ?, size = size + ? WHERE document = ? AND version = ? AND meta = ?"
            )
            return row is not None and db.execute(changed, (meta, more, row["id"], version, was)).rowcount == 1

        return await self._link.done_apart(self._link.transaction(work))

    async def expire(self, idle: float) -> tuple[int, int]:
        """See `Documents.expire`."""

        def work(db: sqlite3.Connection) -> tuple[int, int]:
            self._time.note(db)
            now: Moment = self._time.now()
            noted = note_idle(db, now, idle, MOST_A_LOOK, {"document": "it.at < ?"})
            gone = leaving(db, now, "document", MOST_A_LOOK)
            _drop(db, gone)
            has_left(db, "document", gone)
            return len(gone), noted

        gone, noted = await self._link.done_apart(self._link.transaction(work))
        if gone:
            await self._link.done_apart(self._link.purge)
        return gone, noted

    async def dump(self, space: str) -> dict[str, Any] | None:
        """See `Documents.dump`."""
        row = await self._link.done_apart(
            lambda db: db.execute("SELECT last FROM space WHERE key = ?", (space,)).fetchone()
        )
        return None if row is None else await shared.dump(self, space, row["last"])

    async def restore(self, space: str, dumped: dict[str, Any]) -> bool:
        """See `Documents.restore`."""
        kept = shared.from_json(dumped)

        def work(db: sqlite3.Connection) -> bool:
            place = _place(db, space)
            if db.execute("SELECT 1 FROM document WHERE space = ? LIMIT 1", (place,)).fetchone():
                return False
            db.execute("UPDATE space SET last = max(last, ?) WHERE id = ?", (kept.last, place))
            for document in kept.documents:
                newest = document.versions[-1]
                id = db.execute(
                    "INSERT INTO document (space, folded, path, version, at) VALUES (?, ?, ?, ?, ?)",
                    (place, folded(document.path), document.path, newest.version, newest.at),
                ).lastrowid
                db.executemany(
                    "INSERT INTO document_version (document, version, size, at, path, meta, text)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [(id, v.version, told.size_of(v.text, v.meta), v.at, v.path, v.meta, v.text)
                     for v in document.versions],
                )  # fmt: skip
            return True

        return await self._link.done_apart(self._link.transaction(work))

    async def settle(self, person: str, space: str) -> None:
        """See `Documents.settle`."""
        settled = "INSERT OR REPLACE INTO home (person, space) VALUES (?, ?)"
        await self._link.done_apart(self._link.transaction(lambda db: db.execute(settled, (person, space)).rowcount))

    async def home(self, person: str) -> str:
        """See `Documents.home`."""
        found = "SELECT space FROM home WHERE person = ?"
        row = await self._link.done_apart(lambda db: db.execute(found, (person,)).fetchone())
        return "" if row is None else str(row["space"])

    async def _changed(
        self, key: str, space: str, path: str, work: Callable[[sqlite3.Connection, int], Answer]
    ) -> Answer:
        """What `work` answers under a key, in one transaction; what was answered before is answered again."""

        def once(db: sqlite3.Connection) -> Answer:
            place = _place(db, space)
            if before := _written(db, place, key):
                return Written(path, before)
            answer = work(db, place)
            if isinstance(answer, Written):
                db.execute(
                    "INSERT INTO document_key (space, key, version) VALUES (?, ?, ?)", (place, key, answer.version)
                )
                db.execute(
                    "DELETE FROM document_key WHERE space = ? AND n <="
                    " (SELECT n FROM document_key WHERE space = ? ORDER BY n DESC LIMIT 1 OFFSET ?)",
                    (place, place, shared.KEYS),
                )
            return answer

        return await self._link.done_apart(self._link.transaction(once))


def _space(db: sqlite3.Connection, space: str) -> int:
    row = db.execute("SELECT id FROM space WHERE key = ?", (space,)).fetchone()
    return 0 if row is None else int(row["id"])


def _place(db: sqlite3.Connection, space: str) -> int:
    """The id of the space, which is made where it is not."""
    db.execute("INSERT OR IGNORE INTO space (key) VALUES (?)", (space,))
    return _space(db, space)


def _document(db: sqlite3.Connection, space: str, path: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute(
        "SELECT document.id, path, version FROM document JOIN space ON space.id = document.space"
        " WHERE key = ? AND folded = ?",
        (space, folded(path)),
    ).fetchone()
    return found


def _stale(row: sqlite3.Row | None, path: str, base: int) -> Stale | None:
    stands = 0 if row is None else int(row["version"])
    return None if stands == base else Stale(path if row is None else row["path"], stands)


def _written(db: sqlite3.Connection, place: int, key: str) -> int:
    row = db.execute("SELECT version FROM document_key WHERE space = ? AND key = ?", (place, key)).fetchone()
    return 0 if row is None else int(row["version"])


def _used(db: sqlite3.Connection, place: int) -> int:
    (used,) = db.execute(
        "SELECT coalesce(sum(size), 0) FROM document_version"
        " WHERE document IN (SELECT id FROM document WHERE space = ?)",
        (place,),
    ).fetchone()
    return int(used)


def _counted(db: sqlite3.Connection, place: int) -> int:
    """The number of the next version."""
    db.execute("UPDATE space SET last = last + 1 WHERE id = ?", (place,))
    return int(db.execute("SELECT last FROM space WHERE id = ?", (place,)).fetchone()["last"])


def _drop(db: sqlite3.Connection, ids: list[int]) -> None:
    for table, column in (("document_version", "document"), ("document", "id")):
        db.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(id,) for id in ids])  # noqa: S608
