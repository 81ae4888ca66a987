"""What is kept of a turn, and which list a number is meant for."""

from __future__ import annotations

import pytest

from bot.core.model import Conversation, Inbound
from bot.core.session import ConversationState, NumberAnchor, Session, Turn
from bot.runtime import turns
from bot.runtime.turns import ANCHORS, is_hasty


def test_the_oldest_number_anchors_are_dropped() -> None:
    before = ConversationState(number_anchors=tuple(NumberAnchor(order, f"m{order}") for order in range(ANCHORS)))
    turn = Turn("h", Session(), 0, 0.0, number_anchors=(NumberAnchor(100, "m100"),))
    kept = turns.saved(before, turn, (NumberAnchor(101, "m101"),)).number_anchors
    assert kept == (*before.number_anchors[2:], NumberAnchor(100, "m100"), NumberAnchor(101, "m101"))


@pytest.mark.parametrize(
    ("above", "said_at", "hasty"),
    [
        ((), 100.0, False),
        ((NumberAnchor(1, "a", 90.0, "bob"), NumberAnchor(2, "b", 99.0, "bob")), 100.0, True),
        ((NumberAnchor(1, "a", 90.0, "bob"), NumberAnchor(2, "b", 98.0, "bob")), 100.0, False),
        ((NumberAnchor(1, "a", 90.0, "bob"), NumberAnchor(2, "b", 99.0, "alice")), 100.0, False),
        ((NumberAnchor(2, "b", 99.0, "bob"),), 100.0, False),
        ((NumberAnchor(1, "a", 90.0, "bob"), NumberAnchor(2, "b", 0.0, "bob")), 100.0, False),
        ((NumberAnchor(2, "b", 101.0, "alice"),), 100.0, True),
    ],
    ids=[
        "no list",
        "just made to appear by somebody else",
        "for two seconds",
        "by whoever typed it",
        "the only one",
        "no time is told",
        "typed while the reply grew that the list came with",
    ],
)
def test_a_number_is_hasty(above: tuple[NumberAnchor, ...], said_at: float, hasty: bool) -> None:
    first = Inbound(Conversation("slack", "T", "C"), "m", "alice", "alice", "1", 10, said_at)
    assert is_hasty(above, first) == hasty
