"""Text -> what somebody wants: a command, a number, an aside, or talk.

A command begins with the prefix `*` (or `!`, `@`, `/` for an exact name) and its first word resolves, or nearly.
Compared is what `fold` makes of a text, so neither width, case nor locale matters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz

from bot.core.model import Activate, ReadOut, Run
from bot.personas.model import Cast, Command, Persona, fold

SURE = 85.0
"""A near match runs at or above this score (0-100), and only where it is the only one."""

NEAR = 60.0
"""A name is worth mentioning at or above this score."""

NEAREST = 5
"""So many of the nearest names are offered."""

HOST_COMMANDS: dict[str, str] = {
    "help": "Show what can be done here, as a numbered list",
    "agent": "Bring a persona on (lists all of them without a name)",
    "chat-mode": "Just talk: plain text goes to the persona",
    "continue": "Go on with a reply that was cut or stopped",
    "retry": "Ask again after a reply that failed or was cut",
    "status": "Show who is active, what is waited for, and the modes that are on",
    "yolo": "Skip section confirmations, or stop skipping them",
    "exit": "Send the persona off",
    "approve": "Approve a document (later: this build keeps none)",
    "usage": "Show what may be spent here today, and what is",
    "budget": "Raise today's budget of this channel, like *budget +5 for $5 (for admins)",
    "forget": "Wipe this conversation (for admins)",
    "reload": "Read the persona files again (for admins)",
}
"""What the host understands everywhere, whoever is active."""

NEVER_BY_NEAR_MATCH = frozenset({"yolo", "approve", "forget", "exit", "reload", "budget"})
"""Commands that a typing slip must not run."""

_PREFIXES = "*!@/"
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
    found = re.fullmatch(r"#?(\d{1,3})[.)]?", canonical(text))
    return int(found[1]) if found else None


def is_aside(text: str) -> bool:
    """Whether people talk past the persona on purpose: `// like this`."""
    return canonical(text).startswith("//")


def is_stop(text: str) -> bool:
    """Whether `text` asks to end the reply that is being written."""
    return fold(canonical(text)).rstrip("!.") in _STOP


def is_plain(text: str) -> bool:
    """Whether `text` can be nothing but talk, so that it may be taken together with other talk."""
    text = canonical(text)
    return is_aside(text) or not (text[:1] in _PREFIXES or number(text) is not None or is_stop(text))


# ---------------------------------------------------------------- what can be meant


@dataclass(frozen=True, slots=True)
class Target:
    """Something that a command can name: its label for people, what it does, and the names that it answers to."""

    label: str
    action: Run | Activate | ReadOut
    names: tuple[str, ...]
    hint: str = ""

    @property
    def is_dangerous(self) -> bool:
        """Whether only its exact name may run it."""
        return isinstance(self.action, Run) and self.action.command in NEVER_BY_NEAR_MATCH


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


@dataclass(frozen=True, slots=True)
class _Known:
    """What can be named while `persona` is active, and by the folded name that stands first in each."""

    persona: Persona | None
    targets: tuple[Target, ...]
    by_name: Mapping[str, Target]


def targets(cast: Cast, persona: Persona | None) -> tuple[Target, ...]:
    """All that can be named now: the active persona's commands, the host's, the personas, the documents."""
    return _known(cast, persona).targets


def _known(cast: Cast, persona: Persona | None) -> _Known:
    """Worked out once for a cast and a persona, and kept as long as the cast is, where its own tables are."""
    kept: dict[int, _Known] = cast.__dict__.setdefault("_known_to_commands", {})
    found = kept.get(id(persona))
    if found is None or found.persona is not persona:
        everything = _targets(cast, persona)
        found = _Known(persona, everything, {fold(t.names[0]): t for t in reversed(everything)})
        kept[id(persona)] = found
    return found


def _targets(cast: Cast, persona: Persona | None) -> tuple[Target, ...]:
    own = [_command(c) for c in persona.commands] if persona else []
    known = {fold(t.names[0]) for t in own}
    host = [Target(f"*{n}", Run(n), (n,), hint) for n, hint in HOST_COMMANDS.items() if n not in known]
    people = [
        Target(f"*{p.id}", Activate(p.id), tuple(dict.fromkeys((p.id, p.name, p.title))), f"{p.icon} {p.name}")
        for p in cast.personas
    ]
    papers = [Target(f"*{d.id}", ReadOut(d.id), (d.id,), "a document") for d in cast.documents]
    return (*own, *host, *people, *papers)


def _command(command: Command) -> Target:
    return Target(f"*{command.name}", Run(command.name), (command.name,), command.description)


def understand(text: str, cast: Cast, persona: Persona | None) -> Meaning | None:
    """What the command in `text` means; None where `text` is prose.

    `*qa* is blocked` and `*help* wanted` are prose: somebody writes bold. `*help*` alone is a command.
    """
    text = canonical(text)
    prefix, spoken = text[:1], text[1:].lstrip(" ") if "\n" not in text else text[1:]
    if prefix not in _PREFIXES or not prefix or spoken[:1] in ("", "*", "/"):
        return None
    spaced = text[1:2] == " "
    words = spoken.split(maxsplit=1)
    word, args = words[0], words[1].strip() if len(words) > 1 else ""
    if word.endswith("*"):
        if args:
            return None
        word = word.rstrip("*")
    args = args.removesuffix("*").strip() if "\n" not in args and args.count("*") == 1 else args
    known = _known(cast, persona)
    everything, named = known.targets, known.by_name.get(fold(word))
    by_id = One(named, args, exact=True) if named else None
    if prefix in "@/":
        return by_id
    found = _spelled(word, args, everything, cast) or by_id or _named(word, args, everything, cast)
    if spaced:
        return found if isinstance(found, One) and not found.args else None
    return found or _near(word, args, everything)


def _spelled(word: str, args: str, everything: tuple[Target, ...], cast: Cast) -> One | None:
    """A persona by a name of several words."""
    spelled = cast.called(f"{word} {args}") if args else ()
    return One(_persona(everything, spelled[0].id), "", exact=True) if len(spelled) == 1 else None


def _named(word: str, args: str, everything: tuple[Target, ...], cast: Cast) -> One | Several | None:
    called = cast.called(word)
    if len(called) == 1:
        return One(_persona(everything, called[0].id), args, exact=True)
    if called:
        return Several(tuple(_persona(everything, p.id) for p in called), args)
    return None


def _persona(everything: tuple[Target, ...], ident: str) -> Target:
    return next(t for t in everything if t.action == Activate(ident))


def _near(word: str, args: str, everything: tuple[Target, ...]) -> Meaning | None:
    wanted, whole = fold(word), fold(f"{word} {args}")
    scored: list[tuple[float, Target, str]] = []
    for target in everything:
        names = [fold(n) for n in target.names]
        first = max(fuzz.ratio(wanted, n) for n in names)
        full = max(fuzz.ratio(whole, n) for n in names if n) if args else 0.0
        scored.append((max(first, full), target, "" if full > first else args))
    sure = [(target, rest) for score, target, rest in scored if score >= SURE]
    if len(sure) == 1:
        return One(sure[0][0], sure[0][1], exact=False)
    if sure:
        return Several(tuple(target for target, _ in sure), args)
    best = max((score for score, _, _ in scored), default=0.0)
    looks_like_one = _WORD.fullmatch(word) is not None and (not args or best >= 70)
    return Unknown(word, nearest(wanted, everything)) if looks_like_one else None


def nearest(wanted: str, everything: tuple[Target, ...]) -> tuple[Target, ...]:
    """At most `NEAREST` targets whose names are like `wanted` or hold it, best first."""
    scored = [(max(_likeness(wanted, fold(n)) for n in t.names if n), t) for t in everything]
    best = sorted((pair for pair in scored if pair[0] >= NEAR), key=lambda pair: -pair[0])
    return tuple(target for _, target in best[:NEAREST])


def _likeness(wanted: str, name: str) -> float:
    within = 0.9 * fuzz.partial_ratio(wanted, name) if len(wanted) > 2 else 0.0
    return max(fuzz.ratio(wanted, name), within)


# ---------------------------------------------------------------- plain text that names a command

_FILLERS = frozenset(
    word
    for line in (
        "a an the please pls me us my our i we you can could would to for of with",
        "lets let's let want need now new some one just",
    )
    for word in line.split()
)
_MAKING = frozenset(("make", "write", "produce", "generate", "build", "start", "do", "create", "prepare"))


def suggested(text: str, persona: Persona) -> tuple[Command, ...]:
    """The commands that plain `text` names: each word of it belongs to the command, and none of its name is missing.

    "draft story" names `*draft` of a Scrum Master who drafts by create-next-story; "what do you think of this
    draft" names nothing.
    """
    words = [fold(w) for w in _WORD.findall(canonical(text))]
    if len(words) > 8 or text.rstrip().endswith("?"):
        return ()
    said = {_verb(w) for w in words if w not in _FILLERS}
    if not said:
        return ()
    return tuple(c for c in persona.commands if _tokens(c.name) <= said <= _tokens(c.name, *c.uses))


def _verb(word: str) -> str:
    return "create" if word in _MAKING else word


def _tokens(*names: str) -> set[str]:
    return {_verb(token) for name in names for token in re.split(r"[-_\s]+", fold(name)) if token not in ("tmpl", "")}
