"""Where a document is kept: a template's file name checked and filled.

What a path may be is said in `bot/core/paths.py`; here is why one is none, in words for the author of a template, and a
little less is taken: no names that other systems read otherwise (`~`, `c:`, a dot at the end).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.core.paths import LONGEST, PathError, checked
from bot.personas.naming import slug

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
    if len(path) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if path.startswith(("/", "~")) or "\\" in path or re.match(r"[A-Za-z]:", path):
        return "is not relative"
    if any(part in ("..", ".") for part in parts):
        return "leads through `.` or `..`"
    if any(not part.strip() for part in parts):
        return "has a folder or a file without a name"
    if any(part != part.strip() or part.endswith(".") for part in parts):
        return "has a name that begins or ends with a space, or ends with a dot"
    if not path.isprintable():
        return "has control or invisible characters"
    try:
        return "" if checked(path) == path else "is not in Unicode's form C"
    except PathError:
        return "has a sign that no path may have"


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
