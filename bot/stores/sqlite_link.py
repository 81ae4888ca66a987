"""The one connection to a SQLite file: who uses it when, and what its errors mean.

There is one transaction after the other. What touches a few rows is done where it is asked for, on the event loop's
thread: that takes less time than handing it to another. What may take longer is done on a thread of the link's own:
work over any number of rows, waiting for another process that has the file, bringing the write-ahead log into the file,
and with durability "full" everything, since each commit waits for the disk then. While that thread is at work, all else
lines up behind it. So a cancelled caller leaves nothing half done: what it asked for takes effect as a whole or not at
all.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

from bot.stores.errors import StoreError, StoreRefusedError
from bot.stores.lock import FileLock
from bot.stores.sqlite_schema import check, migrate

log = logging.getLogger(__name__)

Durability = Literal["normal", "full"]

BUSY_SECONDS = 5.0
"""How long a statement waits for another process: readers' checkpoints, a backup, a person with the sqlite3 shell."""

CALLS = 200
"""After so many calls on the loop's thread, the write-ahead log is brought into the file: then it has some 5 MB."""

LOG_PAGES = 8000
"""A log of so many pages, 32 MB, is brought into the file by whoever writes next, if the thread has not done so yet."""

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
"""Modes of what is made: nobody but the bot's user is to read what people have said. What is there keeps its mode."""

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class BusyError(Exception):
    """Another process has the file just now; nothing was done."""


class Link:
    """The connection to the file at `path`, or to a database in memory.

    An `exclusive` one writes and has the file's lock; any other only reads. `changes` counts the calls that may have
    made something due, and `changed` is called on the event loop after each of them.
    """

    def __init__(self, path: str, *, exclusive: bool, durability: Durability, changed: Callable[[], None]) -> None:
        self.changes = 0
        self._path = path
        self._exclusive = exclusive
        self._durability = durability
        self._changed = changed
        self._works_here = exclusive and durability == "normal"
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="greenroom-sqlite")
        # What the thread has to do, oldest first; while there is anything, the connection is the thread's.
        self._queued: deque[Future[Any]] = deque()
        self._calls = 0
        self._lock: FileLock | None = None
        self._connection: sqlite3.Connection | None = None
        self._ending: Future[None] | None = None

    # ------------------------------------------------------------ opening, closing

    async def open(self, prepare: Callable[[sqlite3.Connection], None]) -> None:
        """Reach the file and bring it up to date; `prepare` is done before anything else, in one transaction.

        Raises StoreError.
        """
        await asyncio.wrap_future(self._executor.submit(self.connect, prepare))

    def connect(self, prepare: Callable[[sqlite3.Connection], None]) -> None:
        """What `open` does on the link's thread."""
        if self._path != ":memory:":
            self._reach(Path(self._path))
        try:
            db = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._connection = db
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL" if self._exclusive else "PRAGMA query_only = ON")
            db.execute(f"PRAGMA synchronous = {self._durability}")
            # What is deleted is overwritten with zeros, also in pages that become free (sqlite.org/pragma.html).
            db.execute("PRAGMA secure_delete = ON")
            if self._exclusive:
                migrate(db, self._path)
                self.transaction(prepare)(db)
                self.purge(db)  # what was forgotten just before a crash
            else:
                check(db, self._path)
                prepare(db)
            if self._works_here:
                db.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
                db.execute("PRAGMA busy_timeout = 0")
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"The database {self._path} cannot be opened: {error}. Name another path, or restore the file."
            ) from error

    def _reach(self, path: Path) -> None:
        """Make sure that the file may be opened: its folder, and the worker's lock."""
        try:
            if path.is_dir():
                raise StoreError(f"The database {path} is a folder. Name a file in it.")
            if self._exclusive:
                path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            elif not path.exists():
                raise StoreError(f"There is no database {path} yet. Start the bot once, or name another path.")
        except OSError as error:
            raise StoreError(
                f"The database {path} cannot be reached: {error.strerror} ({error.filename}). "
                "Give the bot access to its folder, or name another path."
            ) from error
        if self._exclusive:
            try:
                self._lock = FileLock(path)
            except OSError as error:
                raise StoreError(f"The database {path} cannot be reached: {error}. Name another path.") from error
            self._make(path)

    def _make(self, path: Path) -> None:
        """Make a new file for its owner alone; SQLite gives what it makes beside it the mode of the file."""
        with suppress(OSError):  # one that is there, or cannot be made: SQLite says which
            os.close(os.open(path.resolve(), os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can be asked for."""
        return self._ending is not None

    async def close(self) -> None:
        """Finish what was asked for already, then let go of file and lock; a second time does nothing."""
        if self._ending is None:
            self._ending = self._executor.submit(self._disconnect)
            self._executor.shutdown(wait=False)
            self._changed()
        await asyncio.shield(asyncio.wrap_future(self._ending))

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # ------------------------------------------------------------ work

    async def done(self, work: Work[T], *, wakes: bool = False) -> T:
        """What comes of work over a few rows; with `wakes`, it may have made something due. Raises StoreError."""
        if self.is_free:
            try:
                return self.here(work, wakes=wakes)
            except BusyError:
                pass  # nothing was done; the thread can wait for whoever has the file
        return await self.done_apart(work, wakes=wakes)

    async def done_apart(self, work: Work[T], *, wakes: bool = False) -> T:
        """What comes of work over any number of rows."""
        return await asyncio.wrap_future(self.submit(work, wakes=wakes))

    @property
    def is_free(self) -> bool:
        """Whether work may be done right here: nobody is overtaken then, and nobody waits for the disk."""
        self._forget_done()
        return self._works_here and not self._queued

    def _forget_done(self) -> None:
        while self._queued and self._queued[0].done():
            self._queued.popleft()

    def here(self, work: Work[T], *, wakes: bool = False) -> T:
        """Do it on the loop's own thread, where the connection `is_free`. Raises BusyError, StoreError."""
        db = self._open_connection()
        try:
            result = work(db)
        except sqlite3.Error as error:
            if _is_busy(error):
                raise BusyError from error
            raise _failure(self._path, error) from error
        self._calls += 1
        if self._calls >= CALLS:
            self._calls = 0
            self.submit(self.tidy)
        if wakes:
            self.changes += 1
            self._changed()
        return result

    def submit(self, work: Work[T], *, wakes: bool = False) -> Future[T]:
        """Have it done on the link's thread. Raises StoreError where the link is closed."""
        db = self._open_connection()

        def job() -> T:
            try:
                result = self._patiently(db, work) if self._works_here else work(db)
            except sqlite3.Error as error:
                raise _failure(self._path, error) from error
            if wakes:
                self.changes += 1
                self._loop.call_soon_threadsafe(self._changed)
            return result

        future = self._executor.submit(job)
        self._forget_done()
        self._queued.append(future)
        return future

    def _patiently(self, db: sqlite3.Connection, work: Work[T]) -> T:
        db.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
        try:
            return work(db)
        finally:
            db.execute("PRAGMA busy_timeout = 0")

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None or self._ending is not None:
            raise StoreError(f"The database {self._path} is closed; open it again to use it.")
        return self._connection

    def transaction(self, work: Work[T]) -> Work[T]:
        """`work` in a transaction of its own."""

        def job(db: sqlite3.Connection) -> T:
            if not self._exclusive:
                raise StoreError(f"The database {self._path} was opened for reading; only its worker writes.")
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:  # SQLite has rolled back by itself when a disk is full
                    db.execute("ROLLBACK")
                raise
            return result

        return job

    def purge(self, db: sqlite3.Connection) -> None:
        """Take what was overwritten out of the write-ahead log too, which otherwise keeps it until it is written over.

        Raises sqlite3.Error. Somebody who reads the file meanwhile keeps the log; the next call does it then.
        """
        (is_busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:
            log.warning("what was forgotten stays in %s-wal until nobody reads the database any more", self._path)

    def tidy(self, db: sqlite3.Connection) -> None:
        """Bring what was written from the log into the file, and begin the log anew: both wait for the disk."""
        try:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            # The first write after that is what begins it (sqlite.org/wal.html, section 4.3), so it is done here.
            (version,) = db.execute("PRAGMA user_version").fetchone()
            db.execute(f"PRAGMA user_version = {version}")
        except sqlite3.Error as error:
            log.warning("what was written could not be brought into %s (%s); it is tried again", self._path, error)


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _failure(path: str, error: sqlite3.Error) -> StoreError:
    """What SQLite's error means for whoever has asked (sqlite.org/rescode.html)."""
    match error:
        case sqlite3.DataError() | sqlite3.IntegrityError() | sqlite3.InterfaceError() | sqlite3.ProgrammingError():
            return StoreRefusedError(f"The database {path} cannot take this: {error}. Nothing was changed.")
    # The low byte is the kind of error. What the system says has failed may have reached the disk all the same.
    is_io = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR
    changed = "What was asked for last may have taken effect" if is_io else "Nothing was changed"
    return StoreError(f"The database {path} failed: {error}. {changed}; check the disk and the file.")
