"""A post as text that every platform can show: the words, then the numbered options (rule 8: always numbered lists)."""

from __future__ import annotations

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
