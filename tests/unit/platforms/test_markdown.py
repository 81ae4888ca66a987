"""Markdown on a terminal: cut where no later word can change it, laid out within the columns, harmless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.formatted_text import StyleAndTextTuples
from wcwidth import wcswidth

from bot.platforms.terminal.markdown import blocks, laid_out, last_lines

PARTS = [
    "words",
    "two words",
    "\n",
    "\n\n",
    "- item",
    "1. first",
    "  under it",
    "```",
    "```python",
    "~~~",
    "# head",
    " ",
]


def text(fragments: StyleAndTextTuples) -> str:
    return "".join(fragment[1] for fragment in fragments)


def styles(fragments: StyleAndTextTuples, of: str) -> set[str]:
    return {fragment[0] for fragment in fragments if of in fragment[1]}


@pytest.mark.parametrize(
    ("markdown", "found"),
    [
        ("", ("",)),
        ("one\n\ntwo", ("one\n\n", "two")),
        ("one\ntwo\n", ("one\ntwo\n",)),
        ("one\n\n", ("one\n\n",)),
        ("- a\n\n  still a\n\nb", ("- a\n\n  still a\n\n", "b")),
        ("```\none\n\ntwo\n```\n\nend", ("```\none\n\ntwo\n```\n\n", "end")),
        ("````\n```\n\nin\n````\n\nout", ("````\n```\n\nin\n````\n\n", "out")),
        ("~~~\n```\n\nin\n~~~\n\nout", ("~~~\n```\n\nin\n~~~\n\n", "out")),
        ("``` is `code` ```\n\nout", ("``` is `code` ```\n\n", "out")),
        ("```\nnever closed\n\nmore", ("```\nnever closed\n\nmore",)),
    ],
)
def test_a_block_ends_where_nothing_can_be_added_to_it(markdown: str, found: tuple[str, ...]) -> None:
    assert blocks(markdown) == found


@given(st.lists(st.sampled_from(PARTS)).map("".join), st.integers(0, 200))
def test_all_blocks_but_the_last_stay_as_they_are_however_the_text_goes_on(markdown: str, cut: int) -> None:
    begun, whole = blocks(markdown[:cut]), blocks(markdown)
    assert "".join(whole) == markdown
    assert whole[: len(begun) - 1] == begun[:-1]


def test_what_markdown_marks_is_seen_and_its_marks_are_not() -> None:
    fragments = laid_out("# Plan\n\nUse **this** and `that`, *please*.\n\n```python\ndef run(): pass\n```", 60)
    assert text(fragments) == "Plan\n\nUse this and that, please.\n\n def run(): pass\n"
    assert "bold" in styles(fragments, "this").pop() and styles(fragments, "that") == {"ansicyan"}
    assert "italic" in styles(fragments, "please").pop() and styles(fragments, "def") == {"ansibrightblue"}


def test_a_new_line_stays_a_new_line() -> None:
    assert text(laid_out("Active: nobody\nYolo: off", 60)) == "Active: nobody\nYolo: off\n"


def test_lists_keep_their_numbers_also_in_blocks_of_their_own() -> None:
    assert text(laid_out("9. nine\n\n10. ten\n\n- a\n  - b", 60)) == "  9 nine\n\n 10 ten\n\n • a\n    • b\n"


@pytest.mark.parametrize("width", [10, 20, 24, 80])
def test_every_line_stays_within_the_columns(width: int) -> None:
    table = "| a table | of words |\n|---|---|\n| 1 | 2 |"
    markdown = f"{table}\n\nsome words and 漢字と仮名がここに\n\n`code that is long`\n\n> quoted words"
    assert all(wcswidth(line) <= width for line in text(laid_out(markdown, width)).split("\n"))


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2J", "&#27;[2J", "&#x9b;2J", "\u202eabc", "&#x202e;abc", "&#8238;abc", "[x](http://e.example/\x1b]0;t\x07)",
        "`\x1b[31m`", "```\n\x1b[31m\u2066\n```", "![\x1b[31m](x)", "| \u202e |\n|---|\n| &#x2066; |",
    ],
)  # fmt: skip
def test_nothing_hostile_comes_through_neither_raw_nor_by_a_character_reference(hostile: str) -> None:
    shown = text(laid_out(f"before {hostile}\n\n{hostile}", 40))
    assert "before" in shown
    assert not any((c < " " and c != "\n") or "\x7f" <= c <= "\x9f" or c in "\u202e\u2066" for c in shown)


def test_the_last_lines_are_what_is_left_of_a_tall_block() -> None:
    fragments = laid_out("one\ntwo\nthree", 20)
    assert text(last_lines(fragments, 2)) == "two\nthree"
    assert text(last_lines(fragments, 3)) == text(last_lines(fragments, 9)) == "one\ntwo\nthree"
    assert last_lines([], 3) == []
