"""The headings of a Markdown text as CommonMark has it: outside code, quotes, lists and HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: its level from 1, its words without marks, its first line and the one behind its last, from 0.

    `mark` is the line of `=` or `-` below it by which it is one, or empty where `#` makes it one.
    """

    level: int
    title: str
    start: int
    end: int
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link outside code: where it leads, its words, and the line of its block, from 0."""

    target: str
    title: str
    line: int


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ends, as Markdown counts them: no other sign ends a line."""
    lines: list[str] = []
    start = 0
    for found in _END.finditer(text):
        lines.append(text[start : found.end()])
        start = found.end()
    return [*lines, text[start:]] if start < len(text) else lines


def outline(text: str) -> tuple[Heading, ...]:
    """The headings of a text, in order; those inside lists and quotes belong to these."""
    tokens = _parser().parse(text)
    found: list[Heading] = []
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            mark = "" if token.markup.startswith("#") else token.markup
            found.append(Heading(int(token.tag[1:]), _words(tokens[place + 1]), token.map[0], token.map[1], mark))
    return tuple(found)


def links(text: str) -> tuple[Link, ...]:
    """The links of a text, in order; percent signs in their targets are resolved."""
    return tuple(link for token in _parser().parse(text) if token.type == "inline" for link in _links(token))


def first_paragraph(text: str) -> str:
    """The words of the first paragraph that stands in no list or quote; empty where there is none."""
    tokens = _parser().parse(text)
    for place, token in enumerate(tokens):
        if token.type == "paragraph_open" and token.level == 0 and (said := _words(tokens[place + 1])):
            return said
    return ""


def _links(token: Token) -> Iterator[Link]:
    target: str | None = None
    words = ""
    for inner in token.children or ():
        if inner.type == "link_open":
            target, words = unquote(str(inner.attrGet("href") or "")), ""
        elif inner.type == "link_close" and target is not None:
            yield Link(target, " ".join(words.split()), token.map[0] if token.map else 0)
            target = None
        else:
            words += inner.content if inner.type in ("text", "code_inline") else " "


def _words(token: Token) -> str:
    said = "".join(
        inner.content if inner.type in ("text", "code_inline", "image") else " " if inner.type.endswith("break") else ""
        for inner in token.children or ()
    )
    return " ".join(said.split())


@cache
def _parser() -> MarkdownIt:
    # Read when the first document needs it: it takes some time, and the bot should be there at once.
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")
