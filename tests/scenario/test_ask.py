"""`greenroom ask` as scripts meet it: a real process, real pipes, a real client of the model's against the fake."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.core.model import FILE
from tests.fakes.anthropic import Cut, FakeAnthropic, refuses, says
from tests.scenario.terminal import PATIENCE, Person, environment

ASK = [sys.executable, "-m", "bot", "ask"]
NONE: Mapping[str, str | None] = {}


def ask(
    folder: Path, *words: str, given: str | bytes | None = None, settings: Mapping[str, str | None] = NONE
) -> subprocess.CompletedProcess[str]:
    run = subprocess.run(
        [*ASK, *words],
        input=given.encode() if isinstance(given, str) else given or b"",
        capture_output=True,
        timeout=PATIENCE,
        cwd=folder,
        env=environment(**settings),
    )
    return subprocess.CompletedProcess(run.args, run.returncode, run.stdout.decode(), run.stderr.decode())


def test_the_answer_is_all_that_is_printed_and_nothing_is_kept(tmp_path: Path) -> None:
    run = ask(tmp_path, "pm", "What", "now?", "--as", "ada")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("[rehearsal]") and run.stdout.endswith("“ada: What now?”\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("who", ["pm", "*pm", "John", "product manager", "PM"])
def test_a_persona_can_be_named_in_many_ways(tmp_path: Path, who: str) -> None:
    assert "for `pm`" in ask(tmp_path, who, "x").stdout


def test_what_comes_through_standard_input_goes_along_as_a_file(tmp_path: Path) -> None:
    run = ask(tmp_path, "qa", "What is missing?", given="A story\nwith two lines\n")
    assert run.returncode == 0
    assert "What is missing? (sent `standard input`:) ``` A story with two lines ```" in run.stdout


def test_without_words_standard_input_is_the_question(tmp_path: Path) -> None:
    assert ask(tmp_path, "qa", "--as", "ada", given="Why?\n").stdout.endswith("“ada: Why?”\n")


def test_a_command_of_a_persona_can_be_asked_for(tmp_path: Path) -> None:
    run = ask(tmp_path, "pm", "*help")
    assert run.returncode == 0 and "create-prd" in run.stdout


@pytest.mark.parametrize(
    ("words", "given", "told"),
    [
        (("jonh", "x"), "", "Nobody here goes by 'jonh'; did you mean "),
        (("zzqqxx", "x"), "", "`greenroom personas list` shows everybody"),
        (("pm",), "", "Nothing is asked"),
        (("pm", "x"), "y" * (FILE + 1), "more than 100,000 characters"),
        (("pm", "x"), b"\x89PNG\0\0", "is no text"),
        (("pm", "x", "--as", "a b"), "", "'a b' is no name for a user"),
        (("pm", "x", "--model", "gpt"), "", "model.name"),
    ],
)
def test_what_cannot_be_asked_is_told_with_exit_code_2(
    tmp_path: Path, words: tuple[str, ...], given: str | bytes, told: str
) -> None:
    run = ask(tmp_path, *words, given=given)
    assert (run.returncode, run.stdout) == (2, "") and told in run.stderr and "Traceback" not in run.stderr


def test_without_a_key_there_is_no_answer_and_it_is_said_why(tmp_path: Path) -> None:
    run = ask(tmp_path, "pm", "x", settings={"GREENROOM_MODEL__NAME": None})
    assert (run.returncode, run.stdout) == (1, "") and "Set ANTHROPIC_API_KEY" in run.stderr


def test_it_works_beside_a_chat_on_the_same_state(tmp_path: Path) -> None:
    with Person(tmp_path) as person:
        person.sees("ada in #general >")
        settings = {"GREENROOM_STORE__PATH": str(tmp_path / "state.db"), "GREENROOM_HEALTH__LISTEN": "127.0.0.1:1"}
        assert ask(tmp_path, "pm", "x", settings=settings).returncode == 0


def test_with_a_state_file_the_talk_is_kept_and_goes_on(tmp_path: Path) -> None:
    state = str(tmp_path / "talk.db")
    assert ask(tmp_path, "pm", "first", "--state", state).returncode == 0
    assert ask(tmp_path, "--state", state, "pm", "second").stdout.count("[rehearsal]") == 1
    shown = subprocess.run(
        [sys.executable, "-m", "bot", "sessions", "show", "terminal:local:ask", "--state", state],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment(),
    ).stdout
    assert re.search(r"first[\s\S]*second", shown), shown


def test_sigterm_prints_what_came_and_says_that_it_is_not_whole(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*ASK, "pm", "x", "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(GREENROOM_MODEL__PAUSE="9"),
    )
    with process:
        assert process.stdout and process.stderr
        while b"/python" not in Path(f"/proc/{process.pid}/cmdline").read_bytes() or not _listens(process.pid):
            assert process.poll() is None
        os.kill(process.pid, signal.SIGTERM)
        out, errors = process.communicate(timeout=PATIENCE)
    told = json.loads(out)
    assert process.returncode == 143 and errors == b""
    assert told["whole"] is False


def _listens(pid: int) -> bool:
    """Whether the process has a handler for SIGTERM."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return bool(caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


# ---------------------------------------------------------------- the real client


async def asked(folder: Path, fake: FakeAnthropic, *words: str) -> subprocess.CompletedProcess[str]:
    settings = {
        "GREENROOM_MODEL__NAME": "sonnet",
        "GREENROOM_MODEL__BASE_URL": fake.url,
        "GREENROOM_MODEL__RETRY": "0s",
        "ANTHROPIC_API_KEY": fake.key,
    }
    return await asyncio.to_thread(ask, folder, *words, settings=settings)


async def test_json_has_the_answer_and_what_it_took(tmp_path: Path) -> None:
    async with FakeAnthropic() as fake:
        fake.will(says("Ship it."))
        run = await asked(tmp_path, fake, "pm", "Well?", "--json")
    told = json.loads(run.stdout)
    assert run.returncode == 0, run.stderr
    assert (told["persona"], told["name"], told["answer"], told["whole"]) == ("pm", "John", "Ship it.", True)
    assert told["tokens"]["read"] > 0 and told["tokens"]["written"] > 0 and told["notes"] == []


async def test_an_answer_that_was_cut_is_printed_with_exit_code_1(tmp_path: Path) -> None:
    async with FakeAnthropic() as fake:
        fake.will(says("Ship", " it.", breaks=Cut(after=5)))
        run = await asked(tmp_path, fake, "pm", "Well?")
    assert run.returncode == 1 and "_(cut: " in run.stdout


async def test_a_model_that_refuses_is_told_with_exit_code_1(tmp_path: Path) -> None:
    async with FakeAnthropic() as fake:
        fake.will(refuses(401, "authentication_error"))
        run = await asked(tmp_path, fake, "pm", "Well?", "--json")
    told = json.loads(run.stdout)
    assert run.returncode == 1 and told["answer"] == "" and told["whole"] is False
    assert told["notes"] and told["notes"][0] in run.stderr and "ANTHROPIC_API_KEY" in run.stderr
