"""An index of documents: what there is, with a link and a line each, by folder. People's own words in it are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from bot.core.documents.outline import first_paragraph, links, outline, split_lines

MAX_LINE = 160
"""Longest description of a document, in characters."""

_TITLE = "# Documentation Index\n"
_UNSAFE = re.compile(r"[\s<>()%\\\"`#?]")
"""Signs that a link's target has as percent signs and numbers; letters of all scripts stay readable."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of an index: its path from the index's folder, its title, and one line on what it holds."""

    path: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """The index's new text, what came to it, and what is in it whose document is gone."""

    text: str
    added: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def entry(path: str, text: str) -> Entry:
    """A document as an entry: its first heading, and the first sentence or so of its first paragraph."""
    heading = next(iter(outline(text)), None)
    stem = path.rpartition("/")[2].rsplit(".", 1)[0]
    title = heading.title if heading and heading.title else re.sub(r"[-_]+", " ", stem).strip().capitalize() or path
    return Entry(path, title, _line(first_paragraph(text)))


def entries_of(index: str) -> tuple[Entry, ...]:
    """The entries of an index: each heading of level 3 with a link, and the text below it."""
    lines = split_lines(index)
    headings = outline(index)
    found: list[Entry] = []
    for place, heading in enumerate(headings):
        if heading.level != 3:
            continue
        inside = [link for link in links(lines[heading.start]) if "://" not in link.target]
        end = next((later.start for later in headings[place + 1 :] if later.level <= 3), len(lines))
        said = "".join(lines[heading.end : end]).strip()
        found += [Entry(link.target.removeprefix("./"), link.title, said) for link in inside[:1]]
    return tuple(found)


def indexed(documents: Iterable[Entry], present: str = "", keep: Iterable[str] = ()) -> Index:
    """The index of these documents, made new or brought up to date; deterministic.

    Titles and descriptions that stand in the `present` index are kept, and so is what stands above its first heading of
    level 2. What is in it and no longer among the documents is left out and named, unless its path is in `keep`: people
    decide about each.
    """
    old = {known.path: known for known in entries_of(present)}
    now = {document.path: document for document in documents}
    kept = frozenset(keep)
    gone = tuple(path for path in old if path not in now and path not in kept)
    merged = {path: old.get(path) or document for path, document in now.items()}
    merged |= {path: known for path, known in old.items() if path in kept}
    folders: dict[str, list[Entry]] = {}
    for path in sorted(merged, key=lambda path: (path.count("/") > 0, path.casefold(), path)):
        folders.setdefault(path.rpartition("/")[0], []).append(merged[path])
    parts = [_above(present).rstrip("\r\n") or _TITLE.rstrip("\n")]
    for folder, inside in folders.items():
        parts.append(f"## {folder}" if folder else "## Documents")
        for each in inside:
            parts.append(f"### [{_escaped(each.title)}](./{_target(each.path)})")
            parts += [each.description] if each.description else []
    return Index("\n\n".join(parts) + "\n", tuple(path for path in now if path not in old), gone)


def _above(index: str) -> str:
    """What people wrote above the first heading of level 2 or 3."""
    first = next((heading for heading in outline(index) if heading.level in (2, 3)), None)
    return "".join(split_lines(index)[: first.start]) if first else index


def _line(paragraph: str) -> str:
    first = re.split(r"(?<=[.!?])\s", paragraph, maxsplit=1)[0]
    cut = first if len(first) <= MAX_LINE else first[: MAX_LINE - 1].rstrip() + "…"
    return _escaped(cut)


def _target(path: str) -> str:
    return _UNSAFE.sub(lambda found: quote(found[0], safe=""), path)


def _escaped(text: str) -> str:
    return re.sub(r"([\\\[\]`*_<&!#])", r"\\\1", text)
