"""Templates as definitions: the cast's thirteen against an independent reading, odd spellings, and every error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.core.documents.definition import FIELDS, MAX_DEPTH, MAX_SECTIONS, Choices, Definition, digest
from bot.core.documents.reading import MAX_TEMPLATE, TemplateError, definition, read

TEMPLATES = Path(__file__).resolve().parents[3] / "agents" / "bmad" / "templates"
CAST = sorted(TEMPLATES.glob("*.yaml"))

HEAD = """\
template:
  id: note-template
  name: Note
  output: {format: markdown, filename: docs/note.md}
"""


def written(sections: str, head: str = HEAD) -> str:
    return f"{head}sections:\n{sections}"


def independent(sections: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for section in sections:
        yield section
        yield from independent(section.get("sections", []))


@pytest.mark.parametrize("path", CAST, ids=lambda path: path.stem)
def test_a_template_of_the_cast_is_read_as_an_independent_reading_has_it_with_no_findings(path: Path) -> None:
    text = path.read_text("utf-8")
    plain = yaml.safe_load(text)

    found, findings = read(text)

    assert findings == ()
    header, output = plain["template"], plain["template"]["output"]
    assert (found.id, found.name, found.version) == (header["id"], header["name"], str(header["version"]))
    assert (found.filename, found.title) == (output["filename"], output["title"])
    expected = list(independent(plain.get("sections", [])))
    if not expected:
        assert [section.id for section in found.walk()] == [FIELDS]
        return
    sections = list(found.walk())
    assert [section.id for section in sections] == [values["id"] for values in expected]
    assert [section.title for section in sections] == [values.get("title", "") for values in expected]
    assert [section.elicit for section in sections] == [values.get("elicit", False) for values in expected]
    assert [section.repeatable for section in sections] == [values.get("repeatable", False) for values in expected]
    assert [section.condition for section in sections] == [values.get("condition", "") for values in expected]
    assert [section.order for section in sections] == [values.get("order") for values in expected]
    assert [list(section.columns) for section in sections] == [values.get("columns", []) for values in expected]
    assert [list(section.examples) for section in sections] == [
        [example.strip("\n") for example in values.get("examples", [])] for values in expected
    ]
    assert [section.instruction for section in sections] == [
        values.get("instruction", "").strip("\n") for values in expected
    ]
    lines = text.split("\n")
    assert all(lines[section.line - 1].lstrip(" -").startswith("id: ") for section in sections)


def test_the_cast_has_thirteen_templates() -> None:
    assert len(CAST) == 13


def test_a_yaml_template_is_one_section_of_fields_and_its_guides_are_instruction() -> None:
    found = definition((TEMPLATES / "qa-gate-tmpl.yaml").read_text("utf-8"))

    (section,) = found.sections
    assert found.format == "yaml"
    assert list(yaml.safe_load(section.template)) == [
        *("schema", "story", "story_title", "gate", "status_reason", "reviewer", "updated", "top_issues", "waiver")
    ]
    assert {"field_rules", "issue_template", "optional_fields", "examples"} <= set(yaml.safe_load(section.instruction))
    assert Choices(("PASS", "CONCERNS", "FAIL", "WAIVED"), "gate") in section.choices


# ---------------------------------------------------------------- what people write


def test_old_spellings_mean_what_their_authors_meant() -> None:
    found, findings = read(
        written(
            """\
  - id: a
    title: A
    elicit: yes
    owner: scrum-master
    editors: [scrum-master, dev-agent, qa-agent, sm]
    items:
      - Stack documentation [[LLM: check it]]
      - {id: cr1, template: "CR1: {{x}}"}
    choices: {repository: [Mono, Poly]}
    subsections:
      - id: b
        title: B
        rows: [{category: Core, items: [[x, y]]}, [p, q]]
"""
        )
    )

    (section,) = found.sections
    assert findings == ()
    assert section.elicit
    assert (section.owner, section.editors) == ("sm", ("sm", "dev", "qa"))
    assert section.items == ("Stack documentation [[LLM: check it]]", "CR1: {{x}}")
    assert section.choices == (Choices(("Mono", "Poly"), "repository"),)
    assert section.sections[0].rows == (("Core",), ("x", "y"), ("p", "q"))


def test_options_that_go_on_are_no_methods_and_groups_belong_to_their_sections() -> None:
    found = definition(
        written(
            "  - {id: a, title: A, elicit: true, custom_elicitation: a}\n  - {id: b, title: B, elicit: true}\n",
            HEAD
            + """\
workflow:
  custom_elicitation:
    title: Ours
    options: [Stress test it, Proceed to next section]
    sections:
      - {id: a, options: [Harden it, Finalize and Proceed to Platform]}
""",
        )
    )

    assert found.methods_at("a") == ("Harden it",)
    assert found.methods_at("b") == ("Stress test it",)
    assert definition(written("  - {id: a, title: A}\n")).methods_at("a") == ()


@pytest.mark.parametrize(
    ("sections", "line", "reason"),
    [
        ("  - {title: First Part}\n", 6, "a section has no id; it is called first-part"),
        ("  - {id: a}\n  - {id: a}\n", 7, "the id a stands here a second time; this section is called a-2"),
        ("  - id: a\n    type: graph\n", 7, "the type 'graph' of a is not known; the section is taken for free prose"),
        ("  - id: a\n    colour: red\n", 7, "the key `colour` of a is not known here"),
        ("  - id: a\n    elicit: maybe\n", 7, "`elicit: maybe` is neither true nor false; it counts as false"),
        ("  - id: a\n    order: last\n", 7, "`order` is no whole number"),
        ("  - id: a\n    title: {b: c, d: e}\n", 7, "`title` is a block of keys and should be a text"),
        ("  - id: a\n    sections: none\n", 7, "`sections` is no list"),
        ("  - id: a\n    rows: [x]\n", 7, "a row of `rows` is no list"),
        (
            "  - id: a\n    title: A\n    title: B\n",
            8,
            "the key `title` stands here a second time",
        ),
        (
            f"  - id: a\n    items: [{', '.join('x' * 51)}]\n",
            7,
            "`items` has more than 50 entries",
        ),
        (
            f"  - id: a\n    rows: [{', '.join(['[x]'] * 51)}]\n",
            7,
            "`rows` has more than 50 rows",
        ),
    ],
)
def test_what_is_odd_is_read_and_told_by_its_line(sections: str, line: int, reason: str) -> None:
    _, findings = read(written(sections))

    (finding,) = findings
    assert finding.line == line
    assert finding.reason.startswith(reason)
    assert finding.mend


@pytest.mark.parametrize(
    ("head", "line", "reason"),
    [
        (HEAD.replace("docs/note.md", '""'), 4, "there is no `filename`; the document goes to docs/note.md"),
        (
            HEAD.replace("format: markdown", "format: docx"),
            4,
            "`format: docx` is not known",
        ),
        (HEAD.replace("  name: Note\n", ""), 1, "the template has no name"),
        (HEAD + "workflow: {mode: batch}\n", 5, "`mode: batch` is not known"),
        (HEAD + "workflow: fast\n", 5, "`workflow` is not a block of keys"),
        (HEAD + "colour: red\n", 5, "the key `colour` is not known here"),
    ],
)
def test_what_is_odd_above_the_sections_is_told_too(head: str, line: int, reason: str) -> None:
    _, (finding,) = read(written("  - {id: a, title: A}\n", head))

    assert finding.line == line
    assert finding.reason.startswith(reason)


def nested(depth: int) -> str:
    return "".join(
        f"{'    ' * level}  - id: s{level}\n{'    ' * level}    sections:\n" for level in range(depth - 1)
    ) + (f"{'    ' * (depth - 1)}  - id: last\n")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("x" * (MAX_TEMPLATE + 1), 1, f"it has more than {MAX_TEMPLATE:,} characters"),
        ("template: [", 2, "it is not valid YAML"),
        ("- a\n- b\n", 1, "there is no `template:` block"),
        ("template: text\n", 1, "there is no `template:` block"),
        (HEAD, 1, "the template has no sections"),
        (HEAD + "sections: []\n", 5, "the template has no sections"),
        (HEAD + "sections: all\n", 5, "the template has no sections"),
        (written("  - text\n"), 6, "a section is not a block of keys"),
        (written("  - {instruction: Write it}\n"), 6, "a section has neither id nor title"),
        (written(nested(MAX_DEPTH + 1)), 16, f"sections lie more than {MAX_DEPTH} levels deep"),
        (written("  - {id: a}\n" * (MAX_SECTIONS + 1)), MAX_SECTIONS + 6, f"it has more than {MAX_SECTIONS} sections"),
        (written("  - {id: a}\n", "template: {output: {}}\n"), 1, "the template has neither id nor name"),
        (written("  - {id: a}\n", HEAD.replace("docs/", "../")), 4, "the filename '../note.md' leads through"),
        (written("  - {id: a}\n", HEAD.replace("docs/", "/etc/")), 4, "the filename '/etc/note.md' is not relative"),
        (HEAD.replace("markdown", "yaml"), 1, "the YAML template has no fields"),
        (
            written("  - {id: a}\n", HEAD.replace("markdown", "yaml")),
            5,
            "a template with `format: yaml` has",
        ),
    ],
)
def test_what_nobody_can_write_from_is_an_error_with_its_line_and_a_way_out(text: str, line: int, reason: str) -> None:
    with pytest.raises(TemplateError) as raised:
        definition(text)

    assert raised.value.line == line
    assert raised.value.reason.startswith(reason)
    assert raised.value.mend
    assert str(raised.value) == f"line {line}: {raised.value.reason}; {raised.value.mend}"


def test_five_levels_are_read() -> None:
    assert len(list(definition(written(nested(MAX_DEPTH))).walk())) == MAX_DEPTH


@pytest.mark.parametrize("text", ["a: " * 500 + "\n" + "[" * 3000, "template: &a [*a]\n", "\x00"])
def test_hostile_yaml_is_a_template_error(text: str) -> None:
    with pytest.raises(TemplateError):
        definition(text)


def test_comments_a_document_mark_and_windows_line_ends_change_nothing() -> None:
    text = written("  - {id: a, title: A}\n")

    assert definition("\ufeff# ours\n---\n" + text.replace("\n", "\r\n")) == definition(text)


@pytest.mark.parametrize("word", sorted({"examples", "allowed_values", "optional_fields", "optional_fields_examples"}))
def test_guides_of_a_yaml_template_are_no_fields(word: str) -> None:
    found = definition(HEAD.replace("markdown", "yaml") + f"status: open\n{word}: {{a: [b]}}\n")

    assert yaml.safe_load(found.sections[0].template) == {"status": "open"}
    assert found.sections[0].id == FIELDS


def test_no_line_of_a_definition_counts_when_two_are_compared() -> None:
    one: Definition = definition(written("  - {id: a, title: A}\n"))
    other = definition("# a comment\n" + written("  - {id: a, title: A}\n"))

    assert one == other
    assert digest(one) == digest(other)
    assert one.sections[0].line != other.sections[0].line
