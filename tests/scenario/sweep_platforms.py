"""What the sweeps over Slack and Discord share: the transport of a process that may die, and what is compared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.core.model import Conversation
from bot.ports.store import Store
from bot.runtime.worker import Worker
from tests.fakes.model import Says
from tests.fakes.toy_mode import MODES
from tests.scenario.kept import log_of, state_of
from tests.scenario.sweep import Deed, Outcome, Points, Reference, Scenario, Universe, numbered

PASSING = frozenset(("busy",))
"""Calls without crash points: what they show passes by itself."""


HANDED = Scenario(
    "handed to a thread",
    (Deed(("*architect",)), Deed(("*toy thread",)), Deed(("*status",))),
    (Says.text("A draft of something that is long enough to be watched as it grows, line by line."),),
    modes=MODES,
)
"""A work that goes on in a thread of its own."""


@dataclass(frozen=True, slots=True)
class Process:
    """The transport as a worker's process has it, with the universe's crash points.

    `shown` lets what is to be shown of a preview be seen, so that a crash leaves as much of a reply as can be.
    """

    transport: Any
    points: Points
    shown: Callable[[str], Awaitable[None]]

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.transport, name)
        if not callable(real) or name in PASSING:
            return real

        async def call(*args: Any, **kwargs: Any) -> Any:
            self.points.point()
            result = await real(*args, **kwargs)
            if name == "extend":
                await self.shown(args[0])
            self.points.point()
            return result

        return call


def worker_on(platform: str) -> Callable[..., Worker]:
    """Makes the worker of a universe, whose only platform is called so."""
    return lambda store, transports, *rest: Worker(store, {platform: transports["fake"]}, *rest)


async def compared(
    universe: Universe, store: Store, where: Conversation, said: Sequence[str], posts: tuple[tuple[str, str, str], ...]
) -> Outcome:
    """What is compared of a universe in which people talked there: `posts` stand, `said` are the ids of messages."""
    saved, log = await state_of(store, where), tuple(await log_of(store, where))
    words = " ".join(text for _, text, _ in posts)
    replies = [entry.text for entry in log if entry.kind == "reply" and entry.text]
    universe.faults.extend(f"never said: {reply!r}" for reply in replies if reply.strip() not in words)
    anchors = tuple(numbered(anchor.menu, said) for anchor in saved.number_anchors)
    session = numbered(repr(saved.session), said)
    return Outcome(posts, session, anchors, log, await store.spent(where.key), tuple(universe.faults))


def once(universe: Universe, keys: Sequence[str]) -> None:
    """Note what stands more than once, by what posts are found by."""
    universe.faults.extend(f"twice: {key}" for key in set(keys) if keys.count(key) > 1)


async def reference(made: Callable[[Scenario], Universe], scenario: Scenario) -> Reference:
    """How a scenario ends without a crash, in every way that may have been, in the universe that is `made` for it."""
    universe = made(scenario)
    end, points = await universe.play()
    otherwise = None
    if scenario.otherwise:
        otherwise = await reference(made, replace(scenario, deeds=scenario.otherwise, otherwise=()))
    return Reference(scenario, universe.varied, (end,), points, otherwise)
