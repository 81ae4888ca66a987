"""The task files that are shipped, held against their schema and against the halts that the method asks for."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.personas.library import Library
from bot.personas.lint import check

ROOT = Path(__file__).parents[3]
TASKS = ROOT / "agents" / "bmad" / "tasks"
SCHEMA: dict[str, Any] = json.loads((ROOT / "bot/personas/schemas/task.schema.json").read_text("utf-8"))

NAMES = (
    "advanced-elicitation",
    "apply-qa-fixes",
    "brownfield-create-epic",
    "brownfield-create-story",
    "correct-course",
    "create-deep-research-prompt",
    "create-doc",
    "create-next-story",
    "document-project",
    "execute-checklist",
    "facilitate-brainstorming-session",
    "generate-ai-frontend-prompt",
    "index-docs",
    "kb-mode-interaction",
    "nfr-assess",
    "qa-gate",
    "review-story",
    "risk-profile",
    "shard-doc",
    "test-design",
    "trace-requirements",
    "validate-next-story",
)

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SET = re.compile(r"\{(templates|checklists|tasks|documents|stories|methods|techniques)\}")
HEADING = re.compile(r"^## (\d+)\. (.+)$")


def parts(name: str) -> tuple[Any, str]:
    """Front matter and body of a task."""
    text = (TASKS / f"{name}.md").read_text("utf-8")
    assert text.startswith("---\n"), f"{name}: no front matter"
    head, body = text[4:].split("\n---\n", 1)
    return yaml.safe_load(head), body


def outside_fences(body: str) -> list[str]:
    lines, fenced = [], False
    for line in body.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            lines.append(line)
    return lines


def sections(body: str) -> list[tuple[int, str, list[str]]]:
    """Number, title and lines of each `## N. Title`."""
    found: list[tuple[int, str, list[str]]] = []
    for line in outside_fences(body):
        if heading := HEADING.match(line):
            found.append((int(heading[1]), heading[2], []))
        elif found:
            found[-1][2].append(line)
    return found


def keys(where: str, value: Any, definition: Any) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: not a mapping"]
    missing = [f"{where}: {key} is missing" for key in definition["required"] if key not in value]
    return missing + [f"{where}: {key} is unknown" for key in value if key not in definition["properties"]]


def text(where: str, value: Any, longest: int) -> list[str]:
    if not isinstance(value, str) or not value.strip():
        return [f"{where}: not a text"]
    return [f"{where}: longer than {longest}"] if len(value) > longest else []


def kebab(where: str, value: Any) -> list[str]:
    return [] if isinstance(value, str) and KEBAB.fullmatch(value) else [f"{where}: not kebab-case"]


def distinct(where: str, values: list[Any]) -> list[str]:
    return [f"{where}: {v} twice" for v in sorted({str(v) for v in values if values.count(v) > 1})]


def step_faults(where: str, step: Any, inputs: list[Any], outputs: list[Any]) -> list[str]:
    definition = SCHEMA["$defs"]["step"]
    faults = keys(where, step, definition)
    if faults:
        return faults
    gate, options = step.get("gate"), step.get("options")
    faults += kebab(f"{where} id", step["id"])
    faults += text(f"{where} title", step["title"], 80) + text(f"{where} do", step["do"], 400)
    for key in ("question", "when", "repeat"):
        if key in step:
            faults += text(f"{where} {key}", step[key], 400)
    if "gate" in step and gate not in definition["properties"]["gate"]["enum"]:
        faults.append(f"{where}: no such gate {gate!r}")
    if ("gate" in step) != ("question" in step):
        faults.append(f"{where}: gate and question belong together")
    if gate == "choose" and not options:
        faults.append(f"{where}: choose without options")
    if "options" in step:
        if gate not in ("choose", "elicit"):
            faults.append(f"{where}: options without choose or elicit")
        if not isinstance(options, list) or not 1 <= len(options) <= 25:
            return [*faults, f"{where}: options are no list of 1 to 25"]
        for option in options:
            faults += text(f"{where} option", option, 120)
            if isinstance(option, str) and set("{}") & set(option) and not SET.fullmatch(option):
                faults.append(f"{where}: no such set {option}")
        faults += distinct(f"{where} options", options)
    if "first" in step and (step["first"] not in (0, 1) or "options" not in step):
        faults.append(f"{where}: first is 0 or 1, and with options")
    for stem in step.get("uses", ()):
        if stem.strip("{}") not in inputs and not KEBAB.fullmatch(stem):
            faults.append(f"{where}: uses {stem}")
    if "writes" in step and step["writes"] not in outputs:
        faults.append(f"{where}: writes {step['writes']}, which is no output")
    return faults


def faults(task: Any) -> list[str]:
    """What the schema would say about a front matter, and what no schema can: names that must fit each other."""
    found = keys("task", task, SCHEMA)
    if found:
        return found
    found += kebab("id", task["id"]) + text("title", task["title"], 80) + text("purpose", task["purpose"], 400)
    for at, given in enumerate(task["inputs"]):
        where = f"input {at + 1}"
        if wrong := keys(where, given, SCHEMA["$defs"]["input"]):
            return found + wrong
        found += kebab(where, given["name"]) + text(f"{where} ask", given["ask"], 400)
        if given["kind"] not in SCHEMA["$defs"]["input"]["properties"]["kind"]["enum"]:
            found.append(f"{where}: no such kind {given['kind']}")
        if not isinstance(given["required"], bool):
            found.append(f"{where}: required is true or false")
    for at, made in enumerate(task["outputs"]):
        where = f"output {at + 1}"
        if wrong := keys(where, made, SCHEMA["$defs"]["output"]):
            return found + wrong
        found += kebab(where, made["name"])
        if made["kind"] not in SCHEMA["$defs"]["output"]["properties"]["kind"]["enum"]:
            found.append(f"{where}: no such kind {made['kind']}")
        if (made["kind"] == "text") == ("path" in made):
            found.append(f"{where}: a path for what is saved, and for nothing else")
        pattern = SCHEMA["$defs"]["output"]["properties"]["path"]["pattern"]
        if "path" in made and not re.search(pattern, str(made["path"])):
            found.append(f"{where}: path {made['path']}")
    names = [i["name"] for i in task["inputs"]], [o["name"] for o in task["outputs"]]
    found += distinct("inputs", names[0]) + distinct("outputs", names[1])
    if not isinstance(task["steps"], list) or len(task["steps"]) < 3:
        return [*found, "steps: fewer than three"]
    for at, step in enumerate(task["steps"]):
        found += step_faults(f"step {at + 1}", step, *names)
    found += distinct("steps", [s.get("id") for s in task["steps"] if isinstance(s, dict)])
    written = {s.get("writes") for s in task["steps"] if isinstance(s, dict)}
    return found + [
        f"outputs: no step writes {o['name']}"
        for o in task["outputs"]
        if o["kind"] != "text" and o["name"] not in written
    ]


def test_exactly_the_tasks_of_the_cast_are_shipped() -> None:
    assert {p.stem for p in TASKS.glob("*.md")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_front_matter_keeps_to_the_schema(name: str) -> None:
    task, _ = parts(name)
    assert faults(task) == []
    assert task["id"] == name


@pytest.mark.parametrize("name", NAMES)
def test_the_body_has_a_section_for_each_step_in_order(name: str) -> None:
    task, body = parts(name)
    wanted = [(number, step["title"]) for number, step in enumerate(task["steps"], 1)]
    assert [(number, title) for number, title, _ in sections(body)] == wanted
    thin = [title for _, title, lines in sections(body) if len(" ".join(lines).split()) < 25]
    assert thin == []


@pytest.mark.parametrize("name", NAMES)
def test_the_body_is_clean_markdown(name: str) -> None:
    task, body = parts(name)
    lines = outside_fences(body)
    assert [line for line in lines if line.startswith("# ")] == [f"# {task['title']}"]
    assert body.count("```") % 2 == 0
    assert not [line for line in body.splitlines() if line != line.rstrip() or "\t" in line]
    assert 60 <= len((TASKS / f"{name}.md").read_text("utf-8").splitlines()) <= 200
    tables = [line for line in lines if line.startswith("|")]
    assert not [line for line in tables if not line.endswith("|")]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_step_uses_is_shipped(name: str) -> None:
    task, _ = parts(name)
    used = {stem for step in task["steps"] for stem in step.get("uses", ()) if not stem.startswith("{")}
    folders = ("tasks", "templates", "checklists", "data", "utils", "workflows")
    shipped = {p.stem for folder in folders for p in (ROOT / "agents" / "bmad" / folder).glob("*")}
    assert used <= shipped


def test_no_two_steps_of_the_cast_are_told_the_same() -> None:
    told = [step["do"] for name in NAMES for step in parts(name)[0]["steps"]]
    assert distinct("do", told) == []


# The halts of the method: the task, the step that stops, the kind of gate, and how many numbered options it has.
HALTS = (
    ("advanced-elicitation", "choose-method", "elicit", 2),
    ("advanced-elicitation", "settle", "choose", 3),
    ("apply-qa-fixes", "find-story", "input", 0),
    ("correct-course", "pick-mode", "choose", 2),
    ("correct-course", "walk-checklist", "ask", 0),
    ("correct-course", "approve-proposal", "approve", 0),
    ("create-deep-research-prompt", "pick-focus", "choose", 9),
    ("create-deep-research-prompt", "agree-objectives", "ask", 0),
    ("create-deep-research-prompt", "assemble", "approve", 0),
    ("create-doc", "pick-template", "choose", 1),
    ("create-doc", "elicit", "elicit", 2),
    ("create-doc", "weigh-result", "choose", 3),
    ("create-doc", "save-section", "choose", 2),
    ("create-next-story", "load-settings", "choose", 3),
    ("create-next-story", "check-previous", "choose", 3),
    ("create-next-story", "pick-number", "choose", 3),
    ("create-next-story", "report", "approve", 0),
    ("document-project", "scope", "choose", 4),
    ("document-project", "interview", "ask", 0),
    ("execute-checklist", "pick-checklist", "choose", 1),
    ("execute-checklist", "pick-mode", "choose", 2),
    ("execute-checklist", "gather", "input", 0),
    ("execute-checklist", "judge", "ask", 0),
    ("facilitate-brainstorming-session", "setup", "ask", 0),
    ("facilitate-brainstorming-session", "choose-approach", "choose", 4),
    ("facilitate-brainstorming-session", "run-technique", "ask", 0),
    ("facilitate-brainstorming-session", "switch", "choose", 4),
    ("index-docs", "settle-missing", "choose", 3),
    ("kb-mode-interaction", "offer-topics", "choose", 8),
    ("nfr-assess", "choose-scope", "choose", 3),
    ("nfr-assess", "find-bounds", "ask", 0),
    ("qa-gate", "offer-waiver", "approve", 0),
    ("review-story", "check-ready", "choose", 3),
    ("review-story", "get-changes", "input", 0),
    ("shard-doc", "check-destination", "choose", 4),
    ("validate-next-story", "locate", "choose", 3),
)


@pytest.mark.parametrize(("name", "step", "gate", "options"), HALTS)
def test_the_method_halts_where_it_must(name: str, step: str, gate: str, options: int) -> None:
    found = {s["id"]: s for s in parts(name)[0]["steps"]}[step]
    assert (found["gate"], len(found.get("options", ()))) == (gate, options)


def test_one_proceeds_in_a_document_and_nine_ends_a_closer_look() -> None:
    document = {s["id"]: s for s in parts("create-doc")[0]["steps"]}["elicit"]
    closer = {s["id"]: s for s in parts("advanced-elicitation")[0]["steps"]}["choose-method"]
    assert document.get("first", 1) == 1
    assert document["options"][0].startswith("Proceed")
    assert document["options"][1] == "{methods}"
    assert closer["first"] == 0
    assert closer["options"][0] == "{methods}"
    assert "{" not in closer["options"][-1]


@pytest.mark.parametrize("name", ["qa-gate", "review-story"])
def test_the_gate_rules_stand_in_their_order(name: str) -> None:
    body = " ".join(parts(name)[1].split())
    rules = [body.index(fact) for fact in ("score 9 or more", "P0 scenario", "NFR judged FAIL", "score 6 or more")]
    assert rules == sorted(rules)
    assert all(word in body for word in ("WAIVED", "FAIL", "CONCERNS", "PASS"))


def test_ten_checks_decide_about_a_story_draft() -> None:
    body = parts("validate-next-story")[1]
    assert [int(n) for n in re.findall(r"(?m)^\| (\d+) \| \*\*", body)] == list(range(1, 11))
    assert "NO-GO" in body


def broken(change: str) -> tuple[dict[str, Any], str]:
    task: dict[str, Any] = copy.deepcopy(parts("shard-doc")[0])
    step = task["steps"][0]
    match change:
        case "choose without options":
            del step["options"]
        case "no such gate":
            step["gate"] = "maybe"
        case "gate and question belong together":
            del step["question"]
        case "fewer than three":
            del task["steps"][2:]
        case "steps: cut twice":
            step["id"] = "cut"
        case "not kebab-case":
            step["id"] = "Find_Document"
        case "hurry is unknown":
            step["hurry"] = True
        case "ask is missing":
            del task["inputs"][0]["ask"]
        case "required is true or false":
            task["inputs"][0]["required"] = "yes"
        case "no such kind":
            task["inputs"][0]["kind"] = "song"
        case "a path for what is saved":
            del task["outputs"][0]["path"]
        case "path ../x.md":
            task["outputs"][0]["path"] = "../x.md"
        case "which is no output":
            step["writes"] = "poem"
        case "no such set":
            step["options"] = ["{wishes}"]
        case "options without choose or elicit":
            step["gate"] = "ask"
        case "first is 0 or 1":
            step["first"] = 2
        case "do: longer than 400":
            step["do"] = "word " * 100
        case _:
            raise AssertionError(change)
    return task, change


BROKEN = (
    "choose without options",
    "no such gate",
    "gate and question belong together",
    "fewer than three",
    "steps: cut twice",
    "not kebab-case",
    "hurry is unknown",
    "ask is missing",
    "required is true or false",
    "no such kind",
    "a path for what is saved",
    "path ../x.md",
    "which is no output",
    "no such set",
    "options without choose or elicit",
    "first is 0 or 1",
    "do: longer than 400",
)


@pytest.mark.parametrize("change", BROKEN)
def test_a_broken_front_matter_is_found_out(change: str) -> None:
    task, fault = broken(change)
    assert [f for f in faults(task) if fault in f]


def test_a_validator_of_json_schema_says_the_same_where_there_is_one() -> None:
    if importlib.util.find_spec("jsonschema") is None:
        assert SCHEMA["$schema"].endswith("2020-12/schema")
        return
    validator: Any = importlib.import_module("jsonschema").Draft202012Validator(SCHEMA)
    for name in NAMES:
        assert [e.message for e in validator.iter_errors(parts(name)[0])] == []
    names_only = {"steps: cut twice", "which is no output"}
    for change in BROKEN:
        assert change in names_only or not validator.is_valid(broken(change)[0]), change


def examples_of_the_guide() -> list[str]:
    """The fenced Markdown files that the guide shows: an agent, a subagent and a task."""
    guide = (ROOT / "docs" / "writing-personas.md").read_text("utf-8")
    return [found[2] for found in re.finditer(r"(?ms)^(`{3,4})markdown\n(.*?)^\1$", guide)]


def test_the_task_of_the_guide_keeps_to_the_schema() -> None:
    shown = examples_of_the_guide()[2]
    head, body = shown[4:].split("\n---\n", 1)
    task = yaml.safe_load(head)
    assert faults(task) == []
    assert [(n, t) for n, t, _ in sections(body)] == [(n, s["title"]) for n, s in enumerate(task["steps"], 1)]


def test_the_personas_of_the_guide_are_read_without_a_finding(tmp_path: Path) -> None:
    agent, subagent, task = examples_of_the_guide()
    for path, shown in (
        ("agents/release-manager.md", agent),
        ("agents/postgres-reviewer.md", subagent),
        ("tasks/plan-release.md", task),
    ):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(shown, "utf-8")
    library = Library([tmp_path], None)
    assert check(library) == ()
    rosa, reviewer = library.cast.persona("release-manager"), library.cast.persona("postgres-reviewer")
    assert rosa is not None
    assert reviewer is not None
    assert [(c.name, c.uses, c.confirm) for c in rosa.commands][1:] == [
        ("plan-release", ("plan-release",), False),
        ("exit", (), True),
    ]
    assert reviewer.name == "Postgres Reviewer"
    assert reviewer.when_to_use == "A schema, a migration or a slow query on PostgreSQL needs a second pair of eyes."
    assert len(reviewer.examples) == 1


def test_the_guide_tells_of_every_key_of_a_step() -> None:
    guide = (ROOT / "docs" / "writing-personas.md").read_text("utf-8")
    assert [key for key in SCHEMA["$defs"]["step"]["properties"] if f"`{key}`" not in guide] == []
    gates = SCHEMA["$defs"]["step"]["properties"]["gate"]["enum"]
    assert [gate for gate in gates if f"| `{gate}` |" not in guide] == []
