"""What a mailbox and a turn go through, as statements on one SQLite connection.

Every function runs inside a transaction that its caller has begun, and takes the time from it: the file's own, as
seconds, where nobody is shown it. Nothing here commits.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from itertools import takewhile
from typing import NamedTuple

from bot.ports.mailbox import Claim, DeadLetter, Left, Message, Stats
from bot.stores.erasing import without_message
from bot.stores.sqlite_time import Moment

SEEN_SECONDS = 25 * 3600.0
"""How long the id of a message is remembered: a day of redeliveries, and an hour for clocks that disagree."""

LAPSES = 2**31 - 1
"""A row's `expiries` has a bit for each of the last 31 claims, the lowest for the last but one: set where its lease
ended. So each can be taken back by whoever held it, once, however many claims came since."""

_PRUNED_AT_ONCE = 8
"""Expired ids that one enqueue clears away: more than the one it adds, few enough not to be felt."""


# ---------------------------------------------------------------- messages come in


def enqueue(db: sqlite3.Connection, now: Moment, conversation: str, message: Message, cap: int) -> int:
    """Put a message into its mailbox: 1. Its id was seen: 0. Refused: minus the number that wait. Raises ValueError.

    A refusal is no exception here, since it is stored: neither a redelivery nor a backfill may undo it.
    """
    _check_order(message)
    place = place_of(db, conversation)
    if not _see(db, now.own, place, message.id):
        return 0
    latest = "last = max(coalesce(last, ?), ?)"
    (waiting,) = db.execute(
        "SELECT count(*) FROM message WHERE conversation = ? AND place IS NULL", (place,)
    ).fetchone()
    if waiting >= cap:
        db.execute(f"UPDATE conversation SET {latest} WHERE id = ?", (message.order, message.order, place))  # noqa: S608
        return -int(waiting)
    _put(db, place, message)
    db.execute(
        f"UPDATE conversation SET at = ?, {latest}, due = coalesce(due, ?) WHERE id = ?",  # noqa: S608
        (now.wall, message.order, message.order, now.own, place),
    )
    return 1


def append(
    db: sqlite3.Connection, now: Moment, conversation: str, messages: Sequence[Message], *, as_they_are: bool = False
) -> None:
    """Put messages behind all that wait there, in their order; `as_they_are` lets each keep its own place."""
    place = place_of(db, conversation)
    for message in messages:
        _check_order(message)
        (last,) = db.execute(
            "SELECT max(ord) FROM message WHERE conversation = ? AND place IS NULL", (place,)
        ).fetchone()
        _see(db, now.own, place, message.id)
        _put(db, place, message, message.order if last is None or as_they_are else max(last, message.order))
    if messages:
        db.execute("UPDATE conversation SET at = ?, due = coalesce(due, ?) WHERE id = ?", (now.wall, now.own, place))


def is_seen(db: sqlite3.Connection, now: float, conversation: str, message_id: str) -> bool:
    """Whether the id was seen in the last 25 hours."""
    row = db.execute("SELECT id FROM conversation WHERE key = ?", (conversation,)).fetchone()
    return row is not None and _was_seen(db, now, row["id"], message_id)


def amend(db: sqlite3.Connection, conversation: str, message_id: str, payload: str | None, plain: bool | None) -> bool:
    """Replace the payload of a message that no turn has taken, or take it out."""
    if payload is not None:
        changed = db.execute(
            "UPDATE message SET payload = ?, plain = coalesce(?, plain)"
            " WHERE conversation = (SELECT id FROM conversation WHERE key = ?) AND place IS NULL AND id = ?",
            (payload, plain, conversation, message_id),
        )
        return changed.rowcount > 0
    gone = db.execute(
        "DELETE FROM message"
        " WHERE conversation = (SELECT id FROM conversation WHERE key = ?) AND place IS NULL AND id = ?",
        (conversation, message_id),
    )
    if gone.rowcount == 0:
        return False
    db.execute(
        "UPDATE conversation SET due = NULL WHERE key = ?"
        " AND NOT EXISTS (SELECT 1 FROM message WHERE message.conversation = conversation.id)",
        (conversation,),
    )
    return True


def control(db: sqlite3.Connection, now: float, conversation: str, message: Message) -> bool:
    """Flag the turn in flight; False when there is none and the message was not seen before."""
    _check_order(message)
    row = db.execute("SELECT id, head FROM conversation WHERE key = ?", (conversation,)).fetchone()
    if row is None:
        return False
    if row["head"] is None:
        return _was_seen(db, now, row["id"], message.id)
    if _see(db, now, row["id"], message.id):
        db.execute(
            "INSERT INTO flag (conversation, head, id, payload, ord, plain) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (row["id"], row["head"], message.id, message.payload, message.order, message.plain),
        )
    return True


# ---------------------------------------------------------------- a turn


def claim(
    db: sqlite3.Connection,
    now: float,
    worker: str,
    lease: float,
    version: int,
    together: int,
    platforms: Collection[str] | None,
) -> Claim | None:
    """Take the conversation of those platforms that has been due longest; None where none is due."""
    row = _first(db, "due <= ?", now, version, platforms)
    if row is None:
        return None
    place: int = row["id"]
    if row["head"] is None:
        _take(db, place, together)
    taken = tuple(
        _message(m)
        for m in db.execute(
            "SELECT id, payload, ord, plain FROM message WHERE conversation = ? AND place IS NOT NULL ORDER BY place",
            (place,),
        )
    )
    held = db.execute(
        "UPDATE conversation SET fence = fence + 1, due = ?, worker = ?, head = ?, held = 1,"
        " expiries = ((expiries << 1) | held) & ?"
        " WHERE id = ? RETURNING fence, attempt, expiries,"
        " (SELECT body FROM state WHERE state.conversation = conversation.id) AS state,"
        " (SELECT body FROM turn WHERE turn.conversation = conversation.id) AS turn",
        (now + lease, worker, taken[0].id, LAPSES, place),
    ).fetchone()
    expiries = int(held["expiries"]).bit_count()
    return Claim(row["key"], held["fence"], taken, held["state"], held["turn"], held["attempt"], expiries)


def next_due(db: sqlite3.Connection, now: float, version: int, platforms: Collection[str] | None) -> float | None:
    """When something becomes due on those platforms by the passing of time alone; None where nothing will."""
    row = _first(db, "due > ?", now, version, platforms)
    return None if row is None else float(row["due"])


def _first(
    db: sqlite3.Connection, when: str, now: float, version: int, platforms: Collection[str] | None
) -> sqlite3.Row | None:
    """The first conversation by due time of those that a build of that version may take.

    `when` is a comparison of `due` with `now`, written in this module. One look at an index for each platform: what
    others have waiting is not read.
    """
    find = (
        f"SELECT id, key, due, head FROM conversation WHERE {{}} {when}"  # noqa: S608
        " AND state_version <= ? AND turn_version <= ? ORDER BY due, id LIMIT 1"
    )
    if platforms is None:
        rows = [db.execute(find.format(""), (now, version, version)).fetchone()]
    else:
        of_one = find.format("platform = ? AND")
        rows = [db.execute(of_one, (platform, now, version, version)).fetchone() for platform in platforms]
    found: list[sqlite3.Row] = [row for row in rows if row is not None]
    return min(found, key=lambda row: (row["due"], row["id"]), default=None)


def renew(db: sqlite3.Connection, now: float, claim: Claim, lease: float) -> bool:
    """Move the end of the lease; False when the claim is lost."""
    return _update_held(db, claim, "due = ?", now + lease) is not None


def flagged(db: sqlite3.Connection, claim: Claim) -> Message | None:
    """The control message against the claim's head."""
    row = db.execute(
        "SELECT flag.id, payload, ord, plain FROM flag JOIN conversation ON conversation.id = flag.conversation"
        " WHERE key = ? AND flag.head = ?",
        (claim.conversation, claim.head.id),
    ).fetchone()
    return None if row is None else _message(row)


def flagged_among(db: sqlite3.Connection, claims: Sequence[Claim]) -> tuple[Message | None, ...]:
    """The control message against each claim's head. Flags are few, so all of them are read."""
    rows = db.execute(
        "SELECT key, flag.head, flag.id, payload, ord, plain"
        " FROM flag JOIN conversation ON conversation.id = flag.conversation"
    )
    raised = {(row["key"], row["head"]): _message(row) for row in rows}
    return tuple(raised.get((claim.conversation, claim.head.id)) for claim in claims)


def checkpoint(db: sqlite3.Connection, claim: Claim, turn: str, version: int) -> bool:
    """Store the turn and forget its attempts; False when the claim is lost."""
    held = _update_held(db, claim, "turn_version = ?, attempt = 0, expiries = 0", version)
    if held is None:
        return False
    kept = without_message(turn, held.blanked(db))
    db.execute("INSERT OR REPLACE INTO turn (conversation, body) VALUES (?, ?)", (held.place, kept))
    return True


def commit(
    db: sqlite3.Connection,
    now: Moment,
    claim: Claim,
    state: str,
    version: int,
    log: Sequence[str],
    *,
    floor_open: bool,
    used_flag: bool,
    follow_up: Message | None,
) -> bool:
    """End the turn; True without any change where this claim has done so before, False when it is lost."""
    if follow_up is not None:
        _check_order(follow_up)
    changes = "state_version = ?, floor_open = ?, done_fence = fence, at = ?"
    held = _update_held(db, claim, changes, version, floor_open, now.wall)
    if held is None:
        done = db.execute(
            "SELECT 1 FROM conversation WHERE key = ? AND done_fence = ?", (claim.conversation, claim.fence)
        )
        return done.fetchone() is not None
    place = held.place
    _save(db, held, state, log)
    if held.is_flagged and not used_flag:
        _flag_as_message(db, place)
    if follow_up is not None:
        (last,) = db.execute(
            "SELECT max(ord) FROM message WHERE conversation = ? AND place IS NULL", (place,)
        ).fetchone()
        _put(db, place, follow_up, follow_up.order if last is None else max(last, follow_up.order))
    _end_turn(db, now.own, held)
    return True


def retry(db: sqlite3.Connection, now: float, claim: Claim, delay: float) -> bool:
    """Give the conversation back, due in `delay` seconds, with one attempt more; False when the claim is lost."""
    return _update_held(db, claim, "held = 0, due = ?, attempt = attempt + 1", now + delay) is not None


def release(db: sqlite3.Connection, now: float, claim: Claim, delay: float) -> bool:
    """Give the conversation back, due again in `delay` seconds; False when the claim is lost.

    The end of a lost claim's lease no longer counts, for its holder is there.
    """
    if _update_held(db, claim, "held = 0, due = ?", now + delay) is not None:
        return True
    db.execute(
        "UPDATE conversation SET expiries = expiries & ~(1 << (fence - 1 - ?)) WHERE key = ? AND fence > ?",
        (claim.fence, claim.conversation, claim.fence),
    )
    return False


def put_back(db: sqlite3.Connection, now: float, claim: Claim, delay: float) -> bool:
    """Give the conversation back with its messages untaken; False when the claim is lost or a turn is stored."""
    stored = db.execute(
        "SELECT 1 FROM turn JOIN conversation ON conversation.id = turn.conversation WHERE key = ?",
        (claim.conversation,),
    )
    if stored.fetchone() is not None:
        return False
    held = _update_held(db, claim, "held = 0, head = NULL, attempt = 0, expiries = 0, due = ?", now + delay)
    if held is None:
        return False
    db.execute("UPDATE message SET place = NULL WHERE conversation = ?", (held.place,))
    if held.is_flagged:
        _flag_as_message(db, held.place)
    _forget_beside(db, held)
    return True


def bury(db: sqlite3.Connection, now: Moment, claim: Claim, reason: str, left: Left | None) -> bool:
    """Move the claim's messages to the dead letters, save what is left, end the turn; False when the claim is lost."""
    if left is None:
        held = _update_held(db, claim, "held = 0, at = ?", now.wall)
    else:
        changes = "held = 0, at = ?, state_version = ?, floor_open = ?"
        held = _update_held(db, claim, changes, now.wall, left.version, left.floor_open)
    if held is None:
        return False
    if left is not None:
        _save(db, held, left.state, left.log)
    gone = held.blanked(db)
    messages = json.dumps([(m.id, without_message(m.payload, gone), m.order, m.plain) for m in claim.taken])
    db.execute(
        "INSERT INTO dead (conversation, messages, reason, at) VALUES (?, ?, ?, ?)",
        (claim.conversation, messages, reason, now.wall),
    )
    _end_turn(db, now.own, held)
    return True


# ---------------------------------------------------------------- to be looked at


def dead(db: sqlite3.Connection, limit: int) -> tuple[DeadLetter, ...]:
    """The newest `limit` dead letters, newest first."""
    rows = db.execute("SELECT id, conversation, messages, reason, at FROM dead ORDER BY id DESC LIMIT ?", (limit,))
    return tuple(dead_letter(row) for row in rows)


def dead_letter(row: sqlite3.Row) -> DeadLetter:
    """The dead letter of a row of its table."""
    messages = tuple(Message(*fields) for fields in json.loads(row["messages"]))
    return DeadLetter(row["id"], row["conversation"], messages, row["reason"], row["at"])


def stats(db: sqlite3.Connection, now: float, platforms: Collection[str] | None) -> Stats:
    """Messages that no turn has taken, turns begun and not ended, dead letters, and the age of the oldest due."""
    if platforms is None:
        counts = [db.execute(_COUNTS, {"now": now}).fetchone()]
    else:
        counts = [db.execute(_COUNTS_OF_ONE, {"now": now, "platform": platform}).fetchone() for platform in platforms]
    waiting, in_flight, buried = (sum(row[n] for row in counts) for n in range(3))
    oldest = min((row[3] for row in counts if row[3] is not None), default=now)
    return Stats(waiting, in_flight, buried, now - oldest)


_COUNTS = (
    "SELECT (SELECT count(*) FROM message WHERE place IS NULL),"
    " (SELECT count(*) FROM conversation WHERE head IS NOT NULL),"
    " (SELECT count(*) FROM dead),"
    " (SELECT min(due) FROM conversation WHERE due <= :now)"
)
_COUNTS_OF_ONE = (
    "SELECT (SELECT count(*) FROM conversation JOIN message ON message.conversation = conversation.id"
    " WHERE platform = :platform AND due IS NOT NULL AND place IS NULL),"
    " (SELECT count(head) FROM conversation WHERE platform = :platform AND due IS NOT NULL),"
    " (SELECT count(*) FROM dead WHERE conversation >= :platform || ':' AND conversation < :platform || ';'),"
    " (SELECT min(due) FROM conversation WHERE platform = :platform AND due <= :now)"
)
"""Whatever has mail is due or will be, and `;` comes right behind `:`; so only what counts is walked over."""


# ---------------------------------------------------------------- what the above share


def _check_order(message: Message) -> None:
    if not -(2**63) <= message.order < 2**63:
        raise ValueError(
            f"The order of message {message.id!r} is {message.order}; it has to fit 64 bits, as a timestamp in "
            "microseconds or a snowflake does."
        )


def place_of(db: sqlite3.Connection, key: str) -> int:
    """The id of the conversation's row, which is made where there is none."""
    row = db.execute("SELECT id FROM conversation WHERE key = ?", (key,)).fetchone()
    if row is None:
        row = db.execute("INSERT INTO conversation (key) VALUES (?) RETURNING id", (key,)).fetchone()
    return int(row[0])


def _see(db: sqlite3.Connection, now: float, conversation: int, message_id: str) -> bool:
    """Remember the id; False where it is remembered already."""
    db.execute(
        "DELETE FROM seen WHERE (conversation, id) IN"
        " (SELECT conversation, id FROM seen WHERE at <= ? ORDER BY at LIMIT ?)",
        (now - SEEN_SECONDS, _PRUNED_AT_ONCE),
    )
    new = db.execute(
        "INSERT INTO seen (conversation, id, at) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET at = excluded.at WHERE at <= ?",
        (conversation, message_id, now, now - SEEN_SECONDS),
    )
    return new.rowcount == 1


def _was_seen(db: sqlite3.Connection, now: float, conversation: int, message_id: str) -> bool:
    row = db.execute(
        "SELECT 1 FROM seen WHERE conversation = ? AND id = ? AND at > ?",
        (conversation, message_id, now - SEEN_SECONDS),
    )
    return row.fetchone() is not None


def _put(db: sqlite3.Connection, conversation: int, message: Message, order: int | None = None) -> None:
    db.execute(
        "INSERT INTO message (conversation, id, payload, ord, plain) VALUES (?, ?, ?, ?, ?)",
        (conversation, message.id, message.payload, message.order if order is None else order, message.plain),
    )


def _take(db: sqlite3.Connection, conversation: int, together: int) -> None:
    """Choose the messages of the next turn: the head, and the plain ones right behind a plain head."""
    first = db.execute(
        "SELECT arrival, plain, floor_open FROM message JOIN conversation ON conversation.id = message.conversation"
        " WHERE message.conversation = ? AND place IS NULL ORDER BY ord, arrival LIMIT ?",
        (conversation, together),
    ).fetchall()
    burst = list(takewhile(lambda row: row["plain"] and row["floor_open"], first)) or first[:1]
    db.executemany(
        "UPDATE message SET place = ? WHERE arrival = ?", [(i, row["arrival"]) for i, row in enumerate(burst)]
    )


class _Held(NamedTuple):
    """A conversation under its fence, and what is rarely there, so that nobody looks for it in vain."""

    place: int
    is_flagged: int
    has_blanked: int

    def blanked(self, db: sqlite3.Connection) -> set[str]:
        """The messages that were deleted since the turn in flight began."""
        if not self.has_blanked:
            return set()
        return {row["id"] for row in db.execute("SELECT id FROM blanked WHERE conversation = ?", (self.place,))}


def _update_held(db: sqlite3.Connection, claim: Claim, changes: str, *values: float) -> _Held | None:
    """Change the conversation's row under the fence; None when the claim is lost.

    `changes` are assignments written in this module, never anything that came from outside.
    """
    row = db.execute(
        f"UPDATE conversation SET {changes} WHERE key = ? AND fence = ? AND held = 1 RETURNING id,"  # noqa: S608
        " EXISTS (SELECT 1 FROM flag WHERE flag.conversation = conversation.id),"
        " EXISTS (SELECT 1 FROM blanked WHERE blanked.conversation = conversation.id)",
        (*values, claim.conversation, claim.fence),
    ).fetchone()
    return None if row is None else _Held(*row)


def _save(db: sqlite3.Connection, held: _Held, state: str, log: Sequence[str]) -> None:
    """Replace the state and add to the log, without the words of messages that were deleted meanwhile."""
    place, gone = held.place, held.blanked(db)
    db.execute("INSERT OR REPLACE INTO state (conversation, body) VALUES (?, ?)", (place, without_message(state, gone)))
    db.executemany(
        "INSERT INTO log (conversation, line) VALUES (?, ?)", [(place, without_message(line, gone)) for line in log]
    )


def _flag_as_message(db: sqlite3.Connection, place: int) -> None:
    db.execute(
        "INSERT INTO message (conversation, id, payload, ord, plain)"
        " SELECT conversation, id, payload, ord, plain FROM flag WHERE conversation = ?",
        (place,),
    )


def _forget_beside(db: sqlite3.Connection, held: _Held) -> None:
    """Forget what stands beside a turn: its control flag, and which messages were deleted meanwhile."""
    if held.is_flagged:
        db.execute("DELETE FROM flag WHERE conversation = ?", (held.place,))
    if held.has_blanked:
        db.execute("DELETE FROM blanked WHERE conversation = ?", (held.place,))


def _end_turn(db: sqlite3.Connection, now: float, held: _Held) -> None:
    """Forget the turn and its messages; what else is in the mailbox is due from now on."""
    db.execute("DELETE FROM message WHERE conversation = ? AND place IS NOT NULL", (held.place,))
    db.execute("DELETE FROM turn WHERE conversation = ?", (held.place,))
    _forget_beside(db, held)
    db.execute(
        "UPDATE conversation SET held = 0, head = NULL, attempt = 0, expiries = 0, turn_version = 0,"
        " due = CASE WHEN EXISTS (SELECT 1 FROM message WHERE message.conversation = conversation.id) THEN ? END"
        " WHERE id = ?",
        (now, held.place),
    )


def _message(row: sqlite3.Row) -> Message:
    return Message(row["id"], row["payload"], row["ord"], bool(row["plain"]))
