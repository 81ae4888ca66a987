"""Nothing lost, nothing said twice, whatever the moment. How: `sweep.py`; would it see: `test_sweep_finds.py`."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.scenario.sweep import CONFIGURATIONS, SCENARIOS, Configuration, Scenario, neighbours, reference

SHARES = 4
"""Pairs are swept in so many shares, so that they spread over processes."""

STRIDE = 7
"""Without --soak, one of so many pairs is swept; in full they are most of the suite's time."""

every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
every_configuration = pytest.mark.parametrize("how", CONFIGURATIONS, ids=lambda c: c.name)


@every_scenario
@every_configuration
async def test_a_crash_at_any_point_leaves_no_trace(scenario: Scenario, how: Configuration) -> None:
    known = await reference(scenario, how)
    assert not known.ends[0].faults
    for point in range(1, known.points + 1):
        outcome, _ = await how.universe(scenario, point).play()
        assert not known.differences(outcome), f"crash at {point} of {known.points}"


@every_scenario
@every_configuration
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.timeout(600)
async def test_a_second_crash_soon_after_leaves_no_trace_either(
    scenario: Scenario, how: Configuration, share: int, soak: bool
) -> None:
    known = await reference(scenario, how)
    stride = 1 if soak else STRIDE
    for pair in islice(neighbours(known.points), share * stride, None, SHARES * stride):
        outcome, _ = await how.universe(scenario, *pair).play()
        assert not known.differences(outcome), f"crashes at {pair} of {known.points}"
