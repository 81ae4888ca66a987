"""Patterns of paths, as `library.include` and `library.exclude` have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a library count: those that an `include` fits, all of them without any, and no `exclude` does.

    `*` and `?` stay within a name, `**` crosses folders. A pattern without a slash fits a file's name or that of any
    folder on its way; one with a slash fits the path below the library's folder, or a folder on that path.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def keeps(self, inside: PurePosixPath) -> bool:
        """Whether the file counts."""
        return (not self.include or _fits(inside, self.include)) and not self.drops(inside)

    def drops(self, inside: PurePosixPath) -> bool:
        """Whether an `exclude` fits this file or folder."""
        return _fits(inside, self.exclude)


def _fits(inside: PurePosixPath, patterns: Sequence[str]) -> bool:
    if not patterns:
        return False
    paths = [str(inside), *(str(parent) for parent in inside.parents if parent.parts)]
    return any(
        any(_compiled(pattern).fullmatch(text) for text in (paths if "/" in pattern.strip("/") else inside.parts))
        for pattern in patterns
    )


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    wanted = pattern.removeprefix("./").strip("/")
    out = ""
    for part in re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", wanted):
        match part:
            case "**/":
                out += "(?:.*/)?"
            case "/**":
                out += "(?:/.*)?"
            case "**":
                out += ".*"
            case "*":
                out += "[^/]*"
            case "?":
                out += "[^/]"
            case _:
                out += re.escape(part)
    return re.compile(out)
