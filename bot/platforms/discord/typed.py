"""What people type, as Discord delivers it, read as what they see."""

from __future__ import annotations

import re

from bot.platforms.discord import marks
from bot.platforms.typed import CALL, NOBODY, Names, Plain, without_call

_MENTION = re.compile(r"<(?P<sign>@[!&]?|#)(?P<id>\d{15,20})>")


def plain_text(text: str, bot: frozenset[str] = frozenset(), names: Names = NOBODY) -> Plain:
    """`text` with mentions by their names; those of `bot` (the ids of its user and its role) are taken off.

    `names` are known by what stands before and in a mention: `@1`, `&2` for a role, `#3`. A role (`@design`) counts as
    other people; `@here` does not: it calls everybody, us too. Emoji of a guild stay as they are.
    """
    addressed = others = False

    def read(found: re.Match[str]) -> str:
        nonlocal addressed, others
        sign, ident = found["sign"], found["id"]
        if sign == "#":
            return f"#{names.get(f'#{ident}', ident)}"
        if ident in bot:
            addressed = True
            return CALL
        others = True
        return f"@{names.get(('&' if sign == '@&' else '@') + ident, ident)}"

    read_out = _MENTION.sub(read, marks.without(text).replace(CALL, ""))
    return Plain(without_call(read_out), addressed, others)
