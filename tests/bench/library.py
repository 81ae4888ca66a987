"""How long a library of 1,000 persona files takes, against a bare YAML parse of the same files in the same run.

python -m tests.bench.library
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from bot.personas.library import Library

FILES = 1_000


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


def main() -> None:
    """Print milliseconds, and ratios to the bare loop."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(FILES):
            text = agent(number) if number % 2 else subagent(number)
            (folder / f"{number:04}.md").write_text(text, encoding="utf-8")
        floor = took(lambda: bare(folder))
        first = took(lambda: Library([folder]))
        library = Library([folder])
        if len(library.cast.personas) != FILES:
            raise SystemExit(f"{len(library.cast.personas)} personas instead of {FILES}")
        again = took(library.reload)
    print(f"bare YAML of {FILES} files  {floor:7.0f} ms  1.00x")
    print(f"library of {FILES} files    {first:7.0f} ms  {first / floor:.2f}x")
    print(f"reload, nothing changed  {again:7.0f} ms  {again / floor:.2f}x")


if __name__ == "__main__":
    main()
