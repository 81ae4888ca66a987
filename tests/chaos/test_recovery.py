"""How soon somebody takes up what a killed replica was at; `tests.bench.recovery` prints the exact times."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.measures import recovery

LEASE = 1.0
SOONEST = LEASE / 3
"""Seconds: a lease is renewed every third of its length, so that two thirds are left at any time; some are lost on the
way to the server."""


async def test_a_killed_replicas_turn_is_taken_up_when_its_lease_ends(tmp_path: Path) -> None:
    assert await recovery(tmp_path, LEASE) > SOONEST
