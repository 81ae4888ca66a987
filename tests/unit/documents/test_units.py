"""Units: every section once, as many stops as asked for, and the order of drafting."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.documents.definition import (
    Definition,
    Section,
    Stops,
    conditional,
    digest,
    from_json,
    levels,
    repeatable,
    to_json,
    without,
)
from bot.core.documents.reading import definition
from bot.core.documents.units import Mark, Unit, closing, skeleton, stops, unit, units

TEMPLATES = Path(__file__).resolve().parents[3] / "agents" / "bmad" / "templates"


def of(*sections: Section, stops: Stops = "marked", allow_skip: bool = False) -> Definition:
    return Definition("t", "T", "docs/t.md", sections, stops=stops, allow_skip=allow_skip)


def cast(name: str) -> Definition:
    return definition((TEMPLATES / f"{name}-tmpl.yaml").read_text("utf-8"))


def ids(definition: Definition) -> list[tuple[str, ...]]:
    return [each.sections for each in units(definition)]


def test_the_prd_is_drafted_in_eight_units_with_five_stops() -> None:
    prd = cast("prd")

    assert [each.id for each in units(prd)] == [
        *("goals-context", "requirements", "ui-goals", "technical-assumptions", "epic-list", "epic-details"),
        *("checklist-results-report", "next-steps"),
    ]
    assert stops(prd) == ("requirements", "ui-goals", "technical-assumptions", "epic-list", "epic-details")
    assert closing(prd) == ("checklist-results-report", "next-steps")
    assert [each.id for each in units(prd) if each.repeatable] == ["epic-details"]
    assert [section.id for section in conditional(prd)] == ["ui-goals", "ux-expert-prompt"]
    assert [section.id for section in repeatable(prd)] == ["epic-details", "story"]
    assert levels(prd)["acceptance-criteria"] == 4


def test_what_is_read_first_and_drafted_last_keeps_its_place() -> None:
    brief = units(cast("project-brief"))

    assert brief[-1].id == "executive-summary"
    assert brief[-1].place < max(each.place for each in brief)


def test_a_yaml_file_and_a_silent_document_stop_once_at_the_end() -> None:
    assert closing(cast("qa-gate")) == ("fields",)
    silent = cast("brainstorming-output")
    assert stops(silent) == ()
    assert closing(silent) == tuple(each.id for each in units(silent))
    assert closing(silent)[-1] == "executive-summary"


def test_an_interactive_template_without_a_stop_stops_at_each_top_level_section() -> None:
    found = of(Section("a", sections=(Section("b"),)), Section("c"), stops="each")

    assert [(each.sections, each.stop) for each in units(found)] == [(("a", "b"), True), (("c",), True)]


def test_a_stop_inside_cuts_a_section_and_what_follows_has_the_stop_of_the_whole() -> None:
    found = of(
        Section("a", "A", elicit=True, sections=(Section("b"), Section("c", elicit=True), Section("d"), Section("e")))
    )

    assert [(each.sections, each.stop, each.level) for each in units(found)] == [
        (("a", "b"), False, 2),
        (("c",), True, 3),
        (("d", "e"), True, 3),
    ]


def test_a_stop_at_the_end_of_a_section_leaves_the_head_its_own() -> None:
    found = of(Section("a", "A", elicit=True, sections=(Section("b", elicit=True),)))

    assert [(each.sections, each.stop) for each in units(found)] == [(("a",), True), (("b",), True)]


def test_what_is_repeated_is_one_unit_with_one_stop_whatever_lies_in_it() -> None:
    found = of(Section("a", "A {{n}}", repeatable=True, sections=(Section("b", elicit=True), Section("c"))))

    assert units(found) == (Unit("a", ("a", "b", "c"), stop=True, repeatable=True),)


def test_sections_side_by_side_have_no_instances_and_the_whole_knows_its_condition() -> None:
    found = of(
        Section(
            "a",
            condition="There is a screen",
            sections=(Section("b", elicit=True), Section("c", repeatable=True), Section("d", condition="More")),
        )
    )

    assert [(each.id, each.repeatable, each.condition) for each in units(found)] == [
        ("a", False, True),
        ("b", False, True),
        ("c", False, True),
    ]
    alone = of(Section("a", sections=(Section("b", elicit=True), Section("c", repeatable=True, condition="X"))))
    assert units(alone)[-1] == Unit("c", ("c",), level=2, place=2, repeatable=True, condition=True)


def test_a_section_with_an_order_of_its_own_joins_nobody() -> None:
    found = of(Section("a", sections=(Section("b", elicit=True), Section("c"), Section("d", order=0), Section("e"))))

    assert ids(found) == [("a",), ("d", "e"), ("b",), ("c",)]
    assert [each.place for each in units(found)] == [0, 3, 1, 2]


def test_there_is_no_new_level_below_a_section_without_a_title() -> None:
    found = of(Section("a", sections=(Section("b", "B", sections=(Section("c"),)),)))

    assert levels(found) == {"a": 2, "b": 2, "c": 3}


def test_what_the_host_can_write_itself_needs_no_model() -> None:
    found = of(
        Section("given", content="As it stands"),
        Section("headed", "H", sections=(Section("inner", content="x"),)),
        Section("drafted", content="x", instruction="Say more"),
        Section("empty", "E"),
    )

    assert [each.id for each in units(found) if each.literal] == ["given", "headed"]


def test_what_may_be_skipped_is_said_by_the_template_or_the_section() -> None:
    assert [each.skippable for each in units(of(Section("a"), Section("b", optional=True)))] == [False, True]
    assert [each.skippable for each in units(of(Section("a"), allow_skip=True))] == [True]


def test_sections_that_do_not_apply_are_gone_with_all_below_them() -> None:
    prd = cast("prd")
    left = without(prd, ["ui-goals", "ux-expert-prompt"])

    assert "ui-goals" not in stops(left)
    assert unit(left, "next-steps") == Unit("next-steps", ("next-steps", "architect-prompt"), place=6)
    assert without(prd, []) is prd
    assert unit(prd, "nobody") is None
    assert prd.section("nobody") is None


def test_a_skeleton_is_small_and_says_what_its_units_are() -> None:
    marks = skeleton(cast("prd"))

    assert marks[2] == Mark("ui-goals", 2, "sc")
    assert marks[2].has("stop") and marks[2].has("condition") and not marks[2].has("repeatable")
    assert marks[5].has("repeatable")
    assert max(len(str(skeleton(cast(path.stem.removesuffix("-tmpl"))))) for path in TEMPLATES.iterdir()) < 2_000


# ---------------------------------------------------------------- whatever the template

titles = st.sampled_from(["", "A title"])
flags = st.booleans()


def section_of(children: st.SearchStrategy[tuple[Section, ...]]) -> st.SearchStrategy[Section]:
    orders = st.none() | st.integers(0, 9)
    return st.builds(
        Section, st.just("?"), titles, elicit=flags, repeatable=flags, order=orders, sections=children,
        condition=st.sampled_from(["", "It applies"]), content=st.sampled_from(["", "Given"]),
    )  # fmt: skip


trees = st.recursive(
    st.just(()), lambda inner: st.lists(section_of(inner), max_size=4).map(tuple), max_leaves=12
).filter(bool)


def numbered(sections: tuple[Section, ...], counter: list[int]) -> tuple[Section, ...]:
    found = []
    for section in sections:
        counter[0] += 1
        ident = f"s{counter[0]}"
        found.append(
            Section(
                ident,
                section.title,
                elicit=section.elicit,
                repeatable=section.repeatable,
                order=section.order,
                condition=section.condition,
                content=section.content,
                sections=numbered(section.sections, counter),
            )
        )
    return tuple(found)


definitions = st.builds(
    lambda tree, stops: of(*numbered(tree, [0]), stops=stops), trees, st.sampled_from(["marked", "each", "end"])
)


def asked(sections: tuple[Section, ...]) -> int:
    """How many stops the sections ask for; what is repeated asks once."""
    return sum(
        any(inner.elicit for inner in section.walk())
        if section.repeatable
        else section.elicit + asked(section.sections)
        for section in sections
    )


@given(definitions)
@settings(deadline=None)
def test_every_section_is_in_one_unit_and_nothing_is_left_out_of_the_stops(found: Definition) -> None:
    cut = units(found)

    by_place = sorted(cut, key=lambda each: each.place)
    assert [ident for each in by_place for ident in each.sections] == [section.id for section in found.walk()]
    assert [each.place for each in by_place] == list(range(len(cut)))
    expected = {"marked": asked(found.sections), "each": len(found.sections), "end": 0}[found.stops]
    assert len(stops(found)) == expected
    last = max((number for number, each in enumerate(cut) if each.stop), default=-1)
    assert closing(found) == tuple(each.id for each in cut[last + 1 :])
    assert [mark.id for mark in skeleton(found)] == [each.id for each in cut]


@given(definitions)
@settings(deadline=None)
def test_a_definition_comes_back_from_its_text(found: Definition) -> None:
    assert from_json(to_json(found)) == found
    assert digest(from_json(to_json(found))) == digest(found)


@pytest.mark.parametrize("path", sorted(TEMPLATES.iterdir()), ids=lambda path: path.stem)
def test_the_casts_definitions_come_back_from_their_texts(path: Path) -> None:
    found = definition(path.read_text("utf-8"))

    assert from_json(to_json(found)) == found


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": "a", "name": "A", "filename": "f", "sections": [3]}', "null"])
def test_another_text_is_no_definition(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text)


def test_keys_of_a_later_version_are_passed_over() -> None:
    found = of(Section("a"))

    assert from_json(to_json(found).replace('"id":"a"', '"id":"a","mood":"fine"')) == found
