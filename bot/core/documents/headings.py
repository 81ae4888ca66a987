"""Headings in a Markdown text, line by line: found outside code, matched with a template's titles, moved in level."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.documents.definition import Section
from bot.core.documents.filenames import PLACEHOLDER
from bot.core.documents.filling import ALTERNATIVES
from bot.core.fences import Fence, fence_after

DEEPEST = 6
"""Markdown has so many levels of headings."""

LONGEST = 200
"""A longer line is no title of a template, in characters."""

MOST_VARIABLES = 3
"""So many placeholders of a title are compared; what follows them may be anything."""

_VARIABLE = re.compile(f"{PLACEHOLDER.pattern}|{ALTERNATIVES.pattern}")
_NUMBERED = r"(?:\d+(?:\.\d+)*[.)]?\s+)?"
_HEADING = re.compile(r"^ {0,3}(?P<marks>#{1,6})(?:[ \t]+(?P<title>.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r"^ {0,3}(?:=+|-+)[ \t]*$")
_NO_PARAGRAPH = re.compile(r"^(?:\s*$|\s*(?:[-*+]|\d+[.)])\s|\s*>|\s*\||    |\t| {0,3}#{1,6}(?:\s|$))")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text, without its end. `level` is that of a heading, 0 for all else; `fence` is the fence open
    behind it, and `code` tells that it belongs to one."""

    text: str
    level: int = 0
    title: str = ""
    code: bool = False
    fence: Fence | None = None


def lines_of(text: str) -> Iterator[Line]:
    """The lines of a text, with headings known; `===` and `---` below a paragraph make its line none."""
    fence: Fence | None = None
    for line in text.split("\n"):
        before, fence = fence, fence_after(fence, line)
        if before or fence:
            yield Line(line, code=True, fence=fence)
            continue
        found = _HEADING.match(line)
        if found is None:
            yield Line(line)
        else:
            yield Line(line, len(found["marks"]), (found["title"] or "").strip())


def underlined(text: str) -> tuple[str, ...]:
    """The paragraphs that `===` or `---` below them makes headings."""
    found: list[str] = []
    above = ""
    for line in lines_of(text):
        if not line.code and above and _UNDERLINE.match(line.text) and not _NO_PARAGRAPH.match(above):
            found.append(above.strip())
        above = "" if line.code else line.text
    return tuple(found)


def heading(level: int, title: str) -> str:
    """A heading of that level; titles deeper than Markdown reaches have its deepest."""
    return f"{'#' * min(level, DEEPEST)} {title}"


def is_titled(title: str, written: str) -> bool:
    """Whether a heading that somebody wrote is this title of a template, whatever its placeholders stand for."""
    if len(written) > LONGEST:
        return False
    pattern = "" if re.match(r"\d|\{\{", title) else _NUMBERED
    last = 0
    for number, found in enumerate(_VARIABLE.finditer(title)):
        pattern += _literal(title[last : found.start()])
        if number >= MOST_VARIABLES:
            return re.match(pattern, _bare(written), re.IGNORECASE) is not None
        options = found[2]
        pattern += ".+?" if options is None else f"(?:{'|'.join(map(_literal, options.split('|')))})"
        last = found.end()
    return re.fullmatch(pattern + _literal(title[last:]), _bare(written), re.IGNORECASE) is not None


def owner_of(sections: tuple[Section, ...], written: str) -> Section | None:
    """The first of the sections that has this heading; titles without placeholders are looked at first."""
    titled = [section for section in sections if section.title]
    exact = [section for section in titled if "{" not in section.title]
    loose = [section for section in titled if "{" in section.title and not is_open(section.title)]
    return next((section for section in (*exact, *loose) if is_titled(section.title, written)), None)


def is_open(title: str) -> bool:
    """Whether a title is nothing but placeholders, so that any heading would be it."""
    return not re.search(r"\w", ALTERNATIVES.sub("x", PLACEHOLDER.sub("", title)))


def _literal(text: str) -> str:
    return r"\s+".join(re.escape(word) for word in re.split(r"\s+", _marks(text)))


def _bare(text: str) -> str:
    """A heading without emphasis and a number of its own before it."""
    return " ".join(_marks(text).split())


def _marks(text: str) -> str:
    return re.sub(r"[*_`]", "", text)
