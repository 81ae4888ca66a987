"""Markdown that can call nobody, and the text beside it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.slack.markup import BLOCK, FALLBACK, blocks, escaped, fallback, neutral, speaking
from tests.fakes.slack_rules import check_blocks
from tests.fakes.slack_text import rendered

MARK = re.compile(r"<[@#!]|<[^<>\n]*\|")
"""What Slack would read as a person, a channel, everybody, or a link that shows something else."""

PIECES = st.sampled_from(
    [
        "<", ">", "<!", "<!channel>", "<!here|here>", "<!subteam^S1|@x>", "<@U1>", "<#C1|x>", "<https://", "<http:",
        "<mailto:a@b.c>", "<https://x.y/z>", "<https://x.y|label>", "|", "&lt;", "&", "`", "```", "\n", "~~~\n", "**",
        "*", "_", "~~", "[a](https://b.c)", "![i](http://j.k)", "[", "](", ")", "# ", "- ", "> ", " ", "a", "1", "=",
        "é", "👩\u200d💻", "\u2028",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map("".join)

# ---------------------------------------------------------------- nobody is called


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<!channel> look", "&lt;!channel> look"),
        ("<!here|here>", "&lt;!here|here>"),
        ("<!everyone>", "&lt;!everyone>"),
        ("<!subteam^S1|@design>", "&lt;!subteam^S1|@design>"),
        ("<@U1> and <#C1>", "&lt;@U1> and &lt;#C1>"),
        ("`<!here>`", "`&lt;!here>`"),
        ("```\n<@U1>\n```", "```\n&lt;@U1>\n```"),
        ("<https://good.example|bad>", "&lt;https://good.example|bad>"),
        ("<javascript:x>", "&lt;javascript:x>"),
        ("List<String>", "List&lt;String>"),
        ("<<!here>", "&lt;&lt;!here>"),
        ("a < b, x <= 1, c -> d", "a &lt; b, x &lt;= 1, c -> d"),
        ("<https://x<!here>", "&lt;https://x&lt;!here>"),
    ],
)
def test_what_slack_would_read_as_a_mark_is_escaped(written: str, shown: str) -> None:
    assert neutral(written) == shown


@pytest.mark.parametrize(
    "written",
    [
        "see <https://x.example/a?b=1&c=2>",
        "see <mailto:ada@x.example>",
        "see [the plan](https://x.example/a?b=1&c=2)",
        "see [the plan](<https://x.example>)",
        "> a quote",
        "R&D &lt;!here&gt;",
        "@channel",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "# Title\n\n- [ ] one\n\n![drawing](https://x.example/y.png)",
    ],
)
def test_what_is_none_stays(written: str) -> None:
    assert neutral(written) == written


def test_people_read_what_was_written() -> None:
    written = "Tell <!channel>, <@U1> and <#C1>: `a < b` is List<String>."
    assert rendered(neutral(written), {"U1": "ada"}) == written


@given(TEXTS)
def test_nothing_of_a_model_calls_anybody(text: str) -> None:
    assert not MARK.search(neutral(text))
    assert not MARK.search(neutral(text, finished=False))


# ---------------------------------------------------------------- streams


@given(TEXTS, TEXTS)
def test_what_is_shown_of_a_part_stays_what_is_shown_of_the_whole(part: str, rest: str) -> None:
    shown = neutral(part, finished=False)
    assert neutral(part + rest, finished=False).startswith(shown)
    assert neutral(part + rest).startswith(shown)


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ("see <", "see "),
        ("see <ht", "see "),
        ("see <https://x.exa", "see "),
        ("see <mailto:a", "see "),
        ("see <https://x.example>", "see <https://x.example>"),
        ("see <hello", "see &lt;hello"),
        ("see <https://x example", "see &lt;https://x example"),
        ("a < ", "a &lt; "),
        ("see <!", "see &lt;!"),
    ],
)
def test_only_an_end_that_may_become_something_else_is_held_back(part: str, shown: str) -> None:
    assert neutral(part, finished=False) == shown


def test_an_address_without_an_end_is_not_held_back_for_ever() -> None:
    assert neutral("<https://" + "a" * 2_001, finished=False).startswith("&lt;https://")


# ---------------------------------------------------------------- blocks


def test_markdown_goes_out_as_one_block() -> None:
    found = blocks("# Title\n\n<!here> **b**")
    assert found == [{"type": "markdown", "text": "# Title\n\n&lt;!here> **b**"}]
    assert check_blocks(found)


def test_nothing_is_no_block() -> None:
    assert blocks(" \n") == []


def test_a_text_that_escapes_make_too_long_loses_no_character() -> None:
    found = blocks("<a" * 3_500)
    assert check_blocks(found)
    assert found[0]["text"] == "‹a" * 3_500


def test_a_text_that_is_too_long_is_told() -> None:
    with pytest.raises(ValueError, match="12000 characters of Markdown, not 12001"):
        blocks("a" * (BLOCK + 1))


# ---------------------------------------------------------------- the text beside it


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("a **b** c", "a *b* c"),
        ("a __b__ c", "a *b* c"),
        ("a *b* c", "a _b_ c"),
        ("***b***", "*_b_*"),
        ("~~b~~", "~b~"),
        ("## A **b** c ##", "*A b c*"),
        ("#hashtag", "#hashtag"),
        ("- a\n* b\n  + c\n1. d", "• a\n• b\n  • c\n1. d"),
        ("> **a**\n>> b", "> *a*\n> b"),
        ("[t](https://x.example/a_(b)?q=1&r=2)", "<https://x.example/a_(b)?q=1&amp;r=2|t>"),
        ('[t](https://x.example "title")', "<https://x.example|t>"),
        ("[**t|u**](https://x.example)", "<https://x.example|t/u>"),
        ("[](https://x.example)", "<https://x.example>"),
        ("![a drawing](https://x.example/i.png)", "<https://x.example/i.png|a drawing>"),
        ("[t](./relative)", "t (./relative)"),
        ("[t](https://x.example/a|b)", "t (https://x.example/a|b)"),
        ("<https://x.example/?a=1&b=2>", "<https://x.example/?a=1&amp;b=2>"),
        ("[`*pm`](https://x.example)", "<https://x.example|`*pm`>"),
        ("`**a** <!here>` **b**", "`**a** &lt;!here&gt;` *b*"),
        ("```python\na = '**b**'  # <@U1>\n```\n**c**", "```\na = '**b**'  # &lt;@U1&gt;\n```\n*c*"),
        ("~~~\n**a**\n```\n~~~\n**b**", "```\n**a**\n```\n```\n*b*"),
        ("```\nnever closed **a**", "```\nnever closed **a**\n```"),
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
        ("2 * 3 * 4, a_b_c, __init__.py", "2 * 3 * 4, a_b_c, *init*.py"),
        ("1. `*help` - see\n2. `*exit`", "1. `*help` - see\n2. `*exit`"),
        ("", ""),
    ],
)
def test_the_text_beside_is_slacks_own_markup(markdown: str, text: str) -> None:
    assert fallback(markdown) == text


@given(TEXTS)
def test_the_text_beside_calls_nobody_and_fits(text: str) -> None:
    found = fallback(text)
    assert len(found) <= FALLBACK
    assert not re.search(r"<(?!https?://|mailto:)", found)


@pytest.mark.parametrize(
    "long",
    [
        "word " * 2_000,
        "a" * 9_000,
        "& " * 3_000,
        "```\n" + "code & more\n" * 600 + "```",
        "[the plan](https://x.example/" + "a" * 300 + ") " * 1 + "[b](https://x.example/b) " * 400,
    ],
)
def test_a_text_that_is_too_long_is_cut_in_no_mark(long: str) -> None:
    found = fallback(long)
    assert len(found) <= FALLBACK
    assert "…" in found[-8:]
    assert found.count("<") == found.count(">")
    assert found.count("```") % 2 == 0
    assert not re.search(r"&(?!(amp|lt|gt);)", found)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("sign", ["*", "[", "`", "_", "~", "<", "(", "**a ", "[a](", "``` ", "> ", "# ", "[a]((", "`a"])
def test_a_text_made_to_be_slow_is_not(sign: str) -> None:
    assert len(fallback(sign * (BLOCK // len(sign)))) <= FALLBACK
    assert neutral(sign * (BLOCK // len(sign)))


def test_without_a_name_of_its_own_a_post_begins_with_it() -> None:
    assert speaking("Winston", "🏗️", "# Hi") == "**🏗️ Winston**\n\n# Hi"
    assert speaking("W*n\nst_n", "", "hi") == "**Wn stn**\n\nhi"
    assert speaking("", "", "hi") == "hi"


def test_three_signs_are_escaped_for_slacks_own_markup() -> None:
    assert escaped("a & <b>") == "a &amp; &lt;b&gt;"
