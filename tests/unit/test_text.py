"""Emoji and pieces."""

from __future__ import annotations

import pytest

from bot.core.text import beginning, is_emoji_only, pieces, settled


@pytest.mark.parametrize("text", ["😀", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪 🇹🇷", ":tada:", "<:blob:123> :+1:", "❤️"])
def test_emoji_only(text: str) -> None:
    assert is_emoji_only(text)


@pytest.mark.parametrize("text", ["", "  ", "ok 😀", "1", "…", ":", "a:b:c", "©2026"])
def test_not_emoji_only(text: str) -> None:
    assert not is_emoji_only(text)


# ---------------------------------------------------------------- pieces

FAMILY, FLAG, KA = "👨‍👩‍👧‍👦", "🇯🇵", "か\u3099"
ZALGO = "a" + "\u0301" * 500
GRAPHEMES = [FLAG, FAMILY, "👍🏽", "1️⃣", KA, "i\u0307", "क्षि", "กำ", "각", "e\u0301", "❤️"]


@pytest.mark.parametrize("grapheme", GRAPHEMES)
def test_a_cut_in_a_long_row_keeps_each_grapheme_whole(grapheme: str) -> None:
    for before in ("", "x", "xy"):
        found = pieces(before + grapheme * 1500, 100)
        assert "".join(found) == before + grapheme * 1500
        assert all(set(piece.removeprefix(before).split(grapheme)) == {""} for piece in found)


def test_a_grapheme_longer_than_a_piece_is_cut_and_nothing_of_it_is_lost() -> None:
    found = pieces(f"word {ZALGO} word", 100)
    assert all(0 < len(piece) <= 100 for piece in found)
    assert "".join(found).replace(" ", "") == f"word{ZALGO}word"


def test_a_space_that_bears_marks_is_not_lost() -> None:
    found = pieces("x" * 60 + " \u0301" + "y" * 60, 100)
    assert len(found) == 2 and "".join(found) == "x" * 60 + " \u0301" + "y" * 60
    found = pieces("x" * 60 + "\n   \u0301" + "y" * 60, 100)
    assert found == ("x" * 60, " \u0301" + "y" * 60)


def test_white_space_alone_makes_no_piece_of_its_own() -> None:
    assert pieces("", 100) == ("",)
    assert pieces(" " * 1000, 100) == ("",)
    assert pieces(" " * 1000 + "word", 100) == ("word",)
    assert pieces("a" * 70 + "\n" * 500 + "b" * 70, 100) == ("a" * 70, "b" * 70)


def test_a_cut_is_at_a_paragraph_else_a_line_else_a_word() -> None:
    assert pieces("a" * 40 + "\n\n" + "b" * 20 + "\n" + "c c " * 40, 100)[0] == "a" * 40
    assert pieces("a" * 40 + "\n" + "b " * 60, 100)[0] == "a" * 40
    assert pieces("a " * 60, 100)[0] == "a " * 49 + "a"


def test_a_cut_is_never_in_the_first_half() -> None:
    assert pieces("a\n\n" + "b" * 150, 100)[0] == "a\n\n" + "b" * 97


def code(fence: str, close: str, lead: str = "", further: str | None = None) -> str:
    inner = "".join(f"{lead if further is None else further}line {n}\n" for n in range(30))
    return f"Before.\n\n{fence}\n{inner}{close}\n\nAfter."


@pytest.mark.parametrize(
    ("text", "opening", "closing", "line"),
    [
        (code("```", "```"), "```", "```", "line 29"),
        (code("```python", "```"), "```python", "```", "line 29"),
        (code("~~~ python", "~~~"), "~~~python", "~~~", "line 29"),
        (code("````md", "````").replace("line 7\n", "```\n"), "````md", "````", "line 29"),
        (code("~~~", "~~~").replace("line 7\n", "```\n"), "~~~", "~~~", "line 29"),
        (code("```", "   ```"), "```", "```", "line 29"),
        (code("```", "```").replace("line 7\n", "    ```\n"), "```", "```", "line 29"),
        (code("```", "`````"), "```", "```", "line 29"),
        (code("> ```sh", "> ```", "> "), "> ```sh", "> ```", "> line 29"),
        (code(">> ~~~", ">> ~~~", ">> "), "> > ~~~", "> > ~~~", ">> line 29"),
        (code("```js title='a very long file name.js'", "```"), "```js", "```", "line 29"),
        (code(f"```{'x' * 30}", "```"), "```", "```", "line 29"),
        (code("1. ```sh", "   ```", "   "), "```sh", "```", "line 29"),
        (code("   ```sh", "   ```", "   "), "```sh", "```", "line 29"),
        (code("\t```sh", "\t```", "\t"), "```sh", "```", "line 29"),
        (code("> - ```sh", ">   ```", ">   "), "> ```sh", "> ```", "> line 29"),
        (code("```", "```").replace("\n", "\r\n"), "```", "```", "line 29"),
    ],
)
def test_a_fence_that_is_cut_is_closed_and_opened_again_as_it_was(
    text: str, opening: str, closing: str, line: str
) -> None:
    first, *middle, last = (piece.replace("\r\n", "\n") for piece in pieces(text, 100))
    assert first.startswith("Before.\n\n") and first.split("\n")[-1].replace("  ", "").strip() in (
        closing,
        f">{closing[2:]}",
    )
    assert len(middle) >= 2
    for piece in middle:
        assert piece.startswith(f"{opening}\n") and piece.endswith(f"\n{closing}")
    assert last.startswith(f"{opening}\n") and last.endswith("\n\nAfter.") and line in last.split("\n")


def test_a_fence_in_a_list_is_closed_within_the_list() -> None:
    assert pieces(code("1. ```sh", "   ```", "   "), 100)[0].endswith("\n   ```")


def test_no_empty_block_of_code_is_left_at_a_cut() -> None:
    words = "word " * 12
    assert pieces(f"{words}\n```python\n" + "x = 1\n" * 9 + "```", 100)[0] == words.strip()
    body = "x" * 70
    assert pieces(f"```\n{body}\n```\n\n{'After. ' * 9}", 100) == (f"```\n{body}\n```", ("After. " * 9))


def test_a_long_line_of_code_in_a_quote_goes_on_in_the_quote() -> None:
    for piece in pieces(f"> ```\n> {'x' * 300}\n> ```\nAfter.", 100):
        assert all(line.startswith("> ") or line == "After." for line in piece.split("\n"))


def test_a_fence_ends_with_its_quote() -> None:
    text = "> ```\n> code\n" + "No code any more. " * 20
    assert [piece.count("```") for piece in pieces(text, 100)] == [1, 0, 0, 0]
    first, second = pieces("> ```\n> " + "x" * 60 + "\n" + "y" * 60, 100)
    assert first.endswith("x\n> ```") and second == "y" * 60


@pytest.mark.parametrize("line", ["`" * 30, "~" * 9, "> > > ```", " " * 20 + "```", "```x``` y"])
def test_what_is_no_fence_is_neither_closed_nor_opened(line: str) -> None:
    first, second = pieces(f"{line}\n{'a' * 50}\n{'b' * 60}", 120)
    assert first.endswith("a") and second == "b" * 60


def test_a_limit_too_short_for_a_fence_is_refused() -> None:
    for cutting in (lambda: pieces("text", 99), lambda: settled("text", 99), lambda: beginning("text", 99, "")):
        with pytest.raises(ValueError, match="99 characters are too short: at least 100"):
            cutting()


# ---------------------------------------------------------------- what is shown before the end


def test_the_last_grapheme_is_held_back() -> None:
    assert settled("Hi", 100) == "H"
    assert settled("Hi 👨‍👩", 100) == "Hi"
    assert settled("Hi 👨‍👩‍👧‍👦!", 100) == "Hi 👨‍👩‍👧‍👦"
    assert settled(ZALGO, 100) == ""
    assert settled("", 100) == ""


def test_a_family_that_comes_in_parts_is_shown_when_it_is_whole() -> None:
    shown = [settled(f"So {FAMILY} it is"[:length], 100) for length in range(len(FAMILY) + 9)]
    assert all("👨" not in text or FAMILY in text for text in shown) and shown[-1] == f"So {FAMILY} it"


def test_at_most_half_a_piece_is_shown() -> None:
    assert settled("x" * 1000, 200) == "x" * 87
    assert settled("🇩🇪" * 100, 200) == "🇩🇪" * 43


def test_a_beginning_is_as_long_as_what_stands_below_it_allows() -> None:
    assert beginning("short", 100, "\n\nmore") == "short\n\nmore"
    assert beginning("x" * 500, 100, "\n\nmore") == "x" * 94 + "\n\nmore"
    assert beginning("```sh\n" + "x" * 500, 100, "\n\nmore") == "```sh\n" + "x" * 63 + "\n```\n\nmore"
    assert beginning("", 100, "\n\nmore") == "more"


def test_an_end_that_would_take_half_of_a_piece_is_refused() -> None:
    with pytest.raises(ValueError, match="an end of 40 characters is too long for pieces of 100"):
        beginning("x" * 500, 100, "e" * 40)
