"""Text of a persona file -> what it holds. The format is told by the content; a file's name only fills gaps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from bot.personas.model import Document, Problem, Source
from bot.personas.naming import display_name
from bot.personas.readers import agent_xml, bmad, bundles, front_matter, modern, safe_yaml, setup, subagent, template
from bot.personas.readers.bundles import Layers
from bot.personas.readers.reading import Part, Reading, as_mapping, error

__all__ = ["Part", "Reading", "defines_persona", "read", "read_skill", "stem_of", "title_of"]

MAX_DEFINITION = 1 << 20
"""Longest definition, in characters; a file of many may be longer."""

MAX_NAME = 80
"""Longest id, name and title, in characters: what the shortest of the platforms shows."""

_READABLE_NAME = re.compile(r"^[A-Z][A-Z0-9_ -]*$")
_YAML_AGENT = re.compile(r"^(?:agent|metadata|role):", re.MULTILINE)
_V6_AGENT = re.compile(r"^agent:\s*\n(?:[ \t]*#[^\n]*\n|[ \t]*\n)*[ \t]+(?:metadata|webskip):", re.MULTILINE)
_SUBAGENT_KEYS = tuple(
    re.compile(rf"^(?:{keys}):[ \t]*\S", re.MULTILINE) for keys in ("name", "description", "tools|model|color")
)
_PLACEHOLDER = re.compile(r"^[ \t]+(?:id|name):[ \t]*[\"']?[\[{]", re.MULTILINE)
_NO_PERSONA = "this is not a persona"
_FORMATS = "give it front matter with `name` and `description`, or a ```yaml fence with `agent:`; or move it away"


def read(text: str, path: str, line: int = 1, layers: Layers = ()) -> Reading:
    """Everything that the text of the file at `path` holds. Never raises; what went wrong is in `problems`.

    `layers` are the `.customize.yaml` (path and text) that lie over a v6 agent. A Markdown file whose name is written
    in capitals (`README.md`) becomes a document where it holds no persona.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    stem = stem_of(path)
    try:
        reading = _read(text, path, stem, line, layers)
    except RecursionError:
        return Reading(problems=(error(path, line, "it is nested too deeply", "make it flatter"),))
    reading = _bounded(reading)
    if reading.is_empty and not reading.problems:
        if _READABLE_NAME.match(stem):
            return Reading(documents=(Document(stem, title_of(text, stem), text, Source(path, line, "markdown")),))
        return Reading(problems=(Problem(path, line, _NO_PERSONA, _FORMATS),))
    if reading.is_empty and not reading.is_broken and _READABLE_NAME.match(stem):
        return Reading(documents=(Document(stem, title_of(text, stem), text, Source(path, line, "markdown")),))
    return reading


def _bounded(reading: Reading) -> Reading:
    """The reading with names that no platform would show whole cut, and told."""
    problems: list[Problem] = []
    personas = []
    for persona in reading.personas:
        cut = {
            key: value[: MAX_NAME - 1].rstrip(" -") + ("" if key == "id" else "…")
            for key in ("id", "name", "title")
            if len(value := getattr(persona, key)) > MAX_NAME
        }
        for key in cut:
            told = f"the {key} of {cut.get('id', persona.id)} is longer than {MAX_NAME} characters; it was cut"
            problems.append(Problem(persona.source.path, persona.source.line, told, f"give it a shorter {key}"))
        personas.append(replace(persona, **cut) if cut else persona)
    if not problems:
        return reading
    return replace(reading, personas=tuple(personas), problems=(*reading.problems, *problems))


def stem_of(path: str) -> str:
    """The name of the file without its extensions; a skill's is its folder's."""
    name = PurePath(path.replace("\\", "/")).name
    if name.casefold() in ("skill.md", "customize.toml"):
        return PurePath(path.replace("\\", "/")).parent.name
    return re.sub(r"(?:\.agent|\.chatmode|\.subagent)?\.(?:md|markdown|mdc|ya?ml|txt|toml|xml)$", "", name, flags=re.I)


def title_of(text: str, stem: str) -> str:
    """The first heading of a Markdown text, else its file's name as people write it."""
    found = re.search(r"^# +(\S[^\n]*)$", text, re.MULTILINE)
    return found[1].strip() if found else display_name(stem)


def defines_persona(text: str) -> bool:
    """Whether a text can be nothing but a persona's definition, wherever it lies.

    Names and descriptions alone are not enough: tasks, workflows and skills have them too.
    """
    if "agent:" in text and any(not _PLACEHOLDER.search(content) for content, _ in bmad.agent_fences(text)):
        return True
    if agent_xml.has_agent(text) or setup.has_block(text):
        return True
    if not text.startswith("---"):
        return bool(_V6_AGENT.search(text)) and _is_yaml(text)
    end = text.find("\n---", 3)
    head = text[: end if end >= 0 else 4_000]
    return all(key.search(head) for key in _SUBAGENT_KEYS)


def _read(text: str, path: str, stem: str, line: int, layers: Layers) -> Reading:
    if bundles.is_web_bundle(text):
        return bundles.read_web_bundle(text, path, _read_one)
    if bundles.RULE.search(text) and bmad.fences(text):
        return bundles.read_rules(text, path, _read_one)
    if "agent:" in text and (many := bundles.read_many(text, path, _read_one)):
        return many
    if agent_xml.has_agent(text):
        front = None if text.lstrip().startswith("<") else front_matter.split(text)
        description = front_matter.description_of(front.values) if front else ""
        return bundles.read_xml(text, path, stem, line, description, layers)
    if len(text) > MAX_DEFINITION:
        flaw = "it is one definition of more than 1 MiB"
        return Reading(problems=(error(path, line, flaw, "keep long texts in data files"),))
    if setup.has_block(text):
        return setup.read_setup(text, path)
    return _read_one(text, path, stem, line, layers)


def _read_one(text: str, path: str, stem: str, line: int, layers: Layers = ()) -> Reading:
    """One definition, of whichever format."""
    if "agent:" in text and (reading := bmad.read_fenced(text, path, stem, line)).problems + reading.personas:
        return reading
    try:
        front = front_matter.split(text)
    except safe_yaml.YamlError as problem:
        return Reading(problems=(error(path, line + problem.line - 1, problem.reason, problem.mend),))
    # A YAML file may begin with `---` too; nothing closes it then.
    if _is_yaml(text) and (front is None or not front.closed):
        return _whole_yaml(text, path, stem, line, layers)
    if front is None or not front.values:
        return Reading()
    reading = _with_front_matter(front, path, stem, line)
    return _told(reading, front.doubled, path, line + front.line - 1) if reading.personas else reading


def _told(reading: Reading, flaws: Sequence[safe_yaml.YamlError], path: str, line: int) -> Reading:
    """The reading with these flaws of it, whose lines are counted from `line`."""
    told = tuple(Problem(path, line + flaw.line - 1, flaw.reason, flaw.mend) for flaw in flaws)
    return replace(reading, problems=(*told, *reading.problems)) if told else reading


def _is_yaml(text: str) -> bool:
    """Whether the text has an agent's keys at the top level, and its first line that says something is a key."""
    if not _YAML_AGENT.search(text):
        return False
    said = (line for line in text.split("\n") if line.strip() and not line.startswith(("#", "---", "%")))
    return bool(re.match(r"[\w-]+:(?:\s|$)", next(said, "")))


def _with_front_matter(front: front_matter.FrontMatter, path: str, stem: str, line: int) -> Reading:
    values = front.values
    if template.is_template(values):
        return template.read_template(values, front.body, path, stem, line)
    if modern.is_agent(values):
        return modern.read_agent(values, path, stem, line)
    if isinstance(values.get("agent"), Mapping):
        return bmad.read_yaml(safe_yaml.dump(values), path, stem, line + front.line - 1, line)
    return subagent.read_subagent(front, path, stem, line) if subagent.is_subagent(values) else Reading()


def _whole_yaml(text: str, path: str, stem: str, line: int, layers: Layers) -> Reading:
    try:
        parsed = safe_yaml.parse(text)
    except safe_yaml.YamlError as problem:
        if bmad.is_agent_yaml(text):
            return bmad.read_yaml(text, path, stem, line, line)
        if not re.search(r"^(?:persona|responsibilities|capabilities|triggers):", text, re.MULTILINE):
            return Reading()
        return Reading(problems=(error(path, line + problem.line - 1, problem.reason, problem.mend),))
    values = as_mapping(parsed.value)
    if modern.is_agent(values):
        return _told(modern.read_agent(values, path, stem, line, layers), parsed.doubled, path, line)
    if isinstance(values.get("agent"), Mapping):
        return bmad.read_yaml(text, path, stem, line, line, "bmad-v4")
    if template.is_template(values):
        return _told(template.read_template(values, "", path, stem, line), parsed.doubled, path, line)
    return Reading()


def read_skill(text: str, layers: Layers, path: str) -> Reading | None:
    """What a skill's `customize.toml` layers (path and text) define: a persona, guests of a party; None for nothing."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    front = front_matter.split(text) if text else None
    reading = modern.read_skill(front, layers, path, stem_of(path))
    if reading is None or front is None or not reading.personas:
        return reading
    flaws = list(front.doubled)
    if front.flaw:
        flaw = f"{front.flaw.reason}; the keys were read one by one"
        flaws.append(safe_yaml.YamlError(flaw, front.flaw.line, front.flaw.mend))
    told = tuple(Problem(path, front.line + flaw.line - 1, flaw.reason, flaw.mend) for flaw in flaws)
    return _bounded(replace(reading, problems=(*reading.problems, *told)))
