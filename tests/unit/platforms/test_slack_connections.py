"""The port for Slack's calls stays open to Slack, whatever others do with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from bot.platforms.slack.connections import Connections, bounded

DEADLINE = 20.0
HEAD = b"POST /events HTTP/1.1\r\nHost: bot\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n"
CALL = HEAD + b"\r\n0123456789"
ANSWER = b"HTTP/1.1 200 OK"


@dataclass
class Port:
    """A port that answers a call, at once or when it is let."""

    connections: Connections
    number: int
    let: asyncio.Event
    begun: int = 0
    all_begun: asyncio.Event = field(default_factory=asyncio.Event)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def sends(self, data: bytes) -> asyncio.StreamReader:
        """Open a connection, send that, and leave it open."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.number)
        self.writers.append(writer)
        writer.write(data)
        await writer.drain()
        return reader

    async def close(self) -> None:
        for writer in self.writers:
            writer.close()


@asynccontextmanager
async def port(most: int = 20, per_peer: int = 10, patience: float = 60.0) -> AsyncIterator[Port]:
    connections = Connections(most, per_peer, patience)
    let = asyncio.Event()
    let.set()

    async def call(request: web.Request) -> web.Response:
        there.begun += 1
        if there.begun == most:
            there.all_begun.set()
        await let.wait()
        return web.Response(text=(await request.text())[::-1])

    app = web.Application(middlewares=[bounded])
    app.router.add_post("/events", call)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    speaking = runner.server
    assert speaking
    server = await asyncio.get_running_loop().create_server(lambda: connections.protocol(speaking()), "127.0.0.1", 0)
    there = Port(connections, server.sockets[0].getsockname()[1], let)
    try:
        yield there
    finally:
        let.set()
        await there.close()
        server.close()
        await runner.cleanup()


async def closed(reader: asyncio.StreamReader) -> bool:
    """Wait until the other side has closed it; whether nothing was said before."""
    async with asyncio.timeout(DEADLINE):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


@pytest.mark.parametrize("half", [b"", HEAD, HEAD + b"\r\n01234"])
async def test_a_request_that_never_ends_is_closed_and_the_log_says_so(
    half: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with port(patience=0.05) as there:
        assert await closed(await there.sends(half))
        assert len(there.connections) == 0
    (told,) = caplog.records
    assert "1 sent no whole request in 0 s, 0 made room" in told.getMessage() and "127.0.0.1" in told.getMessage()


async def test_a_call_that_comes_in_parts_is_answered_and_the_next_one_on_the_same_connection() -> None:
    async with port() as there:
        reader = await there.sends(CALL[:20])
        for part in (CALL[20:-5], CALL[-5:], CALL, CALL[:30], CALL[30:]):
            there.writers[0].write(part)
            await there.writers[0].drain()
            await asyncio.sleep(0.01)
        seen = b""
        async with asyncio.timeout(DEADLINE):
            while seen.count(b"9876543210") < 3:
                seen += await reader.read(4096)
        assert seen.count(ANSWER) == 3


@pytest.mark.parametrize(("most", "per_peer"), [(20, 0), (20, 10), (1000, 10)])
async def test_the_oldest_that_are_waited_for_make_room(
    most: int, per_peer: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with port(most, per_peer) as there:
        bound = per_peer or most
        halves = [await there.sends(HEAD) for _ in range(3 * bound)]
        for reader in halves[: 2 * bound]:
            assert await closed(reader)
        assert len(there.connections) == bound
        reader = await there.sends(CALL)
        async with asyncio.timeout(DEADLINE):
            assert (await reader.readline()).strip() == ANSWER
    (told,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "0 sent no whole request in 60 s, 1 made room" in told.getMessage()


async def test_what_is_being_answered_is_never_closed_for_others() -> None:
    async with port(most=10, per_peer=0) as there:
        there.let.clear()
        answered = [await there.sends(CALL) for _ in range(10)]
        async with asyncio.timeout(DEADLINE):
            await there.all_begun.wait()
        assert await closed(await there.sends(CALL)), "there is no room"
        there.let.set()
        for reader in answered:
            async with asyncio.timeout(DEADLINE):
                assert (await reader.readline()).strip() == ANSWER


async def test_a_client_that_keeps_its_connections_is_served_beyond_both_bounds() -> None:
    async with port(most=10, per_peer=5) as there, aiohttp.ClientSession() as session:

        async def call() -> str:
            async with session.post(f"http://127.0.0.1:{there.number}/events", data="abc") as answer:
                return await answer.text()

        for _ in range(5):
            assert await asyncio.gather(*(call() for _ in range(5))) == ["cba"] * 5
        assert len(there.connections) <= 5
