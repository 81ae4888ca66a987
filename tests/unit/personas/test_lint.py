"""What `check` tells of files that can be read."""

from __future__ import annotations

from pathlib import Path

from bot.personas.library import Library
from bot.personas.lint import as_json, check, summed_up
from bot.personas.templates import config_problems, described, templates_of
from tests.unit.personas.test_library import agent, put, subagent

BMAD = Path(__file__).resolve().parents[3] / "agents" / "bmad"

USES = """commands:
  - dig: run task dig.md
  - sow: run task sow-lawn
  - make: use create-doc with bed-tmpl.yaml
dependencies:
  tasks:
    - dig.md
    - create-doc.md
"""


BED = """template:
  id: bed
  name: Bed
  output: {filename: docs/bed.md}
sections:
  - {id: soil, title: Soil, elicit: true, owner: rosa}
  - {id: plants, title: Plants}
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
    for name in ("tasks/dig.md", "tasks/create-doc.md", "tasks/sow-lawn.md"):
        put(tmp_path / "shipped" / name, "x")
    put(tmp_path / "shipped/templates/bed-tmpl.yaml", BED)
    put(tmp_path / "shipped/agents/hugo.md", agent("hugo", more=USES.replace("dig.md", "gone.md")))

    assert told(tmp_path / "mine", tmp_path / "shipped") == []
    assert [Path(p.path).name for p in check(Library([], tmp_path / "shipped"), shipped=True)] == [
        *("hugo.md", "bed-tmpl.yaml"),
    ]


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


def test_templates_are_read_and_told_by_file_and_line(tmp_path: Path) -> None:
    put(tmp_path / "agents/rosa.md", agent("rosa"))
    put(tmp_path / "templates/bed-tmpl.yaml", BED.replace("{id: plants", "{id: soil, type: graph"))
    put(tmp_path / "templates/out-tmpl.yml", BED.replace("docs/bed.md", "../../bed.md").replace("rosa", "hugo"))
    put(tmp_path / "templates/old-tmpl.md", "# Not read here")
    put(tmp_path / "templates/stranger-tmpl.yaml", BED.replace("rosa", "hugo"))

    assert [line for line in told(tmp_path) if "tmpl" in line[0]] == [
        ("bed-tmpl.yaml", 7, "the id soil stands here a second time; this section is called soil-2"),
        ("bed-tmpl.yaml", 7, "the type 'graph' of soil-2 is not known; the section is taken for free prose"),
        ("out-tmpl.yml", 4, "the filename '../../bed.md' leads through `.` or `..`"),
        ("stranger-tmpl.yaml", 6, "the section soil belongs to hugo, and no persona has that id"),
    ]
    severities = {p.severity for p in check(Library([tmp_path])) if "out-tmpl" in p.path}
    assert severities == {"error"}


def test_a_template_that_cannot_be_read_is_an_error_with_its_way_out(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/bed-tmpl.yaml").write_bytes(b"\xff\xfe\x00bad")

    (template,) = templates_of(Library([tmp_path]))

    assert template.definition is None
    assert [problem.severity for problem in template.problems] == ["error"]
    assert template.problems[0].mend
    assert described(template) == f"{template.resource.path}: cannot be read"


def test_the_casts_own_templates_have_no_findings_and_say_where_they_stop() -> None:
    library = Library([], BMAD)

    found = {each.resource.stem: each for each in templates_of(library, shipped=True)}

    assert len(found) == 13
    assert [problem for each in found.values() for problem in each.problems] == []
    assert described(found["prd-tmpl"]).rpartition("/")[2] == (
        "prd-tmpl.yaml: 27 sections, 8 drafts, 5 stops (requirements, ui-goals, technical-assumptions, epic-list, "
        "epic-details, then one at the end)"
    )
    assert (
        described(found["qa-gate-tmpl"]).rpartition("/")[2]
        == "qa-gate-tmpl.yaml: 1 section, 1 draft, one stop, at the end"
    )
    assert templates_of(library) == ()


def test_a_template_in_a_bundle_is_told_by_the_bundles_lines(tmp_path: Path) -> None:
    bar = "=" * 20
    bundle = (
        f"{bar} START: .bmad-core/agents/rosa.md {bar}\n{agent('rosa')}\n{bar} END: .bmad-core/agents/rosa.md {bar}\n"
    )
    bundle += f"{bar} START: .bmad-core/templates/bed-tmpl.yaml {bar}\n{BED.replace('title: Plants', 'colour: red')}"
    bundle += f"{bar} END: .bmad-core/templates/bed-tmpl.yaml {bar}\n"
    put(tmp_path / "team.txt", bundle)

    (line,) = [line for name, line, reason in told(tmp_path) if "`colour`" in reason]

    assert "colour: red" in bundle.split("\n")[line - 1]
    (template,) = templates_of(Library([tmp_path]))
    assert described(template).startswith(f"{tmp_path / 'team.txt'} (bed-tmpl.yaml): 2 sections")


def test_a_core_configuration_is_told_by_file_and_line(tmp_path: Path) -> None:
    put(tmp_path / "agents/rosa.md", agent("rosa"))
    put(tmp_path / "core-config.yaml", "qa:\n  qaLocation: ../qa\n")

    ((name, line, reason),) = told(tmp_path)
    assert (name, line) == ("core-config.yaml", 2)
    assert reason.startswith("`qa.qaLocation` names no place among the documents")
    put(tmp_path / "core-config.yaml", "qa: [\n")
    assert [p.severity for p in check(Library([tmp_path]))] == ["error"]
    assert config_problems(Library([], BMAD), shipped=True) == ()
