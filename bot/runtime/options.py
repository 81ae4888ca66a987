"""How a worker works, as the settings have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core.events import Usage
from bot.core.model import HOST, Conversation, Listen, Voice
from bot.core.modes.mode import Registry
from bot.core.modes.registry import MODES
from bot.runtime.access import Access
from bot.runtime.budget import Budgets


@dataclass(frozen=True, slots=True)
class Options:
    """How a worker works. Times are in seconds; `host` is the voice that the bot itself speaks under.

    At most `in_flight` turns are at work at a time, and at most `waiting` have a reply under way; a reply ends after
    `longest`. `listen` tells how a conversation is listened to. `context` are the tokens that a model can take; at the
    share `compact_at` of them a talk is compacted, at 0 never. `price` gives what usage costs in $, None where that is
    not known, `model_of` the model for a persona's wish. `modes` are the works that there are.
    `has_model`: a model is set up. With `threads`, a work that is begun at the top level of a channel goes on in a
    thread. `approvers` are the users who may accept sections of documents; everybody may where there are none.
    """

    name: str = "worker"
    lease: float = 15.0
    idle: float = 8 * 3600.0
    together: int = 20
    in_flight: int = 16
    waiting: int = 500
    longest: float = 600.0
    host: Voice = HOST
    context: int = 200_000
    compact_at: float = 0.75
    listen: Callable[[Conversation], Listen] = lambda conversation: "active"
    price: Callable[[Usage], float | None] = lambda usage: None
    model_of: Callable[[str], str] = str
    access: Access = field(default_factory=Access)
    budgets: Budgets = field(default_factory=Budgets)
    modes: Registry = MODES
    has_model: bool = True
    threads: bool = False
    approvers: frozenset[str] = frozenset()
