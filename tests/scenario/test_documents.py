"""Requests for documents as a worker carries them: the channel's own, once, and only with the lease."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

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
from bot.core.model import SESSION_VERSION, Conversation, Receipt
from bot.core.spaces import space_of
from bot.core.steps import (
    CopyDocument,
    DeleteDocument,
    DocumentHistory,
    ListDocuments,
    ReadDocument,
    RenameDocument,
    WriteDocument,
)
from bot.personas.model import Source
from bot.ports.transport import Outgoing
from bot.runtime import lease as leases
from bot.runtime.documents import GONE, Shelf
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.sqlite import SqliteStore
from tests.fakes.clock import ManualClock
from tests.fakes.library import PM, FakeLibrary
from tests.fakes.model import FakeModel, Says
from tests.fakes.platform import ROOM, FakePlatform
from tests.fakes.toy_mode import MODES, TOYS

CHANNEL = Conversation("slack", "T1", "C1")
KEPT = {"a": "# A\n", "b": "## B", "c": ""}


@pytest.fixture
async def store() -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(":memory:", clock=ManualClock())
    yield opened
    await opened.close()


def shelf(
    store: SqliteStore, where: Conversation = CHANNEL, *, asker: str = "U1", direct: bool = False, **kept: str
) -> Shelf:
    texts = kept or {ident: text for ident, text in KEPT.items() if text}

    async def found(ids: Any) -> dict[str, str]:
        return {ident: texts[ident] for ident in ids if ident in texts}

    return Shelf(store.documents, ManualClock(), where, asker, direct, found)


async def test_kept_parts_become_a_document_that_the_channels_threads_share(store: SqliteStore) -> None:
    thread = Conversation("slack", "T1", "C1", "1.5")

    written = await shelf(store).change("k1", WriteDocument("a.md", 0, ("a", "b"), '{"title": "A"}'))

    assert written == DocumentWritten("a.md", 1)
    read = await shelf(store, thread).look(ReadDocument("A.md"))
    assert isinstance(read, DocumentRead) and (read.path, read.version, read.text) == ("a.md", 1, "# A\n\n## B")
    assert (read.current, read.meta) == (1, '{"title": "A"}')
    elsewhere = await shelf(store, Conversation("slack", "T1", "C2")).look(ReadDocument("a.md"))
    never = await shelf(store).look(ReadDocument("b.md"))
    assert (elsewhere, never) == (DocumentRead("a.md"), DocumentRead("b.md"))


async def test_a_work_saves_only_where_its_personas_file_allows(store: SqliteStore) -> None:
    """Checked where documents are written; what was written before the file changed stays written."""
    reader, writer = replace(PM, tools=("Read",)), replace(PM, tools=("Read", "Write"))
    of_docs = replace(PM, source=Source("docs-api-changelog.agent.yaml", 1, "agent-template"))
    write = WriteDocument("a.md", 0, ("a",))

    refused = await replace(shelf(store), writer=reader).change("k1", write)
    below = await replace(shelf(store), writer=of_docs).change("k2", write)

    assert isinstance(refused, DocumentRefused) and "John may not save documents:" in refused.problem
    assert isinstance(below, DocumentRefused) and "anywhere but below `docs/`" in below.problem
    docs = WriteDocument("docs/a.md", 0, ("a",))
    assert await replace(shelf(store), writer=of_docs).change("k3", docs) == DocumentWritten("docs/a.md", 1)
    assert await replace(shelf(store), writer=writer).change("k4", write) == DocumentWritten("a.md", 2)
    assert await replace(shelf(store), writer=reader).change("k4", write) == DocumentWritten("a.md", 2)


async def test_a_persona_that_may_not_save_is_told_and_its_work_rests() -> None:
    barred = replace(TOYS, personas=tuple(replace(p, tools=("Read",)) if p.id == PM.id else p for p in TOYS.personas))
    clock = ManualClock()
    store = await SqliteStore.open(":memory:", clock=clock)
    platform, model = FakePlatform(), FakeModel(lambda _prompt, _n: Says.text("A draft."))
    worker = Worker(store, {"fake": platform}, model, FakeLibrary(barred), clock, Options(modes=MODES))
    for text in ("*pm", "*toy", "1"):
        await Inbox(store).receive(platform.said(text))
        assert await worker.work()

    assert any("John may not save documents" in text for text in platform.texts) and "rests" in platform.texts[-1]
    assert await store.documents.list(ROOM.key) == ()
    await store.close()


async def test_a_write_whose_part_is_gone_is_refused_unless_it_was_done_already(store: SqliteStore) -> None:
    assert await shelf(store).change("k1", WriteDocument("a.md", 0, ("a", "c"))) == DocumentRefused("a.md", GONE)
    assert await shelf(store).change("k2", WriteDocument("a.md", 0, ("a", "b"))) == DocumentWritten("a.md", 1)

    again = await shelf(store, a="# A").change("k2", WriteDocument("a.md", 0, ("a", "b")))

    assert again == DocumentWritten("a.md", 1)


async def test_what_was_changed_meanwhile_and_what_cannot_be_is_told(store: SqliteStore) -> None:
    here = shelf(store)
    await here.change("k1", WriteDocument("a.md", 0, ("a",)))
    await here.change("k2", WriteDocument("b.md", 0, ("b",)))

    assert await here.change("k3", WriteDocument("a.md", 0, ("b",))) == DocumentStale("a.md", 1)
    assert await here.change("k4", RenameDocument("a.md", 2, "c.md")) == DocumentStale("a.md", 1)
    assert await here.change("k5", DeleteDocument("x.md", 1)) == DocumentStale("x.md", 0)
    refused = await here.change("k6", RenameDocument("a.md", 1, "b.md"))
    assert isinstance(refused, DocumentRefused) and "stands at `b.md`" in refused.problem
    assert await here.change("k7", RenameDocument("a.md", 1, "C.md")) == DocumentRenamed("a.md", "C.md", 1)
    assert await here.change("k8", DeleteDocument("c.md", 1)) == DocumentDeleted("C.md")
    listed = await here.look(ListDocuments())
    assert isinstance(listed, DocumentsListed) and [info.path for info in listed.documents] == ["b.md"]


async def test_two_versions_are_read_for_a_comparison_and_an_older_one_comes_back_as_a_new_one(
    store: SqliteStore,
) -> None:
    here = shelf(store)
    await here.change("k1", WriteDocument("a.md", 0, ("a",), '{"title": "A", "approved_by": ["Bo"]}'))
    await here.change("k2", WriteDocument("a.md", 1, ("b",)))

    read = await here.look(ReadDocument("a.md", against=1))
    assert isinstance(read, DocumentRead)
    assert (read.text, read.version, read.before, read.before_version) == ("## B", 2, "# A\n", 1)
    copied = await here.change("k3", CopyDocument("a.md", 2, "a.md", 1, meta='{"restored": 1}'))
    assert copied == DocumentWritten("a.md", 3)
    now = await here.look(ReadDocument("a.md"))
    assert isinstance(now, DocumentRead) and now.text == "# A\n"
    assert json.loads(now.meta) == {"title": "A", "restored": 1}, "nobody has approved this version"
    history = await here.look(DocumentHistory("a.md"))
    assert isinstance(history, DocumentHistoryTold) and [v.version for v in history.versions] == [1, 2, 3]


@pytest.mark.parametrize(
    ("channel", "direct"),
    [
        (CHANNEL, Conversation("slack", "T1", "D7")),
        (Conversation("discord", "99", "5", "6"), Conversation("discord", "@me", "77")),
        (Conversation("terminal", "local", "general"), Conversation("terminal", "local", "@ana")),
    ],
)
async def test_a_document_is_taken_from_the_typists_own_direct_messages(
    store: SqliteStore, channel: Conversation, direct: Conversation
) -> None:
    missing = await shelf(store, channel).change("k0", CopyDocument("a.md", 0, "a.md", own=True))
    await shelf(store, direct, direct=True).change("k1", WriteDocument("a.md", 0, ("a",)))
    other = await shelf(store, channel, asker="U2").change("k2", CopyDocument("a.md", 0, "a.md", own=True))
    done = await shelf(store, channel).change("k3", CopyDocument("a.md", 0, "a.md", own=True))

    assert isinstance(missing, DocumentRefused) and "your direct messages" in missing.problem
    assert missing == other, "somebody else's and none at all are answered alike"
    assert done == DocumentWritten("a.md", 1)
    stored = await store.documents.read(space_of(channel), "a.md")
    assert stored is not None and stored.text == "# A\n"


async def test_what_is_nearly_full_is_told(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.core.spaces.SPACE_BYTES", 20)
    here = shelf(store, a="x" * 16)

    written = await here.change("k1", WriteDocument("a.md", 0, ("a",)))

    assert isinstance(written, DocumentWritten) and "18 bytes of 20 bytes" in written.notice


async def test_a_turn_that_somebody_else_has_by_now_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was suspended for longer than its lease: the write is the next thing that it would do."""
    real, slept = leases.now, 0.0
    monkeypatch.setattr(leases, "now", lambda: real() + slept)
    clock = ManualClock()
    store = await SqliteStore.open(":memory:", clock=clock)
    platform, model = FakePlatform(), FakeModel(lambda _prompt, _n: Says.text("A draft."))
    worker = Worker(store, {"fake": platform}, model, FakeLibrary(TOYS), clock, Options(modes=MODES))
    post = FakePlatform.post

    async def suspended(self: FakePlatform, out: Outgoing) -> Receipt:
        nonlocal slept
        receipt = await post(self, out)
        if out.text == "alice chose: Accept":
            slept = 1000.0
            await store._write(lambda db: db.execute("UPDATE conversation SET due = 0"))
            assert await store.claim("other", 15, SESSION_VERSION) is not None
        return receipt

    for text in ("*pm", "*toy"):
        await Inbox(store).receive(platform.said(text))
        assert await worker.work()
    monkeypatch.setattr(FakePlatform, "post", suspended)
    await Inbox(store).receive(platform.said("1"))
    await worker.work()

    assert slept and await store.documents.list(ROOM.key) == ()
    await store.close()
