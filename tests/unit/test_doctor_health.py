"""What the doctor says of the health port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.doctor.finding import Case, Finding
from bot.doctor.running import check_health, said
from bot.settings import Settings
from bot.settings.keys import HealthSettings
from tests.contract.redis_server import free_port


async def looked(listen: str) -> list[Finding]:
    return list(await check_health(Case(Settings(health=HealthSettings(listen=listen)), {})))


@asynccontextmanager
async def somebody_else() -> AsyncIterator[str]:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_port_of_somebody_else_is_a_problem() -> None:
    async with somebody_else() as listen:
        (found,) = await looked(listen)
    assert found.level == "problem" and f"{listen} is in use" in found.says


async def test_a_port_that_is_held_and_silent_is_a_problem() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        (found,) = await looked(f"127.0.0.1:{held.getsockname()[1]}")
    assert found.level == "problem" and "is in use" in found.says


async def test_a_free_port_is_fine_and_an_address_of_another_machine_is_not() -> None:
    assert [f.level for f in await looked(f"127.0.0.1:{free_port()}")] == ["ok"]
    (found,) = await looked("192.0.2.1:8080")
    assert found.level == "problem" and "cannot be listened on" in found.says


def test_what_does_not_hold_at_the_bot_at_work_is_told_with_its_name() -> None:
    checks = {"worker": {"ok": True, "says": "working"}, "platform slack": {"ok": False, "says": "no connection"}}
    found = said("127.0.0.1:1", {"ready": False, "checks": checks})
    assert [(f.level, f.says) for f in found[1:]] == [("problem", "the bot at work: platform slack: no connection")]
