"""The templates that are shipped: their structure, the places where they stop, and who may write what."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
BMAD = ROOT / "agents" / "bmad"
SCHEMA = ROOT / "bot" / "personas" / "schemas" / "template.schema.json"

ELICITS = {
    "architecture": 15,
    "brownfield-architecture": 12,
    "front-end-architecture": 10,
    "fullstack-architecture": 19,
    "brainstorming-output": 0,
    "competitor-analysis": 8,
    "market-research": 8,
    "project-brief": 13,
    "brownfield-prd": 2,
    "prd": 5,
    "front-end-spec": 9,
    "qa-gate": 0,
    "story": 5,
}
NAMES = sorted(ELICITS)
SECTIONED = [name for name in NAMES if name != "qa-gate"]
CUSTOM = ["competitor-analysis", "market-research", "project-brief"]

HEADER_KEYS = {"id", "name", "version", "output", "description"}
WORKFLOW_KEYS = {"mode", "elicitation", "allow_skip", "custom_elicitation"}
SECTION_KEYS = {
    *("id", "title", "instruction", "template", "content", "type", "language", "mermaid_type", "sections"),
    *("subsections", "elicit", "custom_elicitation", "condition", "repeatable", "order", "examples", "items"),
    *("item_template", "prefix", "columns", "rows", "choices", "owner", "editors"),
    *("readonly", "optional", "placeholder", "details"),
}
TYPES = {
    *("bullet-list", "code", "table", "numbered-list", "checklist", "mermaid"),
    *("paragraphs", "choice", "template-text"),
}
TEXT_KEYS = ("title", "instruction", "template", "content", "condition", "item_template", "prefix", "owner", "language")

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
PLACEHOLDER = re.compile(r"\{\{[a-z][a-z0-9_]*\}\}")

Section = dict[str, Any]


@cache
def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((BMAD / "templates" / f"{name}-tmpl.yaml").read_text("utf-8"))
    return loaded


def walk(sections: list[Section], depth: int = 1) -> Iterator[tuple[int, Section]]:
    for section in sections:
        yield depth, section
        yield from walk(section.get("sections", []), depth + 1)


def sections_of(name: str) -> list[Section]:
    return [section for _, section in walk(load(name)["sections"])]


def by_id(name: str) -> dict[str, Section]:
    return {section["id"]: section for section in sections_of(name)}


def texts(value: object) -> Iterator[str]:
    """Every text inside `value`, keys of mappings included."""
    match value:
        case str():
            yield value
        case dict():
            for key, item in value.items():
                yield from texts(key)
                yield from texts(item)
        case list():
            for item in value:
                yield from texts(item)
        case _:
            return


def drafting_order(sections: list[Section]) -> list[str]:
    ranked = sorted(enumerate(sections, 1), key=lambda numbered: numbered[1].get("order", numbered[0]))
    return [section["id"] for _, section in ranked]


def test_the_thirteen_templates_are_there_and_no_others() -> None:
    assert sorted(path.name for path in (BMAD / "templates").iterdir()) == [f"{name}-tmpl.yaml" for name in NAMES]


def test_template_ids_and_names_are_told_apart() -> None:
    headers = [load(name)["template"] for name in NAMES]
    assert len({header["id"] for header in headers}) == len(NAMES)
    assert len({header["name"] for header in headers}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_header_says_what_is_written_and_where(name: str) -> None:
    header = load(name)["template"]
    assert set(header) <= HEADER_KEYS
    assert KEBAB.fullmatch(header["id"])
    assert re.search(r"-template-v\d+$", header["id"])
    assert isinstance(header["version"], float)
    assert set(header["output"]) == {"format", "filename", "title"}
    expected = ("yaml", ".yml") if name == "qa-gate" else ("markdown", ".md")
    assert header["output"]["format"] == expected[0]
    assert header["output"]["filename"].endswith(expected[1])
    assert header["output"]["filename"].startswith(("docs/", "qa.qaLocation/"))
    assert ".." not in header["output"]["filename"]


@pytest.mark.parametrize("name", SECTIONED)
def test_the_workflow_names_its_mode(name: str) -> None:
    template = load(name)
    workflow = template["workflow"]
    assert set(template) <= {"template", "workflow", "agent_config", "sections"}
    assert set(workflow) <= WORKFLOW_KEYS
    if name == "brainstorming-output":
        assert workflow == {"mode": "non-interactive"}
    else:
        assert workflow["mode"] == "interactive"
        assert workflow["elicitation"] == "advanced-elicitation"


@pytest.mark.parametrize("name", SECTIONED)
def test_sections_use_known_keys_with_values_of_the_right_kind(name: str) -> None:
    for section in sections_of(name):
        where = f"{name}/{section['id']}"
        assert set(section) <= SECTION_KEYS, where
        assert section.get("type", "paragraphs") in TYPES, where
        for key in TEXT_KEYS:
            if key in section:
                assert isinstance(section[key], str) and section[key].strip(), f"{where}: {key}"
        for key in ("elicit", "repeatable"):
            assert isinstance(section.get(key, True), bool), f"{where}: {key}"
        for key in ("examples", "items", "columns", "editors"):
            values = section.get(key, ["-"])
            assert isinstance(values, list) and values, f"{where}: {key}"
            assert all(isinstance(value, str) and value.strip() for value in values), f"{where}: {key}"
        assert isinstance(section.get("order", 0), int), where


@pytest.mark.parametrize("name", SECTIONED)
def test_section_ids_are_kebab_case_and_unique_within_a_template(name: str) -> None:
    ids = [section["id"] for section in sections_of(name)]
    assert [ident for ident in ids if not KEBAB.fullmatch(ident)] == []
    assert [ident for ident, count in Counter(ids).items() if count > 1] == []


@pytest.mark.parametrize("name", SECTIONED)
def test_sections_nest_no_deeper_than_headings_reach(name: str) -> None:
    assert max(depth for depth, _ in walk(load(name)["sections"])) <= 4


@pytest.mark.parametrize("name", SECTIONED)
def test_every_section_that_holds_text_tells_the_writer_what_belongs_there(name: str) -> None:
    for section in sections_of(name):
        boilerplate = "title" not in section or section["id"] == "intro-content"
        if "sections" not in section and not boilerplate:
            assert len(section.get("instruction", "").split()) >= 8, f"{name}/{section['id']}"


@pytest.mark.parametrize("name", SECTIONED)
def test_a_type_comes_with_what_it_needs(name: str) -> None:
    for section in sections_of(name):
        where = f"{name}/{section['id']}"
        match section.get("type"):
            case "table":
                assert len(section["columns"]) >= 2, where
            case "code":
                assert section["language"], where
            case "mermaid":
                assert section["mermaid_type"], where
            case "choice":
                assert len(section["choices"]) >= 2, where
            case "template-text":
                assert section["template"], where
            case "checklist":
                assert section.get("items") or section.get("item_template"), where
            case _:
                assert not section.keys() & {"columns", "rows", "language", "mermaid_type"}, where


@pytest.mark.parametrize("name", SECTIONED)
def test_rows_are_as_long_as_their_columns(name: str) -> None:
    for section in sections_of(name):
        for row in section.get("rows", []):
            assert len(row) == len(section["columns"]), f"{name}/{section['id']}: {row}"
            assert all(isinstance(cell, str) for cell in row), f"{name}/{section['id']}: {row}"


@pytest.mark.parametrize("name", SECTIONED)
def test_alternatives_in_a_title_are_the_choices_of_the_section(name: str) -> None:
    for section in sections_of(name):
        found = re.search(r"(?<!\{)\{([^{}]+)\}(?!\})", section.get("title", ""))
        if found:
            assert found.group(1).split("|") == section["choices"], f"{name}/{section['id']}"


@pytest.mark.parametrize("name", SECTIONED)
def test_conditions_are_statements_that_can_be_judged(name: str) -> None:
    for section in sections_of(name):
        if "condition" in section:
            assert isinstance(section["condition"], str)
            assert len(section["condition"].split()) >= 4, f"{name}/{section['id']}"


@pytest.mark.parametrize("name", NAMES)
def test_placeholders_are_balanced_and_well_formed(name: str) -> None:
    for text in texts(load(name)):
        rest = PLACEHOLDER.sub("", text)
        assert "{{" not in rest, text
        assert text.count("{{") == len(PLACEHOLDER.findall(text)), text
        assert text.count("{") == text.count("}"), text


@pytest.mark.parametrize("name", SECTIONED)
def test_repeated_sections_have_a_placeholder_that_tells_instances_apart(name: str) -> None:
    for section in sections_of(name):
        if section.get("repeatable"):
            assert PLACEHOLDER.search(section["title"]), f"{name}/{section['id']}"


@pytest.mark.parametrize("name", NAMES)
def test_a_template_stops_for_people_as_often_as_it_says(name: str) -> None:
    found = [s["id"] for _, s in walk(load(name).get("sections", [])) if s.get("elicit")]
    assert len(found) == ELICITS[name], found


def test_the_prd_stops_at_its_five_decisions() -> None:
    sections = by_id("prd")
    stops = [ident for ident, section in sections.items() if section.get("elicit")]
    assert stops == ["requirements", "ui-goals", "technical-assumptions", "epic-list", "epic-details"]
    assert sections["ui-goals"]["condition"]
    assert sections["epic-details"]["repeatable"] is True


@pytest.mark.parametrize("name", CUSTOM)
def test_research_documents_stop_at_each_top_level_section(name: str) -> None:
    template = load(name)
    assert all(section.get("elicit") is True for section in template["sections"])
    nested = [section["id"] for depth, section in walk(template["sections"]) if depth > 1 and section.get("elicit")]
    assert nested == []


def test_research_documents_bring_methods_of_their_own() -> None:
    everything: list[str] = []
    for name in CUSTOM:
        custom = load(name)["workflow"]["custom_elicitation"]
        assert custom["title"].strip()
        assert 9 <= len(custom["options"]) <= 11
        everything += custom["options"]
    assert len(set(everything)) == len(everything)
    assert not [option for option in everything if option.lower().startswith("proceed")]


@pytest.mark.parametrize("name", [*CUSTOM, "brainstorming-output"])
def test_the_executive_summary_is_drafted_last_and_read_first(name: str) -> None:
    sections = [section for section in load(name)["sections"] if section["id"] not in {"header", "introduction"}]
    assert sections[0]["id"] == "executive-summary"
    assert drafting_order(load(name)["sections"])[-1] == "executive-summary"


@pytest.mark.parametrize("name", SECTIONED)
def test_owners_and_editors_are_personas_of_the_cast(name: str) -> None:
    personas = {path.stem for path in (BMAD / "agents").glob("*.md")}
    for section in sections_of(name):
        named = {section[key] for key in ("owner",) if key in section} | set(section.get("editors", []))
        assert named <= personas, f"{name}/{section['id']}"


def test_story_sections_belong_to_the_scrum_master_the_developer_and_qa() -> None:
    rights = {ident: (s["owner"], s["editors"]) for ident, s in by_id("story").items()}
    assert rights == {
        "status": ("sm", ["sm", "dev"]),
        "story": ("sm", ["sm"]),
        "acceptance-criteria": ("sm", ["sm"]),
        "tasks-subtasks": ("sm", ["sm", "dev"]),
        "dev-notes": ("sm", ["sm"]),
        "testing-standards": ("sm", ["sm"]),
        "change-log": ("sm", ["sm", "dev"]),
        "dev-agent-record": ("dev", ["dev"]),
        "agent-model": ("dev", ["dev"]),
        "debug-log-references": ("dev", ["dev"]),
        "completion-notes": ("dev", ["dev"]),
        "file-list": ("dev", ["dev"]),
        "qa-results": ("qa", ["qa"]),
    }


def test_the_drafter_of_a_story_is_given_only_sections_that_the_scrum_master_may_edit() -> None:
    editable = load("story")["agent_config"]["editable_sections"]
    titles = {section["title"]: section for section in sections_of("story")}
    assert set(editable) <= titles.keys()
    assert all("sm" in titles[title]["editors"] for title in editable)


def test_a_story_is_named_by_epic_story_and_title() -> None:
    filename = load("story")["template"]["output"]["filename"]
    assert filename == "docs/stories/{{epic_num}}.{{story_num}}.{{story_title_short}}.md"
    assert by_id("story")["status"]["choices"] == ["Draft", "Approved", "InProgress", "Review", "Done"]


def test_the_developers_standing_documents_are_sections_of_the_architecture() -> None:
    config = yaml.safe_load((BMAD / "core-config.yaml").read_text("utf-8"))
    wanted = {Path(path).stem for path in config["devLoadAlwaysFiles"]}
    assert wanted <= {section["id"] for section in load("architecture")["sections"]}


def test_the_quality_gate_is_a_literal_file_with_closed_vocabularies() -> None:
    gate = load("qa-gate")
    fields = ["schema", "story", "story_title", "gate", "status_reason", "reviewer", "updated", "top_issues", "waiver"]
    assert list(gate)[1:10] == fields
    assert "workflow" not in gate and "sections" not in gate
    assert gate["schema"] == 1
    assert gate["top_issues"] == [] and gate["waiver"] == {"active": False}
    assert gate["allowed_values"]["gate"] == ["PASS", "CONCERNS", "FAIL", "WAIVED"]
    assert gate["allowed_values"]["severity"] == ["low", "medium", "high"]
    assert gate["field_rules"].keys() <= set(fields)


@pytest.mark.parametrize("case", ["pass", "concerns", "waived"])
def test_an_example_of_a_gate_follows_its_own_rules(case: str) -> None:
    gate = load("qa-gate")
    example = yaml.safe_load(gate["examples"][case])
    assert list(example) == list(gate)[1:10]
    assert example["gate"] == case.upper()
    assert isinstance(example["story"], str)
    assert len(example["status_reason"]) <= 300
    prefixes = gate["issue_id_prefixes"].keys()
    for issue in example["top_issues"]:
        assert issue["severity"] in gate["allowed_values"]["severity"]
        assert issue["suggested_owner"] in gate["allowed_values"]["suggested_owner"]
        assert issue["id"].split("-")[0] in prefixes
        assert issue.keys() <= gate["issue_template"].keys()
    assert example["waiver"]["active"] is (case == "waived")
    if case == "waived":
        assert all(example["waiver"][key] for key in ("reason", "approved_by", "expires"))


def test_no_two_sections_of_the_cast_share_an_instruction_sentence() -> None:
    seen: dict[str, str] = {}
    for name in SECTIONED:
        for section in sections_of(name):
            joined = " ".join(section.get("instruction", "").split())
            for sentence in re.split(r"(?<=[.?!:;])\s+", joined):
                if len(sentence.split()) >= 8:
                    here = f"{name}/{section['id']}"
                    assert sentence not in seen, f"{here} repeats {seen[sentence]}: {sentence}"
                    seen[sentence] = here


def test_the_published_schema_knows_the_same_keys_and_types() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    definitions = schema["$defs"]
    assert set(definitions["header"]["properties"]) == HEADER_KEYS
    assert set(definitions["workflow"]["properties"]) == WORKFLOW_KEYS
    assert set(definitions["section"]["properties"]) == SECTION_KEYS
    assert set(definitions["section"]["properties"]["type"]["enum"]) == TYPES
    for closed in ("header", "workflow", "section", "agent_config"):
        assert definitions[closed]["additionalProperties"] is False
