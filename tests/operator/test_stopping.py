"""Told to stop, a bot stops, whatever it is doing; and its exit code says whether another start may help."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.contract.redis_server import Server, valkey
from tests.fakes.slack import FakeSlack
from tests.scenario.slack_house import subscribed
from tests.scenario.test_slack_process import Process, connected, greenroom

CHECKOUT = Path(__file__).parents[2]


@asynccontextmanager
async def silence() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """An address at which everything is taken and nothing is answered, and whether somebody has come."""
    somebody = asyncio.Event()
    writers: list[asyncio.StreamWriter] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read(1)
        somebody.set()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", somebody
    finally:
        server.close()
        for writer in writers:
            writer.close()


async def stopped(process: Process, number: signal.Signals) -> None:
    process.gets(number)
    assert await process.ends() == 0
    assert "Traceback" not in process.told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_while_slack_does_not_answer_it_stops_when_it_is_told(number: signal.Signals, tmp_path: Path) -> None:
    async with (
        FakeSlack(events=subscribed()) as fake,
        silence() as (where, somebody),
        greenroom(fake, tmp_path, GREENROOM_SLACK__API=f"http://{where}/api/") as process,
    ):
        await somebody.wait()
        await stopped(process, number)


async def test_while_the_store_does_not_answer_it_stops_when_it_is_told(tmp_path: Path) -> None:
    async with (
        FakeSlack(events=subscribed()) as fake,
        silence() as (where, somebody),
        greenroom(fake, tmp_path, GREENROOM_STORE__URL=f"redis://{where}/0") as process,
    ):
        await somebody.wait()
        await stopped(process, signal.SIGTERM)


async def test_while_a_collector_does_not_take_the_last_traces_it_stops_when_it_is_told(tmp_path: Path) -> None:
    async with (
        FakeSlack(events=subscribed()) as fake,
        silence() as (where, _),
        greenroom(fake, tmp_path, GREENROOM_TELEMETRY__OTLP=f"http://{where}") as process,
    ):
        await connected(fake)
        alice = fake.user("alice")
        room = fake.channel("general", [alice])
        await fake.says(alice, room, "*architect")
        await fake.until(lambda: [seen for seen in fake.seen(room) if seen.user == fake.ws.bot_user], "the greeting")
        await stopped(process, signal.SIGTERM)


TOLD_WHILE_IMPORTING = """
import os, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == "bot.cli":
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Finder())
sys.argv[1:] = [sys.argv[1]]
from bot.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(("command", "code"), [("run", 0), ("chat", 128 + signal.SIGTERM)])
def test_told_in_its_first_moment_it_stops(command: str, code: int, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TOLD_WHILE_IMPORTING, command],
        cwd=tmp_path,
        env={"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (code, b"")


HELD_UP = """
import asyncio, threading
from bot import signals

async def never_over():
    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
    signals.end_after(0.1, 7)

asyncio.run(never_over())
"""


def test_a_process_that_something_holds_up_ends_all_the_same() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", HELD_UP], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 7 and "ending at once" in ran.stderr


# ---------------------------------------------------------------- exit codes

FOR_GOOD, FOR_NOW = 2, 1


@pytest.mark.parametrize(
    ("code", "settings", "words"),
    [
        (FOR_GOOD, {"GREENROOM_STORE__KEEP": "gossip"}, "GREENROOM_STORE__KEEP"),
        (FOR_GOOD, {"SLACK_BOT_TOKEN": "xoxb-wrong"}, "SLACK_BOT_TOKEN"),
        (FOR_GOOD, {"GREENROOM_STORE__URL": "redis://:wrong@{redis}/0"}, "REDIS_PASSWORD_FILE"),
        (FOR_NOW, {"GREENROOM_SLACK__API": "http://127.0.0.1:9/api/"}, "cannot be reached"),
        (FOR_NOW, {"GREENROOM_STORE__URL": "redis://127.0.0.1:9/0"}, "cannot be reached"),
        (FOR_NOW, {"GREENROOM_HEALTH__LISTEN": "{taken}"}, "cannot be listened on"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
async def test_the_exit_code_tells_a_wrong_configuration_from_what_may_pass(
    code: int, settings: dict[str, str], words: str, tmp_path: Path
) -> None:
    redis = Server(valkey(), tmp_path, "--requirepass", "right")
    redis.start()
    try:
        async with FakeSlack(events=subscribed()) as fake, silence() as (taken, _):
            where = {"redis": f"127.0.0.1:{redis.port}", "taken": taken}
            given = {name: value.format(**where) for name, value in settings.items()}
            async with greenroom(fake, tmp_path, **given) as process:
                assert await process.ends() == code
                assert words in process.told and "Traceback" not in process.told
    finally:
        redis.kill()


async def test_a_file_of_another_program_is_a_wrong_configuration(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "state.db") as db:
        db.execute("CREATE TABLE theirs (a)")
    async with FakeSlack(events=subscribed()) as fake, greenroom(fake, tmp_path) as process:
        assert await process.ends() == FOR_GOOD
        assert "belongs to another program" in process.told
