"""Many definitions in one file: a bundle of agent rules, and BMAD's web bundle."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import PurePosixPath
from types import MappingProxyType

from bot.personas.files import flaw_of_path
from bot.personas.layout import PERSONA_FOLDERS, RESOURCE_KINDS, Owners, owners_of, resource_name
from bot.personas.model import Document, Problem, Source
from bot.personas.naming import display_name
from bot.personas.readers import agent_xml
from bot.personas.readers.bmad import agent_fences, fences
from bot.personas.readers.modern import read_agent
from bot.personas.readers.reading import Part, Reading, error

RULE = re.compile(r"^# (?P<name>\S[^\n]*?) Agent Rule[ \t]*$", re.MULTILINE)
_START = re.compile(r"^={10,} START: (?P<path>\S[^\n]*?) ={10,}[ \t]*$", re.MULTILINE)
_END = re.compile(r"^={10,} END: (?P<path>\S[^\n]*?) ={10,}[ \t]*$", re.MULTILINE)

MAX_ITEMS = 2_000
"""How many definitions one bundle may hold."""

ReadItem = Callable[[str, str, str, int], Reading]
"""Reads one definition: text, path of the file, stem, line of the text's beginning."""

Layers = Sequence[tuple[str, str]]
"""What lies over a definition: path and text each."""


def is_web_bundle(text: str) -> bool:
    """Whether the text has a section of a web bundle."""
    return _START.search(text) is not None


def read_rules(text: str, path: str, read: ReadItem) -> Reading:
    """Every `# X Agent Rule` of the text; what is no persona among them becomes a document."""
    headings = list(islice(RULE.finditer(text), MAX_ITEMS))
    readings: list[Reading] = []
    if len(headings) == MAX_ITEMS:
        readings.append(_too_many(path))
    for mark, following in zip(headings, [*headings[1:], None], strict=True):
        item = text[mark.start() : following.start() if following else len(text)]
        item = item.rstrip().removesuffix("\n---").rstrip() + "\n"
        line = text.count("\n", 0, mark.start()) + 1
        readings.append(_rule(item, mark["name"], path, line, read))
    return joined(readings)


def read_web_bundle(text: str, path: str, read: ReadItem) -> Reading:
    """The sections of a web bundle: agents become personas, the other kinds resources of the same pack."""
    readings: list[Reading] = []
    starts = list(islice(_START.finditer(text), MAX_ITEMS))
    if len(starts) == MAX_ITEMS:
        readings.append(_too_many(path))
    for mark, following in zip(starts, [*starts[1:], None], strict=True):
        limit = following.start() if following else len(text)
        line = text.count("\n", 0, mark.end()) + 2
        closing = _END.search(text, mark.end(), limit)
        problems: tuple[Problem, ...] = ()
        if closing is None:
            flaw = f"the section {mark['path']} has no END line"
            problems = (Problem(path, line - 1, flaw, "the bundle may be cut off: get it again"),)
        content = text[mark.end() : closing.start() if closing else limit].strip("\n")
        reading = _section(mark["path"].replace("#", "/"), content, path, line, read)
        readings.append(replace(reading, problems=(*problems, *reading.problems)))
    return joined(readings)


def read_many(text: str, path: str, read: ReadItem) -> Reading | None:
    """Every fence with an agent of a text that has several of them; None where it has not."""
    found = agent_fences(text)
    if len(found) < 2:
        return None
    readings = [] if len(found) <= MAX_ITEMS else [_too_many(path)]
    for content, line in found[:MAX_ITEMS]:
        reading = read(content, path, "", line)
        readings.append(replace(reading, texts={persona.id: content for persona in reading.personas}))
    whole = joined(readings)
    return whole if len({persona.id for persona in whole.personas}) > 1 else None


def read_xml(text: str, path: str, stem: str, line: int, description: str, layers: Layers) -> Reading:
    """The agents in XML of a text: one, with what lies over it, or all of a bundle with the files inside it."""
    files, outside = agent_xml.files_in(text)
    agents = list(agent_xml.agents_in(outside))
    if len(agents) == 1 and not files:
        return read_agent(agents[0].values, path, stem, line, layers, description)
    readings: list[Reading] = []
    for agent in agents:
        reading = read_agent(agent.values, path, "", line + agent.line - 1)
        readings.append(replace(reading, texts={persona.id: agent.text for persona in reading.personas}))
    owners = owners_of(PurePosixPath(file.path) for file in files)
    for file in files[:MAX_ITEMS]:
        readings.append(_section(file.path, file.text, path, line + file.line - 1, _nothing, owners))
    return joined(readings)


def _nothing(text: str, path: str, stem: str, line: int) -> Reading:
    """What a file inside a bundle is read as, where its folder says that it holds agents: they stand outside."""
    return Reading()


def joined(readings: list[Reading]) -> Reading:
    """Several readings as one, in order."""
    return Reading(
        personas=tuple(persona for reading in readings for persona in reading.personas),
        documents=tuple(document for reading in readings for document in reading.documents),
        parts=tuple(part for reading in readings for part in reading.parts),
        problems=tuple(problem for reading in readings for problem in reading.problems),
        texts={ident: text for reading in reversed(readings) for ident, text in reading.texts.items()},
    )


def _too_many(path: str) -> Reading:
    flaw = f"it holds {MAX_ITEMS:,} definitions or more; what comes after them was left out"
    return Reading(problems=(error(path, 1, flaw, "split it into several files"),))


def _rule(item: str, name: str, path: str, line: int, read: ReadItem) -> Reading:
    stem = _trigger(item) or name.strip().lower()
    found = fences(item)
    if not found:
        return Reading(problems=(error(path, line, f"the rule {name} has no YAML fence", "add ```yaml and its text"),))
    content, start = found[0]
    reading = read(content, path, stem, line + start - 1)
    if reading.personas:
        persona = replace(reading.personas[0], source=Source(path, line, reading.personas[0].source.format))
        return replace(reading, personas=(persona,), texts={persona.id: content})
    if reading.is_broken:
        return reading
    document = Document(stem, display_name(stem), content.strip("\n"), Source(path, line, "rule"))
    return Reading(documents=(document,))


def _trigger(item: str) -> str:
    """The id that the rule's own sentence or file reference gives, in its own case."""
    told = re.search(r"^This rule is triggered when the user types `[*@/]([^`\n]+)`", item, re.MULTILINE)
    if told:
        return told[1].strip()
    reference = re.search(r"\]\(([^)\n]{1,300})\)", item[item.find("## File Reference") :])
    return PurePosixPath(reference[1]).stem if reference and "## File Reference" in item else ""


def _section(
    where: str, content: str, path: str, line: int, read: ReadItem, owners: Owners = MappingProxyType({})
) -> Reading:
    if flaw := flaw_of_path(where):
        mend = "name a file below the bundle's own folder"
        return Reading(problems=(error(path, line - 1, f"the section {where!r} {flaw}", mend),))
    place = PurePosixPath(where)
    kind = next((part for part in reversed(place.parts[:-1]) if part in (*RESOURCE_KINDS, *PERSONA_FOLDERS)), "")
    pack = "/".join(place.parts[: place.parts.index(kind)]) if kind else ""
    if kind in PERSONA_FOLDERS:
        reading = read(content, path, place.stem, line)
        if not reading.personas and not reading.is_broken and read is not _nothing:
            told = error(path, line, f"the section {where} holds no persona", "see the formats in the documentation")
            return replace(reading, problems=(*reading.problems, told))
        personas = tuple(replace(persona, pack=pack) for persona in reading.personas)
        return replace(reading, personas=personas, texts={persona.id: content for persona in personas})
    if kind:
        return Reading(parts=(Part(kind, resource_name(place, owners), content, line, pack),))
    return Reading(documents=(Document(place.stem, display_name(place.stem), content, Source(path, line, "bundle")),))
