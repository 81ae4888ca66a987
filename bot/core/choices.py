"""A choice in words: what somebody writes at a question, as one of its options."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.core.gates import Words
from bot.core.model import Decide, Menu, Option, Run
from bot.personas.model import fold

_MARKS = re.compile(r"[^\w]+", re.UNICODE)


def _plain(text: str) -> str:
    """Folded, marks of punctuation as spaces: `Yes, leave!` and `yes leave` are one."""
    return " ".join(_MARKS.sub(" ", fold(text)).split())


def _each(words: str) -> frozenset[str]:
    return frozenset(_plain(word) for word in words.split(","))


_SAYS_YES = _each(
    "yes, y, yep, yeah, yup, ok, okay, sure, sure thing, please, yes please, go ahead, do it, of course, fine, agreed, "
    "confirm, confirmed, correct, absolutely, ja, ja bitte, ja gerne, jo, jawohl, klar, gerne, genau, oui, ouais, "
    "d'accord, sí, si, claro, vale, por supuesto, sim, certo, va bene, tak, ano, áno, да, так, igen, evet, kyllä, joo, "
    "jah, ναι, כן, نعم, हाँ, हां, はい, うん, 是, 好, 是的, 好的, 对, 네, 예, có, vâng, ya, iya, ใช่, jā, taip"
)
_SAYS_NO = _each(
    "no, n, nope, nah, never, no thanks, no thank you, not now, don't, do not, nein, nein danke, nee, ne, non, "
    "non merci, no gracias, não, nej, nei, nie, ei, nem, nu, нет, ні, hayır, όχι, לא, لا, नहीं, いいえ, 不, 不是, 否, "
    "不要, 아니요, 아니, không, tidak, ไม่, nē"
)
"""Yes and no, and nothing more, in languages that people use."""


def in_words(text: str, menu: Menu, words: Words) -> Option | None:
    """The option that `text` chooses, by what words do there; None where it chooses none.

    A whole label always chooses. With `meaning`, so does a beginning of a label that fits only one, and a yes or no
    where only one option can be meant by it.
    """
    said = _plain(text)
    if not said:
        return None
    labels = [(_plain(option.label), option) for option in menu.options]
    whole = [option for label, option in labels if label == said]
    if len(whole) == 1:
        return whole[0]
    if words != "meaning" or whole:
        return None
    if said in _SAYS_YES:
        return _only(
            option for option in menu.options if isinstance(option.action, Run) or option.action == Decide("yes")
        )
    if said in _SAYS_NO:
        return _only(o for o in menu.options if o.action == Decide("no"))
    return _only(option for label, option in labels if label.startswith(said) or label.startswith(f"run {said}"))


def says_yes(text: str) -> bool:
    """Whether `text` says yes, and nothing more."""
    return _plain(text) in _SAYS_YES


def _only(options: Iterable[Option]) -> Option | None:
    found = list(options)
    return found[0] if len(found) == 1 else None
