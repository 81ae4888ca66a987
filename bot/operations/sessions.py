"""`greenroom sessions`: what goes on in conversations; begin one anew, or move it to another store."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from bot.core.codec import UnreadableError, load
from bot.core.model import SESSION_VERSION, Conversation
from bot.core.session import ConversationState
from bot.core.spaces import space_of
from bot.core.steps import Entry
from bot.operations import docs
from bot.operations.files import read_lines, written
from bot.operations.formatting import as_json, erased, iso_time, lines, number_of, session_of, shown_time, table
from bot.operations.opening import OperationError, note, opened
from bot.operations.parsers import conversation
from bot.ports.store import Store
from bot.ports.upkeep import ConversationInfo
from bot.settings import Settings

PAGE = 200


async def run(args: argparse.Namespace, settings: Settings) -> None:
    """Do what `args` say. Raises StoreError and OperationError."""
    match args.action:
        case "list":
            await _list(settings, args.limit, as_data=args.json)
        case "show":
            await _show(settings, args.conversation, args.lines, as_data=args.json)
        case "reset":
            await _reset(settings, args.conversation, as_data=args.json)
        case "export":
            await _export(settings, args)
        case "import":
            await _import(settings, args.file, args.key)
        case _:
            raise ValueError(f"no such action: {args.action!r}")


# ---------------------------------------------------------------- looking


async def _list(settings: Settings, limit: int, *, as_data: bool) -> None:
    async with opened(settings) as store:
        found = await store.conversations(limit=limit + 1)
        sessions = [(info, session_of(await store.peek(info.key), info.version)) for info in found[:limit]]
    if as_data:
        print(as_json([_facts(info, saved) for info, saved in sessions]))
        return
    if not sessions:
        print("There are no conversations yet.")
        return
    rows = [
        (info.key, shown_time(info.at), _personas(info, saved), str(info.waiting), "under way" * info.in_flight)
        for info, saved in sessions
    ]
    print(table(("CONVERSATION", "LAST CHANGE", "PERSONAS", "WAITING", "TURN"), rows))
    if len(found) > limit:
        print(f"There are more than {limit}; --limit shows more of them.")


def _personas(info: ConversationInfo, saved: ConversationState | None) -> str:
    if saved is None:
        return "(saved by a newer build)" if info.version > SESSION_VERSION else "-"
    return " > ".join(saved.session.personas) or "-"


def _facts(info: ConversationInfo, saved: ConversationState | None) -> dict[str, Any]:
    return {
        "conversation": info.key,
        "changed": iso_time(info.at),
        "waiting": info.waiting,
        "in_flight": info.in_flight,
        "version": info.version,
        "personas": None if saved is None else list(saved.session.personas),
    }


async def _show(settings: Settings, key: str, count: int, *, as_data: bool) -> None:
    async with opened(settings) as store:
        dumped = await store.dump(key)
    if dumped is None:
        raise _unknown(key)
    waiting, is_taken = len(dumped["mail"]), bool(dumped["taken"])
    info = ConversationInfo(key, dumped["at"], waiting, is_taken, dumped["state_version"])
    saved = session_of(dumped["state"], dumped["state_version"])
    if as_data:
        facts = {
            **_facts(info, saved),
            "state": _value(dumped["state"]),
            "usage": dumped["usage"],
            "entries": len(dumped["log"]),
            "log": [_value(line) for line in dumped["log"][-count:]],
        }
        print(as_json(facts))
        return
    for name, value in _described(info, saved, dumped):
        print(f"{name + ':':<14}{value}")
    for line in dumped["log"][-count:]:
        print(_entry(line))


def _value(text: str | None) -> Any:
    """What a stored text says; the text itself where it is no JSON."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return text


def _described(
    info: ConversationInfo, saved: ConversationState | None, dumped: dict[str, Any]
) -> list[tuple[str, str]]:
    """What there is to say of a conversation, name and value."""
    facts = [("conversation", info.key), ("last change", shown_time(info.at)), ("personas", _personas(info, saved))]
    if saved is not None:
        session = saved.session
        gate = session.gate
        facts += [
            (
                "waits for",
                f"people ({type(gate).__name__})" if gate else session.waiting.purpose if session.waiting else "-",
            ),
            ("yolo", "on" if session.yolo else "off"),
            ("people", ", ".join(session.people) or "-"),
        ]
    usage = dumped["usage"]
    read = sum(u["input"] + u["cache_read"] + u["cache_write"] for u in usage)
    turn = "under way" if info.in_flight else "none"
    return [
        *facts,
        ("turn", f"{turn}, {number_of(info.waiting, 'message')} waiting"),
        ("tokens", f"{read:,} read, {sum(u['output'] for u in usage):,} written"),
        ("log", number_of(len(dumped["log"]), "line")),
    ]


def _entry(line: str) -> str:
    """A line of the log for people."""
    try:
        entry: Entry = load(line, Entry)
    except UnreadableError:
        return f"  (cannot be read)\n{lines(line)}"
    who = f"{entry.name} ({entry.who})" if entry.name else entry.who
    return f"  {entry.kind} {lines(who, '')}" + (f"\n{lines(entry.text)}" if entry.text else "")


async def everything(store: Store) -> AsyncIterator[ConversationInfo]:
    """All conversations, by key."""
    after = ""
    while page := await store.conversations(after, PAGE):
        for info in page:
            yield info
        after = page[-1].key


def _unknown(key: str) -> OperationError:
    return OperationError(f"Nothing is kept of {key}. `greenroom sessions list` shows what there is.")


# ---------------------------------------------------------------- changing


async def _reset(settings: Settings, key: str, *, as_data: bool) -> None:
    async with opened(settings, to_change=True) as store:
        counts = await store.reset(key)
        if not counts.conversations:
            raise _unknown(key)
        await note(store, key, "reset conversation")
    print(as_json(asdict(counts)) if as_data else f"{key} begins anew. Deleted: {erased(counts)}.")


async def _export(settings: Settings, args: argparse.Namespace) -> None:
    if bool(args.conversations) == args.all:
        raise OperationError("Name the conversations to export, or say --all.")
    async with opened(settings) as store:
        keys = [info.key async for info in everything(store)] if args.all else args.conversations
        with written(args.to, force=args.force) as file:
            for key in keys:
                dumped = await store.dump(key)
                if dumped is None and not args.all:
                    raise _unknown(key)
                if dumped is not None:
                    file.write(json.dumps(dumped) + "\n")
            of = [space_of(Conversation.parse(key)) for key in keys] + (await docs.spaces(store) if args.all else [])
            for space in dict.fromkeys(of):
                if (documents := await store.documents.dump(space)) is not None:
                    file.write(json.dumps(documents) + "\n")
    if args.to:
        print(f"written: {args.to} ({number_of(len(keys), 'conversation')})")


async def _import(settings: Settings, file: str, key: str | None) -> None:
    dumps = read_lines(file)
    talks = sum(docs.HEAD not in dumped for dumped in dumps)
    if key is not None and (talks != 1 or len(dumps) > 2):
        raise OperationError(f"--as is for one conversation, but {file} has {talks}.")
    taken: list[str] = []
    async with opened(settings, to_change=True, may_create=True) as store:
        for number, dumped in enumerate(dumps, 1):
            where = key or dumped.get("conversation")
            try:
                if docs.HEAD in dumped:
                    where = docs.space_in(dumped, key)
                    if not await docs.taken_in(store, where, dumped):
                        print(f"left as they are: documents of {where}, which has some already")
                    continue
                where = conversation(where if isinstance(where, str) else "")
                done = await store.restore(where, dumped)
            except (ValueError, argparse.ArgumentTypeError) as error:
                raise OperationError(f"{file}:{number}: {error} Imported before it: {len(taken)}.") from error
            if not done:
                taken_so_far = f"Imported before it: {len(taken)}."
                raise OperationError(
                    f"{file}:{number}: something is kept of {where} already, and is not overwritten. "
                    f"`greenroom forget conversation {where}` deletes it. {taken_so_far}"
                )
            await note(store, where, "imported conversation")
            taken.append(where)
            print(f"imported: {where}")
