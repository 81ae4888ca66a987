"""What may come back from requests for documents, in all its kinds: for walks that have no store."""

from __future__ import annotations

from bot.core.events import (
    DocumentDeleted,
    DocumentHistoryTold,
    DocumentRead,
    DocumentRefused,
    DocumentRenamed,
    DocumentsListed,
    DocumentStale,
    DocumentWritten,
    Result,
)
from bot.core.spaces import DocumentInfo, Version
from bot.core.steps import (
    CopyDocument,
    DeleteDocument,
    DocumentHistory,
    ListDocuments,
    ReadDocument,
    RenameDocument,
    Request,
    WriteDocument,
)

LOOKS = (
    "*docs", "*docs show docs/toy.md", "*docs diff docs/toy.md", "*docs diff docs/toy.md 1",
    "*docs history docs/toy.md", "*docs restore docs/toy.md 1", "*docs rename docs/toy.md other.md",
    "*docs delete docs/toy.md", "*docs take docs/toy.md", "*docs export", "*docs add x.md", "*docs nonsense",
    "*doc-out", "*doc-out docs/toy.md",
)  # fmt: skip
"""Commands of the workspace as people type them."""


def answer(request: Request | None, roll: float) -> Result | None:
    """What comes back, by `roll` from 0 to 1; None for a request of another kind."""
    is_there = roll < 0.6
    match request:
        case ListDocuments():
            many = tuple(DocumentInfo(f"docs/{n}.md", n + 1, by="Ana") for n in range(int(roll * 40)))
            return DocumentsListed((DocumentInfo("docs/toy.md", 9, approved_by=("Bo",)), *many) if is_there else ())
        case DocumentHistory(path):
            return DocumentHistoryTold(
                path, (Version(1, path), Version(4, path))[: 1 + (roll < 0.4)] if is_there else ()
            )
        case ReadDocument(path, version, against):
            if not is_there:
                return DocumentRead(path)
            return DocumentRead(path, version or 4, "# Toy\n\nwords", "{}", 4, 1.0, "# Toy" if against else "", against)
        case WriteDocument(path, base) | CopyDocument(path, base):
            if is_there:
                return DocumentWritten(path, base + 1, "Nearly full." if roll < 0.1 else "")
            return DocumentStale(path, base + 3) if roll < 0.8 else DocumentRefused(path, "The space is full.")
        case RenameDocument(path, base, to):
            return DocumentRenamed(path, to, base) if is_there else DocumentStale(path, 0)
        case DeleteDocument(path, base):
            return DocumentDeleted(path) if is_there else DocumentStale(path, base + 1)
        case _:
            return None
