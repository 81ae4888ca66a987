"""A plugin of pytest that takes from the bot what Windows lacks; what others import stays as it is.

Modules that are not there cannot be imported from `bot`, names that `os` and `signal` do not have there raise
AttributeError, the event loop has no signal handlers and watches no files, and there is `msvcrt` instead of
`fcntl`. The rules are those of docs.python.org (msvcrt, os, signal, asyncio platform support).
"""

from __future__ import annotations

import asyncio
import builtins
import errno
import fcntl
import importlib
import os
import signal
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

MODULES = frozenset(
    {
        "fcntl",
        "grp",
        "pty",
        "pwd",
        "resource",
        "termios",
        "tty",
        "posix",
        "readline",
    }
)
NAMES: Mapping[str, frozenset[str]] = {
    "os": frozenset(
        {
            "fork",
            "forkpty",
            "geteuid",
            "getegid",
            "getuid",
            "getgid",
            "setuid",
            "setsid",
            "killpg",
            "pread",
            "pwrite",
            "O_CLOEXEC",
            "O_NOCTTY",
            "O_NONBLOCK",
            "O_NOFOLLOW",
            "O_SYNC",
            "mkfifo",
            "chown",
            "fchown",
            "statvfs",
            "sysconf",
            "uname",
            "WNOHANG",
            "getloadavg",
            "nice",
            "sched_getaffinity",
        }
    ),
    "signal": frozenset(
        {
            "SIGHUP",
            "SIGPIPE",
            "SIGUSR1",
            "SIGUSR2",
            "SIGALRM",
            "SIGCHLD",
            "SIGKILL",
            "SIGQUIT",
            "SIGSTOP",
            "SIGCONT",
            "SIGTSTP",
            "SIGWINCH",
            "pause",
            "alarm",
            "setitimer",
            "pthread_sigmask",
            "sigwait",
            "pthread_kill",
        }
    ),
}


REAL: dict[str, types.ModuleType] = {}


class Poor(types.ModuleType):
    """A module without some of its names; all else of it is the real one's."""

    def __getattr__(self, name: str) -> Any:
        real = REAL[self.__name__]
        if name in NAMES[self.__name__]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} on Windows")
        return "nt" if (self.__name__, name) == ("os", "name") else getattr(real, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(REAL[self.__name__], name, value)


class Msvcrt(types.ModuleType):
    """`msvcrt`, as far as files are locked by it: ranges of bytes, from where the file stands."""

    LK_UNLCK, LK_LOCK, LK_NBLCK, LK_RLCK, LK_NBRLCK = range(5)

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.held: dict[tuple[int, int], int] = {}

    def locking(self, file: int, mode: int, count: int) -> None:
        """Lock or unlock so many bytes; unlike POSIX' ranges, a second time by the same process fails too."""
        if mode not in (self.LK_UNLCK, self.LK_NBLCK):
            raise AssertionError(f"locking waits for ten seconds with mode {mode}")
        if os.lseek(file, 0, os.SEEK_CUR) == 0:
            raise AssertionError("what is at the beginning of the file could not be read by others")
        if fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EACCES, "Permission denied")
        try:
            # flock counts by open file, as Windows does.
            fcntl.flock(file, fcntl.LOCK_UN if mode == self.LK_UNLCK else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OSError(errno.EACCES, "Permission denied") from error


def _hidden(name: str, caller: str) -> bool:
    return name.partition(".")[0] in MODULES and caller.partition(".")[0] == "bot"


def install() -> None:
    """From now on the bot sees what it would see there."""
    real_import, real_module = builtins.__import__, importlib.import_module
    REAL.update({name: sys.modules[name] for name in NAMES})
    poor = {name: Poor(name) for name in NAMES}
    msvcrt = Msvcrt()

    def importing(
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        caller = str((globals or {}).get("__name__", ""))
        if level == 0 and _hidden(name, caller):
            raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
        if level == 0 and name in poor and caller.partition(".")[0] == "bot":
            return poor[name]
        return real_import(name, globals, locals, fromlist or (), level)

    def by_name(name: str, package: str | None = None) -> Any:
        caller = str(sys._getframe(1).f_globals.get("__name__", ""))
        if _hidden(name, caller):
            raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
        return msvcrt if name == "msvcrt" else real_module(name, package)

    builtins.__import__ = importing
    importlib.import_module = by_name

    def refuse(*_args: object, **_how: object) -> NoReturn:
        raise NotImplementedError

    for method in ("add_signal_handler", "remove_signal_handler", "add_reader", "remove_reader", "add_writer"):
        setattr(asyncio.SelectorEventLoop, method, refuse)


assert not [name for name in sys.modules if name.partition(".")[0] == "bot"], "the bot was imported before"
assert hasattr(signal, "SIGHUP"), "there is nothing to take away here"
install()
