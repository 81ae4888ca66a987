"""Sides of a ratio that take turns under the same settings, and figures held against their bars.

A side is a function that does its work once and returns what it cost, in seconds of whatever clock it read. Measured
minutes apart, two sides tell of the machine's other users; in turns, both meet the same ones.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bot.app import seldom_collecting

Side = Callable[[], Awaitable[float]]


class Cpu:
    """CPU seconds of this process with all its threads, known when the `with` block of `cpu` has ended."""

    seconds: float = 0.0


@contextmanager
def cpu() -> Iterator[Cpu]:
    """Measure the CPU time of the body; garbage from before it is not counted."""
    gc.collect()
    spent = Cpu()
    began = time.process_time()
    try:
        yield spent
    finally:
        spent.seconds = time.process_time() - began


async def in_turns(rounds: int, sides: Mapping[str, Side], *, warm: int = 1) -> dict[str, list[float]]:
    """What each side cost, round by round, without the first `warm` rounds.

    Each round runs every side once, and begins with another one than the round before. All run under the collector
    settings of the product (`seldom_collecting`).
    """
    costs: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for number in range(warm + rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            with seldom_collecting():
                cost = await sides[name]()
            if number >= warm:
                costs[name].append(cost)
    return costs


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much more one side costs than the other: the median over the rounds, the lowest and the highest."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f}x ({self.low:.2f} to {self.high:.2f})"


def ratio(costs: Sequence[float], against: Sequence[float]) -> Ratio:
    """The ratio of each round. Raises ValueError where one side has more rounds than the other, or none."""
    found = [cost / base for cost, base in zip(costs, against, strict=True)]
    if not found:
        raise ValueError("a ratio needs at least one round")
    return Ratio(statistics.median(found), min(found), max(found))


def verdict(what: str, figure: float, bar: float, unit: str = "x", note: str = "") -> bool:
    """Print a figure beside the bar that it must not exceed; whether it holds."""
    held = figure <= bar
    words = "held" if held else "NOT HELD"
    print(f"{what}: {figure:.2f}{unit}{f' {note}' if note else ''}  (bar {bar:g}{unit}: {words})", flush=True)
    return held


def ratio_verdict(what: str, costs: Sequence[float], against: Sequence[float], bar: float) -> bool:
    """Print how much more one side costs than the other beside the bar; whether the median holds."""
    found = ratio(costs, against)
    return verdict(what, found.median, bar, note=f"({found.low:.2f} to {found.high:.2f})")


def total(verdicts: Sequence[bool]) -> None:
    """Print one line for a whole topic."""
    missed = sum(not held for held in verdicts)
    print(f"verdict: {missed} of {len(verdicts)} bars missed" if missed else f"verdict: all {len(verdicts)} bars held")
