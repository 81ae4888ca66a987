"""BMAD v6: `.agent.yaml` files, and skills (`SKILL.md`) with the layers of their `customize.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from bot.personas.model import Command, Dependency, Persona, Problem, Source, fold
from bot.personas.naming import default_icon, display_name, slug
from bot.personas.party import PartyGroup, PartyMember
from bot.personas.readers import safe_yaml
from bot.personas.readers.front_matter import FrontMatter, description_of, name_of
from bot.personas.readers.layers import customized, merged
from bot.personas.readers.menus import named_prompts, read_menu
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

_AGENT = frozenset({"metadata", "persona", "menu", "critical_actions", "prompts", "memories"})
_METADATA = frozenset({"id", "name", "title", "icon", "description"})
_PERSONA = frozenset({"role", "identity", "communication_style", "principles"})
_ACTIVATION = frozenset({"on activation", "activation", "conventions"})
"""Sections of a skill that say how a program finds its files and starts it."""

NO_COMPUTER = (
    "What your definition says below was written for an assistant that has a computer. In this chat there is none: "
    "nobody runs a program or a script, starts a skill or another agent, reads or writes a file, or searches the web. "
    "Where it asks for that, say so, ask people for what you need, and do what talking can do."
)
_NEEDS_COMPUTER = re.compile(
    r"\b(?:run|execute|invoke|load|read|write|save|update|search|sub-?process|sub-?agents?|scripts?|files?|folder|"
    r"director(?:y|ies)|uv run|npx|python3?)\b|\{project-root\}|\{skill-root\}",
    re.IGNORECASE,
)

_TOML = frozenset({"name", "title", "icon", "menu", "description", "model"}) | _PERSONA


def is_agent(values: Mapping[str, object]) -> bool:
    """Whether these are the keys of a v6 agent, below `agent` or at the top."""
    values = as_mapping(values.get("agent")) or values
    return isinstance(values.get("metadata"), Mapping) and isinstance(values.get("persona"), Mapping)


def read_agent(
    values: Mapping[str, object],
    path: str,
    stem: str,
    line: int = 1,
    layers: Sequence[tuple[str, str]] = (),
    description: str = "",
) -> Reading:
    """The persona of a v6 agent, in the shape of an `.agent.yaml`, with its `.customize.yaml` (path and text) over it.

    `description` is used where its own metadata have none.
    """
    agent, told = customized(as_mapping(values.get("agent")) or values, layers)
    metadata, persona = as_mapping(agent.get("metadata")), as_mapping(agent.get("persona"))
    written = one_line(metadata.get("id"))
    ident = slug(re.sub(r"(?:\.agent)?\.(?:md|ya?ml|xml)$", "", PurePosixPath(written).name)) or slug(stem)
    if not ident:
        return Reading(problems=(error(path, line, "the agent has no id", "add `id:` below `metadata:`"),))
    prompts = {one_line(p.get("id")): text_of(p.get("content")) for p in map(as_mapping, as_list(agent.get("prompts")))}
    commands, problems = read_menu(agent.get("menu"), prompts, path, line)
    named = named_prompts(agent.get("menu"))
    title = one_line(metadata.get("title"))
    sections = (
        ("Critical actions", agent.get("critical_actions")),
        ("To remember", agent.get("memories")),
        *((f"Prompt #{ident}", content) for ident, content in prompts.items() if ident not in named),
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
        when_to_use=when_to_use(text_of(metadata.get("description")) or description),
        role=text_of(persona.get("role")),
        identity=text_of(persona.get("identity")),
        style=text_of(persona.get("communication_style")),
        principles=principles(persona.get("principles")),
        instructions=in_a_chat(_sections(sections), commands),
        commands=commands,
        dependencies=_loadable(commands),
        extra=safe_yaml.dump(extra) if extra else "",
        source=Source(path, line, "bmad-v6"),
    )
    return Reading(personas=(found,), problems=(*told, *problems))


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
    members, groups = _party(as_mapping(whole.get("workflow")))
    agent = as_mapping(whole.get("agent"))
    if not agent:
        found = Reading(problems=tuple(problems), members=members, groups=groups)
        return found if problems or members or groups else None
    values = front.values if front else {}
    ident = slug(name_of(values)) or slug(stem)
    commands, more = read_menu(agent.get("menu"), {}, layers[0][0], 1)
    title = one_line(agent.get("title"))
    sections = [
        (heading(key), value)
        for key, value in agent.items()
        if key not in _TOML and not key.startswith("activation_steps")
    ]
    extra = {key: value for key, value in agent.items() if key not in _TOML}
    rest = {key: value for key, value in whole.items() if key != "agent"}
    body = _without_activation(front.body) if front else ""
    persona = Persona(
        id=ident,
        name=one_line(agent.get("name")) or title or display_name(ident),
        title=title,
        icon=one_line(agent.get("icon")) or default_icon(ident, title),
        when_to_use=when_to_use(description_of(values) or text_of(agent.get("description"))),
        role=text_of(agent.get("role")),
        identity=text_of(agent.get("identity")),
        style=text_of(agent.get("communication_style")),
        principles=principles(agent.get("principles")),
        instructions=in_a_chat("\n\n".join(part for part in (_sections(sections), body) if part), commands),
        commands=commands,
        dependencies=_loadable(commands),
        model=model_of(agent.get("model") or values.get("model")),
        tools=tools_of(values),
        extra=(safe_yaml.dump({"agent": extra}) if extra else "") + (safe_yaml.dump(rest) if rest else ""),
        source=Source(path, 1, "bmad-v6"),
    )
    return Reading(personas=(persona,), problems=(*problems, *more), members=members, groups=groups)


def _party(workflow: Mapping[str, object]) -> tuple[tuple[PartyMember, ...], tuple[PartyGroup, ...]]:
    """The guests and rooms of a party; those without a code or id cannot be named, and are left out."""
    members = [
        PartyMember(
            code=code,
            name=one_line(member.get("name")) or display_name(code),
            icon=one_line(member.get("icon")) or default_icon(code),
            title=one_line(member.get("title")),
            persona=text_of(member.get("persona")),
            capabilities=text_of(member.get("capabilities")),
            model=model_of(member.get("model")),
        )
        for member in map(as_mapping, as_list(workflow.get("party_members")))
        if (code := one_line(member.get("code")))
    ]
    groups = [
        PartyGroup(
            id=ident,
            name=one_line(group.get("name")) or display_name(ident),
            members=tuple(one_line(code) for code in as_list(group.get("members"))),
            scene=text_of(group.get("scene")),
            memory=group.get("memory") is True,
        )
        for group in map(as_mapping, as_list(workflow.get("party_groups")))
        if (ident := one_line(group.get("id")))
    ]
    return tuple(members), tuple(groups)


def in_a_chat(instructions: str, commands: Sequence[Command] = ()) -> str:
    """`instructions` with a word in front of them where they, or what commands have the model do, need a computer."""
    texts = (instructions, *(command.prompt for command in commands))
    if not any(_NEEDS_COMPUTER.search(text) for text in texts):
        return instructions
    return f"{NO_COMPUTER}\n\n{instructions}" if instructions else NO_COMPUTER


def _without_activation(body: str) -> str:
    """A skill's body without the sections that tell a program how to start it: here the host has done that."""
    kept: list[str] = []
    dropped = 0
    fence = ""
    for line in body.split("\n"):
        if mark := re.match(r"[ \t]*(`{3,}|~{3,})", line):
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        found = None if fence else re.match(r"(#{1,6})[ \t]+(\S.*?)[ \t]*$", line)
        if found and (not dropped or len(found[1]) <= dropped):
            dropped = len(found[1]) if fold(found[2]) in _ACTIVATION else 0
        if not dropped:
            kept.append(line)
    return "\n".join(kept).strip()


def _loadable(commands: Sequence[Command]) -> tuple[Dependency, ...]:
    """What the commands run, as what the persona may load."""
    return tuple(dict.fromkeys(Dependency("", stem) for command in commands for stem in command.uses))


def principles(value: object) -> tuple[str, ...]:
    """Principles as a list, or as one text with a bullet or a line for each."""
    return tuple(line.strip().removeprefix("- ").strip() for line in lines_of(value) if line.strip(" -"))


def _sections(sections: Sequence[tuple[str, object]]) -> str:
    return "\n\n".join(
        f"## {title}\n\n{bullets(value)}" for title, value in sections if value not in (None, "", [], {})
    )
