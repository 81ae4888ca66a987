"""The documents tell the truth: sessions are played again, commands parsed, paths and names looked up."""

from __future__ import annotations

import argparse
import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from bot.app import shipped_agents
from bot.cli.parser import command_line
from bot.core import events, gates, steps
from bot.core.command_table import HOST_COMMANDS
from bot.personas.library import Library
from bot.platforms.discord.rights import RIGHTS
from bot.settings import Settings, load
from bot.settings.error_messages import dotted
from bot.settings.keys import Secrets
from tests.reference import settings
from tests.reference.pages import PAGES
from tests.scenario.sweep import APART, CONFIGURATIONS, SCENARIOS, reference
from tests.scenario.test_crash_sweep import STRIDE
from tests.scenario.test_sweep_finds import MUTANTS

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
CHANGELOG = ROOT / "CHANGELOG.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
INTERNALS = ROOT / "docs" / "internals"
MODULES, SWEEP = INTERNALS / "modules.md", INTERNALS / "crash-sweep.md"
DECISIONS = ROOT / "docs" / "decisions"
PLATFORMS = (ROOT / "docs" / "slack.md", ROOT / "docs" / "discord.md")
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
SECURITY = ROOT / "SECURITY.md"
GLOSSARY = ROOT / "docs" / "glossary.md"
FORGE = ROOT / ".github"
DOCUMENTS = (README, CHANGELOG, CONTRIBUTING, SECURITY, *sorted((ROOT / "docs").rglob("*.md")))

LEFT_OUT = "..."
"""A line of a recorded session that stands for any number of lines."""

RULES = 25

FOLDERS = ("agents", "bot", "config", "deploy", "docs", "greenroom", "scripts", "tests")

DRIFT = 0.1
"""By how much of itself a figure of the sweep may be off before the page has to be measured again."""

every_platform = pytest.mark.parametrize("path", PLATFORMS, ids=lambda p: p.name)
every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))


# ---------------------------------------------------------------- reading a page


def fences(text: str) -> Iterator[tuple[str, str]]:
    """The language and the content of each fenced block."""
    for found in re.finditer(r"^(`{3,})(\w*)\n(.*?)^\1$", text, re.MULTILINE | re.DOTALL):
        yield found[2], found[3]


def code(text: str) -> list[str]:
    """What stands between single backticks outside fenced blocks."""
    prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose)


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the table whose first heading is `heading`, without its head."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def anchors(path: Path) -> set[str]:
    """The names that headings of a page can be linked by."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# ---------------------------------------------------------------- recorded sessions


def typed_and_arguments(command: str) -> tuple[str, list[str]]:
    """What `printf '%s\\n' LINE ... | scripts/run ARGUMENT ...` types, and the arguments for `greenroom chat`."""
    words = shlex.split(command)
    pipe = words.index("|")
    assert words[:2] == ["printf", r"%s\n"] and words[pipe + 1] == "scripts/run", command
    return "".join(f"{line}\n" for line in words[2:pipe]), words[pipe + 2 :]


def is_recording_of(recorded: str, output: str) -> bool:
    """Whether `output` is `recorded`, whose lines `...` stand for any number of lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == LEFT_OUT else re.escape(line) + r"\n" for line in recorded.splitlines())
    return re.fullmatch(pattern, output) is not None


def recordings() -> list[tuple[str, str]]:
    """The command and the output of each session that the README shows."""
    found = []
    for language, content in fences(README.read_text("utf-8")):
        if language == "console":
            command, _, output = content.partition("\n")
            found.append((command.removeprefix("$ "), output))
    return found


def test_the_readme_shows_a_session() -> None:
    assert recordings()


@pytest.mark.parametrize(("command", "recorded"), recordings(), ids=lambda text: text.partition("\n")[0])
def test_a_recorded_session_goes_as_it_is_shown(command: str, recorded: str, tmp_path: Path) -> None:
    typed, arguments = typed_and_arguments(command)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GREENROOM_", "ANTHROPIC_"))}

    run = subprocess.run(
        [str(Path(sys.executable).with_name("greenroom")), "chat", *arguments, "--state", str(tmp_path / "state")],
        input=typed,
        cwd=tmp_path,
        env=env | {"PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert is_recording_of(recorded, run.stdout), run.stdout


@pytest.mark.parametrize(
    ("recorded", "output", "alike"),
    [
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nd\n", True),
        ("a\n...\nd\n", "a\nb\nc\n", False),
        ("a\nb\n", "a\nb\nc\n", False),
        ("a.\n", "ab\n", False),
    ],
)
def test_only_the_lines_left_out_may_differ(recorded: str, output: str, alike: bool) -> None:
    assert is_recording_of(recorded, output) is alike


# ---------------------------------------------------------------- commands


def command_lines(text: str) -> Iterator[list[str]]:
    """The arguments of everything on a page that starts `greenroom`, be it through `scripts/run`."""
    shown = [
        line for language, content in fences(text) if language in ("sh", "console") for line in content.split("\n")
    ]
    for line in [*shown, *code(text)]:
        for part in line.removeprefix("$ ").split(" | "):
            words = shlex.split(part, comments=True) if re.match(r"(greenroom|scripts/run)( |$)", part) else []
            words = words[: min((words.index(mark) for mark in "<>" if mark in words), default=len(words))]
            if words:
                yield words[1:] if words[0] == "greenroom" else ["chat", *words[1:]]


@every_document
def test_every_command_line_parses(path: Path) -> None:
    for words in command_lines(path.read_text("utf-8")):
        try:
            command_line().parse_args(words)
        except SystemExit as exit_:
            if exit_.code:
                pytest.fail(f"{path.name}: greenroom {shlex.join(words)} ends with {exit_.code}")


def test_command_lines_are_found_wherever_they_stand() -> None:
    page = (
        "Say `greenroom chat --as bob` or `greenroom.yaml`.\n\n"
        "```sh\nscripts/run --in x # y\ngreenroom personas list > names\n```"
    )
    assert list(command_lines(page)) == [["chat", "--in", "x"], ["personas", "list"], ["chat", "--as", "bob"]]


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands below a parser, by name."""
    return next(dict(a.choices or {}) for a in parser._actions if isinstance(a, argparse._SubParsersAction))


def options(parser: argparse.ArgumentParser) -> set[str]:
    return {name for action in parser._actions for name in action.option_strings} - {"-h", "--help"}


def test_every_option_of_chat_is_in_the_readme() -> None:
    shown = {cell[0].strip("`").split()[0] for cell in rows(README.read_text("utf-8"), "option")}
    assert options(commands(command_line())["chat"]) == shown


@pytest.mark.parametrize("command", ["personas", "slack", "discord", "sessions", "dead", "forget"])
def test_every_action_of_a_command_is_in_the_readme(command: str) -> None:
    shown = {words[1] for words in command_lines(README.read_text("utf-8")) if words[0] == command and words[1:]}
    assert shown == set(commands(commands(command_line())[command]))


def test_every_command_is_in_the_readme() -> None:
    assert set(commands(command_line())) == {words[0] for words in command_lines(README.read_text("utf-8"))}


def test_every_option_of_doctor_is_in_the_readme() -> None:
    text = README.read_text("utf-8")
    shown = {word for words in command_lines(text) if words[0] == "doctor" for word in words[1:]}
    assert options(commands(command_line())["doctor"]) - shown - set(code(text)) == set()


def test_every_command_of_the_host_is_in_the_readme() -> None:
    typed = {word[1:] for row in rows(README.read_text("utf-8"), "type") for word in code(row[0]) if word[0] == "*"}
    assert {word.split()[0] for word in typed} == set(HOST_COMMANDS)


# ---------------------------------------------------------------- settings and what is shipped


def yaml_fences() -> list[str]:
    return [content for language, content in fences(README.read_text("utf-8")) if language == "yaml"]


def test_the_readme_shows_settings() -> None:
    assert yaml_fences()


@pytest.mark.parametrize("content", yaml_fences(), ids=lambda content: content.partition("\n")[0])
def test_the_settings_that_the_readme_shows_can_be_loaded(content: str, tmp_path: Path) -> None:
    for path in yaml.safe_load(content).get("library", {}).get("paths", ()):
        (tmp_path / path).mkdir()
    file = tmp_path / "greenroom.yaml"
    file.write_text(content, "utf-8")
    assert load(file, {}, {}) != load(None, {}, {})


@pytest.mark.parametrize("path", [README, CHANGELOG, ARCHITECTURE], ids=lambda p: p.name)
def test_as_much_is_shipped_as_the_documents_say(path: Path) -> None:
    text = " ".join(path.read_text("utf-8").split())
    cast = Library((), shipped_agents()).cast
    kinds = [resource.kind for resource in cast.resources]
    assert re.findall(r"(\d+) personas\b", text)
    assert set(re.findall(r"(\d+) personas\b", text)) == {str(len(cast.personas))}
    for kind in ("tasks", "templates", "checklists", "workflows"):
        assert re.findall(rf"(\d+) {kind}\b", text) == [str(kinds.count(kind))]


# ---------------------------------------------------------------- the pages of the platforms


@every_platform
def test_the_settings_that_a_platforms_page_shows_can_be_loaded(path: Path, tmp_path: Path) -> None:
    shown = [content for language, content in fences(path.read_text("utf-8")) if language == "yaml"]
    assert shown
    for content in shown:
        file = tmp_path / "greenroom.yaml"
        file.write_text(content, "utf-8")
        assert load(file, {}, {})


@every_platform
def test_a_platforms_page_says_that_nothing_was_tried_for_real(path: Path) -> None:
    assert re.search(r"\*\*Nothing of this was tried [io]n a real (workspace|server)\.\*\*", path.read_text("utf-8"))


@every_platform
def test_every_line_that_a_platforms_page_explains_is_one_that_the_bot_writes(path: Path) -> None:
    # Adjacent strings are one text, wherever the source breaks them.
    written = "\n".join(re.sub(r'"\s*\n\s*f?"', "", file.read_text("utf-8")) for file in (ROOT / "bot").rglob("*.py"))
    explained = [code(row[0]) for row in rows(path.read_text("utf-8"), "line")]
    assert explained and all(len(lines) == 1 for lines in explained)
    assert [line for (line,) in explained if line not in written] == []


def test_the_page_of_discord_names_what_the_invitation_asks_for() -> None:
    shown = [tuple(row) for row in rows((ROOT / "docs" / "discord.md").read_text("utf-8"), "permission")]
    assert shown == [(name, purpose) for name, (_, purpose) in RIGHTS.items()]


# ---------------------------------------------------------------- paths and links


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path != CHANGELOG], ids=str)
def test_every_path_that_is_named_is_there(path: Path) -> None:
    named = {word for word in code(path.read_text("utf-8")) if re.fullmatch(rf"({'|'.join(FOLDERS)})/[\w./-]*", word)}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@every_document
def test_every_link_within_the_project_leads_somewhere(path: Path) -> None:
    prose = re.sub(r"^(`{3,}).*?^\1$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        aim = (path.parent / name).resolve() if name else path
        assert aim.exists(), target
        assert not anchor or anchor in anchors(aim), target


# ---------------------------------------------------------------- how people work on it


def scripts_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w./-])(?:scripts|\.ci)/[a-z]+", text))


@pytest.mark.parametrize(
    "path",
    [*DOCUMENTS, ROOT / ".pre-commit-config.yaml", *(path for path in sorted(FORGE.rglob("*")) if path.is_file())],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_script_that_is_named_can_be_started(path: Path) -> None:
    assert [name for name in scripts_in(path.read_text("utf-8")) if not os.access(ROOT / name, os.X_OK)] == []


def test_every_script_is_in_the_page_for_contributors() -> None:
    there = {
        f"scripts/{path.name}" for path in (ROOT / "scripts").iterdir() if path.name[0] not in "_." and not path.suffix
    }
    assert there - {"scripts/run"} == scripts_in(CONTRIBUTING.read_text("utf-8"))


def test_the_hook_before_a_commit_is_the_projects_own() -> None:
    (source,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert source["repo"] == "local"
    assert [(hook["entry"], hook["pass_filenames"]) for hook in source["hooks"]] == [("scripts/check", False)]


def test_the_forge_runs_all_tests_on_the_oldest_python_too() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    job = yaml.safe_load((FORGE / "workflows" / "ci.yml").read_text("utf-8"))["jobs"]["test"]
    (started,) = [shlex.split(step["run"]) for step in job["steps"] if "run" in step]
    assert started[0] == "scripts/test"
    assert project["requires-python"].removeprefix(">=") in job["strategy"]["matrix"]["python"]


def test_the_templates_of_issues_say_what_they_are_for() -> None:
    templates = sorted((FORGE / "ISSUE_TEMPLATE").glob("*.md"))
    assert templates
    for path in templates:
        _, front, body = path.read_text("utf-8").split("---\n", 2)
        assert set(yaml.safe_load(front)) == {"name", "about", "labels"} and body.strip()


def test_the_page_for_contributors_links_what_has_to_be_read() -> None:
    links = set(re.findall(r"\]\(([\w./-]+)\)", CONTRIBUTING.read_text("utf-8")))
    assert {"docs/architecture.md", "docs/glossary.md", "docs/decisions", "SECURITY.md", "CHANGELOG.md"} <= links


def test_the_page_on_security_names_every_secret() -> None:
    named = set(code(SECURITY.read_text("utf-8")))
    assert {name.upper() for name in Secrets.model_fields} - named == set()


def glossary() -> list[tuple[str, str]]:
    lines = GLOSSARY.read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [(word, says) for word, says in cells if word not in ("word", "---")]


def test_the_glossary_explains_each_word_once_in_one_sentence() -> None:
    words = [word for word, _ in glossary()]
    assert len(words) == len(set(words))
    assert [word for word, says in glossary() if not re.fullmatch(r"[A-Z][^.]*\.", says)] == []


@pytest.mark.parametrize("path", [ARCHITECTURE, CONTRIBUTING], ids=lambda p: p.name)
def test_the_glossary_is_linked_where_its_words_are_used(path: Path) -> None:
    assert "glossary.md)" in path.read_text("utf-8")


# ---------------------------------------------------------------- pages that are written from the code


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_as_the_code_has_it(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == PAGES[name](), "run scripts/docs and commit what it wrote"


def test_the_page_of_settings_has_every_key_with_a_meaning() -> None:
    keys = {dotted(setting.key) for setting in settings.settings()}
    leaves = {dotted(key) for key in leaves_of(Settings)}
    assert keys == leaves
    assert all(group[0].meaning for group in settings.groups())


def leaves_of(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys of values, as opposed to sections, but for secrets."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            if field.annotation is not Secrets:
                yield from leaves_of(field.annotation, (*above, name))
        else:
            yield (*above, name)


def test_the_page_of_commands_has_every_command_and_says_what_each_does() -> None:
    text = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert {word[1:] for row in rows(text, "command") for word in code(row[0])} == set(HOST_COMMANDS)
    assert set(re.findall(r"^### greenroom (\w+)$", text, re.MULTILINE)) == set(commands(command_line()))
    assert "|  |" not in text, "an option without help"


# ---------------------------------------------------------------- the rules


def rules() -> list[list[str]]:
    return rows(README.read_text("utf-8"), "#")


def named_tests(path: Path) -> list[str]:
    tree = ast.parse(path.read_text("utf-8"))
    found = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [name for name in found if name.startswith("test_")]


def test_the_table_has_every_rule_once() -> None:
    assert [row[0] for row in rules()] == [str(number) for number in range(1, RULES + 1)]


@pytest.mark.parametrize("row", rules(), ids=lambda row: row[0])
def test_a_rule_is_held_where_the_table_says_so_and_only_there(row: list[str]) -> None:
    number, state = row[0], row[-1]
    if held := re.fullmatch(r"held: `(.+)`", state):
        assert any(name.startswith(f"test_{number}_") for name in named_tests(ROOT / held[1])), state
        return
    assert state == "comes later"
    by_now = [name for name in named_tests(ROOT / "tests/scenario/test_rules.py") if name.startswith(f"test_{number}_")]
    assert by_now == [], "this rule has a test, so the table may say that it is held"


# ---------------------------------------------------------------- what the architecture names


def test_the_architecture_fits_on_two_screens() -> None:
    assert len(ARCHITECTURE.read_text("utf-8").splitlines()) <= 100


def test_every_chapter_is_linked_from_the_architecture() -> None:
    text = ARCHITECTURE.read_text("utf-8")
    assert [path.name for path in INTERNALS.glob("*.md") if f"](internals/{path.name})" not in text] == []


def test_every_event_request_and_entry_is_named() -> None:
    named = set(code((INTERNALS / "machine.md").read_text("utf-8")))
    kinds = {kind.__name__ for kind in (*get_args(events.Event), *get_args(steps.Request))}
    assert kinds - named == set()
    assert set(get_args(steps.EntryKind)) - named == set()
    assert {gate.__name__ for gate in get_args(gates.HostGate)} - named == set()


def test_every_module_of_the_core_is_named() -> None:
    named = set(code(MODULES.read_text("utf-8")))
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "bot" / "core").rglob("*.py")}
    assert {name for name in modules if not name.endswith("__init__.py")} - named == set()


def test_every_part_of_the_bot_is_named() -> None:
    named = set(code(MODULES.read_text("utf-8")))
    parts = {path for path in (ROOT / "bot").iterdir() if path.name[:1] not in "_." and path.name != "core"}
    assert {f"bot/{p.name}" for p in parts if not any(n.startswith(f"bot/{p.name}") for n in named)} == set()


def test_decisions_are_numbered_without_gaps_and_bear_their_number() -> None:
    files = sorted(DECISIONS.glob("*.md"))
    assert [path.name[:3] for path in files] == [f"{number:03}" for number in range(1, len(files) + 1)]
    for path in files:
        assert path.read_text("utf-8").startswith(f"# {path.name[:3]}: ")


def test_every_guarantee_that_the_sweep_is_tried_without_is_named() -> None:
    text = " ".join(SWEEP.read_text("utf-8").split())
    assert [name for name in MUTANTS if f"*{name}*" not in text] == []


async def test_the_figures_of_the_sweep_are_those_of_the_sweep() -> None:
    text = SWEEP.read_text("utf-8")
    assert [f"| scenario | {' | '.join(how.name for how in CONFIGURATIONS)} |"] == re.findall(
        r"^\| scenario .*$", text, re.M
    )
    *table, total = [(row[0], [int(cell) for cell in row[1:]]) for row in rows(text, "scenario")]

    assert [name for name, _ in table] == [scenario.name for scenario in SCENARIOS]
    for scenario, (name, figures) in zip(SCENARIOS, table, strict=True):
        points = [(await reference(scenario, how)).points for how in CONFIGURATIONS]
        assert figures == pytest.approx(points, rel=DRIFT), f"{name}: {points} points by now; write them into the table"

    sums = [sum(column) for column in zip(*(figures for _, figures in table), strict=True)]
    assert total == ("**all**", sums)
    assert f"these {sum(sums):,} points" in text
    assert f"{sum(sums) * APART:,} runs more" in text
    assert f"one in {STRIDE} of them" in text
    state = " ".join((DECISIONS / "001-a-stored-turn.md").read_text("utf-8").split())
    assert f"crashes at {sums[-1]} single points, and with `--soak` at {sums[-1] * APART:,} pairs" in state


# ---------------------------------------------------------------- what is built and not started


def test_the_readme_tells_whether_a_chat_can_be_pointed_at_redis() -> None:
    says_not = "`greenroom chat` cannot be pointed at it yet" in " ".join(README.read_text("utf-8").split())
    tree = ast.parse((ROOT / "bot" / "app.py").read_text("utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    can_be = not imported.isdisjoint({"bot.stores.opening", "bot.stores.redis"})
    assert can_be != says_not, "mend the README, the end of docs/architecture.md and the changelog"


# ---------------------------------------------------------------- versions


def test_the_changelog_has_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    headings = re.findall(r"^## (.+)$", CHANGELOG.read_text("utf-8"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert any(heading.split()[0].strip("[]") == version for heading in headings)


def test_the_readme_promises_the_python_that_the_project_asks_for() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert f"Python {asked.removeprefix('>=')} or newer" in README.read_text("utf-8")
