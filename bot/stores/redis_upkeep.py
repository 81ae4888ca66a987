"""What operators do to a Redis store.

What is stored is read, rewritten here, and put back only where it still is what was read; else all of it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.stores import redis_codec as codec
from bot.stores.erasing import names_message, without_message

Run = Callable[..., Awaitable[Any]]
"""Runs the script of that name in the conversation's partition, with those arguments."""

_ALL = 1_000_000
"""More dead letters than any partition keeps."""


@dataclass(frozen=True, slots=True)
class Place:
    """A text of a conversation: where `lua/rewrite.lua` finds it, and what stands there as bytes."""

    where: str
    which: str
    kept: bytes

    def texts(self) -> tuple[str, ...]:
        """The JSON texts in it: one, but for a dead letter."""
        match self.where:
            case "mail" | "taken":
                return (codec.message(self.kept).payload,)
            case "letter":
                return tuple(message.payload for message in codec.load_messages(self.kept))
            case "conv" if self.which == "flag":
                return (codec.message(self.kept).payload,)
            case _:
                return (self.kept.decode(),)

    def rewritten(self, texts: Sequence[str]) -> bytes:
        """What stands there with other texts."""
        match self.where:
            case "mail" | "taken":
                return codec.with_payload(self.kept, texts[0])
            case "letter":
                pairs = zip(codec.load_messages(self.kept), texts, strict=True)
                return codec.dump_messages([replace(message, payload=text) for message, text in pairs]).encode()
            case "conv" if self.which == "flag":
                return codec.with_payload(self.kept, texts[0])
            case _:
                return texts[0].encode()


async def blank(run: Run, conversation: str, message_id: str) -> bool:
    """Empty the text of a message that was deleted, wherever it is kept; False where it is not."""
    stale, found = 1, False
    while stale:
        stored = await run("stored", conversation, 1, message_id)
        letters = await run("letters", _ALL, conversation, "")
        changes: list[str | bytes] = []
        for place in _places(stored, letters):
            texts = place.texts()
            if place.where not in ("mail", "audit") and any(names_message(text, message_id) for text in texts):
                found = True
                new = place.rewritten([without_message(text, {message_id}) for text in texts])
                if new != place.kept:
                    changes += [place.where, place.which, place.kept, new]
        stale = await run("rewrite", conversation, *changes) if changes else 0
    return found


def _places(stored: Sequence[Any], letters: Sequence[Sequence[bytes]]) -> Iterator[Place]:
    state, turn, flag, _, *lists = stored
    for which, kept in (("state", state), ("turn", turn), ("flag", flag)):
        if kept is not None:
            yield Place("conv", which, kept)
    for where, all_kept in zip(("taken", "mail", "log", "audit"), lists, strict=True):
        for n, kept in enumerate(all_kept):
            yield Place(where, str(n), kept)
    for letter in letters:
        yield Place("letter", letter[0].decode(), letter[2])
