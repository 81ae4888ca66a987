"""A long document cut into one file for each of its sections, with an index; and put together again, byte for byte.

A section begins at a heading of level 2 outside code, lists, quotes and HTML. In its file it is the title, and the
headings below it are raised by one. What stands before the first section goes to the index, above the list of links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.core.documents.outline import Heading, links, outline, split_lines
from bot.personas.naming import slug

INDEX = "index.md"
"""The name of the index, which no section's file gets."""

MAX_NAME = 60
"""Longest name of a section's file without its extension, in characters."""

MAX_SHARDS = 200
"""So many sections of one document become files."""

_ATX = re.compile(r"^( {0,3})(#{1,6})")
_SECTIONS = "## Sections"


class ShardError(ValueError):
    """A document cannot be cut, or not be put together: why, and what to do. Said to people as it is."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One section as a file of its own: the file's name, the heading's words, and the text."""

    name: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Shards:
    """The index and the files that it names, in the order of the document."""

    index: str
    files: tuple[Shard, ...]


def shard(text: str) -> Shards:
    """The document as an index and a file for each section. Raises ShardError where it has no section."""
    headings = outline(text)
    starts = [heading for heading in headings if heading.level == 2]
    if not starts:
        raise ShardError("it has no headings of level 2 (`## `) outside code; give its parts such headings first")
    if len(starts) > MAX_SHARDS:
        raise ShardError(f"it has {len(starts)} headings of level 2, and at most {MAX_SHARDS} become files; join some")
    lines = split_lines(text)
    taken = {slug(INDEX.removesuffix(".md"))}
    files: list[Shard] = []
    for start, end in zip(starts, [*(heading.start for heading in starts[1:]), len(lines)], strict=True):
        inner = [heading for heading in headings if start.start <= heading.start < end]
        raised = _moved(lines, inner, -1, start.start, end)
        files.append(Shard(_name(start.title, taken), start.title, raised))
    preamble = "".join(lines[: starts[0].start])
    return Shards(f"{preamble}{_SECTIONS}\n\n{_list(files)}", tuple(files))


def join(index: str, files: Mapping[str, str]) -> str:
    """The document that an index and its files come to; `files` by name. Raises ShardError where one is missing.

    What `shard` made of a text comes back as that text. Only links in the list of the index count, each once.
    """
    start = next((heading for heading in outline(index) if heading.level == 2), None)
    if start is None:
        raise ShardError("the index has no list of sections; cut the document again")
    names = [link.target.removeprefix("./") for link in links(index) if link.line >= start.end]
    parts = ["".join(split_lines(index)[: start.start])]
    for name in dict.fromkeys(names):
        if name not in files:
            raise ShardError(f"{name} is in the index and not among the documents; take it off the index or restore it")
        lines = split_lines(files[name])
        parts.append(_moved(lines, outline(files[name]), 1, 0, len(lines)))
    last = len(parts) - 1
    return "".join(
        part if place == last or not part or part.endswith(("\n", "\r")) else f"{part}\n"
        for place, part in enumerate(parts)
    )


def _moved(lines: list[str], headings: Iterable[Heading], by: int, start: int, end: int) -> str:
    """Lines from `start` up to `end`, with the headings among them moved by one level, up or down.

    The first line's heading is the file's title. Another one of level 1 cannot be raised and stays as it is.
    """
    moved = list(lines)
    for heading in headings:
        first = heading.start == start
        if heading.mark:
            _move_underlined(moved, heading, by, first=first)
        elif first or heading.level > 1:
            level = min(heading.level + by, 6)
            moved[heading.start] = _ATX.sub(rf"\1{'#' * level}", moved[heading.start])
    return "".join(moved[start:end])


def _move_underlined(lines: list[str], heading: Heading, by: int, *, first: bool) -> None:
    """A heading with a line below it: there are only two levels of these."""
    last = heading.end - 1
    if first:
        lines[last] = lines[last].replace(*("-=" if by < 0 else "=-"))
    elif heading.level == 2 and by > 0:
        # Somebody wrote it into the file; it is one level deeper in the document, where no line can make it one.
        said = " ".join(line.strip() for line in lines[heading.start : last])
        lines[heading.start : heading.end] = [f"### {said}\n", *([""] * (heading.end - heading.start - 1))]


def _name(title: str, taken: set[str]) -> str:
    """A file name of the title's words that no other section has."""
    stem = slug(title)[:MAX_NAME].strip("-") or "section"
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return f"{name}.md"


def _list(files: Iterable[Shard]) -> str:
    return "".join(f"- [{_escaped(file.title) or file.name}](./{file.name})\n" for file in files)


def _escaped(title: str) -> str:
    return re.sub(r"([\\\[\]`*_<&!])", r"\\\1", title)
