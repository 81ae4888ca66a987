"""Paths of documents: what is one, and which two are the same."""

from __future__ import annotations

import unicodedata

LONGEST = 200
"""Most characters of a path."""


class PathError(ValueError):
    """This is no path of a document; the text says why, for people."""


def checked(path: str) -> str:
    """The path as documents are kept under it: relative, in Unicode form NFC. Raises PathError.

    Folders are parted by `/`. There is no `.`, `..` or empty part, and nothing that cannot be seen.
    """
    found = unicodedata.normalize("NFC", path.strip())
    if not found:
        raise PathError("A document needs a path, such as `docs/prd.md`.")
    if len(found) > LONGEST:
        raise PathError(f"This path has {len(found)} characters; {LONGEST} is the most.")
    shown = "".join(c if c.isprintable() else "?" for c in found).replace("`", "'")
    if not all(c.isprintable() for c in found):
        raise PathError(f"The path `{shown}` has characters that cannot be seen. Type it anew.")
    if found.startswith("/"):
        raise PathError(f"The path `{shown}` has to be relative: write `{shown.strip('/')}`.")
    if "\\" in found or "`" in found:
        raise PathError(f"The path `{shown}` has a backslash or a backquote; folders are parted by `/`.")
    for part in found.split("/"):
        if part in ("", ".", "..") or part != part.strip():
            raise PathError(f"The path `{shown}` has an empty part, `.` or `..`, or a space beside a `/`.")
    return found


def folded(path: str) -> str:
    """What two paths have in common that differ in case alone."""
    decomposed = unicodedata.normalize("NFD", path)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", decomposed.casefold()).casefold())


def is_path(path: str) -> bool:
    """Whether a document can stand there."""
    try:
        checked(path)
    except PathError:
        return False
    return True
