"""One worker a file: a lock that the operating system lets go of when its holder dies, however it dies."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from bot.stores.errors import StoreBusyError, StoreError
from bot.stores.holding import CLOEXEC, hold, is_held


def lock_of(path: Path) -> Path:
    """The lock file of the database at `path`, which is the same whatever links lead there.

    Raises OSError where links lead only to one another.
    """
    try:
        real = path.resolve()
    except RuntimeError as error:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from error
    return real.with_name(real.name + ".lock")


def worker_of(path: Path) -> str | None:
    """The process id of the worker that holds the database at `path`; empty where it is unknown, None without one.

    The lock is asked for, for an instant. Whether a process of the written id is alive would tell nothing: ids are used
    again, and a worker in another container has one that is not ours to see. Raises OSError.
    """
    try:
        # Windows locks only what may be written to.
        file = os.open(lock_of(path), (os.O_RDONLY if os.name == "posix" else os.O_RDWR) | CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return _written(file) if is_held(file) else None
    finally:
        os.close(file)


def _written(file: int) -> str:
    """The process id that the holder of an open lock file has written into it."""
    os.lseek(file, 0, os.SEEK_SET)
    return os.read(file, 20).decode("ascii", "replace").strip()


class FileLock:
    """Holds the lock of the database at `path` from construction to `close`.

    A symbolic link is followed, as SQLite does. A file with several names is refused: SQLite keeps its log under the
    name by which a file was opened, so that two workers by two names would destroy it (sqlite.org/howtocorrupt.html,
    section 2.5), and so would a crash between two starts by different names.

    The lock is the system's (`bot.stores.holding`), so no stale file ever has to be cleaned up; the file stays
    where it is, since removing it would let two processes lock two files of one name. It holds the process id of
    its holder, for the message. Raises StoreBusyError where somebody holds it, StoreError where it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        name = lock_of(path)
        try:
            if (names := path.stat().st_nlink) > 1:
                raise StoreError(
                    f"The database {path} has {names} names (hard links), and SQLite's log would be under only one of "
                    "them. Make a copy instead of the link: `find -samefile` names the others."
                )
        except FileNotFoundError:
            pass  # a new one has one name
        try:
            self._file: int | None = os.open(name, os.O_RDWR | os.O_CREAT | CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"The lock file {name} cannot be opened: {error.strerror}. "
                "Give the bot write access to its folder, or name another path for the database."
            ) from error
        try:
            hold(self._file)
        except BlockingIOError as error:
            holder = _written(self._file)
            self.close()
            raise StoreBusyError(
                f"The database {path} is in use by another worker{f' (process {holder})' if holder else ''}. "
                "Stop that one first, or give this one a database of its own.",
                holder,
            ) from error
        except OSError as error:
            self.close()
            raise StoreError(
                f"The file system of {name} cannot lock files: {error.strerror}. Put the database on a local disk."
            ) from error
        # The number is for people only, so a disk that is too full for it is no reason to stay away.
        with suppress(OSError):
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
            os.write(self._file, str(os.getpid()).encode("ascii"))

    def close(self) -> None:
        """Let go; a second time does nothing."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
