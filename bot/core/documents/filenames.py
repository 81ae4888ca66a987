"""Where a document is kept: a template's file name checked and filled.

A path is relative to the channel's documents, with `/` between folders, in Unicode's form C, without control
characters, and never leads out of the folder. Paths are compared without case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from bot.personas.naming import slug

MAX_PATH = 200
"""Longest path, in characters."""

PLACEHOLDER = re.compile(r"\{\{\s*([^{}\n]{1,200}?)\s*\}\}")
"""`{{name}}`; the name is whatever stands between the braces, on one line."""


def placeholders(text: str) -> tuple[str, ...]:
    """The names of all placeholders of a text, each once, in the order in which they first stand."""
    return tuple(dict.fromkeys(PLACEHOLDER.findall(text)))


def flaw_of_path(path: str) -> str:
    """What is wrong with a path, to be read behind "the path X"; empty where nothing is."""
    parts = path.split("/")
    if not path.strip():
        return "is empty"
    if len(path) > MAX_PATH:
        return f"is longer than {MAX_PATH} characters"
    if path.startswith(("/", "~")) or "\\" in path or re.match(r"[A-Za-z]:", path):
        return "is not relative"
    if any(part in ("..", ".") for part in parts):
        return "leads through `.` or `..`"
    if any(not part.strip() for part in parts):
        return "has a folder or a file without a name"
    if any(part != part.strip() or part.endswith(".") for part in parts):
        return "has a name that begins or ends with a space, or ends with a dot"
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in path):
        return "has control or invisible characters"
    if unicodedata.normalize("NFC", path) != path:
        return "is not in Unicode's form C"
    return ""


def flaw_of_filename(filename: str) -> str:
    """What is wrong with a template's file name, whatever its placeholders stand for; empty where nothing is."""
    if flaw := flaw_of_path(PLACEHOLDER.sub("x", filename)):
        return flaw
    return "has braces that do not belong together" if "{{" in PLACEHOLDER.sub("", filename) else ""


def filled_filename(filename: str, facts: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The path with its placeholders filled, and the names of those without a fact, which stand as they were.

    A fact becomes one part of a name: signs that are no letters, digits or dots turn into hyphens, so that no fact
    opens a folder. Raises ValueError where the path that comes of it is none.
    """
    missing: list[str] = []

    def put(found: re.Match[str]) -> str:
        said = _part(facts.get(found[1], ""))
        if not said:
            missing.append(found[1])
            return found[0]
        return said

    path = PLACEHOLDER.sub(put, filename)
    if not missing and (flaw := flaw_of_path(path)):
        raise ValueError(f"the path {path!r} {flaw}")
    return path, tuple(dict.fromkeys(missing))


def _part(fact: str) -> str:
    """`1.10` stays what it is, `Walking skeleton` becomes `walking-skeleton`."""
    return ".".join(part for piece in fact.split(".") if (part := slug(piece)))
