"""What the rehearsal model drafts for a section: recognisable, labelled, of the shape that the template asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.core.documents.brief import Brief
from bot.core.documents.definition import Section, levels
from bot.core.documents.filenames import PLACEHOLDER
from bot.core.documents.filling import ALTERNATIVES, spoken
from bot.core.documents.headings import heading

LABEL = "[rehearsal]"
"""What marks every text of the rehearsal model."""

ITEMS = ("one", "two")
"""A list of the rehearsal model has so many entries."""


def draft(brief: Brief, again: str = "") -> str:
    """A draft of the unit; `again` are words that a new draft takes up."""
    sections, level_of = brief.sections, levels(brief.definition)
    if brief.definition.format == "yaml":
        return _fields(sections[0], brief.frame.facts)
    parts = list[str]()
    for section in sections:
        if section.id != brief.unit.id and section.title:
            parts.append(heading(level_of[section.id], _title(section)))
        if not section.content:
            parts += _body(section, brief)
    if again:
        parts.append(f"{LABEL} New, because of: {again}")
    return "\n\n".join(part for part in parts if part)


def _title(section: Section) -> str:
    chosen = ALTERNATIVES.sub(lambda found: found[1].split("|")[0].strip(), section.title)
    numbers = iter(("1", "1"))
    return PLACEHOLDER.sub(
        lambda found: next(numbers, "1") if re.search(r"num|_no$", found[1]) else f"{LABEL} {spoken(found[1])}", chosen
    )


def _body(section: Section, brief: Brief) -> Iterator[str]:
    """The section's own text, without its heading."""
    name = " ".join(PLACEHOLDER.sub("", ALTERNATIVES.sub("", section.title)).split()).rstrip(" :-") or section.id
    match section.type:
        case "bullet-list" | "checklist" | "numbered-list":
            yield "\n".join(_item(section, name, number, word) for number, word in enumerate(ITEMS, 1))
        case "table":
            columns = [_filled(column, brief.frame.facts) for column in section.columns or ("What", "Note")]
            rows = section.rows or (tuple(f"{LABEL} {word}" for word in ITEMS[:1] * len(columns)),)
            yield "\n".join(
                [
                    f"| {' | '.join(columns)} |",
                    f"|{'---|' * len(columns)}",
                    *(f"| {' | '.join(_padded(row, len(columns), brief.frame.facts))} |" for row in rows),
                ]
            )
        case "code":
            yield f"```{section.language}\n# {LABEL} {name}\n```"
        case "mermaid":
            yield f"```mermaid\n{section.mermaid_type or 'graph'} TD\n  a[rehearsal] --> b[rehearsal]\n```"
        case "choice":
            yield "\n\n".join(f"{choices.options[0]} ({LABEL})" for choices in section.choices if choices.options)
        case _ if section.template:
            yield _filled(section.template.strip("\n"), brief.frame.facts)
        case _ if section.instruction or not section.sections:
            yield f"{LABEL} Here stands what is to be said about “{name}”."
        case _:
            return


def _item(section: Section, name: str, number: int, word: str) -> str:
    """An entry of a list: with its id where the section has a prefix, else with its number where it has numbers."""
    told = f"{LABEL} entry {word} of {name}"
    if section.type == "checklist":
        return f"- [ ] {told}"
    if section.type == "bullet-list":
        return f"- {told}"
    prefix = section.prefix.rstrip(":. ")
    kind = name.split()[0] if section.item_template else ""
    if prefix:
        return f"{number}. {prefix}{number}: {told}"
    return f"{number}. {kind} {number} Rehearsal {word}: {told}" if kind else f"{number}. {told}"


def _padded(row: tuple[str, ...], width: int, facts: Mapping[str, str]) -> list[str]:
    cells = [_filled(cell, facts) for cell in row][:width]
    return [cell or LABEL for cell in (*cells, *([LABEL] * (width - len(cells))))]


def _filled(text: str, facts: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: facts.get(found[1]) or f"{LABEL} {spoken(found[1])}", text)


def _fields(section: Section, facts: Mapping[str, str]) -> str:
    """The literal fields of a YAML template, filled with allowed words."""
    text = section.template.strip("\n")
    for choices in section.choices:
        text = re.sub(rf"(?m)^(\s*{re.escape(choices.name)}:).*$", rf"\1 {choices.options[0]}", text)
    return PLACEHOLDER.sub(lambda found: facts.get(found[1]) or f"rehearsal {spoken(found[1])}", text)
