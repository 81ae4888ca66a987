"""`greenroom personas`: what it prints, what it writes, and its exit codes."""

from __future__ import annotations

import argparse
import io
import json
from dataclasses import fields
from pathlib import Path

import pytest

from bot.personas import tool
from bot.personas.library import Library
from tests.unit.personas.cases import FENCE
from tests.unit.personas.test_library import agent, put, subagent
from tests.unit.personas.test_lint import BED
from tests.unit.personas.test_readers import BASE, BUNDLE, RULES, SKILL


def run(*words: str | Path, paths: tuple[Path, ...] = (), shipped: Path | None = None) -> int:
    parser = argparse.ArgumentParser()
    tool.add_parser(parser.add_subparsers(dest="command"))
    return tool.run(parser.parse_args(["personas", *map(str, words)]), paths, shipped)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_list_shows_everybody_and_what_takes_whose_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "mine/pm.md", agent("pm", "Mine"))
    put(tmp_path / "mine/README.md", "# About\n")
    put(tmp_path / "mine/page.md", "# A page\n")
    put(tmp_path / "shipped/pm.md", agent("pm", "Theirs"))
    put(tmp_path / "shipped/qa.md", agent("qa", "Quinn"))

    assert run("list", paths=(tmp_path / "mine",), shipped=tmp_path / "shipped") == 0

    printed = capsys.readouterr()
    assert "pm  Mine" in " ".join(printed.out.split(" ")) and "Quinn" in printed.out and "[shipped]" in printed.out
    assert "README" in printed.out
    assert f"persona pm: {tmp_path / 'mine/pm.md'} takes the place of {tmp_path / 'shipped/pm.md'}" in printed.out
    assert "pm  Theirs, behind Mine of mine: call *shipped/pm" in " ".join(printed.out.split(" "))
    assert printed.err == "Persona files: 1 finding. --verbose prints them all.\n"

    assert run("list", "--verbose", paths=(tmp_path / "mine",), shipped=tmp_path / "shipped") == 0

    assert "this is not a persona" in capsys.readouterr().err


def test_an_empty_library_is_an_error_with_a_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", paths=(tmp_path,)) == 1
    assert "import some" in capsys.readouterr().err


def test_show_tells_all_of_one_persona(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = "commands:\n  - dig {bed}: run task dig.md\nrules-of-the-bed:\n  - Water\ndependencies:\n  tasks: [dig.md]\n"
    put(tmp_path / "rosa.md", agent("rosa", "Rosa Luz", more))

    assert run("show", "rosa luz", paths=(tmp_path,)) == 0

    printed = capsys.readouterr().out
    for words in ("Rosa Luz (rosa)", "*dig {bed}: run task dig.md  [dig]", "tasks/dig.md", "- Water", "rosa.md:1"):
        assert words in printed


def test_show_of_nobody_names_those_that_are_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "a.md", subagent("rosa"))

    assert run("show", "hugo", paths=(tmp_path,)) == 1
    assert "There is no persona 'hugo'. Choose one of: rosa" in capsys.readouterr().err


def test_show_of_a_name_that_several_have_asks_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "a.md", agent("one", "Rosa"))
    put(tmp_path / "b.md", agent("two", "Rosa"))

    assert run("show", "rosa", paths=(tmp_path,)) == 1
    assert "several personas" in capsys.readouterr().err


def test_check_of_good_files_is_quiet_and_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "a.md", subagent("rosa"))

    assert run("check", tmp_path) == 0
    assert capsys.readouterr().out == "1 personas, 0 findings\n"


def test_check_of_a_broken_file_names_place_and_mend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "a.md", subagent("rosa"))
    put(tmp_path / "b.md", agent("hugo", more="x: [\n"))

    assert run("check", tmp_path) == 1
    assert f"{tmp_path / 'b.md'}:8: error: it is not valid YAML" in capsys.readouterr().err


def test_check_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "b.md", agent("hugo", more="x: [\n"))

    assert run("check", tmp_path, "--json") == 1

    printed = json.loads(capsys.readouterr().out)
    assert printed["personas"] == []
    assert [(p["line"], p["severity"]) for p in printed["problems"]] == [(8, "error")]


def test_check_where_no_persona_is_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", tmp_path) == 1
    assert "No persona was found there." in capsys.readouterr().err


def test_check_says_of_each_template_where_it_stops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "templates/bed-tmpl.yaml", BED.replace(", owner: rosa", ""))

    assert run("check", tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path / 'templates/bed-tmpl.yaml'}: 2 sections, 2 drafts, 1 stop (soil, then one at the end)",
        "0 personas, 1 template, 0 findings",
    ]
    put(tmp_path / "templates/bed-tmpl.yaml", "sections: []\n")
    assert run("check", tmp_path, "--json") == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["templates"] == [{"path": str(tmp_path / "templates/bed-tmpl.yaml"), "stops": []}]
    assert printed["problems"][0]["severity"] == "error"


def test_import_splits_a_rule_bundle_and_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = put(tmp_path / "from/my rules.txt", RULES)

    assert run("import", bundle, "--into", tmp_path / "to") == 0

    assert files(tmp_path / "to") == [
        "my-rules/agents/digger.md",
        "my-rules/agents/rosa.md",
        "my-rules/documents/Notes-of-May.md",
    ]
    before, after = Library([bundle]).cast, Library([tmp_path / "to"])
    assert after.problems == ()
    for persona in before.personas:
        copy = after.cast.persona(persona.id)
        same = [f.name for f in fields(persona) if f.name not in ("source", "pack")]
        assert [getattr(copy, name) for name in same] == [getattr(persona, name) for name in same]
    assert [(d.id, d.text.strip()) for d in after.cast.documents] == [("Notes-of-May", "Some notes.")]
    printed = capsys.readouterr()
    assert printed.out.count("written: ") == 3
    assert printed.err.count("error: ") == 2


async def test_import_splits_a_web_bundle_with_its_resources(tmp_path: Path) -> None:
    bundle = put(tmp_path / "garden.txt", BUNDLE)

    assert run("import", bundle, "--into", tmp_path / "to") == 0

    assert files(tmp_path / "to") == [
        "garden/.garden/agents/rosa.md",
        "garden/.garden/checklists/last.md",
        "garden/.garden/tasks/dig.md",
        "garden/data/soil.md",
    ]
    library = Library([tmp_path / "to"])
    assert await library.read("tasks", "dig", "rosa") == "# Dig\n\nDig deep.\n"


def test_import_of_a_folder_keeps_its_files_as_they_are(tmp_path: Path) -> None:
    broken = "---\nname: rosa\ndescription: Digs: deep\n---\n\nDo.\n"
    put(tmp_path / "from/garden/agents/rosa.md", broken)
    put(tmp_path / "from/garden/tasks/dig.md", "Dig")
    put(tmp_path / "from/skills/rosa/SKILL.md", SKILL)
    put(tmp_path / "from/skills/rosa/customize.toml", BASE)
    put(tmp_path / "from/docs/a.md", "# A\n")
    put(tmp_path / "from/page.md", "# A page\n")

    assert run("import", tmp_path / "from", "--into", tmp_path / "to") == 0

    assert files(tmp_path / "to") == [
        "docs/a.md",
        "garden/agents/rosa.md",
        "garden/tasks/dig.md",
        "skills/rosa/SKILL.md",
        "skills/rosa/customize.toml",
    ]
    assert (tmp_path / "to/garden/agents/rosa.md").read_text(encoding="utf-8") == broken


def test_import_of_one_agent_brings_what_it_depends_on(tmp_path: Path) -> None:
    more = "dependencies:\n  tasks:\n    - dig.md\n    - gone.md\n  data:\n    - ../secret.md\n"
    file = put(tmp_path / "garden/agents/rosa.md", agent("rosa", more=more))
    put(tmp_path / "garden/tasks/dig.md", "Dig")
    put(tmp_path / "garden/tasks/other.md", "Other")
    put(tmp_path / "garden/secret.md", "password")

    assert run("import", file, "--into", tmp_path / "to") == 0

    assert files(tmp_path / "to") == ["garden/agents/rosa.md", "garden/tasks/dig.md"]


def test_import_overwrites_only_when_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = put(tmp_path / "rosa.md", subagent("rosa"))
    assert run("import", file, "--into", tmp_path / "to") == 0
    assert run("import", file, "--into", tmp_path / "to") == 0
    assert "unchanged: " in capsys.readouterr().out

    put(tmp_path / "to/rosa.md", "mine")
    assert run("import", file, "--into", tmp_path / "to") == 1
    assert "--force overwrites it" in capsys.readouterr().err
    assert (tmp_path / "to/rosa.md").read_text(encoding="utf-8") == "mine"

    assert run("import", file, "--into", tmp_path / "to", "--force") == 0
    assert (tmp_path / "to/rosa.md").read_text(encoding="utf-8") == subagent("rosa")


def test_import_of_nothing_fails_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = put(tmp_path / "page.md", "# A page\n")

    assert run("import", page, tmp_path / "nowhere", "--into", tmp_path / "to") == 1

    printed = capsys.readouterr().err
    assert "this is not a persona" in printed and "No such file" in printed and "Nothing was imported." in printed
    assert not (tmp_path / "to").exists()


def test_import_does_not_write_through_a_link_out_of_the_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "from/garden/rosa.md", subagent("rosa"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "to/garden").symlink_to(tmp_path / "elsewhere")

    assert run("import", tmp_path / "from", "--into", tmp_path / "to") == 1
    assert files(tmp_path / "elsewhere") == []
    assert "leads out of the library" in capsys.readouterr().err


def test_import_tells_of_a_place_where_nothing_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = put(tmp_path / "rosa.md", subagent("rosa"))
    put(tmp_path / "to", "a file, no folder")

    assert run("import", file, "--into", tmp_path / "to") == 1
    assert "failed: " in capsys.readouterr().err


def test_import_of_an_id_with_a_path_in_it_stays_inside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = "# A Agent Rule\n\nThis rule is triggered when the user types `*../../x` now.\n\n"
    text = f"{start}{FENCE}yaml\nNotes.\n{FENCE}\n"
    bundle = put(tmp_path / "b.txt", text)

    assert run("import", bundle, "--into", tmp_path / "to") == 1
    assert "leads out of its folder" in capsys.readouterr().err


def answers(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(line + "\n" for line in lines)))


def test_new_writes_a_persona_that_check_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(
        monkeypatch,
        "bed: planner",
        "Bed Planner",
        "Plan beds, Say why: always",
        "plans",
        "search",
        "Bash",
        "bed, /d{1,3}/",
    )

    assert run("new", "--into", tmp_path) == 0

    assert files(tmp_path) == ["bed-planner.agent.yaml"]
    assert run("check", tmp_path) == 0
    (persona,) = Library([tmp_path]).cast.personas
    assert (persona.id, persona.name, persona.role) == ("bed-planner", "Bed Planner", "bed: planner")
    assert (persona.tools, persona.restricted) == (("search",), ("Bash",))
    assert "- Say why: always" in persona.instructions
    assert "pattern: d{1,3}" in persona.extra and "keyword: bed" in persona.extra
    assert capsys.readouterr().err == ""


def test_new_asks_again_where_an_answer_does_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(monkeypatch, "", "planner", "!!", "Rosa", " , ", "Plan", "", "", "", "/((/", "bed")

    assert run("new", paths=(tmp_path,)) == 0

    assert files(tmp_path) == ["rosa.agent.yaml"]
    printed = capsys.readouterr().out
    for words in ("This one is needed.", "at least one letter", "no regular expression"):
        assert words in printed


def test_new_without_all_answers_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(monkeypatch, "planner", "Rosa")

    assert run("new", "--into", tmp_path) == 1
    assert files(tmp_path) == []
    assert "nothing was written" in capsys.readouterr().err


def test_new_overwrites_only_when_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "rosa.agent.yaml", "mine")
    given = ("planner", "Rosa", "Plan", "", "", "", "")

    answers(monkeypatch, *given)
    assert run("new", "--into", tmp_path) == 1
    assert "--force" in capsys.readouterr().err
    answers(monkeypatch, *given)
    assert run("new", "--into", tmp_path, "--force") == 0


def test_new_tells_of_a_place_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "file", "x")
    answers(monkeypatch, "planner", "Rosa", "Plan", "", "", "", "")

    assert run("new", "--into", tmp_path / "file") == 1
    assert "could not be written" in capsys.readouterr().err


def test_whoever_is_not_there_is_answered_with_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for ident in ("architect", "analyst", "release-manager"):
        put(tmp_path / f"mine/{ident}.md", agent(ident, ident.title()))
    assert run("show", "archtect", paths=(tmp_path / "mine",)) == 1
    assert capsys.readouterr().err == "There is no persona 'archtect'. Choose one of: architect\n"
    assert run("show", "zzqq", paths=(tmp_path / "mine",)) == 1
    assert "analyst, architect, release-manager" in capsys.readouterr().err


def test_ids_alone_are_for_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "mine/pm.md", agent("pm", "Mine"))
    put(tmp_path / "mine/page.md", "# A page\n")
    assert run("list", "--ids", paths=(tmp_path / "mine",)) == 0
    assert capsys.readouterr() == ("pm\n", "")
