"""What goes with each version of a document: which section was drafted and accepted by whom, as JSON text.

"Go on with it" reads it again: the parts of the document's text are found by their lengths and checked by their hashes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

VERSION = 1


def digest(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Row:
    """A section in the document: where it stands, its text's length and hash, and who did what.

    `by` wrote it, `accepted` is the name of who accepted it and `user` their id, `choice` what they chose, `at` when,
    in seconds since the epoch.
    """

    place: int
    instance: int
    section: str
    size: int
    sha: str
    by: str
    accepted: str
    user: str
    choice: str
    at: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """The rows in the document's order, the heading above them all, and the template they were written by."""

    template: str
    digest: str
    title: str
    dropped: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    rows: tuple[Row, ...] = field(default=())

    def with_rows(self, rows: Sequence[Row]) -> Ledger:
        """With these rows in the place of those of the same section and instance."""
        by_place = {(row.place, row.instance): row for row in (*self.rows, *rows)}
        return replace(self, rows=tuple(by_place[key] for key in sorted(by_place)))

    def dump(self) -> str:
        """As JSON text."""
        return json.dumps(self._values(), ensure_ascii=False, separators=(",", ":"))

    def dump_for(self, by: str) -> str:
        """As JSON text for a version: with what lists of documents tell, its title, its writer, and who accepted it."""
        approved = {row.user: {"user": row.user, "name": row.accepted} for row in self.rows if row.user}
        title = self.title.removeprefix("# ")
        values = {"title": title, "by": by, "approved_by": list(approved.values()), "ledger": self._values()}
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))

    def _values(self) -> dict[str, Any]:
        values = asdict(self) | {"parts": [asdict(row) for row in self.rows], "v": VERSION}
        del values["rows"]
        return values


def load(text: str) -> Ledger | None:
    """The ledger in that text; None where it is none of ours."""
    try:
        values: Any = json.loads(text)
        values = values.get("ledger", values) if isinstance(values, dict) else None
        if not isinstance(values, dict) or values.get("v") != VERSION:
            return None
        rows = tuple(Row(**{name: row[name] for name in Row.__dataclass_fields__}) for row in values["parts"])
        facts = tuple((str(name), str(value)) for name, value in values["facts"])
        dropped = tuple(map(str, values["dropped"]))
        return Ledger(values["template"], values["digest"], values["title"], dropped, facts, rows)
    except (ValueError, KeyError, TypeError):
        return None


JOINT = "\n\n"
"""What stands between two parts of a document (`WriteDocument.parts`)."""


def parts_of(ledger: Ledger, text: str) -> tuple[str, ...] | None:
    """The texts of the rows in that document; None where the document is not what the ledger tells."""
    found = list[str]()
    at = 0
    if ledger.title:
        if not text.startswith(ledger.title + JOINT):
            return None
        at = len(ledger.title) + len(JOINT)
    for row in ledger.rows:
        body = text[at : at + row.size]
        if digest(body) != row.sha:
            return None
        found.append(body)
        at += row.size + len(JOINT)
    return tuple(found)
