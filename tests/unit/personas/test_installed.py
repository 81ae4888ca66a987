"""The shapes that installers of the public package make, in words of our own: who is in them, by two readings."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.command_table import CommandTable
from bot.core.model import Run
from bot.core.prompt import definition
from bot.personas.importing import import_into
from bot.personas.library import Library
from bot.personas.model import Persona
from tests.installs.independent import agents_of, words
from tests.unit.personas.cases import FENCE
from tests.unit.personas.test_library import agent, ids, put, subagent

XML = """<agent id="gardener.agent.yaml" name="Rosa" title="Gardener" icon="🌱" capabilities="beds, seeds">
<activation critical="MANDATORY">
      <step n="1">Load persona from this current agent file (already there)</step>
      <step n="2">Load and read {project-root}/_bad/config.yaml</step>
      <step n="3">Look at the sky before you answer</step>
      <step n="4">STOP and WAIT for somebody</step>
      <rules><r>Stay yourself</r></rules>
</activation>
  <persona>
    <role>Grower &amp; keeper</role>
    <identity>Grows things.</identity>
    <communication_style>Calm - never loud</communication_style>
    <principles>- Water early - even in rain - Weed often</principles>
    <pets>A cat</pets>
  </persona>
  <prompts>
    <prompt id="rest"><content>Sit down
    and look.</content></prompt>
  </prompts>
  <memories><memory>The pond is deep</memory></memories>
  <menu>
    <item cmd="MH or fuzzy match on menu or help">[MH] Show the menu</item>
    <item cmd="DB or fuzzy match on dig-bed"
      workflow="{project-root}/garden/workflows/dig-bed/workflow.yaml">[DB] Dig: a bed</item>
    <item cmd="RE or fuzzy match on rest" action="#rest">[RE] Rest a while</item>
    <item cmd="SAY" action="Say "hello there" to the roses">Talk to roses</item>
    <item cmd="SO or fuzzy match on sow" exec="skill:garden-sow">[SO] Sow</item>
    <item cmd="DA or fuzzy match on exit, leave, goodbye or dismiss agent">[DA] Send away</item>
  </menu>
</agent>"""
INSTALLED = f'---\nname: "gardener"\ndescription: "Gardener"\n---\n\nBe her.\n\n{FENCE}xml\n{XML}\n{FENCE}\n'


def only(library: Library) -> Persona:
    (persona,) = library.cast.personas
    return persona


def garden(root: Path) -> Path:
    put(root / "_bmad/garden/agents/gardener.md", INSTALLED)
    put(root / "_bmad/garden/workflows/1-start/dig-bed/workflow.yaml", "name: dig-bed\n")
    put(root / "_bmad/garden/workflows/1-start/dig-bed/instructions.md", "# Dig\n")
    put(root / "_bmad/garden/workflows/2-later/sow/workflow.yaml", "name: sow\n")
    put(root / "_bmad/garden/workflows/2-later/sow/instructions.md", "# Sow\n")
    put(root / "_bmad/garden/tasks/workflow.xml", "<task></task>\n")
    put(root / "_bmad/garden/tasks/rake.md", "# Rake\n")
    put(root / "_bmad/garden/workflows/2-later/garden-sow/SKILL.md", "---\nname: garden-sow\n---\n\nSow.\n")
    return root


def test_the_persona_of_an_installed_agent_is_in_its_xml(tmp_path: Path) -> None:
    library = Library([garden(tmp_path)])

    persona = only(library)
    (seen,) = agents_of(tmp_path)
    assert library.problems == ()
    assert (persona.id, persona.name, persona.title, persona.icon) == (seen.id, seen.name, seen.title, seen.icon)
    assert (persona.pack, persona.source.format, persona.when_to_use) == ("_bmad/garden", "bmad-v6", "Beds, seeds")
    assert (persona.role, persona.style) == ("Grower & keeper", "Calm - never loud")
    assert persona.principles == ("Water early - even in rain", "Weed often")
    for command, (key, text) in zip(persona.commands, seen.menu, strict=True):
        assert key in (command.name, *command.aliases)
        assert words(command.description) == text
    assert [c.name for c in persona.commands] == ["help", "dig-bed", "rest", "SAY", "sow", "exit"]
    assert [c.uses for c in persona.commands] == [(), ("dig-bed",), (), (), ("garden-sow",), ()]
    assert all(library.cast.resource(persona, stem) for c in persona.commands for stem in c.uses)


def test_workflows_are_called_after_their_folders(tmp_path: Path) -> None:
    cast = Library([garden(tmp_path)]).cast

    assert sorted((r.kind, r.name) for r in cast.resources) == [
        ("skills", "garden-sow"),
        ("tasks", "rake.md"),
        ("tasks", "workflow.xml"),
        ("workflows", "dig-bed.yaml"),
        ("workflows", "dig-bed/instructions.md"),
        ("workflows", "sow.yaml"),
        ("workflows", "sow/instructions.md"),
    ]


def test_what_a_menu_has_the_model_do_reaches_it_and_its_start_does_not(tmp_path: Path) -> None:
    persona = only(Library([garden(tmp_path)]))

    told = definition(persona)

    assert "When it is run: Sit down\n  and look." in told
    assert 'When it is run: Say "hello there" to the roses' in told
    assert "Look at the sky" in told and "The pond is deep" in told and "A cat" in told
    assert "config.yaml" not in told and "WAIT" not in told


def test_a_command_answers_to_all_its_names(tmp_path: Path) -> None:
    put(
        tmp_path / "a.md",
        agent("rosa", more="commands:\n  - create|draft {bed}: Plan a bed\n  - '*sow|plant - Sow it'\n"),
    )
    cast = Library([tmp_path]).cast
    table = CommandTable(cast, cast.persona("rosa"))

    for written, name in (("create", "create"), ("draft", "create"), ("sow", "sow"), ("plant", "sow")):
        found = table.exactly(written)
        assert found is not None and found.action == Run(name)


def test_a_customization_overrides_and_is_nobody(tmp_path: Path) -> None:
    garden(tmp_path)
    over = tmp_path / "_bmad/_config/agents/garden-gardener.customize.yaml"
    put(
        over,
        'agent:\n  metadata:\n    name: "Flora"\n    icon: ""\npersona:\n  role: Chief\n  principles: []\n'
        "critical_actions:\n  - Greet the cat\nmemories:\n  - The pond is deep\n"
        "menu:\n  - trigger: rest\n    description: twice\n"
        "  - trigger: prune\n    action: '#cut'\n    description: Prune\n"
        "prompts:\n  - id: cut\n    content: Cut it.\n",
    )
    library = Library([tmp_path])

    persona = only(library)
    assert (persona.name, persona.icon, persona.role, persona.style) == ("Flora", "🌱", "Chief", "Calm - never loud")
    assert len(persona.principles) == 2 and "Greet the cat" in persona.instructions
    assert persona.instructions.count("The pond is deep") == 1
    assert [c.name for c in persona.commands][-2:] == ["exit", "prune"]
    assert persona.commands[-1].prompt == "Cut it."

    over.unlink()
    library.reload()
    assert only(library).name == "Rosa"
    assert library.changes.changed == ("gardener",)


def test_a_bundle_of_xml_agents_gives_all_of_them_and_its_files(tmp_path: Path) -> None:
    second = XML.replace("gardener.agent.yaml", "bmad/garden/agents/digger.md").replace("Rosa", "Hugo")
    files = (
        '<file id="bmad/garden/workflows/dig-bed/workflow.yaml" type="yaml"><![CDATA[name: dig-bed\n]]></file>\n'
        '<file id="bmad/garden/workflows/dig-bed/steps.md" type="md">'
        '<![CDATA[<agent id="x"><persona></persona>]]></file>\n'
    )
    file = put(tmp_path / "team.xml", f"<team-bundle>\n<agents>\n{XML}\n{second}\n</agents>\n{files}</team-bundle>\n")

    library = Library([file])

    assert ids(library) == ["gardener", "digger"]
    assert [(r.kind, r.name) for r in library.cast.resources] == [
        ("workflows", "dig-bed.yaml"),
        ("workflows", "dig-bed/steps.md"),
    ]
    import_into([file], tmp_path / "into")
    assert sorted(ids(Library([tmp_path / "into"]))) == ["digger", "gardener"]


def test_bundles_that_hold_the_same_files_are_told_nothing_of(tmp_path: Path) -> None:
    bundle = '<agent-bundle>\n{0}\n<file id="g/tasks/dig.md" type="md"><![CDATA[Dig {1}]]></file>\n</agent-bundle>\n'
    put(tmp_path / "a.xml", bundle.format(XML, "deep"))
    put(tmp_path / "b.xml", bundle.format(XML.replace("gardener", "digger"), "deep"))
    assert Library([tmp_path]).problems == ()

    put(tmp_path / "c.xml", bundle.format(XML.replace("gardener", "sower"), "deeper"))
    assert ["tasks dig is defined" in problem.reason for problem in Library([tmp_path]).problems] == [True]


def test_a_web_bundle_of_folders_is_a_persona_with_its_protocol(tmp_path: Path) -> None:
    block = "name: {0}\ntitle: Coach\nicon: 🌻\nprinciples:\n  - Ask\nsuggested_focus: |\n  Beds\n"
    other, own = (f"{FENCE}\n{block.format(name)}{FENCE}\n" for name in ("Other", "Rosa"))
    put(tmp_path / "bundles/bed-coach/INSTRUCTIONS.md", f"# Setup\n\n{other}\nPaste:\n\n## [persona]\n\n{own}")
    put(tmp_path / "bundles/bed-coach/SKILL.md", "# Protocol\n\nYour voice is in the `[persona]` block.\n")
    put(tmp_path / "bundles/bed-coach/beds.csv", "a,b\n")
    library = Library([tmp_path])

    persona = only(library)
    assert library.problems == ()
    assert (persona.id, persona.name, persona.icon, persona.principles) == ("bed-coach", "Rosa", "🌻", ("Ask",))
    assert [library.cast.resource(persona, d.name, d.kind) is not None for d in persona.dependencies] == [True]
    assert [r.name for r in library.cast.resources] == ["bed-coach", "bed-coach/beds.csv"]


def test_a_skills_start_on_a_computer_is_not_put_before_the_model(tmp_path: Path) -> None:
    body = (
        "# Rosa\n\nKnows beds.\n\n## On Activation\n\n### Step 1\n\nRun: `uv run x.py`\n\n## Habits\n\nRun the tests.\n"
    )
    put(tmp_path / "rosa/SKILL.md", f"---\nname: rosa\ndescription: Beds\n---\n\n{body}")
    put(tmp_path / "rosa/customize.toml", '[agent]\nname = "Rosa"\n[[agent.menu]]\ncode = "D"\nprompt = "Dig."\n')

    told = definition(only(Library([tmp_path])))

    assert "uv run" not in told and "Knows beds." in told and "When it is run: Dig." in told
    assert told.index("nobody runs a program") < told.index("Run the tests.")


def test_guests_and_rooms_of_a_party_are_kept(tmp_path: Path) -> None:
    put(tmp_path / "skills/party/SKILL.md", "---\nname: party\n---\n\nTalk.\n")
    put(
        tmp_path / "skills/party/customize.toml",
        '[workflow]\n[[workflow.party_members]]\ncode = "fox"\nname = "Fox"\nicon = "🦊"\npersona = "Sly"\n'
        '[[workflow.party_groups]]\nid = "den"\nscene = "At night"\nmembers = ["fox", "rosa"]\nmemory = true\n',
    )
    cast = Library([tmp_path]).cast

    (guest,), (room,) = cast.party_members, cast.party_groups
    assert (guest.code, guest.name, guest.icon, guest.persona) == ("fox", "Fox", "🦊", "Sly")
    assert (room.id, room.scene, room.members, room.memory) == ("den", "At night", ("fox", "rosa"), True)
    assert [(r.kind, r.name) for r in cast.resources] == [("skills", "party")]


def test_a_file_with_many_agents_gives_many(tmp_path: Path) -> None:
    one = f"### One (a{{0}})\n\n{FENCE}yaml\nagent:\n  id: a{{0}}\n  name: A{{0}}\npersona:\n  role: R\n{FENCE}\n\n"
    padding = f"{FENCE}md\n{'Words of a task. ' * 700}\n{FENCE}\n\n{FENCE}yaml\nx: 1\n{FENCE}\n\n"
    put(tmp_path / "AGENTS.md", "# Agents\n\n" + "".join(one.format(n) + padding for n in range(36)))

    library = Library([tmp_path])

    assert ids(library) == [f"a{n}" for n in range(36)]
    assert library.problems == ()


def test_a_bundle_may_be_as_large_as_four_mebibytes(tmp_path: Path) -> None:
    edge = "=" * 20
    part = f"{edge} START: .g/data/{{0}}.md {edge}\n{'x' * 700_000}\n{edge} END: .g/data/{{0}}.md {edge}\n"
    put(tmp_path / "big.txt", "".join(part.format(n) for n in range(5)))
    put(tmp_path / "one.md", subagent("rosa") + "y" * (1 << 20))
    library = Library([tmp_path])

    assert len(library.cast.resources) == 5
    assert ids(library) == []
    assert ["more than 1 MiB" in problem.reason for problem in library.problems] == [True]


@pytest.mark.parametrize("folder", ["agent-teams", "data", "config", "workflows"])
def test_personas_below_a_folder_that_is_called_like_a_kind_are_found(tmp_path: Path, folder: str) -> None:
    put(tmp_path / folder / "agents/rosa.md", subagent("rosa"))
    put(tmp_path / folder / "hugo.md", "---\nname: hugo\ndescription: Digs\ntools: Read\n---\n\nDig.\n")
    put(tmp_path / folder / "ada.md", agent("ada", more="persona:\n  role: Counter\n"))
    put(tmp_path / folder / "notes.md", "---\nname: notes\ndescription: Of May\n---\n\nRain.\n")
    library = Library([tmp_path])

    assert sorted(ids(library)) == ["ada", "hugo", "rosa"]
    assert [r.name for r in library.cast.resources] == ["notes.md"]
    assert library.problems == ()


@pytest.mark.parametrize(
    ("path", "text", "what"),
    [
        (".claude/commands/fix.md", "---\ndescription: Fixes\nargument-hint: issue\n---\n\nFix it.\n", "slash command"),
        ("any/fix.md", "---\nname: fix\ndescription: Fixes\nargument-hint: issue\n---\n\nFix it.\n", "slash command"),
        (".github/prompts/fix.prompt.md", "---\ndescription: Fixes\n---\n\nFix it.\n", "slash command"),
        (".cursor/rules/style.mdc", "---\ndescription: Style\nalwaysApply: true\n---\n\nTabs.\n", "rule"),
        ("rules/style.md", '---\ndescription: Style\nglobs: "*.py"\n---\n\nTabs.\n', "rule"),
        (".github/ISSUE_TEMPLATE/bug.md", "---\nname: Bug\ndescription: A bug\nlabels: bug\n---\n\nWhat?\n", "form"),
    ],
)
def test_what_belongs_to_another_tool_is_told_as_that(tmp_path: Path, path: str, text: str, what: str) -> None:
    put(tmp_path / path, text)
    library = Library([tmp_path])

    assert ids(library) == []
    (problem,) = library.problems
    assert (problem.severity, what in problem.reason) == ("note", True)


def test_personas_in_folders_of_other_tools_stay_personas(tmp_path: Path) -> None:
    put(tmp_path / ".github/agents/rosa.agent.md", subagent("rosa"))
    put(tmp_path / ".claude/commands/garden/agents/ada.md", agent("ada", more="persona:\n  role: Counter\n"))

    assert sorted(ids(Library([tmp_path]))) == ["ada", "rosa"]
