"""Works under crashes on the Redis store: a document that is written there stands once, whatever is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.contract.redis_server import Server, running
from tests.scenario.sweep import CONFIGURATIONS, Reference, Universe
from tests.scenario.sweep_stores import OnRedis
from tests.scenario.test_works_sweep import SCENARIOS, TOO_LATE, universe

STRIDE = 3
"""Without --soak, one point of so many is swept."""

SAVED = next(scenario for scenario in SCENARIOS if scenario.name == TOO_LATE)
ALWAYS_THE_SAME = CONFIGURATIONS[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("valkey")) as started:
        yield started


@pytest.fixture
def stride(request: pytest.FixtureRequest) -> int:
    return 1 if request.config.getoption("--soak", default=False) else STRIDE


def on_server(ground: OnRedis, *points: int) -> Universe:
    return replace(universe(SAVED, ALWAYS_THE_SAME, *points), ground=ground)


async def known() -> Reference:
    """What it comes to on SQLite without a crash."""
    end, points = await universe(SAVED, ALWAYS_THE_SAME).play()
    assert [version for _, version, _ in end.documents] == [1, 2, 3]
    return Reference(SAVED, ALWAYS_THE_SAME.varied, (end,), points)


async def test_a_crash_leaves_no_trace_in_documents_on_a_server(server: Server, stride: int) -> None:
    expected = await known()
    for point in range(1, expected.points + 1, stride):
        outcome, _ = await on_server(OnRedis(server), point).play()
        assert not expected.differences(outcome), f"crash at {point} of {expected.points}"


async def test_a_reply_of_the_server_that_is_lost_writes_nothing_twice(server: Server, stride: int) -> None:
    expected = await known()
    ground = OnRedis(server)
    outcome, _ = await on_server(ground).play()
    assert not expected.differences(outcome)
    for unheard in range(1, ground.commands + 1, stride):
        outcome, _ = await on_server(OnRedis(server, unheard)).play()
        assert not expected.differences(outcome), f"reply {unheard} of {ground.commands} was lost"
