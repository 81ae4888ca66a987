"""Names to speak under, as Discord takes them."""

from __future__ import annotations

import re

from wcwidth import iter_graphemes

from bot.core.model import Voice

LONGEST = 80
"""Longest name of a webhook's message, and of a webhook (docs, webhook resource)."""

_FORBIDDEN = re.compile(r"(cl)(yde)|(dis)(cord)", re.IGNORECASE)
"""Words that no name may hold (docs, create webhook); a point comes into them."""


def name_of(voice: Voice) -> str:
    """The name that a voice's posts bear: its icon and its name, at most 80 characters."""
    return _allowed(f"{voice.icon} {voice.name}")


def webhook_name(name: str) -> str:
    """The name of the bot's own webhooks, in which more is forbidden."""
    return _allowed(re.sub(r"[@#:]|```", "", name))


def _allowed(text: str) -> str:
    text = _FORBIDDEN.sub(lambda found: "·".join(part for part in found.groups() if part), " ".join(text.split()))
    if text.casefold() in ("", "everyone", "here"):
        return f"{text} (persona)".strip()
    return cut(text, LONGEST)


def cut(text: str, most: int) -> str:
    """`text` on one line and in at most `most` characters, cut between those that people see, `…` at the cut."""
    flat = " ".join(text.split())
    if len(flat) <= most:
        return flat
    found = ""
    for grapheme in iter_graphemes(flat):
        if len(found) + len(grapheme) > most - 1:
            break
        found += grapheme
    return found.rstrip() + "…"
