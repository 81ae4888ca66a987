"""What makes a post of ours one that can be found again: a mark at its end that people do not see.

Discord keeps nothing with a webhook's message but what is shown, so the mark is a part of the text: zero-width
characters which spell a hash of the post's key. Discord trims white space at the ends of a text, which they are not;
what else it takes out is not documented, so whether a mark came through is looked at with every post. A reply that is
still being written bears a mark of its own, so that nothing is ever taken for one because a mark is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce
from hashlib import blake2b

from bot.core.fences import Fence, fence_after

SYMBOLS = "\u200b\u200c\u200d\u2060"
"""Two bits each: zero width space, zero width non-joiner, zero width joiner, word joiner."""

BITS = 48
"""Enough for the few posts of a turn, among which alone a post is looked for."""

LENGTH = BITS // 2 + 1
"""The characters that a mark adds to a text: its symbols, and a space that keeps an address before them whole."""

CURSOR = " …"
"""What people see at the end of a reply that is still being written."""

_MARK = re.compile(rf" ?([{SYMBOLS}]{{{BITS // 2}}})$")
_ANYWHERE = re.compile(rf" ?[{SYMBOLS}]{{{BITS // 2}}}")


def mark_of(key: str) -> str:
    """The mark of a key, without the space before it."""
    value = int.from_bytes(blake2b(key.encode(), digest_size=BITS // 8).digest())
    return "".join(SYMBOLS[value >> shift & 3] for shift in range(0, BITS, 2))


GROWING = mark_of("")
"""The mark of every reply that is still being written; no key is empty."""


def marked(text: str, key: str) -> str:
    """`text` with the mark of `key`; nothing where it is empty, for a mark alone is no text."""
    return f"{text} {mark_of(key)}" if text else ""


def growing(text: str) -> str:
    """`text` as it is shown while more of it is being written; an open code fence is closed."""
    fence = reduce(fence_after, text.splitlines(), None)
    return f"{text}{closed(fence)}{CURSOR} {GROWING}"


def closed(fence: Fence | None) -> str:
    """What closes `fence`."""
    return fence.closing() if fence else ""


def mark_in(content: str) -> str:
    """The mark that a message's text ends with; "" without one."""
    found = _MARK.search(content)
    return found[1] if found else ""


def grown(content: str) -> str:
    """What `growing` was given, but for a code fence, which stays closed."""
    return _MARK.sub("", content).removesuffix(CURSOR.strip()).rstrip()


def without(text: str) -> str:
    """`text` without any marks, as they come along where somebody copies a post of ours."""
    return _ANYWHERE.sub("", text)


def carries(content: str, names: Iterable[str], key: str, file: str) -> bool:
    """Whether a message with this text and files of these names is the post of `key`, or shows the `file`."""
    return mark_in(content) == mark_of(key) or bool(file and file in names)
