"""`greenroom dead`: turns that were given up, and trying them again."""

from __future__ import annotations

import argparse
import secrets
from typing import Any

from bot.operations.formatting import as_json, iso_time, lines, number_of, said, shown_time, table
from bot.operations.opening import OperationError, note, opened
from bot.ports.mailbox import DeadLetter
from bot.settings import Settings


async def run(args: argparse.Namespace, settings: Settings) -> None:
    """Do what `args` say. Raises StoreError, MailboxFullError and OperationError."""
    match args.action:
        case "list":
            await _list(settings, args.limit, as_data=args.json)
        case "show":
            await _show(settings, args.id, as_data=args.json)
        case "replay":
            await _replay(settings, args.ids)
        case _:
            raise ValueError(f"no such action: {args.action!r}")


async def _list(settings: Settings, limit: int, *, as_data: bool) -> None:
    async with opened(settings) as store:
        letters = await store.dead(limit)
        count = (await store.stats()).dead
    if as_data:
        print(as_json([_facts(letter) for letter in letters]))
        return
    if not letters:
        print("There are no dead letters.")
        return
    rows = [(str(one.id), shown_time(one.at), one.conversation, str(len(one.messages)), one.reason) for one in letters]
    print(table(("ID", "GIVEN UP", "CONVERSATION", "MESSAGES", "REASON"), rows))
    if count > len(letters):
        print(f"There are {count}; --limit shows more of them.")


async def _show(settings: Settings, id: int, *, as_data: bool) -> None:
    async with opened(settings) as store:
        letter = await store.dead_letter(id)
    if letter is None:
        raise _unknown(id)
    if as_data:
        print(as_json(_facts(letter)))
        return
    print(f"dead letter {letter.id} of {letter.conversation}, given up {shown_time(letter.at)}")
    print(f"reason:\n{lines(letter.reason)}")
    for message in letter.messages:
        who, text = said(message)
        print(f"message {lines(message.id, '')}{f' of {lines(who, str())}' if who else ''}:\n{lines(text)}")


async def _replay(settings: Settings, ids: list[int]) -> None:
    async with opened(settings, to_change=True) as store:
        for id in ids:
            letter = await store.dead_letter(id)
            if letter is None or not await store.replay(id, f"replay-{id}-{secrets.token_hex(4)}"):
                raise _unknown(id)
            await note(store, letter.conversation, f"replayed dead letter {id}")
            print(f"replayed: {id} ({number_of(len(letter.messages), 'message')} of {letter.conversation})")


def _facts(letter: DeadLetter) -> dict[str, Any]:
    messages = []
    for message in letter.messages:
        who, text = said(message)
        messages.append({"id": message.id, "order": message.order, "who": who, "text": text})
    return {
        "id": letter.id,
        "conversation": letter.conversation,
        "at": iso_time(letter.at),
        "reason": letter.reason,
        "messages": messages,
    }


def _unknown(id: int) -> OperationError:
    return OperationError(f"There is no dead letter {id}. `greenroom dead list` shows what there is.")
