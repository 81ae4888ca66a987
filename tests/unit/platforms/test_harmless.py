"""What may reach a terminal, and what may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.terminal.harmless import harmless, in_one_line


@pytest.mark.parametrize(
    ("hostile", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r0m\x1b\\text", "text"),
        ("\x9b2Jtext\x9d0;title\x9c", "text"),
        ("\x1bctext\x1b(0", "text"),
        ("a\x08b\x07c\x00d\x7fe\x85f", "abcdef"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\x1b]0;never ended\nthe next line", "0;never ended\nthe next line"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("🏗️ 👩‍💻 مرحبا", "🏗️ 👩‍💻 مرحبا"),
    ],
)
def test_what_steers_a_terminal_is_taken_out_and_the_words_stay(hostile: str, left: str) -> None:
    assert harmless(hostile) == left


@given(
    st.text(alphabet=st.one_of(st.sampled_from("\x1b[]0;8mJ\x07\\\x9b\x9d\x9cP\u202e\u2066\n\ra "), st.characters()))
)
def test_nothing_dangerous_is_ever_put_together_from_what_is_left(text: str) -> None:
    left = harmless(text)
    assert not any(c < " " and c not in "\t\n" for c in left)
    assert not any("\x7f" <= c <= "\x9f" or "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in left)
    assert harmless(left) == left
    left.encode()


def test_a_name_stays_on_its_line() -> None:
    assert in_one_line(" Mal\nlory\t \x1b[31m😈 ") == "Mal lory 😈"
