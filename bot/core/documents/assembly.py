"""A document made of the accepted texts of its units, and a document taken apart into them again.

A part is what was shown and accepted, byte for byte; the document has the title, the parts in the template's order, and
one blank line between them. Nothing else is in it: no anchors, no comments. What belongs to which section is known by
the hashes that were recorded with the parts; in a text that people changed elsewhere, by the headings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.documents.composing import title_of
from bot.core.documents.definition import Definition
from bot.core.documents.headings import heading, is_open, is_titled, lines_of
from bot.core.documents.units import Unit, units

BETWEEN = "\n\n"
"""What stands between two parts."""


@dataclass(frozen=True, slots=True)
class Part:
    """The text of a unit, by its id; `instance` counts those of a repeated unit from 1 and is 0 for the others.

    The part without a unit is what stands before the first: the document's title, and what people put there.
    """

    unit: str
    text: str
    instance: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """What is recorded of a part: whose it is, and the hash of its text."""

    unit: str
    hash: str
    instance: int = 0


def text_hash(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def traces(parts: Iterable[Part]) -> tuple[Trace, ...]:
    """What is recorded of these parts, in their order."""
    return tuple(Trace(part.unit, text_hash(part.text), part.instance) for part in parts)


def in_order(definition: Definition, parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts as they stand in the document: by the template's order, then by instance; the last of equal ones wins.

    Parts of units that the template does not have are left out, and so are empty ones.
    """
    places = {unit.id: unit.place for unit in units(definition)}
    latest = {(part.unit, part.instance): part for part in parts if part.unit in places and part.text}
    return tuple(sorted(latest.values(), key=lambda part: (places[part.unit], part.instance)))


def assembled(definition: Definition, parts: Iterable[Part], facts: Mapping[str, str]) -> str:
    """The whole document: title and accepted parts in the template's order, ending with a line."""
    texts = [part.text for part in in_order(definition, parts)]
    if definition.format == "markdown":
        texts.insert(0, heading(1, title_of(definition, facts)))
    return BETWEEN.join(texts) + "\n" if texts else ""


def apart(text: str, known: Sequence[Trace]) -> tuple[Part, ...] | None:
    """The parts of a document by what was recorded of them; None where its text is no longer that.

    The first part is the one without a unit: what stands before the first recorded one.
    """
    body = text.removesuffix("\n")
    found: list[Part] = []
    start = 0
    for number, trace in enumerate(known):
        span = _span(body, start, trace.hash, anywhere=number == 0)
        if span is None:
            return None
        if number == 0 and span[0]:
            found.append(Part("", body[: span[0]].removesuffix(BETWEEN)))
        found.append(Part(trace.unit, body[span[0] : span[1]], trace.instance))
        start = span[1] + len(BETWEEN)
    return tuple(found) if start >= len(body) and known else None


def by_headings(definition: Definition, text: str) -> tuple[Part, ...]:
    """The parts of a document as far as its headings tell, in the text's order.

    Each unit begins with its title at its level; a unit without a title belongs to what stands before it. Text that
    belongs to no unit is the part without one. Joined by blank lines the parts are the document.
    """
    titled = [(unit, section.title) for unit in units(definition) if (section := definition.section(unit.id))]
    titled = [(unit, title) for unit, title in titled if title]
    body = text.removesuffix("\n")
    current, count = "", dict[str, int]()
    found: list[tuple[str, int, list[str]]] = [("", 0, [])]
    for line in lines_of(body):
        begun = _begun(titled, current, line.level, line.title) if line.level else None
        if begun is not None:
            current = begun.id
            count[current] = count.get(current, 0) + 1
            found.append((current, count[current] if begun.repeatable else 0, []))
        found[-1][2].append(line.text)
    return tuple(
        Part(unit, said, instance) for unit, instance, lines in found if (said := "\n".join(lines).strip("\n"))
    )


def _begun(titled: Sequence[tuple[Unit, str]], current: str, level: int, written: str) -> Unit | None:
    """The unit that a heading begins: one of its level and title; a title of placeholders only is looked at last."""
    fitting = [(unit, title) for unit, title in titled if unit.level == level and is_titled(title, written)]
    fitting.sort(key=lambda pair: (is_open(pair[1]), pair[0].id == current and not pair[0].repeatable))
    return fitting[0][0] if fitting else None


def _span(body: str, start: int, wanted: str, *, anywhere: bool) -> tuple[int, int] | None:
    """Where the text with that hash stands: from `start`, or for the first from any blank line on."""
    starts = [start]
    if anywhere:
        starts += [place + len(BETWEEN) for place in _gaps(body, 0)][:_FIRST]
    for begin in starts:
        digest = hashlib.sha256()
        last = begin
        for end in (*_gaps(body, begin), len(body)):
            digest.update(body[last:end].encode("utf-8", "surrogatepass"))
            if digest.hexdigest() == wanted:
                return begin, end
            last = end
    return None


_FIRST = 3
"""The first part begins behind one of so many blank lines: only the title stands before it."""


def _gaps(body: str, start: int) -> list[int]:
    gaps: list[int] = []
    while (start := body.find(BETWEEN, start)) >= 0:
        gaps.append(start)
        start += 1
    return gaps
