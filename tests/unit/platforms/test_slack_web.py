"""Calls of Slack's Web API over the real SDK: limits, repeats, what Slack refuses, and what nobody knows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web as http

from bot.platforms.slack import web
from bot.platforms.slack.web import RefusedError, UnansweredError, Web
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Cut, Fault, Limited, Says, Slow, Status
from tests.fakes.slack_state import Room


@asynccontextmanager
async def workspace(**how: Any) -> AsyncIterator[tuple[FakeSlack, Web]]:
    async with FakeSlack(**how) as fake, web.opened(fake.ws.bot_token, fake.api) as calls:
        yield fake, calls


@asynccontextmanager
async def answering(status: int, body: str, headers: Mapping[str, str]) -> AsyncIterator[tuple[Web, list[str]]]:
    """The API of a server that answers the first call so, and all further ones well; and what was called."""
    called: list[str] = []

    async def answer(request: http.Request) -> http.Response:
        called.append(request.path)
        if len(called) > 1:
            return http.json_response({"ok": True, "n": len(called)})
        return http.Response(status=status, text=body, headers=headers, content_type="application/json")

    app = http.Application()
    app.router.add_route("*", "/api/{method}", answer)
    runner = http.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await http.TCPSite(runner, "127.0.0.1", 0).start()
        async with web.opened("xoxb-1", f"http://127.0.0.1:{runner.addresses[0][1]}/api/") as calls:
            yield calls, called
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.platforms.sending.WAITS", (0.01, 0.02))


@pytest.mark.parametrize("level", [logging.WARNING, logging.DEBUG])
async def test_the_sdk_writes_calls_out_only_where_somebody_reads_that(
    caplog: pytest.LogCaptureFixture, level: int
) -> None:
    with caplog.at_level(level):
        async with workspace() as (_, calls):
            await calls.call("auth.test")
            assert calls.client.logger.level == level

    assert ("auth.test" in caplog.text) == (level == logging.DEBUG)


# ---------------------------------------------------------------- limits


async def test_every_method_that_is_limited_goes_on_after_the_time_that_slack_names() -> None:
    async with workspace() as (fake, calls):
        alice = fake.user("alice")
        general = fake.channel("general", [alice])
        root = await fake.says(alice, general, "root")
        posted = (await calls.call("chat.postMessage", channel=general.id, text="posted"))["ts"]
        streamed = await begun(calls, fake, general, root, alice.id)
        used: dict[str, dict[str, Any]] = {
            "auth.test": {},
            "apps.connections.open": {"app_token": fake.ws.app_token},
            "chat.postMessage": {"channel": general.id, "text": "more"},
            "chat.postEphemeral": {"channel": general.id, "user": alice.id, "text": "psst"},
            "chat.delete": {"channel": general.id, "ts": posted},
            "chat.appendStream": {"channel": general.id, "ts": streamed, "markdown_text": "on"},
            "chat.stopStream": {"channel": general.id, "ts": await begun(calls, fake, general, root, alice.id, "a")},
            "assistant.threads.setStatus": {"channel_id": general.id, "thread_ts": root, "status": "is thinking"},
            "conversations.history": {"channel": general.id},
            "conversations.replies": {"channel": general.id, "ts": root},
            "conversations.members": {"channel": general.id},
            "conversations.info": {"channel": general.id},
            "conversations.open": {"users": [alice.id]},
            "users.conversations": {},
            "users.info": {"user": alice.id},
            "files.getUploadURLExternal": {"filename": "a.md", "length": 3},
        }
        for method in used:
            fake.faults.order(method, Limited(1))
        fake.calls.clear()
        began = time.monotonic()
        answers = await asyncio.gather(*(calls.call(method, **arguments) for method, arguments in used.items()))
        assert time.monotonic() - began >= 1.0
        assert all(answer["ok"] for answer in answers)
        for method in used:
            assert [call.error for call in fake.calls if call.method == method] == ["ratelimited", ""], method


async def begun(calls: Web, fake: FakeSlack, room: Room, root: str, user: str, text: str = "") -> str:
    words: dict[str, Any] = {"markdown_text": text} if text else {}
    who: dict[str, Any] = {"recipient_user_id": user, "recipient_team_id": fake.ws.team}
    return str((await calls.call("chat.startStream", channel=room.id, thread_ts=root, **who, **words))["ts"])


async def test_what_waits_for_a_channels_limit_keeps_its_order_and_holds_up_no_other_channel() -> None:
    async with workspace() as (fake, calls):
        slow, free = fake.channel("slow"), fake.channel("free")
        fake.faults.order("chat.postMessage", Limited(1))

        async def post(room: Room, text: str) -> None:
            await calls.call("chat.postMessage", where=room.id, channel=room.id, text=text)

        waiting = [asyncio.create_task(post(slow, f"slow {number}")) for number in range(5)]
        await fake.until(lambda: fake.calls, "the limit")
        await post(free, "free")
        assert [seen.text for seen in fake.seen(slow)] == [] and [seen.text for seen in fake.seen(free)] == ["free"]
        await asyncio.gather(*waiting)
        assert [seen.text for seen in fake.seen(slow)] == [f"slow {number}" for number in range(5)]
        assert len(fake.called("chat.postMessage")) == 7


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}, {"Retry-After": "0"}])
async def test_a_limit_without_a_time_is_waited_for_a_while_too(
    headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "LEAST_WAIT", 0.2)
    async with answering(429, '{"ok": false, "error": "ratelimited"}', headers) as (calls, called):
        began = time.monotonic()
        assert await calls.call("auth.test") == {"ok": True, "n": 2}
        assert time.monotonic() - began >= 0.2 and len(called) == 2


# ---------------------------------------------------------------- what nobody knows


UNKNOWN: list[Fault] = [Status(500), Status(503, "after"), Cut(), Cut("after"), Says("internal_error"), Slow(0.5)]


@pytest.mark.parametrize("fault", UNKNOWN, ids=repr)
async def test_what_may_have_taken_effect_is_not_repeated_by_itself(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "TIMEOUT", 0.2)
    async with workspace() as (fake, calls):
        general = fake.channel("general")
        fake.faults.order("chat.postMessage", fault)
        with pytest.raises(UnansweredError, match=r"^chat\.postMessage: "):
            await calls.call("chat.postMessage", channel=general.id, text="hello")
        assert len(fake.calls) <= 1


@pytest.mark.parametrize("fault", UNKNOWN, ids=repr)
async def test_what_does_no_harm_is_repeated_until_an_answer_comes(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "TIMEOUT", 0.2)
    async with workspace() as (fake, calls):
        alice = fake.user("alice")
        fake.faults.order("users.info", fault, 2)
        assert (await calls.call("users.info", again=True, user=alice.id))["user"]["name"] == "alice"
        fake.faults.order("users.info", fault, None)
        with pytest.raises(UnansweredError):
            await calls.call("users.info", again=True, user=alice.id)


@pytest.mark.parametrize(
    ("status", "body"), [(200, "<html>"), (502, "<html>"), (200, "[]"), (200, ""), (404, "no such page"), (200, "null")]
)
async def test_an_answer_that_is_not_slacks_is_none(status: int, body: str) -> None:
    async with answering(status, body, {}) as (calls, _):
        with pytest.raises(UnansweredError, match=r"^auth\.test: "):
            await calls.call("auth.test")


async def test_a_slack_that_is_not_there_does_not_answer() -> None:
    async with web.opened("xoxb-1", "http://127.0.0.1:9/api/") as calls:
        with pytest.raises(UnansweredError, match=r"^auth\.test: .*127\.0\.0\.1"):
            await calls.call("auth.test")


# ---------------------------------------------------------------- what Slack refuses


async def test_a_refusal_tells_slacks_word_and_the_scope_that_is_missing() -> None:
    async with workspace(scopes=frozenset({"channels:history"})) as (fake, calls):
        general = fake.channel("general")
        with pytest.raises(
            RefusedError, match=r"chat\.postMessage: missing_scope \(needs the scope chat:write\)"
        ) as found:
            await calls.call("chat.postMessage", again=True, channel=general.id, text="hello")
        assert (found.value.code, found.value.needed) == ("missing_scope", "chat:write")
        assert len(fake.called("chat.postMessage")) == 1, "a refusal is not repeated"


async def test_a_token_that_is_no_longer_good_is_told_once_until_it_is_good_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with workspace() as (fake, calls):
        for error in ("token_revoked", None, "account_inactive"):
            fake.ws.token_error = error
            for _ in range(3):
                if error:
                    with pytest.raises(RefusedError, match=error):
                        await calls.call("auth.test")
                else:
                    await calls.call("auth.test")
            assert calls.revoked == (error or "")
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert [("(token_revoked)" in line, "(account_inactive)" in line) for line in told] == [
        (True, False),
        (False, True),
    ]
    assert all("install the app again, set SLACK_BOT_TOKEN" in line for line in told)


async def test_what_is_wrong_with_the_app_token_says_nothing_about_the_bots(caplog: pytest.LogCaptureFixture) -> None:
    async with workspace() as (fake, calls):
        with pytest.raises(RefusedError, match="invalid_auth"):
            await calls.call("apps.connections.open", app_token="xapp-wrong")
        assert calls.revoked == ""
        fake.ws.token_error = "token_revoked"
        with pytest.raises(RefusedError):
            await calls.call("auth.test")
        fake.ws.token_error = None
        await calls.call("apps.connections.open", app_token=fake.ws.app_token)
        assert calls.revoked == "token_revoked", "only the bot's own token shows that it is good again"
    assert len([r for r in caplog.records if r.levelno == logging.ERROR]) == 1


# ---------------------------------------------------------------- lists


async def test_lists_are_read_to_their_end_page_by_page() -> None:
    async with workspace() as (fake, calls):
        rooms = [fake.channel(f"room-{number}").id for number in range(5)]
        pages = calls.pages("users.conversations", "channels", types="public_channel", limit=2)
        assert [channel["id"] async for channel in pages] == rooms
        assert len(fake.called("users.conversations")) == 3
