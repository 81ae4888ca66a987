"""The command line: `greenroom chat`, `greenroom personas ...`."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bot.settings import Settings, SettingsError, load

USAGE, FAILURE = 2, 1
"""Exit codes: a wrong command line or configuration, and a run that failed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = _parser()
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        match args.command:
            case "chat":
                return _chat(args)
            case "personas":
                return _personas(args)
            case _:
                parser.print_help()
                return USAGE
    except SettingsError as error:
        print(error, file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    from bot.personas import tool

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
    tool.add_parser(commands)
    for name, command in commands.choices.items():
        if name == "personas":
            command.add_argument("--config", metavar="FILE", type=Path, help="the configuration (greenroom.yaml)")
    return parser


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "you"


def _settings(args: argparse.Namespace) -> Settings:
    given = {"model.name": getattr(args, "model", None), "store.path": getattr(args, "state", None)}
    return load(args.config, os.environ, {key: value for key, value in given.items() if value is not None})


def _personas(args: argparse.Namespace) -> int:
    from bot.app import shipped_agents
    from bot.personas import tool

    settings = _settings(args)
    return tool.run(args, settings.library.paths, shipped_agents() if settings.library.shipped else None)


def _chat(args: argparse.Namespace) -> int:
    from bot.platforms.terminal.typed import TerminalError
    from bot.stores.errors import StoreError

    try:
        asyncio.run(_converse(args))
    except (StoreError, TerminalError) as error:
        print(error, file=sys.stderr)
        return FAILURE
    return 0


async def _converse(args: argparse.Namespace) -> None:
    from bot.app import library_of, running
    from bot.platforms.terminal.typed import Orders, Place, Typing

    settings = _settings(args)
    library = library_of(settings)
    place, orders = Place(args.user, args.channel), Orders()

    def is_known(name: str) -> bool:
        return bool(library.cast.persona(name) or library.cast.document(name))

    typing = Typing(place, orders, is_known, settings.name)
    if sys.stdin.isatty() and sys.stdout.isatty():
        from bot.platforms.terminal.screen import Screen, ScreenTransport

        screen = Screen(typing)
        async with running(settings, library, {"terminal": ScreenTransport(screen, orders)}) as bot:
            await screen.converse(bot.inbox.receive, bot.answered)
        return
    from bot.platforms.terminal.plain import PlainTransport, converse

    async with running(settings, library, {"terminal": PlainTransport(sys.stdout, orders)}) as bot:
        await converse(
            lambda: asyncio.to_thread(sys.stdin.readline), sys.stderr, typing, bot.inbox.receive, bot.answered
        )
