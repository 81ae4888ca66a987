"""Text on its way in and out: what is an emoji, what is another's line, and pieces that fit a platform."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from bot.personas.model import fold

_SHORTCODE = re.compile(r"<a?:\w+:\d+>|:[\w+-]+:")
_JOINERS = {"\u200d", "\ufe0f", "\ufe0e", "\u20e3"}
_LABEL_LENGTH = 80
"""Longest beginning of a line that can be a speaker's name, in characters."""


def is_emoji_only(text: str) -> bool:
    """Whether `text` is nothing but emoji: characters of the category So, or `:names:` as platforms write them."""
    rest = _SHORTCODE.sub("", text)
    marks = [c for c in rest if not c.isspace()]
    if not marks:
        return rest != text
    return all(unicodedata.category(c) in {"So", "Sk"} or c in _JOINERS for c in marks)


# ---------------------------------------------------------------- one voice a post


def own_words(text: str, own: Iterable[str], others: Iterable[str], *, finished: bool) -> str:
    """`text` without the passages in which somebody else speaks.

    A passage of another's begins with a line like `Mary: ...` (bold, an icon, brackets or a role behind the name make
    no difference) and ends at an empty line or where a name of `own` takes over; labels of `own` are taken off.
    Code fences are left alone. With `finished` false, the last line is held back while it could still become a name,
    so that what is shown of a part is always a prefix of what is shown of the whole.
    """
    mine = {fold(name) for name in own}
    theirs = {fold(name) for name in others} - mine - {""}
    kept = list(_kept(text, mine, theirs, finished))
    return "".join(kept).strip()


def _kept(text: str, mine: set[str], theirs: set[str], finished: bool) -> Iterator[str]:
    lines = text.splitlines(keepends=True)
    fenced = foreign = False
    for number, line in enumerate(lines):
        is_open = number == len(lines) - 1 and not finished and not line.endswith("\n")
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced:
            label, rest = _label(line)
            while label is not None and label in mine:
                foreign, line = False, rest
                label, rest = _label(line)
            if label in theirs:
                foreign = True
            elif foreign and not line.strip():
                foreign = False
                continue
            elif is_open and label is None and _may_become(line, mine | theirs):
                return
        elif is_open and foreign:
            return
        if not foreign:
            yield line


def _label(line: str) -> tuple[str | None, str]:
    """The folded name that `line` begins with, up to its colon, and what stands behind; (None, line) without one."""
    found = re.match(rf"([^:：\n]{{1,{_LABEL_LENGTH}}})[:：](.*)", line, re.DOTALL)
    if not found:
        return None, line
    return _bare(found[1]), found[2].lstrip("*_ ")


def _bare(label: str) -> str:
    """A label without its decoration: quote marks, bold, brackets, icons, and a role in brackets behind the name."""
    start = 0
    while start < len(label) and not label[start].isalnum() and label[start] not in "-+":
        start += 1
    return fold(re.split(r"[(\[{]", label[start:])[0].strip(" *_])}\"'"))


def _may_become(line: str, names: set[str]) -> bool:
    bare = _bare(line)
    return len(line) <= _LABEL_LENGTH and (not bare or any(name.startswith(bare) for name in names))


# ---------------------------------------------------------------- pieces


def pieces(markdown: str, limit: int) -> tuple[str, ...]:
    """`markdown` in pieces of at most `limit` characters, cut at paragraphs, else lines, else words.

    A code fence that is cut is closed at the end of its piece and opened again, with its language, in the next.
    Nothing is lost but white space at the cuts. `limit` is at least 40.
    """
    if limit < 40:
        raise ValueError(f"pieces of {limit} characters are too short to hold a fence")
    found: list[str] = []
    fence, rest = "", markdown.strip("\n")
    while True:
        opening = f"{fence}\n" if fence else ""
        if len(opening) + len(rest) <= limit:
            found.append(opening + rest)
            return tuple(found)
        cut = _cut(rest, _room(opening, limit))
        head, rest = rest[:cut], rest[cut:].lstrip("\n") if fence else rest[cut:].lstrip()
        fence = _fence_after(opening + head)
        found.append(opening + head.rstrip() + ("\n```" if fence else ""))
        if not rest:
            return tuple(found)


def settled(growing: str, limit: int) -> str:
    """What of a text that still grows will stand at the beginning of its first piece, however it goes on."""
    return growing[: _room("", limit) // 2].rstrip()


def _room(opening: str, limit: int) -> int:
    return limit - len(opening) - len("\n```")


def _cut(text: str, room: int) -> int:
    """Where to cut: never in the first half of the room, so that a preview may show that much."""
    for separator in ("\n\n", "\n", " "):
        at = text.rfind(separator, room // 2 + 1, room + 1)
        if at > 0:
            return at
    return room


def _fence_after(text: str) -> str:
    """The line that opened the fence which is still open at the end of `text`; empty where none is."""
    fence = ""
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fence = "" if fence else line.strip()
    return fence if len(fence) <= 24 else fence[:3]
