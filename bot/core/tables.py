"""Markdown tables for platforms that show none: as code with aligned columns, or, where they are wide, as lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wcwidth import wcswidth

from bot.core.fences import Fence, fence_after
from bot.core.inline import plain

WIDEST = 100
"""A table of more columns of a monospaced letter than this becomes a list: windows would break its lines."""

REACH = 40
"""The first pipe of a table's header is among so many characters of its line.

So a preview knows after these that a line of prose heads no table, and need not wait for the next line.
"""

SWOLLEN = 8
"""A list that would be so many times as long as its table is not made: then the headers are longer than the rest."""

STRETCH = 4_000
"""Characters of a text that are read in one go where its end may not be needed."""

_GAP = "  "
_LEAD = re.compile(r"(?P<lead>[ \t]*+(?:>[ \t]*+)*+)(?P<item>(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*+)")
_HEADING = re.compile(r"#{1,6}(?:\s|$)")
_PIPE = re.compile(r"\\.|\|")
_ALIGNMENT = re.compile(r":?-++:?")
_NOT_OF_A_RULE = re.compile(r"[^\s>|:\-]")
_BREAK = re.compile(r"<br[ ]*+/?>", re.IGNORECASE)
_TICKS = re.compile("``(?=`)")
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)), " ")


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as it is written: what its lines begin with, its cells in Markdown, and how its columns are aligned.

    No row has more cells than `alignments`; it may have fewer.
    """

    lead: str
    item: str
    header: tuple[str, ...]
    alignments: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    source: tuple[str, ...]


def as_code(markdown: str, *, finished: bool) -> str:
    """`markdown` with every table of GitHub's kind as a block of code, or as a list where it is wider than `WIDEST`.

    A table ends where a line has no pipe, and cells beyond its columns are kept in the last one. What is in code
    fences stays as it is, and so does a text without tables. With `finished` false, text from where a table may have
    begun is held back, so that what is given for a part is always a prefix of what is given for the whole.
    """
    if "|" in markdown:
        tables = Tables()
        whole = tables.add(markdown)
        return whole + (tables.end() if finished else tables.growing(""))
    last = markdown.rfind("\n") + 1
    return markdown if finished or len(markdown) - last >= REACH else markdown[:last]


def drawn(markdown: str) -> Iterator[str]:
    """`as_code` of a finished text, a stretch at a time, for whoever needs only its beginning."""
    tables = Tables()
    for start in range(0, len(markdown), STRETCH):
        yield tables.add(markdown[start : start + STRETCH])
    yield tables.end()


class Tables:
    """Reads a text as it comes in and gives it with its tables as code; see `as_code`. Every line is read once."""

    def __init__(self) -> None:
        self._fence: Fence | None = None
        self._header = ""
        self._rows: list[str] = []
        self._open: list[str] = []

    def add(self, text: str) -> str:
        """Take what has come, and give what is certain now and was not given before."""
        ended, newline, rest = text.rpartition("\n")
        if not newline:
            self._open.append(text)
            return ""
        lines = "".join((*self._open, ended)).split("\n")
        self._open = [rest]
        return "".join([self._line(line + "\n") for line in lines])

    def growing(self, tail: str) -> str:
        """What may be shown behind what `add` has given, where `tail` has come too but is not certain; takes nothing.

        A beginning of `tail` is as good as all of it that has come: what is given is then a beginning too.
        """
        line = "".join((*self._open, tail))
        if self._rows or (self._header and not _NOT_OF_A_RULE.search(line)):
            return ""
        return self._header + (line if len(line) >= REACH and "|" not in line[:REACH] else "")

    def end(self) -> str:
        """The rest, as no more will come."""
        last = "".join(self._open)
        shown = (self._line(last) if last else "") + self._header
        if self._rows:
            shown += _shown(_table(self._rows), "", self._rows[-1].endswith("\n"))
        self._header, self._rows, self._open = "", [], []
        return shown

    def _line(self, line: str) -> str:
        """What is certain with this line: the line itself, and what was held back above it."""
        before = ""
        if self._rows:
            if _is_row(line, _quotes(self._rows[0])):
                self._rows.append(line)
                return ""
            before, self._rows = _shown(_table(self._rows), line, True), []
        elif self._header:
            if _is_rule(self._header, line):
                self._header, self._rows, self._fence = "", [self._header, line], None
                return ""
            before, self._header = self._header, ""
            self._fence = fence_after(self._fence, before)
        is_code = self._fence is not None and self._fence.holds(line)
        if not is_code and _may_head(line):
            self._header = line
            return before
        self._fence = fence_after(self._fence, line)
        return before + line


# ---------------------------------------------------------------- reading


def _may_head(line: str) -> bool:
    """Whether a table may begin with `line`: the next one decides."""
    if "|" not in line[:REACH]:
        return False
    return not _HEADING.match(line, _parted(line).end()) and fence_after(None, line) is None


def _is_rule(header: str, line: str) -> bool:
    """Whether `line` is what stands below the header of a table, with as many cells; a line of dashes is none."""
    above, found = _parted(header), _parted(line)
    body = line[found.end() :]
    if found["item"] or found["lead"].count(">") != above["lead"].count(">") or not {"|", ":"} & set(body):
        return False
    cells = _cells(body)
    return all(map(_ALIGNMENT.fullmatch, cells)) and len(cells) == len(_cells(header[above.end() :]))


def _is_row(line: str, quotes: int) -> bool:
    if "|" not in line:
        return False
    found = _parted(line)
    if found["item"] or found["lead"].count(">") != quotes:
        return False
    return not _HEADING.match(line[found.end() :]) and fence_after(None, line) is None


def _quotes(line: str) -> int:
    return _parted(line)["lead"].count(">")


def _parted(line: str) -> re.Match[str]:
    """What a line begins with: indentation and quotes, then the marks of a list."""
    return next(_LEAD.finditer(line))


def _cells(body: str) -> tuple[str, ...]:
    """The cells of a row, in Markdown; an escaped pipe is one again."""
    body = body.strip().removeprefix("|")
    cells: list[str] = []
    start = 0
    for found in _PIPE.finditer(body):
        if found[0] == "|":
            cells.append(body[start : found.start()])
            start = found.end()
    if body[start:].strip() or not cells:
        cells.append(body[start:])
    return tuple(cell.strip().replace("\\|", "|") for cell in cells)


def _table(lines: list[str]) -> _Table:
    above = _parted(lines[0])
    bodies = tuple(line[_parted(line).end() :] for line in lines)
    alignments = _cells(bodies[1])
    last = len(alignments) - 1
    rows = (_cells(body) for body in bodies[2:])
    kept = tuple((*row[:last], " | ".join(row[last:])) if len(row) > last else row for row in rows)
    return _Table(above["lead"], above["item"], _cells(bodies[0]), alignments, kept, bodies)


# ---------------------------------------------------------------- showing


def _shown(table: _Table, below: str, has_end: bool) -> str:
    """What takes the table's place; `below` is the line under it, `has_end` whether its own last line is ended."""
    lines = _aligned(table)
    if lines is None and (lines := _listed(table)) and below.strip():
        lines.append("")
    lines = lines or _as_written(table)
    first, further = table.lead + table.item, table.lead + " " * len(table.item)
    shown = [((further if number else first) + line).rstrip() for number, line in enumerate(lines)]
    return "\n".join(shown) + ("\n" if has_end else "")


def _aligned(table: _Table) -> list[str] | None:
    """The table as code; None where it is too wide."""
    columns = len(table.alignments)
    if (columns - 1) * len(_GAP) > WIDEST:
        return None
    header = [_bare(cell) for cell in table.header]
    rows = [[_bare(cell) for cell in row] for row in table.rows]
    widths = [0] * columns
    for row in (header, *rows):
        for column, cell in enumerate(row):
            widths[column] = max(widths[column], wcswidth(cell))
    if sum(widths) + (columns - 1) * len(_GAP) > WIDEST:
        return None
    if any(header):
        rows = [header, ["-" * width for width in widths], *rows]
    drawn = (
        _GAP.join(_padded(cell, width, mark) for cell, width, mark in zip(row, widths, table.alignments, strict=False))
        for row in rows
    )
    return ["```", *(line.rstrip() for line in drawn), "```"]


def _bare(cell: str) -> str:
    """A cell as it stands in code: without markup and controls, and with nothing that would close the fence."""
    return _TICKS.sub("``\u200b", " ".join(plain(cell).translate(_CONTROLS).split()))


def _padded(cell: str, width: int, alignment: str) -> str:
    room = width - wcswidth(cell)
    match alignment.startswith(":"), alignment.endswith(":"):
        case True, True:
            before = room // 2
        case False, True:
            before = room
        case _:
            before = 0
    return " " * before + cell + " " * (room - before)


def _listed(table: _Table) -> list[str] | None:
    """The table as a list, an item a row with its cells below it; None where headers would make it swell."""
    labels = [_BREAK.sub(" ", cell).rstrip(": ") for cell in table.header]
    room = SWOLLEN * sum(map(len, table.source))
    found: list[str] = []
    for row in table.rows:
        pairs = [(label, _BREAK.sub(" ", cell)) for label, cell in zip(labels, row, strict=False) if cell]
        said = [f"{label}: {cell}" if label else cell for label, cell in pairs]
        room -= sum(map(len, said))
        if room < 0:
            return None
        found += [f"  - {line}" if number else f"- {line}" for number, line in enumerate(said)]
    return found or [f"- {label}" for label in labels if label]


def _as_written(table: _Table) -> list[str]:
    return ["```", *(_TICKS.sub("``\u200b", line.strip()) for line in table.source), "```"]
