"""Rates and budgets of the SQLite store. Every function runs inside a transaction that its caller has begun."""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Sequence

from bot.ports.budgets import Amount, Balance, Limit, Reservation
from bot.stores.budgets import DAYS, KEPT_SECONDS, judge, scopes_of

_PRUNED_AT_ONCE = 8
"""Rows that one call clears away: more than the one it adds, few enough not to be felt."""


def throttle(db: sqlite3.Connection, now: float, key: str, apart: int, ahead: int) -> float:
    """Count an event under the generic cell rate algorithm; the seconds to wait. Times are in microseconds."""
    micros = round(now * 1_000_000)
    db.execute(
        "DELETE FROM rate WHERE key IN (SELECT key FROM rate WHERE tat <= ? ORDER BY tat LIMIT ?)",
        (micros, _PRUNED_AT_ONCE),
    )
    row = db.execute("SELECT tat FROM rate WHERE key = ?", (key,)).fetchone()
    # No event that was allowed leaves more than `ahead` behind it: what is further off is of a clock that was wrong.
    is_known = row is not None and micros < row["tat"] <= micros + ahead
    following = (row["tat"] if is_known else micros) + apart
    if (early := following - ahead - micros) > 0:
        return float(early / 1_000_000)
    db.execute("INSERT OR REPLACE INTO rate (key, tat) VALUES (?, ?)", (key, following))
    return 0.0


def reserve(
    db: sqlite3.Connection, now: float, key: str, day: str, amount: Amount, limits: Sequence[Limit]
) -> Reservation:
    """Count the amount in all scopes, or in none."""
    _prune(db, now)
    scopes = scopes_of(limits)
    before = tuple(budget(db, scope, day) for scope in scopes)
    if _is_known(db, key):
        return Reservation(True, "", before)
    answer = judge(amount, limits, before)
    if answer.allowed:
        _add(db, day, scopes, amount)
        _remember(db, now, key, day, scopes, amount)
    return answer


def settle(db: sqlite3.Connection, key: str, amount: Amount) -> bool:
    """Replace what was reserved by what it came to."""
    row = db.execute("SELECT day, scopes, tokens, micros, settled FROM reservation WHERE key = ?", (key,)).fetchone()
    if row is None:
        return False
    if not row["settled"]:
        more = Amount(amount.tokens - row["tokens"], amount.micros - row["micros"])
        _add(db, row["day"], json.loads(row["scopes"]), more)
        db.execute("UPDATE reservation SET settled = 1 WHERE key = ?", (key,))
    return True


def budget(db: sqlite3.Connection, scope: str, day: str) -> Balance:
    """What is spent and granted."""
    row = db.execute(
        "SELECT tokens, micros, granted_tokens, granted_micros FROM budget WHERE day = ? AND scope = ?", (day, scope)
    ).fetchone()
    return Balance() if row is None else Balance(Amount(row[0], row[1]), Amount(row[2], row[3]))


def grant(db: sqlite3.Connection, now: float, key: str, scope: str, day: str, amount: Amount) -> bool:
    """Raise the limits of a scope on a day, once a key."""
    _prune(db, now)
    kept = f"grant {key}"
    if _is_known(db, kept):
        return False
    _add(db, day, [scope], Amount())
    db.execute(
        "UPDATE budget SET granted_tokens = granted_tokens + ?, granted_micros = granted_micros + ?"
        " WHERE day = ? AND scope = ?",
        (amount.tokens, amount.micros, day, scope),
    )
    _remember(db, now, kept, day, (), amount)
    return True


def count(db: sqlite3.Connection, now: float, key: str, day: str, amount: Amount, scopes: Sequence[str]) -> bool:
    """Count the amount in all scopes, once a key."""
    _prune(db, now)
    kept = f"count {key}"
    if _is_known(db, kept):
        return False
    _add(db, day, scopes, amount)
    _remember(db, now, kept, day, (), amount)
    return True


def counted(db: sqlite3.Connection, day: str) -> dict[str, Amount]:
    """What every scope has spent."""
    rows = db.execute("SELECT scope, tokens, micros FROM budget WHERE day = ?", (day,))
    return {row["scope"]: Amount(row["tokens"], row["micros"]) for row in rows}


def rename_scope(db: sqlite3.Connection, day: str, scope: str, other: str) -> bool:
    """Move what a scope has spent and been granted to another."""
    row = db.execute("SELECT * FROM budget WHERE day = ? AND scope = ?", (day, scope)).fetchone()
    if row is None or scope == other:
        return False
    _add(db, day, [other], Amount(row["tokens"], row["micros"]))
    db.execute(
        "UPDATE budget SET granted_tokens = granted_tokens + ?, granted_micros = granted_micros + ?"
        " WHERE day = ? AND scope = ?",
        (row["granted_tokens"], row["granted_micros"], day, other),
    )
    db.execute("DELETE FROM budget WHERE day = ? AND scope = ?", (day, scope))
    return True


def _is_known(db: sqlite3.Connection, key: str) -> bool:
    return db.execute("SELECT 1 FROM reservation WHERE key = ?", (key,)).fetchone() is not None


def _remember(db: sqlite3.Connection, now: float, key: str, day: str, scopes: Sequence[str], amount: Amount) -> None:
    db.execute(
        "INSERT INTO reservation (key, day, scopes, tokens, micros, settled, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (key, day, json.dumps(scopes), amount.tokens, amount.micros, not scopes, now),
    )


def _add(db: sqlite3.Connection, day: str, scopes: Sequence[str], amount: Amount) -> None:
    db.executemany(
        "INSERT INTO budget (day, scope, tokens, micros) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET tokens = tokens + excluded.tokens, micros = micros + excluded.micros",
        [(day, scope, amount.tokens, amount.micros) for scope in scopes],
    )


def _prune(db: sqlite3.Connection, now: float) -> None:
    db.execute(
        "DELETE FROM reservation WHERE key IN (SELECT key FROM reservation WHERE at <= ? ORDER BY at LIMIT ?)",
        (now - KEPT_SECONDS, _PRUNED_AT_ONCE),
    )
    # A day that never was, as a clock that is wrong has it, goes with the others.
    oldest = (datetime.datetime.fromtimestamp(now, datetime.UTC) - datetime.timedelta(days=DAYS)).date().isoformat()
    db.execute(
        "DELETE FROM budget WHERE (day, scope) IN (SELECT day, scope FROM budget WHERE day < ? ORDER BY day LIMIT ?)",
        (oldest, _PRUNED_AT_ONCE),
    )
