"""Text made harmless: nothing that it holds can steer a terminal, or turn around the order in which it is read."""

from __future__ import annotations

import re

_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, the cursor, modes
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\\\|\x9c)"  # OSC (title, link), DCS
    "|\x1b[ -/]*[0-~]"
)
"""Whole escape sequences, in their 7-bit and 8-bit forms (ECMA-48, 5.4 and 5.6; xterm's control sequences)."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What is left of C0 but tab and newline, of C1, and the overrides and isolates of the bidirectional algorithm."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def harmless(text: str) -> str:
    """`text` without escape sequences, control characters (but for tab and newline) and bidirectional overrides.

    Half a surrogate pair, which no file and no terminal can hold, becomes U+FFFD.
    """
    text = _SEQUENCE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))


INDENT = "  "
"""What stands before the lines of a post: only the name above them is at the margin, so that no text can forge one."""

_BREAK = re.compile("[\u2028\u2029]")


def indented(text: str) -> str:
    """`text` with every line but the first moved in; empty ones stay empty."""
    first, *rest = _BREAK.sub("\n", text).split("\n")
    return "\n".join([first, *(INDENT + line if line.strip() else "" for line in rest)])


def in_one_line(text: str) -> str:
    """`text` made harmless and put on one line: a name, an icon, a label."""
    return " ".join(harmless(text).split())
