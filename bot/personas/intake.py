"""What a file in its place comes to: personas, a resource, a document, or something that belongs to another tool."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bot.personas.layout import PERSONA_FOLDERS
from bot.personas.model import Document, Problem, Source
from bot.personas.placement import Place
from bot.personas.readers import Reading, defines_persona, read, read_skill
from bot.personas.readers.bundles import Layers

_RULE_KEYS = re.compile(r"^(?:globs|alwaysApply|applyTo):", re.MULTILINE)
_COMMAND_KEYS = re.compile(r"^argument-hint:", re.MULTILINE)
_FORM_KEYS = re.compile(r"^(?:labels|assignees|about):", re.MULTILINE)
_TEAM = re.compile(r"^bundle:[ \t]*$", re.MULTILINE)
_DEFINITIONS = frozenset({".md", ".markdown", ".yaml", ".yml", ".xml", ".txt"})


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file came to; with a `kind` it is a resource of that kind, beside what was read in it."""

    kind: str = ""
    reading: Reading = field(default_factory=Reading)


def needs_text(place: Place) -> bool:
    """Whether only the file's text tells what it is."""
    if place.kind == "skills" and place.is_main:
        return True
    return not place.kind or (place.is_mixed and place.inside.suffix.casefold() in _DEFINITIONS)


def take(place: Place, text: str, layers: Layers, path: str) -> Taken:
    """What the text of the file at `path` comes to in its place, with what lies over it (path and text each)."""
    if place.is_main and place.kind == "skills":
        reading = read_skill(text, layers, path) if layers else None
        is_persona = reading is not None and bool(reading.personas or reading.problems)
        return Taken("" if is_persona else place.kind, reading or Reading())
    if place.kind:
        reading = read(text, path) if place.is_mixed and defines_persona(text) else Reading()
        return Taken("", reading) if reading.personas else Taken(place.kind)
    if place.is_document:
        return Taken("", Reading(documents=(Document(place.stem, place.title(text), text, Source(path)),)))
    reading = read(text, path, layers=layers)
    if reading.is_empty and _TEAM.search(text):
        return Taken("agent-teams")
    if reading.is_empty and place.inside.suffix.casefold() == ".xml" and not reading.is_broken:
        return Taken()
    is_plain = all(persona.source.format == "subagent" for persona in reading.personas) and not reading.is_bundle
    if is_plain and (what := foreign(place.inside, text)):
        mend = "nothing, or name it in library.exclude; as a persona it belongs into a folder `agents`"
        return Taken("", Reading(problems=(Problem(path, 1, f"this is {what}, no persona", mend, "note"),)))
    return Taken("", reading)


def foreign(inside: PurePosixPath, text: str) -> str:
    """What of another tool's this file is, by its place and the keys of its front matter; else empty."""
    folders = [part.casefold() for part in inside.parts[:-1]]
    nearest = next((part for part in reversed(folders) if part in _FOLDERS or part in PERSONA_FOLDERS), "")
    head = text[: text.find("\n---", 3)] if text.startswith("---") and "\n---" in text[3:] else ""
    if inside.suffix.casefold() == ".mdc" or _RULE_KEYS.search(head) or inside.name.endswith(".instructions.md"):
        return "a rule for an editor"
    if _COMMAND_KEYS.search(head) or nearest == "commands" or inside.name.endswith(".prompt.md"):
        return "a slash command"
    if nearest in ("issue_template", ".github", "pull_request_template") or _FORM_KEYS.search(head):
        return "a form for GitHub"
    return ""


_FOLDERS = frozenset({"commands", "issue_template", "pull_request_template", ".github", "chatmodes"})
