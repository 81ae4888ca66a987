"""Emoji, voices and pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.text import is_emoji_only, own_words, pieces, settled

OTHERS = ("John", "VM Migration Architect", "alice", "Łukasz")


def cut(text: str, *, finished: bool = True) -> str:
    return own_words(text, ("Winston", "architect"), OTHERS, finished=finished)


@pytest.mark.parametrize("text", ["😀", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪 🇹🇷", ":tada:", "<:blob:123> :+1:", "❤️"])
def test_emoji_only(text: str) -> None:
    assert is_emoji_only(text)


@pytest.mark.parametrize("text", ["", "  ", "ok 😀", "1", "…", ":", "a:b:c", "©2026"])
def test_not_emoji_only(text: str) -> None:
    assert not is_emoji_only(text)


@pytest.mark.parametrize(
    "line",
    [
        "John: hi",
        "john : hi",
        "**John:** hi",
        "**John**: hi",
        "📋 John: hi",
        "📋 **John** (Product Manager): hi",
        "[John]: hi",
        "> John: hi",
        "# John: hi",
        "JOHN： hi",
        "VM Migration Architect: hi",
        "_alice_: hi",
        "łukasz: hi",
    ],
)
def test_a_line_of_another_is_cut(line: str) -> None:
    assert cut(f"Before.\n\n{line}\nand more of it\n\nAfter.") == "Before.\n\nAfter."


@pytest.mark.parametrize(
    "text",
    [
        "Johnny: is no name here",
        "- John: writes the PRD",
        "1. John: writes the PRD",
        "Ask John: he knows",
        "```\nJohn: in a file\n```",
        "~~~yaml\nalice: admin\n~~~",
        "I told John. He agreed.",
        "Note: this stays",
        "https://example.org: a link",
    ],
)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert cut(text) == text


def test_her_own_label_is_taken_off_and_ends_anothers_passage() -> None:
    assert cut("Winston: I think so.") == "I think so."
    assert cut("John: no!\n**Winston:** yes!") == "yes!"


def test_a_last_line_is_held_back_while_it_may_become_a_name() -> None:
    assert cut("Well.\n\nJo", finished=False) == "Well."
    assert cut("Well.\n\n**Joh", finished=False) == "Well."
    assert cut("Well.\n\nJohn (Prod", finished=False) == "Well."
    assert cut("Well.\n\nJoin", finished=False) == "Well.\n\nJoin"
    assert cut("Well.\n\nJo", finished=True) == "Well.\n\nJo"


LABELS = ("John: ", "Winston: ", "**alice:** ", "VM Migration", " Architect: ", "ukasz: ", "Jo", "Ł")
OTHER_BITS = ("\n", "\n\n", "word ", ":", "```\n", "- ", "(", "*", "😀 ", "")
speech = st.lists(st.sampled_from((*LABELS, *OTHER_BITS)), max_size=25).map("".join)


@given(speech, st.data())
def test_what_was_shown_of_a_part_is_a_prefix_of_what_is_shown_of_the_whole(text: str, data: st.DataObject) -> None:
    part = text[: data.draw(st.integers(0, len(text)))]
    longer = text[: data.draw(st.integers(len(part), len(text)))]
    assert cut(longer, finished=False).startswith(cut(part, finished=False))
    assert cut(text).startswith(cut(longer, finished=False))


@given(speech)
def test_no_line_of_another_is_ever_shown(text: str) -> None:
    outside = cut(text)
    for line in outside.splitlines() if "```" not in text else ():
        assert not line.startswith(("John:", "**alice:**", "VM Migration Architect:"))


markdown = st.lists(
    st.sampled_from(
        ["A sentence of words. ", "\n\n", "\n", "- item\n", "\n```python\n", "x = 1\n", "\n```\n", "long" * 30]
    ),
    max_size=60,
).map("".join)


@given(markdown, st.integers(40, 400))
def test_pieces_fit_and_lose_nothing_but_white_space(text: str, limit: int) -> None:
    found = pieces(text, limit)
    assert all(len(piece) <= limit for piece in found)

    def letters(t: str) -> str:
        return "".join(c for c in t.replace("```python", "").replace("```", "") if not c.isspace())

    assert letters("".join(found)) == letters(text)


@given(markdown, st.integers(40, 400))
def test_fences_are_whole_in_every_piece(text: str, limit: int) -> None:
    if text.count("```") % 2:
        text += "\n```"
    for piece in pieces(text, limit):
        assert piece.count("```") % 2 == 0


@given(markdown, st.integers(40, 400), st.data())
def test_what_a_preview_shows_stands_at_the_beginning_of_the_first_piece(
    text: str, limit: int, data: st.DataObject
) -> None:
    text = text.strip()
    part = text[: data.draw(st.integers(0, len(text)))]
    assert pieces(text, limit)[0].startswith(settled(part, limit).rstrip())


def test_a_limit_too_short_for_a_fence_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        pieces("text", 10)
