"""Log records as lines above the prompt: written straight to the terminal they would tear it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def logged_to(note: Callable[[str], object]) -> Iterator[None]:
    """While this lasts, every log record of the process goes to `note`, as text and on the event loop."""
    root = logging.getLogger()
    loop = asyncio.get_running_loop()
    before, root.handlers = root.handlers, [_Noting(lambda text: loop.call_soon_threadsafe(note, text))]
    try:
        yield
    finally:
        root.handlers = before


class _Noting(logging.Handler):
    """Hands every record to a function, as text with its traceback."""

    def __init__(self, note: Callable[[str], object]) -> None:
        super().__init__()
        self._note = note
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._note(self.format(record))
