"""Text on its way in and out: what is an emoji, and pieces that fit a platform."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from wcwidth import iter_graphemes

from bot.core.fences import LONGEST_CLOSING, Fence, fence_after

_SHORTCODE = re.compile(r"<a?:\w+:\d+>|:[\w+-]+:")
_JOINERS = {"\u200d", "\ufe0f", "\ufe0e", "\u20e3"}


def is_emoji_only(text: str) -> bool:
    """Whether `text` is nothing but emoji: characters of the category So, or `:names:` as platforms write them."""
    rest = _SHORTCODE.sub("", text)
    marks = [c for c in rest if not c.isspace()]
    if not marks:
        return rest != text
    return all(unicodedata.category(c) in {"So", "Sk"} or c in _JOINERS for c in marks)


# ---------------------------------------------------------------- pieces

SHORTEST = 100
"""Pieces shorter than this could not hold a fence that is opened and closed in them, and something in it."""


def pieces(markdown: str, limit: int) -> tuple[str, ...]:
    """`markdown` in pieces of at most `limit` characters, cut at paragraphs, else lines, else words.

    A code fence that is cut is closed at the end of its piece and opened again, with its language and at the margin,
    in the next. A grapheme (what people see as one character: a flag, a family, a letter with its marks) stays whole,
    unless it alone is longer than half a piece. Nothing is lost but white space at the cuts and, of code in lists, its
    indentation. Raises ValueError where `limit` is less than `SHORTEST`.
    """
    return tuple(_torn(markdown, limit)) or ("",)


def beginning(markdown: str, limit: int, end: str) -> str:
    """What `pieces` begins with, or less of it, so that `end` fits below it; at least what `settled` shows.

    Raises ValueError where `end` would leave less than half of the piece.
    """
    if len(end) >= _room(limit) // 2:
        raise ValueError(f"an end of {len(end)} characters is too long for pieces of {limit}")
    return next(_torn(markdown, limit, end), end.lstrip())


def settled(growing: str, limit: int, known: int = 0) -> str:
    """What of a text that still grows will stand at the beginning of its first piece, however it goes on.

    Its last grapheme is held back, for the next character may still belong to it. `known` characters of it were
    settled before, and are not looked at again.
    """
    shown = growing.lstrip("\n")
    return shown[: _boundary(shown, min(most_settled(limit), len(shown) - 1), known)].rstrip()


def most_settled(limit: int) -> int:
    """The most characters that `settled` gives: half of what fits into a piece."""
    return _room(limit) // 2


def _room(limit: int) -> int:
    """So much of a piece is text where a fence may have to be closed below it; a preview counts on half of that."""
    if limit < SHORTEST:
        raise ValueError(f"pieces of {limit} characters are too short: at least {SHORTEST} are needed")
    return limit - LONGEST_CLOSING


def _torn(markdown: str, limit: int, end: str = "") -> Iterator[str]:
    """The pieces; with `end`, each leaves room for it and bears it."""
    widest = _room(limit)
    fence: Fence | None = None
    rest = markdown.strip("\n")
    while rest.strip():
        opening = fence.opening(limit // 4) if fence else ""
        if len(opening) + len(rest) + len(end) <= limit:
            yield opening + rest + end
            return
        least = (widest - len(opening)) // 2
        may_close = fence or any(mark in rest[:limit] for mark in ("```", "~~~"))
        room = (widest if may_close else limit) - len(opening) - len(end)
        cut = _before_opening(rest, fence, least, _cut(rest, least, room))
        head = rest[:cut].rstrip()
        rest = rest[len(head) :]
        fence = _fence_in(head, fence)
        if head:
            yield opening + head + (fence.closing() if fence else "") + end
        rest, fence = _reopened(rest, fence) if fence else (_stripped(rest), None)


def _cut(text: str, least: int, room: int) -> int:
    """Where to cut: behind `least`, the first half of the room, so that a preview may show that much."""
    for separator in ("\n\n", "\n", " "):
        at = text.rfind(separator, least + 1, room + 1)
        if at > 0:
            return at
    at = _boundary(text, room)
    return at if at > least else room


def _before_opening(text: str, fence: Fence | None, least: int, cut: int) -> int:
    """`cut`, or, where that is right below the line that opens a fence, before that line."""
    end = len(text[:cut].rstrip())
    at = text.rfind("\n", least + 1, end)
    opens = at > 0 and fence_after(None, text[at + 1 : end]) and not _fence_in(text[:at], fence)
    return at if opens else cut


def _fence_in(text: str, fence: Fence | None) -> Fence | None:
    """The fence that is open at the end of `text`, given the one at its beginning."""
    for line in text.split("\n"):
        fence = fence_after(fence, line)
    return fence


def _reopened(rest: str, fence: Fence) -> tuple[str, Fence | None]:
    """What is left of a text that was cut within `fence`, and the fence to open above it, if it goes on there."""
    space = rest[: len(rest) - len(rest.lstrip())]
    if "\n" not in space:
        return fence.dedented(fence.lead + _stripped(rest)), replace(fence, indent=0)
    rest = rest[space.rindex("\n") + 1 :]
    line, _, after = rest.partition("\n")
    if not fence.holds(line):
        return _stripped(rest), None
    if fence.is_closed_by(line):
        return _stripped(after), None
    return fence.dedented(rest), replace(fence, indent=0)


def _stripped(text: str) -> str:
    """`text` without the white space at its beginning, but for a space that bears marks."""
    at = len(text) - len(text.lstrip())
    bears_marks = 0 < at < len(text) and len(next(iter_graphemes(text[at - 1 : at + 1]))) > 1
    return text[at - 1 :] if bears_marks else text[at:]


def _boundary(text: str, at: int, known: int = 0) -> int:
    """The last place up to `at` where no grapheme is cut.

    Counted from `known`, where one begins, or from the beginning of the line, where one always does (Unicode, UAX #29,
    GB4): looking back from `at` by less than that takes flags and families in long rows apart.
    """
    if at <= 0 or (text[at - 1 : at + 1].isascii() and text[at - 1 : at + 1] != "\r\n"):
        return max(at, 0)
    found = max(text.rfind("\n", 0, at) + 1, known)
    for grapheme in iter_graphemes(text[found : at + 1]):
        if found + len(grapheme) > at:
            break
        found += len(grapheme)
    return found
