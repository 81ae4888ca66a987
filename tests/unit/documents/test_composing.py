"""A draft as it is shown and saved: the host's headings and texts, and nothing that begins another section."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.documents.composing import Frame, composed, head, missing, title_of
from bot.core.documents.definition import Definition, Section
from bot.core.documents.filling import instance_facts
from bot.core.documents.headings import is_titled
from bot.core.documents.outline import outline
from bot.core.documents.units import units
from tests.unit.documents.cases import CAST, cast, of, unit_of

BARE = Frame()


def made(definition: Definition, ident: str, draft: str, frame: Frame = BARE) -> str:
    return composed(definition, unit_of(definition, ident), draft, frame)


PARTS = of(Section("a", "Needs", sections=(Section("b", "Functional"), Section("c", "Non Functional"))))


def test_the_host_writes_the_heading_and_the_draft_has_it_once() -> None:
    draft = "### Functional\n- FR1: x\n\n### Non Functional\n- NFR1: y\n"
    expected = "## Needs\n\n### Functional\n\n- FR1: x\n\n### Non Functional\n\n- NFR1: y"

    assert made(PARTS, "a", draft) == expected
    assert made(PARTS, "a", f"# Needs\n\n{draft}") == expected
    assert made(PARTS, "a", f"\n\n## **needs**\n{draft}") == expected
    assert made(PARTS, "a", f"## 2. Needs\n{draft}") == expected


def test_titles_of_the_template_get_their_level_and_others_stay_below() -> None:
    assert made(PARTS, "a", "# functional\nx\n# Architecture\ny\n##### Deep\nz\n") == (
        "## Needs\n\n### functional\n\nx\n\n### Architecture\n\ny\n\n##### Deep\n\nz"
    )


def test_a_line_of_dashes_makes_no_heading_of_what_stands_above_it() -> None:
    text = made(PARTS, "a", "Words\n---\nMore\n===\n")

    assert [heading.title for heading in outline(text)] == ["Needs"]


@pytest.mark.parametrize(
    "draft",
    [
        "- item\n  ```\n## Other\n",
        "  ```\n  x\n  ```\n  ## Other\n",
        "<div>\n```\n\n## Other\n",
        "~~~~~~~~~~\n```\n~~~~~~~~~~\n## Other\n",
        "    ```\n# Other\n",
        "x\r# Other\r\n# More",
    ],
)
def test_a_fence_that_is_none_hides_no_heading(draft: str) -> None:
    found = [heading.title for heading in outline(made(PARTS, "a", draft)) if heading.level <= 2]

    assert found == ["Needs"]


def test_code_stays_as_it_is_and_a_fence_is_closed() -> None:
    assert (
        made(PARTS, "a", "```sh\n# a comment  \n\n\n## Needs") == "## Needs\n\n```sh\n# a comment  \n\n\n## Needs\n```"
    )


def test_blank_lines_are_single_and_two_spaces_break_a_line() -> None:
    assert made(PARTS, "a", "one  \ntwo \n\n\n\nthree\n\n") == "## Needs\n\none  \ntwo\n\nthree"


def test_a_draft_of_nothing_is_nothing() -> None:
    assert made(PARTS, "a", " \n\n") == ""
    assert made(PARTS, "a", "## Needs\n") == ""


def test_a_heading_stands_alone_where_its_parts_are_saved_by_themselves() -> None:
    cut = of(Section("a", "Needs", sections=(Section("b", "Functional", elicit=True),)))

    assert made(cut, "a", "") == "## Needs"
    assert made(cut, "b", "") == ""


def test_texts_that_the_template_gives_come_at_their_places() -> None:
    found = of(
        Section(
            "a",
            "Intro",
            content="About {{project}}.",
            sections=(
                Section("b", content="Second words."),
                Section("c", "Drafted"),
                Section("d", "Given", content="```\nas it is  \n```"),
                Section("e", "Headed", content="Lead-in.", instruction="Go on"),
                Section("f", content="The end."),
            ),
        )
    )

    text = made(found, "a", "Own.\n\n### Drafted\nx\n### Headed\ny", Frame({"project": "Rota"}))

    assert text == (
        "## Intro\n\nAbout Rota.\n\nSecond words.\n\nOwn.\n\n### Drafted\n\nx\n\n### Given\n\n```\nas it is  \n```\n\n"
        "### Headed\n\nLead-in.\n\ny\n\nThe end."
    )


def test_a_unit_without_a_model_is_filled_with_facts_and_gaps() -> None:
    found = of(Section("a", "Header", content="**Date:** {{date}}\n**By:** {{writer}}"))
    unit = unit_of(found, "a")

    assert unit.literal
    assert composed(found, unit, "", Frame({"date": "2026-11-21"}, {"writer": "Ana"})) == (
        "## Header\n\n**Date:** 2026-11-21\n**By:** TBD: writer (ask Ana)"
    )
    assert missing(found, unit, {"date": "2026-11-21"}) == ("writer",)


def test_each_epic_has_its_own_heading() -> None:
    prd = cast("prd")
    section = prd.section("epic-details")
    assert section is not None
    frame = Frame(instance_facts(section, 2, "Swaps"), instance=2, name="Swaps")

    text = made(prd, "epic-details", "Goal.\n## Story 2.1 Ask\nAs a lead\n# Acceptance Criteria\n1: x", frame)

    assert [(heading.level, heading.title) for heading in outline(text)] == [
        (2, "Epic 2 Swaps"),
        (3, "Story 2.1 Ask"),
        (4, "Acceptance Criteria"),
    ]


def test_instances_share_a_title_without_room_for_names_and_are_told_apart_below() -> None:
    found = of(Section("a", "Scenes", repeatable=True, sections=(Section("b", "Mood"),)))
    unit = unit_of(found, "a")

    assert head(found, unit, Frame(instance=1, name="Dawn")) == "## Scenes\n\n### Dawn"
    assert composed(found, unit, "x\n### Mood\ny", Frame(instance=2, name="Dusk")) == "### Dusk\n\nx\n\n#### Mood\n\ny"
    named = of(Section("a", "APIs", repeatable=True, sections=(Section("b", "{{api}}"),)))
    assert head(named, unit_of(named, "a"), Frame(instance=2, name="Mail")) == ""


def test_alternatives_of_a_title_are_not_in_the_heading() -> None:
    found = of(Section("a", "Repository: {Mono|Poly}"), Section("b"))

    assert made(found, "a", "Mono, for speed.") == "## Repository\n\nMono, for speed."
    assert made(found, "a", "## Repository: Mono\nFor speed.") == "## Repository\n\nFor speed."
    assert made(found, "b", "No heading.") == "No heading."


def test_yaml_is_what_stands_in_the_fence() -> None:
    gate = cast("qa-gate")

    assert (
        made(gate, "fields", "```yaml\nschema: 1\nnote: |\n  ok\n```\nHope that helps.") == "schema: 1\nnote: |\n  ok"
    )
    assert made(gate, "fields", "schema: 1\nstory: x\n") == "schema: 1\nstory: x"
    assert made(gate, "fields", "") == ""


def test_a_document_without_a_title_has_its_templates_name() -> None:
    assert title_of(cast("prd"), {"project_name": "Rota"}) == "Rota Product Requirements Document (PRD)"
    assert title_of(cast("prd"), {}) == "TBD: project name Product Requirements Document (PRD)"
    assert title_of(of(Section("a")), {}) == "Note"


@pytest.mark.parametrize(
    ("title", "written", "same"),
    [
        ("Goals", "goals", True),
        ("Goals", "3.1 Goals", True),
        ("Goals", "**Goals**", True),
        ("Goals", "Goals and more", False),
        ("Epic {{n}} {{title}}", "Epic 12 Walking skeleton", True),
        ("Epic {{n}} {{title}}", "Story 12", False),
        ("Repository: {Mono|Poly}", "Repository: Poly", True),
        ("Repository: {Mono|Poly}", "Repository: Other", False),
        ("{{a}}.{{b}}.{{c}}.{{d}} end", "1.2.3.4 anything", True),
        ("{{x}} end", f"{'long ' * 40}end", False),
    ],
)
def test_a_heading_is_known_as_a_title_of_the_template(title: str, written: str, same: bool) -> None:
    assert is_titled(title, written) is same


def test_many_placeholders_and_a_long_heading_are_compared_at_once() -> None:
    assert not is_titled("x " * 3 + "{{a}} " * 60 + "y", "x x " + "z " * 90)


# ---------------------------------------------------------------- whatever a model writes

bits = st.sampled_from(
    [
        *("# Needs", "## Functional", "### Non Functional", "# Other", "####### seven", "#", "##", "words", "a  ", ""),
        *("```", "~~~~", "```yaml", "> ## quoted", "- # item", "---", "===", "-", "    code", "\t# x", "<!--", "| a |"),
        *(
            "  ```",
            "- ```",
            "> ```",
            "  ## Other",
            "~~~~~~~~~~",
            "-->",
            "<pre>",
            "[a]: /b '",
            "x\r# Other",
            "* a",
            "  x",
        ),
        *("* * *", "1. x", "{{gap}}", "Epic 2 Swaps", "<div>", "## Functional ##", "\r", "\u2028x", "&nbsp;"),
    ]
)
drafts = st.lists(bits, max_size=14).map("\n".join) | st.text(max_size=80)
WITH_TEXTS = of(
    Section("a", "Needs", content="Lead.", sections=(Section("b", "Functional", content="Given {{x}}."), Section("c"))),
    Section("d", "Other"),
)


@given(st.sampled_from([PARTS, WITH_TEXTS]), drafts, st.integers(0, 60))
@settings(deadline=None)
def test_what_is_shown_while_a_draft_grows_is_a_prefix_of_what_is_shown_in_the_end(
    found: Definition, draft: str, cut: int
) -> None:
    unit = unit_of(found, "a")

    whole = composed(found, unit, draft, BARE)
    part = composed(found, unit, draft[:cut], BARE, done=False)

    assert not part or whole.startswith(part)


@given(st.sampled_from([PARTS, WITH_TEXTS]), drafts)
@settings(deadline=None)
def test_no_draft_begins_a_section_of_the_document(found: Definition, draft: str) -> None:
    text = made(found, "a", draft)

    assert [heading.title for heading in outline(text) if heading.level <= 2] == (["Needs"] if text else [])
    assert not text or text == text.strip("\n")
    assert "\n\n\n" not in re.sub(r"(?ms)^[^\n]*(```|~~~).*", "", text)


@given(st.sampled_from([name for name in CAST if cast(name).format == "markdown"]), st.data())
@settings(deadline=None)
def test_composing_again_changes_nothing(name: str, data: st.DataObject) -> None:
    found = cast(name)
    unit = data.draw(st.sampled_from(units(found)))
    text = composed(found, unit, data.draw(drafts), BARE)

    assert composed(found, unit, text, BARE) == text
