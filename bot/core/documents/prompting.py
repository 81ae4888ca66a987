"""What the model is told to draft: a unit's instructions, shapes and patterns, always in the same words.

The text goes into the log as a note of the host. It names no person and quotes nobody, and it is the same for the same
definition and facts, so that it is cached. None of it belongs into the document.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.documents.definition import FIELDS, Definition, Section, levels
from bot.core.documents.filling import ASK_FIRST, TBD, fill_known
from bot.core.documents.headings import heading
from bot.core.documents.units import Unit

_SHAPES = {
    "bullet-list": "a list, each item behind `- `",
    "numbered-list": "a numbered list, each item on a line of its own",
    "checklist": "a checklist, each item behind `- [ ] `; no box is ticked",
    "table": "a Markdown table",
    "code": "one block of code between ``` fences",
    "mermaid": "one diagram in a ```mermaid fence",
    "paragraphs": "plain paragraphs, no list",
    "choice": "one of the choices below, in exactly these words, on a line of its own; then why, if that is needed",
    "template-text": "the pattern below, filled",
    FIELDS: "YAML alone, no Markdown around it: every field below, in this order",
}


def task(definition: Definition, unit: Unit, facts: Mapping[str, str], name: str = "") -> str:
    """What a model has to draft for a unit. `name` is what people call this instance of a repeated one."""
    sections = [section for section in definition.walk() if section.id in unit.sections]
    if not sections:
        return ""
    level_of = levels(definition)
    title = _filled(sections[0].title, facts) or sections[0].id
    named = f', only for "{name}": the others are drafted by themselves,' if name else ""
    about = f'"{title}"{named} of the document "{definition.name}"'
    if definition.format == "yaml":
        rules = ["Write the YAML alone. Keep every field that is shown, in its order; write no braces."]
    else:
        rules = _rules(unit, sections, level_of, facts)
    parts = [f"Draft the section {about}. What is said here is for you and never part of the document.", *rules]
    parts += [_section(section, facts, own=section.id == unit.id) for section in sections]
    return "\n\n".join(part for part in parts if part)


def _rules(unit: Unit, sections: list[Section], level_of: Mapping[str, int], facts: Mapping[str, str]) -> list[str]:
    below = [section for section in sections[1:] if section.title]
    lines = ["How to write it:"]
    if sections[0].title:
        lines.append("- The host writes the heading of the section; begin with its text.")
    if below:
        lines.append("- Write these headings below it, in this order, each with its text:")
        lines += [f"  - `{heading(level_of[s.id], _filled(s.title, facts))}`{_how_often(s)}" for s in below]
        lines.append(f"- Further headings are at level {unit.level + 1} or deeper. No other section of the document.")
    else:
        lines.append(f"- Headings, if any, at level {unit.level + 1} or deeper. No other section of the document.")
    lines += [
        "- Where a pattern has `{{braces}}`, write what belongs there instead of them.",
        f"- What nobody has said is not made up: write `{TBD}: what is missing (ask who knows)`. If {ASK_FIRST} or more"
        " things are missing, ask for them first.",
    ]
    return ["\n".join(lines)]


def _how_often(section: Section) -> str:
    words = ", once for each" if section.repeatable else ""
    return f"{words}, if it applies: {section.condition}" if section.condition else words


def _section(section: Section, facts: Mapping[str, str], *, own: bool) -> str:
    """All that the template says of one section, as a block of its own."""
    lines: list[str] = []
    if section.instruction:
        lines += ["What belongs here:", _filled(section.instruction, facts)]
    if section.details:
        lines += ["Details:", _filled(section.details, facts)]
    if section.content:
        lines.append("The host puts in this text, do not write it again:")
        lines.append(_quoted(_filled(section.content, facts)))
    lines += _shape(section, facts)
    if section.extra:
        lines += ["The template also says:", section.extra.rstrip("\n")]
    for number, example in enumerate(section.examples, 1):
        lines.append(f"Example {number}, to show the manner; do not copy it:\n{_quoted(example)}")
    called = "[The section itself]" if own else f"[{_filled(section.title, facts) or section.id}]"
    return "\n".join([called, *lines]) if lines else ""


def _shape(section: Section, facts: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    if section.type:
        told = _SHAPES[section.type]
        told += f" ({section.language})" if section.language else ""
        told += f" ({section.mermaid_type})" if section.mermaid_type else ""
        lines.append(f"Shape: {told}.")
    if section.prefix:
        lines.append(
            f"Ids: each item begins with {section.prefix} and its number: {section.prefix}1:, {section.prefix}2:."
        )
    if section.columns:
        lines.append(f"Columns, in this order: {_row(section.columns, facts)}")
    if section.rows:
        lines += ["Rows to fill:", *(_row(row, facts) for row in section.rows)]
    if section.items:
        lines += ["Items to cover:", *(f"- {_filled(item, facts)}" for item in section.items)]
    if section.item_template:
        lines += ["Each item follows this pattern:", _quoted(_filled(section.item_template, facts))]
    for choices in section.choices:
        of = f" for {choices.name}" if choices.name else ""
        lines.append(f"Choices{of}: {', '.join(choices.options)}")
    if section.template:
        lines += ["Pattern:", _quoted(_filled(section.template, facts))]
    if section.placeholder:
        lines.append(f"As long as nothing is known: {section.placeholder}")
    return lines


def _row(cells: tuple[str, ...], facts: Mapping[str, str]) -> str:
    return f"| {' | '.join(_filled(cell, facts) for cell in cells)} |"


def _filled(text: str, facts: Mapping[str, str]) -> str:
    return fill_known(text, facts)


def _quoted(text: str) -> str:
    """A text set apart line by line, so that a heading or a fence in it stays what it is."""
    return "\n".join(f"| {line}".rstrip() for line in text.split("\n"))
