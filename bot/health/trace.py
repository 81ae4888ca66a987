"""The id of a turn's trace, so that a line of the log leads to it."""

from __future__ import annotations

import hashlib

from bot.ports.mailbox import Claim

TRACE_BYTES = 16
"""How long an id of a trace is (w3.org/TR/trace-context, trace-id)."""


def trace_of(claim: Claim) -> str:
    """The id in hexadecimal digits: the same for every attempt at the turn, by whichever replica."""
    name = f"{claim.conversation}/{claim.head.id}"
    return hashlib.sha256(name.encode()).digest()[:TRACE_BYTES].hex()
