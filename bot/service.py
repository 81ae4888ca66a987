"""`greenroom run`: the bot as a service on all platforms that it has tokens for, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from platform import python_version

from pydantic import SecretStr

from bot import signals, telemetry
from bot.app import DRAIN, has_model, library_of, options_of, running, seldom_collecting
from bot.core.model import Voice
from bot.health.errors import HealthError, TracingError
from bot.personas.library import Library
from bot.personas.lint import at_start
from bot.platforms.discord.options import DiscordOptions
from bot.platforms.reaching import UnreachableError
from bot.platforms.slack.options import SlackOptions
from bot.ports.mailbox import StoreError, StoreSettingsError
from bot.ports.transport import Adapter, InboundGateway, PlatformError
from bot.runtime.lease import ended
from bot.runtime.worker import Worker
from bot.settings import REHEARSAL, Settings
from bot.stores.sqlite_schema import MIGRATIONS

log = logging.getLogger(__name__)

NO_PLATFORM = (
    "No platform to run on: set SLACK_BOT_TOKEN with SLACK_APP_TOKEN (or SLACK_SIGNING_SECRET in mode http), "
    "or DISCORD_TOKEN, in the environment. `greenroom chat` needs none of them."
)


Opened = Callable[[], AbstractAsyncContextManager[Adapter]]

USAGE, FAILURE = 2, 1
"""Exit codes: a wrong configuration, with which another start would end the same way, and a failure that may pass."""

MARGIN = 5.0
"""Seconds beyond the time for turns in flight in which a process that is told to stop has to be over."""

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


def command(settings: Settings) -> int:
    """`greenroom run`; the exit code: 0 when it was told to stop, USAGE or FAILURE where it could not go on."""
    telemetry.setup(settings.log.told("info"))
    try:
        asyncio.run(run(settings, lambda: signals.end_after(DRAIN + MARGIN, FAILURE)))
    except (PlatformError, StoreSettingsError, TracingError) as error:
        unusable = not isinstance(error, UnreachableError)
        print(error, file=sys.stderr)
        return USAGE if unusable else FAILURE
    except (HealthError, StoreError) as error:
        print(error, file=sys.stderr)
        return FAILURE
    return 0


async def run(settings: Settings, told: Callable[[], object] = lambda: None) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP has the library read again.

    Told to stop, it takes nothing new, and turns in flight get `app.DRAIN` seconds; while it still opens what it needs,
    it leaves at once. `told` is called when it is told to stop. Raises PlatformError, StoreError, ListenError,
    TracingError.
    """
    stop, reread, serves = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def leave() -> None:
        if not stop.is_set():
            log.info("told to stop: turns under way get %.0f s", DRAIN)
            stop.set()
            told()

    for number in signals.STOPPING:
        signals.on(number, leave)
    signals.on(signals.HANGUP, reread.set)
    working = asyncio.create_task(_work(settings, stop, reread, serves))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not working.done() and not serves.is_set():
            log.warning("told to stop before the start was over")
            await ended([working])
            return
        await working
    finally:
        await ended([working, stopping])


async def _work(settings: Settings, stop: asyncio.Event, reread: asyncio.Event, serves: asyncio.Event) -> None:
    """Open what is needed, set `serves`, and serve. Raises what `run` raises."""
    began = time.monotonic()
    library = await asyncio.to_thread(library_of, settings, keep=True)
    for line in at_start(library):
        log.warning("%s", line)
    reading = asyncio.create_task(_read_when_told(library, reread))
    try:
        async with platforms_of(settings) as platforms:
            await serve(settings, library, platforms, stop, serves)
    finally:
        await ended([reading])
        log.info("stopped", extra={"seconds": round(time.monotonic() - began, 1)})


async def serve(
    settings: Settings, library: Library, platforms: Platforms, stop: asyncio.Event, serves: asyncio.Event
) -> None:
    """Serve on these platforms until `stop` is set; `serves` is set as soon as that is heeded. Raises as `run` does.

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
        serves.set()
        log.info("serving", extra=_started(settings, transports))
        if signals.HANGUP is None:
            log.info("no signal has the persona files read again on this system: *reload does")
        try:
            with seldom_collecting():
                await _while_any_serves(dict(serving), stopping, bot.worker, over)
        finally:
            await ended([*serving, stopping])


def _started(settings: Settings, platforms: Iterable[str]) -> dict[str, object]:
    """What an operator wants to know of a process that begins; no secret and no path of a secret."""
    chosen, kept = settings.model, settings.store
    has_key = settings.secrets.anthropic_api_key is not None
    return {
        "version": version("greenroom"),
        "python": python_version(),
        "schema": _schema(settings),
        "model": chosen.name if chosen.name == REHEARSAL else options_of(settings).choose(""),
        "model_credentials": "set" if has_key else "none needed" if has_model(settings) else "missing",
        "store": kept.url or str(kept.path),
        "platforms": ", ".join(platforms),
        "health": settings.health.listen,
        "traces": settings.telemetry.otlp,
    }


def _schema(settings: Settings) -> int:
    """The version in which this build keeps conversations."""
    if not settings.store.url:
        return len(MIGRATIONS)
    from bot.stores.redis import LAYOUT  # it needs an extra

    return LAYOUT


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
