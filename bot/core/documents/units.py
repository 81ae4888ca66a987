"""A definition cut into units: what is drafted, shown and saved in one go, and where people are asked.

A unit is a section with all that lies below it. It is cut only where a section inside has a stop of its own: then what
stands before that stop is one unit, the section with the stop the next, and what follows another one. A section with a
stop of its own *and* stops inside is asked about after the last of its units that has no stop yet. So there are as many
stops as sections that ask for one, each section is in one unit, and nothing is saved that was not shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.core.documents.definition import Definition, Section


@dataclass(frozen=True, slots=True)
class Unit:
    """Sections that are drafted, shown and saved together.

    `id` is that of its first section, `sections` are all that belong to it, in the order of the document. `level` is
    the heading level of the first (2 for the top). `place` counts the units in the order of the document, from 0.
    `stop` is true where people are asked after it. `repeatable` is true where it is written once for each of several
    things; what may be repeated inside a unit is repeated inside its draft. `condition` is true where all of it is
    written only if something holds, of itself or of a section around it. `skippable` is what `*skip` may leave out. A
    unit that is `literal` is written by the host, without a model.
    """

    id: str
    sections: tuple[str, ...]
    level: int = 2
    place: int = 0
    stop: bool = False
    repeatable: bool = False
    condition: bool = False
    skippable: bool = False
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A unit as a session remembers it: its id, heading level, and one letter for each flag that is set."""

    id: str
    level: int = 2
    flags: str = ""

    def has(self, field: str) -> bool:
        """Whether the flag of that field of a unit (`stop`, `repeatable`, ...) is set."""
        return FLAGS[field] in self.flags


FLAGS = {"stop": "s", "repeatable": "r", "condition": "c", "skippable": "k", "literal": "l"}
"""The fields of a unit that a mark keeps, and the letter of each."""


def units(definition: Definition) -> tuple[Unit, ...]:
    """Every section of the document in exactly one unit, in the order in which they are drafted.

    That is the order of the document, but for siblings with `order`: those are ranked by it, the others by their place
    (from 1).
    """
    found = [
        ranked
        for place, section in enumerate(definition.sections, 1)
        for ranked in _cut(definition, section, 2, (_rank(section, place),), held=False)
    ]
    numbered = [(each.rank, replace(each.unit, place=place)) for place, each in enumerate(found)]
    return tuple(unit for _, unit in sorted(numbered, key=lambda pair: pair[0]))


def unit(definition: Definition, ident: str) -> Unit | None:
    """The unit whose first section has that id; None where there is none."""
    return next((each for each in units(definition) if each.id == ident), None)


def stops(definition: Definition) -> tuple[str, ...]:
    """Ids of the units that people are asked about, in the order of drafting."""
    return tuple(each.id for each in units(definition) if each.stop)


def closing(definition: Definition) -> tuple[str, ...]:
    """Ids of the units drafted after the last stop; they wait at one closing stop."""
    late: list[str] = []
    for each in units(definition):
        late = [] if each.stop else [*late, each.id]
    return tuple(late)


def skeleton(definition: Definition) -> tuple[Mark, ...]:
    """What a session keeps of a definition: a mark for each unit, in the order of drafting, and no text."""
    return tuple(
        Mark(each.id, each.level, "".join(letter for name, letter in FLAGS.items() if getattr(each, name)))
        for each in units(definition)
    )


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A unit and what it is sorted by. `open` is true where a sibling without a stop may join it."""

    rank: tuple[float, ...]
    unit: Unit
    open: bool = False


def _cut(definition: Definition, section: Section, level: int, rank: tuple[float, ...], *, held: bool) -> list[_Ranked]:
    """The units of one section, in the order of the document; `held`: a section around it has a condition."""
    held = held or bool(section.condition)
    marked = definition.stops == "marked"
    asked = section.elicit if marked else definition.stops == "each" and level == 2
    inside = marked and any(inner.elicit for inner in _below(section))
    if not inside or section.repeatable:
        # One instance of what is repeated has one stop, whatever lies in it.
        return [_Ranked(rank, _whole(definition, section, level, stop=asked or inside, held=held))]
    head = Unit(
        section.id,
        (section.id,),
        level,
        condition=held,
        skippable=definition.allow_skip or section.optional,
        literal=_is_literal(section),
    )
    found = [_Ranked((*rank, 0.0), head, open=True)]
    for place, child in enumerate(section.sections, 1):
        at = (*rank, _rank(child, place))
        below = level + 1 if section.title else level
        if any(inner.elicit for inner in child.walk()):
            found += _cut(definition, child, below, at, held=held)
            continue
        whole = _whole(definition, child, below, stop=False, held=held or bool(child.condition))
        if found[-1].open and child.order is None:
            found[-1] = replace(found[-1], unit=_joined(found[-1].unit, whole, held))
        else:
            found.append(_Ranked(at, whole, open=True))
    if asked:
        last = max((n for n, each in enumerate(found) if not each.unit.stop), key=lambda n: found[n].rank)
        found[last] = replace(found[last], unit=replace(found[last].unit, stop=True))
    # Nothing that follows on this section belongs to a unit of it.
    return [replace(each, open=False) for each in found]


def _whole(definition: Definition, section: Section, level: int, *, stop: bool, held: bool) -> Unit:
    members = tuple(section.walk())
    return Unit(
        section.id,
        tuple(member.id for member in members),
        level,
        stop=stop,
        repeatable=section.repeatable,
        condition=held,
        skippable=definition.allow_skip or section.optional,
        literal=all(map(_is_literal, members)),
    )


def _joined(first: Unit, second: Unit, held: bool) -> Unit:
    """Both drafted together; several sections side by side have no instances."""
    return replace(
        first,
        sections=(*first.sections, *second.sections),
        repeatable=False,
        condition=held,
        skippable=first.skippable and second.skippable,
        literal=first.literal and second.literal,
    )


def _below(section: Section) -> Iterator[Section]:
    for child in section.sections:
        yield from child.walk()


def _rank(section: Section, place: int) -> float:
    return place if section.order is None else section.order


def _is_literal(section: Section) -> bool:
    """Whether the host can write the section's own text: it is given, or there is none but a heading."""
    return not section.instruction and bool(section.content or (section.sections and not section.template))
