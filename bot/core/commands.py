"""Text -> what somebody wants: a command, a number, an aside, or talk.

A command begins with the prefix `*` (or `!`, `@`, `/` for an exact name) and its first word resolves, or nearly.
Compared is what `fold` makes of a text, so neither width, case nor locale matters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from bot.core.command_table import LONGEST, SURE, CommandTable, Target, target_of
from bot.core.model import MENU_OPTIONS
from bot.personas.model import Cast, Command, Persona, fold

LIKELY = 70.0
"""Text with words behind its first one is a command that was meant, and not prose, from this score on."""

_PREFIXES = "*!@/"
_PREFIX = frozenset(_PREFIXES)
_START = 8
"""In so many characters stands what a text begins with, also where a keycap is around it."""

_SHORT = 40
"""A number and a `stop` are shorter than this."""

_STOP = frozenset({"stop", "*stop", "/stop", "!stop"})
_WORD = re.compile(r"[\w][\w.'-]*", re.UNICODE)


def canonical(text: str) -> str:
    """`text` with full-width prefixes and digits, keycaps and no-break spaces brought to their plain form."""
    plain = text.replace("\ufe0f", "").replace("\u20e3", "").strip()
    return plain.translate(_WIDE)


_WIDE = {0xFF0A: "*", 0xFF01: "!", 0xFF20: "@", 0xFF0F: "/", 0xA0: " ", 0x3000: " "} | {
    0xFF10 + digit: str(digit) for digit in range(10)
}


def number(text: str) -> int | None:
    """The number that `text` is, and is nothing but: `3`, `3.`, `#3`, `３`; at most three digits."""
    found = re.fullmatch(r"#?(\d{1,3})[.)]?", canonical(text)) if _is_short(text) else None
    return int(found[1]) if found else None


def is_aside(text: str) -> bool:
    """Whether people talk past the persona on purpose: `// like this`."""
    return _beginning(text).startswith("//")


def is_stop(text: str) -> bool:
    """Whether `text` asks to end the reply that is being written."""
    return _is_short(text) and fold(canonical(text)).rstrip("!.") in _STOP


def is_plain(text: str) -> bool:
    """Whether `text` can be nothing but talk, so that it may be taken together with other talk."""
    return is_aside(text) or not (_beginning(text)[:1] in _PREFIXES or number(text) is not None or is_stop(text))


def _beginning(text: str) -> str:
    """What a text begins with, however long it is."""
    return canonical(text.lstrip()[:_START])


def _is_short(text: str) -> bool:
    return len(text) <= _SHORT or len(text.strip()) <= _SHORT


# ---------------------------------------------------------------- what can be meant


@dataclass(frozen=True, slots=True)
class One:
    """Exactly one thing is meant; `exact` tells whether it was named or only nearly so."""

    target: Target
    args: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Several:
    """More than one thing may be meant."""

    targets: tuple[Target, ...]
    args: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It looks like a command and is none; the nearest that exist, possibly none, come with it."""

    word: str
    nearest: tuple[Target, ...]


Meaning = One | Several | Unknown


def understand(text: str, cast: Cast, persona: Persona | None) -> Meaning | None:
    """What the command in `text` means; None where `text` is prose.

    `*qa* is blocked` and `*help* wanted` are prose: somebody writes bold. `*help*` alone is a command.
    """
    if _beginning(text)[:1] not in _PREFIX:
        return None
    text = canonical(text)
    prefix, spoken = text[:1], text[1:].lstrip(" ") if "\n" not in text else text[1:]
    if prefix not in _PREFIX or spoken[:1] in ("", "*", "/"):
        return None
    spaced = text[1:2] == " "
    words = spoken.split(maxsplit=1)
    word, args = words[0], words[1].strip() if len(words) > 1 else ""
    if word.endswith("*"):
        if args:
            return None
        word = word.rstrip("*")
    if len(word) > LONGEST:
        return None
    args = args.removesuffix("*").strip() if "\n" not in args and args.count("*") == 1 else args
    table = CommandTable(cast, persona)
    named = table.exactly(fold(word))
    by_id = One(named, args, exact=True) if named else None
    if prefix in "@/":
        return by_id
    whole = f"{word} {args}" if args and len(word) + len(args) < LONGEST else ""
    found = _spelled(whole, cast) or by_id or _named(word, args, cast)
    if spaced:
        return found if isinstance(found, One) and not found.args else None
    return found or _near(word, args, fold(whole), table)


def _spelled(whole: str, cast: Cast) -> One | None:
    """A persona by a name of several words."""
    spelled = cast.called(whole) if whole else ()
    return One(target_of(spelled[0]), "", exact=True) if len(spelled) == 1 else None


def _named(word: str, args: str, cast: Cast) -> One | Several | None:
    called = cast.called(word)
    if len(called) == 1:
        return One(target_of(called[0]), args, exact=True)
    if called:
        return Several(tuple(target_of(persona) for persona in called), args)
    return None


def _near(word: str, args: str, whole: str, table: CommandTable) -> Meaning | None:
    """What has a name like the first word, or like all of them together."""
    wanted = fold(word)
    least = LIKELY if args else SURE
    first, full = table.like(wanted, least), table.like(whole, least)
    scores = {place: max(first.get(place, 0.0), full.get(place, 0.0)) for place in sorted(first.keys() | full.keys())}
    sure = [place for place, score in scores.items() if score >= SURE]
    if len(sure) == 1:
        place = sure[0]
        return One(table[place], "" if full.get(place, 0.0) > first.get(place, 0.0) else args, exact=False)
    if sure:
        return Several(tuple(table[place] for place in sure[:MENU_OPTIONS]), args)
    is_likely = scores or not args
    return Unknown(word, table.nearest(wanted)) if is_likely and _WORD.fullmatch(word) else None


# ---------------------------------------------------------------- plain text that names a command

_FILLERS = frozenset(
    word
    for line in (
        "a an the please pls me us my our i we you can could would to for of with",
        "lets let's let want need now new some one just",
    )
    for word in line.split()
)
_SAID = 8
"""A text of more words names no command."""

_MAKING = frozenset(("make", "write", "produce", "generate", "build", "start", "do", "create", "prepare"))


def suggested(text: str, persona: Persona) -> tuple[Command, ...]:
    """The commands that plain `text` names: each word of it belongs to the command, and none of its name is missing.

    "draft story" names `*draft` of a Scrum Master who drafts by create-next-story; "what do you think of this
    draft" names nothing.
    """
    if len(text) > _SAID * LONGEST or text.rstrip().endswith("?"):
        return ()
    words = [fold(found[0]) for found in islice(_WORD.finditer(canonical(text)), _SAID + 1)]
    if len(words) > _SAID:
        return ()
    said = {_verb(w) for w in words if w not in _FILLERS}
    if not said:
        return ()
    return tuple(c for c in persona.commands if _tokens(c.name) <= said <= _tokens(c.name, *c.uses))


def _verb(word: str) -> str:
    return "create" if word in _MAKING else word


def _tokens(*names: str) -> set[str]:
    return {_verb(token) for name in names for token in re.split(r"[-_\s]+", fold(name)) if token not in ("tmpl", "")}
