"""What stands in the library, what takes whose place, and what a reload does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.core.commands import One, understand
from bot.core.model import Activate
from bot.personas.globs import Selection
from bot.personas.library import Library
from tests.unit.personas.cases import FENCE
from tests.unit.personas.test_readers import BASE, BUNDLE, SKILL


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def agent(ident: str, name: str = "Somebody", more: str = "") -> str:
    return f"# {ident}\n\n{FENCE}yaml\nagent:\n  id: {ident}\n  name: {name}\n{more}{FENCE}\n"


def subagent(name: str) -> str:
    return f"---\nname: {name}\ndescription: Does {name}\n---\n\nDo it.\n"


def ids(library: Library) -> list[str]:
    return [persona.id for persona in library.cast.personas]


def test_personas_stand_in_the_order_of_paths_and_files(tmp_path: Path) -> None:
    put(tmp_path / "two/a.md", subagent("third"))
    put(tmp_path / "one/b.md", subagent("second"))
    put(tmp_path / "one/a.md", subagent("first"))
    put(tmp_path / "shipped/a.md", subagent("fourth"))

    library = Library([tmp_path / "one", tmp_path / "two"], tmp_path / "shipped")

    assert ids(library) == ["first", "second", "third", "fourth"]
    assert [persona.source.shipped for persona in library.cast.personas] == [False, False, False, True]
    assert library.problems == ()


def test_a_users_persona_takes_the_place_of_the_shipped_one_of_that_id(tmp_path: Path) -> None:
    put(tmp_path / "mine/x.md", agent("PM", "Mine"))
    put(tmp_path / "shipped/pm.md", agent("pm", "Shipped"))
    put(tmp_path / "shipped/qa.md", agent("qa", "Shipped"))

    library = Library([tmp_path / "mine"], tmp_path / "shipped")

    assert [(p.id, p.name) for p in library.cast.personas] == [("pm", "Mine"), ("qa", "Shipped")]
    assert library.problems == ()
    (override,) = library.overrides
    assert override.what == "persona pm"
    assert override.stands.path.endswith("x.md") and override.hidden.path.endswith("pm.md")


def test_two_of_ones_own_with_one_id_are_told_with_both_places(tmp_path: Path) -> None:
    first = put(tmp_path / "a.md", subagent("rosa"))
    second = put(tmp_path / "b.md", subagent("Rosa"))

    library = Library([tmp_path])

    assert ids(library) == ["rosa"]
    (problem,) = library.problems
    assert problem.path == str(second)
    assert f"{first}:1" in problem.reason


def test_whoever_bears_an_id_that_is_taken_is_called_with_the_pack(tmp_path: Path) -> None:
    put(tmp_path / "mine/agents/pm.md", agent("pm", "Mine"))
    put(tmp_path / "packs/.garden-core/agents/pm.md", agent("PM", "Core"))
    put(tmp_path / "packs/.garden-core/tasks/dig.md", "core")
    put(tmp_path / "packs/copy/agents/pm.md", agent("pm", "Core"))
    put(tmp_path / "packs/more/garden-core/agents/pm.md", agent("pm", "More"))
    put(tmp_path / "shipped/garden/agents/pm.md", agent("pm", "Shipped"))
    library = Library([tmp_path / "mine", tmp_path / "packs"], tmp_path / "shipped")
    cast = library.cast

    assert [(p.id, p.name) for p in cast.personas] == [("pm", "Mine")]
    assert [(p.id, p.name) for p in cast.shadowed] == [
        ("garden-core/pm", "Core"),
        ("more-garden-core/pm", "More"),
        ("garden/pm", "Shipped"),
    ]
    assert [p.name for p in cast.all_of("Pm")] == ["Mine", "Core", "More", "Shipped"]
    assert cast.called("pm") == cast.personas
    for written in ("garden-core/pm", ".garden-core/PM"):
        found = cast.persona(written)
        assert found is not None and found.name == "Core"
        task = cast.resource(found, "dig")
        assert task is not None and task.pack == ".garden-core"
    for written, ident in (("*garden-core/pm", "garden-core/pm"), ("@garden/pm", "garden/pm"), ("*mine/pm", "pm")):
        meant = understand(written, cast, None)
        assert isinstance(meant, One) and meant.target.action == Activate(ident)
    assert cast.in_pack("nothing", "pm") is None and cast.persona("nothing/pm") is None
    assert {problem.severity for problem in library.problems} == {"note"}
    assert ["is the same as in" in problem.reason for problem in library.problems] == [False, True, False]
    assert [override.what for override in library.overrides] == ["persona pm"]


def test_a_reload_tells_what_it_changed(tmp_path: Path) -> None:
    put(tmp_path / "a.md", subagent("ada"))
    gone = put(tmp_path / "b.md", subagent("bea"))
    library = Library([tmp_path])
    assert library.changes.added == ("ada", "bea")

    library.reload()
    assert library.changes.are_none

    gone.unlink()
    put(tmp_path / "a.md", subagent("ada") + "More.\n")
    put(tmp_path / "c.md", subagent("cleo"))
    put(tmp_path / "tasks/dig.md", "dig")
    library.reload()
    found = library.changes
    assert (found.added, found.changed, found.gone, found.resources) == (("cleo",), ("ada",), ("bea",), 1)


def test_the_settings_beside_the_personas_are_not_told(tmp_path: Path) -> None:
    put(tmp_path / "greenroom.yaml", "library: {paths: [.]}\n")
    put(tmp_path / "a.md", subagent("ada"))
    library = Library([tmp_path])

    assert (ids(library), library.problems, library.cast.resources) == (["ada"], (), ())


def test_keys_that_stand_twice_are_told_at_the_second(tmp_path: Path) -> None:
    doubled = "commands:\n  - dig: one\npersona:\n  role: a\n  role: b\ncommands:\n  - sow: x\n"
    put(tmp_path / "a.md", agent("ada", more=doubled))
    put(tmp_path / "b.md", "---\nname: bea\ndescription: x\ndescription: y\n---\n\nDo.\n")
    library = Library([tmp_path])

    told = sorted((Path(p.path).name, p.line, p.reason.split("`")[1]) for p in library.problems)
    assert told == [("a.md", 11, "role"), ("a.md", 12, "commands"), ("b.md", 4, "description")]


def test_names_are_bounded_and_ids_written_alike(tmp_path: Path) -> None:
    put(tmp_path / "a.md", agent("Game_Dev.2", "N" * 200))
    put(tmp_path / "b.md", subagent("w" * 300))
    library = Library([tmp_path])

    first, second = library.cast.personas
    assert (first.id, len(first.name), len(second.id), len(second.name)) == ("game-dev-2", 80, 79, 80)
    assert library.cast.persona("game_dev.2") is first
    assert sum("longer than 80" in problem.reason for problem in library.problems) == 4


def test_only_what_is_selected_is_read(tmp_path: Path) -> None:
    for name in ("packs/a/agents/rosa.md", "packs/b/agents/hugo.md", "packs/b/agents/test-ada.md", "more/x/bea.md"):
        put(tmp_path / name, subagent(Path(name).stem))
    put(tmp_path / "shipped/cleo.md", subagent("cleo"))

    def found(include: tuple[str, ...], exclude: tuple[str, ...]) -> list[str]:
        chosen = Selection(include, exclude)
        return ids(Library([tmp_path / "packs", tmp_path / "more"], selection=chosen))

    assert found((), ()) == ["rosa", "hugo", "test-ada", "bea"]
    assert found((), ("test-*", "x")) == ["rosa", "hugo"]
    assert found(("b/**",), ()) == ["hugo", "test-ada"]
    assert found(("*/agents/*",), ("b/agents/t*.md",)) == ["rosa", "hugo"]
    assert ids(Library([tmp_path / "more"], tmp_path / "shipped", selection=Selection(exclude=("*",)))) == ["cleo"]


def test_packs_have_agents_and_what_they_use(tmp_path: Path) -> None:
    put(tmp_path / "packs/garden/agents/rosa.md", agent("rosa"))
    put(tmp_path / "packs/garden/tasks/dig.md", "# Dig a bed\n")
    put(tmp_path / "packs/garden/templates/bed-tmpl.yaml", "template:\n  id: bed\n  name: A bed\n")
    put(tmp_path / "packs/garden/agent-teams/all.yaml", "bundle:\n  name: All of them\n")
    put(tmp_path / "packs/garden/data/table.csv", "a,b\n")
    put(tmp_path / "packs/garden/core-config.yaml", "qa: {}\n")
    put(tmp_path / "packs/garden/README.md", "# Garden\n")
    put(tmp_path / "packs/garden/picture.png", "no text")
    put(tmp_path / "agents/rosa2.md", agent("rosa2"))

    library = Library([tmp_path])

    assert library.problems == ()
    assert [(p.id, p.pack) for p in library.cast.personas] == [("rosa2", tmp_path.name), ("rosa", "packs/garden")]
    assert sorted((r.kind, r.name, r.pack, r.title) for r in library.cast.resources) == [
        ("agent-teams", "all.yaml", "packs/garden", "All of them"),
        ("config", "core-config.yaml", "packs/garden", ""),
        ("data", "table.csv", "packs/garden", ""),
        ("tasks", "dig.md", "packs/garden", "Dig a bed"),
        ("templates", "bed-tmpl.yaml", "packs/garden", "A bed"),
    ]
    assert [(d.id, d.title) for d in library.cast.documents] == [("README", "Garden")]


async def test_a_resource_comes_from_the_personas_own_pack_first_then_from_all(tmp_path: Path) -> None:
    put(tmp_path / "a/agents/rosa.md", agent("rosa"))
    put(tmp_path / "a/tasks/dig.md", "dig of a")
    put(tmp_path / "b/agents/hugo.md", agent("hugo"))
    put(tmp_path / "b/tasks/dig.md", "dig of b")
    put(tmp_path / "b/templates/bed-tmpl.yaml", "bed: 1")
    library = Library([tmp_path])

    assert await library.read("tasks", "dig", "rosa") == "dig of a"
    assert await library.read("tasks", "dig.yaml", "hugo") == "dig of b"
    assert await library.read("templates", "bed-tmpl.md", "rosa") == "bed: 1"
    assert await library.read("templates", "BED", "rosa") == "bed: 1"
    assert await library.read("tasks", "dig", "") == "dig of a"


async def test_a_users_task_takes_the_place_of_the_shipped_one_in_its_pack(tmp_path: Path) -> None:
    put(tmp_path / "shipped/garden/agents/rosa.md", agent("rosa"))
    put(tmp_path / "shipped/garden/tasks/dig.md", "shipped")
    put(tmp_path / "mine/garden/tasks/dig.md", "mine")

    library = Library([tmp_path / "mine"], tmp_path / "shipped")

    assert await library.read("tasks", "dig", "rosa") == "mine"
    assert [override.what for override in library.overrides] == ["tasks dig"]
    assert library.problems == ()


@pytest.mark.parametrize("name", ["nothing", "../agents/rosa", "/etc/passwd", "..", ""])
async def test_a_resource_that_is_not_there_is_told_with_where_it_was_looked_for(tmp_path: Path, name: str) -> None:
    put(tmp_path / "a/agents/rosa.md", agent("rosa"))
    put(tmp_path / "a/tasks/dig.md", "dig")
    library = Library([tmp_path])

    with pytest.raises(FileNotFoundError, match="looked in the tasks of: a"):
        await library.read("tasks", name, "rosa")
    with pytest.raises(FileNotFoundError, match="the library has no data"):
        await library.read("data", name, "rosa")


async def test_a_resource_that_can_no_longer_be_read_is_told(tmp_path: Path) -> None:
    task = put(tmp_path / "a/tasks/dig.md", "dig")
    library = Library([tmp_path])
    task.write_bytes(b"\xff\xfe")

    with pytest.raises(OSError, match="UTF-16"):
        await library.read("tasks", "dig", "")
    task.unlink()
    with pytest.raises(OSError, match="cannot be read"):
        await library.read("tasks", "dig", "")


async def test_a_resource_that_was_made_a_link_out_is_not_read(tmp_path: Path) -> None:
    put(tmp_path / "secret.md", "password")
    task = put(tmp_path / "library/tasks/dig.md", "dig")
    library = Library([tmp_path / "library"])
    task.unlink()
    task.symlink_to(tmp_path / "secret.md")

    with pytest.raises(OSError, match="leads out"):
        await library.read("tasks", "dig", "")


async def test_a_web_bundle_is_a_pack_of_its_own(tmp_path: Path) -> None:
    put(tmp_path / "garden.txt", BUNDLE)

    library = Library([tmp_path / "garden.txt"])

    assert [(p.id, p.pack) for p in library.cast.personas] == [("rosa", "garden/.garden")]
    assert await library.read("tasks", "dig", "rosa") == "# Dig\n\nDig deep."
    assert await library.read("data", "soil", "rosa") == "Sand and clay."


def test_a_skill_with_its_layers_is_a_persona_and_without_an_agent_a_resource(tmp_path: Path) -> None:
    put(tmp_path / "_bmad/skills/garden-agent-rosa/SKILL.md", SKILL)
    put(tmp_path / "_bmad/skills/garden-agent-rosa/customize.toml", BASE)
    put(tmp_path / "_bmad/custom/garden-agent-rosa.toml", '[agent]\nicon = "🌻"\n')
    put(tmp_path / "_bmad/custom/garden-agent-rosa.user.toml", '[agent]\ntitle = "Head Gardener"\n')
    put(tmp_path / "_bmad/skills/garden-dig/SKILL.md", "---\nname: garden-dig\ndescription: Digs\n---\n\nDig.\n")

    library = Library([tmp_path])

    assert library.problems == ()
    (persona,) = library.cast.personas
    assert (persona.id, persona.icon, persona.title) == ("garden-agent-rosa", "🌻", "Head Gardener")
    assert [(r.kind, r.name) for r in library.cast.resources] == [("skills", "garden-dig")]
    command = persona.command("DB")
    assert command is not None and library.cast.resource(persona, command.uses[0]) is not None


def test_readmes_of_several_folders_can_all_be_read(tmp_path: Path) -> None:
    put(tmp_path / "a/README.md", "# A\n")
    put(tmp_path / "b/README.md", "# B\n")
    put(tmp_path / "c/README.md", "# B\n")
    put(tmp_path / "docs/guide.md", "# How to dig\n")

    library = Library([tmp_path])

    assert [(d.id, d.title) for d in library.cast.documents] == [
        ("README", "A"),
        ("b/README", "B"),
        ("c/README", "B"),
        ("guide", "How to dig"),
    ]


def test_one_bad_file_stops_nobody(tmp_path: Path) -> None:
    put(tmp_path / "a.md", subagent("rosa"))
    (tmp_path / "b.md").write_bytes(b"\xff\xfe\x00")
    put(tmp_path / "c.md", agent("broken", more="x: [\n"))
    put(tmp_path / "d.md", "# Just a page\n")
    put(tmp_path / "e.md", subagent("hugo"))

    library = Library([tmp_path, tmp_path / "nowhere"])

    assert ids(library) == ["rosa", "hugo"]
    assert sorted((Path(p.path).name, p.severity) for p in library.problems) == [
        ("b.md", "error"),
        ("c.md", "error"),
        ("d.md", "warning"),
        ("nowhere", "error"),
    ]


def test_a_file_that_breaks_keeps_its_last_good_version(tmp_path: Path) -> None:
    file = put(tmp_path / "a.md", agent("rosa", "Rosa"))
    library = Library([tmp_path])
    before = library.cast

    put(file, agent("rosa", "Rosa the Second", "x: [\n"))
    library.reload()

    assert [p.name for p in library.cast.personas] == ["Rosa"]
    assert [p.severity for p in library.problems] == ["error", "warning"]
    assert "last good version" in library.problems[1].reason
    library.reload()
    assert [p.name for p in library.cast.personas] == ["Rosa"]
    put(file, agent("rosa", "Rosa the Third"))
    library.reload()
    assert [p.name for p in library.cast.personas] == ["Rosa the Third"]
    assert library.problems == ()
    assert [p.name for p in before.personas] == ["Rosa"]


def test_a_file_that_is_taken_away_is_gone_and_a_new_one_is_found(tmp_path: Path) -> None:
    file = put(tmp_path / "a.md", subagent("rosa"))
    library = Library([tmp_path])

    file.unlink()
    put(tmp_path / "b.md", subagent("hugo"))
    library.reload()

    assert ids(library) == ["hugo"]


def test_a_layer_that_changes_is_seen(tmp_path: Path) -> None:
    put(tmp_path / "rosa/SKILL.md", SKILL)
    layer = put(tmp_path / "rosa/customize.toml", BASE)
    library = Library([tmp_path])

    put(layer, BASE.replace("Gardener", "Chief Gardener"))
    library.reload()

    assert library.cast.personas[0].title == "Chief Gardener"


def test_a_file_that_is_named_by_two_paths_counts_once(tmp_path: Path) -> None:
    put(tmp_path / "a.md", subagent("rosa"))

    library = Library([tmp_path, tmp_path])

    assert ids(library) == ["rosa"]
    assert library.problems == ()


def test_an_empty_library_holds_nothing(tmp_path: Path) -> None:
    library = Library([tmp_path])

    assert library.cast.personas == ()
    assert library.problems == ()


def test_a_thousand_files_are_read(tmp_path: Path) -> None:
    for number in range(1_000):
        put(tmp_path / f"{number % 10}/agents/{number:04}.md", subagent(f"helper-{number}"))

    library = Library([tmp_path])

    assert len(library.cast.personas) == 1_000
    assert library.problems == ()


def test_what_is_shipped_has_no_errors() -> None:
    library = Library([], Path(__file__).parents[3] / "agents")

    assert library.cast.personas
    assert [str(problem) for problem in library.problems if problem.severity == "error"] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_rights_is_told(tmp_path: Path) -> None:
    put(tmp_path / "a.md", subagent("rosa")).chmod(0)

    assert "Permission denied" in Library([tmp_path]).problems[0].reason


def test_what_a_pack_is_about_stands_in_its_folder(tmp_path: Path) -> None:
    for pack in ("garden", "kitchen"):
        (tmp_path / pack / "agents").mkdir(parents=True)
        (tmp_path / pack / "agents" / f"{pack}er.md").write_text(
            f"---\nname: {pack}er\ndescription: Use for it\n---\nYou.\n"
        )
        (tmp_path / pack / "ABOUT.md").write_text(f"# The {pack}\n\nThis is\nthe {pack}.\n\nMore of it.\n")
    for paths in ((tmp_path / "garden", tmp_path / "kitchen"), (tmp_path,)):
        cast = Library(paths).cast
        assert {p.id: cast.about(p.pack) for p in cast.personas} == {
            "gardener": "This is the garden.",
            "kitchener": "This is the kitchen.",
        }
    assert cast.about("elsewhere") == ""


@pytest.mark.parametrize(
    ("written", "purpose"),
    [
        ("  description: From an idea. To a site.\n  type: x\n", "From an idea. To a site."),
        ("  description: >-\n    From an idea\n    to a site.\n  type: x\n", "From an idea to a site."),
        ("  name: No more\n", ""),
    ],
)
def test_a_workflow_says_what_it_is_for(tmp_path: Path, written: str, purpose: str) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "site.yaml").write_text(f"workflow:\n  id: site\n{written}")
    (resource,) = Library((tmp_path,)).cast.resources
    assert resource.purpose == purpose
