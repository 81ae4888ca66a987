"""Discord, both ways: the connection on which it tells things, and the parts that take them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord

from bot.platforms.discord.avatars import Avatars
from bot.platforms.discord.backfill import Backfill
from bot.platforms.discord.gateway import Gateway, Watch
from bot.platforms.discord.hooks import Hooks
from bot.platforms.discord.interactions import Desk
from bot.platforms.discord.listening import EventHandler
from bot.platforms.discord.messages import Me
from bot.platforms.discord.options import DiscordOptions
from bot.platforms.discord.places import Places
from bot.platforms.discord.posting import Poster
from bot.platforms.discord.streaming import Previews
from bot.platforms.discord.transport import DiscordTransport
from bot.platforms.discord.web import RefusedError, UnansweredError, Web
from bot.platforms.discord.web import opened as web_opened
from bot.platforms.reaching import UnreachableError
from bot.ports.library import Library
from bot.ports.transport import InboundGateway, PlatformError

log = logging.getLogger(__name__)

FIRST_TRY, LATEST_TRY = 1.0, 120.0
"""Seconds after which a connection that failed is made anew: they double from the first to the latest. Discord lets a
bot begin 1,000 sessions a day (docs, session start limit)."""

CANCEL_AGAIN = 3.0
"""Seconds after which a task that was cancelled, and is not over, is cancelled once more."""

STEADY = 60.0
"""Seconds after which a connection counts as good."""

LOOKS = (1.0, 10.0, 30.0)
"""Seconds before each look whether a token that Discord has refused in a call is refused for good. A bot is to stop
calling then (docs, rate limits, invalid requests)."""

REFUSED_LOGIN = (
    "Discord does not take DISCORD_TOKEN: copy the bot's token from the Developer Portal, your application, Bot, "
    "Reset Token"
)
NO_CONTENT = (
    "Discord does not let the bot read what people write: switch on the Message Content Intent in the Developer "
    "Portal, your application, Bot, Privileged Gateway Intents"
)
CLOSED = {
    4004: REFUSED_LOGIN,
    4010: "Discord does not know such a shard: the ids in discord.shards have to be below its count",
    4011: "Discord wants more shards, for the bot is in too many guilds: set discord.shards to auto or a higher count",
    4013: "Discord does not know the intents that this version of the bot asks for: update it",
    4014: NO_CONTENT,
}
"""What Discord closes a connection with where making it again would not help (docs, gateway close event codes)."""


class DiscordAdapter:
    """A `bot.ports.transport.Adapter` for one application, with all its guilds or those of some shards."""

    name = "discord"

    def __init__(self, web: Web, me: Me, options: DiscordOptions) -> None:
        self._web, self._me, self._options = web, me, options
        hooks = Hooks(web, me.application, options.host.name)
        box = Poster(web, me, hooks, Avatars(web, me.application, wanted=options.avatars))
        self._previews = Previews(box)
        self.transport = DiscordTransport(web, box, self._previews)
        self._client: Gateway | None = None
        self._missed: Backfill | None = None
        self._why = "Discord has not been connected yet"

    def trouble(self) -> str:
        """Why nothing comes from Discord just now; "" while it does."""
        if self._web.revoked:
            return "Discord no longer takes the bot's token"
        away = self._client.away() if self._client else None
        if away is None:
            return self._why
        shards = ", ".join(map(str, away))
        return f"the connection to Discord is away (shard {shards}), and is being made again" if away else ""

    @property
    def is_behind(self) -> bool:
        """Whether something may have been missed that was not looked for yet."""
        return self._missed is not None and self._missed.is_behind

    async def serve(self, gateway: InboundGateway, library: Library) -> None:
        """Take what Discord tells, until cancelled; connections that break are made again. Raises PlatformError."""
        places = Places(self._web)
        desk = Desk(self._web, self._me, places, gateway, library)
        answering: set[asyncio.Task[None]] = set()

        def asked(interaction: discord.Interaction[Any]) -> None:
            task = asyncio.create_task(desk.take(interaction))
            answering.add(task)
            task.add_done_callback(answering.discard)

        handler = EventHandler(self._web, self._me, places, gateway, library, lambda where: missed.before(where))
        missed = Backfill(gateway, self._me, self._options.backfill, handler.missed, handler.forget_persons)
        self._missed = missed
        await missed.start()
        connection = self._stay_connected(lambda: Gateway(self._options, handler.told, asked, missed), missed)
        ways = [asyncio.create_task(work) for work in (connection, self._refused())]
        tasks = [*ways, *(asyncio.create_task(work) for work in (handler.listen(), missed.run(), desk.register()))]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        finally:
            await _cancelled(tasks)
            # What somebody has pressed is still taken and answered.
            await asyncio.gather(*tasks, *answering, return_exceptions=True)

    async def _stay_connected(self, made: Callable[[], Gateway], watch: Watch) -> None:
        delay = FIRST_TRY
        while True:
            began = time.monotonic()
            client = made()
            try:
                self._client = client
                await client.start(self._options.token)
                why = "the connection has ended"
            except discord.LoginFailure as error:
                raise PlatformError(REFUSED_LOGIN) from error
            except discord.PrivilegedIntentsRequired as error:
                raise PlatformError(NO_CONTENT) from error
            except discord.ConnectionClosed as error:
                if error.code in CLOSED:
                    raise PlatformError(CLOSED[error.code]) from error
                why = f"closed with code {error.code}"
            except Exception as error:
                # The library raises what it stumbles over: an event that it cannot read, for one.
                why = f"{type(error).__name__}: {error}"
                log.debug("the connection to Discord has failed", exc_info=True)
            finally:
                self._client = None
                watch.lost(client.shards)
                await client.close()
            if time.monotonic() - began > STEADY:
                delay = FIRST_TRY
            self._why = f"Discord cannot be connected: {why}"
            log.error("%s; trying again in %.0f s", self._why, delay)
            await asyncio.sleep(delay)
            delay = min(2 * delay, LATEST_TRY)

    async def _refused(self) -> None:
        """Watch the token, which can be reset while the connection stands. Raises PlatformError when it is no good."""
        while await self._web.refused.wait():
            looks = list(LOOKS)
            while looks and self._web.revoked:
                await asyncio.sleep(looks[0])
                try:
                    await self._web.call("GET", "/users/@me")
                except RefusedError as error:
                    if error.status == 401:
                        looks.pop(0)
                except UnansweredError as error:
                    log.debug("whether the bot's token is good cannot be told (%s)", error)
            if not looks:
                raise PlatformError(REFUSED_LOGIN)

    async def close(self) -> None:
        """End what is being shown."""
        await self._previews.close()


@asynccontextmanager
async def opened(options: DiscordOptions) -> AsyncIterator[DiscordAdapter]:
    """The adapter, when Discord knows the bot's token. Raises PlatformError."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    client = discord.Client(intents=discord.Intents(guilds=True))
    try:
        try:
            await client.login(options.token)
        except discord.LoginFailure as error:
            raise PlatformError(REFUSED_LOGIN) from error
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnreachableError(f"Discord cannot be reached: {error}") from error
        if client.user is None or client.application_id is None:
            raise PlatformError("Discord does not tell which bot DISCORD_TOKEN is of")
        me = Me(str(client.user.id), str(client.application_id))
        async with web_opened(client.http) as web:
            adapter = DiscordAdapter(web, me, options)
            try:
                yield adapter
            finally:
                await adapter.close()
    finally:
        await client.close()


async def _cancelled(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel the tasks until they are over: while it connects, the library now and then swallows a cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN)
