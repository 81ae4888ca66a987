"""What of a work's talk is over: once a section is settled, its prompt has the text that came of it, not the way there.

A work says where a section's talk begins by a note with the call `begins(work)`, and that it is settled, with the text,
by one with `ends(work)`. What stands between the two is in no later prompt. So a prompt begins with what was settled,
which only grows, and then has the talk of one section.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.steps import Entry

_BEGINS, _ENDS = "section:", "settled:"


def begins(work: str) -> str:
    """What the note that begins a section of that work has as its `call`."""
    return f"{_BEGINS}{work}"


def ends(work: str) -> str:
    """What the note that settles sections of that work has as its `call`."""
    return f"{_ENDS}{work}"


def without_settled(who: str, entries: Sequence[Entry]) -> list[Entry]:
    """The entries of a prompt of `who` without the talk of sections that are settled.

    That talk ends where `who` comes or goes, or a section of another work begins: what follows is other talk.
    """
    kept: list[Entry] = []
    start, work = -1, ""
    end = -1
    for entry in entries:
        mine = entry.who == who
        if mine and entry.kind == "note" and entry.call.startswith(_BEGINS):
            called = entry.call.removeprefix(_BEGINS)
            if start < 0 or called != work or end >= 0:
                start, work, end = len(kept), called, -1
        elif mine and entry.kind == "note" and entry.call == ends(work) and start >= 0:
            del kept[start : end if end >= 0 else len(kept)]
            start = end = -1
        elif mine and start >= 0 and end < 0 and (entry.kind in ("on", "off") or entry.call.startswith(_ENDS)):
            end = len(kept)
        kept.append(entry)
    return kept
