"""What a command costs as the library grows: CPU time of each kind of command, and the memory of a cast.

python -m tests.bench.cast [--rounds N] [--sizes N ...]

Casts of made-up personas with names as public libraries have them, ten commands each. Each kind of command is read, and
carried out by the machine, while some persona is on, with casts of all sizes in turns. Memory is what a cast and its
names take, and what is kept after every persona's commands have been asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time
import tracemalloc
from collections.abc import Sequence

from bot.core.commands import understand
from bot.core.events import Said, Utterance
from bot.core.machine import step
from bot.core.session import Session
from bot.personas.model import Cast, Command, Persona
from tests.bench._ratios import Side, in_turns, total, verdict

ROUNDS = 7
TIMES = 50
SIZES = (32, 100, 320, 1_000)
BAR = 200.0
"""Microseconds of any command with the largest of the casts."""

MEMORY = 1.5
"""How many times as much memory a persona of the largest cast may take as one of the smallest."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIELDS = _words(
    "vm cloud data network storage security billing backup api mobile web frontend backend kubernetes linux windows "
    "database cache queue search payment identity audit compliance monitoring logging release build test game robot "
    "vision speech legal finance sales support travel health retail"
)
ROLES = _words(
    "architect engineer reviewer tester planner writer analyst manager designer coach auditor migrator optimizer "
    "researcher strategist operator scheduler automator modeler mentor debugger integrator translator estimator "
    "moderator"
)

TYPED = {
    "the host's": "*help",
    "her own": "*make-plan-3",
    "a persona's id": "*vm-architect",
    "a persona's name": "*vm architect",
    "a slip": "*hlp",
    "a slip in her own": "*make-plna-3",
    "a slip in an id": "*vm-architcet",
    "a word of many": "*architect",
    "a slip in a word": "*architetc",
    "unknown": "*qqqqqqqq",
    "with words": "*agent somebody for the cloud",
    "prose": "*bob is a great help",
    "talk": "what do you think of the plan?",
}


def cast_of(size: int) -> Cast:
    """So many personas. Raises ValueError above 1,000."""
    if size > len(FIELDS) * len(ROLES):
        raise ValueError(f"there are {len(FIELDS) * len(ROLES)} different personas, not {size}")
    return Cast(tuple(_persona(n) for n in range(size)))


def _persona(number: int) -> Persona:
    field, role = FIELDS[number % len(FIELDS)], ROLES[number // len(FIELDS)]
    commands = tuple(Command(f"make-plan-{n}", "Make a plan") for n in range(10))
    return Persona(f"{field}-{role}", f"{field} {role}".title(), f"{role.title()} for {field}", commands=commands)


def understanding(cast: Cast, text: str) -> Side:
    """Reads the text so many times; seconds of CPU for one."""

    async def side() -> float:
        began = time.process_time()
        for _ in range(TIMES):
            understand(text, cast, cast.personas[0])
        return (time.process_time() - began) / TIMES

    return side


def stepping(cast: Cast, text: str) -> Side:
    """Carries out the command in the machine so many times; seconds of CPU for one."""
    session = Session(personas=(cast.personas[0].id,))
    said = Said("m1", (Utterance("U1", "alice", text, "m1", 1.0),))

    async def side() -> float:
        began = time.process_time()
        for _ in range(TIMES):
            step(session, said, cast)
        return (time.process_time() - began) / TIMES

    return side


def memory(size: int) -> tuple[float, float]:
    """KiB a persona that a cast's names take, and that are kept when every persona's commands were asked for."""
    people = cast_of(size).personas
    tracemalloc.start()
    try:
        cast = Cast(people)
        made, _ = tracemalloc.get_traced_memory()
        for persona in people:
            understand("*hlp", cast, persona)
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return made / size / 1024, kept / size / 1024


async def bench(sizes: Sequence[int], rounds: int) -> None:
    """All kinds of commands, then memory."""
    casts = {size: cast_of(size) for size in sizes}
    held = []
    for how, does in (("understood", understanding), ("carried out", stepping)):
        for name, text in TYPED.items():
            costs = await in_turns(rounds, {str(size): does(cast, text) for size, cast in casts.items()})
            medians = {size: statistics.median(costs[str(size)]) * 1e6 for size in sizes}
            row = "  ".join(f"{size:,}: {took:.0f}" for size, took in medians.items())
            held.append(verdict(f"{how}: {name:<18} {text:<30}", medians[sizes[-1]], BAR, " us", f"({row})"))
    found = {size: memory(size) for size in sizes}
    for size, (made, kept) in found.items():
        print(f"memory of {size:,} personas' names: {made:.2f} KiB each, {kept:.2f} with all commands asked for")
    growth = found[sizes[-1]][1] / found[sizes[0]][1]
    held.append(verdict(f"memory a persona, {sizes[-1]:,} against {sizes[0]}", growth, MEMORY))
    total(held)


def main() -> None:
    """Print microseconds a command, and memory a persona."""
    parser = argparse.ArgumentParser(prog="bench cast")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="personas, fewest first")
    args = parser.parse_args()
    asyncio.run(bench(args.sizes, args.rounds))


if __name__ == "__main__":
    main()
