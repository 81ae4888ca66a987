"""What `greenroom chat` and `run` begin with: what this is, what to type, the key, and what is wrong with files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenario.terminal import PATIENCE, Person, environment

PROMPT = "ada in #general >"
NO_KEY = {"GREENROOM_MODEL__NAME": None}
BROKEN = "# John\n\n```yaml\nagent:\n  name: [\n```\n"


def broken_cast(folder: Path, name: str = "pm.md") -> dict[str, str | None]:
    """Settings with a cast of one's own, in which a file cannot be read."""
    cast = folder / "our-cast" / "agents"
    cast.mkdir(parents=True)
    (cast / name).write_text(BROKEN)
    return {"GREENROOM_LIBRARY__PATHS": f'["{folder / "our-cast"}"]'}


def flat(seen: str) -> str:
    return " ".join(seen.split())


def test_the_first_screen_says_what_this_is_and_three_things_to_type(tmp_path: Path) -> None:
    with Person(tmp_path, settings=NO_KEY, columns=80) as person:
        seen = person.sees(PROMPT)
        first = seen[: seen.index(PROMPT)]
        assert first.startswith("Greenroom hosts personas: ")
        assert all(first.split("\n")[at].endswith((".", ":")) for at in (0, 1)), "a sentence a line"
        examples = [line.split()[0] for line in first.split("\n") if line.startswith("  ")]
        assert examples == ["*help", "*pm", "*bmad-orchestrator"]
        assert all(word in flat(first) for word in ("No key is set", "Set ANTHROPIC_API_KEY", "--model rehearsal"))
        assert max(map(len, seen.split("\n"))) <= 80
        for example in examples:
            person.says(example)
            person.waits_for(lambda: person.glass.at_cursor == PROMPT, "the prompt")
        person.sees("BMad Orchestrator")
        assert "Unknown" not in person.seen


def test_whoever_comes_back_is_not_told_again_but_who_is_on(tmp_path: Path) -> None:
    with Person(tmp_path) as person:
        person.sees(PROMPT)
        person.says("*architect")
        person.sees("Pick a number")
        assert person.leaves() == 0
    with Person(tmp_path) as person:
        seen = person.sees(PROMPT)
        assert "Winston, Architect is still on." in seen and "hosts personas" not in seen


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"GREENROOM_MODEL__NAME": "rehearsal"}, "a stand-in rehearses"),
        ({"GREENROOM_MODEL__NAME": "sonnet", "ANTHROPIC_API_KEY": "k" * 30}, "a key is set"),
        (
            {"GREENROOM_MODEL__NAME": "sonnet", "GREENROOM_MODEL__BASE_URL": "http://models.example"},
            "answers, at models.example.",
        ),
    ],
)
def test_the_first_screen_says_who_answers(tmp_path: Path, settings: dict[str, str | None], told: str) -> None:
    with Person(tmp_path, settings=settings) as person:
        seen = flat(person.sees(PROMPT))
        assert told in seen and "k" * 30 not in seen


@pytest.mark.parametrize("name", ["pm.md", "John.md"])
def test_a_file_of_ones_own_that_cannot_be_read_is_told_with_who_answers_instead(tmp_path: Path, name: str) -> None:
    with Person(tmp_path, settings=broken_cast(tmp_path, name), columns=300) as person:
        seen = flat(person.sees(PROMPT))
        assert re.search(rf"our-cast/agents/{name}:\d: error: ", seen)
        assert ("John of the shipped cast answers to *pm" in seen) is (name == "pm.md")
        assert "1 file cannot be read as it is" in seen and "greenroom personas list --verbose" in seen


@pytest.mark.parametrize("command", [("chat",), ("ask", "pm", "x"), ("run",)])
def test_scripts_and_services_are_told_too(tmp_path: Path, command: tuple[str, ...]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "bot", *command],
        input="",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=tmp_path,
        env=environment(**broken_cast(tmp_path)),
    )
    assert run.stderr.count("John of the shipped cast answers to *pm") == 1, run.stderr
    assert "pm.md" not in run.stdout


def test_a_persona_can_be_named_at_the_start_with_what_is_said_to_them(tmp_path: Path) -> None:
    command = ("chat", "--as", "ada", "winston", "Do we", "need a queue?")
    with Person(tmp_path, command=command) as person:
        person.sees("queue?”")
        seen = flat(person.seen)
        assert seen.index("Hello, I am Winston") < seen.index("“ada: Do we need a queue?”")
        assert person.leaves() == 0
    run = subprocess.run(
        [sys.executable, "-m", "bot", "chat", "pm", "--state", str(tmp_path / "state.db")],
        input="*status\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment(),
    )
    assert "Hello, I am **John**" in run.stdout and "Active: 📋 **John**" in run.stdout


def test_a_persona_that_there_is_not_ends_the_chat_before_it_begins(tmp_path: Path) -> None:
    with Person(tmp_path, command=("chat", "archtect")) as person:
        assert person.ends() == 2
        assert "did you mean architect" in person.seen
