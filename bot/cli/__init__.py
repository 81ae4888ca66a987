"""The command line: `greenroom chat`, `ask`, `run`, and what operators look at and change."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from bot import telemetry
from bot.cli.codes import BROKEN_PIPE, SIGNALLED, USAGE
from bot.cli.parser import command_line, parsed
from bot.settings import SettingsError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code.

    Without a command it is `chat` at a terminal, and elsewhere the help: a script that forgot the command must not
    wait for input.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    args = parsed(words)
    if args.command is None:
        if not _is_at_a_terminal():
            command_line().print_help()
            return _flushed(USAGE)
        args = parsed([*words, "chat"])
    telemetry.setup()
    try:
        from bot.cli.commands import COMMANDS

        return _flushed(COMMANDS[args.command](args))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # Whoever read our output is gone. What could not be printed would be tried again, loudly, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return SIGNALLED + signal.SIGINT


def _is_at_a_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _flushed(code: int) -> int:
    """`code`, when all that was printed is out."""
    if sys.stdout is not None:
        sys.stdout.flush()
    return code
