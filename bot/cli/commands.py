"""What each command does: settings and arguments to the part that does it, which is imported only then."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping

from bot.cli.given import overrides, settings_of


def chat(args: argparse.Namespace) -> int:
    """`greenroom chat`."""
    from bot.cli.chat import chat

    return chat(args, settings_of(args))


def ask(args: argparse.Namespace) -> int:
    """`greenroom ask`."""
    from bot.cli.ask import ask

    return ask(args, settings_of(args))


def run(args: argparse.Namespace) -> int:
    """`greenroom run`."""
    from bot import service

    return service.command(settings_of(args))


def personas(args: argparse.Namespace) -> int:
    """`greenroom personas`."""
    from bot.app import shipped_agents
    from bot.personas import tool
    from bot.personas.globs import Selection

    settings = settings_of(args)
    selection = Selection(settings.library.include, settings.library.exclude)
    return tool.run(args, settings.library.paths, shipped_agents() if settings.library.shipped else None, selection)


def platforms(args: argparse.Namespace) -> int:
    """`greenroom slack` and `greenroom discord`."""
    from bot.platforms import tool

    settings = settings_of(args)
    slack, token = settings.slack, settings.secrets.discord_token
    known = tool.Known(settings.name, slack.mode, slack.path, token.get_secret_value() if token else "")
    return tool.run(args, known)


def operate(args: argparse.Namespace) -> int:
    """`greenroom sessions`, `dead`, `audit`, `forget`, `docs` and `usage`."""
    from bot import operations

    return operations.run(args, settings_of(args))


def doctor(args: argparse.Namespace) -> int:
    """`greenroom doctor`."""
    from bot import doctor

    return doctor.run(args.config, os.environ, overrides(args), online=args.online, as_data=args.json)


def completion(args: argparse.Namespace) -> int:
    """`greenroom completion`."""
    from bot.cli.completion import script
    from bot.cli.parser import command_line

    print(script(command_line(), args.shell))
    return 0


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "chat": chat,
    "ask": ask,
    "run": run,
    "personas": personas,
    "slack": platforms,
    "discord": platforms,
    "sessions": operate,
    "dead": operate,
    "audit": operate,
    "forget": operate,
    "docs": operate,
    "usage": operate,
    "doctor": doctor,
    "completion": completion,
}
"""What each command does; the exit code."""
