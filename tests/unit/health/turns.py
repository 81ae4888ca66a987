"""Claims and what happens to them, for tests of observers."""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.events import Usage
from bot.ports.mailbox import Claim, Message
from bot.ports.observer import Begun, Claimed, Committed, Ended, Happening, ModelAsked, Posted, Stepped

USED = Usage(input=100, output=40, cache_read=300, cache_write=20, model="claude-one")


def claim(head: str = "m1", *, fence: int = 1, attempt: int = 0, turn: str | None = None) -> Claim:
    return Claim("fake:team:general", fence, (Message(head, "{}", 7),), attempt=attempt, turn=turn)


def talk(of: Claim, usage: Usage = USED) -> Iterator[Happening]:
    """A turn in which a model answers, as the worker tells it."""
    yield Claimed(of, 0.002)
    yield Begun(of, 1.5)
    yield Stepped(of, "Said", "AskModel")
    yield ModelAsked(of, "architect", 3.0, "end_turn", usage=usage, model="claude-asked", cost=0.25)
    yield Stepped(of, "ModelReplied")
    yield Posted(of, 2, 0.3)
    yield Committed(of, 0.004)
    yield Ended(of, "committed", 3.4)
