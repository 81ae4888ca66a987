"""What a persona knows from before it came on: the last of what was said and decided here, made from the log alone.

So it stays the same, byte for byte, until the persona comes on again; and what is taken out of the log is gone from it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from bot.core import content
from bot.core.log_index import BACK
from bot.core.steps import HERE, Entry

ENTRIES = 40
"""So many entries of what was said and decided are in it at most."""

CHARACTERS = 12_000
"""So many characters of words are in it at most."""

ONE = 4_000
"""So many characters of one entry; a file may have a hundred thousand."""


def before(who: str, above: Sequence[Entry]) -> list[Entry]:
    """The entries with which the prompt of persona `who` begins; `above` is the log up to where it came on.

    Its own replies stay its own, without calls of tools. What only the host noted is left out, unless it tells what
    a person chose or asked for. A summary that somebody made is where it begins.
    """
    found: list[Entry] = []
    room = CHARACTERS
    names = {entry.who: entry.name for entry in above[-BACK:] if entry.kind == "reply" and entry.name}
    for entry in reversed(above[-BACK:]):
        shown = _shown(who, entry, names)
        if shown is None:
            continue
        room -= len(shown.text)
        if room < 0 or len(found) == ENTRIES:
            break
        found.append(shown)
        if entry.kind == "compact":
            break
    if not found:
        return []
    found.reverse()
    people = ", ".join(dict.fromkeys(entry.name for entry in found if entry.kind == "said" and entry.name))
    lately = f" People who spoke lately: {people}." if people else ""
    head = Entry("note", who, f"This is what was said here last, before you came on.{lately}")
    return [head, *found]


def _shown(who: str, entry: Entry, names: dict[str, str]) -> Entry | None:
    """The entry as it stands in the beginning of a prompt of `who`; None where it is not in it."""
    other = names.get(entry.who, entry.who)
    match entry.kind:
        case "said" if entry.text.strip():
            return replace(entry, text=_cut(entry.text))
        case "reply" if entry.who == who:
            return _own(entry)
        case "reply":
            told = "\n\n".join(part for part in (_cut(entry.text).strip(), _asked(entry)) if part)
            return replace(entry, text=told) if told else None
        case "compact" if entry.text.strip():
            whose = "Your own" if entry.who == who else f"{other}'s"
            return Entry("note", who, f"{whose} summary of what was said before:\n{_cut(entry.text)}")
        case "note" | "result" if entry.user and entry.text.strip() and entry.call != HERE:
            to = "" if entry.who == who else f"(To {other}) "
            return Entry("note", who, f"{to}{_cut(entry.text)}")
        case _:
            return None


def _own(entry: Entry) -> Entry | None:
    """Its words, and what it asked of people; what it did with tools has no place without their results."""
    blocks = content.blocks(entry.content)
    told = "\n\n".join(part for part in (_cut(content.text(blocks)).strip(), _asked(entry)) if part)
    if not told:
        return None
    return replace(entry, text=told, content=content.written([{"type": "text", "text": told}]))


def _asked(entry: Entry) -> str:
    """The question that a reply put to people by the tool, with its options."""
    for call in content.calls(content.blocks(entry.content)):
        if call.name == "ask":
            given = json.loads(call.input)
            question, options = given.get("question"), given.get("options")
            if isinstance(question, str) and isinstance(options, list):
                listed = " / ".join(option for option in options if isinstance(option, str))
                return _cut(f"{question.strip()} ({listed})")
    return ""


def _cut(text: str) -> str:
    """At most `ONE` characters of a text, and how many more there were."""
    rest = len(text) - ONE
    return text if rest <= 0 else f"{text[:ONE].rstrip()}\n(... {rest} more characters)"
