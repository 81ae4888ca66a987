"""`greenroom audit`: who decided what, and when."""

from __future__ import annotations

import argparse

from bot.operations.formatting import as_json, iso_time, shown_time, table
from bot.operations.opening import opened
from bot.settings import Settings


async def run(args: argparse.Namespace, settings: Settings) -> None:
    """Do what `args` say. Raises StoreError and OperationError."""
    async with opened(settings) as store:
        trail = await store.trail(args.conversation or "", limit=args.limit + 1)
    shown = trail[: args.limit]
    if args.json:
        facts = [
            {
                "at": iso_time(line.at),
                "conversation": line.conversation,
                "what": line.record.what,
                "who": line.record.who,
                "sha": line.record.sha,
            }
            for line in shown
        ]
        print(as_json(facts))
        return
    if not shown:
        where = f" of {args.conversation}" if args.conversation else ""
        print(f"The audit trail{where} is empty.")
        return
    rows = [
        (shown_time(line.at), line.conversation, line.record.who, line.record.what, line.record.sha[:12])
        for line in shown
    ]
    print(table(("WHEN", "CONVERSATION", "WHO", "WHAT", "SHA"), rows))
    if len(trail) > args.limit:
        print(f"There are more than {args.limit}; --limit shows more of them.")
