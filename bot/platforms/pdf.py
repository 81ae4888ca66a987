"""The text of a PDF, read in a process of its own.

A PDF comes from anybody, and one made for it can keep a parser busy for ever or fill the memory. A thread can be
neither ended nor bounded; a process can be both, and knows none of the bot's secrets. This very file is what it runs,
so it imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

Problem = Literal["encrypted", "broken", "no text", "too slow"]

PAGES = 500
"""So many pages of a PDF are read at most."""

ENOUGH = 8.0
"""Seconds of reading after which what there is by then is given."""

PATIENCE = 15.0
"""Seconds after which the process is ended, whatever it does."""

MEMORY = 1024**3
"""Bytes of memory that the process may have."""


NOTHING = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
"""What the process is told of its surroundings: no secret. Without this one, Python does not start on Windows."""


@dataclass(frozen=True, slots=True)
class Text:
    """What was read; with `cut` there is more."""

    text: str
    cut: bool


async def text_of(data: bytes, room: int, *, patience: float = PATIENCE) -> Text | Problem:
    """The first `room` characters of the text in a PDF, or why there is none. Never raises for what it reads."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        __file__,
        str(room),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=NOTHING,
    )
    try:
        async with asyncio.timeout(patience):
            told, _ = await process.communicate(data)
    except TimeoutError:
        return "too slow"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        # Out of memory or of time on the processor: what is well made comes to neither.
        return "broken"
    found = json.loads(told)
    return found["problem"] if "problem" in found else Text(found["text"], found["cut"])


# ---------------------------------------------------------------- within the process


def read(data: bytes, room: int) -> Text | Problem:
    """What `text_of` gives, in this very process."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError

    until = time.monotonic() + ENOUGH
    parts: list[str] = []
    length = 0
    cut = False
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            return "encrypted"
        for number, page in enumerate(reader.pages):
            if number == PAGES or length > room or time.monotonic() > until:
                cut = True
                break
            parts.append(page.extract_text().strip())
            length += len(parts[-1])
    except (DependencyError, FileNotDecryptedError):
        return "encrypted"
    except Exception:  # fed with anything, a parser raises anything; what was read until then is what there is
        if not any(parts):
            return "broken"
        cut = True
    text = _clean("\n\n".join(part for part in parts if part))
    if not text:
        return "too slow" if cut else "no text"
    return Text(text[:room], cut or len(text) > room)


def _clean(text: str) -> str:
    """`text` without what cannot be stored or sent on: NUL, and halves of UTF-16 pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _bound() -> None:
    """Take from this process what it does not need: memory, time, files."""
    try:
        import resource
    except ImportError:  # Windows has no such bounds; there the parent's patience alone ends it
        return
    seconds = int(PATIENCE) + 5  # in case that the parent is gone, and its patience with it
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Read a PDF from the standard input, and write what was found to the standard output as JSON."""
    logging.disable()
    _bound()
    found = read(sys.stdin.buffer.read(), int(sys.argv[1]))
    value = {"text": found.text, "cut": found.cut} if isinstance(found, Text) else {"problem": found}
    sys.stdout.write(json.dumps(value))


if __name__ == "__main__":
    main()
