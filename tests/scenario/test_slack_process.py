"""`greenroom run` as a process of its own on the fake of Slack: how it begins, how it ends, how it is killed."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from bot.core.codec import load
from bot.core.steps import Entry
from tests.contract.redis_server import free_port
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_state import Room, Seen
from tests.scenario.slack_house import subscribed

READY, OVER = 20.0, 20.0
"""Seconds until a process has to be there, and until it has to be gone."""


class Process:
    """`greenroom run`, and what it has told so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._reading = asyncio.create_task(self._read())
        self.told = ""

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    async def _read(self) -> None:
        assert self._process.stderr
        async for line in self._process.stderr:
            self.told += line.decode()

    def gets(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def may_open(self, count: int) -> None:
        """It may open so many files from now on, as many systems have it by default."""
        resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (count, count))

    async def ends(self) -> int:
        """Its exit code, when it is gone."""
        async with asyncio.timeout(OVER):
            await self._reading
            return await self._process.wait()

    async def close(self) -> None:
        """Kill it, if that is still needed."""
        if self._process.returncode is None:
            self._process.kill()
        await self.ends()


@asynccontextmanager
async def greenroom(fake: FakeSlack, folder: Path, **settings: str) -> AsyncIterator[Process]:
    """The bot at work in that folder; a setting that is "" is not there."""
    given: Mapping[str, str] = {
        "SLACK_BOT_TOKEN": fake.ws.bot_token,
        "SLACK_APP_TOKEN": fake.ws.app_token,
        "GREENROOM_SLACK__API": fake.api,
        "GREENROOM_MODEL__NAME": "rehearsal",
        "GREENROOM_MODEL__PAUSE": "0.01",
        "GREENROOM_STORE__PATH": str(folder / "state.db"),
        **settings,
    }
    ours = ("SLACK_", "DISCORD_", "GREENROOM_", "ANTHROPIC_")
    others = {k: v for k, v in os.environ.items() if not k.startswith(ours) and not k.lower().endswith("_proxy")}
    process = Process(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run"),
            env={**others, **{name: value for name, value in given.items() if value}},
            cwd=Path(__file__).parents[2],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    )
    try:
        yield process
    finally:
        await process.close()


def whole() -> FakeSlack:
    return FakeSlack(events=subscribed())


async def connected(fake: FakeSlack) -> None:
    await fake.until(lambda: fake.dispatch.connections, "a connection", READY)


def shown(fake: FakeSlack, room: Room, thread: str | None = None) -> list[Seen]:
    return [seen for seen in fake.seen(room, thread) if seen.user == fake.ws.bot_user]


# ---------------------------------------------------------------- what it cannot begin with


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"SLACK_BOT_TOKEN": ""}, "No platform to run on: set SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "Slack does not take SLACK_BOT_TOKEN (invalid_auth): copy the Bot User"),
        ({"SLACK_APP_TOKEN": ""}, "Slack in mode socket needs SLACK_APP_TOKEN, which begins with xapp-"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "Slack lets no connection be made with SLACK_APP_TOKEN (invalid_auth)"),
        ({"GREENROOM_SLACK__MODE": "http"}, "Slack in mode http needs SLACK_SIGNING_SECRET"),
        ({"GREENROOM_SLACK__API": "http://127.0.0.1:9/api/"}, "Slack cannot be reached at http://127.0.0.1:9/api/"),
        ({"GREENROOM_SLACK__API": "ftp://slack"}, 'an address such as "https://slack.com/api/"'),
    ],
)
async def test_what_it_cannot_begin_with_is_told_in_words(settings: dict[str, str], words: str, tmp_path: Path) -> None:
    async with whole() as fake, greenroom(fake, tmp_path, **settings) as process:
        assert await process.ends() == (1 if "cannot be reached" in words else 2)
        assert words in process.told and "Traceback" not in process.told
        assert "xoxb-wrong" not in process.told and "xapp-wrong" not in process.told


async def test_where_socket_mode_is_off_it_says_so_and_ends(tmp_path: Path) -> None:
    async with whole() as fake:
        fake.ws.socket_mode = False
        async with greenroom(fake, tmp_path) as process:
            assert await process.ends() == 2
            assert "Socket Mode has to be on" in process.told and "Traceback" not in process.told


# ---------------------------------------------------------------- a life


async def test_told_to_stop_it_finishes_the_reply_that_is_being_written(tmp_path: Path) -> None:
    async with whole() as fake, greenroom(fake, tmp_path, GREENROOM_MODEL__PAUSE="0.1") as process:
        await connected(fake)
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        root = await fake.says(alice, general, "*architect")
        await fake.until(lambda: shown(fake, general), "the greeting")
        process.gets(signal.SIGHUP)
        await fake.until(lambda: "the persona files were read again: " in process.told, "the reload")
        await fake.says(alice, general, "what is a queue?", thread=root)
        await fake.until(lambda: any(seen.streaming for seen in shown(fake, general, root)), "a reply in the making")
        process.gets(signal.SIGTERM)
        assert await process.ends() == 0
        (reply,) = shown(fake, general, root)
        assert not reply.streaming and reply.metadata and reply.text.startswith("[rehearsal]")
        assert "“alice: what is a queue?”" in reply.text
        assert "Traceback" not in process.told and fake.dispatch.connections == []
        await fake.says(alice, general, "and a stack?", thread=root)
        async with greenroom(fake, tmp_path) as again:
            await fake.until(
                lambda: len(shown(fake, general, root)) == 2, "an answer to what was said meanwhile", READY
            )
            assert len(shown(fake, general)) == 1
            again.gets(signal.SIGINT)
            assert await again.ends() == 0


async def test_killed_in_the_middle_of_a_reply_it_answers_everything_once_when_it_is_back(tmp_path: Path) -> None:
    async with whole() as fake:
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        async with greenroom(fake, tmp_path, GREENROOM_MODEL__PAUSE="0.2") as process:
            await connected(fake)
            root = await fake.says(alice, general, "*architect")
            await fake.until(lambda: shown(fake, general), "the greeting")
            await fake.says(alice, general, "what is a queue?", thread=root)
            await fake.until(lambda: any(s.streaming and s.text for s in shown(fake, general, root)), "part of a reply")
            await fake.says(alice, general, "and a stack?", thread=root)
            await fake.settled()
            process.gets(signal.SIGKILL)
            assert await process.ends() == -signal.SIGKILL
        assert [seen.streaming for seen in shown(fake, general, root)] == [True]
        await fake.until(lambda: not fake.dispatch.connections, "the end of the connection")
        await fake.says(alice, general, "and a heap?", thread=root)
        await fake.says(alice, general, "*pm")
        async with greenroom(fake, tmp_path) as process:
            await fake.until(
                lambda: "heap" in "".join(s.text for s in shown(fake, general, root)), "all answers", READY
            )
            await fake.until(lambda: len(shown(fake, general)) == 2, "the greeting")
            await fake.until(
                lambda: not any(s.streaming for s in shown(fake, general, root)), "the end of the last reply"
            )
            replies = shown(fake, general, root)
            keys = [reply.metadata and reply.metadata["event_payload"]["key"] for reply in replies]
            assert all(keys) and len(set(keys)) == len(keys)
            assert "what is a queue?" in replies[0].text and "and a heap?" in replies[-1].text
            assert shown(fake, general)[-1].name == "John"
            process.gets(signal.SIGTERM)
            assert await process.ends() == 0
    entries = log(tmp_path)
    assert [e.text for e in entries if e.kind == "said"] == ["what is a queue?", "and a stack?", "and a heap?"]
    assert len([e for e in entries if e.kind == "reply"]) == len(replies)


def log(folder: Path) -> list[Entry]:
    """All that was said in all conversations, in order."""
    with sqlite3.connect(f"file:{folder / 'state.db'}?mode=ro", uri=True) as db:
        return [load(line, Entry) for (line,) in db.execute("SELECT line FROM log ORDER BY rowid")]


async def test_over_http_too_it_greets_and_stops(tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "GREENROOM_SLACK__MODE": "http",
        "GREENROOM_SLACK__LISTEN": f"127.0.0.1:{port}",
        "SLACK_SIGNING_SECRET": FakeSlack.secret,
        "SLACK_APP_TOKEN": "",
    }
    async with (
        FakeSlack(events=subscribed(), retries=(0.2,) * 50) as fake,
        greenroom(fake, tmp_path, **settings) as process,
    ):
        fake.use_http(f"http://127.0.0.1:{port}/slack/events")
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        await fake.says(alice, general, "*architect")
        await fake.until(lambda: shown(fake, general), "the greeting", READY)
        assert [seen.name for seen in shown(fake, general)] == ["Winston"]
        process.gets(signal.SIGTERM)
        assert await process.ends() == 0


async def test_a_thousand_half_sent_bodies_keep_slack_from_nothing(tmp_path: Path) -> None:
    half = b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 100\r\n\r\n{"
    port = free_port()
    settings = {
        "GREENROOM_SLACK__MODE": "http",
        "GREENROOM_SLACK__LISTEN": f"127.0.0.1:{port}",
        "GREENROOM_SLACK__CONNECTIONS_PER_PEER": "0",
        "SLACK_SIGNING_SECRET": FakeSlack.secret,
        "SLACK_APP_TOKEN": "",
    }
    with files(4000):
        async with (
            FakeSlack(events=subscribed(), retries=(0.2,) * 50) as fake,
            greenroom(fake, tmp_path, **settings) as process,
        ):
            fake.use_http(f"http://127.0.0.1:{port}/slack/events")
            alice = fake.user("alice")
            general = fake.channel("general", [alice])
            await fake.says(alice, general, "*help")
            await fake.until(lambda: shown(fake, general), "help", READY)
            process.may_open(1024)
            writers = []
            for _ in range(1100):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(half)
                writers.append(writer)
            await fake.says(alice, general, "*architect")
            await fake.until(lambda: shown(fake, general)[-1].name == "Winston", "the greeting", READY)
            for writer in writers:
                writer.close()
            assert "made room for newer ones" in process.told


@contextmanager
def files(count: int) -> Iterator[None]:
    """This process may open so many files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], min(count, before[1])), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
