"""A conversation's log as one turn reads it: from where a prompt begins, and what the index of it is afterwards."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from functools import lru_cache

from bot.core.codec import load
from bot.core.log_index import LogIndex, is_at
from bot.core.steps import Entry
from bot.ports.store import Store

log = logging.getLogger(__name__)

SHORT = 2_000
"""Characters of a line up to which it is kept decoded; what a longer one costs to decode is little beside its words."""

_KEPT = '"kept"'
"""What stands in the line of every text that a work has kept."""

KEPT = 2_048
"""So many decoded lines are kept: at most some 10 MB."""


class Transcript:
    """Reads the log of one conversation for one turn; `index` is what the last commit knew of it."""

    def __init__(self, store: Store, conversation: str, index: LogIndex | None) -> None:
        self._store = store
        self._conversation = conversation
        self._index = index

    def index(self, later: Sequence[Entry]) -> LogIndex | None:
        """The index of the log with `later` at its end; None where nobody knows yet what is above that."""
        return self._index.grown(later) if self._index else None

    async def entries(self, who: str, later: Sequence[Entry]) -> list[Entry]:
        """What a prompt of persona `who` may need of the log with `later` at its end. Raises StoreError.

        `later` are the entries of the turn under way, which the store does not have yet.
        """
        if self._index is not None:
            found = await self._from_the_beginning_of(who, self._index, later)
            if found is not None:
                return found
        whole = [_decoded(line) for line in await self._store.log(self._conversation)]
        self._index = LogIndex().grown(whole)
        return [*whole, *later]

    async def kept(self, ids: Collection[str], later: Sequence[Entry]) -> dict[str, str]:
        """The texts of these ids that works have kept, also of `later`; one that is gone is left out."""
        wanted = {entry.id: entry.text for entry in later if entry.kind == "kept" and entry.id in ids}
        if len(wanted) < len(set(ids)):
            for line in await self._store.log(self._conversation):
                if _KEPT in line:  # what is not kept is not worth decoding
                    entry = _read(line)
                    if entry.kind == "kept" and entry.id in ids:
                        wanted.setdefault(entry.id, entry.text)
        return {ident: text for ident, text in wanted.items() if text}

    async def _from_the_beginning_of(self, who: str, index: LogIndex, later: Sequence[Entry]) -> list[Entry] | None:
        """None where the index does not know where that is, or does not fit the log."""
        beginning = index.grown(later).beginning(who)
        if beginning is None:
            return None
        kept = max(0, index.lines - beginning.first)
        lines = await self._store.log(self._conversation, kept) if kept else ()
        entries = [*(_decoded(line) for line in lines), *later][-(index.lines + len(later) - beginning.first) :]
        if len(lines) == kept and is_at(beginning, entries, beginning.first):
            return entries
        log.error("the index of the log of %s does not fit it; all of it is read again", self._conversation)
        return None


def _decoded(line: str) -> Entry:
    return _short(line) if len(line) <= SHORT else _read(line)


def _read(line: str) -> Entry:
    entry: Entry = load(line, Entry)
    return entry


_short = lru_cache(maxsize=KEPT)(_read)
