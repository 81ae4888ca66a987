"""What people type, as Discord delivers it, read as what they see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.platforms.discord import marks

Names = Mapping[str, str]
"""Names by what stands before and in a mention: `@1`, `&2` for a role, `#3`."""

NOBODY: Names = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Plain:
    """A text as it was typed; whether it mentions the bot (taken off), and whether it mentions other people."""

    text: str
    addressed: bool = False
    others: bool = False


_MENTION = re.compile(r"<(?P<sign>@[!&]?|#)(?P<id>\d{15,20})>")
_CALL = "\0"
"""Stands for the bot's own mention until the spaces around it are known."""


def plain_text(text: str, bot: frozenset[str] = frozenset(), names: Names = NOBODY) -> Plain:
    """`text` with mentions by their names; those of `bot` (the ids of its user and its role) are taken off.

    A role (`@design`) counts as other people; `@here` does not: it calls everybody, us too. Emoji of a guild stay as
    they are.
    """
    addressed = others = False

    def read(found: re.Match[str]) -> str:
        nonlocal addressed, others
        sign, ident = found["sign"], found["id"]
        if sign == "#":
            return f"#{names.get(f'#{ident}', ident)}"
        if ident in bot:
            addressed = True
            return _CALL
        others = True
        return f"@{names.get(('&' if sign == '@&' else '@') + ident, ident)}"

    read_out = _MENTION.sub(read, marks.without(text).replace(_CALL, ""))
    read_out = re.sub(rf"^\s*(?:{_CALL}[:,]?\s*)+", "", read_out)
    read_out = re.sub(rf" *{_CALL}", "", read_out).strip()
    return Plain(read_out, addressed, others)
