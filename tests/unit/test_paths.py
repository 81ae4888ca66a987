"""Which paths documents may have, and which two are one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Conversation
from bot.core.paths import LONGEST, PathError, checked, folded
from bot.core.spaces import joined, space_of


@pytest.mark.parametrize(
    "path", ["prd.md", "docs/prd.md", "docs/a b/Übersicht (2).md", "...md", "a" * LONGEST, "文書.md"]
)
def test_an_ordinary_path_stays_as_it_is(path: str) -> None:
    assert checked(path) == path
    assert checked(f"  {path} ") == path


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "needs a path"),
        ("   ", "needs a path"),
        ("a" * (LONGEST + 1), "201 characters"),
        ("/docs/prd.md", r"relative: write `docs/prd.md`"),
        ("docs/../../etc/passwd", r"`\.\.`"),
        ("..", r"`\.\.`"),
        ("./a.md", "empty part"),
        ("docs//prd.md", "empty part"),
        ("docs/", "empty part"),
        ("docs/ prd.md", "space beside"),
        ("docs\\prd.md", "backslash"),
        ("a`b", "backquote"),
        ("a\x00b", "cannot be seen"),
        ("a\nb", "cannot be seen"),
        ("a\u202egnp.md", "cannot be seen"),
        ("a\u200bb", "cannot be seen"),
        ("a\ud800", "cannot be seen"),
    ],
)
def test_what_is_no_path_is_told(path: str, why: str) -> None:
    with pytest.raises(PathError, match=why) as told:
        checked(path)
    assert str(told.value).isprintable()


def test_two_spellings_of_a_letter_are_one_path() -> None:
    assert checked(unicodedata.normalize("NFD", "é.md")) == "é.md"


@given(st.text(max_size=220))
def test_what_was_checked_is_checked_and_folds_as_its_other_cases(path: str) -> None:
    try:
        found = checked(path)
    except PathError:
        return
    assert checked(found) == found and len(found) <= LONGEST
    assert folded(found) == folded(folded(found)) == folded(found.casefold())


def test_threads_share_the_documents_of_their_channel() -> None:
    channel = Conversation("slack", "T1", "C1")
    assert space_of(channel) == space_of(Conversation("slack", "T1", "C1", "1.2")) == channel.key
    assert space_of(Conversation("slack", "T1", "D1")) != channel.key


def test_between_two_parts_is_one_blank_line_and_all_else_is_byte_for_byte() -> None:
    assert joined(["\n# A\n\n\n", "\n\n## B \n\n", "C\n\n"]) == "\n# A\n\n## B \n\nC\n\n"
    assert joined(["alone \r\n"]) == "alone \r\n"
    assert joined([]) == ""


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_every_part_is_in_the_whole(parts: list[str]) -> None:
    whole = joined(parts)
    for part in parts:
        assert part.strip("\n") in whole
