"""The tables of the SQLite store, and how a file comes to have them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from bot.stores.errors import StoreError, StoreSettingsError

APPLICATION_ID = 0x47524E52
"""Says in the file's header whose it is: "GRNR" (sqlite.org/fileformat2.html, section 1.3.14)."""

_V1 = (
    # One row a conversation, kept small because every claim and renewal writes it. `due` is the ready time, the end
    # of the lease or the end of the retry delay, whichever is meant now; NULL with nothing to do. `held` is 1 from
    # claim to commit, retry, release or bury. `head` is the id of the first taken message; NULL between turns.
    """
    CREATE TABLE conversation (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        due REAL,
        held INTEGER NOT NULL DEFAULT 0,
        worker TEXT NOT NULL DEFAULT '',
        fence INTEGER NOT NULL DEFAULT 0,
        head TEXT,
        attempt INTEGER NOT NULL DEFAULT 0,
        expiries INTEGER NOT NULL DEFAULT 0,
        state_version INTEGER NOT NULL DEFAULT 0,
        turn_version INTEGER NOT NULL DEFAULT 0,
        floor_open INTEGER NOT NULL DEFAULT 1,
        done_fence INTEGER NOT NULL DEFAULT 0
    )
    """,
    "CREATE INDEX conversation_due ON conversation (due) WHERE due IS NOT NULL",
    "CREATE TABLE state (conversation INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    "CREATE TABLE turn (conversation INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    # `place` counts a turn's taken messages from 0; NULL while no turn has taken the message.
    """
    CREATE TABLE message (
        arrival INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation INTEGER NOT NULL,
        id TEXT NOT NULL,
        payload TEXT NOT NULL,
        ord INTEGER NOT NULL,
        plain INTEGER NOT NULL,
        place INTEGER
    )
    """,
    "CREATE INDEX message_place ON message (conversation, place, ord, arrival)",
    """
    CREATE TABLE seen (
        conversation INTEGER NOT NULL, id TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (conversation, id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX seen_at ON seen (at)",
    """
    CREATE TABLE flag (
        conversation INTEGER PRIMARY KEY,
        head TEXT NOT NULL,
        id TEXT NOT NULL,
        payload TEXT NOT NULL,
        ord INTEGER NOT NULL,
        plain INTEGER NOT NULL
    )
    """,
    "CREATE TABLE log (n INTEGER PRIMARY KEY AUTOINCREMENT, conversation INTEGER NOT NULL, line TEXT NOT NULL)",
    "CREATE INDEX log_conversation ON log (conversation)",
    # `messages` is a JSON list of [id, payload, order, plain].
    """
    CREATE TABLE dead (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation TEXT NOT NULL,
        messages TEXT NOT NULL,
        reason TEXT NOT NULL,
        at REAL NOT NULL
    )
    """,
    """
    CREATE TABLE spending (
        key TEXT PRIMARY KEY,
        conversation TEXT NOT NULL,
        model TEXT NOT NULL,
        input INTEGER NOT NULL,
        output INTEGER NOT NULL,
        cache_read INTEGER NOT NULL,
        cache_write INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX spending_conversation ON spending (conversation, model)",
    """
    CREATE TABLE audit (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        conversation TEXT NOT NULL,
        what TEXT NOT NULL,
        who TEXT NOT NULL,
        sha TEXT NOT NULL,
        at REAL NOT NULL
    )
    """,
    "CREATE INDEX audit_conversation ON audit (conversation)",
)

_V2 = (
    # `at` is when the conversation was last written to; `last` the highest order that was ever put into its mailbox.
    "ALTER TABLE conversation ADD COLUMN at REAL NOT NULL DEFAULT 0",
    "ALTER TABLE conversation ADD COLUMN last INTEGER",
    "UPDATE conversation SET at = strftime('%s', 'now')",
    # `tat` is the theoretical arrival time of the generic cell rate algorithm, in microseconds since the epoch.
    "CREATE TABLE rate (key TEXT PRIMARY KEY, tat INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX rate_tat ON rate (tat)",
    """
    CREATE TABLE budget (
        day TEXT NOT NULL,
        scope TEXT NOT NULL,
        tokens INTEGER NOT NULL DEFAULT 0,
        micros INTEGER NOT NULL DEFAULT 0,
        granted_tokens INTEGER NOT NULL DEFAULT 0,
        granted_micros INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (day, scope)
    ) WITHOUT ROWID
    """,
    # `scopes` is a JSON list; a grant is kept here too, without any, so that it counts once.
    """
    CREATE TABLE reservation (
        key TEXT PRIMARY KEY,
        day TEXT NOT NULL,
        scopes TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        micros INTEGER NOT NULL,
        settled INTEGER NOT NULL,
        at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX reservation_at ON reservation (at)",
    # Messages that were deleted while a turn was in flight: what that turn writes is blanked.
    """
    CREATE TABLE blanked (
        conversation INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY (conversation, id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX dead_conversation ON dead (conversation)",
)

_V3 = (
    # What stands before the first colon of the key. Each index is what one question is answered from: what is due on
    # these platforms, and what has been idle for long.
    "ALTER TABLE conversation ADD COLUMN platform TEXT AS (substr(key, 1, instr(key, ':') - 1)) VIRTUAL",
    "CREATE INDEX conversation_platform ON conversation (platform, due) WHERE due IS NOT NULL",
    "CREATE INDEX conversation_idle ON conversation (at) WHERE due IS NULL",
    "CREATE INDEX dead_at ON dead (at)",
)

_V4 = (
    # How far the file's own time has come, and how far that is ahead of the wall clock (`sqlite_time`).
    "CREATE TABLE clock (id INTEGER PRIMARY KEY CHECK (id = 1), reached REAL NOT NULL, ahead REAL NOT NULL)",
    # What a look has found idle: `id` of its table, `at` as it was then, `noted` in the file's own time.
    """
    CREATE TABLE leaving (
        kind TEXT NOT NULL, id INTEGER NOT NULL, at REAL NOT NULL, noted REAL NOT NULL, PRIMARY KEY (kind, id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX leaving_noted ON leaving (kind, noted)",
)

_V5 = (
    # `last` is the number of the newest version ever given out; nothing sets it back.
    "CREATE TABLE space (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, last INTEGER NOT NULL DEFAULT 0)",
    # `folded` is the path as paths are compared; `version` the newest, `at` when that was written.
    """
    CREATE TABLE document (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        space INTEGER NOT NULL,
        folded TEXT NOT NULL,
        path TEXT NOT NULL,
        version INTEGER NOT NULL,
        at REAL NOT NULL,
        UNIQUE (space, folded)
    )
    """,
    "CREATE INDEX document_at ON document (at)",
    # The long ones stand last, so that the others are read without them.
    """
    CREATE TABLE document_version (
        document INTEGER NOT NULL,
        version INTEGER NOT NULL,
        size INTEGER NOT NULL,
        at REAL NOT NULL,
        path TEXT NOT NULL,
        meta TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (document, version)
    )
    """,
    """
    CREATE TABLE document_key (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        space INTEGER NOT NULL,
        key TEXT NOT NULL,
        version INTEGER NOT NULL,
        UNIQUE (space, key)
    )
    """,
    # Whose direct messages are where.
    "CREATE TABLE home (person TEXT PRIMARY KEY, space TEXT NOT NULL) WITHOUT ROWID",
)

_V6 = (
    # What stands in a conversation whose platform keeps nothing itself. Whatever changes a row, `change` counts it.
    """
    CREATE TABLE post (
        n INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL,
        number INTEGER NOT NULL,
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('growing', 'shown', 'gone')),
        change INTEGER NOT NULL DEFAULT 0,
        at REAL NOT NULL,
        UNIQUE (conversation, id),
        UNIQUE (conversation, number)
    )
    """,
    "CREATE INDEX post_change ON post (conversation, change)",
    "CREATE INDEX post_growing ON post (conversation, number) WHERE state = 'growing'",
    # Both only grow, also when the conversation is forgotten: no place is given twice.
    """
    CREATE TABLE post_count (
        conversation INTEGER PRIMARY KEY, number INTEGER NOT NULL DEFAULT 0, change INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TRIGGER post_put AFTER INSERT ON post BEGIN
        INSERT INTO post_count (conversation, number, change) VALUES (new.conversation, new.number, 1)
            ON CONFLICT DO UPDATE SET number = max(number, new.number), change = change + 1;
        UPDATE post SET change = (SELECT change FROM post_count WHERE conversation = new.conversation) WHERE n = new.n;
    END
    """,
    """
    CREATE TRIGGER post_changed AFTER UPDATE OF body, state ON post BEGIN
        UPDATE post_count SET change = change + 1 WHERE conversation = new.conversation;
        UPDATE post SET change = (SELECT change FROM post_count WHERE conversation = new.conversation) WHERE n = new.n;
    END
    """,
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_V1, _V2, _V3, _V4, _V5, _V6)
"""Statement lists; the n-th (from 1) brings a file from version n - 1 to n. Released ones are never changed."""


def migrate(db: sqlite3.Connection, path: str, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring the file to the newest version, in one transaction.

    Raises StoreError where the file is of a newer build or of another program.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        version = _version(db, path, len(migrations))
        for statements in migrations[version:]:
            for statement in statements:
                db.execute(statement)
        if version < len(migrations):
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {len(migrations)}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite has rolled back by itself when a disk is full
            db.execute("ROLLBACK")
        raise


def check(db: sqlite3.Connection, path: str, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Raise StoreError unless the file has the newest version already; changes nothing."""
    version = _version(db, path, len(migrations))
    if version < len(migrations):
        raise StoreError(
            f"The database {path} has schema version {version}, this build reads {len(migrations)}. "
            "Start the bot once: it brings the file up to date."
        )


def _version(db: sqlite3.Connection, path: str, newest: int) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreSettingsError(
            f"The database {path} belongs to another program. Name another path for the bot's database; "
            "nothing in this one was changed."
        )
    if version > newest:
        raise StoreSettingsError(
            f"The database {path} has schema version {version}, but this build knows versions up to {newest}. "
            "Run the newer build that wrote it, or name another path."
        )
    return int(version)
