"""Carries a turn's requests for documents: what is read and written is the channel's, and nobody else's."""

from __future__ import annotations

import asyncio
import io
import json
import time
import zipfile
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from bot.core.events import (
    DocumentDeleted,
    DocumentHistoryTold,
    DocumentRead,
    DocumentRefused,
    DocumentRenamed,
    DocumentsListed,
    DocumentStale,
    DocumentWritten,
)
from bot.core.model import PRIVATE, Conversation
from bot.core.modes.files import label
from bot.core.paths import is_path
from bot.core.permissions import DOCS, may_save, saves
from bot.core.spaces import joined, near, space_of
from bot.core.steps import (
    CopyDocument,
    DeleteDocument,
    DocumentFile,
    DocumentHistory,
    ListDocuments,
    ReadDocument,
    RenameDocument,
    WriteDocument,
)
from bot.exporting.documents import ExportError, export
from bot.personas.model import Persona
from bot.ports.clock import Clock
from bot.ports.documents import Documents, Refused, Stale, Stored, Written
from bot.runtime.outbox import GONE as NO_FILE
from bot.runtime.outbox import Content

Change = WriteDocument | RenameDocument | DeleteDocument | CopyDocument
Look = ReadDocument | ListDocuments | DocumentHistory

Told = (
    DocumentRead
    | DocumentWritten
    | DocumentStale
    | DocumentRefused
    | DocumentsListed
    | DocumentHistoryTold
    | DocumentRenamed
    | DocumentDeleted
)

GONE = "A part of its text is gone from the conversation: it was deleted, or the conversation was wiped."
NOT_THERE = "There is no document {} here."
NONE_OF_YOURS = "There is no document {} in your direct messages with me."

EARLIEST = 315532800.0
"""The beginning of 1980, the first time that a zip archive can hold (APPNOTE.TXT, 4.4.6)."""

Kept = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]
"""The texts of those ids that the conversation has kept; one that is gone is left out."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The documents of the space that `conversation` belongs to.

    `asker` is the user whom the turn answers; it is `direct` where that user alone talks with the bot. `writer` is the
    persona whose work writes, None where people do.
    """

    documents: Documents
    clock: Clock
    conversation: Conversation
    asker: str
    direct: bool
    kept: Kept
    writer: Persona | None = None

    @property
    def space(self) -> str:
        """The key of the space."""
        return space_of(self.conversation)

    async def look(self, request: Look) -> Told:
        """What there is. Raises StoreError."""
        match request:
            case ListDocuments():
                return DocumentsListed(await self.documents.list(self.space), self.clock.now())
            case DocumentHistory(path):
                found = await self.documents.history(self.space, path) if is_path(path) else ()
                return DocumentHistoryTold(path, found, self.clock.now())
            case ReadDocument(path, version, against):
                return await self._read(path, version, against)
            case _:
                assert_never(request)

    async def content(self, file: DocumentFile) -> Content | str:
        """What is in a file that is to go up, or a line that says why there is none. Raises StoreError."""
        if file.path:
            found = await self.documents.read(self.space, file.path, file.version)
            if found is None:
                return NO_FILE
            if file.form == "md":
                return Content(found.path, found.text)
            try:
                made = await asyncio.to_thread(export, found.path, found.text, file.form)
            except ExportError as error:
                return f"_({error})_"
            return Content(made.name, data=made.data)
        infos = await self.documents.list(self.space)
        texts = [await self.documents.read(self.space, info.path, info.version) for info in infos]
        data = await asyncio.to_thread(zipped, [stored for stored in texts if stored is not None])
        return Content("documents.zip", data=data)

    async def change(self, key: str, request: Change) -> Told:
        """Do it once: a repeat under the same key answers as the first time. Raises StoreError."""
        documents, space = self.documents, self.space
        if self.direct and self.asker:
            await documents.settle(_person(self.conversation, self.asker), space)
        match request:
            case WriteDocument(path) if self.writer and not may_save(self.writer, path):
                return await self._done_before(key, path, barred(self.writer))
            case WriteDocument(path, base, parts, meta):
                texts = await self.kept(parts)
                if any(part not in texts for part in parts):
                    return await self._done_before(key, path, GONE)
                text = joined([texts[part] for part in parts])
                return _written(path, await documents.write(key, space, path, base, text, meta))
            case CopyDocument(path, base, source, version, own, meta):
                found = await self._source(source, version, own=own)
                if found is None:
                    return await self._done_before(
                        key, path, (NONE_OF_YOURS if own else NOT_THERE).format(label(source))
                    )
                together = merged(found.meta, meta)
                return _written(path, await documents.write(key, space, path, base, found.text, together))
            case RenameDocument(path, base, to):
                match await documents.rename(key, space, path, base, to):
                    case Written(stands, version):
                        return DocumentRenamed(path, stands, version)
                    case answer:
                        return _not_done(path, answer)
            case DeleteDocument(path, base):
                match await documents.delete(key, space, path, base):
                    case Written(stands):
                        return DocumentDeleted(stands)
                    case answer:
                        return _not_done(path, answer)
            case _:
                assert_never(request)

    async def _read(self, path: str, version: int, against: int) -> DocumentRead:
        found = await self.documents.read(self.space, path, version) if is_path(path) else None
        if found is None:
            return DocumentRead(path)
        before = await self.documents.read(self.space, path, against) if against else None
        told = DocumentRead(found.path, found.version, found.text, found.meta, found.current, found.at)
        return told if before is None else _with(told, before)

    async def _source(self, path: str, version: int, *, own: bool) -> Stored | None:
        if not is_path(path):
            return None
        if not own:
            return await self.documents.read(self.space, path, version)
        where = self.conversation
        for workspace in (where.workspace, PRIVATE):
            home = await self.documents.home(f"{where.platform}:{workspace}:{self.asker}") if self.asker else ""
            if home == self.space:
                return None
            if home:
                return await self.documents.read(home, path, version)
        return None

    async def _done_before(self, key: str, path: str, problem: str) -> DocumentWritten | DocumentRefused:
        """What is missing may have been there when the same write was done before a crash."""
        version = await self.documents.written(self.space, key)
        return DocumentWritten(path, version) if version else DocumentRefused(path, problem)


def barred(writer: Persona) -> str:
    """Why nothing of that persona's is saved there, in words for people."""
    only = f" anywhere but below `{DOCS}`" if saves(writer) == "docs" else ""
    return (
        f"{writer.name} may not save documents{only}: the file of that persona does not allow it. "
        "You can save the text yourself: `*docs add PATH` with the text below that line."
    )


def zipped(documents: Sequence[Stored]) -> bytes:
    """The documents as files of a zip archive, each with the time at which it was written."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for stored in documents:
            written = time.gmtime(max(stored.at, EARLIEST))
            archive.writestr(zipfile.ZipInfo(stored.path, written[:6]), stored.text, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def merged(below: str, above: str) -> str:
    """The JSON objects `below` and `above` as one, in which the latter's keys win; approvals are not taken along."""
    kept = {key: value for key, value in _object(below).items() if key != "approved_by"}
    return json.dumps({**kept, **_object(above)}, ensure_ascii=False, separators=(",", ":"))


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _person(where: Conversation, user: str) -> str:
    return f"{where.platform}:{where.workspace}:{user}"


def _with(told: DocumentRead, before: Stored) -> DocumentRead:
    return DocumentRead(
        told.path, told.version, told.text, told.meta, told.current, told.at, before.text, before.version
    )


def _written(path: str, answer: Written | Stale | Refused) -> Told:
    match answer:
        case Written(stands, version, used):
            return DocumentWritten(stands, version, near(used))
        case _:
            return _not_done(path, answer)


def _not_done(path: str, answer: Stale | Refused) -> Told:
    match answer:
        case Stale(stands, version):
            return DocumentStale(stands, version)
        case Refused(_, problem):
            return DocumentRefused(path, problem)
        case _:
            assert_never(answer)
