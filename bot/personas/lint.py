"""What an author should know of persona files that can be read, but will not do all that they say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from bot.core.command_table import HOST_COMMANDS
from bot.personas.files import UnreadableError, text_of_file
from bot.personas.library import Library
from bot.personas.model import Cast, Persona, Problem, fold
from bot.personas.templates import config_problems, templates_of

MODEL_ALIASES = ("opus", "sonnet", "haiku")
"""What a file may call a model by, beside a model's own id."""

_MODEL_ID = re.compile(r"^(?:[a-z]{2}\.)?(?:anthropic[./])?claude[\w.:@-]*$", re.IGNORECASE)
_HELD = frozenset({*HOST_COMMANDS, "stop"})
"""What the host listens to in every conversation; a persona of that name could not be called."""


def check(library: Library, *, shipped: bool = False) -> tuple[Problem, ...]:
    """The library's problems, its personas' and its templates', by file and line; shipped files only if asked for."""
    lines = _Lines()
    found = [
        problem
        for persona in library.cast.personas
        if shipped or not persona.source.shipped
        for problem in check_persona(persona, library.cast, lines)
    ]
    hidden = {persona.source.path for persona in library.cast.personas if persona.source.shipped}
    told = [problem for problem in library.problems if shipped or problem.path not in hidden]
    told += [problem for template in templates_of(library, shipped=shipped) for problem in template.problems]
    told += config_problems(library, shipped=shipped)
    return tuple(sorted({*told, *found}, key=lambda problem: (problem.path, problem.line, problem.reason)))


def summed_up(library: Library) -> str:
    """One line about what is wrong with a library's files, or stands behind something; empty where nothing is."""
    counts = Counter(problem.severity for problem in library.problems)
    copies = sum(" is the same as in " in problem.reason for problem in library.problems)
    told = [
        _count(counts["error"], "file cannot be read as it is", "files cannot be read as they are"),
        _count(counts["warning"], "finding", "findings"),
        _count(_behind(library), "persona stands behind another", "personas stand behind others"),
        _count(copies, "copy was left out", "copies were left out"),
        _count(
            counts["note"] - copies - _behind(library), "file belongs to another tool", "files belong to other tools"
        ),
    ]
    parts = [part for part in told if part]
    return f"Persona files: {', '.join(parts)}." if parts else ""


SHOWN = 3
"""So many files that cannot be read are named at a start; the line that sums up counts them all."""


def at_start(library: Library) -> tuple[str, ...]:
    """What a start says about persona files: which cannot be read and who answers in their place; then all in one line.

    Empty where there is nothing to say.
    """
    errors = [problem for problem in library.problems if problem.severity == "error"]
    lines = [f"{problem}{_instead(problem, library.cast)}" for problem in errors[:SHOWN]]
    if line := summed_up(library):
        lines.append(f"{line} `greenroom personas list --verbose` tells which.")
    return tuple(lines)


def _instead(problem: Problem, cast: Cast) -> str:
    """Who answers to the name of a file that cannot be read."""
    path = Path(problem.path)
    ident = path.parent.name if path.stem.casefold() == "skill" else path.stem
    persona = cast.persona(ident)
    if persona is None or persona.source.path == problem.path:
        return ""
    whose = "of the shipped cast" if persona.source.shipped else f"of {persona.source.path}"
    return f". Until then {persona.name} {whose} answers to *{persona.id}."


def _behind(library: Library) -> int:
    return sum(problem.severity == "note" and " stands behind " in problem.reason for problem in library.problems)


def _count(number: int, one: str, many: str) -> str:
    return "" if number < 1 else f"1 {one}" if number == 1 else f"{number} {many}"


def check_persona(persona: Persona, cast: Cast, lines: _Lines | None = None) -> tuple[Problem, ...]:
    """What is wrong with one persona in the company of a cast."""
    at = lines or _Lines()
    return (
        *_dependencies(persona, cast, at),
        *_commands(persona, cast, at),
        *_model(persona, at),
        *_name(persona, at),
    )


def as_json(problems: Sequence[Problem]) -> list[dict[str, str | int]]:
    """Problems as plain values for `--json`."""
    return [
        {
            "path": problem.path,
            "line": problem.line,
            "severity": problem.severity,
            "reason": problem.reason,
            "mend": problem.mend,
        }
        for problem in problems
    ]


class _Lines:
    """Looks up the line that a word stands on, below the line where its persona begins."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}

    def of(self, persona: Persona, *words: str) -> int:
        """The first line with one of the words; the persona's own first line where no line has."""
        source = persona.source
        if source.path not in self._texts:
            path = Path(source.path)
            try:
                self._texts[source.path] = text_of_file(path, path.resolve().parent).split("\n")
            except UnreadableError:
                self._texts[source.path] = []
        lines = self._texts[source.path]
        for word in words:
            pattern = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
            for number in range(source.line, len(lines) + 1):
                if pattern.search(lines[number - 1]):
                    return number
        return source.line


def _dependencies(persona: Persona, cast: Cast, at: _Lines) -> Iterable[Problem]:
    for dependency in persona.dependencies:
        if cast.resource(persona, dependency.name, dependency.kind) or cast.resource(persona, dependency.name):
            continue
        yield _warning(
            persona,
            at.of(persona, f"- {dependency.name}", dependency.name),
            f"{persona.id} depends on {dependency.kind}/{dependency.name}, which is not in the library",
            f"add it to a folder {dependency.kind}, or take it off the dependencies",
        )


def _commands(persona: Persona, cast: Cast, at: _Lines) -> Iterable[Problem]:
    listed = {fold(dependency.stem) for dependency in persona.dependencies}
    for command in persona.commands:
        for stem in command.uses:
            if fold(stem) in listed or cast.resource(persona, stem):
                continue
            yield _warning(
                persona,
                at.of(persona, stem, command.name),
                f"the command *{command.name} of {persona.id} runs {stem}, which is not in the library",
                "add that file, or mend the command's text",
            )


def _model(persona: Persona, at: _Lines) -> Iterable[Problem]:
    if persona.model and fold(persona.model) not in MODEL_ALIASES and not _MODEL_ID.match(persona.model):
        yield _warning(
            persona,
            at.of(persona, "model"),
            f"{persona.id} asks for the model {persona.model!r}, which is no known alias",
            f"write one of {', '.join(MODEL_ALIASES)}, or a full model id",
        )


def _name(persona: Persona, at: _Lines) -> Iterable[Problem]:
    if fold(persona.id) in _HELD:
        yield _warning(
            persona,
            at.of(persona, persona.id),
            f"the id {persona.id} is a command of the host, so this persona cannot be called by it",
            "give it another id",
        )


def _warning(persona: Persona, line: int, reason: str, mend: str) -> Problem:
    return Problem(persona.source.path, line, reason, mend)
