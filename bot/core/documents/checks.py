"""What is wrong with a draft, in words for people: its shape held against its template. Nothing here changes a draft.

A unit's text as it will be saved is looked at, section by section: each has the lines below its heading, up to the
heading of another one. Sections without a title belong to what they follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.core.documents.definition import Definition, Section, levels
from bot.core.documents.fields import faults_of_fields
from bot.core.documents.filenames import placeholders
from bot.core.documents.headings import Line, is_open, is_titled, lines_of, owner_of
from bot.core.documents.leaks import copied
from bot.core.documents.units import Unit

MOST = 12
"""So many faults of one draft are told."""

_BULLET = re.compile(r"^ {0,3}[-*+]\s+\S")
_NUMBERED = re.compile(r"^ {0,3}\d{1,9}[.):]\s+\S")
_OUTERMOST = re.compile(r"^ ?(?:[-*+]|\d{1,9}[.)])\s+\S")
_COUNTED = re.compile(r"^\s*(?:[-*+]\s+)?[*_]*(?:[^\W\d_]+\s+)?\d{1,9}(?:\.\d+)*[*_]*[.):\s]")
_BOX = re.compile(r"^\s*[-*+]\s+\[[ xX]\]\s+\S")
_TICKED = re.compile(r"^\s*[-*+]\s+\[[xX]\]")
_CELL = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"[*_`~]|\[|\]\([^)]*\)")


def faults(definition: Definition, unit: Unit, text: str, facts: Mapping[str, str]) -> tuple[str, ...]:
    """What is wrong with the text of a unit, at most `MOST` sentences without a full stop; empty where nothing is."""
    sections = tuple(section for section in definition.walk() if section.id in unit.sections)
    if not text.strip():
        return ("it is empty",) if sections else ()
    if definition.format == "yaml":
        found = [fault for section in sections for fault in faults_of_fields(section, text, facts)]
    else:
        lines = list(lines_of(text))
        found = [*_headings(definition, unit, sections, lines)]
        for section, below in _split(sections, lines):
            for each in _bearers(section):
                found += [f"{_called(section, sections)}: {fault}" for fault in _shape(each, below)]
        found += _signs(sections, text, lines)
    leaks = [f"it has words of the template in it: “{said}”" for said in copied(sections, text)]
    return tuple(dict.fromkeys((*leaks[:3], *found)))[:MOST]


def _called(section: Section, sections: Sequence[Section]) -> str:
    return section.title or (sections[0].title if section is sections[0] else section.id) or section.id


def _bearers(section: Section) -> Iterator[Section]:
    """The section, and those below it that have no heading: their text cannot be told from its own."""
    yield section
    for child in section.sections:
        if not child.title:
            yield from _bearers(child)


def _split(sections: Sequence[Section], lines: Sequence[Line]) -> Iterator[tuple[Section, list[Line]]]:
    """Each section whose text can be told apart, with its lines; one that is repeated comes once for each time."""
    owners = tuple(section for section in sections if section.title)
    if not sections:
        return
    current: Section | None = sections[0]
    below: list[Line] = []
    for line in lines:
        owner = owner_of(owners, line.title) if line.level else None
        if owner is not None:
            if current is not None and (below or current is not sections[0]):
                yield current, below
            current, below = owner, []
        elif not (line.level and not below and current is sections[0]):
            below.append(line)
    if current is not None:
        yield current, below


def _headings(definition: Definition, unit: Unit, sections: Sequence[Section], lines: Sequence[Line]) -> Iterator[str]:
    """Headings at a wrong level, sections that are missing, and sections that are not of this unit."""
    level_of = levels(definition)
    written = [line for line in lines if line.level]
    others = tuple(section for section in definition.sections if section.id not in unit.sections)
    members = tuple(sections)
    for number, line in enumerate(written):
        owner = owner_of(members, line.title)
        if owner is not None:
            if owner.id == unit.id and number > 0 and line.level <= unit.level + 1:
                again = "is another one, which is drafted by itself" if unit.repeatable else "stands in it twice"
                yield f"the heading “{line.title}” {again}"
            elif owner.id != unit.id and line.level <= unit.level:
                yield f"the heading “{line.title}” is at level {line.level} and belongs at {level_of[owner.id]}"
        elif (number > 0 or not sections[0].title) and line.level <= unit.level:
            yield f"the heading “{line.title}” is at level {line.level} and would begin a section of its own"
        other = None if owner is not None or number == 0 else owner_of(others, line.title)
        if other is not None:
            yield f"“{line.title}” is another section of the document"
    for section in members[1:]:
        if (
            section.title
            and not is_open(section.title)
            and not any(is_titled(section.title, line.title) for line in written)
        ):
            yield f"the part “{section.title}” is missing"


def _shape(section: Section, lines: Sequence[Line]) -> Iterator[str]:
    """What is wrong with the text of one section, by its type."""
    if not any(line.text.strip() for line in lines):
        if section.type or (section.instruction and not section.sections):
            yield "nothing is written here"
        return
    plain = [line.text for line in lines if not line.code and line.text.strip()]
    match section.type:
        case "bullet-list":
            if not any(_BULLET.match(line) for line in plain):
                yield "a list is wanted, with `- ` before each item"
        case "numbered-list":
            yield from _numbered(section, plain)
        case "checklist":
            if not any(_BOX.match(line) for line in plain):
                yield "a checklist is wanted, with `- [ ]` before each item"
            elif any(_TICKED.match(line) for line in plain):
                yield "a box is ticked already"
        case "table":
            yield from _table(section, plain)
        case "code":
            yield from _fence(lines, section.language.casefold(), "code")
        case "mermaid":
            yield from _fence(lines, "mermaid", "mermaid")
        case "choice":
            yield from _choice(section, plain)
        case "paragraphs":
            if plain and all(_BULLET.match(line) or _NUMBERED.match(line) for line in plain):
                yield "paragraphs are wanted, not a list"
        case _:
            pass


def _numbered(section: Section, plain: Sequence[str]) -> Iterator[str]:
    if not section.prefix:
        if not any(_COUNTED.match(line) for line in plain):
            yield "a numbered list is wanted"
        return
    prefix = section.prefix.rstrip(":. ")
    item = re.compile(rf"^ {{0,3}}(?:[-*+]\s+|\d+[.)]\s+)?[*_]*{re.escape(prefix)}[-. ]?(\d+)", re.IGNORECASE)
    numbers = [int(found[1]) for line in plain if (found := item.match(line))]
    loose = [line for line in plain if _OUTERMOST.match(line) and not item.match(line)]
    if not numbers:
        yield f"the items want the ids {prefix}1, {prefix}2 and so on"
    elif loose:
        yield f"an item has no id with {prefix}: “{_short(loose[0])}”"
    doubled = next((number for number in numbers if numbers.count(number) > 1), None)
    if doubled is not None:
        yield f"the id {prefix}{doubled} is there twice"


def _table(section: Section, plain: Sequence[str]) -> Iterator[str]:
    at = next((place for place in range(1, len(plain)) if _is_rule(plain[place])), 0)
    if not at or "|" not in plain[at - 1]:
        yield "a table is wanted"
        return
    header = _cells(plain[at - 1])
    wanted = [_bare(column) for column in section.columns]
    if wanted and len(header) != len(wanted):
        yield f"the table has {len(header)} columns and wants {len(wanted)}: {', '.join(section.columns)}"
    else:
        for column, found in zip(section.columns, header, strict=False):
            if "{{" not in column and _bare(column) != _bare(found):
                yield f"the column “{found}” should be “{column}”"
    rows = [line for line in plain[at + 1 :] if "|" in line]
    wrong = next((row for row in rows if len(_cells(row)) != len(header)), None)
    if not rows:
        yield "the table has no rows"
    elif wrong is not None:
        yield f"a row has {len(_cells(wrong))} cells instead of {len(header)}: “{_short(wrong)}”"


def _is_rule(line: str) -> bool:
    return "-" in line and "|" in line and len(line) <= 2_000 and all(
        re.fullmatch(r"\s*:?-+:?\s*", cell) for cell in _cells(line)
    )  # fmt: skip


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip() for cell in _CELL.split(inner)]


def _fence(lines: Sequence[Line], language: str, what: str) -> Iterator[str]:
    opened = [
        line.fence for before, line in zip([None, *lines], lines, strict=False)
        if line.fence is not None and (before is None or before.fence is None)
    ]  # fmt: skip
    infos = [(fence.info.split() or [""])[0].casefold() for fence in opened]
    if not opened:
        yield f"a block of {what} between ``` fences is wanted" if what == "code" else "a ```mermaid diagram is wanted"
    elif language and language not in infos and what == "mermaid":
        yield "the diagram's fence wants to be ```mermaid"
    elif not any(line.code and line.text.strip() and "```" not in line.text for line in lines):
        yield f"the block of {what} is empty"


def _choice(section: Section, plain: Sequence[str]) -> Iterator[str]:
    said = " ".join(_bare(line) for line in plain)
    for choices in section.choices:
        if not any(re.search(rf"(?<!\w){re.escape(_bare(option))}(?!\w)", said) for option in choices.options):
            yield f"none of the choices is named: {', '.join(choices.options)}"


def _signs(sections: Sequence[Section], text: str, lines: Sequence[Line]) -> Iterator[str]:
    """Signs that have no place in a document: what is left of a pattern, of a prompt, or opens and never closes."""
    outside = "\n".join(line.text for line in lines if not line.code)
    if left := placeholders(re.sub(r"`[^`\n]*`", "", outside)):
        yield f"a placeholder is not filled: {', '.join(f'{{{{{name}}}}}' for name in left[:3])}"
    if "[[LLM" in outside:
        yield "an instruction for the model is in it: [[LLM: …]]"
    if lines and lines[-1].fence is not None:
        yield "a code fence is not closed"
    if outside.rfind("<!--") > outside.rfind("-->"):
        yield "an HTML comment is not closed, and would hide what follows"


def _bare(text: str) -> str:
    return " ".join(_MARKS.sub("", text).casefold().split())


def _short(text: str) -> str:
    said = " ".join(text.split())
    return said if len(said) <= 60 else said[:59].rstrip() + "…"
