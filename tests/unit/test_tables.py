"""Tables as code or lists, and inline markup taken off."""

from __future__ import annotations

from textwrap import dedent

import pytest
from wcwidth import wcswidth

from bot.core.inline import plain
from bot.core.tables import REACH, WIDEST, as_code


def drawn(markdown: str) -> str:
    return as_code(dedent(markdown), finished=True)


def test_a_table_becomes_code_with_columns_as_wide_as_their_widest_cell() -> None:
    assert drawn("""\
        Who is who:

        | Name | Role |
        |------|------|
        | Winston | Architect |
        | John | PM |

        That is all.
        """) == dedent("""\
        Who is who:

        ```
        Name     Role
        -------  ---------
        Winston  Architect
        John     PM
        ```

        That is all.
        """)


def test_columns_are_aligned_as_the_table_says() -> None:
    assert drawn("""\
        | l | left | mid | right |
        |---|:-----|:---:|------:|
        | a | b | c | d |
        | aaaaa | bbbbb | cccc | ddddddd |""") == dedent("""\
        ```
        l      left   mid     right
        -----  -----  ----  -------
        a      b       c          d
        aaaaa  bbbbb  cccc  ddddddd
        ```""")


def test_columns_are_aligned_by_what_is_seen_not_by_counting_characters() -> None:
    table = "| who | x |\n|-|-|\n| 日本語 | x |\n| 🇩🇪 | x |\n| 👨‍👩‍👧‍👦 | x |\n| e\u0301\u0301 | x |\n| कि | x |\n"
    lines = as_code(table, finished=True).splitlines()[1:-1]
    assert len(lines) == 7 and {wcswidth(line) for line in lines if line.endswith("x")} == {9}


@pytest.mark.parametrize(
    "table",
    [
        "a | b\n-|-\n1 | 2",
        "| a | b\n| - | -\n| 1 | 2",
        "a | b |\n:- | -: |\n1 | 2 |",
        "|a|b|\n|:-|:-:|\n|1|2|",
        "|  **a**  |\t`b`\t|\n| --- | --- |\n| *1* | __2__ |",
        "| a | b |\r\n|---|---|\r\n| 1 | 2 |",
    ],
)
def test_every_way_to_write_a_table_is_known(table: str) -> None:
    assert as_code(table, finished=True).replace(" ", "") == "```\nab\n--\n12\n```"


@pytest.mark.parametrize(
    "text",
    [
        "a | b",
        "a | b\n",
        "a | b\nc | d\n",
        "| a | b |\n|---|\n| 1 | 2 |",
        "| a |\n---\n| 1 |",
        "a | b\n- | -",
        "```\n| a |\n|---|\n```",
        "~~~~md\n| a |\n|---|\n~~~\n| a |\n|---|\n~~~~\n",
        "> ```\n> | a |\n> |---|\n> ```",
        "# a | b\n--- | ---\n",
        "> a | b\n--- | ---\n",
        f"{'x' * REACH}| b\n--- | ---\n",
        "if a || b:\n    pass",
        "",
        "\n\r\n \u2028|\x85",
    ],
)
def test_what_is_no_table_comes_back_as_it_was(text: str) -> None:
    assert as_code(text, finished=True) == text


def test_markup_is_taken_off_and_escaped_pipes_are_pipes() -> None:
    assert drawn(r"""
        | a | b |
        |---|---|
        | **bold** and `a \| b` | [docs](https://example.org/a_b) |
        | x \\| C:\\dir |""") == dedent(r"""
        ```
        a               b
        --------------  ------------------------------
        bold and a | b  docs (https://example.org/a_b)
        x \             C:\dir
        ```""")


def test_cells_that_are_missing_are_empty_and_those_beyond_the_last_column_stay_in_it() -> None:
    assert drawn("""\
        | a | b | c |
        |---|---|---|
        | 1 |
        | 1 | a || b | 3 | 4 |
        | | | 3""") == dedent("""\
        ```
        a  b  c
        -  -  -----------
        1
        1  a  | b | 3 | 4
              3
        ```""")


def test_a_table_without_headers_has_no_line_below_them() -> None:
    assert as_code("| | |\n|-|-|\n| 1 | 2 |", finished=True) == "```\n1  2\n```"


def test_a_table_of_a_header_alone_is_one() -> None:
    assert as_code("| a | b |\n|---|---|", finished=True) == "```\na  b\n-  -\n```"


def test_nothing_in_a_cell_closes_the_code() -> None:
    table = "| a |\n|---|\n| \\`\\`\\`\\`\\` |\n| x\x1b[0m\x07y |\n"
    lines = as_code(table, finished=True).splitlines()
    assert [line.replace("\u200b", "") for line in lines[3:5]] == ["`````", "x [0m y"]
    assert [line for line in lines if "```" in line] == ["```", "```"]


@pytest.mark.parametrize(
    ("below", "shown"),
    [
        ("Prose.", "Prose."),
        ("\n| x |", "\n| x |"),
        ("# a | b", "# a | b"),
        ("- x | y", "- x | y"),
        ("1. x | y", "1. x | y"),
        ("> x | y", "> x | y"),
        ("```sh | x\ny\n```", "```sh | x\ny\n```"),
    ],
)
def test_a_table_ends_where_something_else_begins(below: str, shown: str) -> None:
    assert as_code(f"| a |\n|---|\n| 1 |\n{below}", finished=True) == f"```\na\n-\n1\n```\n{shown}"


def test_tables_within_lists_and_quotes_stay_there() -> None:
    assert drawn("""\
        1. First | a

           | a | b |
           |---|---|
           | 1 | 2 |
        - | c |
          |---|
          | 3 |

        > | d |
        > |---|
        > | 4 |
        """) == dedent("""\
        1. First | a

           ```
           a  b
           -  -
           1  2
           ```
        - ```
          c
          -
          3
          ```

        > ```
        > d
        > -
        > 4
        > ```
        """)


def test_a_fence_that_ends_with_its_quote_does_not_hide_a_table() -> None:
    assert as_code("> ```\n> x\n| a |\n|-|\n", finished=True) == "> ```\n> x\n```\na\n-\n```\n"


def test_two_tables_are_two() -> None:
    two = as_code("| a |\n|---|\n| 1 |\n\n| b |\n|---|\n| 2 |\n", finished=True)
    assert two == "```\na\n-\n1\n```\n\n```\nb\n-\n2\n```\n"


# ---------------------------------------------------------------- wide ones


def test_a_table_that_is_too_wide_becomes_a_list_with_its_markup() -> None:
    long = "word " * 12
    table = f"| Option | Pro: | | Con |\n|-|-|-|-|\n| **A** | {long}| x | {long}|\n| B<br>b || | no |\n| | |\n"
    assert as_code(f"{table}Next.", finished=True) == (
        f"- Option: **A**\n  - Pro: {long.strip()}\n  - x\n  - Con: {long.strip()}\n- Option: B b\n  - Con: no\n\nNext."
    )


def test_how_wide_is_too_wide() -> None:
    at_most = "x" * (WIDEST - 3)
    assert as_code(f"| a | {at_most} |\n|-|-|", finished=True) == f"```\na  {at_most}\n-  {'-' * len(at_most)}\n```"
    assert as_code(f"| a | {at_most}x |\n|-|-|", finished=True) == f"- a\n- {at_most}x"
    assert as_code(f"|{'|' * 60}\n|{'-|' * 60}\n|{'1|' * 60}\n", finished=True) == "- 1\n" + "  - 1\n" * 59


def test_a_list_in_a_quote_stays_there() -> None:
    wide = "x" * 120
    assert as_code(f"> | a | b |\n> |-|-|\n> | 1 | {wide} |\n> end", finished=True) == (
        f"> - a: 1\n>   - b: {wide}\n>\n> end"
    )


def test_a_table_whose_headers_would_fill_pages_stays_as_it_is_written() -> None:
    header, rows = f"| {'long ' * 50}|", "| 1 |\n" * 100
    assert as_code(f"{header}\n|---|\n{rows}", finished=True) == f"```\n{header}\n|---|\n{rows}```\n"


# ---------------------------------------------------------------- while it grows


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ("Well.\n", "Well.\n"),
        ("Well.\nA line", "Well.\n"),
        ("Well.\nA line that is long enough to be no header.", "Well.\nA line that is long enough to be no header."),
        ("Well.\nA | line that is long enough to be no header.", "Well.\n"),
        ("Well | yes.\n\nA line", "Well | yes.\n\n"),
        ("Well.\n| a | b |\n", "Well.\n"),
        ("Well.\n| a | b |\n|--", "Well.\n"),
        ("Well.\n| a | b |\n|--x", "Well.\n| a | b |\n"),
        ("Well.\n| a | b |\nx\n", "Well.\n| a | b |\nx\n"),
        ("Well.\n| a | b |\n|-|-|\n| 1 | 2 |\n", "Well.\n"),
        ("Well.\n| a | b |\n|-|-|\n| 1 | 2 |\nNo row", "Well.\n"),
        ("Well.\n| a | b |\n|-|-|\n| 1 | 2 |\n\n", "Well.\n```\na  b\n-  -\n1  2\n```\n\n"),
        ("```\n| a |\n|-|\n|", "```\n| a |\n|-|\n"),
    ],
)
def test_what_may_yet_be_a_table_is_held_back(part: str, shown: str) -> None:
    assert as_code(part, finished=False) == shown


# ---------------------------------------------------------------- markup


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("**bold** __bold__ *it* _it_ ***both*** ~~gone~~", "bold bold it it both gone"),
        ("**`code`** and **[x](http://u)**", "code and x (http://u)"),
        ("*a **b***", "a b"),
        ("snake_case_name 2 * 3 * 4 ** 5 ~5", "snake_case_name 2 * 3 * 4 ** 5 ~5"),
        ("**open", "**open"),
        ("`*a*` ``x`y`` `` ` `` `open", "*a* x`y ` `open"),
        (r"\*a\* \`b\` \_ \a", r"*a* `b` _ \a"),
        (r"\\`a`", r"\a"),
        ("[**a** b](http://x/a_b_(c) \"title\")", "a b (http://x/a_b_(c))"),
        ("[http://x](http://x) [](http://y) ![](http://z)", "http://x http://y http://z"),
        ("![alt](http://x/*y*.png)", "alt (http://x/*y*.png)"),
        ("[a] (b) [c", "[a] (b) [c"),
        ("<https://x.org/_a_> <me@x.org> <b>", "https://x.org/_a_ me@x.org <b>"),
        ("a<br>b<BR />c", "a b c"),
        ("&lt;T&gt; &amp;&nbsp;&#65; &nosuch; AT&T", "<T> &\xa0A &nosuch; AT&T"),
        ("", ""),
    ],
)  # fmt: skip
def test_inline_markup_is_taken_off(markdown: str, text: str) -> None:
    assert plain(markdown) == text
