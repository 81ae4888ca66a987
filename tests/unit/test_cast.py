"""The shipped cast as a whole: every persona comes on, and all that its files name is there."""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bot.core import commands
from bot.core.command_table import HOST_COMMANDS, NEVER_BY_NEAR_MATCH
from bot.core.commands import One
from bot.core.events import Picked, Said, Utterance
from bot.core.machine import step
from bot.core.menus import as_text
from bot.core.model import Activate, Menu, Run, Turnover
from bot.core.modes.activation import CHAT_TOOLS
from bot.core.prompt import prompt
from bot.core.session import Session, Step
from bot.core.steps import Post
from bot.personas.library import Library
from bot.personas.lint import check
from bot.personas.model import Cast, Persona, fold

ROOT = Path(__file__).resolve().parents[2]
AGENTS = ROOT / "agents"
BMAD = AGENTS / "bmad"
SCHEMAS = ROOT / "bot" / "personas" / "schemas"
CHECKS = ROOT.parent / "shared" / "checks"

LIBRARY = Library((), AGENTS)
CAST = LIBRARY.cast
WORKFLOWS = sorted((BMAD / "workflows").iterdir())

HELD = {*HOST_COMMANDS, *NEVER_BY_NEAR_MATCH}
"""Commands that are the host's; `approve`, which is a person's and no persona's, among them."""
PEOPLE = {"person", "people", "authors"}
"""Those in a workflow's picture who are no persona."""

COMMAND = re.compile(r"(?<![\w*])\*([a-z][a-z-]*[a-z])(?: ([a-z][a-z-]*[a-z]))?")
IN_CODE = re.compile(r"`\*([a-z][a-z-]*[a-z])[^`]*`")
FILE = re.compile(r"[\w{}./-]*\w\.(?:md|mdc|ya?ml|json|toml|txt|csv|py|go|sh|ts|js)\b")
STEM = re.compile(r"(?<![\w*-])[a-z]+(?:-[a-z]+)*-(?:tmpl|checklist)\b")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = re.compile(r"\b(?:Bash|Grep|Glob|MultiEdit|NotebookEdit|TodoWrite|WebFetch|WebSearch|mcp__\w+)\b")
"""Tools of coding agents whose names are no words of English."""


def said(text: str) -> Said:
    return Said("t1", (Utterance("U1", "Ada", text, "1", 100.0),))


def posts(done: Step) -> list[Post]:
    return [post for post in done.posts if isinstance(post, Post)]


def menu_of(done: Step) -> Menu:
    menus = [post.menu for post in posts(done) if post.menu]
    assert len(menus) == 1
    return menus[0]


def pages(done: Step, cast: Cast) -> Iterator[Step]:
    """`done`, which shows a list, and the pages after it."""
    yield done
    while onward := [n for n, o in enumerate(menu_of(done).options, 1) if o.label.startswith("Next")]:
        done = step(done.session, Picked("t2", "U1", "Ada", menu_of(done).id, onward[0], 101.0), cast)
        yield done


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def front_matter(path: Path) -> Any:
    text = path.read_text("utf-8")
    assert text.startswith("---\n")
    return yaml.safe_load(text[4:].split("\n---\n", 1)[0])


@cache
def validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def faults(name: str, value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(value)]


def each(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from texts(inner)
        case list():
            for inner in value:
                yield from texts(inner)


def by_id(personas: tuple[Persona, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("persona", personas, ids=[persona.id for persona in personas])


def by_stem(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=[path.stem for path in paths])


# ---------------------------------------------------------------- the library


def test_the_check_that_authors_use_finds_nothing() -> None:
    command = [sys.executable, "-m", "bot", "personas", "check", "agents"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
    *stops, told = run.stdout.splitlines()
    assert told == f"{len(CAST.personas)} personas, {len(stops)} templates, 0 findings"
    assert len(stops) == len([resource for resource in CAST.resources if resource.kind == "templates"])


def test_nothing_is_wrong_with_the_cast_where_it_is_shipped_either() -> None:
    assert [str(problem) for problem in check(LIBRARY, shipped=True)] == []
    assert LIBRARY.overrides == ()


def test_every_file_that_defines_a_persona_gives_the_one_it_is_named_after() -> None:
    files = {p.stem for p in (BMAD / "agents").iterdir()} | {p.stem for p in (AGENTS / "novacron").iterdir()}
    files |= {p.stem for p in AGENTS.glob("*.md")}
    files -= {document.id for document in CAST.documents}
    assert {persona.id for persona in CAST.personas} == files
    assert len(files) == 32


def test_no_two_personas_answer_to_one_name() -> None:
    for persona in CAST.personas:
        for name in {persona.id, persona.name, persona.title} - {""}:
            assert CAST.called(name) == (persona,), name


@by_id(CAST.personas)
def test_every_dependency_is_there_and_can_be_read(persona: Persona) -> None:
    for dependency in persona.dependencies:
        found = CAST.resource(persona, dependency.name, dependency.kind)
        assert found, f"{dependency.kind}/{dependency.name}"
        assert found.pack == persona.pack
        assert Path(found.path).read_text("utf-8").strip(), found.path


@by_id(CAST.personas)
def test_every_command_resolves(persona: Persona) -> None:
    for command in persona.commands:
        assert command.description.strip(), command.name
        missing = [stem for stem in command.uses if not CAST.resource(persona, stem)]
        assert missing == [], command.name
        understood = commands.understand(f"*{command.name}", CAST, persona)
        assert isinstance(understood, One) and understood.exact, command.name
        assert understood.target.action == Run(command.name)


@by_id(CAST.personas)
def test_no_name_of_a_command_stands_twice(persona: Persona) -> None:
    names = [fold(command.name) for command in persona.commands]
    assert len(names) == len(set(names))


# ---------------------------------------------------------------- coming on


@by_id(CAST.personas)
def test_a_call_brings_everybody_on_with_greeting_and_all_commands_and_no_model(persona: Persona) -> None:
    done = step(Session(), said(f"*{persona.id}"), CAST)

    assert done.session.personas == (persona.id,)
    first = posts(done)[0]
    assert (first.voice.persona, first.voice.name, first.voice.icon) == (persona.id, persona.name, persona.icon)
    assert persona.name in first.markdown
    for tool in persona.tools or ():
        is_absent = fold(tool) not in CHAT_TOOLS
        assert (f"`{tool}`" in first.markdown) == is_absent, "a tool that a chat has not is told of, and no other"
    shown = list(pages(done, CAST))
    assert [page.request for page in shown] == [None] * len(shown)
    assert [page.next for page in shown] == [""] * len(shown)
    text = "\n".join(as_text(post) for page in shown for post in posts(page))
    for command in persona.commands:
        assert re.search(rf"^\d+\. `\*{re.escape(command.name)}[ `]", text, re.MULTILINE), command.name


@by_id(CAST.personas)
def test_help_shows_the_commands_in_the_order_of_the_definition(persona: Persona) -> None:
    on = step(Session(), said(f"*{persona.id}"), CAST).session
    done = step(on, said("*help"), CAST)

    shown = list(pages(done, CAST))
    assert all(page.request is None for page in shown)
    actions = [o.action for page in shown for o in menu_of(page).options if not isinstance(o.action, Turnover)]
    own = [action.command for action in actions if isinstance(action, Run) and persona.command(action.command)]
    assert own == [command.name for command in persona.commands]
    assert {"help", "exit"} <= {action.command for action in actions if isinstance(action, Run)}


def test_the_guide_lists_everybody() -> None:
    done = step(Session(), said("*help"), CAST)
    shown = [option.action for page in pages(done, CAST) for option in menu_of(page).options]
    called = [action.persona for action in shown if isinstance(action, Activate)]
    assert called == [persona.id for persona in CAST.personas]


@pytest.mark.parametrize("ident", ["README", "MIGRATION_SUMMARY"])
def test_the_documents_answer(ident: str) -> None:
    done = step(Session(), said(f"*{ident}"), CAST)

    assert done.request is None
    assert done.session.personas == ()
    told = "\n".join(post.markdown for post in posts(done))
    assert (AGENTS / f"{ident}.md").read_text("utf-8").strip() in told


# ---------------------------------------------------------------- what a model is told


@by_id(CAST.personas)
def test_a_prompt_is_built_and_holds_the_persona(persona: Persona) -> None:
    built = prompt(persona, ())
    text = "\n".join(built.system)

    assert (built.who, built.messages) == (persona.id, ())
    assert persona.name in text
    for part in (persona.role, persona.focus, *persona.principles, persona.instructions, persona.customization):
        assert part.strip() in text
    assert prompt(persona, ()) == built


@by_id(CAST.personas)
def test_a_prompt_names_no_tool_that_is_not_offered(persona: Persona) -> None:
    built = prompt(persona, ())
    text = "\n".join(built.system)
    offered = {tool.name for tool in built.tools}

    assert set(re.findall(r"\btools? `([^`]+)`", text)) <= offered
    assert ELSEWHERE.findall(text) == []
    assert ("load_resource" in offered) == bool(persona.dependencies)
    assert ("propose_command" in offered) == bool(persona.commands)


@by_id(CAST.personas)
def test_a_prompt_names_no_file_that_is_not_there(persona: Persona) -> None:
    text = FENCE.sub("", "\n".join(prompt(persona, ()).system))

    assert set(FILE.findall(text)) <= {resource.name for resource in CAST.resources}
    assert set(STEM.findall(text)) <= {resource.stem for resource in CAST.resources}


# ---------------------------------------------------------------- the resources


@by_stem(sorted((BMAD / "tasks").iterdir()))
def test_tasks_keep_to_their_schema(path: Path) -> None:
    assert faults("task", front_matter(path)) == []


@by_stem(sorted((BMAD / "templates").iterdir()))
def test_templates_keep_to_their_schema(path: Path) -> None:
    assert faults("template", load(path)) == []


@by_stem(WORKFLOWS)
def test_workflows_keep_to_their_schema(path: Path) -> None:
    workflow = load(path)
    assert faults("workflow", workflow) == []
    assert workflow["workflow"]["id"] == path.stem


@by_stem(sorted((BMAD / "agent-teams").iterdir()))
def test_teams_keep_to_their_schema_and_name_who_and_what_there_is(path: Path) -> None:
    team = load(path)
    assert faults("team", team) == []
    assert set(team["agents"]) <= {persona.id for persona in CAST.personas} | {"*"}
    assert set(team["workflows"] or ()) <= {workflow.name for workflow in WORKFLOWS}


def test_the_core_configuration_keeps_to_its_schema() -> None:
    assert faults("core-config", load(BMAD / "core-config.yaml")) == []


def test_an_epics_number_finds_that_epic_alone_among_the_parts() -> None:
    pattern = load(BMAD / "core-config.yaml")["prd"]["epicFilePattern"]
    example = re.findall(r"\bepic-\d+-[a-z-]+\.md\b", (BMAD / "tasks" / "shard-doc.md").read_text("utf-8"))
    parts = [*example, "epic-10-reports.md", "epic-11-audit.md", "epic-2-billing.md"]

    found = fnmatch.filter(parts, pattern.replace("{n}", "1"))
    assert example
    assert found == example


def test_every_resource_of_the_pack_that_holds_a_command_in_code_names_one_that_there_is() -> None:
    own = {command.name for persona in CAST.personas for command in persona.commands}
    known = own | HELD | {persona.id for persona in CAST.personas}
    files = [path for path in BMAD.rglob("*") if path.is_file()]
    named = [(path.name, name) for path in files for name in IN_CODE.findall(path.read_text("utf-8"))]

    assert len(named) > 20
    assert [(file, name) for file, name in named if name not in known] == []


BREAKS: tuple[tuple[str, Path, tuple[str | int, ...], Any, str], ...] = (
    ("task", BMAD / "tasks" / "shard-doc.md", ("steps", 0, "gate"), "maybe", "$.steps[0].gate"),
    ("template", BMAD / "templates" / "prd-tmpl.yaml", ("sections", 0, "type"), "poem", "$.sections[0].type"),
    ("workflow", WORKFLOWS[0], ("workflow", "sequence", 1, "hurry"), True, "$.workflow.sequence[1]"),
    ("workflow", WORKFLOWS[0], ("workflow", "sequence", 1, "creates"), "../x.md", "$.workflow.sequence[1].creates"),
    ("team", BMAD / "agent-teams" / "team-all.yaml", ("workflows",), ["no file"], "$.workflows[0]"),
    ("core-config", BMAD / "core-config.yaml", ("devStoryLocation",), "/etc", "$.devStoryLocation"),
    ("core-config", BMAD / "core-config.yaml", ("prd", "epicFilePattern"), "e{n}*.md", "$.prd.epicFilePattern"),
)


@pytest.mark.parametrize(("schema", "path", "at", "value", "where"), BREAKS, ids=[f"{b[0]} {b[4]}" for b in BREAKS])
def test_a_schema_refuses_what_does_not_keep_to_it(
    schema: str, path: Path, at: tuple[str | int, ...], value: Any, where: str
) -> None:
    broken = front_matter(path) if path.suffix == ".md" else load(path)
    place = broken
    for key in at[:-1]:
        place = place[key]
    place[at[-1]] = value

    assert {fault.split(": ")[0] for fault in faults(schema, broken)} == {where}


# ---------------------------------------------------------------- the workflows


@by_stem(WORKFLOWS)
def test_steps_are_of_personas_that_there_are_by_commands_that_they_have(path: Path) -> None:
    for at in load(path)["workflow"]["sequence"]:
        where, agent = at["step"], at.get("agent", "various")
        if agent == "various":
            assert "command" not in at, where
            continue
        persona = CAST.persona(agent)
        assert persona, f"{where}: {agent}"
        for name in [*each(at.get("command")), *at.get("optional_steps", ())]:
            assert persona.command(name), f"{where}: *{agent} {name}"
        command = persona.command(at["command"]) if "command" in at else None
        if command and "uses" in at:
            assert at["uses"] in command.uses, f"{where}: *{agent} {command.name} runs {command.uses}"


@by_stem(WORKFLOWS)
def test_what_steps_use_is_there_and_routes_lead_onward(path: Path) -> None:
    sequence = load(path)["workflow"]["sequence"]
    order = [at["step"] for at in sequence]
    assert len(order) == len(set(order))
    for number, at in enumerate(sequence):
        routes = at.get("routes", {}).values()
        for used in [*each(at.get("uses")), *(route["uses"] for route in routes if "uses" in route)]:
            assert CAST.resource(CAST.persona("bmad-master"), used), f"{at['step']}: {used}"
        for route in routes:
            if "continue" in route:
                assert route["continue"] in order[number + 1 :], f"{at['step']}: {route['continue']}"
            else:
                assert CAST.persona(route["agent"]), f"{at['step']}: {route['agent']}"


@by_stem(WORKFLOWS)
def test_a_document_that_a_step_requires_is_made_by_an_earlier_one(path: Path) -> None:
    made: set[str] = set()
    for at in load(path)["workflow"]["sequence"]:
        needed = {document for document in each(at.get("requires")) if "/" in document}
        assert needed <= made, f"{at['step']}: {needed - made}"
        made |= set(each(at.get("creates")))


@by_stem(WORKFLOWS)
def test_every_command_that_a_workflow_tells_people_to_type_can_be_typed(path: Path) -> None:
    workflow = load(path)["workflow"]
    named = [found for text in texts(workflow) for found in COMMAND.findall(text)]
    handed_over = [found for text in texts(workflow["handoff_prompts"]) for found in COMMAND.findall(text)]

    assert len(handed_over) >= 4
    for first, second in named:
        persona = CAST.persona(first)
        if persona is None:
            assert first in HELD, f"*{first}"
        else:
            assert persona.command(second), f"*{first} {second}"


@by_stem(WORKFLOWS)
def test_a_handover_speaks_to_the_persona_whose_command_it_gives(path: Path) -> None:
    names = {persona.name: persona for persona in CAST.personas if persona.pack == "bmad"}
    for key, text in load(path)["workflow"]["handoff_prompts"].items():
        addressed = {names[word].id for word in re.findall(r"[A-Z][a-z]+", text) if word in names}
        called = {first for first, _ in COMMAND.findall(text) if CAST.persona(first)}
        if called and addressed:
            assert called == addressed, key


@by_stem(WORKFLOWS)
def test_the_picture_of_a_workflow_shows_personas_and_people_that_there_are(path: Path) -> None:
    drawn = set(re.findall(r"[\[{/]([a-z][a-z-]*): ", load(path)["workflow"]["flow_diagram"]))
    sequence = load(path)["workflow"]["sequence"]
    agents = {at["agent"] for at in sequence if at.get("agent", "various") != "various"}

    assert drawn - PEOPLE <= {persona.id for persona in CAST.personas}
    assert agents <= drawn


# ---------------------------------------------------------------- further checks


def test_further_checks_of_this_installation_find_nothing() -> None:
    found = sorted(CHECKS.glob("*_facts.py"))
    if not found:
        pytest.skip(f"no further checks of the cast's facts in {CHECKS}")
    for script in found:
        run = subprocess.run([sys.executable, script, ROOT], capture_output=True, text=True, check=False, timeout=60)
        assert run.returncode == 0, run.stdout + run.stderr
        assert run.stdout.rstrip().endswith(" 0 findings"), run.stdout


def test_novacron_is_explained_where_a_newcomer_looks() -> None:
    (told,) = (post.markdown for post in posts(step(Session(), said("*help"), CAST)))
    explained = "NovaCron is a platform that runs virtual machines on many hosts"
    assert explained in told
    for persona in CAST.personas:
        (greeting,) = (post.markdown for post in posts(step(Session(), said(f"*{persona.id}"), CAST)))
        assert (explained in greeting) == (persona.pack == "novacron")
    for page in (ROOT / "README.md", BMAD / "data" / "bmad-kb.md"):
        text = " ".join(page.read_text("utf-8").split())
        assert explained in text


def test_the_guide_to_the_method_names_everybody() -> None:
    text = (BMAD / "data" / "bmad-kb.md").read_text("utf-8")
    assert [persona.id for persona in CAST.personas if f"| `*{persona.id}` |" not in text] == []


def test_every_workflow_says_what_it_is_for() -> None:
    found = [r for r in CAST.resources if r.kind == "workflows"]
    assert len(found) == len(WORKFLOWS) and all(len(r.purpose) > 40 for r in found)


def test_the_coordinators_prompt_has_everybody_with_a_purpose() -> None:
    coordinator = next(p for p in CAST.personas if p.is_coordinator)
    lines = prompt(coordinator, (), CAST).system[2].splitlines()[1:]
    assert len(lines) == len(CAST.personas) - 1
    assert all(re.match(r"- \*[\w-]+: .+\. \S.{20}", line) for line in lines)


@pytest.mark.parametrize(
    ("who", "typed"), [("bmad-master", "*create-doc nope"), ("bmad-orchestrator", "*workflow nope")]
)
def test_a_name_that_is_none_lists_all_that_there_is(who: str, typed: str) -> None:
    on = step(Session(), said(f"*{who}"), CAST).session
    told = step(on, replace(said(typed), turn="t2"), CAST)
    kind = "templates" if "create-doc" in typed else "workflows"
    listed = CAST.resources_of(CAST.persona(who), kind)
    assert {option.label for option in menu_of(told).options} >= {resource.stem for resource in listed}
    assert f"There is no {kind[:-1]} of that name." in posts(told)[-1].markdown
