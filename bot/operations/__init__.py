"""`greenroom sessions`, `dead`, `audit`, `forget`, `docs` and `usage`: what operators see and change in the store.

Looking works beside a running bot. Changing a SQLite file needs its worker to be stopped; a Redis server is shared.
Every change leaves a line in the audit trail.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from bot.operations.parsers import add_parser
from bot.settings import Settings

FAILURE = 1


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what the parsed `args` say and return the exit code: 0, or 1 where it could not be done."""
    from bot.operations import audit, dead, docs, forget, sessions, usage
    from bot.operations.opening import OperationError
    from bot.ports.mailbox import MailboxFullError
    from bot.stores.errors import StoreBusyError, StoreError

    commands = {"sessions": sessions, "dead": dead, "audit": audit, "forget": forget, "docs": docs, "usage": usage}
    try:
        asyncio.run(commands[args.command].run(args, settings))
    except StoreBusyError as error:
        holder = f" (process {error.holder})" if error.holder else ""
        print(
            f"The database {settings.store.path} is in use by a running worker{holder}, and only that may change it. "
            "Stop it first. What only looks works beside it.",
            file=sys.stderr,
        )
        return FAILURE
    except (StoreError, OperationError, MailboxFullError) as error:
        print(error, file=sys.stderr)
        return FAILURE
    return 0


__all__ = ["add_parser", "run"]
