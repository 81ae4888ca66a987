"""What the model is told to draft: all that the template says, in the same words each time, and nobody's."""

from __future__ import annotations

import pytest

from bot.core.documents.definition import Choices, Section
from bot.core.documents.prompting import task
from bot.core.documents.units import Unit, units
from tests.unit.documents.cases import CAST, cast, of, unit_of


def test_a_section_says_what_belongs_there_its_shape_and_its_ids() -> None:
    told = task(cast("prd"), unit_of(cast("prd"), "requirements"), {})

    assert '"Requirements" of the document "Product Requirements Document"' in told
    assert "  - `### Functional`\n  - `### Non Functional`" in told
    assert "each item begins with FR and its number: FR1:, FR2:." in told
    assert "The host writes the heading of the section" in told


def test_everything_that_a_template_gives_is_told() -> None:
    section = Section(
        "a",
        "Log {{n}}",
        instruction="Say it of {{project}}.",
        type="table",
        content="Lead-in.",
        template="# {{pattern}}",
        item_template="{{item}}: why",
        placeholder="none yet",
        details="Mind the gap.",
        language="sql",
        columns=("Date", "{{who}}"),
        rows=(("Group",), ("x", "{{y}}")),
        items=("first",),
        examples=("Like this.",),
        choices=(Choices(("A", "B"), "kind"), Choices(("C",))),
        extra="mood: fine\n",
        sections=(Section("b", "Parts", repeatable=True, condition="There are parts"), Section("c", "Bare")),
    )

    told = task(of(section), unit_of(of(section), "a"), {"project": "Rota", "n": "2"}, "Swaps")

    for words in (
        '"Log 2", only for "Swaps"',
        "Say it of Rota.",
        "Shape: a Markdown table (sql).",
        "do not write it again:\n| Lead-in.",
        "Pattern:\n| # {{pattern}}",
        "| {{item}}: why",
        "As long as nothing is known: none yet",
        "Mind the gap.",
        "Columns, in this order: | Date | {{who}} |",
        "| Group |\n| x | {{y}} |",
        "- first",
        "do not copy it:\n| Like this.",
        "Choices for kind: A, B\nChoices: C",
        "mood: fine",
        "`### Parts`, once for each, if it applies: There are parts",
    ):
        assert words in told
    assert "[Bare]" not in told


def test_a_section_without_a_title_has_no_heading_to_keep_out() -> None:
    found = of(Section("a", instruction="Say it."))

    assert "The host writes the heading" not in task(found, unit_of(found, "a"), {})
    assert task(found, Unit("b", ("b",)), {}) == ""


def test_a_yaml_file_is_asked_for_as_yaml_with_its_guides() -> None:
    told = task(cast("qa-gate"), unit_of(cast("qa-gate"), "fields"), {})

    assert "Write the YAML alone." in told
    assert "Shape: YAML alone" in told
    assert "field_rules:" in told


@pytest.mark.parametrize("name", CAST)
def test_every_instruction_and_example_of_the_cast_reaches_the_model_and_no_others(name: str) -> None:
    definition = cast(name)
    for unit in units(definition):
        told = task(definition, unit, {})
        assert task(definition, unit, {}) == told
        for section in definition.walk():
            if section.id in unit.sections:
                assert section.instruction in told
                lines = [line for each in section.examples for line in each.split("\n")]
                assert all(f"| {line}".rstrip() in told for line in lines)
            elif len(section.instruction) > 60:
                assert section.instruction not in told
