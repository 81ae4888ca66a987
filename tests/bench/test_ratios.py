"""The sides of a ratio take turns, under the same settings, and a missed bar is called one."""

from __future__ import annotations

import gc

import pytest

from tests.bench._ratios import cpu, in_turns, ratio, ratio_verdict, total, verdict


async def test_the_sides_take_turns_and_none_is_always_first() -> None:
    order: list[str] = []

    def side(name: str) -> float:
        order.append(name)
        return float(len(order))

    async def bare() -> float:
        return side("bare")

    async def whole() -> float:
        return side("whole")

    costs = await in_turns(3, {"bare": bare, "whole": whole}, warm=1)

    assert order == ["bare", "whole", "whole", "bare", "bare", "whole", "whole", "bare"]
    assert costs == {"bare": [4.0, 5.0, 8.0], "whole": [3.0, 6.0, 7.0]}


async def test_all_sides_have_the_same_collector_settings_and_none_is_left_with_them() -> None:
    seen: list[tuple[int, int, int]] = []
    before = gc.get_threshold()

    async def side() -> float:
        seen.append(gc.get_threshold())
        gc.set_threshold(1, 1, 1)
        return 1.0

    await in_turns(2, {"one": side, "other": side}, warm=0)

    assert len(set(seen)) == 1 and seen[0] != before
    assert gc.get_threshold() == before


def test_a_ratio_is_that_of_each_round() -> None:
    found = ratio([2.0, 6.0, 9.0], [1.0, 2.0, 9.0])
    assert (found.median, found.low, found.high) == (2.0, 1.0, 3.0)
    with pytest.raises(ValueError, match="zip"):
        ratio([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="at least one round"):
        ratio([], [])


def test_a_figure_is_held_against_its_bar(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        verdict("`*help`", 101.0, 100, " ms"),
        verdict("`*help`", 100.0, 100, " ms"),
        ratio_verdict("talk", [1.4, 1.2], [1.0, 1.0], 1.5),
    ]
    total(found)
    total(found[1:])

    assert found == [False, True, True]
    assert capsys.readouterr().out.splitlines() == [
        "`*help`: 101.00 ms  (bar 100 ms: NOT HELD)",
        "`*help`: 100.00 ms  (bar 100 ms: held)",
        "talk: 1.30x (1.20 to 1.40)  (bar 1.5x: held)",
        "verdict: 1 of 3 bars missed",
        "verdict: all 2 bars held",
    ]


def test_cpu_time_is_counted() -> None:
    with cpu() as spent:
        assert sum(n * n for n in range(100_000)) > 0
    assert spent.seconds > 0
