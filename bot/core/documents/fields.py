"""A YAML document held against its template: every field there, in order, and only words that are allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.core.documents.definition import Section
from bot.core.documents.filenames import placeholders
from bot.core.documents.filling import fill_known
from bot.personas.readers import safe_yaml


def faults_of_fields(section: Section, text: str, facts: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with a YAML text: it does not parse, lacks fields, or has words that are not allowed.

    Fields that the template gives without a placeholder (`schema: 1`) are as it says; lists and blocks are free.
    """
    try:
        parsed = safe_yaml.parse(text)
    except safe_yaml.YamlError as problem:
        yield f"line {problem.line} is no YAML that can be read: {problem.reason}"
        return
    except RecursionError:
        yield "it is nested too deeply"
        return
    if not isinstance(parsed.value, Mapping):
        yield "it is not a block of fields"
        return
    values = {str(key): value for key, value in parsed.value.items()}
    wanted = safe_yaml.load(section.template)
    wanted = wanted if isinstance(wanted, Mapping) else {}
    yield from (f"the field {flaw.reason.split('`')[1]} is there twice" for flaw in parsed.doubled)
    missing = [str(key) for key in wanted if str(key) not in values]
    if missing:
        yield f"fields are missing: {', '.join(missing)}"
    order = [str(key) for key in wanted if str(key) in values]
    if [key for key in values if key in order] != order:
        yield f"the fields stand in another order than {', '.join(order)}"
    for key, given in wanted.items():
        if isinstance(given, str | int | float | bool) and str(key) in values:
            yield from _field(str(key), str(given), values[str(key)], facts)
    if left := placeholders(text):
        yield f"a placeholder is not filled: {', '.join(f'{{{{{name}}}}}' for name in left[:3])}"
    for choices in section.choices:
        for said in _said(choices.name, parsed.value):
            if str(said) not in choices.options:
                yield f"{choices.name} is “{said}” and may be {', '.join(choices.options)}"


def _field(key: str, given: str, found: object, facts: Mapping[str, str]) -> Iterator[str]:
    filled = fill_known(given, facts)
    if found is None or found == "":
        yield f"the field {key} is empty"
    elif not placeholders(filled) and str(found) != filled:
        yield f"the field {key} should be “{filled}”"


def _said(name: str, value: object) -> Iterator[object]:
    """Every plain value under that key, at any depth."""
    match value:
        case Mapping():
            for key, inner in value.items():
                if str(key) == name and not isinstance(inner, Mapping | list):
                    yield inner
                else:
                    yield from _said(name, inner)
        case list():
            for inner in value:
                yield from _said(name, inner)
        case _:
            return
