"""The numbers that a model's service tells of a call, which may be anything."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)

MOST = 100_000_000
"""Tokens of one call at most: a hundred times what the largest model can read at once."""


def told_of(usage: object) -> dict[str, object]:
    """What a service's object `usage` names, but for nulls; nothing where it is none, which is told to the log."""
    if isinstance(usage, dict):
        return {name: count for name, count in usage.items() if count is not None}
    if usage is not None:
        log.warning(
            "the model's service tells %.40r as the usage of a call, which is no object; counted as none", usage
        )
    return {}


def bounded(name: str, told: object) -> int:
    """What `told` counts, from 0 to `MOST`; 0 where it is no whole number. What cannot be true is told to the log."""
    if told is None:
        return 0
    if isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= MOST:
        return told
    number = max(0, min(told, MOST)) if isinstance(told, int) and not isinstance(told, bool) else 0
    log.warning("the model's service tells %.40r as %s, which cannot be; counted as %d", told, name, number)
    return number
