"""`greenroom docs`: the documents of channels, looked at and moved."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from bot.core.model import Conversation
from bot.core.spaces import in_bytes, space_of
from bot.operations.files import read_lines, written
from bot.operations.formatting import as_json, iso_time, lines, number_of, shown_time, table
from bot.operations.opening import OperationError, note, opened
from bot.operations.parsers import conversation
from bot.ports.store import Store
from bot.settings import Settings

PAGE = 200

HEAD = "greenroom_documents"
"""The key by which a line of a file is one of exported documents."""


async def run(args: argparse.Namespace, settings: Settings) -> None:
    """Do what `args` say. Raises StoreError and OperationError."""
    match args.action:
        case "list" if args.conversation:
            await _list(settings, _space(args.conversation), as_data=args.json)
        case "list":
            await _spaces(settings, as_data=args.json)
        case "show":
            await _show(settings, args)
        case "export":
            await _export(settings, args)
        case "import":
            await _import(settings, args.file, args.key)
        case _:
            raise ValueError(f"no such action: {args.action!r}")


def _space(key: str) -> str:
    """The space that the documents of a conversation are in."""
    return space_of(Conversation.parse(key))


async def spaces(store: Store) -> list[str]:
    """All that hold documents."""
    found = list[str]()
    while page := await store.documents.spaces(found[-1] if found else "", PAGE):
        found += page
    return found


async def _spaces(settings: Settings, *, as_data: bool) -> None:
    async with opened(settings) as store:
        found = [(space, await store.documents.list(space)) for space in await spaces(store)]
    if as_data:
        print(as_json([{"channel": space, "documents": [info.path for info in infos]} for space, infos in found]))
    elif not found:
        print("There are no documents yet.")
    else:
        rows = [(space, str(len(infos)), shown_time(max(info.at for info in infos))) for space, infos in found]
        print(table(("CHANNEL", "DOCUMENTS", "LAST CHANGE"), rows))


async def _list(settings: Settings, space: str, *, as_data: bool) -> None:
    async with opened(settings) as store:
        infos = await store.documents.list(space)
    if as_data:
        print(as_json([{**asdict(info), "at": iso_time(info.at)} for info in infos]))
        return
    if not infos:
        raise _none(space)
    rows = [
        (
            info.path,
            str(info.version),
            shown_time(info.at),
            in_bytes(info.size),
            info.by or "-",
            ", ".join(info.approved_by),
        )
        for info in infos
    ]
    print(table(("PATH", "VERSION", "WRITTEN", "SIZE", "BY", "APPROVED BY"), rows))


async def _show(settings: Settings, args: argparse.Namespace) -> None:
    space = _space(args.conversation)
    async with opened(settings) as store:
        stored = await store.documents.read(space, args.path, args.version)
        versions = await store.documents.history(space, args.path) if args.history else ()
    if stored is None:
        which = f" in version {args.version}" if args.version else ""
        raise OperationError(f"There is no {args.path}{which} in {space}. `greenroom docs list {space}` shows what is.")
    if args.history and args.json:
        print(as_json([{**asdict(v), "at": iso_time(v.at), "meta": _value(v.meta)} for v in versions]))
    elif args.history:
        rows = [
            (str(v.version), shown_time(v.at), in_bytes(v.size), v.by or "-", ", ".join(v.approved_by), v.path)
            for v in versions
        ]
        print(table(("VERSION", "WRITTEN", "SIZE", "BY", "APPROVED BY", "PATH"), rows))
    elif args.json:
        print(as_json({**asdict(stored), "at": iso_time(stored.at), "meta": _value(stored.meta)}))
    else:
        print(lines(stored.text, ""))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _none(space: str) -> OperationError:
    return OperationError(f"{space} has no documents. `greenroom docs list` shows which channels have some.")


async def _export(settings: Settings, args: argparse.Namespace) -> None:
    if bool(args.conversations) == args.all:
        raise OperationError("Name the channels whose documents to export, or say --all.")
    async with opened(settings) as store:
        wanted = await spaces(store) if args.all else [_space(key) for key in args.conversations]
        with written(args.to, force=args.force) as file:
            for space in dict.fromkeys(wanted):
                dumped = await store.documents.dump(space)
                if dumped is None:
                    raise _none(space)
                file.write(json.dumps(dumped) + "\n")
    if args.to:
        print(f"written: {args.to} (documents of {number_of(len(set(wanted)), 'channel')})")


async def _import(settings: Settings, file: str, key: str | None) -> None:
    dumps = read_lines(file)
    if key is not None and len(dumps) != 1:
        raise OperationError(f"--as is for the documents of one channel, but {file} has those of {len(dumps)}.")
    async with opened(settings, to_change=True, may_create=True) as store:
        for number, dumped in enumerate(dumps, 1):
            try:
                where = space_in(dumped, key)
                done = await taken_in(store, where, dumped)
            except (ValueError, argparse.ArgumentTypeError) as error:
                raise OperationError(f"{file}:{number}: {error}") from error
            if not done:
                raise OperationError(
                    f"{file}:{number}: {where} has documents already, and they are not overwritten. "
                    f"`greenroom forget conversation {where} --documents` deletes them."
                )


def space_in(dumped: dict[str, Any], key: str | None) -> str:
    """Where exported documents go: under `key`, or where they were. Raises ValueError or ArgumentTypeError."""
    where = key or dumped.get("space")
    return _space(conversation(where if isinstance(where, str) else ""))


async def taken_in(store: Store, space: str, dumped: dict[str, Any]) -> bool:
    """Put exported documents there, said; False where there are some already. Raises ValueError."""
    if not await store.documents.restore(space, dumped):
        return False
    await note(store, space, "imported documents")
    print(f"imported: documents of {space}")
    return True
