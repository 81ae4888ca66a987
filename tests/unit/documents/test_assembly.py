"""A document of accepted parts, and its parts again: by what was recorded, and by headings where people changed it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.documents.assembly import Part, Trace, apart, assembled, by_headings, in_order, text_hash, traces
from bot.core.documents.composing import Frame, composed
from bot.core.documents.definition import Section
from bot.core.documents.filling import instance_facts
from bot.core.documents.units import units
from tests.unit.documents.cases import CAST, cast, of
from tests.unit.documents.drafting import draft

FACTS = {"project_name": "Rota"}


def parts_of(name: str) -> list[Part]:
    """Accepted parts of every unit in the order of drafting, two of each that is repeated."""
    definition = cast(name)
    found: list[Part] = []
    for unit in units(definition):
        section = definition.section(unit.id)
        assert section is not None
        for instance in (1, 2) if unit.repeatable else (0,):
            frame = Frame({**FACTS, **instance_facts(section, instance, f"Thing {instance}")}, {}, instance, "Thing")
            found.append(Part(unit.id, composed(definition, unit, draft(definition, unit), frame), instance))
    return [part for part in found if part.text]


@pytest.mark.parametrize("name", CAST)
def test_a_document_has_every_part_once_in_the_templates_order_and_comes_apart_again(name: str) -> None:
    definition, parts = cast(name), parts_of(name)

    text = assembled(definition, parts, FACTS)
    ordered = in_order(definition, parts)
    cut = apart(text, traces(ordered))

    assert cut is not None
    assert cut[-len(ordered) :] == ordered
    assert "\n\n".join(part.text for part in cut) + "\n" == text
    places = {unit.id: unit.place for unit in units(definition)}
    assert [places[part.unit] for part in ordered] == sorted(places[part.unit] for part in parts)
    assert text.startswith("schema:" if definition.format == "yaml" else "# ")


@pytest.mark.parametrize("name", [name for name in CAST if cast(name).format == "markdown"])
def test_headings_tell_the_parts_where_nothing_else_does(name: str) -> None:
    definition, parts = cast(name), parts_of(name)
    text = assembled(definition, parts, FACTS)

    found = by_headings(definition, text)

    assert "\n\n".join(part.text for part in found) + "\n" == text
    titled = [part for part in in_order(definition, parts) if (definition.section(part.unit) or Section("")).title]
    assert [(part.unit, part.instance) for part in found if part.unit] == [(p.unit, p.instance) for p in titled]


def test_only_accepted_text_is_in_a_document_from_the_first_part_on() -> None:
    prd = cast("prd")

    assert assembled(prd, [], FACTS) == "# Rota Product Requirements Document (PRD)\n"
    assert assembled(
        prd, [Part("next-steps", "## Next Steps\n\nGo."), Part("requirements", "## Requirements\n\nx")], FACTS
    ) == ("# Rota Product Requirements Document (PRD)\n\n## Requirements\n\nx\n\n## Next Steps\n\nGo.\n")
    assert assembled(cast("qa-gate"), [], {}) == ""


def test_the_last_of_two_parts_wins_and_strangers_are_left_out() -> None:
    prd = cast("prd")
    parts = [Part("requirements", "old"), Part("nobody", "x"), Part("requirements", "new"), Part("next-steps", "")]

    assert in_order(prd, parts) == (Part("requirements", "new"),)


def test_a_text_that_was_changed_is_not_taken_apart_by_its_record() -> None:
    parts = (Part("a", "## A\n\nx"), Part("b", "## B\n\ny"))
    text = "# Note\n\n## A\n\nx\n\n## B\n\ny\n"

    assert apart(text, traces(parts)) == (Part("", "# Note"), *parts)
    assert apart(text.replace("y", "z"), traces(parts)) is None
    assert apart(text + "more\n", traces(parts)) is None
    assert apart(text, ()) is None
    assert apart("", (Trace("a", text_hash("x")),)) is None


def test_a_text_without_headings_is_one_part_of_nobody() -> None:
    assert by_headings(cast("prd"), "Just words.\n") == (Part("", "Just words."),)
    assert by_headings(cast("prd"), "") == ()


def test_headings_in_code_and_at_other_levels_begin_nothing() -> None:
    found = of(Section("a", "A"), Section("b", "B"))
    text = "# T\n\n## A\n\n```\n## B\n```\n\n### B\n\nx\n\n## B\n\ny\n"

    assert [(part.unit, part.text) for part in by_headings(found, text)] == [
        ("", "# T"),
        ("a", "## A\n\n```\n## B\n```\n\n### B\n\nx"),
        ("b", "## B\n\ny"),
    ]


texts = st.text(alphabet="ab#\n ", min_size=1, max_size=12).map(lambda text: text.strip("\n")).filter(bool)


@given(st.lists(texts, min_size=1, max_size=5), st.booleans())
@settings(deadline=None)
def test_parts_of_any_text_come_back_byte_for_byte(said: list[str], titled: bool) -> None:
    parts = [Part(f"u{number}", text) for number, text in enumerate(said)]
    body = "\n\n".join((["# Title"] if titled else []) + said) + "\n"

    cut = apart(body, traces(parts))

    assert cut is not None
    assert "\n\n".join(part.text for part in cut) + "\n" == body
    assert [part.text for part in cut if part.unit] == said
