"""Markdown's inline markup taken off, for places that show text as it is."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from html import unescape

_TOKEN = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|!?\[(?P<text>[^\[\]]*)\]\([ ]*+<?(?P<url>[^\s()<>]*+(?:\([^\s()<>]*+\)[^\s()<>]*+)*+)>?"
    r"(?:[ ]++\"[^\"]*\")?[ ]*+\)"
    r"|<(?P<address>[a-z][a-z0-9+.-]{1,31}:[^\s<>]*|[^\s<>@]+@[^\s<>@]+)>"
    r"|(?P<broken><br[ ]*/?>)"
    r"|(?P<entity>&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});)"
    r"|(?P<run>\*+|_+|~~)",
    re.IGNORECASE,
)
_TICKS = re.compile("`+")


@dataclass(slots=True)
class _Run:
    """A run of `*`, `_` or `~~` in a text, of which `left` have found no partner yet."""

    place: int
    mark: str
    left: int
    opens: bool
    closes: bool


def plain(markdown: str) -> str:
    """One line of Markdown as people read it, with the addresses of links in brackets behind their words.

    Emphasis, code marks, escapes and entities are read as CommonMark does (0.31, chapter 6), but that marks of
    different kinds may overlap. Takes time linear in the length of the text.
    """
    parts: list[str] = []
    runs: list[_Run] = []
    position = 0
    for start, end, code in _code_spans(markdown):
        _read(markdown, position, start, parts, runs)
        parts.append(code)
        position = end
    _read(markdown, position, len(markdown), parts, runs)
    _pair(runs, parts)
    return "".join(parts)


def _code_spans(text: str) -> list[tuple[int, int, str]]:
    """Where code spans begin and end, and what is in them."""
    ticks = [found.span() for found in _TICKS.finditer(text)]
    later: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for start, end in reversed(ticks):
        later[end - start].append((start, end))
    spans: list[tuple[int, int, str]] = []
    behind = 0
    for start, end in ticks:
        same = later[end - start]
        while same and same[-1][0] <= start:
            same.pop()
        if start < behind or not same or _is_escaped(text, start):
            continue
        behind = same[-1][1]
        code = text[end : same[-1][0]]
        spaced = code.strip() and code[0] == code[-1] == " "
        spans.append((start, behind, code[1:-1] if spaced else code))
    return spans


def _is_escaped(text: str, at: int) -> bool:
    before = text[max(0, at - 1) : at]
    return before == "\\" and text[max(0, at - 2) : at - 1] != "\\"


def _read(text: str, start: int, end: int, parts: list[str], runs: list[_Run]) -> None:
    """Append the parts of a stretch without code; a run of marks is a part of its own, noted in `runs`."""
    for found in _TOKEN.finditer(text, start, end):
        parts.append(text[start : found.start()])
        start = found.end()
        match found.lastgroup:
            case "url" if found["text"].strip():
                _read(text, *found.span("text"), parts, runs)
                url = unescape(found["url"])
                parts.append(f" ({url})" if url and url != found["text"] else "")
            case "run":
                before, after = text[max(0, found.start() - 1) : found.start()], text[found.end() : found.end() + 1]
                _note(found["run"], before, after, len(parts), runs)
                parts.append(found["run"])
            case "broken":
                parts.append(" ")
            case "escaped":
                parts.append(found["escaped"])
            case "address":
                parts.append(found["address"])
            case _:
                parts.append(unescape(found["entity"] or found["url"]))
    parts.append(text[start:end])


def _note(marks: str, before: str, after: str, place: int, runs: list[_Run]) -> None:
    opens, closes = bool(after) and not after.isspace(), bool(before) and not before.isspace()
    if marks[0] == "_":
        opens, closes = opens and not before.isalnum(), closes and not after.isalnum()
    runs.append(_Run(place, marks[0], len(marks), opens, closes))


def _pair(runs: list[_Run], parts: list[str]) -> None:
    """Take marks that open and close an emphasis out of `parts`."""
    opened: dict[str, list[_Run]] = defaultdict(list)
    for run in runs:
        before = opened[run.mark]
        while run.closes and run.left and before:
            both = min(run.left, before[-1].left)
            run.left -= both
            before[-1].left -= both
            if not before[-1].left:
                before.pop()
        if run.opens and run.left:
            before.append(run)
    for run in runs:
        parts[run.place] = run.mark * run.left
