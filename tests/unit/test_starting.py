"""The first moments of a process, and what it refuses at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main

CHECKOUT = Path(__file__).parents[2]

HANGS_UP = """
import os, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == "bot.cli":
            os.kill(os.getpid(), signal.SIGHUP)

sys.meta_path.insert(0, Finder())
sys.argv[1:] = ["run", "--config", "nowhere.yaml"]
from bot.__main__ import main
sys.exit(main())
"""


def test_a_signal_to_read_the_files_again_does_not_end_a_process_that_still_starts(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", HANGS_UP],
        cwd=tmp_path,
        env={"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        check=False,
    )
    assert (told.returncode, told.stderr.decode()) == (2, "nowhere.yaml: no such file\n")


@pytest.mark.parametrize("option", ["--in", "--as"])
def test_a_name_that_cannot_be_is_a_wrong_command_line(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["chat", option, "no name!", "--state", str(tmp_path / "s.db")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "'no name!' is no name for a" in line


@pytest.mark.parametrize("kind", ["a folder", "a link to nowhere", "a link to itself"])
def test_a_configuration_that_cannot_be_read_is_one_line(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "greenroom.yaml"
    if kind == "a folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere" if kind == "a link to nowhere" else path)
    assert main(["personas", "list"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("greenroom.yaml: ")


@pytest.mark.parametrize("text", ["name: !!timestamp x", 'name: !!int ""', "name: !!bool maybe", "name: !!float ''"])
def test_a_value_that_yaml_itself_trips_over_is_one_line(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "greenroom.yaml").write_text(text)
    assert main(["personas", "list"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("greenroom.yaml:1: name: not what YAML takes it for")


SLY = r"""---
name: sly
description: "An agent \e]0;owned\a that \u202egnihtemos\u202c does \x9b31m"
---

# Sly

You are a sly agent.
"""


@pytest.mark.parametrize("argv", [["list"], ["show", "sly"], ["check", "agents"], ["check", "agents", "--json"]])
def test_no_persona_file_steers_the_terminal(
    argv: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "sly.md").write_text(SLY)
    (tmp_path / "greenroom.yaml").write_text("library: {paths: [agents], shipped: false}")
    main(["personas", *argv])
    told = capsys.readouterr()
    assert told.out.strip()
    assert not set(told.out + told.err) & set("\x1b\x07\x9b\u202e\u202c")
