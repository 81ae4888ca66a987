"""Signals as far as the system has them: being told to stop, and to read the persona files again."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

STOPPING: tuple[signal.Signals, ...] = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)
)
"""What tells a process to stop; SIGBREAK is Windows' Ctrl-Break, and what ends a service there."""

HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)
"""What has the persona files read again; None on Windows, where `*reload` does it."""


def on(number: signal.Signals | None, do: Callable[[], object]) -> None:
    """Call `do` on the running loop whenever the signal comes; nothing where the system has no such signal."""
    if number is None:
        return
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, do)
    except NotImplementedError:  # Windows; its loop wakes up for what Python's own handlers do
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(do))


def end_after(seconds: float, code: int) -> None:
    """End the process with `code` when it is still there after so many seconds, whatever holds it up.

    That is as good as kill -9, which costs nothing: what was begun is taken up from the store by whoever comes next.
    """

    def end() -> None:
        log.error(
            "told to stop, and not over after %.0f s: ending at once. What is unfinished is taken up later", seconds
        )
        os._exit(code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
