"""What is kept of a turn."""

from __future__ import annotations

from bot.core.session import Mark, Saved, Session, Turn
from bot.runtime import turns
from bot.runtime.turns import MARKS


def test_the_oldest_number_anchors_are_dropped() -> None:
    before = Saved(marks=tuple(Mark(order, f"m{order}") for order in range(MARKS)))
    turn = Turn("h", Session(), 0, 0.0, marks=(Mark(100, "m100"),))
    kept = turns.saved(before, turn, (Mark(101, "m101"),)).marks
    assert kept == (*before.marks[2:], Mark(100, "m100"), Mark(101, "m101"))
