"""What the persona files came to, kept on disk, so that a start with unchanged files need not read them again.

The file is JSON below one line that tells what wrote it and what the rest hashes to. It is a convenience: where it
cannot be read, trusted or written, the files themselves are read, and nothing is different but the time. So what goes
wrong here is told at level debug and raised nowhere.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import stat
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import reduce
from operator import or_
from pathlib import Path

import yaml
from cattrs.preconf.json import make_converter

from bot.personas.gathering import Shelf

FORMAT = 2
"""Goes up when the meaning of the file changes in a way that neither the package's version nor its code shows."""

MAX_BYTES = 64 << 20
"""The largest file that is written or read."""

CAREFULLY = os.O_RDONLY | reduce(
    or_, (getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"))
)
"""Without O_NONBLOCK, a pipe of that name would hold up the start for ever. Windows has only the last of them."""

ABANDONED = 60.0
"""Seconds after which a half-written file is taken away: its writer was killed."""

Known = Mapping[str, tuple[str, Shelf]]
"""By the path of a persona file: its stamp, and what it came to."""

_log = logging.getLogger(__name__)
_converter = make_converter(omit_if_default=True, detailed_validation=False)


class ShelfCache:
    """The cache file at `path`, for Greenroom of `version`. Several processes may use one at once: the last one stands.

    `limit` bounds the file, in bytes. Only a regular file of our own user is trusted.
    """

    def __init__(self, path: Path, version: str, limit: int = MAX_BYTES) -> None:
        self._path = path
        self._version = version
        self._limit = limit
        self._stamps: dict[str, str] = {}

    def load(self) -> dict[str, tuple[str, Shelf]]:
        """What an earlier `save` kept; empty where there is nothing that can be trusted. Raises nothing."""
        try:
            known = _decoded(self._content(), self._head())
        except FileNotFoundError:
            return {}
        except Exception as problem:
            # Whatever a decoder says of a file that anybody may have written: the persona files are read instead.
            _log.debug("the library's cache %s is not used: %s", self._path, problem or type(problem).__name__)
            return {}
        self._stamps = {path: stamp for path, (stamp, _) in known.items()}
        return known

    def save(self, known: Known) -> bool:
        """Keep `known`; whether it was written. Nothing is where it is what the file holds already. Raises nothing."""
        stamps = {path: stamp for path, (stamp, _) in known.items()}
        if stamps == self._stamps:
            return False
        try:
            content = _encoded(known, self._head())
            if len(content) > self._limit:
                raise ValueError(f"it would be larger than {self._limit:,} bytes")
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # the state will stand here too
            self._replace(content)
        except (OSError, ValueError) as problem:
            _log.debug("the library's cache %s is not written: %s", self._path, problem)
            return False
        self._stamps = stamps
        return True

    def _content(self) -> bytes:
        if self._path.is_symlink():  # where the system has no O_NOFOLLOW
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        descriptor = os.open(self._path, CAREFULLY)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ValueError("it is no regular file")
            if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
                raise ValueError("it belongs to another user")
            if status.st_size > self._limit:
                raise ValueError(f"it is larger than {self._limit:,} bytes")
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(self._limit)
        finally:
            os.close(descriptor)

    def _replace(self, content: bytes) -> None:
        """Put `content` in the file's place at once. It is not synced: a torn file does not match its hash."""
        folder, prefix, suffix = self._path.parent, f"{self._path.name}.", ".new"
        for left in folder.glob(f"{prefix}*{suffix}"):
            with suppress(FileNotFoundError):
                if left.lstat().st_mtime < time.time() - ABANDONED:
                    left.unlink()
        # mkstemp opens with mode 0600: persona files may be private.
        descriptor, name = tempfile.mkstemp(suffix, prefix, folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            os.replace(name, self._path)
        except OSError:
            with suppress(OSError):
                os.unlink(name)
            raise

    def _head(self) -> bytes:
        """The file's first line, but for the hash: all that decides what a persona file comes to, besides itself."""
        code = hashlib.sha256()
        here = Path(__file__).parent
        for path in sorted(here.rglob("*.py")):
            code.update(path.read_bytes())
        return f"greenroom library cache {FORMAT} {self._version} {yaml.__version__} {code.hexdigest()} ".encode()


def _encoded(known: Known, head: bytes) -> bytes:
    values = _converter.unstructure(known, dict[str, tuple[str, Shelf]])
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    # File names that are no text, and escapes in YAML, leave lone surrogates, which UTF-8 alone refuses.
    body = text.encode("utf-8", "surrogatepass")
    return head + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _decoded(content: bytes, head: bytes) -> dict[str, tuple[str, Shelf]]:
    """What `_encoded` was given. Raises ValueError for what it did not write, and whatever a decoder may raise."""
    line, _, body = content.partition(b"\n")
    if not line.startswith(head):
        raise ValueError("it is another version's, or no cache")
    if line[len(head) :] != hashlib.sha256(body).hexdigest().encode():
        raise ValueError("it is damaged")
    known = _converter.structure(json.loads(body.decode("utf-8", "surrogatepass")), dict[str, tuple[str, Shelf]])
    for path, (_, shelf) in known.items():
        # The library leans on both: a resource lies in the file that it was read from, and texts go with resources.
        if len(shelf.texts) not in (0, len(shelf.resources)) or any(r.source.path != path for r in shelf.resources):
            raise ValueError(f"what it says of {path} does not fit together")
    return known
