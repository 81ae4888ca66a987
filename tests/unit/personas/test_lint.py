"""What `check` tells of files that can be read."""

from __future__ import annotations

from pathlib import Path

from bot.personas.library import Library
from bot.personas.lint import as_json, check, summed_up
from tests.unit.personas.test_library import agent, put, subagent

USES = """commands:
  - dig: run task dig.md
  - sow: run task sow-lawn
  - make: use create-doc with bed-tmpl.yaml
dependencies:
  tasks:
    - dig.md
    - create-doc.md
"""


def told(path: Path, shipped: Path | None = None) -> list[tuple[str, int, str]]:
    return [(Path(p.path).name, p.line, p.reason) for p in check(Library([path], shipped))]


def test_missing_dependencies_and_commands_that_run_nothing_are_told_with_their_lines(tmp_path: Path) -> None:
    put(tmp_path / "agents/rosa.md", agent("rosa", more=USES))
    put(tmp_path / "tasks/dig.md", "Dig")

    assert told(tmp_path) == [
        ("rosa.md", 9, "the command *sow of rosa runs sow-lawn, which is not in the library"),
        ("rosa.md", 10, "the command *make of rosa runs bed-tmpl, which is not in the library"),
        ("rosa.md", 14, "rosa depends on tasks/create-doc.md, which is not in the library"),
    ]


def test_what_is_shipped_helps_and_is_not_told_of_itself(tmp_path: Path) -> None:
    put(tmp_path / "mine/agents/rosa.md", agent("rosa", more=USES))
    for name in ("tasks/dig.md", "tasks/create-doc.md", "tasks/sow-lawn.md", "templates/bed-tmpl.yaml"):
        put(tmp_path / "shipped" / name, "x")
    put(tmp_path / "shipped/agents/hugo.md", agent("hugo", more=USES.replace("dig.md", "gone.md")))

    assert told(tmp_path / "mine", tmp_path / "shipped") == []
    assert len(check(Library([], tmp_path / "shipped"), shipped=True)) == 1


def test_a_model_that_nobody_knows_is_told(tmp_path: Path) -> None:
    for number, model in enumerate(("opus", "Sonnet", "claude-opus-4-1", "inherit", "gpt-9")):
        put(tmp_path / f"{number}.md", f"---\nname: p{number}\ndescription: d\nmodel: {model}\n---\n\nDo.\n")

    assert told(tmp_path) == [("4.md", 4, "p4 asks for the model 'gpt-9', which is no known alias")]


def test_an_id_that_the_host_answers_to_is_told(tmp_path: Path) -> None:
    put(tmp_path / "a.md", subagent("help"))

    assert told(tmp_path)[0][2].startswith("the id help is a command of the host")


def test_findings_are_plain_values_for_json(tmp_path: Path) -> None:
    put(tmp_path / "a.md", "---\nname: a\ndescription: d\nmodel: x\n---\n\nDo.\n")

    (finding,) = as_json(check(Library([tmp_path])))

    assert finding["path"] == str(tmp_path / "a.md")
    assert (finding["line"], finding["severity"]) == (4, "warning")
    assert finding["reason"] and finding["mend"]


def test_findings_are_summed_up_in_one_line(tmp_path: Path) -> None:
    put(tmp_path / "a/agents/ada.md", subagent("ada"))
    assert summed_up(Library([tmp_path])) == ""

    put(tmp_path / "b/agents/ada.md", subagent("ada"))
    put(tmp_path / "c/agents/ada.md", agent("ada"))
    put(tmp_path / "commands/fix.md", "---\ndescription: Fixes\n---\n\nFix it.\n")
    put(tmp_path / "page.md", "# A page\n")
    put(tmp_path / "broken.md", agent("bea", more="x: [\n"))

    assert summed_up(Library([tmp_path])) == (
        "Persona files: 1 file cannot be read as it is, 1 finding, 1 persona stands behind another, "
        "1 copy was left out, 1 file belongs to another tool."
    )
