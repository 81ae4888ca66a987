"""What operators do to a Redis store.

What is stored is read, rewritten here, and put back only where it still is what was read; else all of it again.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.ports.ledger import Audited
from bot.ports.upkeep import ConversationInfo, Erased, Expired
from bot.stores import redis_codec as codec
from bot.stores.erasing import is_from, names_message, names_of, without_message, without_person

Run = Callable[..., Awaitable[Any]]
"""Runs the script of that name in one partition, with those arguments."""

_ALL = 1_000_000
"""More dead letters than any partition keeps."""

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Something that is kept of a conversation: where `lua/rewrite.lua` finds it, and its bytes."""

    where: str
    which: str
    kept: bytes

    @property
    def kind(self) -> str:
        """What it counts as: the field of its hash, or its list."""
        return self.which if self.where == "conv" else self.where

    def texts(self) -> tuple[str, ...]:
        """The JSON texts in it: one, but for a dead letter."""
        match self.kind:
            case "mail" | "taken" | "flag":
                return (codec.message(self.kept).payload,)
            case "letter":
                return tuple(message.payload for message in codec.load_messages(self.kept))
            case _:
                return (self.kept.decode(),)

    def with_texts(self, texts: Sequence[str]) -> bytes:
        """What is kept there with other texts."""
        match self.kind:
            case "mail" | "taken" | "flag":
                return codec.with_payload(self.kept, texts[0])
            case "letter":
                pairs = zip(codec.load_messages(self.kept), texts, strict=True)
                return codec.dump_messages([replace(message, payload=text) for message, text in pairs]).encode()
            case _:
                return texts[0].encode()


async def blank(run: Run, conversation: str, message_id: str) -> bool:
    """Empty the text of a message that was deleted, wherever it is kept; False where it is not."""
    found, stale = False, 1
    while stale:
        changes: list[tuple[Place, bytes]] = []
        for place in await _places(run, conversation, message_id):
            texts = place.texts()
            if place.kind not in ("mail", "audit") and any(names_message(text, message_id) for text in texts):
                found = True
                changes.append((place, place.with_texts([without_message(text, {message_id}) for text in texts])))
        stale = await _rewrite(run, conversation, changes, seizes=False)
    return found


async def forget_user(run: Run, conversation: str, user: str, pseudonym: str, *, dry_run: bool) -> Erased:
    """Take a person out of one conversation."""
    erased: Erased | None = None
    stale = 1
    while stale:
        places = await _places(run, conversation)
        names: set[str] = set()
        for place in places:
            for text in place.texts():
                names |= names_of(text, user)
        rewritten = [(place, _without_person(place, user, names, pseudonym)) for place in places]
        changes = [(place, new) for place, new in rewritten if new != place.kept]
        erased = erased or _counted(changes)
        if dry_run:
            break
        seizes = any(place.kind not in ("audit", "letter", "post") for place, _ in changes)
        stale = await _rewrite(run, conversation, changes, seizes=seizes)
    return erased or Erased()


def _without_person(place: Place, user: str, names: set[str], pseudonym: str) -> bytes:
    """What is to be kept there; nothing where it was theirs alone and no turn has taken it."""
    match place.kind:
        case "audit":
            line = json.loads(place.kept)
            return json.dumps([line[0], pseudonym, *line[2:]]).encode() if line[1] == user else place.kept
        case "mail" if is_from(place.texts()[0], user):
            return b""
        case "letter":
            messages = codec.load_messages(place.kept)
            left = [m for m in messages if not is_from(m.payload, user)]
            left = [replace(m, payload=without_person(m.payload, user, names, pseudonym)) for m in left]
            if not left:
                return b""
            return place.kept if left == list(messages) else codec.dump_messages(left).encode()
        case _:
            return place.with_texts([without_person(text, user, names, pseudonym) for text in place.texts()])


def _counted(changes: Sequence[tuple[Place, bytes]]) -> Erased:
    kinds = [place.kind for place, _ in changes]
    return Erased(
        conversations=int(bool(kinds)),
        sessions=kinds.count("state"),
        turns=kinds.count("turn"),
        entries=kinds.count("log"),
        messages=sum(kinds.count(kind) for kind in ("mail", "taken", "flag")),
        letters=kinds.count("letter"),
        records=kinds.count("audit"),
        posts=kinds.count("post"),
    )


async def forget(run: Run, conversation: str, *, dry_run: bool) -> Erased:
    """Delete all but the audit trail, the fence, the highest order, and the ids seen."""
    counts = await run("wipe", conversation, "count" if dry_run else "forget")
    states, turns, lines, messages, letters, posts = counts
    return Erased(int(any(counts)), states, turns, lines, messages, letters, posts=posts)


async def reset(run: Run, conversation: str) -> Erased:
    """Delete state, turn and mail."""
    states, turns, _, messages, _, _ = await run("wipe", conversation, "reset")
    return Erased(int(any((states, turns, messages))), states, turns, 0, messages)


async def expire(run: Run, idle: int, most: int, at_once: int) -> Expired:
    """Look at one partition for what has been idle for so many microseconds; at most `most`, so many a script."""
    gone = of_both = passed = noted = 0
    more = 1
    while more:
        states, deleted, kept, more = await run("expire", idle, passed, at_once, most - of_both)
        gone, of_both, passed = gone + states, of_both + deleted, passed + kept
    more, passed = 1, 0
    while more and noted < most:
        new, more = await run("note", idle, passed, at_once)
        noted, passed = noted + new, passed + at_once
    return Expired(gone, noted)


async def names(run: Run, after: str = "") -> AsyncIterator[tuple[str, int, int, int, int, int]]:
    """What `lua/names.lua` tells of each conversation of a partition, by name, behind `after`."""
    while page := await run("names", after, _PAGE):
        for row in page:
            yield row[0].decode(), *(int(number) for number in row[1:])
        after = page[-1][0].decode()


async def conversations(run: Run, after: str, limit: int) -> list[ConversationInfo]:
    """The first ones of a partition that have a state or mail."""
    found: list[ConversationInfo] = []
    async for name, is_there, at, waiting, in_flight, version in names(run, after):
        if len(found) >= limit:
            break
        if is_there:
            found.append(ConversationInfo(name, at / 1_000_000, waiting, bool(in_flight), version))
    return found


def trail(kept: dict[str, Sequence[bytes]]) -> list[Audited]:
    """The lines of the audit trails of those conversations, newest first."""
    lines = [codec.audited(where, line) for where, trail in kept.items() for line in trail]
    return sorted(lines, key=lambda line: line.at)[::-1]


async def _places(run: Run, conversation: str, blanked: str = "") -> list[Place]:
    """All that is kept; what a turn in flight writes of the message `blanked` is blanked from now on."""
    stored = await run("stored", conversation, int(bool(blanked)), blanked)
    letters = await run("letters", _ALL, conversation, "")
    posts = await run("posts", conversation, "all")
    return [*_laid_out(stored, letters), *(Place("post", row[1].decode(), row[5]) for row in posts)]


def _laid_out(stored: Sequence[Any], letters: Sequence[Sequence[bytes]]) -> Iterator[Place]:
    state, turn, flag, _, *lists = stored[:8]
    for which, kept in (("state", state), ("turn", turn), ("flag", flag)):
        if kept is not None:
            yield Place("conv", which, kept)
    for where, all_kept in zip(("taken", "mail", "log", "audit"), lists, strict=True):
        for n, kept in enumerate(all_kept):
            yield Place(where, str(n), kept)
    for letter in letters:
        yield Place("letter", letter[0].decode(), letter[2])


async def _rewrite(run: Run, conversation: str, changes: Sequence[tuple[Place, bytes]], *, seizes: bool) -> int:
    """Put the changes there; how many of them met something else than what was read."""
    flat = [part for place, new in changes if new != place.kept for part in (place.where, place.which, place.kept, new)]
    return int(await run("rewrite", conversation, int(seizes), *flat)) if flat else 0
