"""What people read of the changes between two versions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.core.diffs import COMPARABLE, MOST_LINES, MOST_SECTIONS, changes, sections, told

BEFORE = """# PRD

Intro.

## Goals

We want ten users by May.
- fast
- cheap

## Scope

Only the web.

## Old

Gone soon.
"""
AFTER = """# PRD

Intro.

## Goals

We want twelve users by June.
- fast
- cheap and small
- kind

## Risks

None.

## Scope

Only the web.
"""


def test_changed_sections_are_told_first_and_then_their_words() -> None:
    assert told(BEFORE, AFTER) == (
        "Sections: 1 changed, 1 added, 1 removed.\n\n"
        "**Changed: Goals**\n"
        "- We want ~~ten~~ **twelve** users by ~~May~~ **June**.\n"
        "- cheap **and small**\n"
        "- **kind**\n\n"
        "**Added: Risks**\n\n"
        "**Removed: Old**"
    )


def test_the_same_text_and_blank_lines_are_no_change() -> None:
    assert told(BEFORE, BEFORE) == "Nothing changed."
    assert "No words changed" in told(BEFORE, BEFORE.replace("\n\n", "\n\n\n"))
    assert "order of sections" in told("# A\n\na\n\n# B\n\nb\n", "# B\n\nb\n\n# A\n\na\n")


def test_a_heading_in_a_fence_is_no_section() -> None:
    text = "# A\n\n```sh\n# not a heading\n~~~\n```\n\n## B\n\n~~~~\n# nor this\n~~~\n~~~~\n\ntext\n"
    assert [section.heading for section in sections(text)] == ["# A", "## B"]


def test_sections_of_one_name_are_told_apart_by_their_order() -> None:
    before = "## A\n\none\n\n## A\n\ntwo\n"
    assert told(before, before.replace("two", "three")).endswith("**Changed: A**\n- ~~two~~ **three**")


def test_a_line_with_markup_is_shown_as_code_before_and_after() -> None:
    before = "## T\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nuse `x`\n"
    after = before.replace("| 1 | 2 |", "| 1 | 3 |").replace("`x`", "`y`")
    assert told(before, after).endswith(
        "**Changed: T**\n`- | 1 | 2 |`\n`+ | 1 | 3 |`\n`` - use `x` ``\n`` + use `y` ``"
    )


def test_much_is_cut_and_how_much_is_told() -> None:
    many = "".join(f"## S{n}\n\nold\n\n" for n in range(MOST_SECTIONS + 3))
    assert told(many, many.replace("old", "new")).endswith("_and 3 more sections_")
    lines = "## S\n\n" + "\n".join(f"line {n} a" for n in range(MOST_LINES + 5))
    assert told(lines, lines.replace(" a", " b")).endswith("_and 5 more changes in this section_")
    long = "## S\n\n" + "\n".join(f"l{n}" for n in range(COMPARABLE + 1))
    assert f"rewritten: {COMPARABLE + 1} lines before" in told(long, long.replace("l", "m"))


def test_what_stands_before_the_first_heading_has_a_name_too() -> None:
    assert "**Changed: (before the first heading)**" in told("a\n", "b\n")
    assert told("", "# A\n\na") == "Sections: 1 added.\n\n**Added: A**"


LINES = st.lists(
    st.sampled_from(["# A", "## B", "text", "- item *x*", "", "```", "| a |", "more text ``here``"]), max_size=12
)


@given(LINES, LINES)
def test_whatever_changed_is_told_and_nothing_where_nothing_did(old: list[str], new: list[str]) -> None:
    before, after = "\n".join(old), "\n".join(new)
    assert bool(changes(before, before)) is False
    said = told(before, after)
    assert said.strip()
    is_same = [(s.heading, [x for x in s.lines if x.strip()]) for s in sections(before)] == [
        (s.heading, [x for x in s.lines if x.strip()]) for s in sections(after)
    ]
    assert not (is_same and changes(before, after))
