"""What is found wrong with a draft: nothing with a careful one, and every fault in words that help."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.documents.checks import MOST, faults
from bot.core.documents.composing import Frame, composed
from bot.core.documents.definition import FIELDS, Choices, Definition, Section
from bot.core.documents.units import units
from tests.unit.documents.cases import CAST, cast, of, unit_of
from tests.unit.documents.drafting import draft


def found(definition: Definition, ident: str, text: str) -> list[str]:
    unit = unit_of(definition, ident)
    return list(faults(definition, unit, composed(definition, unit, text, Frame()), {}))


def one(section: Section, text: str) -> list[str]:
    return found(of(section, Section("z", "Later")), section.id, text)


@pytest.mark.parametrize("name", CAST)
def test_no_fault_is_found_in_a_careful_draft_of_any_unit_of_the_cast(name: str) -> None:
    definition = cast(name)
    for unit in units(definition):
        text = composed(definition, unit, draft(definition, unit), Frame())
        assert [(unit.id, fault) for fault in faults(definition, unit, text, FACTS)] == []


FACTS: dict[str, str] = {}

TABLE = Section("a", "Log", type="table", columns=("Date", "{{who}}"))
LIST = Section("a", "Log", type="numbered-list", prefix="FR")


@pytest.mark.parametrize(
    ("section", "text", "fault"),
    [
        (TABLE, "No table.", "Log: a table is wanted"),
        (TABLE, "|---|---|", "Log: a table is wanted"),
        (TABLE, "| Date | Who |\n|---|---|", "Log: the table has no rows"),
        (TABLE, "| Date |\n|---|\n| x |", "Log: the table has 1 columns and wants 2: Date, {{who}}"),
        (TABLE, "| Day | Who |\n|---|---|\n| x | y |", "Log: the column “Day” should be “Date”"),
        (TABLE, "| Date | Who |\n|:-:|--:|\n| x |", "Log: a row has 1 cells instead of 2: “| x |”"),
        (LIST, "- Something", "Log: the items want the ids FR1, FR2 and so on"),
        (LIST, "- FR1: a\n- something", "Log: an item has no id with FR: “- something”"),
        (LIST, "- **FR1**: a\n1. FR1 b", "Log: the id FR1 is there twice"),
        (Section("a", "Log", type="numbered-list"), "- x\n- y", "Log: a numbered list is wanted"),
        (Section("a", "Log", type="bullet-list"), "Words.", "Log: a list is wanted, with `- ` before each item"),
        (Section("a", "Log", type="checklist"), "- x", "Log: a checklist is wanted, with `- [ ]` before each item"),
        (Section("a", "Log", type="checklist"), "- [ ] x\n- [x] y", "Log: a box is ticked already"),
        (Section("a", "Log", type="paragraphs"), "- x\n1. y", "Log: paragraphs are wanted, not a list"),
        (Section("a", "Log", type="mermaid"), "A to B", "Log: a ```mermaid diagram is wanted"),
        (Section("a", "Log", type="mermaid"), "```\nA\n```", "Log: the diagram's fence wants to be ```mermaid"),
        (Section("a", "Log", type="mermaid"), "```mermaid\n```", "Log: the block of mermaid is empty"),
        (Section("a", "Log", type="code"), "x = 1", "Log: a block of code between ``` fences is wanted"),
        (
            Section("a", "Log", type="choice", choices=(Choices(("Mono", "Poly"), "repo"),)),
            "Monolith, or polygon.",
            "Log: none of the choices is named: Mono, Poly",
        ),
        (Section("a", "Log", instruction="x"), "## Log", "it is empty"),
        (Section("a", "Log"), "{{who}} did it", "a placeholder is not filled: {{who}}"),
        (Section("a", "Log"), "[[LLM: ask]] x", "an instruction for the model is in it: [[LLM: …]]"),
        (Section("a", "Log"), "x <!-- y", "an HTML comment is not closed, and would hide what follows"),
        (Section("a", "Log"), "x\n### Later\ny", "“Later” is another section of the document"),
        (Section("a", "Log"), "x\n## Log\ny", "the heading “Log” stands in it twice"),
        (Section("a", "Log", sections=(Section("b", "Part"),)), "x", "the part “Part” is missing"),
        (
            Section("a", "Log", sections=(Section("b", "Part", instruction="x"),)),
            "x\n### Part\n",
            "Part: nothing is written here",
        ),
        (
            Section("a", "Log", sections=(Section("b", type="table"),)),
            "words",
            "Log: a table is wanted",
        ),
        (
            Section("a", "Epic {{n}}", repeatable=True),
            "x\n## Epic 2\ny",
            "the heading “Epic 2” is another one, which is drafted by itself",
        ),
    ],
)
def test_a_fault_is_named_in_words_for_people(section: Section, text: str, fault: str) -> None:
    assert one(section, text) == [fault]


@pytest.mark.parametrize(
    ("section", "text"),
    [
        (TABLE, "Lead-in.\n\n| **date** | Ana |\n|---|---|\n| a \\| b | c |"),
        (LIST, "1. FR1: a\n   - detail\n2. FR2: b"),
        (LIST, "**FR1**: a\n\n**FR2**: b"),
        (Section("a", "Log", type="numbered-list"), "1: After a swap\n2: And so on"),
        (Section("a", "Log", type="numbered-list"), "Epic 1 Skeleton: x\nEpic 2 Swaps: y"),
        (Section("a", "Log"), "`{{ vue }}` and\n```\n{{ vue }}\n[[LLM: x]] <!--\n```"),
        (Section("a", "Log", type="code", language="python"), "```py\nx\n```"),
        (Section("a", "Log", choices=(Choices(("Mono",)),)), "Anything: choices bind only where the type says so."),
        (Section("a", "{{x}}", repeatable=True), "x\n### Whatever\ny"),
        (Section("a", "Log", sections=(Section("b", "{{x}}"),)), "x"),
    ],
)
def test_good_drafts_of_other_manners_pass(section: Section, text: str) -> None:
    assert one(section, text) == []


def test_levels_are_looked_at_where_a_text_was_not_composed() -> None:
    definition = of(Section("a", "Log", sections=(Section("b", "Part"),)))
    unit = unit_of(definition, "a")

    assert faults(definition, unit, "## Log\n\n## Part\n\nx\n\n# Else\n\ny\n\n```\nz", {}) == (
        "the heading “Part” is at level 2 and belongs at 3",
        "the heading “Else” is at level 1 and would begin a section of its own",
        "a code fence is not closed",
    )


# ---------------------------------------------------------------- words of the template

TOLD = "Write both lists from the goals above, and give each item exactly one testable must."
SHORT = "Ask who pays.\nAsk who decides.\nAsk who waits."


@pytest.mark.parametrize(
    ("section", "text", "leaks"),
    [
        (Section("a", "A", instruction=f"{TOLD} Short one."), "write BOTH lists\nfrom the goals above - and give each "
         "item exactly one testable must", [TOLD]),
        (Section("a", "A", instruction=SHORT), SHORT.replace("\n", " "), [SHORT.replace("\n", " ")]),
        (Section("a", "A", examples=(TOLD,)), f"- {TOLD}", [TOLD]),
        (Section("a", "A", details=TOLD), TOLD, [TOLD]),
        (Section("a", "A", instruction="Ask who pays.\nAsk who decides."), "Ask who pays. Ask who decides.", []),
        (Section("a", "A", instruction="A short sentence is no leak."), "A short sentence is no leak.", []),
        (Section("a", "A", instruction=TOLD, template=TOLD), TOLD, []),
    ],
)  # fmt: skip
def test_instructions_and_examples_of_the_template_are_found(section: Section, text: str, leaks: list[str]) -> None:
    short = [leak if len(leak) <= 80 else leak[:79].rstrip() + "…" for leak in leaks]

    assert one(section, text) == [f"it has words of the template in it: “{leak}”" for leak in short]


@pytest.mark.parametrize("name", CAST)
def test_a_model_that_hands_its_instructions_back_is_found_out(name: str) -> None:
    definition = cast(name)
    for unit in units(definition):
        section = definition.section(unit.id)
        assert section is not None
        if definition.format == "markdown" and len(section.instruction.split()) > 40:
            told = found(definition, unit.id, section.instruction)
            assert any(fault.startswith("it has words of the template") for fault in told), unit.id


# ---------------------------------------------------------------- fields

GATE = cast("qa-gate")
GOOD = yaml.safe_load(draft(GATE, unit_of(GATE, FIELDS)))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"gate": "MAYBE"}, "gate is “MAYBE” and may be PASS, CONCERNS, FAIL, WAIVED"),
        ({"schema": 2}, "the field schema should be “1”"),
        ({"reviewer": ""}, "the field reviewer is empty"),
        ({"story": "{{epic_num}}"}, "a placeholder is not filled: {{epic_num}}"),
        ({"top_issues": [{"severity": "huge"}]}, "severity is “huge” and may be low, medium, high"),
    ],
)
def test_a_field_that_is_not_as_the_template_has_it_is_told(changes: dict[str, object], fault: str) -> None:
    assert fault in found(GATE, FIELDS, yaml.safe_dump(GOOD | changes, sort_keys=False))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [", "line 2 is no YAML that can be read"),
        ("- a", "it is not a block of fields"),
        ("schema: 1", "fields are missing: story, story_title, gate"),
        (yaml.safe_dump(GOOD, sort_keys=True), "the fields stand in another order than schema, story"),
        (yaml.safe_dump(GOOD, sort_keys=False) + "gate: PASS\n", "the field gate is there twice"),
        ("a: " + "[" * 2_000, "line 1 is no YAML that can be read"),
    ],
)
def test_yaml_that_is_not_the_file_is_told(text: str, fault: str) -> None:
    told = found(GATE, FIELDS, text)

    assert any(each.startswith(fault) for each in told), told


def test_fields_are_held_against_the_facts() -> None:
    unit = unit_of(GATE, FIELDS)
    text = yaml.safe_dump(GOOD | {"story": "1.3"}, sort_keys=False)

    assert "the field story should be “1.2”" in faults(GATE, unit, text, {"epic_num": "1", "story_num": "2"})


# ---------------------------------------------------------------- whatever the text


@given(st.sampled_from(CAST), st.text(alphabet="#|-`~*[]{}<>! \n\tab1.:FR", max_size=200))
@settings(deadline=None)
def test_any_text_is_checked_within_bounds(name: str, text: str) -> None:
    definition = cast(name)
    for unit in units(definition)[:4]:
        told = faults(definition, unit, text, {})
        assert len(told) <= MOST
        assert all(told) and len(set(told)) == len(told)


def test_hostile_tables_and_headings_are_checked_whole() -> None:
    unit = unit_of(of(TABLE), "a")
    text = "| a |\n" + "|-" * 20_000 + "\n" + "# " + "x " * 20_000 + "\n" + "|" * 20_000

    assert faults(of(TABLE), unit, text, {})
