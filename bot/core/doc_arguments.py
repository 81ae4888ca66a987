"""What people type behind `*docs` and `*doc-out`: paths and numbers of versions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.core.model import FILE
from bot.core.spaces import DOCUMENT_BYTES


@dataclass(frozen=True, slots=True)
class Named:
    """A path as somebody typed it, with the numbers of versions behind it."""

    path: str
    versions: tuple[int, ...] = ()


def named(args: str) -> Named:
    """The path and at most two versions. A path with numbers or spaces at its end stands in quotes or backquotes."""
    found = re.fullmatch(r"""\s*(?:(["'`])(.+?)\1|(.*?))((?:\s+v?\d{1,9}){0,2})\s*""", args, re.DOTALL)
    if found is None:
        return Named(args.strip())
    path = (found[2] or found[3] or "").strip()
    return Named(path, tuple(int(number.lstrip("v")) for number in found[4].split()))


FORMS = ("md", "html", "docx")
"""What a document can be sent as."""

_SPOKEN = {"markdown": "md", "text": "md", "htm": "html", "word": "docx", "doc": "docx"}


def form_of(args: str) -> tuple[str, str]:
    """What stands before `as docx` and the like, and the form, by its usual name; md where none is named."""
    found = re.fullmatch(r"(.*?)(?:^|\s+)as\s+\.?([A-Za-z]{2,10})\s*", args, re.DOTALL | re.IGNORECASE)
    if found is None:
        return args, "md"
    form = found[2].casefold()
    return found[1], _SPOKEN.get(form, form)


def quoted(path: str) -> str:
    """The path as `named` reads it back."""
    return f'"{path}"' if re.search(r"\s", path) else path


def two_paths(args: str) -> tuple[str, str]:
    """The two paths of a renaming, parted by a space, or by `to` or an arrow; empty where there are not two."""
    found = re.fullmatch(r"""\s*(?:(["'`])(.+?)\1|(.+?))\s+(?:to\s+|->\s*)?(["'`]?)(\S+|.+)\4\s*""", args)
    parts = re.split(r"\s+(?:to|->)\s+", args.strip())
    if len(parts) == 2:
        return _bare(parts[0]), _bare(parts[1])
    return (_bare(found[2] or found[3]), _bare(found[5])) if found else ("", "")


def _bare(path: str) -> str:
    return path.strip().strip("\"'`")


def takes_files(text: str) -> bool:
    """Whether a message's files are to become a document."""
    return re.match(r"\s*[*/]docs\s+add\b", text, re.IGNORECASE) is not None


def room(text: str) -> int:
    """So many characters of a file are read, of a message with that text."""
    return DOCUMENT_BYTES if takes_files(text) else FILE
