"""`greenroom forget`: wipe a conversation, or take a person out of all of them."""

from __future__ import annotations

import argparse
import datetime
import secrets
from dataclasses import asdict

from bot.core.model import Conversation
from bot.core.spaces import space_of
from bot.operations.formatting import as_json, erased, number_of, table
from bot.operations.opening import OperationError, note, opened
from bot.operations.sessions import everything
from bot.ports.budgets import used_by, used_scope
from bot.ports.documents import Forgotten
from bot.ports.store import Store
from bot.settings import Settings
from bot.stores.budgets import DAYS
from bot.stores.erasing import names_of

EVERYWHERE = "everywhere"
"""Where the audit trail puts what was done to all conversations."""


async def run(args: argparse.Namespace, settings: Settings) -> None:
    """Do what `args` say. Raises StoreError and OperationError."""
    match args.action:
        case "user":
            await _user(settings, args)
        case "conversation":
            await _conversation(settings, args)
        case _:
            raise ValueError(f"no such action: {args.action!r}")


async def _user(settings: Settings, args: argparse.Namespace) -> None:
    pseudonym = args.pseudonym or f"person-{secrets.token_hex(4)}"
    if not args.id or args.id == pseudonym:
        raise OperationError("Name the person by their id, and by another pseudonym than that.")
    async with opened(settings, to_change=not args.dry_run) as store:
        names = await _names(store, args.id, args.within)
        counts = await store.forget_user(args.id, pseudonym, args.within, dry_run=args.dry_run)
        if not args.dry_run:
            await _rename_in_usage(store, args.id, pseudonym, args.within)
        documents = await store.documents.forget_user(args.id, pseudonym, args.within, names, dry_run=args.dry_run)
        known = bool(counts.conversations or documents.versions or documents.mentions)
        if known and not args.dry_run:
            await note(store, EVERYWHERE, f"forgot a person, from now on {pseudonym}")
    if args.json:
        told = {"dry_run": args.dry_run, "pseudonym": pseudonym, **asdict(counts)}
        print(as_json({**told, "documents": asdict(documents)}))
    elif not known:
        raise OperationError(f"Nothing is kept of {args.id}{f' within {args.within}' if args.within else ''}.")
    else:
        where = f"in {number_of(counts.conversations, 'conversation')}"
        did = "Would be rewritten or deleted" if args.dry_run else "Rewritten or deleted"
        print(f"{did} {where}: {erased(counts)}.")
        _tell_documents(documents, dry_run=args.dry_run)
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


async def _names(store: Store, user: str, within: str) -> frozenset[str]:
    """The names under which conversations know the person."""
    found = set[str]()
    async for info in everything(store):
        if info.key.startswith(within):
            for line in await store.log(info.key):
                found |= names_of(line, user)
    return frozenset(found)


def _tell_documents(documents: Forgotten, *, dry_run: bool) -> None:
    if documents.versions:
        did = "would be replaced" if dry_run else "was replaced"
        of = f"{number_of(documents.versions, 'version')} of {number_of(documents.documents, 'document')}"
        print(f"Their name {did} in what goes with {of}; approvals stay, with a mark.")
    if documents.mentions:
        print("Texts of documents stay as they are. These name the person:")
        print(table(("CHANNEL", "PATH", "VERSION"), [(s, path, str(v)) for s, path, v in documents.mentions]))


async def _conversation(settings: Settings, args: argparse.Namespace) -> None:
    key, dry_run = args.conversation, args.dry_run
    space = space_of(Conversation.parse(key))
    if args.documents and space != key:
        raise OperationError(f"The documents of {key} are those of its channel: name {space} to delete them.")
    async with opened(settings, to_change=not dry_run) as store:
        counts = await store.forget(key, dry_run=dry_run)
        documents = await store.documents.forget(key, dry_run=dry_run or not args.documents)
        goes = Forgotten() if not args.documents else documents
        if (counts.conversations or goes.documents) and not dry_run:
            await note(store, key, "forgot conversation" if not goes.documents else "forgot conversation and documents")
    if args.json:
        print(as_json({"dry_run": dry_run, **asdict(counts), "documents": goes.documents}))
    elif not counts.conversations and not goes.documents:
        also = f" but {number_of(documents.documents, 'document')}: --documents" if documents.documents else ""
        raise OperationError(
            f"Nothing is kept of {key}{also}{' deletes them' if also else ''}. "
            "`greenroom sessions list` shows what there is."
        )
    else:
        told = [erased(counts)] if counts.conversations else []
        if goes.documents:
            told.append(f"{number_of(goes.documents, 'document')} ({number_of(goes.versions, 'version')})")
        print(f"{'Would be deleted' if dry_run else 'Deleted'}: {', '.join(told)}.")
        if documents.documents and not args.documents:
            print(f"{number_of(documents.documents, 'document')} of the channel stay; --documents deletes them too.")
