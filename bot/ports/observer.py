"""What is told of turns, for metrics and traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from bot.core.events import Usage
from bot.ports.mailbox import Claim


@dataclass(frozen=True, slots=True)
class Claimed:
    """A conversation was claimed, which took so many seconds."""

    claim: Claim
    seconds: float


@dataclass(frozen=True, slots=True)
class Begun:
    """A new turn begins. `waited`: seconds since its first message was said; None for a link of a chain."""

    claim: Claim
    waited: float | None


@dataclass(frozen=True, slots=True)
class Stepped:
    """The machine took an event of that kind, and asked for a request of that kind, "" where for nothing."""

    claim: Claim
    event: str
    request: str = ""


@dataclass(frozen=True, slots=True)
class ModelAsked:
    """A model was asked to speak for `who`. `result` is the reply's stop reason, or `failed` one of REASONS.

    `detail` is what the service said of a failure, without secrets. `model` is the id that was asked for, and `cost` is
    in dollars, None where the price is not known.
    """

    claim: Claim
    who: str
    seconds: float
    result: str = ""
    failed: str = ""
    usage: Usage | None = None
    detail: str = ""
    model: str = ""
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """That many posts of a step were put onto their platform."""

    claim: Claim
    posts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Committed:
    """The commit took so long and took effect."""

    claim: Claim
    seconds: float


@dataclass(frozen=True, slots=True)
class Budgeted:
    """So much of the budget of `scope` is used on `day` (UTC), 1.0 being all of it."""

    claim: Claim
    scope: str
    day: str
    share: float


Outcome = Literal["committed", "lost", "released", "retried", "buried"]


@dataclass(frozen=True, slots=True)
class Ended:
    """The worker let go of the claim, `seconds` after it got it; `reason` names the exception, if one was why."""

    claim: Claim
    outcome: Outcome
    seconds: float
    reason: str = ""


Happening = Claimed | Begun | Stepped | ModelAsked | Posted | Committed | Ended | Budgeted
"""What the runtime tells of a turn. `Claimed` comes first and `Ended` last, each exactly once a claim."""


class Observer(Protocol):
    """Watches turns, to count and to time them; nothing depends on it. Must neither wait nor raise."""

    def saw(self, happening: Happening) -> None:
        """Take note; called on the event loop, right after it happened."""


class Silent:
    """An `Observer` that takes no notes."""

    def saw(self, happening: Happening) -> None:
        """Forget it."""


SILENT: Observer = Silent()
