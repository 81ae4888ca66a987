"""An index of documents, made and brought up to date without losing what people wrote into it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.documents.filenames import flaw_of_path
from bot.core.documents.indexing import MAX_LINE, Entry, entries_of, entry, indexed

PRD = Entry("prd.md", "Product", "What it is.")
GATE = Entry("qa/gate.md", "Gate")


def test_documents_stand_by_folder_with_links_and_a_line_each() -> None:
    found = indexed([GATE, PRD])

    assert found.text == (
        "# Documentation Index\n\n## Documents\n\n### [Product](./prd.md)\n\nWhat it is.\n\n## qa\n\n"
        "### [Gate](./qa/gate.md)\n"
    )
    assert found.added == ("qa/gate.md", "prd.md")
    assert indexed([PRD, GATE], found.text).text == found.text


def test_what_people_wrote_stays_and_what_is_gone_is_asked_about() -> None:
    present = (
        "# Our papers\n\nRead.\n\n## Documents\n\n### [The Product](./prd.md)\n\nOurs.\n\n#### More\n\nx\n\n"
        "### [Old](./old.md)\n\nGone?\n"
    )

    found = indexed([PRD, GATE], present)

    assert (found.added, found.gone) == (("qa/gate.md",), ("old.md",))
    assert found.text.startswith(
        "# Our papers\n\nRead.\n\n## Documents\n\n### [The Product](./prd.md)\n\nOurs.\n\n#### More\n\nx\n\n## qa"
    )
    kept = indexed([PRD, GATE], present, keep=["old.md"])
    assert kept.gone == ()
    assert "### [Old](./old.md)\n\nGone?" in kept.text


def test_a_document_is_known_by_its_first_heading_and_first_sentence() -> None:
    assert entry("a.md", "---\n\n# The *thing*\n\n- list\n\nIt does *this*. And that.\n") == Entry(
        "a.md", "The thing", "It does this."
    )
    assert entry("docs/story-1_2.md", "") == Entry("docs/story-1_2.md", "Story 1 2", "")
    assert len(entry("a.md", "x" * 500).description) == MAX_LINE


paths = st.text(alphabet="ab./ ()<>#%é`", min_size=1, max_size=12).filter(lambda path: not flaw_of_path(path))
words = st.text(alphabet="ab *_[]`<&!#1.", max_size=12).map(lambda text: " ".join(text.split()))


@given(st.lists(st.builds(Entry, paths, words.filter(bool)), max_size=5, unique_by=lambda each: each.path))
@settings(deadline=None)
def test_an_index_names_each_document_once_and_is_read_back(documents: list[Entry]) -> None:
    found = indexed(documents)

    assert sorted(each.path for each in entries_of(found.text)) == sorted(each.path for each in documents)
    again = indexed(documents, found.text)
    assert (again.text, again.added, again.gone) == (found.text, (), ())
