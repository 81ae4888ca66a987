"""What the bot runs on: Python, packages, this terminal."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata

from bot import installed
from bot.doctor.finding import Case, Finding

NOWHERE = "/nonexistent"
"""What HOME is set to for a process without one (see bot/__main__.py)."""

REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


async def check_versions(case: Case) -> Sequence[Finding]:
    """Python, SQLite, and the packages that Greenroom needs."""
    running = f"Greenroom {metadata.version('greenroom')}, Python {platform.python_version()} on {platform.platform()}"
    versions = {name: version_of(name) for name in required(metadata.requires("greenroom") or ())}
    there = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    found = [
        Finding("versions", "ok", f"{running}, SQLite {sqlite3.sqlite_version}"),
        Finding("versions", "ok", there),
    ]
    if case.env.get("HOME") == NOWHERE:
        says = "HOME is not set, and this user has no entry in passwd: `~` in paths leads nowhere"
        found.append(Finding("versions", "warning", says, "set HOME to a folder of the bot's user"))
    for name, version in versions.items():
        if version is None:
            mend = f"install Greenroom again: `{installed.command()}`"
            found.append(Finding("versions", "problem", f"the package {name} is missing", mend))
    return found


def required(requirements: Sequence[str]) -> list[str]:
    """The names of the packages that are always needed, extras aside."""
    return [found[0] for line in requirements if "extra ==" not in line and (found := REQUIREMENT.match(line))]


def version_of(name: str) -> str | None:
    """The installed version of a package; None without it."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


async def check_terminal(case: Case) -> Sequence[Finding]:
    """How `greenroom chat` would look here."""
    return terminal_findings(
        case.env,
        is_terminal=sys.stdin.isatty() and sys.stdout.isatty(),
        encoding=sys.stdout.encoding or "",
        size=shutil.get_terminal_size(),
    )


def terminal_findings(
    env: Mapping[str, str], *, is_terminal: bool, encoding: str, size: os.terminal_size
) -> list[Finding]:
    """What a terminal of that kind can show."""
    found = []
    term = env.get("TERM", "")
    if not is_terminal:
        found.append(Finding("terminal", "ok", "input or output is no terminal: a chat here is one message a line"))
    elif term in ("", "dumb", "unknown"):
        mend = "set TERM to what your terminal is, such as xterm-256color"
        says = f"this terminal cannot move its cursor (TERM={term}): a chat here is one message a line"
        found.append(Finding("terminal", "warning", says, mend))
    else:
        colour = "without colour (NO_COLOR is set)" if env.get("NO_COLOR") else "in colour"
        found.append(Finding("terminal", "ok", f"{term} of {size.columns} columns and {size.lines} lines, {colour}"))
    if encoding.lower().replace("-", "").replace("_", "") not in ("utf8", "utf8sig"):
        mend = "set PYTHONUTF8=1, or a UTF-8 locale such as LANG=C.UTF-8"
        found.append(Finding("terminal", "warning", f"the output is {encoding or 'unknown'}, which has no icons", mend))
    return found
