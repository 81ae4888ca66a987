"""How long a library of 1,000 persona files takes, against a bare YAML parse of the same files in the same run.

python -m tests.bench.library

A second start finds what the first one kept on disk; it is measured in this process, and in fresh ones, where it is
the time that the library takes there and its modules are loaded already.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from bot.personas.cache import ShelfCache
from bot.personas.library import Library

FILES = 1_000

FRESH = """
import sys
from pathlib import Path
from tests.bench.library import start, took
print(took(lambda: start(Path(sys.argv[1]), Path(sys.argv[2])), 1))
"""


def agent(number: int) -> str:
    """A BMAD agent of the usual size."""
    principles = "\n".join(f"    - Principle {n} - Weigh what point {n} costs against what it brings" for n in range(8))
    rules = "\n".join(f"  - STEP {n}: Do what step {n} of the start says, and nothing beyond it" for n in range(14))
    commands = "\n".join(
        f"  - make-thing-{n} {{topic}}: run task create-doc.md with template thing-{n}-tmpl.yaml" for n in range(8)
    )
    templates = "\n".join(f"    - thing-{n}-tmpl.yaml" for n in range(8))
    return f"""# agent-{number}

```yaml
activation-instructions:
{rules}
agent:
  name: Agent {number}
  id: agent-{number}
  title: Maker of Things
  icon: 🔧
  whenToUse: Use for making the things of kind {number}
  customization: null
persona:
  role: Maker
  style: Plain and quick
  identity: Somebody who makes things of kind {number}
  focus: Things
  core_principles:
{principles}
commands:
  - help: Show a numbered list of the commands
{commands}
  - exit: Exit (confirm)
dependencies:
  tasks:
    - create-doc.md
  templates:
{templates}
```
"""


def subagent(number: int) -> str:
    """A subagent of the usual size, one in sixteen with a description that is no valid YAML."""
    colon = "Examples: <example>Context: one. user: 'go' assistant: 'gone'</example>" if number % 16 == 0 else ""
    body = "\n\n".join(f"## Part {n}\n\n" + "You do this part with care and say what you did. " * 8 for n in range(8))
    return f"""---
name: helper-{number}
description: Use this agent when work of kind {number} comes up. {colon}
tools: Read, Grep
model: sonnet
color: blue
---

{body}
"""


def yaml_of(text: str) -> str:
    """The YAML that a reader must parse at the least."""
    fence = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    return fence[1] if fence else text.split("---\n")[1]


def took(work: Callable[[], object], times: int = 3) -> float:
    """The shortest of a few runs, in milliseconds."""

    def once() -> float:
        start = time.perf_counter()
        work()
        return (time.perf_counter() - start) * 1_000

    return min(once() for _ in range(times))


def bare(folder: Path) -> None:
    """Read and parse the YAML of every file, and nothing else."""
    for path in sorted(folder.iterdir()):
        try:
            yaml.load(yaml_of(path.read_text(encoding="utf-8")), Loader=yaml.CSafeLoader)
        except yaml.YAMLError:
            continue


def start(folder: Path, cache: Path) -> Library:
    """The whole library, as a start with that cache file gets it. Raises SystemExit where somebody is missing."""
    library = Library([folder], cache=ShelfCache(cache, "bench"))
    if len(library.cast.personas) != FILES:
        raise SystemExit(f"{len(library.cast.personas)} personas instead of {FILES}")
    return library


def first_start(folder: Path, cache: Path) -> Library:
    """A start that finds no cache, and writes it."""
    cache.unlink(missing_ok=True)
    return start(folder, cache)


def in_a_fresh_process(folder: Path, cache: Path) -> float:
    """How long a start takes in a process of its own, in milliseconds; the shortest of a few."""
    command = [sys.executable, "-c", FRESH, str(folder), str(cache)]
    return min(float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3))


def main() -> None:
    """Print milliseconds, and ratios to the bare loop and to the first start."""
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name, "personas"), Path(name, "library.cache")
        folder.mkdir()
        for number in range(FILES):
            path = folder / f"{number:04}.md"
            path.write_text(agent(number) if number % 2 else subagent(number), encoding="utf-8")
            # What was written just now is not kept; these are from yesterday.
            os.utime(path, (time.time() - 86_400,) * 2)
        floor = took(lambda: bare(folder))
        without = took(lambda: Library([folder]))
        first = took(lambda: first_start(folder, cache))
        size = cache.stat().st_size / (1 << 20)
        second = took(lambda: start(folder, cache))
        fresh = in_a_fresh_process(folder, cache)
        library = start(folder, cache)
        again = took(library.reload)
    rows = (
        (f"bare YAML of {FILES} files", floor),
        ("start without a cache", without),
        (f"first start, writes {size:.1f} MiB", first),
        ("second start", second),
        ("second start, fresh process", fresh),
        ("reload, nothing changed", again),
    )
    print(f"{'':<30} {'':>10} {'to bare':>8} {'to first':>8}")
    for what, took_ms in rows:
        print(f"{what:<30} {took_ms:7.0f} ms {took_ms / floor:7.2f}x {took_ms / first:7.2f}x")


if __name__ == "__main__":
    main()
