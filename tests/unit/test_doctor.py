"""`greenroom doctor`: what it finds, what it says to do, and that it changes nothing and shows no key."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

import pytest

from bot import doctor
from bot.app import SystemClock
from bot.cli import main
from bot.doctor import Case, Finding
from bot.doctor.environment import required, terminal_findings, version_of
from bot.doctor.store import mailbox_findings
from bot.ports.mailbox import Message, Stats
from bot.settings import Settings
from bot.stores.lock import worker_of
from bot.stores.sqlite import SqliteStore
from tests.contract.redis_server import running as redis_running
from tests.fakes.anthropic import Answer, FakeAnthropic, Hangs, answers, refuses, says

KEY = "sk-ant-test-0123456789"
SIZE = os.terminal_size((120, 40))


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder, an environment without settings, and the log's handlers as before."""
    for name in list(os.environ):
        ours = name.startswith(("GREENROOM_", "ANTHROPIC_", "SLACK_", "DISCORD_"))
        if ours or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class Doctor:
    """Runs the command and reads what it has printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.code = -1
        self.out = ""

    def __call__(self, *options: str) -> list[Finding]:
        self.code = main(["doctor", "--json", *options])
        self.out = self._capsys.readouterr().out
        told = json.loads(self.out)
        found = [Finding(**finding) for finding in told["findings"]]
        bad = any(finding.level == "problem" for finding in found)
        assert (self.code, told["ok"]) == (1, False) if bad else (0, True)
        return found

    async def beside(self, *options: str) -> list[Finding]:
        """The same while the test's own loop goes on."""
        return await asyncio.to_thread(self, *options)


@pytest.fixture
def examine(capsys: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(capsys)


def of(found: Sequence[Finding], area: str, level: str = "") -> list[Finding]:
    return [finding for finding in found if finding.area == area and level in ("", finding.level)]


def says_in(found: Sequence[Finding], area: str, level: str = "") -> str:
    return "\n".join(finding.says for finding in of(found, area, level))


# ---------------------------------------------------------------- the whole


def test_a_sound_set_up_has_no_problem_and_every_area_is_looked_at(examine: Doctor) -> None:
    found = examine("--model", "rehearsal")
    assert examine.code == 0
    assert [area for area, _ in doctor.CHECKS] == list(dict.fromkeys(finding.area for finding in found))
    assert not [finding for finding in found if finding.level == "problem"]


def test_a_fresh_machine_without_a_key_has_one_problem_and_is_told_the_two_ways_on(examine: Doctor) -> None:
    (problem,) = [finding for finding in examine() if finding.level == "problem"]
    assert examine.code == 1
    assert problem.says == "there is no key"
    assert "ANTHROPIC_API_KEY" in problem.mend and "--model rehearsal" in problem.mend


def test_people_read_areas_levels_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "\nmodel\n  ok       sonnet is claude-sonnet-5-5\n" in out
    assert "  problem  there is no key\n           -> set ANTHROPIC_API_KEY" in out
    assert "\n1 problem, " in out and "\x1b" not in out


def test_looking_changes_nothing(examine: Doctor, tmp_path: Path) -> None:
    examine("--model", "rehearsal")
    assert list(tmp_path.iterdir()) == []


def test_the_command_can_be_run_as_people_run_it(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-m", "bot", "doctor", "--model", "rehearsal"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0 and run.stdout.startswith("configuration\n") and run.stderr == ""


async def test_a_check_that_fails_itself_is_a_problem_and_the_others_go_on() -> None:
    async def falls(_case: Case) -> Sequence[Finding]:
        raise RuntimeError("no such device")

    async def stands(_case: Case) -> Sequence[Finding]:
        return [Finding("slack", "ok", "connected")]

    found = await doctor.examined(Case(Settings(), {}), (("redis", falls), ("slack", stands)))
    assert found[0].level == "problem" and "RuntimeError: no such device" in found[0].says and found[0].mend
    assert found[1] == Finding("slack", "ok", "connected")


def test_no_finding_shows_a_secret() -> None:
    found = [Finding("redis", "problem", "redis://:hunter2@db refused xoxb-1-abcdef", f"check {KEY}")]
    for told in (doctor.as_json(found), "\n".join(doctor.as_text(found))):
        assert not any(secret in told for secret in ("hunter2", "xoxb-1", KEY))


# ---------------------------------------------------------------- configuration


def test_what_was_read_and_what_is_not_at_its_default_is_told(
    examine: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "greenroom.yaml").write_text("name: Ours\nmodel:\n  max_tokens: 100\n", "utf-8")
    monkeypatch.setenv("GREENROOM_TALK__IDLE", "1h")
    told = says_in(examine("--model", "rehearsal"), "configuration", "ok").split("\n")
    assert told == [
        "greenroom.yaml is read",
        "set by the environment: GREENROOM_TALK__IDLE",
        "not at the default: model.max_tokens, model.name, name, talk.idle",
    ]


def test_without_a_file_it_says_where_it_looked(examine: Doctor) -> None:
    assert "looked for greenroom.yaml and config/greenroom.yaml" in says_in(examine(), "configuration", "ok")


def test_every_mistake_of_the_configuration_is_a_problem_with_its_line(examine: Doctor, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("naem: Ours\nstore:\n  lease: soon\nlibrary:\n  paths: [gone]\n", "utf-8")
    found = examine("--config", "mine.yaml")
    problems = of(found, "configuration", "problem")
    assert sorted(problem.says.split(": ")[0] for problem in problems) == ["mine.yaml:1", "mine.yaml:3"]
    assert any("did you mean name?" in problem.says for problem in problems) and all(
        problem.mend for problem in problems
    )
    assert "were not looked at" in says_in(found, "configuration", "warning")
    assert {finding.area for finding in found} == {"configuration", *doctor.ALWAYS}


def test_a_file_and_a_library_that_are_not_there_are_problems(examine: Doctor, tmp_path: Path) -> None:
    assert "gone.yaml: no such file" in says_in(examine("--config", "gone.yaml"), "configuration", "problem")
    (tmp_path / "greenroom.yaml").write_text("library:\n  paths: [gone]\n", "utf-8")
    assert "no such file or folder" in says_in(examine(), "configuration", "problem")


# ---------------------------------------------------------------- library


def library(tmp_path: Path, shipped: str = "true", **files: str) -> None:
    folder = tmp_path / "personas"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text, "utf-8")
    (tmp_path / "greenroom.yaml").write_text(
        f"library:\n  paths: [personas]\n  shipped: {shipped}\nmodel:\n  name: rehearsal\n", "utf-8"
    )


def subagent(name: str, more: str = "") -> str:
    return f"---\nname: {name}\ndescription: Use for {name}\n{more}---\n\nYou are {name}.\n"


def test_personas_are_counted_and_overrides_named(examine: Doctor, tmp_path: Path) -> None:
    library(tmp_path, helper=subagent("helper"), architect=subagent("architect"))
    told = says_in(examine(), "library", "ok")
    assert "2 from 1 path of yours" in told
    assert "persona architect: " in told and "takes the place of the shipped one" in told
    assert examine.code == 0


def test_a_broken_file_is_a_problem_and_a_doubtful_one_a_warning_both_by_line(examine: Doctor, tmp_path: Path) -> None:
    broken = "# broken\n\n```yaml\nagent:\n  name: [\n```\n"
    library(tmp_path, broken=broken, doubtful=subagent("doubtful", "model: gpt-9\n"))
    found = examine()
    (problem,) = of(found, "library", "problem")
    (warning,) = of(found, "library", "warning")
    assert "personas/broken.md:" in problem.says and problem.mend
    assert "personas/doubtful.md:4: doubtful asks for the model 'gpt-9'" in warning.says and warning.mend


def test_a_library_without_anybody_is_a_problem_and_its_empty_path_a_warning(examine: Doctor, tmp_path: Path) -> None:
    library(tmp_path, shipped="false")
    found = examine()
    assert "no persona that could be called" in says_in(found, "library", "problem")
    assert "personas is in the library" in says_in(found, "library", "warning")


# ---------------------------------------------------------------- store


async def kept(path: Path) -> SqliteStore:
    return await SqliteStore.open(path, clock=SystemClock())


async def test_a_database_that_is_not_there_yet_is_fine_where_it_can_be_made(examine: Doctor, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.db"
    (found,) = of(await examine.beside("--state", str(path)), "store")
    assert (found.level, path.parent.exists()) == ("ok", False) and "the first start makes it" in found.says


def test_a_database_that_cannot_be_made_is_a_problem(
    examine: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    (found,) = of(examine("--state", str(tmp_path / "file" / "state.db")), "store")
    assert found.level == "problem" and "is no folder" in found.says

    # Permissions bind everybody but root, whom tests may run as.
    monkeypatch.setattr(os, "access", lambda *_: False)
    (found,) = of(examine("--state", str(tmp_path / "state.db")), "store")
    assert found.level == "problem" and "is not writable" in found.says and str(tmp_path) in found.mend


async def test_a_database_at_rest_says_its_size_and_schema(examine: Doctor, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await (await kept(path)).close()
    told = says_in(await examine.beside("--state", str(path)), "store", "ok")
    assert "schema " in told and " MB" in told and "no worker uses it now" in told
    assert "0 messages waiting, 0 turns under way" in told
    assert worker_of(path) is None


async def test_beside_a_worker_it_reads_and_names_the_process(examine: Doctor, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = await kept(path)
    try:
        await store.enqueue("c", Message("m1", "{}", 1))
        told = says_in(await examine.beside("--state", str(path)), "store", "ok")
        assert f"in use by a worker (process {os.getpid()})" in told
        assert "1 message waiting, 0 turns under way; the oldest has been due for 0 s" in told
        claim = await store.claim("w", 15.0, 1)
        assert claim is not None, "what was waiting is still to be had"
        with pytest.raises(Exception, match="in use by another worker"):
            await kept(path)
    finally:
        await store.close()


async def test_dead_letters_and_messages_that_nobody_takes_are_warned_of(examine: Doctor, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = await kept(path)
    await store.enqueue("fake:team:general", Message("m1", "{}", 1))
    claim = await store.claim("w", 15.0, 1)
    assert claim is not None
    await store.bury(claim, "TypeError: no")
    await store.enqueue("fake:team:other", Message("m2", "{}", 1))
    await store.close()
    waiting, dead = of(await examine.beside("--state", str(path)), "store", "warning")
    assert "1 message waiting" in waiting.says and "start the bot" in waiting.mend
    assert dead.says.startswith("1 dead letter, the last of ") and dead.says.endswith("general: TypeError: no")


@pytest.mark.parametrize(
    ("due", "is_worked_on", "level"),
    [(0.0, True, "ok"), (0.0, False, "ok"), (5.0, True, "ok"), (5.0, False, "warning"), (61.0, True, "problem")],
)
def test_how_long_work_may_wait_depends_on_whether_somebody_is_there(
    due: float, is_worked_on: bool, level: str
) -> None:
    (found,) = mailbox_findings(Stats(1, 0, 0, due), is_worked_on=is_worked_on)
    assert (found.level, bool(found.mend)) == (level, level != "ok")


def test_what_is_no_database_of_ours_is_a_problem(examine: Doctor, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to be looked at" * 50)
    assert "cannot be opened" in says_in(examine("--state", "text.db"), "store", "problem")
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    assert "belongs to another program" in says_in(examine("--state", "other.db"), "store", "problem")
    assert "is a folder" in says_in(examine("--state", str(tmp_path)), "store", "problem")


async def test_a_database_of_a_newer_build_is_a_problem(examine: Doctor, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await (await kept(path)).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    assert "schema version 99" in says_in(await examine.beside("--state", str(path)), "store", "problem")


async def test_a_database_that_cannot_be_written_is_a_problem_when_nobody_holds_it(
    examine: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.db"
    await (await kept(path)).close()
    monkeypatch.setattr(os, "access", lambda *_: False)
    (problem,) = of(await examine.beside("--state", str(path)), "store", "problem")
    assert "cannot be written to" in problem.says and str(tmp_path) in problem.mend


def test_a_database_in_memory_is_warned_of(examine: Doctor) -> None:
    (found,) = of(examine("--state", ":memory:"), "store")
    assert found.level == "warning" and "end with the process" in found.says


# ---------------------------------------------------------------- model


def test_a_key_is_found_and_never_shown(examine: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    told = says_in(examine("--model", "opus"), "model", "ok")
    assert "opus is claude-opus-5-5" in told and "a key is there (ANTHROPIC_API_KEY)" in told
    assert KEY not in examine.out and examine.code == 0

    monkeypatch.delenv("ANTHROPIC_API_KEY")
    (tmp_path / "key").write_text(KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY_FILE", "key")
    assert "(ANTHROPIC_API_KEY_FILE)" in says_in(examine(), "model", "ok")


def test_something_else_in_the_keys_place_is_warned_of(examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "my-other-password")
    (warning,) = of(examine(), "model", "warning")
    assert "does not begin as" in warning.says and "ANTHROPIC_API_KEY" in warning.mend
    assert "my-other-password" not in examine.out


def test_a_server_of_ones_own_needs_no_key(examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_MODEL__BASE_URL", "http://localhost:11434")
    told = says_in(examine(), "model")
    assert "asked at http://localhost:11434" in told and "no key, which" in told and examine.code == 0


def test_the_model_is_not_called_unless_asked_for(examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("GREENROOM_MODEL__BASE_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        assert "not called; --online" in says_in(examine(), "model", "ok")
        (problem,) = of(examine("--online"), "model", "problem")
    assert "(network" in problem.says and "model.base_url" in problem.mend


async def test_one_small_call_by_the_real_adapter_tells_whether_somebody_answers(
    examine: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeAnthropic(key=KEY) as fake:
        fake.will(says("yes"))
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", fake.url)
        found = await examine.beside("--online")
        assert "claude-sonnet-5-5 answered in " in says_in(found, "model", "ok") and examine.code == 0
        (request,) = fake.requests
        assert request.body["max_tokens"] == doctor.model.ANSWER
        assert len(json.dumps(request.body)) < 500, "it is a cheap one"


@pytest.mark.parametrize(
    ("answer", "reason", "mend"),
    [
        (refuses(401), "auth", "ANTHROPIC_API_KEY"),
        (refuses(400, message="Your credit balance is too low"), "credit", "top it up"),
        (refuses(404, message="model: claude-sonnet-5-5"), "unknown-model", "model.name"),
        (refuses(529), "overloaded", "Try again"),
        (Hangs(), "timeout", "Try again"),
    ],
    ids=["401", "credit", "404", "529", "silence"],
)
async def test_a_call_that_fails_is_a_problem_in_words_and_is_not_repeated(
    examine: Doctor, monkeypatch: pytest.MonkeyPatch, answer: Answer, reason: str, mend: str
) -> None:
    async with FakeAnthropic(key=KEY) as fake:
        fake.will(answer)
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", fake.url)
        monkeypatch.setenv("GREENROOM_MODEL__TIMEOUT", "1s")
        (problem,) = of(await examine.beside("--online"), "model", "problem")
        assert problem.says.startswith(f"a call of claude-sonnet-5-5 failed ({reason}") and mend in problem.mend
        assert len(fake.requests) == 1 and KEY not in examine.out


async def test_a_reply_that_ran_into_its_limit_is_an_answer_too(
    examine: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeAnthropic(key=KEY) as fake:
        fake.will(answers(stop="max_tokens"))
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", fake.url)
        assert "answered in" in says_in(await examine.beside("--online"), "model", "ok")


# ---------------------------------------------------------------- surroundings


def test_versions_of_python_and_of_every_package_are_told(examine: Doctor) -> None:
    told = says_in(examine(), "versions", "ok")
    for name in ("Greenroom ", "Python 3.", "SQLite 3.", "anthropic ", "pydantic ", "rich "):
        assert name in told


def test_a_package_that_is_missing_is_a_problem(examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["anthropic[aiohttp]>=2", "no-such-package>=1"])
    (problem,) = of(examine(), "versions", "problem")
    assert problem.says == "the package no-such-package is missing" and "install" in problem.mend


def test_only_what_is_always_needed_is_looked_for() -> None:
    lines = ["anthropic[aiohttp]<3,>=2.11", "PyYAML>=6", "redis>=7; extra == 'redis'", 'pytest>=8; extra == "test"']
    assert required(lines) == ["anthropic", "PyYAML"]
    assert version_of("PyYAML") and version_of("no-such-package") is None


@pytest.mark.parametrize(
    ("env", "is_terminal", "encoding", "told", "warns"),
    [
        ({"TERM": "xterm"}, True, "utf-8", "xterm of 120 columns and 40 lines, in colour", False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, "UTF-8", "without colour (NO_COLOR is set)", False),
        ({"TERM": "xterm"}, False, "utf8", "no terminal", False),
        ({"TERM": "dumb"}, True, "utf-8", "cannot move its cursor (TERM=dumb)", True),
        ({}, True, "utf-8", "cannot move its cursor", True),
        ({"TERM": "xterm"}, True, "ascii", "the output is ascii, which has no icons", True),
    ],
)
def test_what_a_chat_would_look_like_here(
    env: dict[str, str], is_terminal: bool, encoding: str, told: str, warns: bool
) -> None:
    found = terminal_findings(env, is_terminal=is_terminal, encoding=encoding, size=SIZE)
    assert told in says_in(found, "terminal")
    assert any(finding.level == "warning" and finding.mend for finding in found) == warns


def test_many_findings_in_files_are_told_in_part_errors_first(tmp_path: Path, examine: Doctor) -> None:
    cast = tmp_path / "cast"
    cast.mkdir()
    for n in range(12):
        (cast / f"a{n:02}.md").write_text(f"---\nname: a{n:02}\ndescription: d\nmodel: gpt-{n}\n---\n\nDo.\n")
    (cast / "z.md").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "greenroom.yaml").write_text("library: {paths: [cast]}")
    told = [f.says for f in of(examine("--config", "greenroom.yaml"), "library") if f.level != "ok"]
    assert len(told) == 11 and "z.md" in told[0] and told[-1] == "and 3 findings more in the files"


@pytest.mark.parametrize("command", ["doctor", "personas list"])
def test_a_reader_that_is_gone_ends_a_command_quietly(command: str) -> None:
    root = Path(__file__).resolve().parents[2]
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run(
        [sys.executable, "-m", "bot", *command.split()],
        stdout=write,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    os.close(write)
    assert run.returncode == 128 + 13 and run.stderr == b""


def test_a_redis_is_looked_at_where_store_url_names_one(
    tmp_path: Path, examine: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_running(tmp_path / "server") as server:
        monkeypatch.setenv("GREENROOM_STORE__URL", server.url)
        told = of(examine(), "store")
        assert told[0].level == "ok" and told[0].says.startswith("the Redis at redis://")
        assert told[-1].says == "0 messages waiting, 0 turns under way"
    (gone,) = of(examine(), "store")
    assert gone.level == "problem"
