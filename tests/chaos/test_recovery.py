"""How soon somebody takes up what a killed replica was at; `tests.bench.recovery` prints the exact times."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.measures import recovery

LEASE = 1.0
SLACK = 3.0
"""Seconds: a busy machine may take longer than the one second that is promised on an idle one."""


async def test_a_killed_replicas_turn_is_taken_up_when_its_lease_ends(tmp_path: Path) -> None:
    took = await recovery(tmp_path, LEASE)
    assert 0.2 < took < LEASE + SLACK
