"""What becomes of a model's words on the way to people, by the shape that they were asked for in."""

from __future__ import annotations

from typing import assert_never

from bot.core.own_words import Names, own_words
from bot.core.steps import Shape


def shown(shape: Shape, text: str, names: Names) -> str:
    """What people see of the finished `text`; `growing.GrowingReply` shows beginnings of that while it comes."""
    match shape:
        case "talk":
            return own_words(text, names, finished=True)
        case "draft":
            # What is proposed is what is kept, byte for byte.
            return text.strip()
        case "silent":
            return ""
        case _:
            assert_never(shape)
