"""The log's line for each turn: where, who spoke, what came of it, what it took and cost."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from bot.health.trace import trace_of
from bot.ports.mailbox import Claim
from bot.ports.observer import Claimed, Ended, Happening, ModelAsked, Posted

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Turn:
    """What is known of a turn under way: who was asked, what that took, why it failed."""

    personas: list[str] = field(default_factory=list)
    posts: int = 0
    read: int = 0
    written: int = 0
    cost: float = 0.0
    failed: str = ""


class Journal:
    """A `bot.ports.observer.Observer` that writes a line at level info when a turn is let go of. No words are in it."""

    def __init__(self) -> None:
        self._turns: dict[tuple[str, int], _Turn] = {}

    def saw(self, happening: Happening) -> None:
        """Note it with its turn; at the turn's end, write the line."""
        claim = happening.claim
        match happening:
            case Claimed():
                self._turns[_key(claim)] = _Turn()
            case ModelAsked() if turn := self._turns.get(_key(claim)):
                if happening.who not in turn.personas:
                    turn.personas.append(happening.who)
                if usage := happening.usage:
                    turn.read += usage.read
                    turn.written += usage.output
                turn.cost += happening.cost or 0.0
                turn.failed = happening.failed or turn.failed
            case Posted(_, posts) if turn := self._turns.get(_key(claim)):
                turn.posts += posts
            case Ended() if turn := self._turns.pop(_key(claim), None):
                self._write(happening, turn)
            case _:
                pass

    def _write(self, ended: Ended, turn: _Turn) -> None:
        if not log.isEnabledFor(logging.INFO):
            return
        extra: dict[str, object] = {
            "conversation": ended.claim.conversation,
            "outcome": ended.outcome,
            "persona": ", ".join(turn.personas),
            "posts": turn.posts,
            "tokens_read": turn.read,
            "tokens_written": turn.written,
            "cost": round(turn.cost, 6),
            "seconds": round(ended.seconds, 3),
            "trace": trace_of(ended.claim),
        }
        if why := turn.failed or ended.reason:
            extra["failed"] = why
        log.info("turn", extra=extra)


def _key(claim: Claim) -> tuple[str, int]:
    return claim.conversation, claim.fence
