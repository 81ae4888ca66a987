"""The core of the suite, on a system that lacks what Windows lacks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = "tests.operator.without_posix"

CORE = (
    "tests/unit/stores/test_sqlite.py",
    "tests/unit/personas/test_cache.py",
    "tests/unit/test_turns.py",
    "tests/unit/test_app.py",
    "tests/scenario/test_talk.py",
)
"""What a bot on SQLite needs; stores by Redis and terminals have suites of their own that want a POSIX system."""

OF_POSIX = " or ".join(
    (
        *("without_write_access", "hard_link", "pipe", "fifo", "killed", "other_process", "busy_process"),
        *("another_user", "signal"),
    )
)
"""Tests about what Windows has not."""


def ran(*args: str, cwd: Path = ROOT, typed: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    return subprocess.run(
        (sys.executable, *args),
        cwd=cwd,
        env=given,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def test_the_core_of_the_suite_holds() -> None:
    run = ran("-m", "pytest", "-q", "-x", "-p", PLUGIN, "-k", f"not ({OF_POSIX})", *CORE)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-2000:]
    (passed,) = re.findall(r"(\d+) passed", run.stdout)
    assert int(passed) > 150


WITHOUT = f"import sys; import {PLUGIN}; from bot.__main__ import main; sys.exit(main())"


def test_a_talk_is_held_and_what_was_said_is_there_the_next_time(tmp_path: Path) -> None:
    chat = ("-c", WITHOUT, "chat", "--model", "rehearsal", "--state", "s.db")
    first = ran(*chat, cwd=tmp_path, typed="*architect\nhello\n")
    assert first.returncode == 0, first.stderr
    assert "I am **Winston**" in first.stdout and "[rehearsal]" in first.stdout
    second = ran(*chat, cwd=tmp_path, typed="*status\n")
    assert second.returncode == 0 and "Winston" in second.stdout, second.stderr


@pytest.mark.parametrize("command", [("doctor", "--model", "rehearsal"), ("personas", "list"), ("audit",), ("--help",)])
def test_what_operators_type_works(command: tuple[str, ...], tmp_path: Path) -> None:
    ran(
        "-c",
        WITHOUT,
        "chat",
        "--model",
        "rehearsal",
        "--state",
        ".greenroom/state.sqlite3",
        cwd=tmp_path,
        typed="*pm\n",
    )
    run = ran("-c", WITHOUT, *command, cwd=tmp_path)
    assert run.returncode == 0 and "Traceback" not in run.stderr, run.stdout + run.stderr


HOLDING = f"""
import {PLUGIN}, sys, pathlib
from bot.stores.errors import StoreBusyError
from bot.stores.lock import FileLock, worker_of

path = pathlib.Path(sys.argv[1])
if sys.argv[2:] == ["try"]:
    print(worker_of(path))
    try:
        FileLock(path)
    except StoreBusyError as error:
        print(error)
else:
    held = FileLock(path)
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_worker_is_refused_with_the_number_of_the_first_until_that_one_dies(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        (sys.executable, "-c", HOLDING, path), env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout and first.stdout.readline() == "held\n"
        told = ran("-c", HOLDING, path, "try").stdout
        assert told.splitlines()[0] == str(first.pid) and f"(process {first.pid})" in told
        first.kill()
        first.wait()
    assert ran("-c", HOLDING, path, "try").stdout == "None\n"


SERVING = f"""
import {PLUGIN}, asyncio, os, signal, threading
from bot import signals

async def told():
    stop = asyncio.Event()
    for number in signals.STOPPING:
        signals.on(number, stop.set)
    signals.on(signals.HANGUP, stop.set)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    await stop.wait()
    print(signals.HANGUP, "stopped")

asyncio.run(told())
"""


def test_a_service_is_told_to_stop_where_the_loop_takes_no_signals() -> None:
    run = ran("-c", SERVING)
    assert run.stdout == "None stopped\n", run.stderr


def test_nothing_of_the_bot_imports_what_windows_lacks_at_its_top() -> None:
    modules = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "bot").rglob("*.py")
        if path.name != "__main__.py"
    )
    code = f"import {PLUGIN}, importlib\nfor name in {modules!r}:\n    importlib.import_module(name)\nprint('all')"
    run = ran("-c", code)
    assert run.stdout == "all\n", run.stderr[-2000:]
