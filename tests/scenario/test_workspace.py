"""`*docs` and `*doc-out`: what people do with the documents of their channel."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import AsyncIterator

import pytest

from bot.core.model import Attachment, Conversation
from bot.core.steps import Record
from tests.fakes.platform import ROOM
from tests.scenario.stage import Stage, stage

ANA = json.dumps({"by": {"user": "U1", "name": "Ana"}, "approved_by": ["Bo"]})
THREAD = Conversation("fake", "team", "general", "77")
OTHER = Conversation("fake", "team", "random")
DM = Conversation("fake", "team", "D1")
FILE = Attachment("Brief.md", 20, "text/markdown", "F1", text="# Brief\n\nA shop.\n")


@pytest.fixture
async def s() -> AsyncIterator[Stage]:
    async with stage() as opened:
        yield opened


async def wrote(s: Stage, path: str, *texts: str, space: str = ROOM.key, meta: str = "{}") -> None:
    base = 0
    for text in texts:
        done = await s.store.documents.write(f"{space} {path} {text}", space, path, base, text, meta)
        base = done.version  # type: ignore[union-attr]


async def said(s: Stage, text: str, **how: object) -> str:
    return "\n".join(shown.text for shown in await s.say(text, **how))


async def test_documents_are_listed_with_version_age_and_who_and_read_by_number(s: Stage) -> None:
    assert "no documents yet" in await said(s, "*docs")
    await wrote(s, "docs/prd.md", "# PRD", "# PRD\n\nMore.", meta=ANA)
    s.clock.advance(7300)
    await wrote(s, "brief.md", "A brief.")

    listed = await said(s, "*docs")

    assert "**2 documents** here" in listed
    assert "1. brief.md - version 3, just now, 10 bytes" in listed
    assert "2. docs/prd.md - version 2, 2 hours ago, by Ana, accepted by Bo, " in listed
    assert await said(s, "2") == "`docs/prd.md`, version 2. This is what it says:\n\n# PRD\n\nMore."
    assert "`docs/prd.md`, version 2." in await said(s, "*docs show DOCS/prd.md", conversation=THREAD)
    assert "version 1 of 2. This is what it says:\n\n# PRD" in await said(s, "*docs show docs/prd.md 1")


async def test_a_long_list_has_pages(s: Stage) -> None:
    for n in range(30):
        await wrote(s, f"d{n:02}.md", "text")

    first = await said(s, "*docs")
    second = await said(s, "21")

    assert "20. d19.md" in first and "21. Next: 21-30 of 30" in first
    assert "1. d20.md" in second and "10. d29.md" in second


async def test_another_channels_document_and_one_that_never_was_are_answered_alike(s: Stage) -> None:
    await wrote(s, "prd.md", "secret", "more", space=OTHER.key)
    for command in (
        "show X",
        "history X",
        "diff X",
        "diff X 1",
        "restore X 1",
        "delete X",
        "rename X b.md",
        "show X 1",
    ):
        there, never = [await said(s, f"*docs {command.replace('X', path)}") for path in ("prd.md", "xyz.md")]
        assert there.replace("prd.md", "xyz.md") == never and "There is no " in never
    there, never = [await said(s, f"*doc-out {path}") for path in ("prd.md", "xyz.md")]
    assert there.replace("prd.md", "xyz.md") == never


async def test_a_diff_shows_changed_sections_and_words(s: Stage) -> None:
    await wrote(
        s, "prd.md", "## Goals\n\nten users", "## Goals\n\ntwelve users", "## Goals\n\ntwelve users\n\n## Risks"
    )

    assert "from version 2 to version 3" in (newest := await said(s, "*docs diff prd.md"))
    assert "**Added: Risks**" in newest
    assert "~~ten~~ **twelve** users" in await said(s, "*docs diff prd.md 1")
    assert "from version 1 to version 2 of 3" in await said(s, "*docs diff prd.md 2 1")
    assert "There is no version 9" in await said(s, "*docs diff prd.md 9")
    await wrote(s, "one.md", "only")
    assert "nothing to compare" in await said(s, "*docs diff one.md")


async def test_the_history_is_listed_newest_first_and_read_by_number(s: Stage) -> None:
    await wrote(s, "my doc.md", "one", "two", meta=ANA)

    listed = await said(s, '*docs history "my doc.md"')

    assert "1. Version 2 - just now, by Ana, accepted by Bo" in listed and "2. Version 1 - " in listed
    assert "This is what it says:\n\none" in await said(s, "2")


async def test_an_older_version_stands_again_when_people_say_so(s: Stage) -> None:
    await wrote(s, "prd.md", "one", "two")

    assert "Shall version 1 of `prd.md` stand again?" in await said(s, "*docs restore prd.md 1")
    await said(s, "*pm")
    await said(s, "*docs restore prd.md 1")
    assert "Waiting for an answer: give `prd.md` another text or keep it." in await said(s, "*status")
    assert "`prd.md` stays as it is." in await said(s, "no")
    await said(s, "*docs restore prd.md 1")
    assert await said(s, "yes") == "Version 1 of `prd.md` stands again, as version 3."
    stored = await s.store.documents.read(ROOM.key, "prd.md")
    assert stored is not None and stored.text == "one"
    assert json.loads(stored.meta) == {"by": {"user": "Ualice", "name": "alice"}, "restored": 1}
    assert "is the one that stands" in await said(s, "*docs restore prd.md 3")
    assert "Say which version" in (asked := await said(s, "*docs restore prd.md")) and "1. Version 3" in asked
    assert await s.store.audited(ROOM.key) == (Record("chose version 1 of the document prd.md again", "Ualice"),)


async def test_a_document_is_deleted_only_when_people_say_so_and_only_as_they_saw_it(s: Stage) -> None:
    await wrote(s, "prd.md", "one", "two")

    assert "all its 2 versions? It cannot be undone." in await said(s, "*docs delete prd.md")
    await s.store.documents.write("late", ROOM.key, "prd.md", 2, "three")
    assert "Somebody changed `prd.md` meanwhile: it stands in version 3." in await said(s, "yes")
    await said(s, "*docs delete prd.md")
    assert await said(s, "1") == "`prd.md` is deleted, with all its versions."
    assert await s.store.documents.list(ROOM.key) == ()


async def test_other_words_withdraw_the_question(s: Stage) -> None:
    await wrote(s, "prd.md", "one")
    await said(s, "*pm")
    await said(s, "*docs delete prd.md")

    told = await said(s, "what is in it?")

    assert "`prd.md` stays as it is, then." in told and (await s.session()).gate is None
    assert await s.store.documents.read(ROOM.key, "prd.md") is not None


async def test_a_document_is_renamed_with_its_history(s: Stage) -> None:
    await wrote(s, "a b.md", "one", "two")
    await wrote(s, "taken.md", "x")

    assert "stands at `taken.md` already" in await said(s, '*docs rename "a b.md" taken.md')
    assert "Say both paths" in await said(s, "*docs rename one.md")
    assert "is `docs/c d.md` now (version 2)" in await said(s, "*docs rename a b.md to docs/c d.md")
    assert len(await s.store.documents.history(ROOM.key, "docs/c d.md")) == 2


async def test_a_document_goes_out_as_a_page_or_for_a_word_processor(s: Stage) -> None:
    await wrote(s, "docs/prd.md", "# PRD\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<script>alert(1)</script>\n", "# New")

    sent, words = await s.say("*doc-out docs/prd.md 1 as html")
    assert words.text == "`docs/prd.md`, version 1, as a file."
    assert sent.file is not None and sent.file.name.endswith(".html")
    assert b"<table>" in sent.file.content and b"<script" not in sent.file.content
    sent, _ = await s.say("*doc-out docs/prd.md as Word")
    assert sent.file is not None and sent.file.name.endswith(".docx")
    assert zipfile.is_zipfile(io.BytesIO(sent.file.content))

    assert "md, html or docx, not as `pdf`" in await said(s, "*doc-out docs/prd.md as pdf")
    assert "`docs/as.md`" in await said(s, "*doc-out docs/as.md")


async def test_without_the_extra_it_is_said_how_to_get_it(s: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await wrote(s, "prd.md", "# PRD")
    monkeypatch.setitem(sys.modules, "docx", None)
    monkeypatch.delitem(sys.modules, "bot.exporting.word", raising=False)

    told = await said(s, "*doc-out prd.md as docx")

    assert "greenroom[export]" in told and s.platform.seen()[-1].file is None


async def test_a_document_goes_out_as_a_file_and_all_of_them_as_an_archive(s: Stage) -> None:
    assert "no documents yet" in await said(s, "*docs export")
    await wrote(s, "docs/prd.md", "# PRD", "# PRD 2")

    file, words = await s.say("*doc-out")
    assert file.file is not None and file.file.content == b"# PRD 2" and file.file.name.startswith("prd-")
    assert words.text == "`docs/prd.md`, version 2, as a file."
    file, _ = await s.say("*doc-out docs/prd.md 1")
    assert file.file is not None and file.file.content == b"# PRD"
    await wrote(s, "b.md", "B")
    assert "1. b.md" in await said(s, "*doc-out")
    file, _ = await s.say("1")
    assert file.file is not None and file.file.content == b"B"
    file, words = await s.say("*docs export")
    assert file.file is not None and file.file.name.endswith(".zip") and words.text.startswith("2 documents")
    with zipfile.ZipFile(io.BytesIO(file.file.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"b.md": b"B", "docs/prd.md": b"# PRD 2"}


async def test_a_file_that_comes_with_the_command_becomes_a_document(s: Stage) -> None:
    await said(s, "*pm")
    assert "Send the file with the command" in await said(s, "*docs add docs/brief.md")
    told = await said(s, "*docs add docs/", files=(FILE,))
    assert told == "`docs/Brief.md` is a document of this channel now, version 1. `*docs` lists them."
    stored = await s.store.documents.read(ROOM.key, "docs/brief.md")
    assert stored is not None and stored.text == FILE.text

    other = Attachment("b.md", 9, "text/markdown", "F2", text="# Another")
    assert "Shall the new text follow it" in await said(s, "*docs add docs/brief.md", files=(other,))
    assert "version 2" in await said(s, "yes")
    long = Attachment("long.md", 10**6, "text/markdown", "F3", text="x" * 600_000)
    assert "is too long: a document has 512 KB at most" in await said(s, "*docs add l.md", files=(long,))
    fits = Attachment("fits.md", 10**6, "text/markdown", "F4", text="x" * 300_000)
    assert "is a document of this channel now" in await said(s, "*docs add", files=(fits,))
    photo = Attachment("p.png", 9, "image/png", "F5", problem="`p.png` is an image.")
    assert "is an image" in await said(s, "*docs add p.md", files=(photo,))
    assert s.model.prompts == [], "the file is no words for the persona"


async def test_pasted_text_becomes_a_document(s: Stage) -> None:
    told = await said(s, "*docs add notes/day one.md\n\n# Day one\n\n- *all* of it\n")
    assert told == "`notes/day one.md` is a document of this channel now, version 1. `*docs` lists them."
    stored = await s.store.documents.read(ROOM.key, "notes/day one.md")
    assert stored is not None and stored.text == "# Day one\n\n- *all* of it"
    assert "A document needs a path" in await said(s, "*docs add\nsome text")
    assert s.model.prompts == []


async def test_a_deleted_message_takes_the_text_that_was_not_saved_yet_with_it(s: Stage) -> None:
    await wrote(s, "brief.md", "stands")
    inbound = s.platform.said("*docs add brief.md", files=(FILE,), at=s.clock.now())
    await s.hear(inbound)
    await s.inbox.deleted(ROOM, inbound.id)

    assert "A part of its text is gone" in await said(s, "yes")
    assert not any("A shop" in line for line in await s.store.log(ROOM.key))


async def test_a_document_is_taken_from_the_typists_own_direct_messages(s: Stage) -> None:
    await said(s, "*docs add plan.md", files=(FILE,), conversation=DM, direct=True)

    assert "no document `plan.md` in your direct messages" in await said(s, "*docs take plan.md", user="bob")
    assert "`plan.md` is here now, as version 1" in await said(s, "*docs take plan.md")
    await said(s, "*docs take plan.md")
    assert "Only whoever asked" in await said(s, "yes", user="bob")
    await said(s, "*docs take plan.md")
    assert "as version 2" in await said(s, "yes")
    assert "no document" in await said(s, "*docs take plan.md", conversation=DM, direct=True)


async def test_what_is_no_command_is_explained(s: Stage) -> None:
    assert "`*docs show PATH [VERSION]`" in await said(s, "*docs help")
    assert "Say which document" in await said(s, "*docs delete")
    await wrote(s, "docs/prd.md", "text")
    assert "This is what it says" in await said(s, "*docs docs/prd.md"), "a path alone is read"
