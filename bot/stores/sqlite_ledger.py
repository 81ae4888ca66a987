"""What the SQLite store keeps beside the mailboxes: states to look at, logs, spending, the audit trail."""

from __future__ import annotations

import sqlite3

from bot.core.events import Usage
from bot.core.steps import Record


def peek(db: sqlite3.Connection, conversation: str) -> str | None:
    """The state of the last commit."""
    row = db.execute(
        "SELECT body FROM state JOIN conversation ON conversation.id = state.conversation WHERE key = ?",
        (conversation,),
    ).fetchone()
    return None if row is None else str(row["body"])


def under_way(db: sqlite3.Connection, conversation: str) -> str | None:
    """The turn of the last checkpoint."""
    row = db.execute(
        "SELECT body FROM turn JOIN conversation ON conversation.id = turn.conversation WHERE key = ?", (conversation,)
    ).fetchone()
    return None if row is None else str(row["body"])


def log(db: sqlite3.Connection, conversation: str, last: int = -1) -> tuple[str, ...]:
    """The log's last so many lines, oldest first; all of it below 0."""
    rows = db.execute(
        "SELECT line FROM log WHERE conversation = (SELECT id FROM conversation WHERE key = ?) ORDER BY n DESC LIMIT ?",
        (conversation, last),
    )
    return tuple(row["line"] for row in rows)[::-1]


def spend(db: sqlite3.Connection, key: str, conversation: str, usage: Usage) -> None:
    """Add usage, once a key."""
    db.execute(
        "INSERT INTO spending (key, conversation, model, input, output, cache_read, cache_write)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (key, conversation, usage.model, usage.input, usage.output, usage.cache_read, usage.cache_write),
    )


def spent(db: sqlite3.Connection, conversation: str) -> tuple[Usage, ...]:
    """One sum a model, sorted by model."""
    rows = db.execute(
        "SELECT sum(input), sum(output), sum(cache_read), sum(cache_write), model FROM spending"
        " WHERE conversation = ? GROUP BY model ORDER BY model",
        (conversation,),
    )
    return tuple(Usage(*row) for row in rows)


def audit(db: sqlite3.Connection, now: float, key: str, conversation: str, record: Record) -> None:
    """Add a line, once a key."""
    db.execute(
        "INSERT INTO audit (key, conversation, what, who, sha, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (key, conversation, record.what, record.who, record.sha, now),
    )


def audited(db: sqlite3.Connection, conversation: str) -> tuple[Record, ...]:
    """The audit trail, oldest first."""
    rows = db.execute("SELECT what, who, sha FROM audit WHERE conversation = ? ORDER BY n", (conversation,))
    return tuple(Record(*row) for row in rows)
