"""However a reply comes in and whenever somebody looks: what was watched begins its post, and costs what it shows."""

from __future__ import annotations

from time import process_time
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.growing import GrowingReply
from bot.core.model import Conversation, Voice
from bot.core.shapes import DELIMITER, MARK, shown
from bot.core.steps import Post, Shape
from bot.core.text import settled
from bot.core.voices import Names
from bot.runtime.outbox import Address, outgoing
from tests.fakes.platform import FakePlatform

HERE = Address(Conversation("fake", "team", "general"), "in1", 1)
NAMES = Names.of(("Winston", "architect"), ("John", "Mary", "VM Migration Architect"), ("alice", "Łukasz"))
BITS = (
    "<Mary> hi ",
    "Mary",
    "Owners:\n",
    "Mary: research\n",
    "[10:32] ",
    "<br>",
    " " * 14,
    "VVary",
    "M",
    "\u200b",
    "\u202eyraM",
    "📋 ",
    "System ",
    "~~~\n",
    "Reply from ",
    " - ",
    "&#77;ary: ",
    "User1: ",
    "I agree. ",
    "Winston: ",
    "**Winston:** ",
    "Mary: ",
    "📋 **John** (Product Manager): said ",
    "alice",
    ":",
    "ali",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\x0b",
    "\u2028",
    " ",
    "\t",
    "A sentence of words. ",
    "long" * 30,
    "漢字" * 20,
    "🇩🇪",
    "👨‍👩‍👧‍👦",
    "\u0301",
    "```",
    "\n```python\n",
    "\n```\n",
    "> ```\n",
    "> a\n",
    "|",
    "|---|---|\n",
    "| a | b |\n",
    "\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    "| " + "w" * 70,
    "- ",
    "# ",
    "\\|",
    DELIMITER,
    f"{MARK}\n",
    f"\n{MARK}\n",
    f"\n{DELIMITER}\n",
    "\n=== wh",
)
replies = st.lists(st.sampled_from(BITS), max_size=50).map("".join)
SHAPES: tuple[Shape, ...] = get_args(Shape)
calm = settings(max_examples=400, deadline=None)


def pieces_of(text: str, data: st.DataObject) -> list[str]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@calm
@given(replies, st.integers(100, 400), st.booleans(), st.sampled_from([0, 1, 5]), st.data())
def test_what_was_watched_begins_the_first_piece_of_the_post(
    text: str, limit: int, has_tables: bool, most: int, data: st.DataObject
) -> None:
    shape: Shape = data.draw(st.sampled_from(SHAPES))
    growing = GrowingReply(NAMES, limit, tables=has_tables, shape=shape)
    watched = [""]
    for piece in pieces_of(text, data):
        growing.add(piece)
        if data.draw(st.booleans()):
            watched.append(growing.shown())
            assert watched[-1].startswith(watched[-2])
    if words := shown(shape, text, NAMES):
        platform = FakePlatform(limit=max(limit, 160) if most else limit, most=most, tables=has_tables)
        if platform.limit != limit:
            growing = GrowingReply(NAMES, platform.limit, tables=has_tables, shape=shape)
        growing.add("" if platform.limit == limit else text)
        first = outgoing(HERE, 2, Post(Voice("Winston", "🏗️", "architect"), words), platform, again=False)[0].text
        assert first.startswith(growing.shown())
        assert platform.limit != limit or first.startswith(watched[-1])
    else:
        assert watched[-1] == ""


@calm
@given(replies, st.integers(100, 400), st.sampled_from(SHAPES), st.data())
def test_where_tables_are_shown_by_the_platform_each_preview_begins_the_words_that_are_kept(
    text: str, limit: int, shape: Shape, data: st.DataObject
) -> None:
    growing = GrowingReply(NAMES, limit, tables=True, shape=shape)
    whole = shown(shape, text, NAMES).lstrip("\n")
    for piece in pieces_of(text, data):
        growing.add(piece)
        assert whole.startswith(growing.shown())


def test_a_draft_is_watched_as_it_was_written() -> None:
    """Its lines that look like others' words stay as they are, for they are kept and carried out so."""
    growing = GrowingReply(NAMES, 400, tables=True, shape="draft")
    growing.add("Mary: research\nOwners:\n- John: everything\n")
    assert growing.shown() == "Mary: research\nOwners:\n- John: everything"


@calm
@given(replies, st.integers(100, 400), st.booleans(), st.data())
def test_what_is_shown_depends_on_what_has_come_and_not_on_who_has_looked(
    text: str, limit: int, has_tables: bool, data: st.DataObject
) -> None:
    once = GrowingReply(NAMES, limit, tables=has_tables)
    once.add(text)
    often = GrowingReply(NAMES, limit, tables=has_tables)
    for piece in pieces_of(text, data):
        often.add(piece)
        often.shown()
    assert often.shown() == once.shown()


@calm
@given(
    st.lists(st.sampled_from(["Some sentences of words. ", "漢字" * 20, "\n\n", "long" * 30]), max_size=30).map("".join)
)
def test_nothing_of_plain_prose_is_held_back(text: str) -> None:
    growing = GrowingReply(NAMES, 400, tables=True)
    growing.add(text)
    assert growing.shown() == settled(text.lstrip(), 400)


TABLE = "\n\n| name | what |\n|------|------|\n" + "| a name | what it is about |\n" * 40 + "\n"
LONG = {
    "prose": "A sentence of words that go on. " * 40 + "\n\n",
    "one line": "A sentence of words that go on. ",
    "tables": TABLE,
    "one table": "| a | b |\n|---|---|\n",
    "another's words": "Mary: and she says this and that.\n",
    "own labels": "Winston: ",
    "a fence": "```",
    "code": "```\nx = 1\n```\n",
    "pipes": "|",
    "no space": "漢字",
    "flags": "🇩🇪",
    "white space": " \n",
}


@pytest.mark.parametrize("bit", LONG.values(), ids=LONG)
@pytest.mark.parametrize("has_tables", [True, False])
def test_to_watch_a_reply_ten_times_as_long_costs_no_more_than_ten_times_as_much(bit: str, has_tables: bool) -> None:
    """A ratio of CPU times, with room for noise: the square would be a hundred."""

    def cost(length: int) -> float:
        text, least = bit * (length // len(bit) + 1), 1e9
        for _ in range(3):
            growing, began = GrowingReply(NAMES, 1_850, tables=has_tables), process_time()
            for start in range(0, length, 16):
                growing.add(text[start : start + 16])
                if start % 160 == 0:
                    growing.shown()
            least = min(least, process_time() - began)
        return least

    assert cost(300_000) < 40 * max(cost(30_000), 1e-3)
