"""One connection of Socket Mode against a server that says what it likes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web as http

from bot.platforms.slack import socket, web
from bot.platforms.slack.arrival import Me
from bot.platforms.slack.event_source import bolt
from bot.platforms.slack.listening import AGAIN, TAKEN, Answer
from bot.platforms.slack.socket import Socket, connected
from bot.platforms.slack.web import UnansweredError, Web

ME = Me("UBOT", "BBOT", "T1", "A1")
Talk = Callable[[http.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def server(talk: Talk | int) -> AsyncIterator[Web]:
    """A server on which each connection gets an address of its own and is talked to so, or refused with a status."""
    opened: list[str] = []

    async def address(request: http.Request) -> http.Response:
        opened.append(f"ticket-{len(opened)}")
        host = request.host
        return http.json_response({"ok": True, "url": f"ws://{host}/link?ticket={opened[-1]}"})

    async def link(request: http.Request) -> http.StreamResponse:
        opened.remove(request.query["ticket"])
        if isinstance(talk, int):
            return http.Response(status=talk)
        ws = http.WebSocketResponse(timeout=0.2)
        await ws.prepare(request)
        await talk(ws)
        return ws

    app = http.Application()
    app.router.add_post("/api/apps.connections.open", address)
    app.router.add_get("/link", link)
    runner = http.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await http.TCPSite(runner, "127.0.0.1", 0).start()
        async with web.opened("xoxb-1", f"http://127.0.0.1:{runner.addresses[0][1]}/api/") as calls:
            yield calls
    finally:
        await runner.cleanup()


@asynccontextmanager
async def socket_to(talk: Talk | int, take: Callable[[Any], Awaitable[Answer]] | None = None) -> AsyncIterator[Socket]:
    """A connection to a server that talks so; `take` gets what comes."""

    async def taken(_body: Any) -> Answer:
        return TAKEN

    async with server(talk) as calls:
        found = await connected(calls, bolt(calls, ME, take or taken), "xapp-1")
        found.may_take.set()
        try:
            yield found
        finally:
            await found.leave()


def envelope(number: int, **payload: Any) -> str:
    return json.dumps({"type": "events_api", "envelope_id": f"e{number}", "payload": {"type": "x", **payload}})


async def greeted(ws: http.WebSocketResponse) -> None:
    await ws.send_json({"type": "hello", "num_connections": 1})


# ---------------------------------------------------------------- coming to be


async def test_a_handshake_that_is_refused_is_no_answer() -> None:
    async with server(429) as calls:
        with pytest.raises(UnansweredError, match=r"^Socket Mode: .*429"):
            await connected(calls, bolt(calls, ME, _never), "xapp-1")


async def test_a_server_that_does_not_greet_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "HELLO", 0.1)

    async def silent(ws: http.WebSocketResponse) -> None:
        async for _ in ws:
            raise AssertionError("nobody has anything to say here")

    async with server(silent) as calls:
        with pytest.raises(UnansweredError, match="Slack does not greet"):
            await connected(calls, bolt(calls, ME, _never), "xapp-1")


async def _never(_body: Any) -> Answer:
    raise AssertionError("nothing came")


# ---------------------------------------------------------------- what comes


async def test_only_what_was_taken_is_acknowledged_with_its_answer_and_the_rest_does_no_harm(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers = {"a": TAKEN, "b": AGAIN, "c": Answer(body={"response_action": "clear"}), "d": TAKEN}
    acknowledged: list[dict[str, Any]] = []

    async def talk(ws: http.WebSocketResponse) -> None:
        await greeted(ws)
        for strange in ("not JSON", "[]", "null", '{"type": "news"}', '{"type": "events_api", "envelope_id": "e0"}'):
            await ws.send_str(strange)
        await ws.send_bytes(b"\x00")
        for number, name in enumerate(answers):
            await ws.send_str(envelope(number, name=name))
        while len(acknowledged) < 3:
            acknowledged.append(await ws.receive_json(timeout=5))

    async def take(body: Any) -> Answer:
        return answers[body["name"]]

    async with socket_to(talk, take) as connection:
        async with asyncio.timeout(5):
            await connection.ending.wait()
    assert sorted(acknowledged, key=lambda ack: ack["envelope_id"]) == [
        {"envelope_id": "e0"},
        {"envelope_id": "e2", "payload": {"response_action": "clear"}},
        {"envelope_id": "e3"},
    ]
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == ["Slack sent something over Socket Mode that is no JSON object"] * 3


async def test_what_is_being_taken_when_the_connection_breaks_is_taken_and_not_acknowledged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    go_on, done = asyncio.Event(), asyncio.Event()

    async def talk(ws: http.WebSocketResponse) -> None:
        await greeted(ws)
        await ws.send_str(envelope(0))
        await asyncio.sleep(0.05)
        await ws.close()

    async def take(_body: Any) -> Answer:
        await go_on.wait()
        done.set()
        return TAKEN

    async with socket_to(talk, take) as connection:
        await connection.ending.wait()
        go_on.set()
        async with asyncio.timeout(5):
            await done.wait()
    assert connection.is_closed
    assert "a delivery could not be acknowledged" in caplog.text


async def test_leaving_waits_for_what_is_being_taken_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "GRACE", 0.1)
    begun = asyncio.Event()
    was_cancelled = False

    async def talk(ws: http.WebSocketResponse) -> None:
        await greeted(ws)
        await ws.send_str(envelope(0))
        async for _ in ws:
            raise AssertionError("it was never taken")

    async def take(_body: Any) -> Answer:
        nonlocal was_cancelled
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            was_cancelled = True
            raise
        return TAKEN

    async with socket_to(talk, take) as connection:
        await begun.wait()
        await connection.leave()
        assert was_cancelled and connection.is_closed and connection.ending.is_set()


async def test_a_server_that_no_longer_answers_pings_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "PING", 0.1)
    stop = asyncio.Event()

    async def deaf(ws: http.WebSocketResponse) -> None:
        await greeted(ws)
        await stop.wait()

    async with socket_to(deaf) as connection:
        async with asyncio.timeout(5):
            await connection.ending.wait()
        assert connection.is_closed
        stop.set()


async def closed_without_a_word(ws: http.WebSocketResponse) -> None:
    await ws.close()


async def told_that_there_are_too_many(ws: http.WebSocketResponse) -> None:
    await ws.send_json({"type": "disconnect", "reason": "too_many_websockets"})
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("talk", "why"),
    [(closed_without_a_word, "has closed the connection"), (told_that_there_are_too_many, "too_many_websockets")],
)
async def test_a_connection_that_ends_before_the_greeting_is_given_up_at_once(
    talk: Talk, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "HELLO", 3600.0)
    with pytest.raises(UnansweredError, match=why):
        async with socket_to(talk):
            pass
