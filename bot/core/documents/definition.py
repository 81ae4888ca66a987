"""What a template says of the document written from it: sections, stops, conditions, methods.

`bot/core/documents/reading.py` makes a `Definition` of a template's text, `bot/core/documents/units.py` cuts it into
what is drafted in one go.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeAlias

MAX_DEPTH = 5
"""Levels of sections: the title of a document is a heading of level 1, and Markdown has six."""

MAX_SECTIONS = 500
"""Sections of one template, all levels together; the largest public one has 108."""

FIELDS = "fields"
"""Type of the one section that a YAML template comes to: a file of literal fields."""

TYPES = (
    "bullet-list",
    "numbered-list",
    "checklist",
    "table",
    "code",
    "mermaid",
    "paragraphs",
    "choice",
    "template-text",
)
"""What a template may write as a section's `type`; a section without one is free prose."""

Format: TypeAlias = Literal["markdown", "yaml"]

Stops: TypeAlias = Literal["marked", "each", "end"]
"""Where people are asked: at sections with `elicit: true`, at each top-level section, or once at the end."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Words that a section chooses from; `name` tells groups apart and is empty where there is one group only."""

    options: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Methods:
    """A template's own elicitation methods. `group` is what a section names to have these; empty: all the others."""

    options: tuple[str, ...]
    title: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One section as its template writes it; texts are empty and tuples too where it says nothing.

    `content` is written as it stands, `template` is filled by whoever drafts, `instruction` and `examples` never
    reach the document. `order` is the place among its siblings at which it is drafted. `question` is the question of
    its own, or the name of a group of methods, that a section brings to its stop. `owner` and `editors` are ids of
    personas. `extra` holds keys we do not know, as YAML. `line` is where it begins in the template, from 1.
    """

    id: str
    title: str = ""
    instruction: str = ""
    type: str = ""
    elicit: bool = False
    repeatable: bool = False
    optional: bool = False
    readonly: bool = False
    condition: str = ""
    order: int | None = None
    content: str = ""
    template: str = ""
    item_template: str = ""
    prefix: str = ""
    language: str = ""
    mermaid_type: str = ""
    placeholder: str = ""
    details: str = ""
    question: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    items: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    choices: tuple[Choices, ...] = ()
    owner: str = ""
    editors: tuple[str, ...] = ()
    extra: str = ""
    sections: tuple[Section, ...] = ()
    line: int = field(default=1, compare=False)

    def walk(self) -> Iterator[Section]:
        """This section and all below it, in the order of the document."""
        yield self
        for section in self.sections:
            yield from section.walk()


@dataclass(frozen=True, slots=True)
class Definition:
    """A template: `filename` and `title` may hold `{{placeholders}}`, `filename` may begin with a configuration key.

    `editable` are titles of the sections that the drafting persona may fill; empty where the template names none.
    """

    id: str
    name: str
    filename: str
    sections: tuple[Section, ...]
    version: str = ""
    title: str = ""
    description: str = ""
    format: Format = "markdown"
    interactive: bool = True
    stops: Stops = "marked"
    allow_skip: bool = False
    methods: tuple[Methods, ...] = ()
    editable: tuple[str, ...] = ()

    def walk(self) -> Iterator[Section]:
        """All sections, in the order of the document."""
        for section in self.sections:
            yield from section.walk()

    def section(self, ident: str) -> Section | None:
        """The section of that id; None where there is none."""
        return next((section for section in self.walk() if section.id == ident), None)

    def methods_at(self, ident: str) -> tuple[str, ...]:
        """The template's own methods at the stop of that section; empty: the general ones are offered."""
        section = self.section(ident)
        groups = {methods.group: methods.options for methods in self.methods}
        return groups.get(section.question if section else "") or groups.get(ident) or groups.get("", ())


def conditional(definition: Definition) -> tuple[Section, ...]:
    """The sections that are written only if something holds, in the order of the document."""
    return tuple(section for section in definition.walk() if section.condition)


def repeatable(definition: Definition) -> tuple[Section, ...]:
    """The sections that may be written several times, in the order of the document."""
    return tuple(section for section in definition.walk() if section.repeatable)


def levels(definition: Definition) -> Mapping[str, int]:
    """The heading level of every section, from 2. Below a section without a title there is no new level."""
    found: dict[str, int] = {}

    def descend(sections: tuple[Section, ...], level: int) -> None:
        for section in sections:
            found[section.id] = level
            descend(section.sections, level + 1 if section.title else level)

    descend(definition.sections, 2)
    return found


def without(definition: Definition, dropped: Iterable[str]) -> Definition:
    """The definition without the sections of these ids and all below them."""
    gone = frozenset(dropped)

    def keep(sections: tuple[Section, ...]) -> tuple[Section, ...]:
        return tuple(replace(s, sections=keep(s.sections)) for s in sections if s.id not in gone)

    return replace(definition, sections=keep(definition.sections)) if gone else definition


def to_json(definition: Definition) -> str:
    """The definition as JSON: the same text for equal definitions; what has its default is left out."""
    return json.dumps(_plain(definition), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Definition:
    """What `to_json` wrote; keys of a later version are passed over. Raises ValueError for other texts."""
    try:
        values = json.loads(text)
        known = _known(Definition, values)
        known["sections"] = tuple(_section(section) for section in values["sections"])
        known["methods"] = tuple(Methods(**_known(Methods, methods)) for methods in values.get("methods", ()))
        return Definition(**known)
    except (KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ValueError(f"this is no stored template definition: {problem}") from problem


def digest(definition: Definition) -> str:
    """SHA-256 of the definition's JSON, in hex: equal for templates that differ in layout and comments only."""
    return hashlib.sha256(to_json(definition).encode("utf-8")).hexdigest()


def _plain(value: Any) -> Any:
    match value:
        case Definition() | Section() | Methods() | Choices():
            return {
                each.name: _plain(inner)
                for each in fields(value)
                if each.compare and (inner := getattr(value, each.name)) != each.default
            }
        case tuple():
            return [_plain(inner) for inner in value]
        case _:
            return value


def _known(cls: type, values: Any) -> dict[str, Any]:
    """The fields of `cls` among `values`, with lists as tuples, to any depth."""
    return {each.name: _tuples(values[each.name]) for each in fields(cls) if each.name in values}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(inner) for inner in value) if isinstance(value, list) else value


def _section(values: Any) -> Section:
    known = _known(Section, values)
    known["sections"] = tuple(_section(section) for section in values.get("sections", ()))
    known["choices"] = tuple(Choices(**_known(Choices, choices)) for choices in values.get("choices", ()))
    return Section(**known)
