"""Files of exported conversations: written whole or not at all, for their owner alone; a line of JSON each."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from bot.operations.opening import OperationError


@contextmanager
def written(path: str | None, *, force: bool) -> Iterator[TextIO]:
    """A file that takes the place of `path` when the body is through, or standard output. Raises OperationError."""
    if path is None:
        yield sys.stdout
        return
    target = Path(path)
    if target.exists() and not force:
        raise OperationError(f"{target} is there already; --force overwrites it. Nothing was written.")
    try:
        # Made readable for its owner alone, as tempfile does: it holds what people said.
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise OperationError(f"{target} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
        os.replace(name, target)
    except OSError as error:
        raise OperationError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        Path(name).unlink(missing_ok=True)


def read_lines(path: str) -> list[dict[str, Any]]:
    """The objects of a file, one a line; `-` is standard input. Raises OperationError."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise OperationError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise OperationError(f"{path} cannot be read: it is not text.") from error
    found: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise OperationError(f"{path}:{number}: this is no JSON ({error}). Nothing was imported.") from error
        if not isinstance(value, dict):
            raise OperationError(f"{path}:{number}: this is no exported conversation. Nothing was imported.")
        found.append(value)
    if not found:
        raise OperationError(f"{path} holds no conversation.")
    return found
