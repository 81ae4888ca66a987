"""What operators do to the SQLite store. Every function runs inside a transaction that its caller has begun."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from bot.stores.erasing import names_message, without_message

_TEXTS = (
    ("log", "n", "line", "conversation = :place"),
    ("state", "conversation", "body", "conversation = :place"),
    ("turn", "conversation", "body", "conversation = :place"),
    ("message", "arrival", "payload", "conversation = :place AND place IS NOT NULL"),
    ("flag", "conversation", "payload", "conversation = :place"),
)
"""Where a conversation keeps texts besides its dead letters: table, the column of its rows' ids, that of the text."""


def blank(db: sqlite3.Connection, conversation: str, message_id: str) -> bool:
    """Empty the text of a message that was deleted, wherever it is kept; False where it is not."""
    row = db.execute("SELECT id, head FROM conversation WHERE key = ?", (conversation,)).fetchone()
    if row is None:
        return False
    found = False
    for table, ids, column, id, text in _texts(db, row["id"]):
        if names_message(text, message_id):
            found = True
            _rewrite(db, table, ids, column, id, without_message(text, {message_id}))
    for id, messages in _letters(db, conversation):
        if any(names_message(payload, message_id) for _, payload, _, _ in messages):
            found = True
            _rewrite_letter(db, id, [(m, without_message(p, {message_id}), o, f) for m, p, o, f in messages])
    if row["head"] is not None:
        db.execute("INSERT OR IGNORE INTO blanked (conversation, id) VALUES (?, ?)", (row["id"], message_id))
    return found


Kept = tuple[str, str, int, bool]
"""A message of a dead letter: id, payload, order, plain."""


def _texts(db: sqlite3.Connection, place: int) -> Iterator[tuple[str, str, str, int, str]]:
    for table, ids, column, which in _TEXTS:
        rows = db.execute(f"SELECT {ids}, {column} FROM {table} WHERE {which}", {"place": place}).fetchall()  # noqa: S608
        yield from ((table, ids, column, row[0], row[1]) for row in rows)


def _letters(db: sqlite3.Connection, conversation: str) -> Iterator[tuple[int, list[Kept]]]:
    rows = db.execute("SELECT id, messages FROM dead WHERE conversation = ?", (conversation,)).fetchall()
    return ((row["id"], [(m, p, o, bool(f)) for m, p, o, f in json.loads(row["messages"])]) for row in rows)


def _rewrite(db: sqlite3.Connection, table: str, ids: str, column: str, id: int, text: str) -> None:
    db.execute(f"UPDATE {table} SET {column} = ? WHERE {ids} = ?", (text, id))  # noqa: S608


def _rewrite_letter(db: sqlite3.Connection, id: int, messages: list[Kept]) -> None:
    db.execute("UPDATE dead SET messages = ? WHERE id = ?", (json.dumps(messages), id))
