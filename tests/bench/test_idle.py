"""The measurement of idle processes; `scripts/bench idle` prints the figures of docs/deploying.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.idle import idle
from tests.contract.redis_server import running

MOST = {1: 36, 64: 1460}
"""Commands a second at that many parts: twice what the page says, for a claim may cost more one day."""


@pytest.mark.parametrize("partitions", MOST)
async def test_a_process_without_work_asks_seldom_however_many_turns_it_could_carry(
    tmp_path: Path, partitions: int
) -> None:
    with running(tmp_path) as server:
        found = await idle(server.url, partitions, in_flight=80, seconds=2)
    assert 0 < found.commands < MOST[partitions]
    assert 0 < found.ours + found.servers < 0.5
