"""However a text is written and however it comes in: pieces fit, keep what is in them, and a preview never lies."""

from __future__ import annotations

import re
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from bot.core.fences import Fence, fence_after
from bot.core.model import Activate, Conversation, Menu, Option, Voice
from bot.core.steps import Post
from bot.core.tables import as_code
from bot.core.text import beginning, pieces, settled
from bot.runtime.outbox import Address, outgoing
from tests.fakes.platform import FakePlatform

FAMILY = "👨‍👩‍👧‍👦"
GRAPHEMES = ("🇩🇪", FAMILY, "👍🏽", "1️⃣", "か\u3099", "I\u0307", "क्षि", "ก็", "각", "é", "❤️‍🔥", "🏴‍☠️", "\u0600x")
WORDS = ("A sentence of words. ", "\n\n", "\n", "- item\n", " ", "long" * 30, "\r\n", "漢字" * 20, "word ")
FENCES = (
    "\n```python\n",
    "\n```\n",
    "x = 1\n",
    "\n~~~\n",
    "````\n",
    "   ```\n",
    "- ```sh\n",
    "> ```\n",
    "> a\n",
    "\t",
    "`",
)
CELLS = (
    "|",
    "|---|---|\n",
    "-",
    ":",
    "| a | b |\n",
    "a | b\n",
    "| 1 | **2** |\n",
    ">",
    "|\n",
    "\\|",
    "# ",
    "| " + "w" * 70,
)


def of(*bits: str, most: int = 60) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(bits), max_size=most).map("".join)


prose = of(*WORDS, *GRAPHEMES, "\u0301", "\u200d", "🇩")
code = of(*WORDS, *FENCES)
tables = of("A sentence. ", "\n", "\n\n", *FENCES, *CELLS, *CELLS)
anything = st.one_of(prose, code, tables, of(*WORDS, *FENCES, *CELLS, *GRAPHEMES))
limits = st.integers(100, 400)
calm = settings(max_examples=200, deadline=None)


def letters(text: str) -> str:
    return re.sub(r"\s", "", text)


@calm
@given(anything, limits)
def test_no_piece_is_longer_than_the_limit_or_empty(text: str, limit: int) -> None:
    found = pieces(text, limit)
    assert all(len(piece) <= limit for piece in found)
    assert all(piece.strip() for piece in found) or found == ("",)


@calm
@given(prose, limits)
def test_without_fences_nothing_is_lost_but_white_space(text: str, limit: int) -> None:
    assert letters("".join(pieces(text, limit))) == letters(text)


@calm
@given(code, limits)
def test_fences_lose_nothing_either_but_are_closed_and_opened_again(text: str, limit: int) -> None:
    def content(t: str) -> str:
        return re.sub(r"[\s>`~-]|python|sh", "", t)

    assert content("".join(pieces(text, limit))) == content(text)


@calm
@given(prose, limits)
def test_every_grapheme_is_whole_in_one_piece(text: str, limit: int) -> None:
    def seen(t: str) -> list[str]:
        return [letters(grapheme) for grapheme in iter_graphemes(t) if grapheme.strip()]

    assert [grapheme for piece in pieces(text, limit) for grapheme in seen(piece)] == seen(text)


def fence_in(text: str) -> Fence | None:
    fence: Fence | None = None
    for line in text.split("\n"):
        fence = fence_after(fence, line)
    return fence


@calm
@given(code, limits)
def test_no_piece_but_the_last_leaves_a_fence_open(text: str, limit: int) -> None:
    for piece in pieces(text, limit)[:-1]:
        assert fence_in(piece) is None


@calm
@given(anything, limits, st.data())
def test_what_a_preview_shows_stands_at_the_beginning_of_the_first_piece(
    text: str, limit: int, data: st.DataObject
) -> None:
    part = text[: data.draw(st.integers(0, len(text)))]
    longer = text[: data.draw(st.integers(len(part), len(text)))]
    shown = settled(part, limit)
    assert settled(longer, limit).startswith(shown)
    assert pieces(text, limit)[0].startswith(shown)
    end = "e" * data.draw(st.integers(0, (limit - 25) // 2 - 1))
    first = beginning(text, limit, end)
    assert first.startswith(shown) and first.endswith(end) and len(first) <= limit


@calm
@given(prose, limits, st.data())
def test_what_a_preview_shows_ends_with_a_whole_grapheme(text: str, limit: int, data: st.DataObject) -> None:
    part = text[: data.draw(st.integers(0, len(text)))]
    shown = list(iter_graphemes(settled(part, limit)))
    whole = list(iter_graphemes(text.lstrip("\n")))[: len(shown)]
    assert [grapheme.rstrip() for grapheme in shown] == [grapheme.rstrip() for grapheme in whole]


@calm
@given(tables, st.data())
@example("a | b\n-|-\n1 | 2\nend", None)
def test_what_is_given_of_a_part_with_tables_is_a_prefix_of_what_is_given_of_the_whole(
    text: str, data: st.DataObject | None
) -> None:
    whole = as_code(text, finished=True)
    cuts = range(len(text) + 1) if data is None else [data.draw(st.integers(0, len(text)))]
    for cut in cuts:
        given_of_part = as_code(text[:cut], finished=False)
        assert whole.startswith(given_of_part)
        assert as_code(text, finished=False).startswith(given_of_part)


@calm
@given(code)
def test_a_text_without_tables_comes_back_as_it_was(text: str) -> None:
    assert as_code(text, finished=True) == text
    assert text.startswith(as_code(text, finished=False))


@calm
@given(
    st.lists(
        st.lists(st.sampled_from(["", "one", "**two**", "a\\|b", "w" * 60, "漢字", FAMILY]), max_size=6), min_size=1
    )
)
def test_all_that_a_table_says_is_there_in_order(rows: list[list[str]]) -> None:
    text = "".join(f"|{'|'.join(row)}|\n" for row in rows)
    header, *below = rows
    drawn = as_code(text.replace("\n", "\n" + "|-" * len(header) + "|\n", 1), finished=True)
    assert header == [] or "|-" not in drawn
    place = 0
    for cell in (cell for row in below for cell in row if header):
        said = cell.replace("\\|", "|") if cell in drawn else cell.replace("\\|", "|").strip("*")
        place = drawn.index(said, place) + len(said)


HERE = Address(Conversation("fake", "team", "general"), "in1", 1)
MENU = Menu("m1", tuple(Option(f"Option {number}", Activate("x")) for number in range(25)))


@calm
@given(anything, limits, st.sampled_from([0, 1, 2, 5]), st.booleans(), st.booleans(), st.data())
def test_what_was_watched_of_a_reply_stays_when_it_is_posted(
    text: str, limit: int, most: int, has_tables: bool, has_menu: bool, data: st.DataObject
) -> None:
    platform = FakePlatform(limit=limit + 100, most=most, tables=has_tables)
    text = text.strip() or "word"
    part = text[: data.draw(st.integers(0, len(text)))].strip()
    watched = settled(part if has_tables else as_code(part, finished=False), platform.limit)
    post = Post(Voice("Winston", "🏗️", "architect"), text, MENU if has_menu else None, completes=2)
    sent = outgoing(HERE, 2, post, platform, again=False)
    assert sent[0].text.startswith(watched)
    assert all(len(out.text) <= platform.limit for out in sent)


LONG = 60_000
CROWDS = [
    "🇩🇪",
    "👨‍",
    FAMILY,
    "\u0301",
    "漢",
    "क्",
    "ᄒ",
    "\u0600",
    " \u0301",
    "```\n",
    "> ```\n",
    "- ```\n a\n",
    "`",
    "~",
    ">",
    "\n",
]
ROWS = [
    "|",
    "a|b\n-|-\n",
    "|a|b|\n|-|-|\n|1|2|\n",
    "-|",
    "\\",
    "|-",
    "| |\n",
    "|`",
    "|[a](b ",
    "|**a ",
    "- ",
    "1. ",
    "<a@",
]


@pytest.mark.parametrize("bit", CROWDS)
def test_long_rows_of_anything_are_cut_in_a_time_that_grows_with_their_length(bit: str) -> None:
    text = bit * (LONG // len(bit))
    began = process_time()
    pieces(text, 2000)
    settled(text, 2000)
    assert process_time() - began < 3


@pytest.mark.parametrize("bit", ROWS)
def test_tables_of_anything_are_read_in_a_time_that_grows_with_their_length(bit: str) -> None:
    began = process_time()
    for head in ("", "|a|b|\n|-|-|\n", "|" * 20_000 + "\n" + "|-" * 19_999 + "|\n"):
        drawn = as_code(head + bit * (LONG // len(bit)), finished=True)
        assert len(drawn) < 100 * LONG
    assert process_time() - began < 5


@pytest.mark.parametrize(
    "bit", ["A sentence of words. ", "word\n\n", "```\nx = 1\n```\n", "> a\n", "漢字", " ", "|a|b|\n"]
)
def test_a_text_ten_times_as_long_is_cut_in_no_more_than_ten_times_the_time(bit: str) -> None:
    """A ratio of CPU times, with room for noise: the square would be a hundred."""

    def cost(length: int) -> float:
        text, least = bit * (length // len(bit)), 1e9
        for _ in range(3):
            began = process_time()
            pieces(text, 500)
            least = min(least, process_time() - began)
        return least

    assert cost(4_000_000) < 40 * max(cost(400_000), 1e-3)
