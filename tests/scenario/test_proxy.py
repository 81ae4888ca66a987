"""A proxy that wants a password on the way to the platforms: told as what it is, and nothing is lost for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import service
from bot.platforms.slack.web import UnansweredError, opened
from bot.stores.sqlite import SqliteStore
from tests.fakes.clock import ManualClock
from tests.fakes.proxy import FakeProxy
from tests.scenario.test_platforms_together import SOON, both
from tests.scenario.test_platforms_together import impatient as impatient

TOLD = "the proxy does not let this bot through (407): check HTTPS_PROXY, and the name and password in it"
PASSWORD = "hush-hush"


@pytest.fixture
async def proxy() -> AsyncIterator[FakeProxy]:
    async with FakeProxy(refuses=True) as server:
        yield server


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_call_that_the_proxy_refuses_says_so_and_shows_no_password(
    proxy: FakeProxy, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", f"://bot:{PASSWORD}@"))
    async with opened("xoxb-1", f"{scheme}://slack.example/api/") as web:
        with pytest.raises(UnansweredError) as caught:
            await web.call("auth.test")
    assert str(caught.value) == f"auth.test: {TOLD}"
    assert proxy.asked[0].startswith("CONNECT " if scheme == "https" else "POST http://slack.example/")


@pytest.mark.parametrize("given", [":::bad", "http://host:port", "http://[::1", "http://127.0.0.1:9"])
async def test_a_proxy_that_cannot_be_or_is_not_there_is_told_as_one(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", given)
    async with opened("xoxb-1", "https://slack.example/api/") as web:
        with pytest.raises(UnansweredError, match=r"proxy.*HTTPS_PROXY") as caught:
            await web.call("auth.test")
    assert given not in str(caught.value), "it may hold a password"


async def test_slack_behind_a_proxy_that_refuses_is_told_once_while_discord_is_served_and_nothing_is_lost(
    proxy: FakeProxy, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FIRST_TRY", 0.1)
    async with both(tmp_path, caplog, proxy=proxy) as house:
        (told,) = house.told("slack is not served yet")
        assert TOLD in told
        await house.discord_answers()
        status, says = await asyncio.to_thread(house.ready)
        assert status == 503 and TOLD in says
        proxy.refuses = False
        await house.slack.until(lambda: house.slack.dispatch.connections, "a connection to Slack", SOON)
        await house.slack_answers()

        proxy.refuses = True
        caplog.clear()
        proxy.hang_up()
        await house.slack.until(lambda: house.told("Slack cannot be connected"), "what the proxy does", SOON)
        assert all(TOLD in text for text in house.told("Slack cannot be connected"))
        await house.slack.says(house.alice, house.room, "*pm")
        await house.discord_answers()

        proxy.refuses = False
        await house.slack.until(lambda: len(house.slack.seen(house.room)) == 4, "what was asked meanwhile", SOON)
        await house.slack_answers()
        await house.slack.until(lambda: house.slack.dispatch.connections, "a connection to Slack", SOON)

        proxy.refuses = True
        proxy.hang_up(but="/link")  # what is said still comes, and nothing can be posted
        before = len(house.slack.seen(house.room))
        await house.slack.says(house.alice, house.room, "*architect")
        await house.slack.until(lambda: [m for m in caplog.messages if "has to wait" in m], "a try", SOON)
        await house.discord_answers()
        proxy.refuses = False
        await house.slack.until(lambda: len(house.slack.seen(house.room)) == before + 2, "the reply", SOON)
        assert all(TOLD in text for text in caplog.messages if "has to wait" in text)
        assert "Traceback" not in caplog.text and not any(record.exc_info for record in caplog.records)
    store = await SqliteStore.open(tmp_path / "state.db", clock=ManualClock())
    assert await store.dead() == ()
    await store.close()
    ours = house.slack.ws.url
    assert all(text.split(" ")[1].startswith(ours) for text in proxy.asked), "the connection to Discord is direct"
