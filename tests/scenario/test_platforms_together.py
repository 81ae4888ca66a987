"""Slack and Discord in one process: what ends one of them for good leaves the other one at work."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import discord
import pytest

from bot import service
from bot.platforms.discord import adapter
from bot.ports.transport import PlatformError
from bot.runtime import worker
from tests.contract.redis_server import free_port
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord import Person as DiscordPerson
from tests.fakes.discord_state import MESSAGE_CONTENT, Channel
from tests.fakes.proxy import FakeProxy
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Status
from tests.fakes.slack_state import Person, Room
from tests.scenario.slack_house import subscribed
from tests.scenario.test_discord_service import greenroom, greeted, place, posts, settings_of

SOON = 10.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long before something is tried again, nor before a session begins."""

    async def at_once(client: discord.Client, shard_id: int | None, *, initial: bool = False) -> None:
        """Go on."""

    monkeypatch.setattr(discord.Client, "before_identify_hook", at_once)
    monkeypatch.setattr(adapter, "FIRST_TRY", 0.05)
    monkeypatch.setattr(adapter, "LOOKS", (0.01, 0.02, 0.02))
    monkeypatch.setattr(worker, "AWAY", 0.1)


@dataclass(slots=True)
class Both:
    """The service on both fakes, and somebody on each."""

    slack: FakeSlack
    discord: FakeDiscord
    alice: Person
    room: Room
    ada: DiscordPerson
    general: Channel
    running: asyncio.Task[None]
    health: int
    log: pytest.LogCaptureFixture

    async def slack_answers(self) -> None:
        """Somebody calls a persona on Slack, and it comes."""
        before = len(self.slack.seen(self.room))
        await self.slack.says(self.alice, self.room, "*architect")
        await self.slack.until(lambda: len(self.slack.seen(self.room)) == before + 2, "a greeting on Slack", SOON)

    async def discord_answers(self) -> None:
        before = len(posts(self.discord, self.general))
        self.ada.says(self.general, "*architect")
        await self.discord.until(lambda: len(posts(self.discord, self.general)) > before, "a greeting", SOON)

    def told(self, text: str) -> list[str]:
        return [r.getMessage() for r in self.log.records if text in r.getMessage() and r.levelno >= logging.ERROR]

    def ready(self) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health}/readyz", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@asynccontextmanager
async def _behind(proxy: FakeProxy | None) -> AsyncIterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        if proxy:
            environment.setenv("HTTPS_PROXY", proxy.url)
        yield


@asynccontextmanager
async def both(
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    socket: bool = True,
    away: bool = False,
    proxy: FakeProxy | None = None,
    **given: str,
) -> AsyncIterator[Both]:
    """`away`: Slack does not answer at first. With a `proxy`, the environment names it."""
    async with FakeSlack(events=subscribed()) as slack, FakeDiscord() as there, _behind(proxy):
        slack.ws.socket_mode = socket
        ada, general = place(there)
        alice = slack.user("alice")
        room, port = slack.channel("general", [alice]), free_port()
        settings = settings_of(
            there,
            folder,
            SLACK_APP_TOKEN=slack.ws.app_token,
            GREENROOM_SLACK__API=slack.api,
            GREENROOM_HEALTH__LISTEN=f"127.0.0.1:{port}",
            **{"SLACK_BOT_TOKEN": slack.ws.bot_token, **given},
        )
        if away:
            slack.faults.order("auth.test", Status(503, "before"), None)
        has_begun = (lambda: slack.dispatch.connections) if "DISCORD_TOKEN" in given else None
        async with greenroom(settings, there, has_begun) as running:
            if socket and not away and not (proxy and proxy.refuses):
                await slack.until(lambda: slack.dispatch.connections, "a connection to Slack", SOON)
            yield Both(slack, there, alice, room, ada, general, running, port, caplog)


def reset(house: Both) -> None:
    """Somebody resets the bot's token: Discord ends its sessions."""
    house.discord.world.token = "another"
    house.discord.gateway.forget_sessions()
    house.discord.gateway.cut()


def refused(house: Both) -> None:
    """The token is reset, and the connection stands for now: calls are refused."""
    house.discord.world.token = "another"
    house.ada.says(house.general, "*pm")


def forbidden(house: Both) -> None:
    """The intent is taken away, and the session with it."""
    house.discord.forbid_intent(MESSAGE_CONTENT)
    house.discord.gateway.invalidate()


TOKEN, INTENT = "Discord does not take DISCORD_TOKEN", "switch on the Message Content Intent"


@pytest.mark.parametrize(("deed", "why"), [(reset, TOKEN), (refused, TOKEN), (forbidden, INTENT)])
async def test_what_ends_discord_for_good_leaves_slack_at_work_and_is_told_once(
    deed: Callable[[Both], None], why: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with both(tmp_path, caplog) as house:
        await house.slack_answers()
        await house.discord_answers()
        deed(house)
        await house.discord.until(lambda: house.told("discord has ended"), "the end of Discord", SOON)
        (line,) = house.told("discord has ended")
        assert why in line and line.endswith("Still serving on slack")
        await house.slack_answers()
        status, says = await asyncio.to_thread(house.ready)
        assert status == 503 and why in says and "platform slack" in says
        assert not house.running.done()
    assert house.running.done() and house.running.exception() is None


async def test_what_ends_slack_for_good_leaves_discord_at_work(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with both(tmp_path, caplog, socket=False) as house:
        await house.discord.until(lambda: house.told("slack has ended"), "the end of Slack", SOON)
        assert "Slack lets no connection be made with SLACK_APP_TOKEN" in house.told("slack has ended")[0]
        await house.discord_answers()
        status, says = await asyncio.to_thread(house.ready)
        assert status == 503 and "SLACK_APP_TOKEN" in says


async def test_a_token_that_slack_has_revoked_leaves_discord_at_work(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with both(tmp_path, caplog) as house:
        house.slack.ws.token_error = "token_revoked"  # an error code
        await house.slack.says(house.alice, house.room, "*architect")
        await house.discord_answers()
        assert not house.running.done()


async def test_when_the_last_platform_has_ended_the_service_ends_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def until_the_end() -> None:
        async with both(tmp_path, caplog, socket=False) as house:
            await house.discord.until(lambda: house.told("slack has ended"), "the end of Slack", SOON)
            forbidden(house)
            async with asyncio.timeout(SOON):
                await house.running

    with pytest.raises(PlatformError, match=INTENT):
        await until_the_end()


async def test_what_waits_on_a_platform_that_has_ended_is_answered_once_after_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with both(tmp_path, caplog) as house:
        fake, token = house.discord, house.discord.world.token
        refused(house)
        await fake.until(lambda: house.told("discord has ended"), "the end of Discord", SOON)
        await house.slack_answers()
        assert posts(fake, house.general) == []
        os.kill(os.getpid(), signal.SIGTERM)
        await house.running
        fake.world.token = token
        async with greenroom(settings_of(fake, tmp_path), fake):
            await fake.until(lambda: posts(fake, house.general), "a greeting", SOON)
            await house.discord_answers()
        assert greeted(fake, house.general) == ["John", "Winston"]


async def test_a_wrong_discord_token_at_the_start_leaves_slack_at_work(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with both(tmp_path, caplog, DISCORD_TOKEN="wrong") as house:
        await house.slack_answers()
        (line,) = house.told("discord is not served before a restart")
        assert TOKEN in line
        status, says = await asyncio.to_thread(house.ready)
        assert status == 503 and TOKEN in says and "platform discord" in says


async def test_a_wrong_slack_token_at_the_start_leaves_discord_at_work(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with both(tmp_path, caplog, socket=False, SLACK_BOT_TOKEN="xoxb-wrong") as house:
        await house.discord_answers()
        (line,) = house.told("slack is not served before a restart")
        assert "Slack does not take SLACK_BOT_TOKEN" in line


async def test_a_platform_that_could_not_be_reached_at_the_start_is_served_when_it_can_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FIRST_TRY", 0.1)
    async with both(tmp_path, caplog, away=True) as house:
        await house.discord_answers()
        assert "Slack cannot be reached" in house.told("slack is not served yet")[0]
        status, says = await asyncio.to_thread(house.ready)
        assert status == 503 and "Slack cannot be reached" in says
        house.slack.faults.heal("auth.test")
        await house.slack.until(lambda: house.slack.dispatch.connections, "a connection to Slack", SOON)
        await house.slack_answers()
        await house.discord_answers()
        _, says = await asyncio.to_thread(house.ready)
        assert '"platform slack": {"ok": true' in says


async def test_when_no_platform_can_be_begun_with_it_ends_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def until_the_end() -> None:
        async with both(tmp_path, caplog, socket=False, SLACK_BOT_TOKEN="xoxb-wrong", DISCORD_TOKEN="wrong"):
            pass

    with pytest.raises(PlatformError, match="Slack does not take SLACK_BOT_TOKEN"):
        await until_the_end()
