"""Text as a reader sees it: look-alike letters, marks and spaces as the plain ones, and nothing that does not show.

Look-alikes are those of Unicode's own table (UTS 39, confusables.txt), which `confusable_homoglyphs` ships.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from importlib.resources import files

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""What shows nothing (Unicode, Default_Ignorable_Code_Point)."""

_MARKS = {
    ":": "\u02d0\u02d1\u02f8\u0589\u05c3\u0703\u0704\u0903\u0a83\u1365\u16ec\u1803\u1809\u1804\u205a\u205d\u2236\u2237"
    "\ua4fd\ua789\ufe13\ufe30\ufe55\uff1a\u2982\u2a74\u003a\u1366\u05f4",
    "-": "\u2010\u2011\u2012\u2013\u2212\u2043\u02d7\u06d4\u2796\u2500\u2501\ufe58\ufe63\uff0d\u301c\u3030\u23af\u2053",
    "<": "\u2039\u276e\u2329\u3008\u27e8\u2770\u300a\u276c",
    ">": "\u203a\u276f\u232a\u3009\u27e9\u2771\u300b\u276d\u00bb\u25b6\u25b8\u25ba\u2023\u2b95\u27a4\u25b7\u25b9\u25bb",
    "[": "\u3010\u3014\u3016\u3018\u301a\u300c\u300e\u2772\u27e6\uff3b\ufe5d\u2045\u2774",
    "]": "\u3011\u3015\u3017\u3019\u301b\u300d\u300f\u2773\u27e7\uff3d\ufe5e\u2046\u2775",
    "(": "\u2768\u276a\ufe59\u2985",
    ")": "\u2769\u276b\ufe5a\u2986",
    '"': "\u201c\u201d\u201e\u201f\u00ab\u2033\u02ba\u301d\u301e\u301f\uff02",
    "'": "\u2018\u2019\u201a\u201b\u2032\u02b9\u02bc\u02bb\u0060\u00b4",
    "|": "\u2502\u2503\u2551\u2223\u01c0\u23fd\uffe8\u2758\u2759\u275a\u00a6",
    "--": "\u2014\u2015\u2e3a\u2e3b",
    " ": "\u2800",
    ".": "\u3002\uff61\u00b7\u2022\u2024",
}
_MARK_OF = {char: mark for mark, chars in _MARKS.items() for char in chars if char != "`"}

_ARROW = re.compile(r"\bARROW\b")
_LATIN = re.compile(r"LATIN (?:(CAPITAL|SMALL) )?LETTER (SMALL CAPITAL )?([A-Z])(?: WITH .*)?$")
_REGIONAL = re.compile(r"REGIONAL INDICATOR SYMBOL LETTER ([A-Z])$")

_ALSO = {"ʍ": "m", "π": "n", "п": "n", "и": "u", "ᴎ": "u"}
"""Look-alikes that Unicode's table has with something else than the letter that people read."""

_ALIKE = str.maketrans({"l": "i", "1": "i", "|": "i", "0": "o", "m": "rn", "5": "s", "3": "e", "4": "a", "$": "s"})
"""What is like another letter in most fonts, in lower case, and digits that are written for letters."""


def seen(text: str) -> str:
    """`text` as it looks: letters of other scripts that look Latin as Latin ones, no accents, nothing unseen.

    Colons, dashes, brackets, quotation marks and arrows of all kinds come as the ASCII ones; case stays.
    """
    return text if text.isascii() else text.translate(_SEEN)


def key(text: str) -> str:
    """What `text` has in common with everything that reads like it: its letters and digits, or else its other signs."""
    shown = seen(text).casefold()
    letters = "".join(char for char in shown if char.isalnum())
    if not letters:
        return "".join(shown.split())
    return letters.translate(_ALIKE).replace("vv", "w")


class _Seen(dict[int, str]):
    """A table for `str.translate` that finds out each character when it is first met."""

    def __missing__(self, code: int) -> str:
        """Look the character up, and keep it."""
        looks = [_shown(chr(code))]
        while (further := "".join(map(_shown, looks[-1]))) not in looks:
            looks.append(further)
        self[code] = shown = min(looks[looks.index(further) :])  # two may each be taken for the other
        return shown


_SEEN = _Seen()


def _shown(char: str) -> str:
    if char < "\x80":
        return char
    if _UNSEEN.match(char):
        return ""
    if mark := _MARK_OF.get(char):
        return mark
    category = unicodedata.category(char)
    if category[0] == "Z":
        return "\n" if category in ("Zl", "Zp") else " "
    if category in ("Mn", "Mc", "Me", "Cf", "Cs"):
        return ""
    parts = unicodedata.normalize("NFKD", char)
    if parts != char:
        return "".join(map(_shown, parts))
    name = unicodedata.name(char, "")
    if found := _LATIN.search(name):
        return found[3] if found[1] == "CAPITAL" and not found[2] else found[3].lower()
    if found := _REGIONAL.search(name):
        return found[1]
    if _ARROW.search(name):
        return ">"
    if category[0] in "LN":
        plain = _without_marks(unicodedata.normalize("NFKD", _prototypes().get(char, char)))
        if found := _LATIN.search(unicodedata.name(plain, "") if len(plain) == 1 else ""):
            plain = found[3].lower()
        return _ALSO.get(plain, plain) if plain.isalnum() else char
    return char


def _without_marks(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char)[0] != "M") or text


@cache
def _prototypes() -> dict[str, str]:
    """For each letter or digit that Unicode calls confusable, what with, in ASCII where it can be."""
    table = json.loads(files("confusable_homoglyphs").joinpath("confusables.json").read_text("utf-8"))
    found: dict[str, str] = {}
    for char, others in table.items():
        if char.isascii() or len(char) > 1:
            continue
        alike = [_UNSEEN.sub("", other["c"]) for other in others]
        plain = [other for other in alike if _without_marks(other).isascii() and _without_marks(other).isalnum()]
        found[char] = min(plain, key=len, default=alike[0] if len(alike) == 1 else char)
    return found
