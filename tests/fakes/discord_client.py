"""Clients for the fake of Discord: the real library, written along, and bare requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import discord

from tests.fakes.discord import FakeDiscord


@dataclass(slots=True)
class Heard:
    """What a client was told."""

    messages: list[discord.Message] = field(default_factory=list)
    edits: list[discord.RawMessageUpdateEvent] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    interactions: list[discord.Interaction[Any]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [each.content for each in self.messages]


def intents(*, content: bool = True) -> discord.Intents:
    """The library's usual intents, with or without the words of messages."""
    wanted = discord.Intents.default()
    wanted.message_content = content
    return wanted


def listen(client: discord.Client) -> Heard:
    """Write down what a client is told, and let it identify without the library's wait of 5 s."""
    heard = Heard()

    async def on_message(message: discord.Message) -> None:
        heard.messages.append(message)

    async def on_raw_message_edit(event: discord.RawMessageUpdateEvent) -> None:
        heard.edits.append(event)

    async def on_raw_message_delete(event: discord.RawMessageDeleteEvent) -> None:
        heard.deleted.append(event.message_id)

    async def on_raw_bulk_message_delete(event: discord.RawBulkMessageDeleteEvent) -> None:
        heard.deleted.extend(sorted(event.message_ids))

    async def on_interaction(interaction: discord.Interaction[Any]) -> None:
        heard.interactions.append(interaction)

    async def on_socket_event_type(name: str) -> None:
        heard.others.append(name)

    async def before_identify_hook(shard_id: int | None, *, initial: bool = False) -> None:
        """The library waits 5 s here; a test has no time."""

    for each in (on_message, on_raw_message_edit, on_raw_message_delete, on_raw_bulk_message_delete, on_interaction):
        client.event(each)
    client.event(on_socket_event_type)
    client.before_identify_hook = before_identify_hook  # type: ignore[method-assign]
    return heard


@asynccontextmanager
async def online(
    fake: FakeDiscord, client: discord.Client | None = None, *, wait: bool = True
) -> AsyncIterator[tuple[discord.Client, Heard]]:
    """A client that is logged in and has its guilds."""
    client = client or discord.Client(intents=intents(), guild_ready_timeout=0.05)
    heard = listen(client)
    running = asyncio.create_task(client.start(fake.token))
    try:
        if wait:
            await fake.until(lambda: client.is_ready() or running.done(), "a client that is ready")
            if running.done():
                running.result()
        yield client, heard
    finally:
        await client.close()
        await asyncio.gather(running, return_exceptions=True)


async def ask(
    fake: FakeDiscord, method: str, path: str, body: object = None, *, token: str | None = "", kind: str = ""
) -> tuple[int, Any]:
    """One bare request: the status, and the answer's JSON."""
    headers = {} if token is None else {"Authorization": f"Bot {token or fake.token}"}
    data = None if body is None else json.dumps(body)
    if data is not None:
        headers["Content-Type"] = kind or "application/json"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, fake.api + path, data=data, headers=headers) as response,
    ):
        raw = await response.read()
        return response.status, json.loads(raw) if raw and response.content_type == "application/json" else None
