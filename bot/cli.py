"""The command line: `greenroom run`, `chat`, `personas`, `slack`, `discord`, `doctor`, and what operators do."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import io
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import telemetry
from bot.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from bot.personas.library import Library
    from bot.platforms.terminal.typed import Orders, Typing
    from bot.runtime.inbox import Inbox

USAGE, FAILURE = 2, 1
"""Exit codes: a wrong command line or configuration, and a run that failed."""

SIGNALLED = 128
"""Added to a signal's number it makes the exit code of a run that the signal ended, as shells count."""

DUMB = ("dumb", "unknown")
"""Terminals that cannot move their cursor; they get one message a line."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = _parser()
    args = parser.parse_args(argv)
    telemetry.setup()
    try:
        match args.command:
            case "chat":
                return _chat(args)
            case "run":
                return _run(args)
            case "personas":
                return _flushed(_personas(args))
            case "slack" | "discord":
                return _flushed(_platforms(args))
            case "doctor":
                return _flushed(_doctor(args))
            case "sessions" | "dead" | "audit" | "forget":
                return _flushed(_operations(args))
            case _:
                parser.print_help()
                return USAGE
    except SettingsError as error:
        print(error, file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # Whoever read our output is gone. What could not be printed would be tried again, loudly, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SIGNALLED + signal.SIGPIPE
    except KeyboardInterrupt:
        return SIGNALLED + signal.SIGINT


def _parser() -> argparse.ArgumentParser:
    from bot import operations
    from bot.personas import tool
    from bot.platforms import tool as platforms

    parser = argparse.ArgumentParser(prog="greenroom", description="A chat bot that hosts personas.")
    parser.add_argument("--version", action="version", version=f"greenroom {version('greenroom')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    chat = commands.add_parser("chat", help="talk with the personas in this terminal")
    chat.add_argument("--state", metavar="FILE", help="the file that keeps the conversations (store.path)")
    chat.add_argument("--in", dest="channel", metavar="CHANNEL", default="general", help="where you begin (#general)")
    chat.add_argument("--as", dest="user", metavar="USER", default=_user(), help="who you are")
    chat.add_argument(
        "--model", metavar="NAME", help="an alias or id, or `rehearsal` to try without a key (model.name)"
    )
    chat.add_argument("--config", metavar="FILE", type=Path, help="the configuration (greenroom.yaml)")
    run = commands.add_parser("run", help="serve on Slack and Discord, wherever there is a token for")
    run.add_argument("--config", metavar="FILE", type=Path, help="the configuration (greenroom.yaml)")
    run.add_argument("--state", metavar="FILE", help="the file that keeps the conversations (store.path)")
    run.add_argument("--model", metavar="NAME", help="an alias or id, or `rehearsal` (model.name)")
    tool.add_parser(commands)
    platforms.add_parser(commands)
    operations.add_parser(commands)
    for name, command in commands.choices.items():
        if name == "personas":
            command.add_argument("--config", metavar="FILE", type=Path, help="the configuration (greenroom.yaml)")
    doctor = commands.add_parser(
        "doctor", help="look at the configuration and all that it names, and say what is wrong"
    )
    doctor.add_argument("--config", metavar="FILE", type=Path, help="the configuration (greenroom.yaml)")
    doctor.add_argument("--state", metavar="FILE", help="the file that keeps the conversations (store.path)")
    doctor.add_argument("--model", metavar="NAME", help="an alias or id, or `rehearsal` (model.name)")
    doctor.add_argument("--online", action="store_true", help="call the model once too, which costs a few tokens")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    return parser


def _flushed(code: int) -> int:
    """`code`, when all that was printed is out."""
    sys.stdout.flush()
    return code


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "you"


def _settings(args: argparse.Namespace) -> Settings:
    settings = load(args.config, os.environ, _given(args))
    telemetry.setup(settings.log.level)
    return settings


def _given(args: argparse.Namespace) -> dict[str, str]:
    """What the command line sets, by dotted key."""
    given = {"model.name": getattr(args, "model", None), "store.path": getattr(args, "state", None)}
    return {key: value for key, value in given.items() if value is not None}


def _doctor(args: argparse.Namespace) -> int:
    from bot import doctor

    return doctor.run(args.config, os.environ, _given(args), online=args.online, as_data=args.json)


def _operations(args: argparse.Namespace) -> int:
    from bot import operations

    return operations.run(args, _settings(args))


def _personas(args: argparse.Namespace) -> int:
    from bot.app import shipped_agents
    from bot.personas import tool
    from bot.personas.globs import Selection

    settings = _settings(args)
    selection = Selection(settings.library.include, settings.library.exclude)
    return tool.run(args, settings.library.paths, shipped_agents() if settings.library.shipped else None, selection)


def _platforms(args: argparse.Namespace) -> int:
    from bot.platforms import tool

    settings = _settings(args)
    slack, token = settings.slack, settings.secrets.discord_token
    known = tool.Known(settings.name, slack.mode, slack.path, token.get_secret_value() if token else "")
    return tool.run(args, known)


def _run(args: argparse.Namespace) -> int:
    from bot import service
    from bot.health.errors import HealthError
    from bot.platforms.reaching import UnreachableError
    from bot.ports.mailbox import StoreError
    from bot.ports.transport import PlatformError

    settings = _settings(args)
    try:
        asyncio.run(service.run(settings))
    except (HealthError, UnreachableError, StoreError) as error:
        print(error, file=sys.stderr)
        return FAILURE
    except PlatformError as error:  # a restart alone would not help
        print(error, file=sys.stderr)
        return USAGE
    return 0


def _chat(args: argparse.Namespace) -> int:
    from bot.health.errors import HealthError
    from bot.platforms.terminal.typed import TerminalError
    from bot.stores.errors import StoreError

    try:
        return asyncio.run(_converse(args))
    except TerminalError as error:
        print(error, file=sys.stderr)
        return USAGE
    except (HealthError, StoreError) as error:
        print(error, file=sys.stderr)
        return FAILURE


async def _converse(args: argparse.Namespace) -> int:
    """Talk in this terminal; the exit code."""
    from bot.app import library_of
    from bot.personas.lint import summed_up
    from bot.platforms.terminal.typed import Orders, Place, Typing

    settings = _settings(args)
    library = library_of(settings, keep=True)
    if line := summed_up(library):
        print(f"{line} `greenroom personas list --verbose` tells which.", file=sys.stderr)
    typing = Typing(Place(args.user, args.channel), Orders(), _names_of(library), settings.name)
    talk = _on_screen if _is_a_screen() else _through_pipes
    try:
        return await _until_a_signal(talk(settings, library, typing), library)
    except OSError as error:
        print(f"This terminal cannot be used any more: {error.strerror or error}.", file=sys.stderr)
        return FAILURE


def _is_a_screen() -> bool:
    return all(s is not None and s.isatty() for s in (sys.stdin, sys.stdout)) and os.environ.get("TERM") not in DUMB


def _names_of(library: Library) -> Callable[[str], bool]:
    return lambda name: bool(library.cast.persona(name) or library.cast.document(name))


async def _until_a_signal(talk: Coroutine[Any, Any, int], library: Library) -> int:
    """What `talk` comes to; where SIGTERM or a closed terminal ends it, the code that a shell gives for that.

    SIGHUP has the library read again. It also comes when the terminal is closed: then it ends the talk.
    """
    from bot.service import read_again

    loop = asyncio.get_running_loop()
    talking = loop.create_task(talk)
    told = 0

    def tell(number: signal.Signals) -> None:
        nonlocal told
        told = SIGNALLED + number
        talking.cancel()

    had_terminal = _has_terminal()
    reading: set[asyncio.Task[None]] = set()

    def hang_up() -> None:
        if had_terminal and not _has_terminal():
            tell(signal.SIGHUP)
            return
        task = loop.create_task(read_again(library))
        reading.add(task)
        task.add_done_callback(reading.discard)

    loop.add_signal_handler(signal.SIGTERM, tell, signal.SIGTERM)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    try:
        return await talking
    except asyncio.CancelledError:
        if told:
            return told
        raise


def _has_terminal() -> bool:
    """Whether this process has a terminal that is still there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _files_of(settings: Settings) -> Path | None:
    """The folder that files of a terminal's chat are saved in, beside its state; None where that is in memory."""
    path = settings.store.path
    return None if str(path) == ":memory:" else path.absolute().parent / "files"


async def _on_screen(settings: Settings, library: Library, typing: Typing) -> int:
    from bot.app import running
    from bot.core.session import ConversationState
    from bot.platforms.terminal.offers import Offers, offers
    from bot.platforms.terminal.posts import ScreenTransport
    from bot.platforms.terminal.screen import Screen

    async def look() -> Offers:
        return offers(await bot.inbox.saved(typing.place.conversation) or ConversationState(), library.cast)

    path = settings.store.path
    screen = Screen(typing, look, path.with_name(f"{path.name}.history"))
    transport = ScreenTransport(screen, typing.orders, _files_of(settings))
    async with running(settings, library, {"terminal": transport}) as bot:
        await _go_on(bot.inbox, typing.orders)
        await screen.converse(bot.inbox.receive, bot.answered)
    return 0


async def _go_on(inbox: Inbox, orders: Orders) -> None:
    """Have what is typed now stand behind all that is kept, whatever the clock said when that was typed."""
    for where in await inbox.conversations("terminal"):
        orders.go_on_behind(await inbox.last_seen(where))
        with suppress(ValueError, KeyError, TypeError):  # kept by a newer build, which is left alone
            saved = await inbox.saved(where)
            orders.go_on_behind(max((anchor.order for anchor in saved.number_anchors), default=0) if saved else 0)


async def _through_pipes(settings: Settings, library: Library, typing: Typing) -> int:
    from bot.app import running
    from bot.platforms.terminal.plain import Lines, OutputError, PlainTransport, converse

    if sys.stdin is None or sys.stdout is None:
        print("The input or the output of this chat is closed; give it both.", file=sys.stderr)
        return USAGE
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    lines = Lines(sys.stdin.fileno())
    transport = PlainTransport(sys.stdout, typing.orders, _files_of(settings))
    try:
        async with running(settings, library, {"terminal": transport}, in_background=False) as bot:
            await _go_on(bot.inbox, typing.orders)
            talk = converse(lines.next, sys.stderr, typing, bot.inbox.receive, bot.answered)
            return 0 if await transport.while_open(talk) else FAILURE
    except OutputError as error:
        # What could not be printed is still in the stream, and would be tried again, loudly, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.is_broken_pipe:
            return SIGNALLED + signal.SIGPIPE
        print(error, file=sys.stderr)
        return FAILURE
