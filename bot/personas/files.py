"""Walking folders that strangers filled, and reading their files: bounded, and never out of the folder."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bot.personas.globs import Selection
from bot.personas.model import Problem

MAX_BYTES = 4 << 20
"""The largest file that is read; single definitions and resources are bounded further by their readers."""

MAX_RESOURCE = 1 << 20
"""The largest resource that is loaded into a conversation."""

MAX_FILES = 10_000
MAX_FOLDERS_DEEP = 24

ALL = Selection()
_SKIPPED = frozenset({"node_modules", "__pycache__", ".git", ".hg", ".svn", ".venv", "venv"})
_RESERVED = re.compile(r"^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a library: where it is, its path below the library's folder, and what tells that it changed."""

    path: Path
    inside: PurePosixPath
    root: Path
    stamp: tuple[int, int]


@dataclass(slots=True)
class Walk:
    """The files of one library path in a stable order, and what was left out."""

    files: list[Found] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class UnreadableError(Exception):
    """A file cannot be taken: why, the line (from 1), and what to do about it."""

    def __init__(self, reason: str, mend: str, line: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.mend = mend
        self.line = line


def flaw_of_name(name: str) -> str:
    """What is wrong with one part of a path on some system; empty where nothing is."""
    if not name or name in (".", ".."):
        return "leads out of its folder"
    if re.search(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", name):
        return "has control characters in its name"
    if re.search(r'[\\/:*?"<>|]', name):
        return "has characters in its name that are no file's on every system"
    if _RESERVED.match(name) or name[-1] in ". ":
        return "has a name that Windows keeps for itself"
    if len(name.encode("utf-8", "surrogatepass")) > 255:
        return "has a name of more than 255 bytes"
    return ""


def flaw_of_path(path: str) -> str:
    """What is wrong with a relative path that a file names; empty where it stays inside and is portable."""
    if path.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", path):
        return "is not a relative path"
    return next((flaw for part in path.split("/") if (flaw := flaw_of_name(part))), "")


def walk(root: Path, limit: int = MAX_FILES, selection: Selection = ALL) -> Walk:
    """The files below `root` that are selected, or `root` itself where it is a file; depth first, by name."""
    found = Walk()
    try:
        real = root.resolve(strict=True)
        mode = real.stat().st_mode
    except (OSError, RuntimeError) as problem:
        found.problems.append(_error(root, f"it cannot be read: {_why(problem)}", "check the path of this library"))
        return found
    if stat.S_ISREG(mode):
        found.files.append(Found(root, PurePosixPath(root.name), real.parent, _stamp(os.stat(root))))
        return found
    if not stat.S_ISDIR(mode):
        found.problems.append(_error(root, "it is neither a file nor a folder", "give a folder of persona files"))
        return found
    seen: set[Path] = {real}
    stack: list[Iterator[os.DirEntry[str]]] = [iter(_entries(root, found))]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
        elif len(found.files) >= limit:
            mend = "give the folder that holds only persona files, or split it"
            found.problems.append(_error(root, f"it holds more than {limit:,} files; the rest was left out", mend))
            break
        else:
            _visit(entry, root, real, seen, stack, found, selection)
    return found


def text_of_file(path: Path, root: Path, limit: int = MAX_BYTES) -> str:
    """The text of a regular file inside `root`: UTF-8, a byte-order mark taken off. Raises UnreadableError.

    `limit` is in bytes.
    """
    try:
        real = path.resolve(strict=True)
        if not _inside(real, root):
            raise UnreadableError(
                "it is behind a link that leads out of the library", "copy the file instead of linking it"
            )
        with open(os.open(real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableError("it is no regular file", "give a text file")
            content = file.read(limit + 1)
    except (OSError, RuntimeError, ValueError) as problem:
        raise UnreadableError(f"it cannot be read: {_why(problem)}", "check that it exists and its rights") from problem
    return decoded(content, limit)


def decoded(content: bytes, limit: int = MAX_BYTES) -> str:
    """UTF-8 text with or without a byte-order mark, of at most `limit` bytes. Raises UnreadableError."""
    if len(content) > limit:
        raise UnreadableError(f"it is larger than {limit >> 20} MiB", "split it, or keep long texts in data files")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError("it is UTF-16, not UTF-8", "save it as UTF-8")
    if b"\x00" in content:
        line = content.count(b"\n", 0, content.index(b"\x00")) + 1
        raise UnreadableError("it holds a NUL byte, so it is no text", "give a text file in UTF-8", line)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise UnreadableError(f"it is not UTF-8 (byte {problem.start})", "save it as UTF-8", line) from problem


def _visit(
    entry: os.DirEntry[str],
    root: Path,
    real: Path,
    seen: set[Path],
    stack: list[Iterator[os.DirEntry[str]]],
    found: Walk,
    selection: Selection,
) -> None:
    path = Path(entry.path)
    inside = PurePosixPath(path.relative_to(root).as_posix())
    if selection.exclude and selection.drops(inside):
        return
    if entry.name in _SKIPPED or (entry.name.startswith("..") and entry.is_dir(follow_symlinks=True)):
        return
    if flaw := flaw_of_name(entry.name):
        found.problems.append(_error(path, f"it {flaw}", "rename it"))
        return
    try:
        linked = entry.is_symlink()
        target = path.resolve(strict=True) if linked else path
        status = entry.stat()
    except (OSError, RuntimeError) as problem:
        found.problems.append(_error(path, f"it cannot be read: {_why(problem)}", "mend or remove it"))
        return
    if linked and not _inside(target, real):
        found.problems.append(
            _error(path, "it is a link that leads out of the library", "copy what it points to instead of linking it")
        )
        return
    key = target if linked else real / path.relative_to(root)
    if key in seen:
        return
    seen.add(key)
    if stat.S_ISDIR(status.st_mode):
        if len(stack) >= MAX_FOLDERS_DEEP:
            found.problems.append(_error(path, f"it lies more than {MAX_FOLDERS_DEEP} folders deep", "move it up"))
        else:
            stack.append(iter(_entries(path, found)))
    elif stat.S_ISREG(status.st_mode):
        found.files.append(Found(path, inside, root, _stamp(status)))


def _entries(folder: Path, found: Walk) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as problem:
        found.problems.append(_error(folder, f"it cannot be listed: {_why(problem)}", "check its rights"))
        return []


def _inside(path: Path, root: Path) -> bool:
    return path.is_relative_to(root.resolve())


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_mtime_ns, status.st_size


def _why(problem: Exception) -> str:
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem)


def _error(path: Path, reason: str, mend: str) -> Problem:
    return Problem(printable(path), 1, reason, mend, "error")


def printable(path: Path) -> str:
    """A path as it may be shown: control characters and bytes that are no text are escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(path))
