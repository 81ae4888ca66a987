"""The document templates of a library, read as the bot reads them before it writes a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.documents.definition import Definition
from bot.core.documents.reading import TemplateError, read
from bot.core.documents.units import closing, stops, units
from bot.personas.files import UnreadableError
from bot.personas.library import Library
from bot.personas.model import Cast, Problem, Resource


@dataclass(frozen=True, slots=True)
class Template:
    """A template of the library: its definition, None where none can be read, and what its author should mend."""

    resource: Resource
    definition: Definition | None
    problems: tuple[Problem, ...] = ()


def templates_of(library: Library, *, shipped: bool = False) -> tuple[Template, ...]:
    """The templates in YAML, in the library's order; those that are shipped only if asked for."""
    return tuple(
        _template(library, resource)
        for resource in library.cast.resources
        if resource.kind == "templates"
        and resource.name.casefold().endswith((".yaml", ".yml"))
        and (shipped or not resource.source.shipped)
    )


def described(template: Template) -> str:
    """One line about a template: its sections, and where it stops for people."""
    definition = template.definition
    if definition is None:
        return f"{template.resource.name}: cannot be read"
    asked, late = stops(definition), closing(definition)
    at_the_end = "one stop, at the end" if not asked else f", then one for the last {len(late)}" if late else ""
    where = f"{_count(len(asked), 'stop')} ({', '.join(asked)}{at_the_end})" if asked else at_the_end
    sections = sum(1 for _ in definition.walk())
    drafts = _count(len(units(definition)), "draft")
    return f"{template.resource.name}: {_count(sections, 'section')}, {drafts}, {where}"


def _template(library: Library, resource: Resource) -> Template:
    path, above = resource.source.path, resource.source.line - 1
    try:
        definition, findings = read(library.text_of(resource))
    except UnreadableError as problem:
        return Template(resource, None, (Problem(path, above + problem.line, problem.reason, problem.mend, "error"),))
    except TemplateError as problem:
        return Template(resource, None, (Problem(path, above + problem.line, problem.reason, problem.mend, "error"),))
    told = [Problem(path, above + each.line, each.reason, each.mend, each.severity) for each in findings]
    told += _strangers(definition, library.cast, path, above)
    return Template(resource, definition, tuple(told))


def _strangers(definition: Definition, cast: Cast, path: str, above: int) -> Iterator[Problem]:
    """Owners and editors of sections whom nobody can call."""
    told: set[str] = set()
    for section in definition.walk():
        for name in (section.owner, *section.editors):
            if name and name not in told and cast.persona(name) is None:
                told.add(name)
                reason = f"the section {section.id} belongs to {name}, and no persona has that id"
                yield Problem(path, above + section.line, reason, "name a persona, or add that one to the library")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
