"""The Markdown of a document as tokens, made safe to hand on: what both HTML and Word are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

SCHEMES = frozenset({"http", "https", "mailto"})
"""Where a link may lead, besides places within the documents."""

BOXES = {"[ ]": "☐", "[x]": "☑", "[X]": "☑"}

_BOX = re.compile(r"^\[[ xX]\](?=\s)")
_UNREADABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no sign for (section 2.2)."""


def tokens(markdown: str) -> list[Token]:
    """The blocks of a text: tables and struck words as GitHub has them, HTML as the words it is written in.

    Images become links, so that nothing is loaded; links that lead nowhere we know become their words; boxes of
    checklists become signs.
    """
    found = parser().parse(_UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", markdown))
    for place, token in enumerate(found):
        if token.type == "inline":
            token.children = _harmless(token.children or [])
            if place >= 2 and found[place - 2].type == "list_item_open":
                _box(token)
    return found


def title(found: Iterable[Token], fallback: str) -> str:
    """The words of the first heading of level 1."""
    is_first = False
    for token in found:
        if is_first:
            return "".join(child.content for child in token.children or () if child.content).strip() or fallback
        is_first = token.type == "heading_open" and token.tag == "h1"
    return fallback


def is_safe(target: str) -> bool:
    """Whether a link may lead there: to the web, a mail address, or a place within the documents."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    if parts.scheme:
        return parts.scheme.casefold() in SCHEMES and (parts.scheme == "mailto" or bool(parts.netloc))
    return not parts.netloc and not target.startswith(("//", "\\"))


@cache
def parser() -> MarkdownIt:
    """Reads what GitHub reads, but HTML: that is text here."""
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _harmless(children: list[Token]) -> list[Token]:
    kept: list[Token] = []
    opened: list[bool] = []
    for child in children:
        if child.type == "image":
            kept += _as_link(child, inside=any(opened))
            continue
        if child.type == "link_open":
            opened.append(is_safe(str(child.attrGet("href") or "")))
        if child.type not in ("link_open", "link_close") or opened[-1]:
            kept.append(child)
        if child.type == "link_close":
            opened.pop()
    return kept


def _as_link(image: Token, *, inside: bool) -> list[Token]:
    target = str(image.attrGet("src") or "")
    words = Token("text", "", 0, content=image.content or "image")
    if inside or not is_safe(target):
        return [words]
    return [Token("link_open", "a", 1, attrs={"href": target}), words, Token("link_close", "a", -1)]


def _box(token: Token) -> None:
    first = next(iter(token.children or ()), None)
    if first is not None and first.type == "text" and (found := _BOX.match(first.content)):
        first.content = BOXES[found[0]] + first.content[3:]
