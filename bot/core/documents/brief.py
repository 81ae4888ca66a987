"""What is to be drafted now, as JSON text: one unit of a definition with all that the host knows of it.

It goes with the ask and comes back with the reply, so that preview and post are made by one function.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache

from bot.core.documents.composing import Frame, composed
from bot.core.documents.definition import Definition, Section, from_json, to_json
from bot.core.documents.units import Unit


@dataclass(frozen=True, slots=True)
class Brief:
    """A unit to be drafted: its definition, with the sections around it, and its frame."""

    definition: Definition
    unit: Unit
    frame: Frame

    @property
    def section(self) -> Section:
        """The first section of the unit."""
        return next(section for section in self.definition.walk() if section.id == self.unit.id)

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections of the unit, in the order of the document."""
        return tuple(section for section in self.definition.walk() if section.id in self.unit.sections)

    def dump(self) -> str:
        """As JSON text, without the sections that have nothing to do with the unit."""
        kept = replace(self.definition, sections=_around(self.definition.sections, self.unit.sections), methods=())
        values = {"definition": to_json(kept), "unit": asdict(self.unit), "frame": asdict(self.frame)}
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _around(sections: tuple[Section, ...], wanted: Collection[str]) -> tuple[Section, ...]:
    return tuple(
        replace(section, sections=_around(section.sections, wanted))
        for section in sections
        if any(inner.id in wanted for inner in section.walk())
    )


@lru_cache(maxsize=64)
def load(text: str) -> Brief:
    """The brief in that text. Raises ValueError where it is none."""
    values = json.loads(text)
    unit = {field.name: values["unit"][field.name] for field in fields(Unit) if field.name in values["unit"]}
    unit["sections"] = tuple(unit["sections"])
    frame = {field.name: values["frame"][field.name] for field in fields(Frame) if field.name in values["frame"]}
    return Brief(from_json(values["definition"]), Unit(**unit), Frame(**frame))


def text_of(brief: str, draft: str, *, done: bool = True) -> str:
    """The text that a draft comes to, as it is shown and saved; without a brief, the draft itself.

    With `done` off it still grows: what is given then begins what is given in the end.
    """
    if brief:
        known = load(brief)
        return composed(known.definition, known.unit, draft, known.frame, done=done)
    return draft.strip() if done else draft
