"""`greenroom run` on Discord: how it begins, what it tells of itself, how it ends; and the shards that it holds.

The library's addresses can be changed within a process alone, so the service runs in that of the test.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import discord
import pytest

from bot import service
from bot.platforms.discord import adapter, backfill
from bot.ports.transport import PlatformError
from bot.settings import Settings
from bot.settings.reading import load
from tests.contract.redis_server import free_port
from tests.fakes.discord import FakeDiscord, Person, pointed_at
from tests.fakes.discord_rest import Breaks
from tests.fakes.discord_state import MESSAGE_CONTENT, Channel
from tests.scenario.discord_house import words

OVER = 15.0
"""Seconds until a service has to be gone."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long before something is tried again, nor before a session begins."""

    async def at_once(client: discord.Client, shard_id: int | None, *, initial: bool = False) -> None:
        """Go on."""

    monkeypatch.setattr(discord.Client, "before_identify_hook", at_once)
    monkeypatch.setattr(adapter, "FIRST_TRY", 0.05)
    monkeypatch.setattr(backfill, "FIRST_TRY", 0.05)


def settings_of(fake: FakeDiscord, folder: Path, text: str = "", **given: str) -> Settings:
    """What `greenroom run` reads in that folder, from a file with that text too; a variable that is "" is not there."""
    file = folder / "greenroom.yaml"
    file.write_text(text)
    env = {
        "DISCORD_TOKEN": fake.token,
        "GREENROOM_MODEL__NAME": "rehearsal",
        "GREENROOM_MODEL__PAUSE": "0.01",
        "GREENROOM_STORE__PATH": str(folder / "state.db"),
        **given,
    }
    return load(file, {name: value for name, value in env.items() if value})


@asynccontextmanager
async def greenroom(
    settings: Settings, fake: FakeDiscord, has_begun: Callable[[], object] | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """The service at work, connected to Discord or as told; it gets SIGTERM at the end of the block, and has to go."""
    has_begun = has_begun or (lambda: fake.gateway.sessions)
    with pointed_at(fake), _signals():
        running = asyncio.create_task(service.run(settings))
        try:
            await fake.until(lambda: has_begun() or running.done(), "a connection", 10.0)
            yield running
            if not running.done():
                os.kill(os.getpid(), signal.SIGTERM)
            async with asyncio.timeout(OVER):
                await running
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, PlatformError):
                await running


@contextmanager
def _signals() -> Iterator[None]:
    """What signals do is afterwards as it was before."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, handler)


def place(fake: FakeDiscord, *, shard: int = 0, of: int = 1) -> tuple[Person, Channel]:
    """Somebody, and where they talk."""
    ada = fake.person("ada")
    return ada, fake.channel(fake.guild(f"Acme {shard}", ada, shard=shard, of=of), "general")


def posts(fake: FakeDiscord, room: Channel) -> list[str]:
    return [f"{seen.author}: {words(seen)}" for seen in fake.seen(room) if seen.message.author is fake.me]


def greeted(fake: FakeDiscord, room: Channel) -> list[str]:
    """Who has greeted there, in order."""
    return [found[1] for text in posts(fake, room) if (found := re.search(r"I am \*\*(\w+)", text))]


async def test_from_a_token_to_an_answer_and_to_a_good_end(tmp_path: Path) -> None:
    async with FakeDiscord() as fake:
        ada, general = place(fake)
        async with greenroom(settings_of(fake, tmp_path), fake):
            ada.says(general, "*architect")
            await fake.until(lambda: posts(fake, general), "a greeting")
            ada.says(general, "What do we need?")
            await fake.until(lambda: len(posts(fake, general)) == 2 and "…" not in posts(fake, general)[-1], "a reply")
        assert all("Winston: " in text for text in posts(fake, general))
        assert fake.gateway.connections == []


async def test_what_is_said_while_it_restarts_is_answered_once(tmp_path: Path) -> None:
    async with FakeDiscord() as fake:
        ada, general = place(fake)
        settings = settings_of(fake, tmp_path)
        async with greenroom(settings, fake):
            ada.says(general, "*architect")
            await fake.until(lambda: posts(fake, general), "a greeting")
        ada.says(general, "*pm")
        first = fake.channel(general.guild, "first") if general.guild else general
        ada.says(first, "*sm")
        for number in range(2):
            async with greenroom(settings, fake):
                await fake.until(lambda: greeted(fake, first) == ["Bob"], "the greeting in the other channel")
                await fake.until(lambda: greeted(fake, general) == ["Winston", "John"], "the other greeting")
                ada.says(general, f"*no-such-{number}-at-all")
                await fake.until(lambda n=number: f"no-such-{n}" in posts(fake, general)[-1], "an answer")  # type: ignore[misc]
            assert (greeted(fake, first), greeted(fake, general)) == (["Bob"], ["Winston", "John"])


@pytest.mark.parametrize(
    ("given", "words_of_it"),
    [
        ({"DISCORD_TOKEN": ""}, "No platform to run on: set SLACK_BOT_TOKEN .* or DISCORD_TOKEN"),
        ({"DISCORD_TOKEN": "a-wrong-one"}, "Discord does not take DISCORD_TOKEN: copy the bot's token"),
    ],
)
async def test_what_it_cannot_begin_with_is_told_in_words(
    given: dict[str, str], words_of_it: str, tmp_path: Path
) -> None:
    async with FakeDiscord() as fake:
        with pytest.raises(PlatformError, match=words_of_it) as found:
            async with greenroom(settings_of(fake, tmp_path, **given), fake):
                pass
        assert "a-wrong-one" not in str(found.value)


async def test_without_the_intent_it_says_what_to_switch_on_and_ends(tmp_path: Path) -> None:
    async with FakeDiscord() as fake:
        fake.forbid_intent(MESSAGE_CONTENT)
        with pytest.raises(PlatformError, match="switch on the Message Content Intent in the Developer Portal"):
            async with greenroom(settings_of(fake, tmp_path), fake) as running:
                await asyncio.wait_for(running, OVER)


async def test_a_discord_that_does_not_answer_at_the_start_is_told(tmp_path: Path) -> None:
    async with FakeDiscord() as fake:
        fake.order("GET", "/users/@me", Breaks(503))
        with pytest.raises(PlatformError, match="Discord cannot be reached: 503"):
            async with greenroom(settings_of(fake, tmp_path), fake):
                pass


async def test_its_health_tells_whether_it_is_connected_and_why_not(tmp_path: Path) -> None:
    port = free_port()

    def look() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    async with FakeDiscord() as fake:
        settings = settings_of(fake, tmp_path, GREENROOM_HEALTH__LISTEN=f"127.0.0.1:{port}")
        async with greenroom(settings, fake):
            await _until_told(look, 200, "platform discord")
            fake.gateway.is_open = False
            fake.gateway.cut()
            await _until_told(look, 503, "the connection to Discord is away (shard 0), and is being made again")
            fake.gateway.is_open = True
            await _until_told(look, 200, "platform discord")


async def _until_told(look: object, status: int, text: str) -> None:
    assert callable(look)
    told = (0, "")
    async with asyncio.timeout(10.0):
        while told[0] != status or text not in told[1]:
            told = await asyncio.to_thread(look)


# ---------------------------------------------------------------- shards


async def test_with_auto_as_many_shards_as_discord_recommends_hear_all_servers(tmp_path: Path) -> None:
    async with FakeDiscord(shards=2) as fake:
        rooms = [place(fake, shard=shard, of=2) for shard in range(2)]
        async with greenroom(settings_of(fake, tmp_path), fake):
            await fake.until(lambda: len(fake.gateway.sessions) == 2, "both shards", 10.0)
            for ada, room in rooms:
                ada.says(room, "*architect")
            for _, room in rooms:
                await fake.until(lambda room=room: posts(fake, room), "a greeting")  # type: ignore[misc]
        assert sorted(body["shard"] for body in fake.gateway.identified) == [[0, 2], [1, 2]]


async def test_a_process_with_one_shard_of_two_hears_and_catches_up_its_servers_alone(tmp_path: Path) -> None:
    async with FakeDiscord(shards=2) as fake:
        (ada, other), (bob, room) = (place(fake, shard=shard, of=2) for shard in range(2))
        settings = settings_of(fake, tmp_path, "discord:\n  shards: {count: 2, ids: [1]}\n")
        dm = ada.opens_dm()
        for place_ in (other, dm):
            ada.says(place_, "*pm")
        bob.says(room, "*pm")
        async with greenroom(settings, fake):
            await fake.until(lambda: posts(fake, room), "a greeting")
            for person, place_ in ((ada, other), (ada, dm), (bob, room)):
                person.says(place_, "*architect")
            await fake.until(lambda: len(posts(fake, room)) == 2, "another greeting")
        assert posts(fake, other) == posts(fake, dm) == []
        assert [body["shard"] for body in fake.gateway.identified] == [[1, 2]]
        assert fake.called("GET", f"/channels/{other.id}/messages") == []
