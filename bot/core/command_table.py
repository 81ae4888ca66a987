"""All that a command can name at one moment, and which of it is like what somebody wrote.

The names of a cast are folded once, when the cast is made (`bot.personas.model.Names`), and the host's when this module
is loaded. A table adds a persona's own, which are few, so it is made for a question and thrown away.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rapidfuzz import fuzz, process

from bot.core.model import Activate, ReadOut, Run
from bot.personas.model import Cast, Command, Document, Persona, fold, words_of

SURE = 85.0
"""A near match runs at or above this score (0-100), and only where it is the only one."""

NEAR = 60.0
"""A name is worth mentioning at or above this score."""

NEAREST = 5
"""So many of the nearest names are offered."""

LONGEST = 100
"""What is longer, in characters, is nobody's name, and is not compared with any."""

SHORT = 2
"""What has so few letters is like nothing that has more: it would be like everything that has them."""

WITHIN = 0.9
"""What is like a part of a name counts for this share of what is like the whole."""

_CANDIDATES = 32
"""So many names at most are compared part by part, which takes ten times as long as comparing them whole."""

_WORDS = 6
"""So many words of what was written are looked for among the words of names."""

HOST_COMMANDS: dict[str, str] = {
    "help": "Show what can be done here, as a numbered list",
    "agent": "Bring a persona on (lists all of them without a name)",
    "chat-mode": "Just talk: plain text goes to the persona",
    "continue": "Go on with a reply that was cut or stopped",
    "retry": "Ask again after a reply that failed or was cut",
    "task": "Carry out a task that the persona lists, step by step (lists them without a name)",
    "status": "Show who is active, what is waited for, and the modes that are on",
    "yolo": "Skip section confirmations, or stop skipping them",
    "resume": "Go on with work that was paused",
    "exit": "Send the persona off",
    "approve": "Approve a document (later: this build keeps none)",
    "edit": "Put your own words in the place of the section that is shown",
    "back": "Open an accepted section of the document again",
    "skip": "Leave out the section that is shown, where the template allows it",
    "feedback": "Have the section drafted again with all remarks that were made",
    "docs": "List the documents of this channel; show, compare, rename, restore, delete, export them",
    "doc-out": "Send a document of this channel as a file",
    "usage": "Show what may be spent here today, and what is",
    "budget": "Raise today's budget of this channel, like *budget +5 for $5 (for admins)",
    "forget": "Wipe this conversation (for admins)",
    "reload": "Read the persona files again (for admins)",
}
"""What the host understands everywhere, whoever is active."""

HOST_ALIASES = {"quit": "exit", "bye": "exit", "goodbye": "exit"}
"""Other words for commands of the host, where nothing else bears the name."""

THEIRS_FIRST = frozenset({"approve", "resume"})
"""Commands of the host that give way to a persona's own of that name."""

NEVER_BY_NEAR_MATCH = frozenset({"yolo", "approve", "forget", "exit", "reload", "budget"})
"""Commands that a typing slip must not run."""


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


_HOST = {fold(name): Target(f"*{name}", Run(name), (name,), hint) for name, hint in HOST_COMMANDS.items()}


def target_of(item: Command | Persona | Document) -> Target:
    """What naming it does."""
    match item:
        case Command(name=name):
            return Target(f"*{name}", Run(name), (name,), item.label)
        case Persona(id=ident, name=name, title=title, icon=icon):
            return Target(f"*{ident}", Activate(ident), tuple(dict.fromkeys((ident, name, title))), f"{icon} {name}")
        case Document(id=ident):
            return Target(f"*{ident}", ReadOut(ident), (ident,), "a document")


class CommandTable:
    """All that can be named while `persona` is active: its own commands, the host's, the personas, the documents.

    What is found is given by its place in that order, counted from 0.
    """

    def __init__(self, cast: Cast, persona: Persona | None) -> None:
        self._own = persona.commands if persona else ()
        self._names = cast.names
        own = [fold(command.name) for command in self._own]
        self._host = [target for name, target in _HOST.items() if name not in own]
        self._few = [*own, *(name for name in _HOST if name not in own)]
        self._aliases = {fold(alias): at for at, command in enumerate(self._own) for alias in command.aliases}

    def __len__(self) -> int:
        return len(self._few) + len(self._names.items)

    def __getitem__(self, place: int) -> Target:
        if place < len(self._own):
            return target_of(self._own[place])
        if place < len(self._few):
            return self._host[place - len(self._own)]
        return target_of(self._names.items[place - len(self._few)])

    def __iter__(self) -> Iterator[Target]:
        return (self[place] for place in range(len(self)))

    def own(self) -> Iterator[Target]:
        """The active persona's commands."""
        return (target_of(command) for command in self._own)

    def people(self) -> Iterator[Target]:
        """The personas."""
        return (target_of(item) for item in self._names.items if isinstance(item, Persona))

    def exactly(self, folded: str) -> Target | None:
        """The first whose own name this is: an id, not a title; else the persona's own command with that alias."""
        if folded in self._few:
            return self[self._few.index(folded)]
        if found := self._names.by_id.get(folded) or self._names.documents.get(folded):
            return target_of(found)
        if folded in self._aliases:
            return self[self._aliases[folded]]
        return self.exactly(HOST_ALIASES[folded]) if folded in HOST_ALIASES else None

    def like(self, folded: str, least: float) -> dict[int, float]:
        """The places of all that have a name like this one, with the best of its scores, from `least` (0-100) on."""
        found: dict[int, float] = {}
        for _, score, place in _whole(folded, self._few, least):
            found[place] = max(score, found.get(place, 0.0))
        start, comparable = self._comparable(folded, least)
        for _, score, spelled in _whole(folded, comparable, least):
            self._note(found, start + spelled, score)
        return found

    def nearest(self, folded: str, *, people: bool = False) -> tuple[Target, ...]:
        """At most `NEAREST` that have a name like this one or like a part of it, best first; or only `people`."""
        folded = folded[:LONGEST]
        found: dict[int, float] = {}
        if not people:
            for score, place in _partly(folded, self._few):
                found[place] = max(score, found.get(place, 0.0))
        spelled = self._first_candidates(folded)
        for score, place in _partly(folded, [self._names.spelled[at] for at in spelled]):
            self._note(found, spelled[place], score)
        best = sorted(found, key=lambda place: (-found[place], place))
        named = (self[place] for place in best)
        return tuple(islice((t for t in named if not people or isinstance(t.action, Activate)), NEAREST))

    def holding(self, folded: str) -> Iterator[Target]:
        """Those with a name that begins with it, then those with a name that has it inside, in the table's order."""
        begins: dict[int, float] = {}
        holds: dict[int, float] = {}
        for place, name in enumerate(self._few):
            if folded in name:
                (begins if name.startswith(folded) else holds)[place] = 1.0
        for spelled, name in enumerate(self._names.spelled):
            if folded in name:
                self._note(begins if name.startswith(folded) else holds, spelled, 1.0)
        return (self[place] for place in (*sorted(begins), *sorted(holds.keys() - begins.keys())))

    def _note(self, found: dict[int, float], spelled: int, score: float) -> None:
        """Put down a score for all that bear that name."""
        for owner in self._names.owners[spelled]:
            place = len(self._few) + owner
            found[place] = max(score, found.get(place, 0.0))

    def _comparable(self, folded: str, least: float) -> tuple[int, Sequence[str]]:
        """The names of the cast of a length with which they can have that score, and the place of the first of them.

        A score is twice what two texts share, in percent of what both are long together.
        """
        share, length = least / 100, len(folded)
        spelled = self._names.spelled
        start = bisect_left(spelled, int(length * share / (2 - share)), key=len)
        # A length more than that: rounding must lose none, and the score is taken of all of them.
        end = bisect_right(spelled, length * (2 - share) / share + 1, key=len)
        return start, spelled[start:end]

    def _first_candidates(self, folded: str) -> list[int]:
        """The likeliest of them, each once; `qa` is in many words, and means none of them."""
        start = bisect_right(self._names.spelled, SHORT, key=len) if len(folded) > SHORT else 0
        found: dict[int, None] = {}
        for at in self._candidates(folded):
            if at >= start:
                found[at] = None
                if len(found) == _CANDIDATES:
                    break
        return list(found)

    def _candidates(self, folded: str) -> Iterator[int]:
        """Places of names of the cast that have a word like one of these, the likeliest first."""
        known = self._names.words
        for word in islice((word for word in words_of(folded) if len(word) > 1), _WORDS):
            yield from known.get(word, ())
            for name, _, _ in _whole(word, list(known), NEAR / WITHIN):
                yield from known[name]
            if len(word) > 2:
                for name in [name for name in known if word in name or (name in word and len(name) > 2)]:
                    yield from known[name]


def _whole(folded: str, names: Sequence[str], least: float) -> list[tuple[str, float, int]]:
    """Name, score and place of those that are like it as a whole, best first."""
    if not folded or len(folded) > LONGEST:
        return []
    found: list[tuple[str, float, int]] = process.extract(
        folded, names, scorer=fuzz.ratio, score_cutoff=least, limit=None
    )
    return found


def _partly(folded: str, names: Sequence[str]) -> Iterator[tuple[float, int]]:
    """Score and place of those that are like it as a whole or in a part."""
    yield from ((score, place) for _, score, place in _whole(folded, names, NEAR))
    if len(folded) > 2:
        parts = process.extract(folded, names, scorer=fuzz.partial_ratio, score_cutoff=NEAR / WITHIN, limit=None)
        yield from ((WITHIN * score, place) for _, score, place in parts)
