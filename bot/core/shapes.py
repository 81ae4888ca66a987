"""What becomes of a model's words on the way to people, by the shape that they were asked for in.

What is proposed stands between two lines of their own: words, then `MARK`, then the text, then `DELIMITER`, then why it
is so. In a first draft there are no words before it, so `MARK` may be left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from bot.core.documents.brief import text_of
from bot.core.steps import Shape
from bot.core.voices import Names, quoted

MARK = "=== text ==="
"""The line below which a proposed text begins. It counts where it stands alone on its line."""

DELIMITER = "=== why ==="
"""The line that parts a proposed text from words about it."""


@dataclass(frozen=True, slots=True)
class Parted:
    """A reply in its parts: words, the text that it proposes (None: none), and why the text is so.

    `unmarked`: nothing but `DELIMITER` tells that there is a text, so its beginning was watched as words.
    """

    words: str
    text: str | None = None
    why: str = ""
    unmarked: bool = False


def shown(shape: Shape, text: str, names: Names, brief: str = "") -> str:
    """What people see of the finished `text`; `growing.GrowingReply` shows beginnings of that while it comes."""
    match shape:
        case "talk":
            return quoted(text, names).markdown
        case "draft":
            # What is proposed is what is kept, byte for byte.
            return text_of(brief, parted(shape, text).text or "")
        case "redraft" | "finding":
            found = parted(shape, text)
            if shape == "redraft" and found.text is not None and not found.words:
                return text_of(brief, found.text)
            return quoted(found.words, names).markdown
        case "silent":
            return ""
        case _:
            assert_never(shape)


def parted(shape: Shape, text: str) -> Parted:
    """The parts of a reply of that shape."""
    above, below = _cut(text, MARK)
    if shape == "draft":
        proposed, why = _cut(text if above.strip() or below is None else below, DELIMITER)
        return Parted("", proposed.strip("\n"), (why or "").strip())
    if below is None:
        proposed, why = _cut(text, DELIMITER)
        if why is None:
            return Parted(text.strip())
        return Parted(proposed.strip(), proposed.strip("\n"), why.strip(), unmarked=True)
    proposed, why = _cut(below, DELIMITER)
    return Parted(above.strip(), proposed.strip("\n"), (why or "").strip())


def _cut(text: str, line: str) -> tuple[str, str | None]:
    """What stands before and behind the first such line; None where there is none."""
    lines = text.splitlines(keepends=True)
    at = next((at for at, written in enumerate(lines) if written.strip() == line), None)
    return (text, None) if at is None else ("".join(lines[:at]), "".join(lines[at + 1 :]))


def may_be(line: str, *marks: str) -> bool:
    """Whether a line that still grows could become one of these."""
    return any(mark.startswith(line.strip()) for mark in marks)
