"""Who fits what somebody wrote, by words alone: names, purpose, commands, triggers, and a little of the rest.

An index of words, and of the 3- and 4-grams of words, so that `postgres` finds PostgreSQL and `front end` frontend. It
is made when it is first asked, once a cast, and its size grows with the texts. Nothing here chooses: it suggests.
"""

from __future__ import annotations

import heapq
import math
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.personas.model import Persona

WORDS = 60
"""So many different words of a question count."""

READ = 4_000
"""So many characters of a question are read."""

TELLING = 3
"""So many words are named as the reason why somebody fits."""

SPELLED = 4
"""From so many characters on a word may stand for another that is spelled like it."""

BODY = 6_000
"""So many characters of a persona's instructions are looked at."""

LEAST = 0.63
"""How much of their grams two words share (0-1, Dice) to be taken for one another in part."""

COMMON = 0.1
"""What a word counts that everybody's texts have; a rare one counts more."""

_NAME, _PURPOSE, _COMMAND, _TOLD, _BODY = 3.0, 1.6, 2.0, 2.0, 1.0
"""What a word counts by where it stands: names, purpose, names of commands, what they do and the role, all else."""

_OFTEN = 5.0
"""A word that stands so many times in one place counts half of what it can count there."""

_SATURATION = 0.8
"""A word with that much in all places counts half of what it can count for somebody; both were tried on examples."""
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_JOINED = re.compile(r"[^\W_]+(?:-[^\W_]+)+", re.UNICODE)
_TRIGGERS = re.compile(r"^triggers:(.*(?:\n[ \t-].*)*)", re.MULTILINE)
"""What a file's key `triggers` holds, in the YAML text of the keys that no reader knows."""

STOP = frozenset(
    word
    for line in (
        "a about above after again all also am an and any anybody anyone anything are as ask at be because been",
        "before being below best better between both but by call can cannot could d did do does doing done down",
        "each either else ever every everything few first for from get gets getting give go goes going got had has",
        "have having he hello her here hey hi him his how i if in instead into is isn it its just keep keeps know",
        "last least let lets like ll look make makes many may me might more most much must my need needs never new",
        "next no nobody none nor not nothing now of off often on once one only onto or other our out over own",
        "people per please put re really right run runs running s same say says see she should show so some",
        "somebody someone something soon still such t take takes tell than thank thanks that the their them then",
        "there these they thing things think this those three through to today together too two under until up us",
        "use used uses using ve very via want wants was way we well were what when where whether which while who",
        "whom whose why will with without won work works would yes yet you your yours help helps able needed don",
        "doesn didn wasn aren agent agents specialist expert handle",
    )
    for word in line.split()
)
"""Words that say nothing of what a question is about."""


@dataclass(frozen=True, slots=True)
class Match:
    """A persona that fits, how well (comparable within one question), and which words of the question told so."""

    persona: Persona
    score: float
    words: tuple[str, ...]


@dataclass(slots=True)
class _Index:
    """Words by number; for each the personas (by place) and what it counts there; grams to the words that have them."""

    numbers: dict[str, int] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    places: list[array[int]] = field(default_factory=list)
    counts: list[array[float]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    grams: dict[str, array[int]] = field(default_factory=dict)


class Finder:
    """Ranks the personas of one cast."""

    def __init__(self, personas: tuple[Persona, ...]) -> None:
        self._personas = personas
        self._made: _Index | None = None

    def rank(self, text: str, most: int = 100) -> tuple[Match, ...]:
        """At most so many that fit, the best first; of equals the library's order decides. Empty where nobody fits."""
        index = self._index()
        scores: dict[int, float] = {}
        told: list[tuple[str, dict[int, float]]] = []
        for word, spelled in _asked(text):
            found: dict[int, float] = {}
            for number, likeness in _like(index, word, " " in spelled).items():
                places = index.places[number]
                others = len(self._personas) - len(places)
                rare = likeness * (COMMON + math.log(1 + (others + 0.5) / (len(places) + 0.5)))
                for place, count in zip(places, index.counts[number], strict=True):
                    gain = rare * count
                    if gain > found.get(place, 0.0):
                        found[place] = gain
            for place, gain in found.items():
                scores[place] = scores.get(place, 0.0) + gain
            told.append((spelled, found))
        fit = [(-score, place) for place, score in scores.items()]
        return tuple(
            Match(self._personas[place], -score, _telling(told, place)) for score, place in heapq.nsmallest(most, fit)
        )

    def _index(self) -> _Index:
        if self._made is None:
            self._made = _built(self._personas)
        return self._made


def _telling(told: Iterable[tuple[str, dict[int, float]]], place: int) -> tuple[str, ...]:
    """The words that counted most for the persona at that place."""
    gains = [(found[place], spelled) for spelled, found in told if place in found and " " not in spelled]
    return tuple(spelled for _, spelled in sorted(gains, key=lambda pair: -pair[0])[:TELLING])


def _like(index: _Index, word: str, is_joined: bool) -> dict[int, float]:
    """The numbers of the words that are `word` or like it, each with its likeness (0-1).

    Of two words that were joined, the first alone is no likeness.
    """
    found: dict[int, float] = {}
    if (number := index.numbers.get(word)) is not None:
        found[number] = 1.0
    if len(word) < SPELLED:
        return found
    mine = _grams(word)
    shared = Counter(chain.from_iterable(index.grams.get(gram, ()) for gram in mine))
    for other, count in shared.items():
        likeness = 2 * count / (len(mine) + index.sizes[other])
        if other not in found and (likeness >= LEAST or (not is_joined and _begins(word, index.words[other]))):
            found[other] = likeness * likeness
    return found


def _begins(one: str, other: str) -> bool:
    """Whether one of two words begins with the other, which is more than a few letters."""
    shorter = min(len(one), len(other))
    return shorter > SPELLED and one[:shorter] == other[:shorter]


def _built(personas: Iterable[Persona]) -> _Index:
    index, stems = _Index(), dict[str, str]()
    for place, persona in enumerate(personas):
        weights: dict[str, float] = {}
        for weight, text in _fields(persona):
            counted = dict[str, int]()
            for word, times in Counter(_words(text)).items():
                stem = stems.get(word)
                if stem is None:
                    stem = stems[word] = _stem(word) if _says(word) else ""
                counted[stem] = counted.get(stem, 0) + times
            counted.pop("", None)
            for stem, times in counted.items():
                weights[stem] = weights.get(stem, 0.0) + weight * times / (times + _OFTEN)
        for stem, total in weights.items():
            number = index.numbers.get(stem)
            if number is None:
                number = _added(index, stem)
            index.places[number].append(place)
            index.counts[number].append(total * (_SATURATION + 1) / (total + _SATURATION))
    return index


def _added(index: _Index, word: str) -> int:
    """A new word; its number."""
    number = index.numbers[word] = len(index.places)
    index.words.append(word)
    index.places.append(array("I"))
    index.counts.append(array("f"))
    grams = _grams(word) if len(word) >= SPELLED else frozenset()
    index.sizes.append(len(grams))
    for gram in grams:
        index.grams.setdefault(gram, array("I")).append(number)
    return number


def _fields(persona: Persona) -> Iterator[tuple[float, str]]:
    """What is known of a persona, with the weight of a word in it."""
    yield _NAME, f"{persona.id} {persona.name} {persona.title}"
    yield _PURPOSE, persona.when_to_use
    for command in persona.commands:
        yield _COMMAND, f"{command.name} {' '.join(command.aliases)}"
        yield _TOLD, command.description
    yield _TOLD, f"{persona.role} {persona.focus}"
    yield _BODY, persona.identity
    yield _BODY, " ".join(persona.principles)
    if triggers := _TRIGGERS.search(persona.extra):
        yield _COMMAND, triggers[1][:BODY]
    yield _BODY, persona.instructions[:BODY]


def _asked(text: str) -> list[tuple[str, str]]:
    """The words of a question, each once, with how it was written; two that stand together also count as one."""
    found = dict[str, str]()
    before = ""
    for spelled in filter(_says, _words(text[:READ])):
        word = _stem(spelled)
        found.setdefault(word, spelled)
        if before and len(before) + len(word) >= 6:
            found.setdefault(before + word, f"{before} {spelled}")
        before = word
        if len(found) >= WORDS:
            break
    return list(found.items())


def _words(text: str) -> list[str]:
    """The words of a text as they are compared, stems apart; `front-end` is also `frontend`."""
    plain = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return [*_WORD.findall(plain), *(joined.replace("-", "") for joined in _JOINED.findall(plain))]


def _says(word: str) -> bool:
    """Whether a word says something of what a question is about."""
    return word not in STOP and (len(word) > 1 or not word.isascii())


def _stem(word: str) -> str:
    """A word without the commonest endings of English; two words of one stem count as one."""
    if len(word) < 5 or not word.isascii():
        return word[:-1] if len(word) == 4 and word.endswith("s") and not word.endswith("ss") else word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) + len(instead) >= 3:
            return word[: len(word) - len(ending)] + instead
    return word


_ENDINGS = (
    ("ations", "at"), ("ation", "at"), ("ities", "ity"), ("iness", "y"), ("ies", "y"), ("ings", ""), ("ing", ""),
    ("ied", "y"), ("ers", "er"), ("ed", ""), ("es", ""), ("ly", ""), ("ss", "ss"), ("s", ""), ("e", ""),
)  # fmt: skip


def _grams(word: str) -> frozenset[str]:
    """The 3- and 4-grams of a word with its ends marked."""
    marked = f"^{word}$"
    return frozenset(marked[at : at + size] for size in (3, 4) for at in range(len(marked) - size + 1))
