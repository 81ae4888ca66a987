"""`greenroom run`: the bot as a service on all platforms that it has tokens for, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from pydantic import SecretStr

from bot.app import library_of, running, seldom_collecting
from bot.core.model import Voice
from bot.personas.library import Library
from bot.personas.lint import at_start
from bot.platforms.discord.options import DiscordOptions
from bot.platforms.reaching import UnreachableError
from bot.platforms.slack.options import SlackOptions
from bot.ports.transport import Adapter, InboundGateway, PlatformError
from bot.runtime.lease import ended
from bot.runtime.worker import Worker
from bot.settings import Settings

log = logging.getLogger(__name__)

NO_PLATFORM = (
    "No platform to run on: set SLACK_BOT_TOKEN with SLACK_APP_TOKEN (or SLACK_SIGNING_SECRET in mode http), "
    "or DISCORD_TOKEN, in the environment. `greenroom chat` needs none of them."
)


Opened = Callable[[], AbstractAsyncContextManager[Adapter]]

FIRST_TRY, LATEST_TRY = 1.0, 60.0
"""Seconds after which a platform that could not be reached at the start is tried again: they double."""


class Later:
    """A platform that could not be reached at the start; it is opened as soon as it can be."""

    def __init__(self, name: str, opened: Opened, why: PlatformError) -> None:
        self.name = name
        self._opened, self._why = opened, str(why)
        self._adapter: Adapter | None = None

    def trouble(self) -> str:
        """Why nothing comes from it just now; "" while it does."""
        return self._adapter.trouble() if self._adapter else self._why

    async def serve(self, gateway: InboundGateway, library: Library, begun: Callable[[Adapter], None]) -> None:
        """Open it, tell `begun`, and serve it until cancelled. Raises PlatformError."""
        delay = FIRST_TRY
        while True:
            await asyncio.sleep(delay)
            try:
                async with self._opened() as adapter:
                    self._adapter = adapter
                    begun(adapter)
                    log.warning("%s is reached now, and served", self.name)
                    return await adapter.serve(gateway, library)
            except UnreachableError as error:
                self._why, delay = str(error), min(2 * delay, LATEST_TRY)


@dataclass(frozen=True, slots=True)
class Platforms:
    """The adapters that are open, the platforms that are to be opened later, and why others never will be, by name."""

    adapters: tuple[Adapter, ...]
    later: tuple[Later, ...] = ()
    over: Mapping[str, str] = field(default_factory=dict)


@asynccontextmanager
async def platforms_of(settings: Settings) -> AsyncIterator[Platforms]:
    """The platforms that there are tokens for. Raises PlatformError where none of them can be opened now."""
    failed: dict[str, PlatformError] = {}
    later: list[Later] = []
    adapters: list[Adapter] = []
    async with AsyncExitStack() as stack:
        for name, opened in _openers(settings).items():
            try:
                adapters.append(await stack.enter_async_context(opened()))
            except PlatformError as error:
                failed[name] = error
                if isinstance(error, UnreachableError):
                    later.append(Later(name, opened, error))
        if not adapters:
            # One that may be reached later tells more than one that never can: a restart may help.
            raise next((e for e in failed.values() if isinstance(e, UnreachableError)), None) or next(
                iter(failed.values()), PlatformError(NO_PLATFORM)
            )
        over: dict[str, str] = {}
        for name, why in failed.items():
            if isinstance(why, UnreachableError):
                log.error("%s is not served yet, and is tried again while others are served: %s", name, why)
            else:
                over[name] = str(why)
                log.error("%s is not served before a restart, while others are: %s", name, why)
        yield Platforms(tuple(adapters), tuple(later), over)


def _openers(settings: Settings) -> dict[str, Opened]:
    """How each platform that there is a token for is opened. What it needs is imported only then."""
    found: dict[str, Opened] = {}
    if settings.secrets.slack_bot_token:
        from bot.platforms.slack.adapter import opened as slack

        found["slack"] = partial(slack, slack_options(settings))
    if settings.secrets.discord_token:
        from bot.platforms.discord.adapter import opened as discord

        found["discord"] = partial(discord, discord_options(settings))
    return found


def slack_options(settings: Settings) -> SlackOptions:
    """Slack's part of the settings, as its adapter takes it."""
    chosen, secrets = settings.slack, settings.secrets
    return SlackOptions(
        bot_token=_revealed(secrets.slack_bot_token),
        app_token=_revealed(secrets.slack_app_token),
        signing_secret=_revealed(secrets.slack_signing_secret),
        mode=chosen.mode,
        listen=chosen.listen,
        path=chosen.path,
        connections=chosen.connections,
        connections_per_peer=chosen.connections_per_peer,
        api=chosen.api,
        host=Voice(settings.name, settings.icon),
        backfill=chosen.backfill,
    )


def discord_options(settings: Settings) -> DiscordOptions:
    """Discord's part of the settings, as its adapter takes it."""
    chosen = settings.discord
    part = None if chosen.shards == "auto" else chosen.shards
    return DiscordOptions(
        token=_revealed(settings.secrets.discord_token),
        host=Voice(settings.name, settings.icon),
        avatars=chosen.avatars,
        backfill=chosen.backfill,
        shard_count=part.count if part else None,
        shard_ids=part.ids if part else (),
    )


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP has the library read again.

    Told to stop, it takes nothing new, and turns in flight get `app.DRAIN` seconds. Raises PlatformError, StoreError,
    ListenError, TracingError.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    library = library_of(settings, keep=True)
    for line in at_start(library):
        log.warning("%s", line)
    reread = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reread.set)
    reading = asyncio.create_task(_read_when_told(library, reread))
    try:
        async with platforms_of(settings) as platforms:
            await serve(settings, library, platforms, stop)
    finally:
        await ended([reading])


async def serve(settings: Settings, library: Library, platforms: Platforms, stop: asyncio.Event) -> None:
    """Serve on these platforms until `stop` is set. Raises what `run` raises.

    A platform that cannot be used any more, since its token was reset, say, ends alone; the others go on. PlatformError
    is raised when the last one has ended.
    """
    adapters, later = platforms.adapters, platforms.later
    transports = {adapter.name: adapter.transport for adapter in adapters}
    over = dict(platforms.over)
    both: tuple[Adapter | Later, ...] = (*adapters, *later)
    connected = {each.name: partial(_trouble, each, over) for each in both}
    connected |= {name: partial(str, why) for name, why in over.items()}

    def begun(adapter: Adapter) -> None:
        transports[adapter.name] = adapter.transport  # the worker carries its turns from now on

    async with running(settings, library, transports, connected=connected, for_operators=True) as bot:
        serving = {asyncio.create_task(adapter.serve(bot.inbox, library)): adapter.name for adapter in adapters}
        serving |= {asyncio.create_task(each.serve(bot.inbox, library, begun)): each.name for each in later}
        stopping = asyncio.create_task(stop.wait())
        log.info("serving on %s", ", ".join(transports))
        try:
            with seldom_collecting():
                await _while_any_serves(dict(serving), stopping, bot.worker, over)
        finally:
            await ended([*serving, stopping])


def _trouble(platform: Adapter | Later, over: Mapping[str, str]) -> str:
    return over.get(platform.name) or platform.trouble()


async def _while_any_serves(
    serving: dict[asyncio.Task[None], str], stopping: asyncio.Task[bool], worker: Worker, over: dict[str, str]
) -> None:
    """Wait for `stopping`; `over` gets why each platform has ended. Raises PlatformError when the last one has."""
    while not stopping.done():
        done, _ = await asyncio.wait((*serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        for task in [each for each in serving if each in done]:
            name = serving.pop(task)
            try:
                task.result()
                why = PlatformError("A platform's adapter ended by itself, which it never should; see the log.")
            except PlatformError as error:
                why = error
            if stopping.done():
                return
            if not serving:
                raise why
            over[name] = str(why)
            worker.leave(name)
            others = ", ".join(serving.values())
            log.error("%s has ended, and is served again after a restart: %s. Still serving on %s", name, why, others)


async def _read_when_told(library: Library, reread: asyncio.Event) -> None:
    while await reread.wait():
        reread.clear()
        await read_again(library)


async def read_again(library: Library) -> None:
    """Read the persona files again; log what changed."""
    problems = await library.refresh()
    log.warning("the persona files were read again: %s personas", len(library.cast.personas))
    for problem in problems:
        log.warning("%s", problem)
