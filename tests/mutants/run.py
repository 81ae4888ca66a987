"""`scripts/mutants`: applies each mutant to a copy of the project, runs its tests there, and names who survives."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

from tests.mutants.catalogue import MUTANTS
from tests.mutants.model import Mutant, StaleError

ROOT = Path(__file__).resolve().parents[2]

LONGEST = 900
"""Seconds after which the tests of a mutant are ended: it hangs, which is noticed too."""

FAILED = 1
"""How pytest ends where tests ran and failed; any other end but 0 is no verdict on the mutant."""

SUMMARY = "short test summary info"
"""Below this pytest names what failed."""

_LEFT_OUT = shutil.ignore_patterns(".*_cache", ".git", ".venv", ".hypothesis", "__pycache__", "*.pyc", "*.sqlite3*")

Fate = Literal["killed", "survived", "broken"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant, and by which test, or what is wrong with it."""

    mutant: str
    fate: Fate
    by: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 1 where a mutant survived, or could not be tried."""
    args = _parser().parse_args(argv)
    chosen = [m for m in MUTANTS if not args.names or any(part.casefold() in m.name.casefold() for part in args.names)]
    if args.list or not chosen:
        print("\n".join(m.name for m in chosen) or "No mutant is called so; --list lists them.")
        return 0 if args.list else 2
    try:
        for mutant in chosen:
            mutant.sources(ROOT)
    except StaleError as error:
        print(f"A mutant no longer fits the source. {error}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        grounds: SimpleQueue[Path] = SimpleQueue()
        for number in range(args.jobs):
            grounds.put(Path(shutil.copytree(ROOT, Path(folder) / str(number), ignore=_LEFT_OUT)))
        if not _is_sound(grounds, chosen):
            return 1
        with ThreadPoolExecutor(args.jobs) as pool:
            verdicts = []
            for verdict in pool.map(lambda mutant: _tried(grounds, mutant), chosen):
                verdicts.append(verdict)
                print(f"{verdict.fate:9} {verdict.mutant}{f'  ({verdict.by})' if verdict.by else ''}", flush=True)
    left = [verdict.mutant for verdict in verdicts if verdict.fate != "killed"]
    print(f"\n{len(chosen)} mutants, {len(left)} of them survived or could not be tried{': ' if left else '.'}", end="")
    print(", ".join(left))
    return 1 if left else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/mutants", description="Break the bot and see whether tests notice.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="parts of mutants' names; all without one")
    parser.add_argument("-j", dest="jobs", type=int, default=1, metavar="N", help="so many at a time (1)")
    parser.add_argument("--list", action="store_true", help="list them")
    return parser


def _is_sound(grounds: SimpleQueue[Path], chosen: Sequence[Mutant]) -> bool:
    """Whether the tests pass where nothing was taken away: a test that always fails notices nothing."""
    tests = dict.fromkeys(test for mutant in chosen for test in mutant.tests)
    ground = grounds.get()
    try:
        ended, output = _tested(ground, list(tests))
    finally:
        grounds.put(ground)
    if ended != 0:
        print(f"The tests fail without any mutant, so they would tell nothing of one:\n{output}", file=sys.stderr)
    return ended == 0


def _tried(grounds: SimpleQueue[Path], mutant: Mutant) -> Verdict:
    ground = grounds.get()
    try:
        for file, text in mutant.sources(ROOT).items():
            (ground / file).write_text(text, "utf-8")
        ended, output = _tested(ground, mutant.tests)
    finally:
        for file in {edit.file for edit in mutant.edits}:
            with suppress(FileNotFoundError):
                shutil.copyfile(ROOT / file, ground / file)
        grounds.put(ground)
    if ended == 0:
        return Verdict(mutant.name, "survived")
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", output.rpartition(SUMMARY)[2], re.MULTILINE)
    if ended not in (FAILED, None) or (failed is None and ended == FAILED):
        return Verdict(mutant.name, "broken", f"pytest ended with {ended}:\n{output[-2000:]}")
    return Verdict(mutant.name, "killed", failed[1] if failed else f"no end after {LONGEST} s")


def _tested(ground: Path, tests: Sequence[str]) -> tuple[int | None, str]:
    """Run tests in a copy; how pytest ended (None: not within `LONGEST`), and what it printed."""
    command = (sys.executable, "-B", "-m", "pytest", "-x", "-q", "--no-header", "--tb=short", *tests)
    # The copy comes before the checkout that the environment has installed, also for processes that tests start.
    env = os.environ | {"PYTHONPATH": str(ground), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(command, cwd=ground, env=env, capture_output=True, text=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        return None, ""
    return run.returncode, run.stdout + run.stderr
