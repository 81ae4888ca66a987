"""Text of a persona file -> what it holds. The format is told by the content; a file's name only fills gaps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath

from bot.personas.model import Document, Problem, Source
from bot.personas.naming import display_name
from bot.personas.readers import bmad, bundles, front_matter, modern, safe_yaml, subagent, template
from bot.personas.readers.reading import Part, Reading, as_mapping, error

__all__ = ["Part", "Reading", "read", "stem_of"]

_READABLE_NAME = re.compile(r"^[A-Z][A-Z0-9_ -]*$")
_YAML_AGENT = re.compile(r"^(?:agent|metadata|role):", re.MULTILINE)
_NO_PERSONA = "this is not a persona"
_FORMATS = "give it front matter with `name` and `description`, or a ```yaml fence with `agent:`; or move it away"


def read(text: str, path: str, line: int = 1) -> Reading:
    """Everything that the text of the file at `path` holds. Never raises; what went wrong is in `problems`.

    A Markdown file whose name is written in capitals (`README.md`) becomes a document where it holds no persona.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    stem = stem_of(path)
    try:
        reading = _read(text, path, stem, line)
    except RecursionError:
        return Reading(problems=(error(path, line, "it is nested too deeply", "make it flatter"),))
    if reading.is_empty and not reading.problems:
        if _READABLE_NAME.match(stem):
            return Reading(documents=(Document(stem, title_of(text, stem), text, Source(path, line, "markdown")),))
        return Reading(problems=(Problem(path, line, _NO_PERSONA, _FORMATS),))
    if reading.is_empty and not reading.is_broken and _READABLE_NAME.match(stem):
        return Reading(documents=(Document(stem, title_of(text, stem), text, Source(path, line, "markdown")),))
    return reading


def stem_of(path: str) -> str:
    """The name of the file without its extensions; a skill's is its folder's."""
    name = PurePath(path.replace("\\", "/")).name
    if name.casefold() in ("skill.md", "customize.toml"):
        return PurePath(path.replace("\\", "/")).parent.name
    return re.sub(r"(?:\.agent|\.chatmode|\.subagent)?\.(?:md|markdown|mdc|ya?ml|txt|toml)$", "", name, flags=re.I)


def title_of(text: str, stem: str) -> str:
    """The first heading of a Markdown text, else its file's name as people write it."""
    found = re.search(r"^# +(\S[^\n]*)$", text, re.MULTILINE)
    return found[1].strip() if found else display_name(stem)


def _read(text: str, path: str, stem: str, line: int) -> Reading:
    if bundles.is_web_bundle(text):
        return bundles.read_web_bundle(text, path, _read_one)
    if bundles.RULE.search(text) and bmad.fences(text):
        return bundles.read_rules(text, path, _read_one)
    return _read_one(text, path, stem, line)


def _read_one(text: str, path: str, stem: str, line: int) -> Reading:
    """One definition, of whichever format."""
    if "agent:" in text and (reading := bmad.read_fenced(text, path, stem, line)).problems + reading.personas:
        return reading
    try:
        front = front_matter.split(text)
    except safe_yaml.YamlError as problem:
        return Reading(problems=(error(path, line + problem.line - 1, problem.reason, problem.mend),))
    # A YAML file may begin with `---` too; nothing closes it then.
    if _is_yaml(text) and (front is None or not front.closed):
        return _whole_yaml(text, path, stem, line)
    return _with_front_matter(front, path, stem, line) if front is not None and front.values else Reading()


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


def _whole_yaml(text: str, path: str, stem: str, line: int) -> Reading:
    try:
        values = as_mapping(safe_yaml.load(text))
    except safe_yaml.YamlError as problem:
        if bmad.is_agent_yaml(text):
            return bmad.read_yaml(text, path, stem, line, line)
        if not re.search(r"^(?:persona|responsibilities|capabilities|triggers):", text, re.MULTILINE):
            return Reading()
        return Reading(problems=(error(path, line + problem.line - 1, problem.reason, problem.mend),))
    if modern.is_agent(values):
        return modern.read_agent(values, path, stem, line)
    if isinstance(values.get("agent"), Mapping):
        return bmad.read_yaml(text, path, stem, line, line, "bmad-v4")
    if template.is_template(values):
        return template.read_template(values, "", path, stem, line)
    return Reading()


def read_skill(text: str, layers: tuple[tuple[str, str], ...], path: str) -> Reading | None:
    """The persona of a skill with its `customize.toml` layers (path and text); None where it is none."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    front = front_matter.split(text) if text else None
    reading = modern.read_skill(front, layers, path, stem_of(path))
    if reading and front and front.flaw and reading.personas:
        told = Problem(path, front.line, f"{front.flaw.reason}; the keys were read one by one", front.flaw.mend)
        return replace(reading, problems=(*reading.problems, told))
    return reading
