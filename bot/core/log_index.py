"""Where in a conversation's log the prompts of its personas begin, so that nothing above has to be read.

The log only grows, and a line that is rewritten (a deleted message, a person who is forgotten) keeps its place. So the
place of a line, counted from 0, is known for good once the line is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.core.steps import Entry

TAIL = 3
"""So many of the last things that people said stay word for word behind a summary, with what was answered."""

SUMMARY = "compaction"
"""What the note that asks a persona for a summary has as its `call`."""

BACK = 80
"""A prompt may use so many entries of the log from before its persona came on; not all of them are words."""

MOST = 8
"""So many of the personas that came on last have their beginning in the index; of others the whole log is read."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where the prompt of persona `who` begins: `on` is the place at which it came on.

    `compact` is the place of its last summary since then, and `tail` of the first entry that is kept above that
    summary; both are -1 without one. `noted` is the place of the first note to it that it has not answered yet, or -1.
    """

    who: str
    on: int
    compact: int = -1
    tail: int = -1
    noted: int = -1

    @property
    def first(self) -> int:
        """The place of the first entry that the prompt may use."""
        return self.tail if self.compact >= 0 else max(0, self.on - BACK)


@dataclass(frozen=True, slots=True)
class LogIndex:
    """What is known of a log of `lines` entries without reading it.

    `said` are the places of the last `TAIL` entries of kind said, and `beginnings` those of the personas that came on
    last, the latest last.
    """

    lines: int = 0
    said: tuple[int, ...] = ()
    beginnings: tuple[Beginning, ...] = ()

    def beginning(self, who: str) -> Beginning | None:
        """Where that persona's prompt begins; None where that is not known and the whole log has to be read."""
        return next((b for b in self.beginnings if b.who == who), None)

    def grown(self, entries: Iterable[Entry]) -> LogIndex:
        """The index of the log with these entries at its end."""
        index = self
        for entry in entries:
            index = index._with(entry)
        return index

    def _with(self, entry: Entry) -> LogIndex:
        place, said, beginnings = self.lines, self.said, self.beginnings
        match entry.kind:
            case "said":
                said = (*said, place)[-TAIL:]
            case "on":
                beginnings = self._begun(Beginning(entry.who, place))
            case "reply":
                if before := self.beginning(entry.who):
                    beginnings = self._in_place(replace(before, noted=-1))
            case "note" if entry.call != SUMMARY:
                before = self.beginning(entry.who)
                if before and before.noted < 0:
                    beginnings = self._in_place(replace(before, noted=place))
            case "compact":
                if before := self.beginning(entry.who):
                    tail = next((at for at in said if at > before.on), place)
                    tail = min(tail, before.noted) if before.noted >= 0 else tail
                    beginnings = self._begun(replace(before, compact=place, tail=tail))
        return LogIndex(place + 1, said, beginnings)

    def _in_place(self, beginning: Beginning) -> tuple[Beginning, ...]:
        return tuple(beginning if b.who == beginning.who else b for b in self.beginnings)

    def _begun(self, beginning: Beginning) -> tuple[Beginning, ...]:
        others = (b for b in self.beginnings if b.who != beginning.who)
        return (*others, beginning)[-MOST:]


def is_at(beginning: Beginning, entries: list[Entry], first: int) -> bool:
    """Whether the log, of which `entries` are those from place `first` on, has at those places what the index says."""
    expected = (("on", beginning.on), ("compact", beginning.compact))
    return all(
        place < first or (place - first < len(entries) and _names(entries[place - first], kind, beginning.who))
        for kind, place in expected
    )


def _names(entry: Entry, kind: str, who: str) -> bool:
    return entry.kind == kind and entry.who == who
