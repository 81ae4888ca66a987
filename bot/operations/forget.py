"""`greenroom forget`: wipe a conversation, or take a person out of all of them."""

from __future__ import annotations

import argparse
import datetime
import secrets
from dataclasses import asdict

from bot.operations.formatting import as_json, erased, number_of
from bot.operations.opening import OperationError, note, opened
from bot.ports.budgets import used_by, used_scope
from bot.ports.store import Store
from bot.settings import Settings
from bot.stores.budgets import DAYS

EVERYWHERE = "everywhere"
"""Where the audit trail puts what was done to all conversations."""


async def run(args: argparse.Namespace, settings: Settings) -> None:
    """Do what `args` say. Raises StoreError and OperationError."""
    match args.action:
        case "user":
            await _user(settings, args)
        case "conversation":
            await _conversation(settings, args.conversation, dry_run=args.dry_run, as_data=args.json)
        case _:
            raise ValueError(f"no such action: {args.action!r}")


async def _user(settings: Settings, args: argparse.Namespace) -> None:
    pseudonym = args.pseudonym or f"person-{secrets.token_hex(4)}"
    if not args.id or args.id == pseudonym:
        raise OperationError("Name the person by their id, and by another pseudonym than that.")
    async with opened(settings, to_change=not args.dry_run) as store:
        counts = await store.forget_user(args.id, pseudonym, args.within, dry_run=args.dry_run)
        if not args.dry_run:
            await _rename_in_usage(store, args.id, pseudonym, args.within)
        if counts.conversations and not args.dry_run:
            await note(store, EVERYWHERE, f"forgot a person, from now on {pseudonym}")
    if args.json:
        print(as_json({"dry_run": args.dry_run, "pseudonym": pseudonym, **asdict(counts)}))
    elif not counts.conversations:
        raise OperationError(f"Nothing is kept of {args.id}{f' within {args.within}' if args.within else ''}.")
    else:
        where = f"in {number_of(counts.conversations, 'conversation')}"
        did = "Would be rewritten or deleted" if args.dry_run else "Rewritten or deleted"
        print(f"{did} {where}: {erased(counts)}.")
        if not args.dry_run:
            print(f"Where something is left of {args.id}, it says {pseudonym}. What personas said stays as it is.")


async def _rename_in_usage(store: Store, user: str, pseudonym: str, within: str) -> None:
    """Count what a person has used under the pseudonym, on all days that are kept."""
    today = datetime.datetime.now(datetime.UTC).date()
    for back in range(DAYS + 1):
        day = (today - datetime.timedelta(days=back)).isoformat()
        for scope in await store.counted(day):
            by, name = used_by(scope) or ("", "")
            where, _, who = name.rpartition(":")
            if by == "user" and who == user and f"{where}:".startswith(within):
                await store.rename_scope(day, scope, used_scope("user", f"{where}:{pseudonym}"))


async def _conversation(settings: Settings, key: str, *, dry_run: bool, as_data: bool) -> None:
    async with opened(settings, to_change=not dry_run) as store:
        counts = await store.forget(key, dry_run=dry_run)
        if counts.conversations and not dry_run:
            await note(store, key, "forgot conversation")
    if as_data:
        print(as_json({"dry_run": dry_run, **asdict(counts)}))
    elif not counts.conversations:
        raise OperationError(f"Nothing is kept of {key}. `greenroom sessions list` shows what there is.")
    else:
        print(f"{'Would be deleted' if dry_run else 'Deleted'}: {erased(counts)}.")
