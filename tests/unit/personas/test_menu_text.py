"""What menus say about commands whose files say which files they run."""

from __future__ import annotations

import pytest

from bot.app import shipped_agents
from bot.personas.library import Library
from bot.personas.menu_text import menu_text
from bot.personas.model import Command
from bot.personas.readers.commands import read_commands

CASES = [
    ("create-prd", "run task create-doc.md with template prd-tmpl.yaml", "PRD: write it together, section by section"),
    ("create-prd", "Run task create-doc with template prd-tmpl", "PRD: write it together, section by section"),
    ("create-project-brief", "use task create-doc with project-brief-tmpl.yaml", "Project Brief: write it together"),
    ("correct-course", "execute the correct-course task", "Correct course"),
    ("create-epic", "Create epic for old projects (task brownfield-create-epic)", "Create epic for old projects"),
    ("shard-prd", "run the task shard-doc.md for the given prd (ask if missing)", "Shard PRD for the given prd (ask"),
    ("story-checklist", "Execute task execute-checklist.md with checklist story-draft-checklist.md", "Go through the"),
    ("trace", "Execute trace-requirements task to map requirements to tests", "Map requirements to tests"),
    ("brainstorm", "Hold a session (run task hold-session.md with template brain-output-tmpl.yaml)", "Hold a session"),
    ("check", "Run task execute-checklist (default->plan-checklist)", "Go through the checklist Plan together"),
    ("create-doc", "execute task create-doc (none = list them)", "Create doc (none = list them)"),
    ("create-old-epic", "run task old-create-epic.md", "Create old epic"),
    ("draft", "Run task create-next-story", "Create next story"),
    ("kb", "Turn the knowledge base on or off", "Turn the knowledge base on or off"),
    ("yolo", "", ""),
    ("exit", "Say goodbye (confirm)", "Say goodbye"),
]


@pytest.mark.parametrize(("name", "written", "shown"), CASES, ids=[written or "-" for _, written, _ in CASES])
def test_a_text_that_names_files_becomes_one_for_people(name: str, written: str, shown: str) -> None:
    (command,) = read_commands([{name: written}]).commands
    assert command.label.startswith(shown) and bool(command.label) == bool(shown)
    assert not any(
        f"{mark}" in command.label for mark in (".md", ".yaml", "-tmpl", "(confirm)", "create-doc", "execute-checklist")
    )
    assert command.description == written, "a model reads what the file says"


def test_a_file_in_the_middle_of_a_sentence_is_left_there() -> None:
    written = "Read the story, then run task check-it on each part, then stop"
    assert Command("x", written, uses=("check-it",)).label == written


@pytest.mark.parametrize("size", [100, 900, 50_000])
def test_no_text_makes_it_slow(size: int) -> None:
    text = ("run the task with using and via " * size)[: size * 10] + " a-b"
    assert isinstance(menu_text("x", text, ("a-b", "c-d-tmpl")), str)


def test_what_a_command_runs_can_stand_beside_its_text() -> None:
    found = read_commands([{"create-prd": {"description": "Write it", "runs": "task create-doc, template prd-tmpl"}}])
    (command,) = found.commands
    assert (command.description, command.uses) == ("Write it", ("create-doc", "prd-tmpl"))
    assert found.details == ()


def test_no_menu_of_the_shipped_cast_names_a_file() -> None:
    cast = Library((), shipped_agents()).cast
    stems = {resource.stem for resource in cast.resources}
    shown = [(persona.id, command) for persona in cast.personas for command in persona.commands]
    assert len(shown) > 90
    for ident, command in shown:
        words = set(command.label.replace("`", " ").replace(",", " ").split())
        assert not words & stems, (ident, command.name)
        assert "task " not in command.label.lower().replace("task by task", "").replace("a task ", ""), command
        assert command.label[:1].isupper() and not command.label.endswith("."), (ident, command.label)
        assert len(command.label) <= 100, (ident, command.label)
