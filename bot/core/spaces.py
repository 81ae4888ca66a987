"""Documents of a channel: what is told of them, whose they are, and how much there may be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.model import Conversation

DOCUMENT_BYTES = 512 * 1024
"""Most bytes of a version: its text in UTF-8, and as many again of what goes with it."""

DOCUMENTS = 500
"""Most documents of a space."""

SPACE_BYTES = 64 * 1024 * 1024
"""Most bytes of a space: all versions of all documents."""

NEARLY = 0.9
"""People are told how full a space is from this share on."""


def space_of(conversation: Conversation) -> str:
    """The space whose documents a conversation sees: a channel's, which its threads share; a DM has its own."""
    return (conversation.parent or conversation).key


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document as lists show it. `version` is its newest; `size` that one's bytes; `at` when it was written.

    `by` is who wrote it, and `approved_by` who approved it: names as people know them.
    """

    path: str
    version: int
    title: str = ""
    size: int = 0
    at: float = 0.0
    by: str = ""
    approved_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a document; `path` is the one that it was written under, `meta` the JSON text that goes with it."""

    version: int
    path: str = ""
    size: int = 0
    at: float = 0.0
    by: str = ""
    approved_by: tuple[str, ...] = ()
    meta: str = "{}"


@dataclass(frozen=True, slots=True)
class About:
    """What the `meta` of a version says of all of it."""

    title: str = ""
    by: str = ""
    approved_by: tuple[str, ...] = ()


def about(meta: str) -> About:
    """What `meta` says: `title`, `by` and the list `approved_by`; a person there is a name or `{"user", "name"}`.

    What is of another shape is left out.
    """
    try:
        value = json.loads(meta)
    except (ValueError, RecursionError):
        return About()
    if not isinstance(value, dict):
        return About()
    title, approved = value.get("title"), value.get("approved_by")
    names = tuple(_name(one) for one in approved) if isinstance(approved, list) else (_name(approved),)
    return About(title if isinstance(title, str) else "", _name(value.get("by")), tuple(n for n in names if n))


def _name(value: Any) -> str:
    """A person's name, however `meta` has it."""
    named = value.get("name") if isinstance(value, dict) else value
    return named if isinstance(named, str) else ""


def joined(parts: Sequence[str]) -> str:
    """The text of a document of these parts: one blank line between two of them, else byte for byte."""
    text = ""
    for part in parts:
        text = f"{text.rstrip(chr(10))}\n\n{part.lstrip(chr(10))}" if text else part
    return text


def size_of(text: str, meta: str) -> int:
    """The bytes that a version takes. Raises UnicodeEncodeError for half a surrogate pair."""
    return len(text.encode()) + len(meta.encode())


# ---------------------------------------------------------------- what is told


def too_long(path: str, size: int) -> str:
    """A document that is too long."""
    return f"`{path}` would have {in_bytes(size)}; a document has {in_bytes(DOCUMENT_BYTES)} at most. Part it in two."


def too_many() -> str:
    """A space with as many documents as may be."""
    return f"There are {DOCUMENTS} documents here already, which is the most. `*docs delete PATH` makes room."


def too_full(used: int) -> str:
    """A space with as many bytes as may be."""
    return (
        f"The documents here take {in_bytes(used)} of {in_bytes(SPACE_BYTES)}, with all their versions: there is no "
        "room for this one. `*docs delete PATH` makes room."
    )


def taken(path: str) -> str:
    """A path at which another document stands."""
    return f"A document stands at `{path}` already."


def unwritable(path: str) -> str:
    """A text that no file can hold."""
    return f"`{path}` cannot be saved: its text has broken characters (half a surrogate pair)."


def near(used: int) -> str:
    """A line where a space is nearly full, else nothing."""
    if used < NEARLY * SPACE_BYTES:
        return ""
    return f"The documents here take {in_bytes(used)} of {in_bytes(SPACE_BYTES)}. `*docs delete PATH` makes room."


def in_bytes(size: int) -> str:
    """So many bytes, in words: `800 bytes`, `12 KB`, `3.5 MB`."""
    if size < 1024:
        return f"{size} bytes"
    return f"{size / 1024:.0f} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"


def ago(seconds: float) -> str:
    """So long ago, in words: `just now`, `5 minutes ago`, `2 days ago`."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
