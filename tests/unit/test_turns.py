"""What is kept of a turn."""

from __future__ import annotations

from bot.core.session import ConversationState, NumberAnchor, Session, Turn
from bot.runtime import turns
from bot.runtime.turns import ANCHORS


def test_the_oldest_number_anchors_are_dropped() -> None:
    before = ConversationState(number_anchors=tuple(NumberAnchor(order, f"m{order}") for order in range(ANCHORS)))
    turn = Turn("h", Session(), 0, 0.0, number_anchors=(NumberAnchor(100, "m100"),))
    kept = turns.saved(before, turn, (NumberAnchor(101, "m101"),)).number_anchors
    assert kept == (*before.number_anchors[2:], NumberAnchor(100, "m100"), NumberAnchor(101, "m101"))
