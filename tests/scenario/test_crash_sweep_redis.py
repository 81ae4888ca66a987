"""The crash sweep over the Redis store on a real server. How: `sweep.py`; what it must come to is what SQLite gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from hashlib import sha1
from itertools import islice

import pytest

from bot.core.session import NumberAnchor, Turn
from bot.runtime.carrying import TurnRunner
from bot.runtime.worker import Worker
from bot.stores import redis_link
from bot.stores.redis_link import Script, script
from tests.contract.redis_server import Server, running
from tests.scenario.sweep import CONFIGURATIONS, SCENARIOS, Configuration, Faulty, Scenario, neighbours, reference
from tests.scenario.sweep_stores import OnRedis

STRIDE = 197
"""Without --soak, one pair of points of so many is swept."""

every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
every_configuration = pytest.mark.parametrize("how", CONFIGURATIONS, ids=lambda c: c.name)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("valkey")) as started:
        yield started


@pytest.fixture
def ground(server: Server) -> OnRedis:
    return OnRedis(server)


@every_scenario
@every_configuration
async def test_without_a_crash_a_talk_on_redis_comes_to_what_it_does_on_sqlite(
    scenario: Scenario, how: Configuration, ground: OnRedis
) -> None:
    known = await reference(scenario, how)
    outcome, points = await how.universe(scenario, ground=ground).play()
    assert outcome == known.ends[0]
    # When it is looked whether a reply was stopped depends on how long the server takes.
    assert abs(points - known.points) <= 2


@every_scenario
@every_configuration
async def test_a_crash_at_any_point_leaves_no_trace(scenario: Scenario, how: Configuration, ground: OnRedis) -> None:
    known = await reference(scenario, how)
    for point in range(1, known.points + 1):
        outcome, _ = await how.universe(scenario, point, ground=ground).play()
        assert not known.differences(outcome), f"crash at {point} of {known.points}"


@every_scenario
@every_configuration
@pytest.mark.timeout(1800)
async def test_a_second_crash_soon_after_leaves_no_trace_either(
    scenario: Scenario, how: Configuration, ground: OnRedis, soak: bool
) -> None:
    known = await reference(scenario, how)
    for pair in islice(neighbours(known.points), 0, None, 1 if soak else STRIDE):
        outcome, _ = await how.universe(scenario, *pair, ground=ground).play()
        assert not known.differences(outcome), f"crashes at {pair} of {known.points}"


@every_scenario
async def test_any_reply_of_the_server_that_gets_lost_leaves_no_trace(
    scenario: Scenario, ground: OnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_link, "_FIRST_DELAY", 0.0)
    how = CONFIGURATIONS[0]
    known = await reference(scenario, how)
    await how.universe(scenario, ground=ground).play()
    for number in range(1, ground.commands + 1):
        unheard = replace(ground, unheard=number)
        outcome, _ = await how.universe(scenario, ground=unheard).play()
        assert unheard.commands > number
        assert not known.differences(outcome), f"the reply to command {number} is lost"


# ---------------------------------------------------------------- would it see?


class ActsBeforeTheCheckpoint(TurnRunner):
    async def _enter(self, turn: Turn) -> tuple[NumberAnchor, ...]:
        marks = await self._deliver(turn, again=False)
        await self._checkpoint(turn)
        return marks


BROKEN_SCRIPTS = {
    "ids are not remembered": ("enqueue", "\nremember(conversation, id)\n", "\n"),
    "turns are not stored": ("checkpoint", "redis.call('HSET', conv, 'turn', turn, 'turn_version', version)", ""),
    "usage is not kept by its key": ("spend", "redis.call('SADD', key('paid', conversation), effect) == 0", "false"),
}
"""What a script of the store does no longer: its name, a piece of its text, and what stands there instead."""


async def is_seen(ground: OnRedis, broken: Faulty) -> bool:
    """Whether any scenario ends otherwise on that ground, without a crash or with one."""
    how = CONFIGURATIONS[0]
    for scenario in SCENARIOS:
        known = await reference(scenario, how)
        for crash in range(known.points + 1):
            outcome, _ = await how.universe(scenario, crash, faulty=broken, ground=ground).play()
            if known.differences(outcome):
                return True
    return False


async def test_the_sweep_fails_with_a_worker_that_acts_before_the_checkpoint(ground: OnRedis) -> None:
    assert await is_seen(ground, Faulty(worker=partial(Worker, runner=ActsBeforeTheCheckpoint)))


@pytest.mark.parametrize("name", BROKEN_SCRIPTS)
async def test_the_sweep_fails_where(name: str, ground: OnRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_link, "script", with_another(*BROKEN_SCRIPTS[name]))
    assert await is_seen(ground, Faulty())


def with_another(changed: str, piece: str, instead: str) -> Callable[[str], Script]:
    """The store's scripts, in one of which something else stands."""
    whole = script(changed).text
    assert whole.count(piece.encode()) == 1
    text = whole.replace(piece.encode(), instead.encode())
    broken = Script(text, sha1(text, usedforsecurity=False).hexdigest())
    return lambda name: broken if name == changed else script(name)
