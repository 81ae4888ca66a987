"""Markdown as models write it, in what Discord shows of it; nothing becomes longer.

Discord has headings of three levels, quotes, lists, links and code; it has no rules, no pictures by address, no boxes
to tick (help centre, "Markdown Text 101").
"""

from __future__ import annotations

import re

from bot.core.fences import Fence, fence_after
from bot.platforms.discord.names import cut

_HEADING = re.compile(r"(?P<lead>\s*)#{4,6}\s+(?P<text>.*?)\s*#*\s*")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})")
_BOX = re.compile(r"(?P<lead>\s*[-*+] )\[(?P<mark>[ xX])\] ")
_PICTURE = re.compile(r"!(\[[^\]\n]*\]\([^)\n]+\))")
_SPECIAL = re.compile(r"([\\*_~`|>#])")

RULE = "⎯⎯⎯"


def shown(markdown: str) -> str:
    """`markdown` in Discord's own; what is in code stays as it is."""
    fence: Fence | None = None
    lines: list[str] = []
    for line in markdown.split("\n"):
        was, fence = fence, fence_after(fence, line)
        lines.append(line if was or fence else _line(line))
    return "\n".join(lines)


def _line(line: str) -> str:
    if found := _HEADING.fullmatch(line):
        text = found["text"].replace("**", "")
        return f"{found['lead']}**{text}**" if text else line
    if _RULE.fullmatch(line):
        return RULE
    line = _BOX.sub(lambda found: f"{found['lead']}{'☐' if found['mark'] == ' ' else '☑'} ", line, count=1)
    return _PICTURE.sub(r"\1", line) if "`" not in line else line


def escaped(text: str) -> str:
    """`text` on one line, so that none of it is read as markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


SPEAKER = 60
"""Longest icon and name above a text; escaped they are up to twice as long, for which the transport leaves room."""


def speaking(name: str, icon: str, text: str) -> str:
    """`text` with who says it in bold above, where it cannot be said under their own name."""
    head = f"**{escaped(cut(' '.join(part for part in (icon, name) if part), SPEAKER))}**"
    return f"{head}\n{text}" if text else head


def said(content: str) -> str:
    """What `speaking` was given as its text."""
    return re.sub(r"\A\*\*[^\n]*\*\*(?:\n|$)", "", content)
