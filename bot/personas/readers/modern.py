"""BMAD v6: `.agent.yaml` files, and skills (`SKILL.md`) with the layers of their `customize.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from bot.personas.model import Command, Persona, Problem, Source, fold
from bot.personas.naming import default_icon, display_name, slug
from bot.personas.readers import safe_yaml
from bot.personas.readers.front_matter import FrontMatter, description_of, name_of
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
from bot.personas.readers.subagent import model_of, tools_of, when_to_use

_RUNS = ("skill", "workflow", "exec", "tmpl", "data", "validate-workflow", "action")
_GENERIC = frozenset({"workflow", "instructions", "skill", "template", "index"})
_AGENT = frozenset({"metadata", "persona", "menu", "critical_actions", "prompts"})
_METADATA = frozenset({"id", "name", "title", "icon", "description"})
_PERSONA = frozenset({"role", "identity", "communication_style", "principles"})
_TOML = frozenset({"name", "title", "icon", "menu", "description", "model"}) | _PERSONA


def is_agent(values: Mapping[str, object]) -> bool:
    """Whether these are the keys of a v6 agent, below `agent` or at the top."""
    values = as_mapping(values.get("agent")) or values
    return isinstance(values.get("metadata"), Mapping) and isinstance(values.get("persona"), Mapping)


def read_agent(values: Mapping[str, object], path: str, stem: str, line: int = 1) -> Reading:
    """The persona of a v6 `.agent.yaml`."""
    agent = as_mapping(values.get("agent")) or values
    metadata, persona = as_mapping(agent.get("metadata")), as_mapping(agent.get("persona"))
    written = one_line(metadata.get("id"))
    ident = slug(PurePosixPath(written).stem) or slug(stem)
    if not ident:
        return Reading(problems=(error(path, line, "the agent has no id", "add `id:` below `metadata:`"),))
    commands, problems = _menu(agent.get("menu"), path, line)
    title = one_line(metadata.get("title"))
    prompts = [as_mapping(prompt) for prompt in as_list(agent.get("prompts"))]
    sections = (
        ("Critical actions", agent.get("critical_actions")),
        *((f"Prompt #{one_line(p.get('id'))}", p.get("content")) for p in prompts),
        *((heading(key), value) for key, value in persona.items() if key not in _PERSONA),
    )
    extra = {key: value for key, value in agent.items() if key not in _AGENT}
    if rest := {key: value for key, value in metadata.items() if key not in _METADATA}:
        extra["metadata"] = rest
    found = Persona(
        id=ident,
        name=one_line(metadata.get("name")) or title or display_name(ident),
        title=title,
        icon=one_line(metadata.get("icon")) or default_icon(ident, title),
        when_to_use=when_to_use(text_of(metadata.get("description"))),
        role=text_of(persona.get("role")),
        identity=text_of(persona.get("identity")),
        style=text_of(persona.get("communication_style")),
        principles=_principles(persona.get("principles")),
        instructions=_sections(sections),
        commands=commands,
        extra=safe_yaml.dump(extra) if extra else "",
        source=Source(path, line, "bmad-v6"),
    )
    return Reading(personas=(found,), problems=problems)


def merged(layers: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    """Layers of a `customize.toml`, later ones over earlier ones.

    Tables are merged key by key, lists are joined; in lists of tables an entry replaces the one with its own `code`
    or `id`; any other value replaces what was there.
    """
    result: dict[str, object] = {}
    for layer in layers:
        for key, value in layer.items():
            result[key] = _merge(result[key], value) if key in result else value
    return result


def read_skill(front: FrontMatter | None, layers: Sequence[tuple[str, str]], path: str, stem: str) -> Reading | None:
    """The persona of a skill whose layers (path and text each, the base first) define an `[agent]`; else None."""
    problems: list[Problem] = []
    tables: list[Mapping[str, object]] = []
    for place, text in layers:
        try:
            tables.append(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, RecursionError) as problem:
            at = re.search(r"at line (\d+)", str(problem))
            problems.append(
                error(place, int(at[1]) if at else 1, f"it is not valid TOML: {problem}", "correct it or take it away")
            )
    whole = merged(tables)
    agent = as_mapping(whole.get("agent"))
    if not agent:
        return Reading(problems=tuple(problems)) if problems else None
    values = front.values if front else {}
    ident = slug(name_of(values)) or slug(stem)
    commands, more = _menu(agent.get("menu"), layers[0][0], 1)
    title = one_line(agent.get("title"))
    sections = [
        (heading(key), value)
        for key, value in agent.items()
        if key not in _TOML and not key.startswith("activation_steps")
    ]
    extra = {key: value for key, value in agent.items() if key not in _TOML}
    rest = {key: value for key, value in whole.items() if key != "agent"}
    body = front.body if front else ""
    found = Persona(
        id=ident,
        name=one_line(agent.get("name")) or title or display_name(ident),
        title=title,
        icon=one_line(agent.get("icon")) or default_icon(ident, title),
        when_to_use=when_to_use(description_of(values) or text_of(agent.get("description"))),
        role=text_of(agent.get("role")),
        identity=text_of(agent.get("identity")),
        style=text_of(agent.get("communication_style")),
        principles=_principles(agent.get("principles")),
        instructions="\n\n".join(part for part in (_sections(sections), body) if part),
        commands=commands,
        model=model_of(agent.get("model") or values.get("model")),
        tools=tools_of(values),
        extra=(safe_yaml.dump({"agent": extra}) if extra else "") + (safe_yaml.dump(rest) if rest else ""),
        source=Source(path, 1, "bmad-v6"),
    )
    return Reading(personas=(found,), problems=(*problems, *more))


def _merge(old: object, new: object) -> object:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return merged([as_mapping(old), as_mapping(new)])
    if isinstance(old, list) and isinstance(new, list):
        result = list(old)
        places = {key: place for place, item in enumerate(old) if (key := _identity(item))}
        for item in new:
            place = places.get(_identity(item))
            if place is None:
                result.append(item)
            else:
                result[place] = item
        return result
    return new


def _identity(item: object) -> str:
    table = as_mapping(item)
    return fold(one_line(table.get("code") or table.get("id")))


def _menu(value: object, path: str, line: int) -> tuple[tuple[Command, ...], tuple[Problem, ...]]:
    commands: list[Command] = []
    problems: list[Problem] = []
    for item in map(as_mapping, as_list(value)):
        if "triggers" in item or "multi" in item:
            inner = [{**as_mapping(entry)} for entry in as_list(item.get("triggers"))]
            for entry in inner:
                for name, content in entry.items():
                    detail = {k: v for part in as_list(content) for k, v in as_mapping(part).items()}
                    commands.append(_command(name, {"description": item.get("multi"), **detail}))
            continue
        trigger = one_line(item.get("trigger") or item.get("code") or item.get("cmd"))
        if not trigger:
            problems.append(Problem(path, line, "a menu item has no trigger", "give it `trigger:` (or `code =`)"))
            continue
        commands.append(_command(trigger, item))
    distinct = {fold(command.name): command for command in reversed(commands)}
    ordered = [distinct.pop(fold(command.name)) for command in commands if fold(command.name) in distinct]
    return tuple(ordered), tuple(problems)


def _command(trigger: str, item: Mapping[str, object]) -> Command:
    """`BP or fuzzy match on brainstorm-project` is the command brainstorm-project; its letters stay in front."""
    fuzzy = re.search(r"fuzzy match on\s+(\S+)", trigger, re.IGNORECASE)
    name = (fuzzy[1] if fuzzy else trigger).strip("*` ").replace(" ", "-")
    used = [stem for key in _RUNS if key in item for stem in _stems(text_of(item[key]))]
    described = one_line(item.get("description")) or one_line(item.get("prompt"))[:160]
    return Command(
        name=name,
        description=re.sub(r"^\[[^\]]{1,4}\]:?\s*", "", described),
        uses=tuple(dict.fromkeys(used)),
        confirm="(confirm" in fold(described),
    )


def _stems(target: str) -> list[str]:
    """What a path names: its file, or the folder where the file's own name says nothing."""
    if not target or target.startswith("#") or (" " in target.strip()) or target.casefold() in ("todo", "none"):
        return []
    parts = PurePosixPath(target.strip()).parts
    stem = PurePosixPath(parts[-1]).stem
    return [parts[-2] if stem.casefold() in _GENERIC and len(parts) > 1 else stem]


def _principles(value: object) -> tuple[str, ...]:
    """Principles as a list, or as one text with a bullet or a line for each."""
    return tuple(line.strip().removeprefix("- ").strip() for line in lines_of(value) if line.strip(" -"))


def _sections(sections: Sequence[tuple[str, object]]) -> str:
    return "\n\n".join(
        f"## {title}\n\n{bullets(value)}" for title, value in sections if value not in (None, "", [], {})
    )
