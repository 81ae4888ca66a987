"""A post as text that every platform can show: the words, then the numbered options (rule 8: always numbered lists)."""

from __future__ import annotations

import hashlib
import re

from bot.core.model import Menu, Option
from bot.core.steps import Post


def as_text(post: Post) -> str:
    """The post's Markdown with its menu written out under it. Platforms with buttons add those; the numbers stay."""
    if post.menu is None:
        return post.markdown
    return f"{post.markdown}\n\n{numbered(post.menu)}" if post.markdown else numbered(post.menu)


def numbered(menu: Menu) -> str:
    """The options as `1. label - hint`, one a line, and the prompt below them."""
    lines = [f"{n}. {label(o)}{f' - {o.hint}' if o.hint else ''}" for n, o in enumerate(menu.options, 1)]
    return "\n".join([*lines, *(["", menu.prompt] if menu.prompt else [])])


def label(option: Option) -> str:
    """What an option is called in a sentence: a command as code, so that no platform reads its asterisk as markup."""
    return f"`{option.label}`" if option.label.startswith("*") else option.label


def mark_of(turn: str) -> str:
    """What stands for a turn in the ids of its menus: ten characters, the same for the same turn.

    A turn's id is that of a message, which no other message of its conversation has, also after a wipe. It is hashed
    for its length (a Discord `custom_id` has 100 characters for all that a button carries) and because the id of a
    press may name a person.
    """
    return hashlib.sha256(turn.encode()).hexdigest()[:10]


def is_of_an_older_build(menu_id: str) -> bool:
    """Whether an earlier build made that id: it counted from 1 in each conversation, and again after a wipe."""
    return re.fullmatch(r"m\d+", menu_id) is not None
