"""The document templates and core configurations of a library, read as the bot reads them before it writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.documents.core_config import core_config
from bot.core.documents.definition import Definition
from bot.core.documents.reading import Finding, TemplateError, read
from bot.core.documents.units import closing, stops, units
from bot.personas.files import UnreadableError
from bot.personas.library import Library
from bot.personas.model import Cast, Problem, Resource, fold


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
    """One line about a template: where it is, its sections, and where it stops for people."""
    definition, resource = template.definition, template.resource
    path = resource.source.path
    where_it_is = path if path.endswith(resource.name) else f"{path} ({resource.name})"
    if definition is None:
        return f"{where_it_is}: cannot be read"
    asked, late = stops(definition), closing(definition)
    at_the_end = "one stop, at the end" if not asked else ", then one at the end" if late else ""
    where = f"{_count(len(asked), 'stop')} ({', '.join(asked)}{at_the_end})" if asked else at_the_end
    sections = sum(1 for _ in definition.walk())
    drafts = _count(len(units(definition)), "draft")
    return f"{where_it_is}: {_count(sections, 'section')}, {drafts}, {where}"


def config_problems(library: Library, *, shipped: bool = False) -> tuple[Problem, ...]:
    """What is wrong with the core configurations of a library; with shipped ones only if asked for."""
    found: list[Problem] = []
    for resource in library.cast.resources:
        if fold(resource.stem) != "core-config" or (resource.source.shipped and not shipped):
            continue
        try:
            findings = core_config(library.text_of(resource))[1]
        except (UnreadableError, TemplateError) as problem:
            found.append(_broken(resource, problem))
        else:
            found += [_told(resource, finding) for finding in findings]
    return tuple(found)


def _template(library: Library, resource: Resource) -> Template:
    try:
        definition, findings = read(library.text_of(resource))
    except (UnreadableError, TemplateError) as problem:
        return Template(resource, None, (_broken(resource, problem),))
    told = [_told(resource, finding) for finding in findings]
    told += _strangers(definition, library.cast, resource)
    return Template(resource, definition, tuple(told))


def _broken(resource: Resource, problem: UnreadableError | TemplateError) -> Problem:
    return _told(resource, Finding(problem.line, problem.reason, problem.mend, "error"))


def _told(resource: Resource, finding: Finding) -> Problem:
    """The finding by the file's lines, of which the resource may begin below the first."""
    line = resource.source.line - 1 + finding.line
    return Problem(resource.source.path, line, finding.reason, finding.mend, finding.severity)


def _strangers(definition: Definition, cast: Cast, resource: Resource) -> Iterator[Problem]:
    """Owners and editors of sections whom nobody can call."""
    told: set[str] = set()
    for section in definition.walk():
        for name in (section.owner, *section.editors):
            if name and name not in told and cast.persona(name) is None:
                told.add(name)
                reason = f"the section {section.id} belongs to {name}, and no persona has that id"
                yield _told(resource, Finding(section.line, reason, "name a persona, or add that one to the library"))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
