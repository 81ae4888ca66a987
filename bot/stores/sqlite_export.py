"""How a conversation leaves the SQLite store and comes into it, inside a transaction that the caller has begun."""

from __future__ import annotations

import sqlite3

from bot.core.steps import Record
from bot.ports.mailbox import Message
from bot.stores import sqlite_posts as posts
from bot.stores.exporting import AuditLine, Dumped
from bot.stores.sqlite_ledger import log, peek, spent
from bot.stores.sqlite_mailbox import append, place_of
from bot.stores.sqlite_time import Moment

_SUMS = "imported:"
"""What the keys of imported sums begin with; those of calls begin with their conversation's platform."""


def dump(db: sqlite3.Connection, conversation: str) -> Dumped | None:
    """All that is kept of the conversation; None where nothing is, or only what its forgetting has left."""
    row = db.execute(
        "SELECT id, at, last, state_version, floor_open, turn_version FROM conversation WHERE key = ?", (conversation,)
    ).fetchone()
    audit = tuple(
        AuditLine(key, at, Record(what, who, sha))
        for key, at, what, who, sha in db.execute(
            "SELECT key, at, what, who, sha FROM audit WHERE conversation = ? ORDER BY n", (conversation,)
        )
    )
    if row is None:
        return Dumped(0.0, audit=audit) if audit else None
    place = row["id"]
    turn = db.execute("SELECT body FROM turn WHERE conversation = ?", (place,)).fetchone()
    flags = _messages(db, "flag WHERE conversation = ?", place)
    paid = db.execute("SELECT key FROM spending WHERE conversation = ? ORDER BY key", (conversation,))
    dumped = Dumped(
        at=row["at"],
        last=row["last"],
        state=peek(db, conversation),
        state_version=row["state_version"],
        floor_open=bool(row["floor_open"]),
        turn=None if turn is None else turn["body"],
        turn_version=row["turn_version"],
        taken=_messages(db, "message WHERE conversation = ? AND place IS NOT NULL ORDER BY place", place),
        mail=_messages(db, "message WHERE conversation = ? AND place IS NULL ORDER BY ord, arrival", place),
        flag=flags[0] if flags else None,
        log=log(db, conversation),
        usage=spent(db, conversation),
        paid=tuple(row["key"] for row in paid if not row["key"].startswith(_SUMS)),
        audit=audit,
        posts=posts.all_of(db, conversation),
    )
    return None if dumped.is_empty and not audit else dumped


def restore(db: sqlite3.Connection, now: Moment, conversation: str, dumped: Dumped) -> bool:
    """Put it there; False where something is kept already."""
    if (there := dump(db, conversation)) is not None and not there.is_empty:
        return False
    place = place_of(db, conversation)
    if dumped.state is not None:
        db.execute("INSERT INTO state (conversation, body) VALUES (?, ?)", (place, dumped.state))
    if dumped.turn is not None:
        db.execute("INSERT INTO turn (conversation, body) VALUES (?, ?)", (place, dumped.turn))
    append(db, now, conversation, [*dumped.taken, *dumped.mail], as_they_are=True)
    db.executemany(
        "UPDATE message SET place = ? WHERE arrival ="
        " (SELECT min(arrival) FROM message WHERE conversation = ? AND place IS NULL)",
        [(n, place) for n in range(len(dumped.taken))],
    )
    if dumped.flag is not None and dumped.taken:
        flag = dumped.flag
        db.execute(
            "INSERT INTO flag (conversation, head, id, payload, ord, plain) VALUES (?, ?, ?, ?, ?, ?)",
            (place, dumped.taken[0].id, flag.id, flag.payload, flag.order, flag.plain),
        )
    db.executemany("INSERT INTO log (conversation, line) VALUES (?, ?)", [(place, line) for line in dumped.log])
    db.executemany(
        "INSERT OR REPLACE INTO seen (conversation, id, at) VALUES (?, ?, ?)",
        [(place, id, now.own) for id in dumped.seen],
    )
    posts.append(db, place, dumped.posts)
    _restore_usage(db, conversation, dumped)
    db.executemany(
        "INSERT INTO audit (key, conversation, what, who, sha, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (line.key, conversation, line.record.what, line.record.who, line.record.sha, line.at)
            for line in dumped.audit
        ],
    )
    db.execute(
        "UPDATE conversation SET at = ?, last = max(coalesce(last, ?), ?), head = ?, state_version = ?,"
        " turn_version = ?, floor_open = ? WHERE id = ?",
        (
            dumped.at,
            dumped.last,
            dumped.last,
            dumped.taken[0].id if dumped.taken else None,
            dumped.state_version,
            dumped.turn_version,
            dumped.floor_open,
            place,
        ),
    )
    return True


def _restore_usage(db: sqlite3.Connection, conversation: str, dumped: Dumped) -> None:
    """The sums stand under keys of their own; those of the calls in them are kept, so that none is added again."""
    insert = (
        "INSERT OR REPLACE INTO spending (key, conversation, model, input, output, cache_read, cache_write)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
    )
    for usage in dumped.usage:
        counts = usage.input, usage.output, usage.cache_read, usage.cache_write
        db.execute(insert, (f"{_SUMS} {conversation} {usage.model}", conversation, usage.model, *counts))
    if dumped.usage:
        model = dumped.usage[0].model
        db.executemany(
            insert.replace("REPLACE", "IGNORE"), [(key, conversation, model, 0, 0, 0, 0) for key in dumped.paid]
        )


def _messages(db: sqlite3.Connection, source: str, place: int) -> tuple[Message, ...]:
    """The messages of a table and condition that this module names."""
    rows = db.execute(f"SELECT id, payload, ord, plain FROM {source}", (place,))  # noqa: S608
    return tuple(Message(row["id"], row["payload"], row["ord"], bool(row["plain"])) for row in rows)
