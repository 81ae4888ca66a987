"""What operators do to the SQLite store. Every function runs inside a transaction that its caller has begun."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.core.steps import Record
from bot.ports.ledger import Audited
from bot.ports.mailbox import DeadLetter, Message
from bot.ports.upkeep import ConversationInfo, Erased
from bot.stores.erasing import is_from, names_message, names_of, without_message, without_person
from bot.stores.replaying import full, renamed
from bot.stores.sqlite_mailbox import LAPSES, append, dead_letter, is_seen
from bot.stores.sqlite_time import Moment

Clean = Callable[[str], str]

BETWEEN_LOOKS = 86400.0
"""Seconds from the look that notes something to the one that deletes it."""

# ---------------------------------------------------------------- texts, wherever they are


@dataclass(frozen=True, slots=True)
class _Text:
    """A text of a conversation: its table, that table's columns for ids and texts, its row, and what it says."""

    table: str
    ids: str
    column: str
    row: int
    text: str


_TABLES = (
    ("log", "n", "line", ""),
    ("state", "conversation", "body", ""),
    ("turn", "conversation", "body", ""),
    ("message", "arrival", "payload", "AND place IS NOT NULL"),
    ("flag", "conversation", "payload", ""),
    ("post", "n", "body", ""),
)


def _texts(db: sqlite3.Connection, place: int) -> Iterator[_Text]:
    """All but the dead letters, and the messages that no turn has taken."""
    for table, ids, column, which in _TABLES:
        rows = db.execute(
            f"SELECT {ids}, {column} FROM {table} WHERE conversation = ? {which}",  # noqa: S608
            (place,),
        ).fetchall()
        yield from (_Text(table, ids, column, row[0], row[1]) for row in rows)


def _letters(db: sqlite3.Connection, conversation: str) -> list[DeadLetter]:
    rows = db.execute("SELECT id, conversation, messages, reason, at FROM dead WHERE conversation = ?", (conversation,))
    return [dead_letter(row) for row in rows]


def _rewrite(db: sqlite3.Connection, where: _Text, text: str) -> None:
    db.execute(f"UPDATE {where.table} SET {where.column} = ? WHERE {where.ids} = ?", (text, where.row))  # noqa: S608


def _rewrite_letter(db: sqlite3.Connection, id: int, messages: list[Message]) -> None:
    kept = json.dumps([(m.id, m.payload, m.order, m.plain) for m in messages])
    # Behind the kind of error stands what it said, which may quote what is gone.
    kind = "reason = CASE WHEN instr(reason, ':') THEN substr(reason, 1, instr(reason, ':') - 1) ELSE reason END"
    db.execute(f"UPDATE dead SET messages = ?, {kind} WHERE id = ?", (kept, id))  # noqa: S608


def _row(db: sqlite3.Connection, conversation: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute(
        "SELECT id, head, held FROM conversation WHERE key = ?", (conversation,)
    ).fetchone()
    return found


# ---------------------------------------------------------------- looking


def conversations(db: sqlite3.Connection, after: str, limit: int) -> tuple[ConversationInfo, ...]:
    """Those with a state or mail, by key."""
    rows = db.execute(
        "SELECT key, at, state_version, head IS NOT NULL,"
        " (SELECT count(*) FROM message WHERE conversation = conversation.id AND place IS NULL)"
        " FROM conversation WHERE key > ? AND (EXISTS (SELECT 1 FROM state WHERE state.conversation = conversation.id)"
        " OR EXISTS (SELECT 1 FROM message WHERE message.conversation = conversation.id)) ORDER BY key LIMIT ?",
        (after, max(0, limit)),
    )
    return tuple(ConversationInfo(key, at, waiting, bool(head), version) for key, at, version, head, waiting in rows)


def last_seen(db: sqlite3.Connection, conversation: str) -> int:
    """The highest order that was ever put into the mailbox."""
    row = db.execute("SELECT last FROM conversation WHERE key = ?", (conversation,)).fetchone()
    return 0 if row is None else int(row["last"] or 0)


def trail(db: sqlite3.Connection, conversation: str, after: int, limit: int) -> tuple[Audited, ...]:
    """The audit trail, newest first."""
    rows = db.execute(
        "SELECT conversation, at, what, who, sha FROM audit WHERE ? IN ('', conversation)"
        " ORDER BY n DESC LIMIT ? OFFSET ?",
        (conversation, max(0, limit), max(0, after)),
    )
    return tuple(Audited(where, at, Record(what, who, sha)) for where, at, what, who, sha in rows)


def one_letter(db: sqlite3.Connection, id: int) -> DeadLetter | None:
    """That dead letter."""
    row = db.execute("SELECT id, conversation, messages, reason, at FROM dead WHERE id = ?", (id,)).fetchone()
    return None if row is None else dead_letter(row)


# ---------------------------------------------------------------- changing


def replay(db: sqlite3.Connection, now: Moment, id: int, message_id: str, cap: int) -> bool:
    """Move a dead letter's messages to the end of their mailbox. Raises MailboxFullError."""
    letter = one_letter(db, id)
    if letter is None or is_seen(db, now.own, letter.conversation, message_id):
        return False
    waiting = db.execute(
        "SELECT count(*) FROM message JOIN conversation ON conversation.id = message.conversation"
        " WHERE key = ? AND place IS NULL",
        (letter.conversation,),
    ).fetchone()[0]
    if waiting + len(letter.messages) > cap:
        raise full(letter, waiting)
    append(db, now, letter.conversation, renamed(letter.messages, message_id))
    db.execute("DELETE FROM dead WHERE id = ?", (id,))
    return True


def blank(db: sqlite3.Connection, conversation: str, message_id: str) -> bool:
    """Empty the text of a message that was deleted, wherever it is kept; False where it is not."""
    found = False
    if row := _row(db, conversation):
        for where in _texts(db, row["id"]):
            if names_message(where.text, message_id):
                found = True
                _rewrite(db, where, without_message(where.text, {message_id}))
        if row["head"] is not None:
            db.execute("INSERT OR IGNORE INTO blanked (conversation, id) VALUES (?, ?)", (row["id"], message_id))
    for letter in _letters(db, conversation):
        if any(names_message(m.payload, message_id) for m in letter.messages):
            found = True
            cleaned = [_with(m, without_message(m.payload, {message_id})) for m in letter.messages]
            _rewrite_letter(db, letter.id, cleaned)
    return found


def forget(db: sqlite3.Connection, now: float, conversation: str, *, dry_run: bool) -> Erased:
    """Delete all but the audit trail, the fence, the highest order, and the ids seen."""
    row = _row(db, conversation)
    states, turns, lines, messages, posts = (
        0 if row is None else _count(db, table, row["id"]) for table in ("state", "turn", "log", "message", "post")
    )
    letters = len(_letters(db, conversation))
    found = any((states, turns, lines, messages, letters, posts))
    erased = Erased(int(found), states, turns, lines, messages, letters, posts=posts)
    if dry_run:
        return erased
    if row is not None:
        _delete_parts(db, row["id"], *_PARTS)
        _begin_anew(db, now, row["id"])
    db.execute("DELETE FROM spending WHERE conversation = ?", (conversation,))
    db.execute("DELETE FROM dead WHERE conversation = ?", (conversation,))
    return erased


def reset(db: sqlite3.Connection, now: float, conversation: str) -> Erased:
    """Delete state, turn and mail."""
    row = _row(db, conversation)
    if row is None:
        return Erased()
    states, turns, messages = (_count(db, table, row["id"]) for table in ("state", "turn", "message"))
    _delete_parts(db, row["id"], *(table for table in _PARTS if table not in ("log", "post")))
    _begin_anew(db, now, row["id"])
    return Erased(int(any((states, turns, messages))), states, turns, 0, messages)


def known(db: sqlite3.Connection, within: str) -> list[str]:
    """Every conversation of which anything is kept, whose key begins with `within`."""
    rows = db.execute(
        "SELECT key FROM (SELECT key FROM conversation UNION SELECT conversation FROM dead"
        " UNION SELECT conversation FROM audit) WHERE substr(key, 1, length(?)) = ? ORDER BY key",
        (within, within),
    )
    return [row["key"] for row in rows]


def forget_user(
    db: sqlite3.Connection, now: float, conversation: str, user: str, pseudonym: str, *, dry_run: bool
) -> Erased:
    """Take a person out of one conversation."""
    row, letters = _row(db, conversation), _letters(db, conversation)
    texts = [] if row is None else list(_texts(db, row["id"]))
    waiting = [] if row is None else _waiting_from(db, row["id"], user)
    payloads = [m.payload for letter in letters for m in letter.messages]
    names: set[str] = set()
    for text in (*(where.text for where in texts), *(payload for _, payload in waiting), *payloads):
        names |= names_of(text, user)

    changed = [(w, new) for w in texts if (new := without_person(w.text, user, names, pseudonym)) != w.text]
    counts = {table: sum(w.table == table for w, _ in changed) for table, *_ in _TABLES}
    changed_letters = []
    for letter in letters:
        left = [_with(m, without_person(m.payload, user, names, pseudonym)) for m in letter.messages]
        left = [m for m, old in zip(left, letter.messages, strict=True) if not is_from(old.payload, user)]
        if left != list(letter.messages):
            changed_letters.append((letter.id, left))
    (records,) = db.execute(
        "SELECT count(*) FROM audit WHERE conversation = ? AND who = ?", (conversation, user)
    ).fetchone()
    if not dry_run:
        for where, text in changed:
            _rewrite(db, where, text)
        db.executemany("DELETE FROM message WHERE arrival = ?", [(arrival,) for arrival, _ in waiting])
        for id, left in changed_letters:
            _rewrite_letter(db, id, left)
        db.execute("DELETE FROM dead WHERE conversation = ? AND messages = '[]'", (conversation,))
        db.execute("UPDATE audit SET who = ? WHERE conversation = ? AND who = ?", (pseudonym, conversation, user))
        if row is not None and (waiting or any(where.table != "post" for where, _ in changed)):
            _start_again(db, now, row["id"])
    messages = counts["message"] + counts["flag"] + len(waiting)
    found = bool(changed or waiting or changed_letters or records)
    return Erased(
        int(found),
        counts["state"],
        counts["turn"],
        counts["log"],
        messages,
        len(changed_letters),
        records,
        counts["post"],
    )


_IDLE = {"conversation": "it.due IS NULL AND it.at < ?", "dead": "it.at < ?"}
"""What is idle since a time, by its table."""


def note_idle(
    db: sqlite3.Connection, now: Moment, idle: float, most: int, kinds: Mapping[str, str] = MappingProxyType(_IDLE)
) -> int:
    """Note what of these tables has been idle for so long, at most so many of each; how many were new.

    What was noted and has been used since, or is too young by the clock of today, is no longer noted.
    """
    before, noted = now.wall - idle, 0
    for kind, is_old in kinds.items():
        db.execute(
            f"DELETE FROM leaving WHERE kind = '{kind}' AND NOT EXISTS"  # noqa: S608
            f" (SELECT 1 FROM {kind} AS it WHERE it.id = leaving.id AND it.at = leaving.at AND {is_old})",
            (before,),
        )
        found = db.execute(
            f"INSERT INTO leaving (kind, id, at, noted) SELECT '{kind}', it.id, it.at, ? FROM {kind} AS it"  # noqa: S608
            f" WHERE {is_old} AND NOT EXISTS (SELECT 1 FROM leaving WHERE kind = '{kind}' AND leaving.id = it.id)"
            " ORDER BY it.at LIMIT ?",
            (now.own, before, most),
        )
        noted += found.rowcount
    return noted


def expire(db: sqlite3.Connection, now: Moment, most: int) -> tuple[int, int]:
    """Delete what was noted a day ago or more; conversations with a state, and how many of either kind there were.

    At most so many of each kind. `note_idle` has to have looked right before.
    """
    states = 0
    rows = leaving(db, now, "conversation", most)
    for place in rows:
        states += _count(db, "state", place)
        _delete_parts(db, place, *_PARTS, "seen", "post_count")
        db.execute("DELETE FROM spending WHERE conversation = (SELECT key FROM conversation WHERE id = ?)", (place,))
        db.execute("DELETE FROM conversation WHERE id = ? AND due IS NULL", (place,))
    letters = leaving(db, now, "dead", most)
    db.executemany("DELETE FROM dead WHERE id = ?", [(id,) for id in letters])
    has_left(db, "conversation", rows)
    has_left(db, "dead", letters)
    return states, len(rows) + len(letters)


def has_left(db: sqlite3.Connection, kind: str, gone: list[int]) -> None:
    """What of that table was deleted is noted no longer."""
    db.executemany("DELETE FROM leaving WHERE kind = ? AND id = ?", [(kind, id) for id in gone])


def leaving(db: sqlite3.Connection, now: Moment, kind: str, most: int) -> list[int]:
    """What of that table may go now, the longest noted first; what was used since the look is not among it."""
    rows = db.execute(
        f"SELECT id FROM leaving WHERE kind = ? AND noted <= ? AND EXISTS (SELECT 1 FROM {kind} AS it"  # noqa: S608
        f" WHERE it.id = leaving.id AND it.at = leaving.at{' AND it.due IS NULL' if kind == 'conversation' else ''})"
        " ORDER BY noted LIMIT ?",
        (kind, now.own - BETWEEN_LOOKS, most),
    )
    return [int(row["id"]) for row in rows]


def _count(db: sqlite3.Connection, table: str, place: int) -> int:
    (count,) = db.execute(f"SELECT count(*) FROM {table} WHERE conversation = ?", (place,)).fetchone()  # noqa: S608
    return int(count)


_PARTS = ("state", "turn", "log", "message", "flag", "blanked", "post")


def _delete_parts(db: sqlite3.Connection, place: int, *tables: str) -> None:
    for table in tables:
        db.execute(f"DELETE FROM {table} WHERE conversation = ?", (place,))  # noqa: S608


def _begin_anew(db: sqlite3.Connection, now: float, place: int) -> None:
    """Take the conversation from whoever works on it, for there is nothing more to be done."""
    db.execute(
        "UPDATE conversation SET fence = fence + 1, at = ?, due = NULL, held = 0, head = NULL, attempt = 0,"
        " expiries = 0, state_version = 0, turn_version = 0, floor_open = 1 WHERE id = ?",
        (now, place),
    )


def _waiting_from(db: sqlite3.Connection, place: int, user: str) -> list[tuple[int, str]]:
    rows = db.execute("SELECT arrival, payload FROM message WHERE conversation = ? AND place IS NULL", (place,))
    return [(row["arrival"], row["payload"]) for row in rows if is_from(row["payload"], user)]


def _start_again(db: sqlite3.Connection, now: float, place: int) -> None:
    """Take the conversation from whoever works on it with what is no longer there."""
    db.execute(
        "UPDATE conversation SET fence = fence + 1, expiries = (expiries << 1) & ?, held = 0, due = ?"
        " WHERE id = ? AND held = 1",
        (LAPSES, now, place),
    )
    db.execute(
        "UPDATE conversation SET due = NULL WHERE id = ?"
        " AND NOT EXISTS (SELECT 1 FROM message WHERE message.conversation = conversation.id)",
        (place,),
    )


def _with(message: Message, payload: str) -> Message:
    return Message(message.id, payload, message.order, message.plain)
