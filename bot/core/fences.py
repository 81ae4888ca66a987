"""Code fences: where one is open, how it is closed, and how it is opened again in another message."""

from __future__ import annotations

import re
from dataclasses import dataclass

MARKS, QUOTES, INDENT = 8, 2, 12
"""Most marks, `>` and columns of indentation of a line that is taken for a fence: what has more is rather a drawing."""

LONGEST_CLOSING = len("\n") + QUOTES * len("> ") + INDENT + MARKS
"""The most characters that `Fence.closing` comes to."""

_OPENING = re.compile(
    r"(?P<lead>[ \t]*+(?:(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))[ \t]*+)*+)(?P<mark>`{3,}+|~{3,}+)(?P<info>[^\n]*)"
)
_QUOTED = (re.compile(r""), re.compile(r"[ \t]*>[ \t]?"), re.compile(r"[ \t]*>[ \t]*>[ \t]?"))
"""What a line begins with in a quote of that depth."""


@dataclass(frozen=True, slots=True)
class Fence:
    """An open code fence: its marks, what stands behind them, in how many quotes it is and how far indented.

    As CommonMark has it (0.31, section 4.5), but that it may be indented by any width: models write so within lists.
    """

    mark: str
    info: str = ""
    quotes: int = 0
    indent: int = 0

    @property
    def lead(self) -> str:
        """What its lines begin with."""
        return "> " * self.quotes

    def opening(self, most: int) -> str:
        """The line that opens it again, with its language where no more than `most` characters come of it."""
        named = f"{self.lead}{self.mark}{' '.join(self.info.split()[:1])}\n"
        return named if len(named) <= most else f"{self.lead}{self.mark}\n"

    def closing(self) -> str:
        """What closes it below its last line: as far indented as it is, or it would end with its list instead."""
        return f"\n{self.lead}{' ' * self.indent}{self.mark}"

    def holds(self, line: str) -> bool:
        """Whether `line` is still in its quote; where that ends, the fence ends with it."""
        return _QUOTED[self.quotes].match(line) is not None

    def is_closed_by(self, line: str) -> bool:
        """Whether `line`, which it holds, closes it."""
        if self.mark not in line:
            return False
        inner = _QUOTED[self.quotes].sub("", line, count=1)
        return set(inner.strip()) == {self.mark[0]} and len(_margin(inner)) <= self.indent + 3

    def dedented(self, text: str) -> str:
        """`text`, which begins within the fence, with the fence's lines moved to the margin.

        Once it is opened again it stands in no list any more, and its closing line must not be indented more than it.
        """
        if not self.indent:
            return text
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            quoted = _QUOTED[self.quotes].match(line)
            if quoted is None:
                break
            inner = line[quoted.end() :]
            lines[number] = quoted[0] + _margin(inner)[self.indent :] + inner.lstrip(" \t")
            if self.is_closed_by(line):
                break
        return "".join(lines)


def fence_after(fence: Fence | None, line: str) -> Fence | None:
    """The fence that is open behind `line`, given the one that is open before it; None where none is."""
    if fence is not None and fence.holds(line):
        return None if fence.is_closed_by(line) else fence
    found = _OPENING.match(line)
    if found is None:
        return None
    lead, mark, info = found["lead"], found["mark"], found["info"].strip()
    quotes = lead.count(">")
    indent = len((lead.rpartition(">")[2].removeprefix(" ") if quotes else lead).expandtabs(4))
    if len(mark) > MARKS or quotes > QUOTES or indent > INDENT or (mark[0] == "`" and "`" in info):
        return None
    return Fence(mark, info, quotes, indent)


def _margin(line: str) -> str:
    """The white space that `line` begins with, in spaces: a tab is as wide as four at most (CommonMark 0.31, 2.2)."""
    return line[: len(line) - len(line.lstrip(" \t"))].expandtabs(4)
