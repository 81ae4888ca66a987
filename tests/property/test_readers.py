"""No text makes a reader raise, and what the project writes reads back as it was meant."""

from __future__ import annotations

import contextlib
import time

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.personas.files import UnreadableError, decoded
from bot.personas.importing import subagent_text
from bot.personas.new import Answers, text_of_answers
from bot.personas.readers import Reading, read, read_skill
from bot.personas.readers.front_matter import unescaped
from bot.personas.readers.reading import quoted

LINES = st.sampled_from(
    [
        "---",
        "```",
        "```yaml",
        "agent:",
        "  id: a",
        "  name: *x",
        "persona:",
        "core_principles: [",
        "  - CRITICAL: x",
        "commands:",
        "  - help: &x y",
        '  - "*dig" - z',
        "dependencies:",
        "  tasks: ../../x",
        "name: b: c",
        "description: Use this agent when <example>user: 'q'",
        "user: x",
        "</example>",
        "tools: [a, b",
        "model: {opus: 1}",
        "role: x",
        "triggers:",
        "  - pattern: '(('",
        "metadata:",
        "menu: 3",
        "# X Agent Rule",
        "## File Reference",
        "==================== START: a/tasks/b.md ====================",
        "==================== END: a/tasks/b.md ====================",
        "==================== START: agents#c ====================",
        "? [a, b]",
        "<<: *x",
        "!!int x",
        "\t",
        "",
        "\u2028",
        "\\n",
    ]
)
TEXTS = st.one_of(st.text(max_size=300), st.lists(LINES, max_size=25).map("\n".join))
PATHS = st.sampled_from(["a.md", "README.md", "x.agent.yaml", "", "skills/a/SKILL.md", "b.txt"])


def holds(reading: Reading) -> None:
    for persona in reading.personas:
        assert persona.id and persona.id == persona.id.strip() and "\n" not in persona.id
        assert persona.name
        assert "\n" not in persona.name
        assert all(command.name for command in persona.commands)
        assert isinstance(yaml.safe_load(persona.extra or "{}"), dict)
    for problem in reading.problems:
        assert problem.line >= 1 and problem.reason and problem.mend


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example("```yml\nagent:\n## File Reference", "a.md")
@example("---\ndescription: <example>", "a.md")
@example("---\ndescription: 0", "")
@example('<agent id="a"><persona></persona>', "a.md")
@example('<agent id="a"><persona></persona><menu><item cmd="x" action="say "y" now">z', "a.md")
@example("## [persona]\n\n```\nname: [\n", "a.md")
@given(TEXTS, PATHS)
def test_no_text_makes_a_reader_raise(text: str, path: str) -> None:
    holds(read(text, path))


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS)
def test_no_layer_makes_a_reader_raise(text: str, layer: str) -> None:
    reading = read_skill(text, (("a.toml", layer), ("b.toml", '[agent]\nname = "A"\n')), "a/SKILL.md")

    if reading is not None:
        holds(reading)


@given(st.binary(max_size=200))
def test_bytes_are_a_text_or_told(content: bytes) -> None:
    with contextlib.suppress(UnreadableError):
        holds(read(decoded(content), "a.md"))


PLAIN = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff"),
    min_size=1,
    max_size=40,
).filter(lambda text: text == " ".join(text.split()) and text)
ANSWERS = st.builds(
    Answers,
    role=PLAIN.filter(lambda text: not text.casefold().startswith(("arch", "anal"))),
    name=PLAIN.filter(lambda text: any(char.isalnum() for char in text)),
    responsibilities=st.lists(PLAIN, min_size=1, max_size=3).map(tuple),
    capabilities=st.lists(PLAIN, max_size=3).map(tuple),
    allowed=st.just(("search",)),
    restricted=st.lists(PLAIN, max_size=2).map(tuple),
    triggers=st.lists(st.sampled_from(["bed", "/d.g/", "no"]), max_size=2).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(ANSWERS)
def test_what_new_writes_reads_back(answers: Answers) -> None:
    (persona,) = read(text_of_answers(answers), "x.agent.yaml").personas

    assert (persona.name, persona.role) == (answers.name, answers.role)
    assert persona.focus == ", ".join(answers.capabilities)
    assert persona.restricted == answers.restricted
    for responsibility in answers.responsibilities:
        assert f"- {responsibility}" in persona.instructions


@given(st.text(max_size=60))
def test_a_quoted_text_is_that_text_in_yaml(text: str) -> None:
    with contextlib.suppress(UnicodeEncodeError):
        text.encode()
        assert yaml.safe_load(quoted(text)) == text


@settings(max_examples=150, deadline=None)
@given(PLAIN.filter(lambda text: text[0].isalnum()), PLAIN)
def test_a_description_that_is_no_yaml_survives_being_made_some(start: str, rest: str) -> None:
    text = f"---\nname: rosa\ndescription: {start}: {rest}: <example>user: x</example>\ncolor: red\n---\n\nBody.\n"
    before = read(text, "a.md")

    after = read(subagent_text(text), "a.md")

    assert yaml.safe_load(subagent_text(text).split("---\n")[1])["name"] == "rosa"
    assert after.personas == before.personas
    assert unescaped(f"{start}: {rest}") in yaml.safe_load(before.personas[0].extra)["description"]


KIB = 256 * 1024
HOSTILE = {
    "examples without end": "---\nname: a\ndescription: " + "<example" * (KIB // 8) + "\n---\n",
    "commas": "---\nname: a\ntools: " + "a," * (KIB // 2) + "\n---\n",
    "fences": "agent:\n" + "```yaml\n" * (KIB // 8),
    "rules": "# a Agent Rule\n" * (KIB // 15) + "```yaml\n",
    "spaces in a heading": "# a" + " " * KIB + "b",
    "spaces in a command": "```yaml\nagent:\n  id: a\ncommands:\n  - a" + " " * KIB + "x\n```",
    "hyphens": "```yaml\nagent:\n  id: a\ncommands:\n  - a: " + "a-" * (KIB // 2) + "x\n```",
    "brackets": "---\nname: " + "[" * KIB,
    "links": "# a Agent Rule\n```yaml\nx\n```\n## File Reference\n" + "](" * (KIB // 2),
    "lines like keys": "---\nname: a: b\n" + "user: a\n" * (KIB // 8),
    "aliases": "---\na: &a [x]\n" + "b: *a\n" * (KIB // 6),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_text_made_to_be_slow_is_read_in_time(text: str) -> None:
    start = time.process_time()

    holds(read(text, "a.md"))

    # In time that grows with the square of the length each of these takes minutes.
    assert time.process_time() - start < 5
