"""Log records as lines above the prompt: written straight to the terminal they would tear it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def logged_to(note: Callable[[str], object]) -> Iterator[None]:
    """While this lasts, every log record of the process goes to `note`, as text and on the event loop.

    The text is made as it was before, so that what is hidden from the log is hidden here too.
    """
    root = logging.getLogger()
    loop = asyncio.get_running_loop()
    form = next((handler.formatter for handler in root.handlers if handler.formatter), None)
    before, root.handlers = root.handlers, [_Noting(lambda text: loop.call_soon_threadsafe(note, text), form)]
    try:
        yield
    finally:
        root.handlers = before


class _Noting(logging.Handler):
    """Hands every record to a function, as text with its traceback."""

    def __init__(self, note: Callable[[str], object], form: logging.Formatter | None) -> None:
        super().__init__()
        self._note = note
        self.setFormatter(form or logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._note(self.format(record))
