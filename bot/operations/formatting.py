"""How operators see what is stored: tables for people, JSON for programs; none of it can steer a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len

from bot.core.codec import UnreadableError, load
from bot.core.events import Mail, Resumed
from bot.core.model import SESSION_VERSION, Inbound
from bot.core.session import ConversationState
from bot.platforms.terminal.harmless import harmless, in_one_line
from bot.ports.mailbox import Message
from bot.ports.upkeep import Erased

_UNSAFE = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What JSON leaves as it is, and a terminal may not."""


def as_json(value: Any) -> str:
    """`value` for a program to read."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under their headings, in columns as wide as they need to be on a terminal."""
    lines = [tuple(head), *(tuple(in_one_line(cell) for cell in row) for row in rows)]
    widths = [max(cell_len(line[n]) for line in lines) for n in range(len(head))]
    return "\n".join(
        "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def lines(text: str, indent: str = "    ") -> str:
    """A text of several lines, made harmless, with each line indented."""
    return "\n".join(indent + line for line in harmless(text).split("\n"))


def shown_time(at: float) -> str:
    """A time for people, where they are; a dash where it is not known."""
    try:
        return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else "-"
    except (ValueError, OverflowError, OSError):
        return "-"  # an imported file may say anything


def iso_time(at: float) -> str | None:
    """A time for programs."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds") if at else None
    except (ValueError, OverflowError, OSError):
        return None


def session_of(state: str | None, version: int) -> ConversationState | None:
    """What a state says; None where there is none, or a newer build wrote it, or nobody can read it."""
    if state is None or version > SESSION_VERSION:
        return None
    try:
        saved: ConversationState = load(state, ConversationState)
    except UnreadableError:
        return None
    return saved


def said(message: Message) -> tuple[str, str]:
    """Who sent a message and what it says; of one that is no person's or cannot be read, what it is."""
    try:
        mail = load(message.payload, Mail)
    except UnreadableError:
        return "", f"(cannot be read) {message.payload}"
    match mail:
        case Inbound():
            return mail.name or mail.user, f"(pressed {mail.number})" if mail.menu else mail.text
        case Resumed():
            return "", f"(goes on: {mail.tag})"
        case _:
            return "", f"(cannot be read) {message.payload}"


def erased(counts: Erased) -> str:
    """Counts for people: `1 session, 12 lines of the log`; of what there is none of, nothing."""
    told = (
        number_of(counts.sessions, "session"),
        number_of(counts.turns, "turn under way", "turns under way"),
        number_of(counts.entries, "line of the log", "lines of the log"),
        number_of(counts.messages, "message"),
        number_of(counts.letters, "dead letter"),
        number_of(counts.posts, "post"),
        number_of(counts.records, "line of the audit trail", "lines of the audit trail"),
    )
    return ", ".join(one for one in told if not one.startswith("0 ")) or "nothing"


def number_of(count: int, one: str, many: str = "") -> str:
    """`1 message`, `2 messages`."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"
