"""What a mention of the bot asks for, beside words for the persona that is on."""

from __future__ import annotations

from bot.core import commands
from bot.personas.model import Cast


def meant(text: str, cast: Cast) -> str:
    """`text`, said with a mention of the bot, as it is meant: a name or a host's command alone needs no prefix.

    `@greenroom pm` is `*pm`, and `@greenroom` alone is `*help`.
    """
    asked = text or "help"
    match commands.understand(f"*{asked}", cast, None):
        case commands.One(_, "", True) if commands.is_plain(asked):
            return f"*{asked}"
    return text
