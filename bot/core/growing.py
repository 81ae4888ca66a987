"""What people may see of a reply that is still being written."""

from __future__ import annotations

from typing import Literal

from bot.core.documents.brief import text_of
from bot.core.shapes import DELIMITER, MARK, may_be
from bot.core.steps import Shape
from bot.core.tables import Tables
from bot.core.text import most_settled, settled
from bot.core.voices import Names, Voices

_ENDS = ("\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
"""What `str.splitlines` takes for the end of a line, but for the carriage return that a newline may follow."""


class GrowingReply:
    """A reply as it comes in, and what of it may be shown: always a prefix of the first piece of its post.

    The post is `shapes.shown` of the whole reply, so of a silent one nothing; a text that is proposed has `head` above
    it, and is what the host makes of it by `brief`.

    Every line is read once. The line that still grows is looked at with each `shown`, but never more of it than may be
    shown, and nothing at all once no more may be: what lies behind half a piece stays unread.
    """

    def __init__(
        self, names: Names, limit: int, *, tables: bool, shape: Shape = "talk", head: str = "", brief: str = ""
    ) -> None:
        """`limit` is the longest piece of the platform, `tables` whether it shows Markdown tables itself."""
        self._voices = Voices(names)
        self._tables = None if tables else Tables()
        self._limit, self._most = limit, most_settled(limit)
        self._new: list[str] = []
        self._line = ""
        self._certain = ""
        self._shown = ""
        self._has_begun = False
        self.is_full = shape == "silent"
        self._head, self._brief = head, brief
        self._kind: Literal["words", "text", "either"] = "words"
        if shape in ("draft", "redraft"):
            self._kind = "text" if shape == "draft" else "either"
        self._ends: tuple[str, ...] = (MARK, DELIMITER) if shape in ("redraft", "finding") else ()
        self._text = self._made = ""
        self._is_over = False
        if self._kind == "text":
            self._propose()

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

    def _propose(self) -> None:
        """From here on it is a text that is proposed."""
        self._kind, self._ends = "text", (DELIMITER,)
        self._certain = self._head

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
        if self._kind != "words":
            lines = self._without_mark(lines)
        at = next((at for at, line in enumerate(lines) if line.strip() in self._ends), None)
        if at is not None:
            self._is_over, self._line, lines = True, "", lines[:at]
        if self._kind == "text":
            self._take_text(lines)
        elif lines:
            said = self._without_margin("".join([self._voices.line(line) for line in lines]))
            self._has_begun = self._has_begun or bool(said)
            self._certain += self._tables.add(said) if self._tables else said

    def _without_mark(self, lines: list[str]) -> list[str]:
        """Without the line that may stand above a text; where it has to, its first line tells whether it is one."""
        first = next((at for at, line in enumerate(lines) if line.strip()), None)
        if first is None or self._text.strip():
            return lines
        marked = lines[first].strip() == MARK
        if self._kind == "either":
            if not marked:
                self._kind = "words"
                return lines
            self._propose()
        return lines[first + 1 :] if marked else lines

    def _take_text(self, lines: list[str]) -> None:
        """Make of the text so far what the host makes of it. That is little: no more than may be shown."""
        self._text += "".join(lines)
        made = text_of(self._brief, self._text, done=False)
        if self._brief:
            made = made[: made.rfind("\n") + 1]
        said = self._without_margin(made[len(self._made) :])
        self._has_begun = self._has_begun or bool(said)
        self._made = made
        self._certain += self._tables.add(said) if self._tables else said

    def _uncertain(self) -> str:
        """What may be shown of the line that has not ended."""
        line = self._line[: self._limit]
        if self._kind == "either" or may_be(line, *self._ends) or (self._kind == "text" and self._is_held(line)):
            line = ""
        said = self._without_margin(self._voices.growing(line) if self._kind == "words" else line)
        return self._tables.growing(said) if self._tables else said

    def _is_held(self, line: str) -> bool:
        """Whether nothing of a text's line may be shown before it has ended."""
        return bool(self._brief) or (not self._text.strip() and may_be(line, MARK))

    def _without_margin(self, said: str) -> str:
        """Without the white space that no post begins with."""
        return said if self._has_begun else said.lstrip()
