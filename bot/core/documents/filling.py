"""`{{placeholders}}` filled from facts; one without a fact is a TBD that everybody can see, with who knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.documents.definition import Section
from bot.core.documents.filenames import PLACEHOLDER

ASK_FIRST = 3
"""So many things that nobody has said in one section: people are asked before it is drafted."""

TBD = "TBD"
"""What a gap in a document begins with."""

ALTERNATIVES = re.compile(r"(?<!\{)\{([^{}|\n]+(?:\|[^{}|\n]+)+)\}(?!\})")
"""`{A|B|C}` in a title: one of them is written."""

_GAP = re.compile(r"\bTBD\b(?::[ \t]*(?P<what>[^\n|()]{1,120}?))?(?=[ \t]*(?:\(|\||\n|$|[.;,](?:\s|$)))")
_NUMBER = re.compile(r"(?:^|_)(?:number|num|no|nr)$")
_NAME = re.compile(r"(?:^|_)(?:name|title)$")


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its placeholders filled; `missing` are the names that had no fact, each once, in their order."""

    text: str
    missing: tuple[str, ...] = ()


def fill(text: str, facts: Mapping[str, str], knows: Mapping[str, str] | None = None) -> Filled:
    """The text with every placeholder filled: by its fact, else by a TBD that names who knows."""
    missing: list[str] = []

    def put(found: re.Match[str]) -> str:
        name = found[1]
        if fact := facts.get(name, "").strip():
            return fact
        missing.append(name)
        return tbd(name, (knows or {}).get(name, ""))

    return Filled(PLACEHOLDER.sub(put, text), tuple(dict.fromkeys(missing)))


def fill_known(text: str, facts: Mapping[str, str]) -> str:
    """The text with those placeholders filled that have a fact; the others stay for whoever drafts."""
    return PLACEHOLDER.sub(lambda found: facts.get(found[1], "").strip() or found[0], text)


def tbd(name: str, who: str = "") -> str:
    """How a gap is written: `TBD: goal owner (ask Ana)`; the name is that of a placeholder."""
    options = [option.strip() for option in name.split("|")]
    what = f"{', '.join(options[:-1])} or {options[-1]}" if len(options) > 1 else spoken(name)
    return f"{TBD}: {what} (ask {who})" if who else f"{TBD}: {what}"


def spoken(name: str) -> str:
    """A placeholder's name as people say it: `goal_owner` is a goal owner."""
    return " ".join(re.sub(r"[_-]+", " ", name).split())


def gaps(text: str) -> tuple[str, ...]:
    """What a text calls TBD, each once, in order: its words, or TBD alone where it says no more."""
    return tuple(dict.fromkeys((found["what"] or TBD).strip() for found in _GAP.finditer(text)))


def instance_facts(section: Section, number: int, name: str) -> Mapping[str, str]:
    """The facts of one instance of a repeated section, by the placeholders of its title, else of its children's.

    `number` counts from 1; `name` is what the accepted list calls the instance: `Epic 2 Swaps: people swap shifts` is
    called `Swaps`, where the title has a number of its own.
    """
    titles = [section.title, *(child.title for child in section.sections)]
    title = next((title for title in titles if "{{" in title), "")
    names = PLACEHOLDER.findall(title)
    numbers = [each for each in names if _NUMBER.search(each)]
    called = [each for each in names if _NAME.search(each)][:1] or [each for each in names if each not in numbers][:1]
    return {**dict.fromkeys(numbers[:1], str(number)), **dict.fromkeys(called, name)}


def instance_name(item: str) -> str:
    """What an entry of a list calls its thing: without number, marks and explanation; at most 80 characters.

    `Epic 2 Swaps: people swap shifts (covers FR4)` is called `Swaps`, `- **Sign-in**: by mail` is `Sign-in`.
    """
    text = re.sub(r"[*_`]+", "", re.sub(r"^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?", "", item.strip()))
    text = re.sub(r"^(?:[^\W\d_]+\s+)?\d+(?:\.\d+)*\s*[:.)–—-]?\s+(?=\S)", "", text)
    text = re.split(r":\s|\s[–—-]\s|\s\((?=[^()]*\)\s*$)", text, maxsplit=1)[0]
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79].rstrip() + "…"


def listed(text: str) -> tuple[str, ...]:
    """The entries of the outermost list of a text, in order; of a table, the first column; empty where it has none."""
    lines = [line for line in text.split("\n") if line.strip()]
    items = [line for line in lines if re.match(r"(?:[-*+]|\d+[.)])\s+\S", line)]
    if not items:
        rows = [line for line in lines if line.lstrip().startswith("|")]
        items = [row.strip().strip("|").split("|")[0].strip() for row in rows[2:]]
    return tuple(name for item in items if (name := instance_name(item)))
