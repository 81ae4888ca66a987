"""A mutant: a small change of the source that takes one guarantee away, and the tests of which one has to notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class StaleError(Exception):
    """A mutant no longer fits the source: the place that it changes is gone, or is there more than once."""


@dataclass(frozen=True, slots=True)
class Edit:
    """`old`, which stands exactly once in `file` (a path from the project's root), becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """`edits` take away what `name` says; `tests` are arguments of pytest, such as files or ids of tests."""

    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]

    def sources(self, root: Path) -> dict[str, str]:
        """The text of each file that it changes, changed. Raises StaleError."""
        texts: dict[str, str] = {}
        for edit in self.edits:
            file = root / edit.file
            if not file.is_file():
                raise StaleError(f"{self.name}: there is no {edit.file}")
            text = texts.get(edit.file) or file.read_text("utf-8")
            if (times := text.count(edit.old)) != 1:
                raise StaleError(f"{self.name}: in {edit.file} this stands {times} times, not once:\n{edit.old}")
            texts[edit.file] = text.replace(edit.old, edit.new)
        return texts
