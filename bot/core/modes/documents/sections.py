"""The section at the cursor as its template has it: its unit, its instances and their names, and its methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.core.documents.brief import Brief
from bot.core.documents.composing import Frame
from bot.core.documents.definition import Definition, Section, from_json, without
from bot.core.documents.filling import fill, instance_facts, listed
from bot.core.documents.units import Unit, units
from bot.core.modes.documents import counting, methods
from bot.core.modes.documents.state import INSTANCES, METHODS, DocumentWork

TITLE = 120
"""Characters of a section's title at most, as people are told it."""

LISTS = ("numbered-list", "bullet-list", "checklist", "table")
"""Types of sections that may name the instances of the next one."""


def definition_of(work: DocumentWork, texts: Mapping[str, str]) -> Definition | None:
    """The definition that the work began with, without what is left out; None where its text is gone."""
    text = texts.get(work.definition)
    return None if text is None else without(from_json(text), work.dropped)


def first_of(definition: Definition, unit: Unit) -> Section:
    """The first section of a unit."""
    return next(section for section in definition.walk() if section.id == unit.id)


def at_cursor(work: DocumentWork, definition: Definition) -> Unit | None:
    """The unit that the cursor is at; None behind the last one."""
    found = units(definition)
    return found[work.at] if work.at < len(found) else None


def brief_of(work: DocumentWork, texts: Mapping[str, str]) -> Brief | None:
    """All that the host knows of the section at the cursor; None where the template's text is gone."""
    definition = definition_of(work, texts)
    unit = at_cursor(work, definition) if definition else None
    if definition is None or unit is None:
        return None
    return Brief(definition, unit, frame(work, unit, first_of(definition, unit)))


def frame(work: DocumentWork, unit: Unit, section: Section) -> Frame:
    """What fills the placeholders of the section, for the instance at the cursor."""
    facts = work.known
    if not unit.repeatable:
        return Frame(facts)
    number = work.instance + 1
    return Frame({**facts, **instance_facts(section, number, work.item)}, {}, number, work.item)


def title(section: Section, known: Frame) -> str:
    """What people call the section, in one line."""
    filled = fill(section.title, known.facts, known.knows).text if section.title else section.id
    return " ".join(filled.split())[:TITLE]


def names(work: DocumentWork, definition: Definition, section: Section, texts: Mapping[str, str]) -> tuple[str, ...]:
    """What the instances of a section are called, by the list of them further up as it was accepted; none without."""
    by_place = {part.place: texts.get(work.text(part.text), "") for part in (*work.accepted, *work.shown)}
    before = [unit for unit in units(definition)[: work.at] if unit.place in by_place]
    word = counting.noun(section.title)
    for unit in reversed(before):
        first = first_of(definition, unit)
        if counting.is_list_of(word, first.id, first.title):
            return listed(by_place[unit.place])[:INSTANCES]
    if before and first_of(definition, before[-1]).type in LISTS:
        return listed(by_place[before[-1].place])[:INSTANCES]
    return ()


def known_methods(definition: Definition, unit: Unit, page: str) -> tuple[methods.Method, ...]:
    """The methods at the stop of a section: the template's own, else those of the library's page."""
    return methods.own(definition.methods_at(unit.id)) or methods.read(page)


def offered(work: DocumentWork, definition: Definition, unit: Unit, page: str) -> tuple[str, ...]:
    """The names of the methods that are offered at its stop, what fits it best first."""
    section = first_of(definition, unit)
    about = " ".join((section.title, section.type, section.instruction, *(inner.title for inner in section.walk())))
    known = known_methods(definition, unit, page)
    return methods.offered(known, about, work.used, 3 * work.at + work.instance, METHODS)


def situation(work: DocumentWork, definition: Definition, unit: Unit, texts: Mapping[str, str]) -> dict[str, Any]:
    """What the state of the work says of the section that its cursor is at, by the names of its fields."""
    section = first_of(definition, unit)
    called = names(work, definition, section, texts) if unit.repeatable else ()
    item = called[work.instance] if work.instance < len(called) else ""
    return {
        "place": unit.place,
        "item": item,
        "section": title(section, frame(replace(work, item=item), unit, section)),
        "stop": unit.stop,
        "may_skip": unit.skippable,
        "repeats": unit.repeatable,
        "offered": offered(work, definition, unit, texts.get(work.methods, "")),
    }
