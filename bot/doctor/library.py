"""Who can be called."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.app import library_of
from bot.doctor.finding import Case, Finding, Level, count
from bot.personas import lint
from bot.personas.library import Library

SHOWN = 10
"""So many findings in persona files are told one by one, errors first."""


async def check_library(case: Case) -> Sequence[Finding]:
    """Who can be called, and what is wrong with the files, by file and line."""
    return library_findings(await asyncio.to_thread(library_of, case.settings), case.settings.library.paths)


def library_findings(library: Library, paths: Sequence[Path]) -> list[Finding]:
    """What a library of those `paths`, beside the shipped files, comes to."""
    cast = library.cast
    shipped = sum(persona.source.shipped for persona in cast.personas)
    whose = f"{shipped} shipped, {len(cast.personas) - shipped} from {count(len(paths), 'path')} of yours"
    held = f"{count(len(cast.documents), 'document')}, {count(len(cast.resources), 'resource')}"
    says = f"{count(len(cast.personas), 'persona')} ({whose}), {held}"
    found = [Finding("library", "ok", says)]
    if not cast.personas:
        mend = "name a folder of persona files in library.paths, or set library.shipped to true"
        found = [Finding("library", "problem", "there is no persona that could be called", mend)]
    sources = [p.source for p in cast.personas] + [d.source for d in cast.documents]
    sources += [r.source for r in cast.resources]
    for path in paths:
        if not any(Path(source.path).is_relative_to(path) for source in sources):
            mend = "check the path; `greenroom personas check PATH` says what is read there"
            found.append(Finding("library", "warning", f"nothing of {path} is in the library", mend))
    for override in library.overrides:
        says = f"{override.what}: {override.stands.path}:{override.stands.line} takes the place of the shipped one"
        found.append(Finding("library", "ok", says))
    # What nobody has to mend (copies, files of other tools) is in `greenroom personas list --verbose`.
    told = [problem for problem in lint.check(library) if problem.severity != "note"]
    problems = sorted(told, key=lambda problem: problem.severity != "error")
    for problem in problems[:SHOWN]:
        level: Level = "problem" if problem.severity == "error" else "warning"
        found.append(Finding("library", level, f"{problem.path}:{problem.line}: {problem.reason}", problem.mend))
    if rest := problems[SHOWN:]:
        level = "problem" if rest[0].severity == "error" else "warning"
        mend = "`greenroom personas check PATH` tells all of them"
        found.append(Finding("library", level, f"and {count(len(rest), 'finding')} more in the files", mend))
    return found
