"""Who may write which section, as the templates say."""

from __future__ import annotations

import pytest

from bot.core.documents.definition import Section
from bot.core.documents.permissions import held_back, may_write, writers
from bot.core.documents.units import units
from tests.unit.documents.cases import cast, of, unit_of

STORY = cast("story")


def test_the_qa_persona_writes_only_its_own_section_of_a_story() -> None:
    allowed = [section.id for section in STORY.walk() if may_write(STORY, section.id, "qa")]

    assert allowed == ["qa-results"]


def test_the_developer_writes_what_the_story_gives_to_it() -> None:
    allowed = [section.id for section in STORY.walk() if may_write(STORY, section.id, "dev")]

    assert allowed == [
        *("status", "tasks-subtasks", "change-log", "dev-agent-record", "agent-model", "debug-log-references"),
        *("completion-notes", "file-list"),
    ]


def test_what_the_drafter_of_a_story_may_not_write_is_held_back() -> None:
    late = {each.id: held_back(STORY, each, "SM") for each in units(STORY) if held_back(STORY, each, "SM")}

    assert late == {
        "dev-agent-record": unit_of(STORY, "dev-agent-record").sections,
        "qa-results": ("qa-results",),
    }


@pytest.mark.parametrize("name", ["prd", "architecture", "project-brief", "qa-gate"])
def test_a_template_that_names_nobody_is_written_by_anybody(name: str) -> None:
    assert set(writers(cast(name)).values()) == {None}


def test_sections_have_the_writers_of_those_around_them_and_some_have_none() -> None:
    found = of(
        Section("a", owner="sm", sections=(Section("b"), Section("c", editors=("dev", "qa")))),
        Section("d", readonly=True, sections=(Section("e"), Section("f", owner="dev"))),
    )

    assert writers(found) == {"a": ("sm",), "b": ("sm",), "c": ("dev", "qa"), "d": (), "e": (), "f": ("dev",)}
    assert not may_write(found, "d", "dev")
    assert not may_write(found, "nobody", "dev")
