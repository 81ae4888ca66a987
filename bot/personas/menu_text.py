"""What a menu says about a command: for people, where the file's own text is for the model and names files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from bot.personas.naming import display_name

LONGEST = 1_000
"""A description of more characters is left as it is."""

_VERBS = r"(?:(?:run|runs|running|execute|executes|use|uses|using|with|via|and|load|follow)\s+)*"
_KINDS = r"(?:tasks?|templates?|checklists?|workflows?|data)"
_EXTENSION = r"(?:\.(?:md|ya?ml|xml|csv))?"
_EMPTY = re.compile(r"\(\s*[,;:.]*\s*\)|\[\s*\]")
_GOES_ON = re.compile(r"\(|(?:for|against|on|with|in|from|of|into|by|as)\b", re.IGNORECASE)
"""What goes on with a sentence that the command's own name began."""

_CONFIRM = re.compile(r"\s*\(confirm\)", re.IGNORECASE)
"""What tells the host to ask first."""

_ENDS = " \t,;:.→>-–—"


@lru_cache(maxsize=4_096)
def menu_text(name: str, description: str, uses: Sequence[str]) -> str:
    """The text of a menu for the command `name`, whose definition reads `description` and runs the files `uses`.

    A text that names no file, or names one in the middle of a sentence, stays as it was written.
    """
    text = _CONFIRM.sub("", " ".join(description.split()))
    if not uses or len(text) > LONGEST:
        return text
    stems = sorted({form for stem in uses for form in (stem, _bare(stem))}, key=len, reverse=True)
    file = rf"[`'\"]?(?:{'|'.join(map(re.escape, stems))}){_EXTENSION}[`'\"]?(?![\w-])"
    phrase = re.compile(
        rf"(?<![\w-]){_VERBS}(?:the\s+)?(?:{_KINDS}\s+{file}|{file}\s+{_KINDS}|[`'\"]?(?:{_dotted(uses)}))"
        rf"(?:\s*,)?",
        re.IGNORECASE,
    )
    left, found = phrase.subn("\0", text)
    if not found:
        return text
    left = re.sub(r"\0(?:[\s,]*\0)*", "\0", left)
    left = re.sub(r"\(\s*(?:default)?\W*\0\s*\)|\s*[-–—:;,]\s*\0\s*$|\s*\0\s*\.?$", "", left)
    at_first = left.lstrip().startswith("\0")
    rest = _EMPTY.sub("", left.lstrip().removeprefix("\0")).strip(_ENDS)
    if "\0" in rest:
        return text
    if len(re.findall(r"\w+", rest)) < 2:
        return _by_kind(name, uses)
    if at_first and rest[:3].casefold() == "to ":
        rest = rest[3:].strip()
    elif at_first:
        return f"{_sentence(name)}{' ' if _GOES_ON.match(rest) else ': '}{rest}"
    return rest[:1].upper() + rest[1:]


def _dotted(uses: Sequence[str]) -> str:
    """Names of files that are long or dotted enough to be nothing but names, whatever stands around them."""
    return "|".join(rf"{re.escape(stem)}{_EXTENSION}[`'\"]?(?![\w-])" for stem in uses if "-" in stem) or r"(?!)"


def _bare(stem: str) -> str:
    return re.sub(r"-(?:tmpl|template|checklist)$", "", stem)


def _by_kind(name: str, uses: Sequence[str]) -> str:
    """What running these files comes to, where the description says no more than that it runs them."""
    template = next((stem for stem in uses if stem.endswith(("-tmpl", "-template"))), "")
    checklist = next((stem for stem in uses if stem.endswith("-checklist") and stem != "execute-checklist"), "")
    if template:
        return f"{display_name(_bare(template))}: write it together, section by section"
    if checklist:
        return f"Go through the checklist {display_name(_bare(checklist))} together"
    same_words = sorted(name.split("-")) == sorted(uses[0].split("-"))
    return _sentence(name if same_words else uses[0])


def _sentence(name: str) -> str:
    """`create-epic` as a person writes it: `Create epic`; abbreviations keep their capitals."""
    first, *rest = display_name(name).split() or [""]
    return " ".join([first, *(word.lower() if word.istitle() else word for word in rest)])
