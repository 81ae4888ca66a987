"""Drafts as a careful writer makes them, for every unit of any template: what no check may find a fault in."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import yaml

from bot.core.documents.definition import FIELDS, Definition, Section, levels
from bot.core.documents.filenames import PLACEHOLDER
from bot.core.documents.units import Unit

_COUNT = itertools.count(1)


def draft(definition: Definition, unit: Unit) -> str:
    """A draft of the unit, headings of its parts included."""
    level_of = levels(definition)
    sections = [section for section in definition.walk() if section.id in unit.sections]
    parts: list[str] = []
    for number, section in enumerate(sections):
        if number and section.title:
            parts.append(f"{'#' * min(level_of[section.id], 6)} {said(section.title)}")
        parts += body(section)
    return "\n\n".join(parts)


def said(text: str) -> str:
    """The text with words instead of placeholders, and the first of its alternatives."""
    filled = PLACEHOLDER.sub(lambda found: f"word {next(_COUNT)}", text)
    return re.sub(r"\{([^{}|]+)\|[^{}]*\}", r"\1", filled)


def body(section: Section) -> Iterator[str]:
    """The text of one section, by its type."""
    match section.type:
        case "bullet-list":
            yield "- One thing\n- Another thing"
        case "numbered-list":
            yield f"- {section.prefix}1: One\n- {section.prefix}2: Two" if section.prefix else "1. One\n2. Two"
        case "checklist":
            yield "- [ ] One thing\n- [ ] Another"
        case "table":
            columns = [said(column) for column in section.columns] or ["A", "B"]
            rule, row = ["---"] * len(columns), ["x"] * len(columns)
            yield "\n".join(f"| {' | '.join(cells)} |" for cells in (columns, rule, row))
        case "code":
            yield f"```{section.language or 'text'}\n# {{{{kept}}}}\nx = 1\n```"
        case "mermaid":
            yield "```mermaid\ngraph TD\n  A --> B\n```"
        case "choice":
            yield "\n".join(f"{choices.options[0]}, for now." for choices in section.choices)
        case "fields":
            yield fields(section)
        case _:
            yield said(section.template) if section.template and "```" not in section.template else "Some words."


def fields(section: Section) -> str:
    """The YAML of a template's fields with values that are allowed."""
    allowed = {choices.name: choices.options[0] for choices in section.choices}
    assert section.type == FIELDS
    values = {
        key: allowed.get(key) or said(value) if isinstance(value, str) else value
        for key, value in yaml.safe_load(section.template).items()
    }
    return yaml.safe_dump(values, sort_keys=False)
