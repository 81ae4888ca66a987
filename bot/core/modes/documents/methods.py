"""Elicitation methods: read from the library's page or from the template, and chosen by what each of them fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.personas.model import fold

LONGEST = 80
"""Characters of a method's name at most; it is the label of an option."""

_NAME = re.compile(r"^\s*(?:\d+[.)]\s+)?\*\*(.+?)\*\*:?\s*(.*)$")
_FITS = re.compile(r"^\s*[-*]\s*fits\b:?\s*(.*)$", re.IGNORECASE)
_PROCEED = re.compile(r"^proceed\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Method:
    """A way to look at a draft once more: its name, how it is carried out, and the kinds of content that it fits."""

    name: str
    how: str = ""
    fits: str = ""


def read(page: str) -> tuple[Method, ...]:
    """The methods of a page of them: a bold name on a line of its own each, bullets below it; "Proceed" is none."""
    found: list[Method] = []
    name, how, fits = "", list[str](), ""

    def done() -> None:
        if name and not _PROCEED.match(name):
            found.append(Method(name, "\n".join(how).strip(), fits))

    for line in page.splitlines():
        if named := _NAME.match(line):
            done()
            name, how, fits = _label(named[1]), [named[2]] if named[2] else [], ""
        elif line.startswith("#"):
            done()
            name = ""
        elif fitting := _FITS.match(line):
            fits = fitting[1]
        elif name:
            how.append(line)
    done()
    return tuple({fold(method.name): method for method in reversed(found)}.values())[::-1]


def own(options: Sequence[str]) -> tuple[Method, ...]:
    """The methods that a template brings itself; each says how it is carried out."""
    return tuple(Method(_label(option), option) for option in options)


def _label(text: str) -> str:
    flat = " ".join(text.split()).rstrip(":")
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 3].rsplit(" ", 1)[0] + "..."


def offered(methods: Sequence[Method], about: str, used: Sequence[str], turn: int, most: int) -> tuple[str, ...]:
    """The names of `most` of them for a section: what fits `about` first, those `used` lately last, the latest of all.

    Of those that fit equally well, a longer list goes round with `turn`.
    """
    words = _words(about)
    count = max(1, len(methods))

    def rank(place: int) -> tuple[int, int, int]:
        method = methods[place]
        lately = used.index(method.name) + 1 if method.name in used else 0
        return lately, -len(words & _words(method.fits)), (place - turn) % count

    return tuple(methods[place].name for place in sorted(range(len(methods)), key=rank)[:most])


def _words(text: str) -> set[str]:
    """The words of a text as they are compared: folded, of more than three letters, without the s of a plural."""
    return {word.rstrip("s") for word in re.findall(r"[^\W\d_]{4,}", fold(text))}
