"""How often the words of a request find the persona that it is for.

python -m tests.bench.routing [FILE_OR_FOLDER ...]

The requests are the example lines in the personas' own files, which the index does not hold; so each set is held apart
from what is searched. Our own cast is a set, and so is each library that is named. Among as many personas as have
examples, how often the right one comes first, and how often it is among the first three. Nothing here depends on the
machine. Exits with 1 where our own cast is below its bars.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.app import shipped_agents
from bot.personas.library import Library
from bot.personas.model import Cast, Persona
from tests.bench._ratios import total, verdict

FIRST, AMONG_THREE = 62.0, 81.0
"""Percent of our cast's examples that have to be found."""


def examples(cast: Cast) -> list[tuple[Persona, str]]:
    """Every line of a person in the examples of a cast, with whom it is for."""
    return [(persona, example.user) for persona in cast.personas for example in persona.examples if example.user]


def found(cast: Cast) -> tuple[float, float, int]:
    """Percent of the examples whose persona comes first, and is among the first three, and how many there are."""
    tried = examples(cast)
    among = Cast(tuple(dict.fromkeys(persona for persona, _ in tried)))
    places = []
    for persona, words in tried:
        ranked = [match.persona.id for match in among.finder.rank(words, 3)]
        places.append(ranked.index(persona.id) if persona.id in ranked else 3)
    number = len(places)
    share = 100 / number if number else 0.0
    return share * sum(place == 0 for place in places), share * sum(place < 3 for place in places), number


def main(paths: Sequence[Path] = ()) -> None:
    """Print what is found, with a verdict for our own cast."""
    for path in paths:
        first, three, number = found(Library((path,), None).cast)
        print(f"{path.name}: of {number} requests {first:.1f} % find theirs first, {three:.1f} % among the first three")
    first, three, number = found(Library((), shipped_agents()).cast)
    held = [
        verdict(f"our cast, {number} requests, first", first, FIRST, " %", least=True),
        verdict(f"our cast, {number} requests, among the first three", three, AMONG_THREE, " %", least=True),
    ]
    total(held)
    if not all(held):
        sys.exit("missed: see the bars above")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders with personas that have examples")
    main(parser.parse_args().paths)
