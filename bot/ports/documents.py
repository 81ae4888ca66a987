"""Documents that people and personas write together: versions, kept a space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from bot.core.spaces import DocumentInfo, Version

__all__ = [
    "DocumentInfo", "Documents", "Forgotten", "Refused", "Stale", "Stored", "Version", "Written",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of a document with its text. `current` is the newest version."""

    path: str
    version: int
    text: str
    meta: str
    at: float
    current: int


@dataclass(frozen=True, slots=True)
class Written:
    """It was done, now or under the same key before: the document stands at this path in this version.

    `used` are the bytes of the space; 0 where it had been done before.
    """

    path: str
    version: int
    used: int = 0


@dataclass(frozen=True, slots=True)
class Stale:
    """Nothing was done: the document has another version by now, 0 where there is none."""

    path: str
    version: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was done, and nothing would be on a second try; `problem` says why, in words for people."""

    path: str
    problem: str


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted, or rewritten without a person; `mentions` are (space, path, version) of texts that name them.

    Texts are never rewritten: what a document says is its authors' to change.
    """

    documents: int = 0
    versions: int = 0
    mentions: tuple[tuple[str, str, int], ...] = ()

    def plus(self, other: Forgotten) -> Forgotten:
        """The sums."""
        return Forgotten(
            self.documents + other.documents, self.versions + other.versions, (*self.mentions, *other.mentions)
        )


class Documents(Protocol):
    """Documents with their versions, a space each channel (`core.spaces.space_of`).

    Any call may raise StoreError. Paths are those of `core.paths`, compared without case. Numbers of versions come from
    a counter of the space that nothing sets back, so a number never stands for two texts. The bounds are those of
    `core.spaces`. What changes something has a key: the space knows its last 1,000 keys, and a second time under one
    of them nothing is done but the answer given again, whatever stands there by now.
    """

    async def list(self, space: str) -> tuple[DocumentInfo, ...]:
        """The documents of a space, by path without case."""

    async def read(self, space: str, path: str, version: int = 0) -> Stored | None:
        """A version of a document, the newest without a number; None where there is none."""

    async def history(self, space: str, path: str) -> tuple[Version, ...]:
        """The versions of a document, oldest first; none where there is none."""

    async def written(self, space: str, key: str) -> int:
        """The version that was written under that key; 0 where none was."""

    async def write(
        self, key: str, space: str, path: str, base: int, text: str, meta: str = "{}"
    ) -> Written | Stale | Refused:
        """Write a version that follows `base`, 0 where there is no document yet. `meta` is JSON text."""

    async def rename(self, key: str, space: str, path: str, base: int, to: str) -> Written | Stale | Refused:
        """Give a document another path; its versions come along, and no new one is made."""

    async def delete(self, key: str, space: str, path: str, base: int) -> Written | Stale | Refused:
        """Delete a document with all its versions."""

    async def spaces(self, after: str = "", limit: int = 100) -> tuple[str, ...]:
        """The first `limit` spaces that hold documents, in code point order, behind `after`."""

    async def forget(self, space: str, *, dry_run: bool = False) -> Forgotten:
        """Delete all documents of a space; its counter and its keys stay. With `dry_run` it only counts."""

    async def forget_user(
        self, user: str, pseudonym: str, within: str = "", names: frozenset[str] = frozenset(), *, dry_run: bool = False
    ) -> Forgotten:
        """Take a person out of what goes with the documents of all spaces whose key begins with `within`.

        In `meta`, their id and names become `pseudonym`, and the object where one stood gets `"forgotten": true`: an
        approval stays one, with that mark. Their names are `names` and what `meta` knows them by.
        """

    async def expire(self, idle: float) -> tuple[int, int]:
        """Delete documents that were last written to more than `idle` seconds ago; how many are gone, and noted.

        As with conversations, what a look finds is noted, and goes when a look of a day or more later, by the store's
        own time, finds it untouched.
        """

    async def dump(self, space: str) -> dict[str, Any] | None:
        """All of a space as values for JSON, for `restore` into any store; None where it holds nothing."""

    async def restore(self, space: str, dumped: dict[str, Any]) -> bool:
        """Put what `dump` gave into that space; False where it holds documents. Raises ValueError for anything else.

        Its counter goes on from the higher one of the two.
        """

    async def settle(self, person: str, space: str) -> None:
        """Remember that this space is the direct messages of `person`, an id with its platform and workspace."""

    async def home(self, person: str) -> str:
        """The space of that person's direct messages; empty where none is known."""
