"""How a talk in a terminal ends: by a signal, by a closed terminal, and never so that a reply is paid for twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from bot import signals
from bot.cli.codes import SIGNALLED
from bot.personas.library import Library

FINISH = 5.0
"""Seconds that a reply gets to end by itself after SIGTERM; then it is stopped, and kept as far as it came."""

KEEP = 3.0
"""Seconds for keeping it. Both together are less than the 10 after which a container runtime kills."""


async def until_a_signal(talk: Callable[[asyncio.Event], Coroutine[Any, Any, int]], library: Library) -> int:
    """What `talk` comes to; where SIGTERM or a closed terminal ends it, the code that a shell gives for that.

    SIGTERM sets the event that `talk` is given, so that it ends by itself; a second SIGTERM ends it at once. SIGHUP has
    the library read again. It also comes when the terminal is closed: then it ends the talk at once.
    """
    from bot.service import read_again

    loop = asyncio.get_running_loop()
    leave = asyncio.Event()
    talking = loop.create_task(talk(leave))
    told = 0

    def tell(number: signal.Signals) -> None:
        nonlocal told
        at_once = told or number != signal.SIGTERM
        told = SIGNALLED + number
        leave.set()
        if at_once:
            talking.cancel()

    had_terminal = _has_terminal()
    reading: set[asyncio.Task[None]] = set()

    def hang_up() -> None:
        if had_terminal and not _has_terminal():
            tell(signal.Signals(signals.HANGUP or signal.SIGTERM))
            return
        task = loop.create_task(read_again(library))
        reading.add(task)
        task.add_done_callback(reading.discard)

    signals.on(signal.SIGTERM, partial(tell, signal.SIGTERM))
    signals.on(signals.HANGUP, hang_up)
    try:
        code = await talking
        return told or code
    except asyncio.CancelledError:
        if told:
            return told
        raise


def _has_terminal() -> bool:
    """Whether this process has a terminal that is still there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | getattr(os, "O_NOCTTY", 0)))
    except OSError:
        return False
    return True


async def finished(answering: Awaitable[bool], stop: Callable[[], Awaitable[object]], patience: float = FINISH) -> None:
    """Wait for what is being answered; a reply that takes longer than `patience` is stopped, which keeps it."""
    waiting = asyncio.ensure_future(answering)
    try:
        await asyncio.wait({waiting}, timeout=patience)
        if not waiting.done():
            await stop()
            await asyncio.wait({waiting}, timeout=KEEP)
        if waiting.done():
            waiting.result()
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def until_left(
    talk: Coroutine[Any, Any, bool], leave: asyncio.Event, stop: Callable[[], Awaitable[object]]
) -> bool:
    """What `talk` comes to; once `leave` is set it has no longer than `finished` gives it. False where it was cut."""
    talking, left = asyncio.ensure_future(talk), asyncio.ensure_future(leave.wait())
    try:
        await asyncio.wait({talking, left}, return_when=asyncio.FIRST_COMPLETED)
        if not talking.done():
            await finished(talking, stop)
        return not talking.cancelled() and talking.result()
    finally:
        for task in (talking, left):
            task.cancel()
        await asyncio.gather(talking, left, return_exceptions=True)
