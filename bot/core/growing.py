"""What people may see of a reply that is still being written."""

from __future__ import annotations

from bot.core.shapes import DELIMITER, may_be_delimiter
from bot.core.steps import Shape
from bot.core.tables import Tables
from bot.core.text import most_settled, settled
from bot.core.voices import Names, Voices

_ENDS = ("\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
"""What `str.splitlines` takes for the end of a line, but for the carriage return that a newline may follow."""


class GrowingReply:
    """A reply as it comes in, and what of it may be shown: always a prefix of the first piece of its post.

    The post is `head` and `shapes.shown` of the whole reply, so a draft is shown as it came, up to the line that parts
    it from words about it, and of a silent one nothing.

    Every line is read once. The line that still grows is looked at with each `shown`, but never more of it than may be
    shown, and nothing at all once no more may be: what lies behind half a piece stays unread.
    """

    def __init__(self, names: Names, limit: int, *, tables: bool, shape: Shape = "talk", head: str = "") -> None:
        """`limit` is the longest piece of the platform, `tables` whether it shows Markdown tables itself."""
        self._voices = Voices(names) if shape in ("talk", "finding") else None
        self._is_parted = shape in ("draft", "finding")
        self._is_over = False
        self._tables = None if tables else Tables()
        self._limit, self._most = limit, most_settled(limit)
        self._new: list[str] = []
        self._line = ""
        self._certain = head
        self._shown = ""
        self._has_begun = False
        self.is_full = shape == "silent"

    def add(self, piece: str) -> None:
        """Take the next piece of the reply."""
        if piece and not self.is_full and not self._is_over:
            self._new.append(piece)

    def shown(self) -> str:
        """What may be shown now; it begins with what this gave before."""
        if self._new and not self.is_full:
            self._read("".join(self._new))
            self._new.clear()
            text = self._certain + self._uncertain()
            self._shown = settled(text, self._limit, len(self._shown))
            self.is_full = len(text.lstrip("\n")) > self._most
        return self._shown

    def _read(self, text: str) -> None:
        """Take in the lines that have ended."""
        if self._line.endswith("\r"):  # a newline may still belong to it
            text, self._line = "\r" + text, self._line[:-1]
        lines = text.splitlines(keepends=True)
        growing = "" if lines[-1].endswith(_ENDS) else lines.pop()
        if not lines:
            self._line += growing
            return
        lines[0] = self._line + lines[0]
        self._line = growing
        if self._is_parted:
            at = next((at for at, line in enumerate(lines) if line.strip() == DELIMITER), None)
            if at is not None:
                self._is_over, self._line, lines = True, "", lines[:at]
        said = self._without_margin("".join([self._voices.line(line) for line in lines] if self._voices else lines))
        self._has_begun = self._has_begun or bool(said)
        self._certain += self._tables.add(said) if self._tables else said

    def _uncertain(self) -> str:
        """What may be shown of the line that has not ended."""
        line = self._line[: self._limit]
        if self._is_parted and may_be_delimiter(line):
            line = ""
        said = self._without_margin(self._voices.growing(line) if self._voices else line)
        return self._tables.growing(said) if self._tables else said

    def _without_margin(self, said: str) -> str:
        """Without the white space that no post begins with."""
        return said if self._has_begun else said.lstrip()
