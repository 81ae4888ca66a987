"""Who speaks, as a model reads it: one line a name, and nothing that anybody writes looks like another speaker.

In a prompt an entry is `label: first line`, and each further line of it is indented. A label has no colon, no line
break and no square bracket, and what the host says begins with `[host]`; so whoever reads the lines at the margin
reads who has spoken, whatever names people give themselves and whatever they write.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from wcwidth import iter_graphemes

from bot.personas.model import fold

LONGEST = 60
"""Characters of a label at most."""

REMEMBERED = 200
"""So many people of a conversation keep their labels; whoever was silent while as many others spoke gets it anew."""

HOST_MARK = "[host]"
"""What begins the host's own lines in a prompt. No label has square brackets."""

INDENT = "  "
"""What stands before every further line of an entry that is not empty."""

_READ = 1000
"""So many characters of a name are looked at."""

_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""All that ends a line, for Unicode (UAX #14) or for Python's `splitlines`."""

_COLON = re.compile("[:\u02d0\u02f8\u05c3\u0703\u0704\u1365\u1804\u205a\u205d\u2236\ua789\ufe13\ufe30\ufe55\uff1a]")
"""The colon, and what looks like one."""

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""What shows nothing (Unicode, Default_Ignorable_Code_Point), and the empty Braille pattern."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """The label (`name`) that a person has in a conversation; `user` is the platform's id."""

    user: str
    name: str


def label(name: str) -> str:
    """A name as a label: one line in NFC of 1 to `LONGEST` characters, without colons, brackets and what is not seen.

    A grapheme is not cut, unless it alone is longer. The label of a label is itself.
    """
    seen = _UNSEEN.sub("", unicodedata.normalize("NFC", name[:_READ]))
    seen = _COLON.sub(" ", seen).replace("[", "(").replace("]", ")")
    line = " ".join("".join(map(_shown, seen)).split())
    while line and unicodedata.category(line[0])[0] == "M":
        line = line[1:].lstrip()
    return _cut(unicodedata.normalize("NFC", line), LONGEST) or "somebody"


def _shown(char: str) -> str:
    match unicodedata.category(char):
        case "Cf" | "Cs":
            return ""
        case "Cc" | "Zl" | "Zp" | "Zs":
            return " "
        case _:
            return char


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    kept = ""
    for grapheme in iter_graphemes(text):
        if len(kept) + len(grapheme) > most:
            break
        kept += grapheme
    return (kept or text[:most]).strip()


def given(user: str, name: str, known: tuple[Speaker, ...], others: Iterable[str]) -> str:
    """The label of a person in a conversation: the one they have, or one that nobody of `known` and `others` has.

    `others` are the names of personas and of the host. Whoever was known by the bare id only gets a name when there
    is one. A number behind it tells people of the same name apart.
    """
    mine = next((speaker.name for speaker in known if speaker.user == user), "")
    if mine and (mine != label(user) or label(name) == mine):
        return mine
    return apart(name, (*(speaker.name for speaker in known if speaker.user != user), *others))


def apart(name: str, others: Iterable[str]) -> str:
    """The label of `name`, with a number behind it where one of `others` reads like it."""
    wanted = label(name)
    taken = [_read(other) for other in others]
    if _read(wanted)[0] not in {alike for alike, _ in taken}:
        return wanted
    number = 2
    while True:
        end = f" ({number})"
        numbered = f"{_cut(wanted, LONGEST - len(end))}{end}"
        if _read(numbered)[1] not in {whole for _, whole in taken}:
            return numbered
        number += 1


@lru_cache(maxsize=4096)
def _read(name: str) -> tuple[str, str]:
    """What a label of that name has in common with those that read alike, and with those that read the very same.

    That is its letters and digits; in the first, without what stands in brackets behind them. A library may have
    thousands of names, which are compared with each newcomer's.
    """
    shown = label(name)
    whole = _letters(shown) or fold(shown)
    return _letters(shown.partition("(")[0]) or whole, whole


def _letters(shown: str) -> str:
    return "".join(c for c in fold(shown) if c.isalnum())


def remembered(known: tuple[Speaker, ...], user: str, name: str) -> tuple[Speaker, ...]:
    """The people of a conversation when this one has spoken, who comes last."""
    return (*(speaker for speaker in known if speaker.user != user), Speaker(user, name))[-REMEMBERED:]


def said(name: str, text: str) -> str:
    """An entry of somebody with that label or name."""
    return f"{label(name)}: {indented(text)}"


def of_host(text: str) -> str:
    """An entry of the host's."""
    return f"{HOST_MARK} {indented(text)}"


def indented(text: str) -> str:
    """`text` with each line but the first moved in; lines end with `\\n` alone, and empty ones stay empty."""
    first, *rest = _BREAK.split(text)
    return "\n".join([first, *(INDENT + line if line else "" for line in rest)])
