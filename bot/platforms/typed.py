"""What people type, whichever platform delivers it: names for what it mentions, and the bot's own mention taken off."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Names = Mapping[str, str]
"""Names of what a text mentions, by the platform's id for it, as far as they are known."""

NOBODY: Names = MappingProxyType({})

CALL = "\0"
"""Stands for the bot's own mention until the spaces around it are known; nobody can type it."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A text as it was typed; whether it mentions the bot (taken off), and whether it mentions other people."""

    text: str
    addressed: bool = False
    others: bool = False


def without_call(text: str) -> str:
    """`text` without the bot's mentions, and what belongs to them: a colon behind the first, spaces before another."""
    *before, last = re.sub(rf"^\s*(?:{CALL}[:,]?\s*)+", "", text).split(CALL)
    return "".join([*(part.rstrip(" ") for part in before), last]).strip()
