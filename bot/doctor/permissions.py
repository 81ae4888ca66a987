"""Who else on this machine can read what people have said."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bot.doctor.finding import Case, Finding
from bot.settings.keys import Secrets
from bot.stores.lock import lock_of

MEMORY = ":memory:"
MOUNTED = Path("/run/secrets")
"""Where containers have their secrets: they bear the modes of the host's files, and nobody else is in there."""

BESIDE = ("", "-wal", "-shm", ".history")
"""What stands beside the database under its name."""


async def check_permissions(case: Case) -> Sequence[Finding]:
    """Whether state and secrets can be read by others; on Windows the folder's own list of rights decides, unseen."""
    if os.name != "posix":
        return [Finding("permissions", "ok", "not looked at on this system: the rights of the folder decide")]
    path = case.settings.store.path
    found = []
    if not case.settings.store.url and str(path) != MEMORY and path.exists():
        files = [*(path.with_name(path.name + end) for end in BESIDE), lock_of(path)]
        if seen := [file for file in files if file.exists() and is_readable(file)]:
            says = f"others on this machine can read {', '.join(map(str, seen))}, and with that what people have said"
            mend = f"chmod 600 {shlex.join(map(str, seen))} && chmod 700 {shlex.quote(str(path.parent))}"
            found.append(Finding("permissions", "warning", says, mend))
        else:
            found.append(
                Finding("permissions", "ok", f"nobody but their owner can read {path} and what stands beside it")
            )
    for name, file in _named(case.env):
        if is_readable(file):
            says = f"others on this machine can read {file}, which {name} names"
            found.append(Finding("permissions", "warning", says, f"chmod 600 {shlex.quote(str(file))}"))
    return found or [Finding("permissions", "ok", "there is no file of the bot yet that others could read")]


def _named(env: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """The files that hold secrets, by the variables that name them."""
    for name in (f"{field.upper()}_FILE" for field in Secrets.model_fields):
        if value := env.get(name, ""):
            file = Path(os.path.expanduser(value))
            if file.is_file() and file.parent != MOUNTED:
                yield name, file


def is_readable(file: Path) -> bool:
    """Whether the modes of a file and of all folders above it let others than its owner read it."""
    mode = file.stat().st_mode
    for read, search in ((stat.S_IRGRP, stat.S_IXGRP), (stat.S_IROTH, stat.S_IXOTH)):
        if mode & read and all(above.stat().st_mode & search for above in file.absolute().parents):
            return True
    return False
