"""Holding a file against other processes, by what the system has: `flock(2)`, or Windows' byte ranges.

Either is let go of when the file is closed, and by the system when its holder dies, however it dies.
"""

from __future__ import annotations

import errno
import os
from importlib import import_module
from typing import Any

FAR = 1 << 30
"""Where the byte lies that stands for the file on Windows: nobody may read or write a byte that another holds, and what
is at the beginning is to be read."""

CLOEXEC: int = getattr(os, "O_CLOEXEC", 0)
"""Keeps a file from processes that this one starts; on Windows no file is handed on anyway."""


def hold(file: int) -> None:
    """Hold the open file until it is closed. Raises BlockingIOError where another process does, and OSError."""
    if (fcntl := _module("fcntl")) is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    _range(file, _windows().LK_NBLCK)


def is_held(file: int) -> bool:
    """Whether another process holds the open file: it is asked for an instant. Raises OSError."""
    try:
        if (fcntl := _module("fcntl")) is not None:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_UN)
        else:
            _range(file, _windows().LK_NBLCK)
            _range(file, _windows().LK_UNLCK)
    except BlockingIOError:
        return True
    return False


def _range(file: int, how: int) -> None:
    """Lock or unlock the far byte, which need not be there (docs.python.org, msvcrt.locking)."""
    os.lseek(file, FAR, os.SEEK_SET)
    try:
        _windows().locking(file, how, 1)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EDEADLK):
            raise BlockingIOError(error.errno, os.strerror(error.errno)) from error
        raise
    finally:
        os.lseek(file, 0, os.SEEK_SET)


def _windows() -> Any:
    return import_module("msvcrt")


def _module(name: str) -> Any:
    """The module of the standard library; None where this system has none of it."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        return None
