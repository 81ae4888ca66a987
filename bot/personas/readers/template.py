"""The agent template: role, responsibilities, capabilities, tools allowed and restricted, triggers.

Files are called `[type]-[specialization]-[capability].agent.yaml`; the type tells what such an agent may do at most.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.personas.model import Persona, Problem, Source, fold
from bot.personas.naming import default_icon, display_name, slug
from bot.personas.readers import safe_yaml
from bot.personas.readers.front_matter import description_of, name_of
from bot.personas.readers.reading import Reading, as_list, as_mapping, lines_of, one_line, quoted, text_of
from bot.personas.readers.subagent import examples, model_of, tools_of, when_to_use

WRITING_TOOLS = ("Write", "Edit", "MultiEdit", "NotebookEdit", "Bash")
"""What a read-only agent never gets."""

READ_ONLY_TYPES = frozenset({"analysis", "analyze", "analyzer", "analyst", "arch", "architecture"})
"""Types, the first word of a file's name, whose agents only read."""

MAX_PATTERN = 200
"""Longest trigger pattern, in characters."""

_KEYS = frozenset({"responsibilities", "capabilities", "triggers"})
_PLACEHOLDERS = frozenset({"agent-role-type", "human readable agent name", "agent name", "primary responsibility"})
_TYPED_NAME = re.compile(r"^(?P<type>[a-z]+)-[\w-]+$")


def is_template(values: Mapping[str, object]) -> bool:
    """Whether these are an agent template's keys."""
    return "role" in values and bool(_KEYS & set(values)) and "agent" not in values and "metadata" not in values


def is_blank(values: Mapping[str, object]) -> bool:
    """Whether the template still holds its placeholders."""
    filled = (values.get("role"), values.get("name"), *as_list(values.get("responsibilities")))
    return any(fold(one_line(value)).strip("[]{}<>") in _PLACEHOLDERS for value in filled)


def read_template(
    values: Mapping[str, object], body: str, path: str, stem: str, line: int = 1, extra: str = ""
) -> Reading:
    """The persona of a filled-in template; `stem` is its file's name without extensions."""
    problems: list[Problem] = []
    if is_blank(values):
        blank = Problem(path, line, "this is the empty agent template", "fill in role, name and responsibilities")
        return Reading(problems=(blank,))
    typed = _TYPED_NAME.match(stem.casefold())
    name = name_of(values) or display_name(stem)
    ident = slug(stem) if typed and stem.count("-") >= 2 else slug(name) or slug(stem)
    role = text_of(values.get("role"))
    tools, restricted = tools_of(values), lines_of(as_mapping(values.get("tools")).get("restricted"))
    kind = typed["type"] if typed else ""
    if READ_ONLY_TYPES & {kind, *re.split(r"[-_ ]", role.casefold())[:1]}:
        restricted += tuple(tool for tool in WRITING_TOOLS if tool not in restricted)
    barred = {fold(tool) for tool in restricted}
    responsibilities = lines_of(values.get("responsibilities"))
    capabilities = lines_of(values.get("capabilities"))
    description = description_of(values)
    problems += [Problem(path, line, flaw, "write a short pattern that Python's `re` takes") for flaw in flaws(values)]
    persona = Persona(
        id=ident,
        name=name,
        title=one_line(values.get("title")) or display_name(role),
        icon=one_line(values.get("icon")) or default_icon(ident, role),
        when_to_use=when_to_use(description) or "; ".join(responsibilities[:3]),
        role=role,
        focus=", ".join(capabilities),
        instructions="\n\n".join(
            part
            for part in (
                _section("Responsibilities", responsibilities),
                _section("Capabilities", capabilities),
                body.strip(),
            )
            if part
        ),
        model=model_of(values.get("model")),
        tools=None if tools is None else tuple(tool for tool in tools if fold(tool) not in barred),
        restricted=restricted,
        examples=examples(description),
        extra=(f"description: {quoted(description)}\n" if description else "") + (extra or _rest(values)),
        source=Source(path, line, "agent-template"),
    )
    return Reading(personas=(persona,), problems=tuple(problems))


def flaws(values: Mapping[str, object]) -> list[str]:
    """What is wrong with the triggers."""
    found: list[str] = []
    for trigger in as_list(values.get("triggers")):
        pattern = one_line(as_mapping(trigger).get("pattern"))
        if len(pattern) > MAX_PATTERN:
            found.append(f"a trigger's pattern is longer than {MAX_PATTERN} characters")
            continue
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as problem:
            found.append(f"the trigger pattern {pattern!r} is no regular expression: {problem}")
    return found


def _section(title: str, items: tuple[str, ...]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {item}" for item in items) if items else ""


def _rest(values: Mapping[str, object]) -> str:
    known = {"name", "role", "responsibilities", "capabilities", "tools", "model", "description", "title", "icon"}
    rest = {key: value for key, value in values.items() if key not in known}
    return safe_yaml.dump(rest) if rest else ""
