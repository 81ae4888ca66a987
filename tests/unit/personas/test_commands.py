"""Which files a command runs, told from its words, its name and the persona's dependencies."""

from __future__ import annotations

import pytest

from bot.personas.model import Dependency
from bot.personas.readers.commands import read_commands, uses

GARDEN = (
    Dependency("tasks", "dig-bed.md"),
    Dependency("tasks", "create-doc.md"),
    Dependency("tasks", "execute-checklist.md"),
    Dependency("tasks", "kb-mode-interaction.md"),
    Dependency("tasks", "prune.md"),
    Dependency("templates", "bed-tmpl.yaml"),
    Dependency("checklists", "spring-checklist.md"),
    Dependency("data", "soil-kb.md"),
    Dependency("workflows", "grow-year"),
)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("d", "run task dig-bed.md", ("dig-bed",)),
        ("d", "Execute the dig-bed task", ("dig-bed",)),
        ("d", "runs `dig-bed.md' and rests", ("dig-bed",)),
        ("d", "see tasks/dig-bed.md.", ("dig-bed",)),
        ("d", "Dig (task DIG-BED)", ("dig-bed",)),
        ("d", "use create-doc with bed-tmpl.yaml", ("create-doc", "bed-tmpl")),
        ("d", "with template bed run create-doc", ("create-doc", "bed-tmpl")),
        ("d", "run execute-checklist (default->spring-checklist)", ("execute-checklist", "spring-checklist")),
        ("d", "check against the checklist spring", ("spring-checklist",)),
        ("d", "load {root}/data/soil-kb.md when on", ("soil-kb",)),
        ("d", "run prune.md", ("prune",)),
        ("d", "prune it well", ()),
        ("prune", "Cut it back", ("prune",)),
        ("dig-bed", "Dig", ("dig-bed",)),
        ("kb-mode", "Load all that is known", ("kb-mode-interaction",)),
        ("grow-year", "All of it", ("grow-year",)),
        ("d", "run task sow-lawn (not listed)", ("sow-lawn",)),
        ("d", "run the sow-lawn task", ("sow-lawn",)),
        ("d", "a follow-up task may be needed", ()),
        ("d", "use create-doc with lawn-tmpl.yaml", ("create-doc", "lawn-tmpl")),
        ("d", "run execute-checklist with autumn-checklist", ("execute-checklist", "autumn-checklist")),
        ("d", "no template = only list the templates", ()),
        ("d", "Execute task, if none is named list them", ()),
        ("help", "run task dig-bed.md", ()),
        ("exit", "leave the dig-bed task", ()),
        ("yolo", "skip the dig-bed task", ()),
        ("doc-out", "write it to the file of create-doc", ()),
        ("d", "", ()),
    ],
)
def test_what_a_command_runs(name: str, text: str, expected: tuple[str, ...]) -> None:
    assert uses(name, text, GARDEN) == expected


def test_a_command_of_many_parts_runs_what_any_of_them_names() -> None:
    found = read_commands([{"grow": [{"first": "run task dig-bed"}, {"last": ["x", {"then": "prune.md"}]}]}], GARDEN)

    assert found.commands[0].uses == ("dig-bed", "prune")
    assert found.details == (("grow", "- first: run task dig-bed\n- last:\n  - x\n  - then: prune.md"),)


@pytest.mark.parametrize("value", [None, [], {}, ""])
def test_no_commands_are_none(value: object) -> None:
    assert read_commands(value).commands == ()


def test_commands_in_one_text_are_read_line_by_line() -> None:
    found = read_commands("- *help - Show\n- *dig {bed} - Dig\n")

    assert [(c.name, c.args, c.description) for c in found.commands] == [("help", "", "Show"), ("dig", "{bed}", "Dig")]
