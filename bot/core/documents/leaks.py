"""Words of a template that stand in a draft: instructions and examples belong to the model, not into the document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.core.documents.definition import Section

LONG_SENTENCE = 9
"""Words of a sentence that nobody writes twice by chance."""

LINES = 3
"""So many lines of an instruction in a row are a copy, however short they are."""

_SENTENCE = re.compile(r"(?<=[.!?;:])\s+|\n\s*\n|\n(?=\s*[-*+]\s)")
_WORD = re.compile(r"\w+")


def copied(sections: Sequence[Section], text: str) -> tuple[str, ...]:
    """What a text has word for word from the instructions and examples of these sections, each once, in short.

    Words are compared without case, marks and line breaks. What a section is given to write (`template`, `content`,
    `items`, `rows`, `choices` and its item pattern) is no leak, though an example may repeat it.
    """
    said = _key(text)
    allowed = [
        _key(part)
        for section in sections
        for part in (section.template, section.content, section.item_template, section.title, *section.items)
    ]
    found: dict[str, str] = {}
    for section in sections:
        for source in (section.instruction, section.details, *section.examples):
            for piece in (*_sentences(source), *_blocks(source)):
                key = _key(piece)
                if key in said and not any(key in part for part in allowed) and not any(key in k for k in found):
                    found[key] = _short(piece)
    return tuple(found.values())


def _sentences(source: str) -> Iterator[str]:
    for sentence in _SENTENCE.split(source):
        if len(_WORD.findall(sentence)) >= LONG_SENTENCE:
            yield sentence


def _blocks(source: str) -> Iterator[str]:
    """Every few lines in a row that say something."""
    lines = [line for line in source.split("\n") if len(_WORD.findall(line)) >= 2]
    for start in range(len(lines) - LINES + 1):
        yield "\n".join(lines[start : start + LINES])


def _key(text: str) -> str:
    """The words of a text, with a space on both sides of each."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def _short(text: str) -> str:
    said = " ".join(text.split())
    return said if len(said) <= 80 else said[:79].rstrip() + "…"
