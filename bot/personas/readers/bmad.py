"""BMAD v4 agents: Markdown around one fence of YAML with `agent`, `persona`, `commands` and `dependencies`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from bot.personas.model import Dependency, Persona, Problem, Source
from bot.personas.naming import default_icon, display_name, slug
from bot.personas.readers import safe_yaml
from bot.personas.readers.commands import instructions, read_commands
from bot.personas.readers.reading import (
    Reading,
    as_list,
    as_mapping,
    bullets,
    error,
    heading,
    lines_of,
    one_line,
    text_of,
)
from bot.personas.readers.repair import repaired

_OPEN = re.compile(r"^(?P<fence>`{3,}|~{3,})[ \t]*(?:ya?ml)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_DEFINES = re.compile(r"^(?:persona|commands):", re.MULTILINE)
MAX_FENCES = 20
"""How many fences of a file are looked into for an agent."""

MAX_DEPENDENCIES = 1_000

_MAPPED = frozenset({"agent", "persona", "commands", "dependencies", "core_principles"})
_HOST_KEYS = frozenset(
    {
        "ide-file-resolution",
        "iide-file-resolution",
        "request-resolution",
        "activation-instructions",
        "startup",
        "root",
        "help-display-template",
        "fuzzy-matching",
        "loading",
    }
)
"""Keys that tell a model in an editor to do what the host does here: kept, but not put before the model."""

_AGENT_KEYS = frozenset({"name", "id", "title", "icon", "whenToUse", "customization", "model"})
_PERSONA_KEYS = frozenset({"role", "identity", "style", "focus", "core_principles"})


def fences(text: str) -> tuple[tuple[str, int], ...]:
    """What may be the agent's YAML, likeliest first, each with the line (from 1) on which it begins.

    BMAD's own tools end a fence at its first closing line; files made of files that hold fences of their own need
    the last one, before the exporter's `## File Reference` where there is one.
    """
    found: list[tuple[str, int]] = []
    end = re.search(r"^## File Reference[ \t]*$", text, re.MULTILINE)
    whole = text[: end.start()] if end else text
    for match in islice(_OPEN.finditer(whole), MAX_FENCES):
        start = match.end() + 1
        line = text.count("\n", 0, start) + 1
        closings = list(re.finditer(rf"^{match['fence'][0]}{{{len(match['fence'])},}}[ \t]*$", whole[start:], re.M))
        outermost = [closings[0], closings[-1]] if closings else []
        spans = outermost[::-1] if end else outermost
        for content in dict.fromkeys(whole[start : start + span.start()] for span in spans):
            found.append((content, line))
        if not closings:
            found.append((whole[start:], line))
    return tuple(found)


def agent_fences(text: str) -> tuple[tuple[str, int], ...]:
    """The content of each fence with an agent's YAML, and its first line (from 1): each ends at its first closing."""
    found: list[tuple[str, int]] = []
    at = 0
    while mark := _OPEN.search(text, at):
        closing = re.compile(rf"^{mark['fence'][0]}{{{len(mark['fence'])},}}[ \t]*$", re.M).search(text, mark.end() + 1)
        at = closing.end() if closing else len(text)
        content = text[mark.end() + 1 : closing.start() if closing else at]
        if is_agent_yaml(content) and _DEFINES.search(content):
            found.append((content, text.count("\n", 0, mark.end() + 1) + 1))
    return tuple(found)


def is_agent_yaml(text: str) -> bool:
    """Whether `text` has the top-level keys of an agent."""
    return bool(re.search(r"^agent:", text, re.MULTILINE))


def read_fenced(text: str, path: str, stem: str, line: int = 1, format: str = "bmad-v4") -> Reading:
    """The persona in a Markdown file with a fence; `line` is where `text` begins in the file at `path`."""
    candidates = [(content, start) for content, start in fences(text) if is_agent_yaml(content)]
    failed: Reading | None = None
    for content, start in candidates:
        reading = read_yaml(content, path, stem, line + start - 1, line, format)
        if reading.personas:
            return reading
        failed = failed or reading
    return failed or Reading()


def read_yaml(text: str, path: str, stem: str, line: int = 1, defined: int = 1, format: str = "bmad-v4") -> Reading:
    """The persona in an agent's YAML; `line` is where the YAML begins, `defined` where the whole definition does."""
    problems: list[Problem] = []
    try:
        parsed = safe_yaml.parse(text)
    except safe_yaml.YamlError as problem:
        mended = text if problem.refused else repaired(text)
        try:
            if mended == text:
                raise problem
            parsed = safe_yaml.parse(mended)
        except safe_yaml.YamlError:
            return Reading(problems=(error(path, line + problem.line - 1, problem.reason, problem.mend),))
        problems.append(
            Problem(path, line + problem.line - 1, f"{problem.reason}; it was read as a text", problem.mend)
        )
        text = mended
    problems += [Problem(path, line + key.line - 1, key.reason, key.mend) for key in parsed.doubled]
    data = as_mapping(parsed.value)
    if not isinstance(data.get("agent"), Mapping):
        return Reading(
            problems=(
                *problems,
                error(path, line, "`agent` is no mapping", "give it `id`, `name` and `title`, indented below it"),
            )
        )
    extra = safe_yaml.cut(text, parsed, _MAPPED)
    persona, more = _persona(data, extra, path, stem, line, format)
    problems += more
    personas = (replace(persona, source=Source(path, defined, format)),) if persona else ()
    return Reading(personas=personas, problems=tuple(problems))


def _persona(
    data: Mapping[str, object], extra: str, path: str, stem: str, line: int, format: str
) -> tuple[Persona | None, list[Problem]]:
    agent, persona = as_mapping(data.get("agent")), as_mapping(data.get("persona"))
    problems: list[Problem] = []
    ident = slug(one_line(agent.get("id"))) or slug(stem) or slug(one_line(agent.get("name")))
    if not ident:
        return None, [error(path, line, "the agent has neither id nor name", "add `id:` below `agent:`")]
    if not one_line(agent.get("id")):
        problems.append(Problem(path, line, f"the agent has no id; it goes by `{ident}`", "add `id:` below `agent:`"))
    if "persona" in data and not isinstance(data["persona"], Mapping | None):
        problems.append(Problem(path, line, "`persona` is no mapping and was not read", "give it `role`, `identity`"))
    dependencies, misplaced = read_dependencies(data.get("dependencies"))
    problems += [
        Problem(path, line, f"the dependency {name!r} is no plain file name", "name a file in its kind's folder")
        for name in misplaced
    ]
    commands = read_commands(data.get("commands"), dependencies)
    problems += [
        Problem(path, line, f"the command {shown!r} could not be read", "write it as `- name: what it does`")
        for shown in commands.unread
    ]
    title = one_line(agent.get("title"))
    name = one_line(agent.get("name")) or title or display_name(ident)
    return (
        Persona(
            id=ident,
            name=name,
            title=title,
            icon=one_line(agent.get("icon")) or default_icon(ident, title),
            when_to_use=text_of(agent.get("whenToUse")),
            role=text_of(persona.get("role")),
            identity=text_of(persona.get("identity")),
            style=text_of(persona.get("style")),
            focus=text_of(persona.get("focus")),
            principles=lines_of(persona.get("core_principles")) + lines_of(data.get("core_principles")),
            customization=text_of(agent.get("customization")),
            instructions=_instructions(data, persona, instructions(commands.details)),
            commands=commands.commands,
            dependencies=dependencies,
            model=one_line(agent.get("model")),
            extra=extra + _rest("agent", agent, _AGENT_KEYS) + _rest("persona", persona, _PERSONA_KEYS),
        ),
        problems,
    )


def read_dependencies(value: object) -> tuple[tuple[Dependency, ...], tuple[str, ...]]:
    """The dependencies, and those names that would lead out of their folder."""
    found: list[Dependency] = []
    misplaced: list[str] = []
    entries = (
        [(text_of(kind), item) for kind, items in value.items() for item in as_list(items)]
        if isinstance(value, Mapping)
        else [("", item) for item in as_list(value)]
    )
    for kind, item in entries:
        name = one_line(next(iter(item), "")) if isinstance(item, Mapping) else one_line(item)
        if not kind and "/" in name:
            kind, _, name = name.rpartition("/")
            kind = kind.rpartition("/")[2]
        name = name.removeprefix(f"{kind}/")
        if not name:
            continue
        if re.search(r"[\\\x00-\x1f\x7f]|^/|^[A-Za-z]:|(?:^|/)\.\.(?:/|$)", name):
            misplaced.append(name)
        else:
            found.append(Dependency(kind or "tasks", name))
    distinct = tuple(dict.fromkeys(found))
    if len(distinct) > MAX_DEPENDENCIES:
        misplaced.append(f"(all beyond the first {MAX_DEPENDENCIES})")
    return distinct[:MAX_DEPENDENCIES], tuple(misplaced)


def _instructions(data: Mapping[str, object], persona: Mapping[str, object], details: str) -> str:
    sections = [
        f"## {heading(key)}\n\n{bullets(value)}"
        for key, value in (
            *((key, value) for key, value in persona.items() if key not in _PERSONA_KEYS),
            *((key, value) for key, value in data.items() if key not in _MAPPED and key.casefold() not in _HOST_KEYS),
        )
        if value not in (None, "", [], {})
    ]
    return "\n\n".join([*sections, details] if details else sections)


def _rest(section: str, values: Mapping[str, object], known: frozenset[str]) -> str:
    rest = {key: value for key, value in values.items() if key not in known}
    return safe_yaml.dump({section: rest}) if rest else ""
