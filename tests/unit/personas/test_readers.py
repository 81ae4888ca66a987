"""The table of `cases.py`, and what bundles and skills come to."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from bot.personas.model import Persona
from bot.personas.readers import read, read_skill
from tests.unit.personas.cases import CASES, FENCE, Case, fenced, front


def field_of(persona: Persona, name: str) -> Any:
    value: Any = persona
    for part in name.split("."):
        value = value[int(part)] if part.isdigit() else getattr(value, part)
    if name == "commands":
        return tuple((c.name, c.args, c.description, c.confirm) for c in value)
    if name == "dependencies":
        return tuple((d.kind, d.name) for d in value)
    if name == "examples":
        return tuple((e.context, e.user, e.assistant, e.commentary) for e in value)
    return value


def test_the_table_has_at_least_eighty_files() -> None:
    assert len(CASES) >= 80
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_comes_to_what_its_author_meant(case: Case) -> None:
    reading = read(case.text, case.path)
    told = "\n".join(map(str, reading.problems))

    if case.persona is None:
        assert reading.personas == ()
    else:
        (persona,) = reading.personas
        assert {name: field_of(persona, name) for name in case.persona} == dict(case.persona)
        for words in case.extra:
            assert words in persona.extra
        assert isinstance(yaml.safe_load(persona.extra or "{}"), dict)
    assert tuple(document.id for document in reading.documents) == case.documents
    for words in case.problems:
        assert words in told
    if not case.problems:
        assert reading.problems == ()
    if case.line is not None:
        assert reading.problems[0].line == case.line
    for problem in reading.problems:
        assert problem.path == case.path and problem.line >= 1 and problem.reason and problem.mend


RULES = (
    "# ROSA Agent Rule\n\nThis rule is triggered when the user types `*rosa` and so on.\n\n"
    f"{FENCE}yaml\nagent:\n  id: rosa\n  name: Rosa\n{FENCE}\n\n## File Reference\n\nx\n\n---\n\n"
    "# BROKEN Agent Rule\n\n"
    f"{FENCE}yaml\nagent:\n  id: [\n{FENCE}\n\n---\n\n"
    "# NAKED Agent Rule\n\nNothing here.\n\n---\n\n"
    "# DIGGER Agent Rule\n\n"
    f"{FENCE}yaml\n---\nname: digger\ndescription: Digs: deep\n---\n\nDig.\n{FENCE}\n"
    "\n## File Reference\n\nIn [here](.claude/agents/digger.md).\n\n---\n\n"
    "# NOTES Agent Rule\n\n"
    f"{FENCE}yaml\nSome notes.\n{FENCE}\n\n## File Reference\n\nIn [here](.claude/agents/Notes-of-May.md).\n"
)


def line_of(words: str) -> int:
    return RULES[: RULES.index(words)].count("\n") + 1


def test_one_broken_rule_of_a_bundle_does_not_stop_the_others() -> None:
    reading = read(RULES, "bundle.txt")

    assert [(p.id, p.source.line) for p in reading.personas] == [("rosa", 1), ("digger", line_of("# DIGGER"))]
    assert [(d.id, d.title, d.text) for d in reading.documents] == [("Notes-of-May", "Notes of May", "Some notes.")]
    assert [(p.line, p.severity) for p in reading.problems] == [
        (line_of("  id: [") + 1, "error"),
        (line_of("# NAKED"), "error"),
        (line_of("description: Digs: deep"), "warning"),
    ]
    assert "no YAML fence" in reading.problems[1].reason


BUNDLE = """Some words of introduction.

==================== START: .garden/agents/rosa.md ====================
# rosa

```yaml
agent:
  id: rosa
  name: Rosa
dependencies:
  tasks:
    - dig.md
```
==================== END: .garden/agents/rosa.md ====================

==================== START: .garden/tasks/dig.md ====================
# Dig

Dig deep.
==================== END: .garden/tasks/dig.md ====================

==================== START: data#soil ====================
Sand and clay.
==================== END: data#soil ====================

==================== START: ../../etc/passwd ====================
root
==================== END: ../../etc/passwd ====================

==================== START: .garden/agents/empty.md ====================
nothing
==================== END: .garden/agents/empty.md ====================

==================== START: .garden/checklists/last.md ====================
cut off here
"""


def test_a_web_bundle_brings_personas_and_what_they_use() -> None:
    reading = read(BUNDLE, "garden.txt")

    assert [(p.id, p.pack) for p in reading.personas] == [("rosa", ".garden")]
    assert [(p.kind, p.name, p.text, p.pack) for p in reading.parts] == [
        ("tasks", "dig.md", "# Dig\n\nDig deep.", ".garden"),
        ("data", "soil", "Sand and clay.", ""),
        ("checklists", "last.md", "cut off here", ".garden"),
    ]
    told = [problem.reason for problem in reading.problems]
    assert len(told) == 3
    assert "leads out of its folder" in told[0]
    assert "holds no persona" in told[1]
    assert "has no END line" in told[2]


SKILL = front("name: garden-agent-rosa\ndescription: Talk to Rosa about beds", "You are called as a skill.")
BASE = """
[agent]
name = "Rosa"
title = "Gardener"
icon = "🌱"
role = "Grower"
communication_style = "Calm"
principles = ["Water"]
persistent_facts = ["It rains"]
activation_steps_append = ["look"]

[[agent.menu]]
code = "DB"
description = "Dig a bed"
skill = "garden-dig"

[[agent.menu]]
code = "RB"
description = "Rest"
prompt = "Sit down."
"""
TEAM = """
[agent]
icon = "🌻"
principles = ["Weed"]

[[agent.menu]]
code = "db"
description = "Dig deeper"
skill = "garden-dig-deep"

[[agent.menu]]
code = "SB"
description = "Sow (confirm)"
skill = "garden-sow"
"""


def test_a_skill_is_a_persona_with_its_layers_merged() -> None:
    reading = read_skill(
        SKILL, (("customize.toml", BASE), ("custom/x.toml", TEAM)), "skills/garden-agent-rosa/SKILL.md"
    )

    assert reading is not None and reading.problems == ()
    (persona,) = reading.personas
    assert (persona.id, persona.name, persona.icon) == ("garden-agent-rosa", "Rosa", "🌻")
    assert persona.principles == ("Water", "Weed")
    assert persona.when_to_use == "Talk to Rosa about beds"
    assert [(c.name, c.description, c.uses, c.confirm) for c in persona.commands] == [
        ("db", "Dig deeper", ("garden-dig-deep",), False),
        ("RB", "Rest", (), False),
        ("SB", "Sow (confirm)", ("garden-sow",), True),
    ]
    assert persona.instructions == "## Persistent facts\n\n- It rains\n\nYou are called as a skill."
    assert "activation_steps_append" in persona.extra


def test_a_skill_without_an_agent_is_no_persona() -> None:
    assert read_skill(SKILL, (("customize.toml", "[workflow]\nx = 1\n"),), "a/SKILL.md") is None


def test_a_broken_layer_names_its_line_and_leaves_the_others() -> None:
    reading = read_skill(SKILL, (("base.toml", BASE), ("team.toml", "[agent]\nicon = \n")), "a/SKILL.md")

    assert reading is not None
    assert reading.personas[0].icon == "🌱"
    assert [(p.path, p.line, p.severity) for p in reading.problems] == [("team.toml", 2, "error")]


def test_a_bundle_of_too_many_definitions_is_cut_and_told() -> None:
    edge = "=" * 20
    section = f"{edge} START: data/{{0}}.md {edge}\nx\n{edge} END: data/{{0}}.md {edge}\n"

    reading = read("".join(section.format(n) for n in range(2_010)), "big.txt")

    assert len(reading.parts) == 2_000
    assert "2,000 definitions" in reading.problems[0].reason


@pytest.mark.parametrize("many", ["commands", "dependencies"])
def test_a_persona_of_too_many_parts_is_cut_and_told(many: str) -> None:
    lines = "\n".join(f"    - thing-{n}" for n in range(1_200))
    key = "commands:\n" if many == "commands" else "dependencies:\n  tasks:\n"

    reading = read(fenced(f"agent:\n  id: a\n{key}{lines}\n"), "a.md")

    assert len(reading.personas[0].commands) == (500 if many == "commands" else 0)
    assert len(reading.personas[0].dependencies) == (1_000 if many == "dependencies" else 0)
    assert "beyond the first" in reading.problems[0].reason
