"""How a file gets its tables, from whatever version it has."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ports.documents import Written
from bot.stores.errors import StoreError
from bot.stores.sqlite import SqliteStore
from bot.stores.sqlite_schema import APPLICATION_ID, MIGRATIONS, check, migrate
from tests.fakes.clock import ManualClock

FIRST = ("CREATE TABLE pet (name TEXT)",)
SECOND = ("ALTER TABLE pet ADD COLUMN age INTEGER NOT NULL DEFAULT 3", "CREATE INDEX pet_age ON pet (age)")
BROKEN = ("CREATE TABLE toy (name TEXT)", "CREATE TABLE pet (name TEXT)")


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_an_empty_file_gets_the_newest_version(db: sqlite3.Connection) -> None:
    migrate(db, "a.db")

    assert version(db) == len(MIGRATIONS)
    assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    check(db, "a.db")


def test_an_older_file_is_brought_up_to_date_with_what_is_in_it(db: sqlite3.Connection) -> None:
    migrate(db, "a.db", [FIRST])
    db.execute("INSERT INTO pet VALUES ('Rex')")

    migrate(db, "a.db", [FIRST, SECOND])

    assert version(db) == 2
    assert db.execute("SELECT name, age FROM pet").fetchall() == [("Rex", 3)]


def test_a_file_that_is_up_to_date_stays_as_it_is(db: sqlite3.Connection) -> None:
    migrate(db, "a.db", [FIRST])
    db.execute("INSERT INTO pet VALUES ('Rex')")

    migrate(db, "a.db", [FIRST])

    assert db.execute("SELECT name FROM pet").fetchall() == [("Rex",)]


def test_a_migration_that_fails_halfway_changes_nothing(db: sqlite3.Connection) -> None:
    migrate(db, "a.db", [FIRST])

    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(db, "a.db", [FIRST, BROKEN])

    assert version(db) == 1
    assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("pet",)]
    assert not db.in_transaction


def test_a_newer_file_is_refused_by_both(db: sqlite3.Connection) -> None:
    migrate(db, "a.db", [FIRST, SECOND])

    for open_file in (migrate, check):
        with pytest.raises(StoreError, match=r"a\.db has schema version 2, but this build knows versions up to 1"):
            open_file(db, "a.db", [FIRST])


def test_an_older_file_is_only_told_of_by_a_reader(db: sqlite3.Connection) -> None:
    migrate(db, "a.db", [FIRST])

    with pytest.raises(StoreError, match=r"a\.db has schema version 1, this build reads 2\. Start the bot once"):
        check(db, "a.db", [FIRST, SECOND])

    assert version(db) == 1


def test_a_file_with_another_programs_mark_is_refused(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA application_id = 1234")

    with pytest.raises(StoreError, match=r"a\.db belongs to another program"):
        migrate(db, "a.db")


def test_conversations_of_the_first_version_do_not_look_long_idle(db: sqlite3.Connection) -> None:
    migrate(db, "a.db", MIGRATIONS[:1])
    db.execute("INSERT INTO conversation (key) VALUES ('slack:T1:C1')")
    before = time.time() - 5

    migrate(db, "a.db")

    at, last = db.execute("SELECT at, last FROM conversation").fetchone()
    assert (at > before, last) == (True, None)


RELEASED = 4
"""The version of files that the previous release has written."""


def test_a_file_of_the_previous_release_keeps_everything_and_gets_documents(db: sqlite3.Connection) -> None:
    migrate(db, "a.db", MIGRATIONS[:RELEASED])
    db.execute("INSERT INTO conversation (key, at, last) VALUES ('slack:T1:C1', 5.0, 7)")
    db.execute("INSERT INTO state (conversation, body) VALUES (1, '{}')")
    db.execute("INSERT INTO log (conversation, line) VALUES (1, 'said')")
    db.execute("INSERT INTO leaving (kind, id, at, noted) VALUES ('conversation', 1, 5.0, 6.0)")
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    before = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in tables}

    migrate(db, "a.db")

    assert {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in tables} == before
    assert db.execute("SELECT count(*) FROM document").fetchone() == (0,)


async def test_a_store_on_a_file_of_the_previous_release_goes_on_and_takes_documents(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    migrate(old, "state.db", MIGRATIONS[:RELEASED])
    old.execute("INSERT INTO conversation (key, at, last, due) VALUES ('slack:T1:C1', 5.0, 7, 6.0)")
    old.execute("INSERT INTO state (conversation, body) VALUES (1, 'as it was')")
    old.execute("INSERT INTO log (conversation, line) VALUES (1, 'said')")
    old.execute("INSERT INTO message (conversation, id, payload, ord, plain) VALUES (1, 'm1', 'what waits', 7, 1)")
    old.close()

    store = await SqliteStore.open(tmp_path / "state.db", clock=ManualClock())

    assert (await store.peek("slack:T1:C1"), await store.log("slack:T1:C1")) == ("as it was", ("said",))
    claim = await store.claim("w", 15, 1)
    assert claim is not None and [message.payload for message in claim.taken] == ["what waits"]
    assert await store.documents.list("slack:T1:C1") == ()
    assert await store.documents.write("k1", "slack:T1:C1", "a.md", 0, "text") == Written("a.md", 1, 6)
    await store.close()
