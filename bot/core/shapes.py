"""What becomes of a model's words on the way to people, by the shape that they were asked for in."""

from __future__ import annotations

from typing import assert_never

from bot.core.steps import Shape
from bot.core.voices import Names, quoted

DELIMITER = "=== why ==="
"""The line that parts a proposed text from words about it. It counts where it stands alone on its line."""


def shown(shape: Shape, text: str, names: Names) -> str:
    """What people see of the finished `text`; `growing.GrowingReply` shows beginnings of that while it comes."""
    match shape:
        case "talk":
            return quoted(text, names).markdown
        case "draft":
            # What is proposed is what is kept, byte for byte.
            return parted(text)[0]
        case "finding":
            return quoted(parted(text)[0], names).markdown
        case "silent":
            return ""
        case _:
            assert_never(shape)


def parted(text: str) -> tuple[str, str | None]:
    """What stands before the first delimiter line and what stands behind it; None where there is no such line."""
    above: list[str] = []
    lines = iter(text.splitlines(keepends=True))
    for line in lines:
        if line.strip() == DELIMITER:
            return "".join(above).strip(), "".join(lines).strip()
        above.append(line)
    return text.strip(), None


def may_be_delimiter(line: str) -> bool:
    """Whether a line that still grows could become the delimiter."""
    return DELIMITER.startswith(line.strip())
