"""Copies persona files into a library: single files as they are, bundles split into one file a persona."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from bot.personas.files import UnreadableError, flaw_of_path, printable, text_of_file, walk
from bot.personas.intake import take
from bot.personas.layout import owners_of
from bot.personas.model import Dependency, Problem, fold
from bot.personas.naming import slug
from bot.personas.placement import is_layer, is_persona_file, layer_order, place_of
from bot.personas.readers import Reading, front_matter, stem_of
from bot.personas.readers.bmad import is_agent_yaml
from bot.personas.readers.reading import quoted

Did = Literal["written", "unchanged", "exists", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: where it was to go, what was done, and why where nothing was."""

    source: str
    target: str
    did: Did
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A text and the place below the library that it is to have."""

    source: str
    inside: PurePosixPath
    text: str


def import_into(paths: Sequence[Path], folder: Path, *, force: bool = False) -> tuple[list[Outcome], list[Problem]]:
    """Copy what the files and folders at `paths` hold into `folder`, and tell what became of each file.

    Nothing that differs is overwritten without `force`.
    """
    outcomes: list[Outcome] = []
    problems: list[Problem] = []
    for path in paths:
        for item in _copies(path):
            if isinstance(item, Problem):
                problems.append(item)
            else:
                outcomes.append(_write(item, folder, force))
    return outcomes, problems


def subagent_text(text: str) -> str:
    """A subagent's text with its front matter made valid YAML; all keys and the whole body are kept."""
    front = front_matter.split(text.replace("\r\n", "\n"))
    if front is None or front.flaw is None:
        return text.strip("\n") + "\n"
    tools = front.values.get("tools")
    lines = [f"name: {quoted(front_matter.name_of(front.values))}\n"]
    lines.append(f"description: {quoted(front_matter.description_of(front.values))}\n")
    if model := front.values.get("model"):
        lines.append(f"model: {quoted(str(model))}\n")
    if tools is not None:
        listed = ", ".join(map(str, tools)) if isinstance(tools, list) else str(tools)
        lines.append(f"tools: {quoted(listed)}\n")
    return f"---\n{''.join(lines)}{front.extra}---\n\n{front.body}\n"


def _copies(path: Path) -> Iterator[_Copy | Problem]:
    walked = walk(path)
    yield from walked.problems
    single = path.is_file()
    owners = owners_of(found.inside for found in walked.files)
    layers = sorted((found for found in walked.files if is_layer(found.inside)), key=layer_order)
    for found in walked.files:
        if not is_persona_file(found.inside, owners):
            continue
        place = place_of(found.inside, path, owners)
        source = printable(found.path)
        try:
            text = text_of_file(found.path, found.root)
            over = [(layer, text_of_file(layer.path, layer.root)) for layer in layers if place.takes(layer.inside)]
        except UnreadableError as problem:
            yield Problem(source, problem.line, problem.reason, problem.mend, "error")
            continue
        taken = take(place, text, tuple((str(layer.path), told) for layer, told in over), source)
        reading = taken.reading
        told_of = place.is_main or reading.is_empty
        yield from (problem for problem in reading.problems if problem.severity == "error" or told_of)
        if reading.is_bundle:
            yield from _split(reading, source, stem_of(source))
        elif reading.personas and single and found.path.absolute().parent.name == "agents":
            yield from _with_company(reading, found.path.absolute(), text)
        elif taken.kind or not reading.is_empty or place.is_main:
            yield _Copy(source, found.inside, text)
            yield from (_Copy(str(layer.path), layer.inside, told) for layer, told in over)


def _split(reading: Reading, source: str, stem: str) -> Iterator[_Copy | Problem]:
    """A bundle as a pack of its own: one file a persona, one a document, one a resource."""
    pack = PurePosixPath(slug(stem) or "bundle")
    packs = {part.pack for part in reading.parts} | {persona.pack for persona in reading.personas}
    seen: set[str] = set()
    for persona in reading.personas:
        if fold(persona.id) in seen:
            twice = f"the bundle defines {persona.id} twice; the first was taken"
            yield Problem(source, persona.source.line, twice, "give one of them another id", "error")
            continue
        seen.add(fold(persona.id))
        text = reading.texts[persona.id]
        if text.startswith("<agent"):
            text = f"# {persona.name}\n\n```xml\n{text.strip()}\n```\n"
        elif is_agent_yaml(text) and not re.search(r"^`{3,}", text, re.MULTILINE):
            text = f"# {persona.name}\n\n```yaml\n{text.strip(chr(10))}\n```\n"
        elif not is_agent_yaml(text):
            text = subagent_text(text)
        folder = pack / persona.pack if len(packs) > 1 and persona.pack else pack
        yield _checked(source, str(folder / "agents" / f"{persona.id}.md"), text, persona.source.line)
    for document in reading.documents:
        yield _checked(source, str(pack / "documents" / f"{document.id}.md"), document.text + "\n", 1)
    companies = {(part.kind, part.name.split("/")[0]) for part in reading.parts if "/" in part.name}
    for part in reading.parts:
        folder = pack / part.pack if len(packs) > 1 and part.pack else pack
        name = part.name if PurePosixPath(part.name).suffix else f"{part.name}{_extension(part.kind)}"
        if (part.kind, PurePosixPath(name).stem) in companies and "/" not in name:
            # A workflow with files of its own lies in its folder again, which is what it is called after.
            name = f"{PurePosixPath(name).stem}/workflow{PurePosixPath(name).suffix}"
        yield _checked(source, str(folder / part.kind / name), part.text + "\n", part.line)


def _with_company(reading: Reading, path: Path, text: str) -> Iterator[_Copy | Problem]:
    """A single agent of a pack, and those of its dependencies that lie beside it."""
    pack = path.parent.parent
    name = PurePosixPath(pack.name.lstrip(".") or "pack")
    yield _Copy(str(path), name / "agents" / path.name, text)
    wanted: dict[Dependency, None] = {dep: None for persona in reading.personas for dep in persona.dependencies}
    for dependency in wanted:
        folder = pack / dependency.kind
        if flaw_of_path(f"{dependency.kind}/{dependency.name}") or not folder.is_dir():
            continue
        beside = sorted(entry for entry in folder.iterdir() if entry.stem == dependency.stem and entry.is_file())
        for entry in beside[:1]:
            try:
                yield _Copy(str(entry), name / dependency.kind / entry.name, text_of_file(entry, pack))
            except UnreadableError as problem:
                yield Problem(printable(entry), problem.line, problem.reason, problem.mend, "error")


def _extension(kind: str) -> str:
    return ".yaml" if kind in ("templates", "workflows", "agent-teams") else ".md"


def _checked(source: str, inside: str, text: str, line: int) -> _Copy | Problem:
    if flaw := flaw_of_path(inside):
        return Problem(source, line, f"{inside!r} {flaw}", "rename it in the bundle", "error")
    return _Copy(source, PurePosixPath(inside), text)


def _write(copy: _Copy, folder: Path, force: bool) -> Outcome:
    target = folder / copy.inside
    shown = printable(target)
    try:
        if not target.parent.resolve().is_relative_to(folder.resolve()):
            return Outcome(copy.source, shown, "failed", "its folder is a link that leads out of the library")
        if target.is_symlink() or target.exists():
            if target.is_file() and target.read_bytes() == copy.text.encode():
                return Outcome(copy.source, shown, "unchanged")
            if not force:
                return Outcome(copy.source, shown, "exists", "another file is there; --force overwrites it")
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, copy.text)
    except OSError as problem:
        return Outcome(copy.source, shown, "failed", problem.strerror or str(problem))
    return Outcome(copy.source, shown, "written")


def write_whole(target: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


__all__ = ["Outcome", "import_into", "subagent_text", "write_whole"]
