"""Each guarantee taken away by itself is seen by the sweep: a suite that passes a broken bot proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import pytest

from bot.core import works
from bot.core.events import Utterance
from bot.core.session import NumberAnchor, Turn
from bot.core.step_builder import StepBuilder
from bot.core.steps import Post
from bot.ports.mailbox import Claim, Message
from bot.runtime import turns
from bot.runtime.carrying import TurnRunner
from bot.runtime.worker import Worker
from tests.scenario.sweep import CONFIGURATIONS, SCENARIOS, Faulty, neighbours, reference


class Without:
    """A port with some of its methods replaced."""

    def __init__(self, real: Any, **instead: Callable[..., Any]) -> None:
        self._real, self._instead = real, instead

    def __getattr__(self, name: str) -> Any:
        return self._instead.get(name) or getattr(self._real, name)


class ActsBeforeTheCheckpoint(TurnRunner):
    async def _enter(self, turn: Turn) -> tuple[NumberAnchor, ...]:
        marks = await self._deliver(turn, again=False)
        await self._checkpoint(turn)
        return marks


class SealsBeforeTheCheckpoint(TurnRunner):
    async def _enter(self, turn: Turn) -> tuple[NumberAnchor, ...]:
        if any(isinstance(p, Post) and p.completes is not None for p in turn.posts):
            marks = await self._deliver(turn, again=False)
            await self._checkpoint(turn)
            return marks
        return await super()._enter(turn)


def carried_by(runner: type[TurnRunner]) -> Callable[..., Worker]:
    """Workers whose turns are carried by that."""
    return partial(Worker, runner=runner)


def never_found(platform: Any) -> Any:
    async def find(_out: object) -> None:
        return None

    return Without(platform, find=find)


def never_withdrawn(platform: Any) -> Any:
    async def withdraw(_ref: str) -> None:
        return None

    return Without(platform, withdraw=withdraw)


def thawed(store: Any) -> Any:
    """A claim that chooses its messages anew whenever the conversation is taken over."""

    async def claim(*args: Any) -> Any:
        await store._write(_thaw)
        return await store.claim(*args)

    return Without(store, claim=claim)


def _thaw(db: Any) -> None:
    db.execute("UPDATE message SET place = NULL")
    db.execute("UPDATE conversation SET head = NULL")


class Unbound:
    """A control flag that belongs to no turn: whoever asks next finds it."""

    def __init__(self) -> None:
        self.raised: Message | None = None

    def __call__(self, store: Any) -> Any:
        async def control(conversation: str, message: Message) -> bool:
            if await store.control(conversation, message):
                self.raised = message
                return True
            return False

        async def flagged(_claim: Claim) -> Message | None:
            return self.raised

        async def flagged_among(claims: Sequence[Claim]) -> tuple[Message | None, ...]:
            return tuple(self.raised for _ in claims)

        return Without(store, control=control, flagged=flagged, flagged_among=flagged_among)


def newest(anchors: tuple[NumberAnchor, ...], order: int) -> tuple[NumberAnchor, ...]:
    return anchors


def dropped(step: StepBuilder, result: str, by: Utterance | None = None) -> None:
    step.change(tools=None)


MUTANTS: dict[str, Callable[[pytest.MonkeyPatch], Faulty]] = {
    "claim not frozen": lambda _: Faulty(store=thawed),
    "no find": lambda _: Faulty(platform=never_found),
    "sealed before the checkpoint": lambda _: Faulty(worker=carried_by(SealsBeforeTheCheckpoint)),
    "preview not withdrawn": lambda _: Faulty(platform=never_withdrawn),
    "acting before the checkpoint": lambda _: Faulty(worker=carried_by(ActsBeforeTheCheckpoint)),
    "unbound control flag": lambda _: Faulty(store=Unbound()),
    "number bound to the newest menu": lambda patch: patched(patch, turns, "anchors_above", newest),
    "tools left open": lambda patch: patched(patch, works, "close_calls", dropped),
}


def patched(patch: pytest.MonkeyPatch, where: Any, name: str, what: Any) -> Faulty:
    patch.setattr(where, name, what)
    return Faulty()


def without_a_crash(_points: int) -> Iterable[tuple[int, ...]]:
    return ((),)


def at_every_tenth_point(points: int) -> Iterable[tuple[int, ...]]:
    return ((point,) for point in range(1, points + 1, 10))


def at_each_point(points: int) -> Iterable[tuple[int, ...]]:
    return ((point,) for point in range(1, points + 1))


def at_pairs_of_points(points: int) -> Iterable[tuple[int, ...]]:
    return list(neighbours(points))[::7]


@pytest.mark.parametrize("name", MUTANTS)
async def test_the_sweep_fails_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    how = CONFIGURATIONS[0]
    known = [await reference(scenario, how) for scenario in SCENARIOS]
    broken = MUTANTS[name](monkeypatch)
    points_of = dict[str, int]()
    # What is cheap comes first, in all scenarios: most mutants show by a single crash, if in another one.
    for crashes_of in (without_a_crash, at_every_tenth_point, at_each_point, at_pairs_of_points):
        for before in known:
            for crashes in crashes_of(points_of.get(before.scenario.name, 0)):
                outcome, points = await how.universe(before.scenario, *crashes, faulty=broken).play()
                if seen(before.differences(outcome)):
                    return
                points_of.setdefault(before.scenario.name, points)
    pytest.fail(f"the sweep does not see a bot with: {name}")


def seen(differences: list[str]) -> bool:
    """Whether there are any; a mutant that does not even run shows nothing."""
    assert not any(error in told for told in differences for error in ("TypeError", "AttributeError", "NameError"))
    return bool(differences)
