"""The time of a SQLite file, by which its leases, delays and memories end: nobody's setting a clock moves it.

While the file is open it goes on with `Clock.steady`. While nobody has it open it goes on with the wall clock, as far
as that can be believed: never backwards, and at most `UNSEEN` a time. So a clock that goes back an hour holds nothing
up, and one that is years ahead lets nothing expire. People are shown times of the wall clock, which is kept beside it.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import NamedTuple

from bot.ports.clock import Clock

log = logging.getLogger(__name__)

UNSEEN = 3600.0
"""Most seconds that pass for the file from one worker to the next."""

REACH = 60.0
"""Seconds that no delay of a conversation without a worker comes to; `bot/runtime/worker.py` asks for some ten."""

NOTED, TOLD = 1.0, 60.0
"""Seconds by which the wall clock has to have been set before that is noted for readers, and before it is told."""


class Moment(NamedTuple):
    """One moment on both clocks, in seconds: the file's own, and the wall's, since the epoch."""

    own: float
    wall: float


class FileTime:
    """The time of one open file; of one in memory, or one that is only read, too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = 0.0
        self._base: float | None = None

    def now(self) -> Moment:
        """This moment. Before `begin` or `read`, and for readers, the file's time follows the wall clock."""
        wall = self._clock.now()
        if self._base is None:
            return Moment(wall + self._ahead, wall)
        return Moment(self._base + self._clock.steady(), wall)

    def read(self, db: sqlite3.Connection) -> None:
        """Take the file's time from what its worker has noted."""
        row = db.execute("SELECT ahead FROM clock").fetchone()
        self._ahead = 0.0 if row is None else float(row["ahead"])

    def begin(self, db: sqlite3.Connection) -> None:
        """Go on from where the last worker was, in a transaction that the caller has begun."""
        self.read(db)
        wall, reached = self._clock.now(), _reached(db)
        own = wall
        if reached is not None:
            passed = wall - (reached - self._ahead)
            own = reached + min(max(passed, 0.0), UNSEEN)
            if passed < -TOLD:
                log.warning("this machine's clock says a time %.0f s before the bot was last at work", -passed)
        self._base = own - self._clock.steady()
        self.note(db)

    def watch(self, db: sqlite3.Connection) -> None:
        """Note and tell it where somebody has set the wall clock, in a transaction that the caller has begun."""
        own, wall = self.now()
        forward = self._ahead - (own - wall)
        if abs(forward) > TOLD:
            how = "forward" if forward > 0 else "back"
            log.warning(
                "this machine's clock was set %s by %.0f s; nothing that waits depends on it", how, abs(forward)
            )
        if abs(forward) > NOTED:
            self.note(db)

    def note(self, db: sqlite3.Connection) -> None:
        """Keep how far the file's time has come, and how far it is from the wall clock, for whoever opens it next."""
        own, wall = self.now()
        self._ahead = own - wall
        db.execute("INSERT OR REPLACE INTO clock (id, reached, ahead) VALUES (1, ?, ?)", (own, own - wall))


def _reached(db: sqlite3.Connection) -> float | None:
    """How far the file's time has come at least; None in a new file. Builds before this one noted only ids."""
    noted = db.execute("SELECT reached FROM clock").fetchone()
    (seen,) = db.execute("SELECT max(at) FROM seen").fetchone()
    return max((time for time in (noted and noted["reached"], seen) if time is not None), default=None)


def repair(db: sqlite3.Connection, own: float) -> None:
    """Pull back what lies further ahead than any delay can reach, and end the leases of dead workers.

    Whoever has the file's lock knows that there is no other worker.
    """
    db.execute("UPDATE conversation SET due = ? WHERE held = 1 OR due > ?", (own, own + REACH))
    db.execute("UPDATE leaving SET noted = ? WHERE noted > ?", (own, own))
