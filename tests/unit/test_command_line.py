"""What can be written behind `greenroom`: options anywhere, examples that run, errors that name what was meant."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main
from bot.cli.examples import EXAMPLES
from bot.cli.parser import EVERYWHERE, SHELLS, below, command_line, parsed
from tests.scenario.terminal import PATIENCE, Person, environment

ALL = [(path, rest) for path, examples in EXAMPLES.items() for rest, _ in examples]
LEAVES = [
    path for path, one in below(command_line()) if not any(_ for _ in one._actions if _.dest == "action") and path
]


def words_of(path: str, rest: str) -> list[str]:
    words = shlex.split(f"{path} {rest}")
    return words[: min((words.index(mark) for mark in "<>" if mark in words), default=len(words))]


@pytest.mark.parametrize(("path", "rest"), ALL, ids=lambda text: text or "-")
def test_every_example_can_be_written_so(path: str, rest: str) -> None:
    words = words_of(path, rest)
    args = parsed(words)
    assert [args.command or "", getattr(args, "action", "")][: len(path.split())] == path.split()


def test_every_command_has_examples_and_shows_them_in_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(EXAMPLES) == {path for path, _ in below(command_line())}
    for path in EXAMPLES:
        with pytest.raises(SystemExit):
            main([*path.split(), "--help"])
        told = capsys.readouterr().out
        assert all(" ".join(f"greenroom {path} {rest}".split()) in told for rest, _ in EXAMPLES[path])


@pytest.mark.parametrize("path", LEAVES)
@pytest.mark.parametrize("option", [option for option, *_ in EVERYWHERE])
def test_every_command_takes_them_before_its_name_and_behind_it(path: str, option: str) -> None:
    words = words_of(path, EXAMPLES[path][0][0])
    words = [word for at, word in enumerate(words) if option not in (word, words[at - 1])]
    name = option.strip("-")
    assert str(getattr(parsed([option, "before", *words]), name)) == "before"
    assert str(getattr(parsed([*words, option, "behind"]), name)) == "behind"
    assert str(getattr(parsed([option, "before", *words, option, "behind"]), name)) == "behind"
    assert getattr(parsed(words), name) is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("chta", "there is no command 'chta'; did you mean chat?"),
        ("xyzzy", "there is no command 'xyzzy': choose from chat, ask, run"),
        ("sessions lsit", "there is no action 'lsit'; did you mean list?"),
        ("completion zhs", "there is no shell 'zhs'; did you mean zsh?"),
        ("chat --stat x", "there is no option --stat; did you mean --state?"),
        ("sessions list --limt=3", "there is no option --limt; did you mean --limit?"),
        ("run now", "'now' is one word too many"),
        ("dead", "say what to do: list, show, replay"),
    ],
)
def test_a_word_that_does_not_exist_is_answered_with_the_nearest(
    words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    out, errors = capsys.readouterr()
    assert ended.value.code == 2 and out == "" and told in errors
    assert errors.endswith("--help` shows what can be written.\n")


def test_words_may_stand_behind_options_too() -> None:
    args = parsed(["ask", "pm", "--json", "What", "now?"])
    assert (args.who, args.words, args.json) == ("pm", ["What", "now?"], True)
    args = parsed(["chat", "--as", "ada", "pm", "--in", "plans", "hello"])
    assert (args.who, args.words, args.user, args.channel) == ("pm", ["hello"], "ada", "plans")


def test_without_a_command_a_pipe_gets_the_help(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "bot"],
        input="*help\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=tmp_path,
        env=environment(),
    )
    assert run.returncode == 2 and run.stdout.startswith("usage: greenroom") and "examples:" in run.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [(), ("chat",)])
def test_without_a_command_a_terminal_gets_the_chat(tmp_path: Path, command: tuple[str, ...]) -> None:
    with Person(tmp_path, command=command) as person:
        person.sees(" in #general >")
        person.says("*architect")
        person.sees("Hello, I am Winston")
        assert person.leaves() == 0
    assert (tmp_path / "state.db").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_there_is_a_completion_for_every_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "greenroom" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("greenroom pers", {"personas"}),
        ("greenroom sessions ex", {"export"}),
        ("greenroom chat --mo", {"--model"}),
        ("greenroom chat arch", {"architect", "architect-review"}),
        ("greenroom ask ux", {"ux-expert"}),
    ],
)
def test_bash_completes_commands_options_and_personas(tmp_path: Path, line: str, offered: set[str]) -> None:
    script = tmp_path / "completion"
    parser: argparse.ArgumentParser = command_line()
    from bot.cli.completion import script as completion

    script.write_text(completion(parser, "bash"))
    fake = tmp_path / "bin" / "greenroom"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m bot "$@"\n')
    fake.chmod(0o755)
    words = line.split()
    ask = (
        f"source {shlex.quote(str(script))}; COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; "
        f'_shtab_greenroom; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    env = {**environment(), "PATH": f"{fake.parent}:{environment()['PATH']}"}
    run = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, timeout=60, env=env, cwd=tmp_path)
    found = set(run.stdout.split())
    assert found and found <= offered, run.stderr
