"""Who may write which section: its editors, else its owner, else those of the section around it, else anybody."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.documents.definition import Definition, Section
from bot.core.documents.units import Unit


def writers(definition: Definition) -> Mapping[str, tuple[str, ...] | None]:
    """The ids of the personas that may write each section; None where anybody may, empty where nobody may."""
    found: dict[str, tuple[str, ...] | None] = {}

    def descend(sections: tuple[Section, ...], above: tuple[str, ...] | None) -> None:
        for section in sections:
            named = section.editors or ((section.owner,) if section.owner else above)
            found[section.id] = () if section.readonly else named
            descend(section.sections, found[section.id])

    descend(definition.sections, None)
    return found


def may_write(definition: Definition, ident: str, persona: str) -> bool:
    """Whether that persona may write the section of that id; ids are compared without case."""
    named = writers(definition).get(ident, ())
    return named is None or persona.casefold() in named


def held_back(definition: Definition, unit: Unit, persona: str) -> tuple[str, ...]:
    """Ids of the unit's sections that this persona may not write, in the order of the document."""
    known = writers(definition)
    return tuple(
        ident for ident in unit.sections if (named := known[ident]) is not None and persona.casefold() not in named
    )
