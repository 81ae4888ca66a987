"""A proxy that cannot be, or that lets nobody through, is a failure of its own, and no fault of the message."""

from __future__ import annotations

import asyncio

import pytest

from bot.app import SystemClock
from bot.core.prompt import Block, Message, Prompt
from bot.models.anthropic import AnthropicModel
from bot.models.options import ModelOptions
from bot.ports.model import ModelError

ASKED = Prompt("pm", ("x",), (), (Message("user", (Block('{"type":"text","text":"hi"}'),)),))


async def no_piece(_: str) -> None:
    raise AssertionError("nobody answers")


@pytest.mark.parametrize("proxy", [":::bad", "http://host:port", "http://[::1"])
async def test_a_senseless_proxy_is_told_as_one(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    model = AnthropicModel(ModelOptions("opus", retry=0.1), "k", SystemClock())
    with pytest.raises(ModelError) as caught:
        await model.reply(ASKED, no_piece)
    assert caught.value.reason == "proxy"
    await model.close()


async def test_a_proxy_that_wants_a_password_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n"
            b"Connection: close\r\n\r\n"
        )
        await writer.drain()
        writer.close()

    proxy = await asyncio.start_server(refuses, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    for scheme in ("http", "https"):
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", address)
        options = ModelOptions("opus", retry=0.1, base_url=f"{scheme}://model.example")
        model = AnthropicModel(options, "k", SystemClock())
        with pytest.raises(ModelError) as caught:
            await model.reply(ASKED, no_piece)
        assert caught.value.reason == "proxy", scheme
        await model.close()
    proxy.close()
    await proxy.wait_closed()
