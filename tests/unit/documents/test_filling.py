"""Placeholders, gaps that everybody sees, and the names of instances."""

from __future__ import annotations

import pytest

from bot.core.documents.definition import Section
from bot.core.documents.filling import (
    Filled,
    fill,
    fill_known,
    gaps,
    instance_facts,
    instance_name,
    listed,
    tbd,
)
from tests.unit.documents.cases import cast


def test_a_placeholder_is_filled_by_its_fact_and_a_gap_says_who_knows() -> None:
    found = fill("{{project}} by {{goal_owner}}, {{goal_owner}}", {"project": " Rota "}, {"goal_owner": "Ana"})

    assert found == Filled("Rota by TBD: goal owner (ask Ana), TBD: goal owner (ask Ana)", ("goal_owner",))


def test_a_fact_with_braces_of_its_own_is_not_filled_again() -> None:
    assert fill("{{a}}", {"a": "{{b}}", "b": "x"}).text == "{{b}}"


def test_what_has_no_fact_stays_for_whoever_drafts() -> None:
    assert fill_known("{{a}} and {{b}}", {"a": "1", "b": " "}) == "1 and {{b}}"


@pytest.mark.parametrize(
    ("name", "who", "said"),
    [
        ("goal_owner", "", "TBD: goal owner"),
        ("goal-owner", "Ana", "TBD: goal owner (ask Ana)"),
        ("High|Medium|Low", "", "TBD: High, Medium or Low"),
    ],
)
def test_a_gap_is_worded_for_people(name: str, who: str, said: str) -> None:
    assert tbd(name, who) == said


def test_gaps_are_found_again_once_each_in_tables_and_sentences() -> None:
    text = "| a | TBD: the price (ask Tom) |\nTBD\nWe have TBD: launch date. And TBD: the price (ask Tom)\nTBDs"

    assert gaps(text) == ("the price", "TBD", "launch date")
    assert gaps(tbd("goal_owner", "Ana")) == ("goal owner",)


@pytest.mark.parametrize(
    ("template", "ident", "facts"),
    [
        ("prd", "epic-details", {"epic_number": "2", "epic_title": "Swaps"}),
        ("brainstorming-output", "technique", {"technique_name": "Swaps"}),
        ("brainstorming-output", "top-priority", {"priority_number": "2", "idea_name": "Swaps"}),
    ],
)
def test_an_instance_has_the_number_and_the_name_that_its_title_asks_for(
    template: str, ident: str, facts: dict[str, str]
) -> None:
    section = cast(template).section(ident)
    assert section is not None

    assert instance_facts(section, 2, "Swaps") == facts


def test_where_the_title_has_no_place_the_first_child_names_the_instance() -> None:
    section = Section("apis", "APIs", sections=(Section("api", "{{api_name}} API"),))

    assert instance_facts(section, 1, "Mail") == {"api_name": "Mail"}
    assert instance_facts(Section("a", "A"), 1, "Mail") == {}


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ("Epic 2 Swaps: people swap shifts (covers FR4)", "Swaps"),
        ("1. Epic 2 Swaps (covers FR4)", "Swaps"),
        ("- **Sign-in**: by mail", "Sign-in"),
        ("- [ ] 3. Roster - read only", "Roster"),
        ("* Epic 1: Walking skeleton", "Walking skeleton"),
        ("2FA by app", "2FA by app"),
        ("x" * 90, "x" * 79 + "…"),
    ],
)
def test_an_entry_of_a_list_names_its_thing(item: str, name: str) -> None:
    assert instance_name(item) == name


def test_an_accepted_list_names_the_instances() -> None:
    assert listed("## Epic List\n\n1. Epic 1 Skeleton: x\n   - detail\n2. Epic 2 Swaps: y\n") == ("Skeleton", "Swaps")
    assert listed("| Name | Why |\n|---|---|\n| Mail | a |\n| Maps | b |") == ("Mail", "Maps")
    assert listed("Nothing listed here.") == ()
