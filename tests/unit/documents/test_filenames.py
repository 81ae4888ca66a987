"""Paths of documents: what is taken, what is not, and how a template's name is filled."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.documents.filenames import (
    filled_filename,
    flaw_of_filename,
    flaw_of_path,
    placeholders,
)
from bot.core.paths import LONGEST, checked


@pytest.mark.parametrize("path", ["prd.md", "docs/qa/gates/1.2-x.yml", "docs/Größe.md", "docs/..hidden/a..b.md"])
def test_a_path_below_the_channels_documents_is_taken(path: str) -> None:
    assert flaw_of_path(path) == ""


@pytest.mark.parametrize(
    ("path", "flaw"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("x" * (LONGEST + 1), "is longer than 200 characters"),
        ("/etc/passwd", "is not relative"),
        ("~/x", "is not relative"),
        ("c:/x", "is not relative"),
        ("docs\\x", "is not relative"),
        ("docs/../../x", "leads through `.` or `..`"),
        ("./x", "leads through `.` or `..`"),
        ("docs//x", "has a folder or a file without a name"),
        ("docs/", "has a folder or a file without a name"),
        ("docs/ x.md", "has a name that begins or ends with a space, or ends with a dot"),
        ("docs./x.md", "has a name that begins or ends with a space, or ends with a dot"),
        ("docs/a\x07.md", "has control or invisible characters"),
        ("docs/a\u202egnp.md", "has control or invisible characters"),
        ("docs/e\u0301.md", "is not in Unicode's form C"),
        ("docs/`a`.md", "has a sign that no path may have"),
        ("docs/a\u00a0b.md", "has control or invisible characters"),
    ],
)
def test_any_other_path_is_told(path: str, flaw: str) -> None:
    assert flaw_of_path(path) == flaw


def test_a_templates_name_is_looked_at_whatever_its_placeholders_stand_for() -> None:
    assert flaw_of_filename("qa.qaLocation/gates/{{epic_num}}.{{story_num}}-{{story_slug}}.yml") == ""
    assert flaw_of_filename("{{title}}-outline.md") == ""
    assert flaw_of_filename("../{{title}}.md") == "leads through `.` or `..`"
    assert flaw_of_filename("docs/{{title.md") == "has braces that do not belong together"


def test_placeholders_are_named_once_each_in_their_order() -> None:
    assert placeholders("{{b}} {{ a }} {{b}} {c} {{High|Low}}") == ("b", "a", "High|Low")


def test_a_name_is_filled_with_facts_and_says_which_it_has_not() -> None:
    filename = "docs/stories/{{epic_num}}.{{story_num}}.{{story_title_short}}.md"

    assert filled_filename(filename, {"epic_num": "1", "story_num": "10", "story_title_short": "Log in / out!"}) == (
        "docs/stories/1.10.log-in-out.md",
        (),
    )
    assert filled_filename(filename, {"epic_num": "1", "story_num": "//"}) == (
        "docs/stories/1.{{story_num}}.{{story_title_short}}.md",
        ("story_num", "story_title_short"),
    )


def test_a_fact_that_makes_no_path_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 200"):
        filled_filename("docs/{{title}}.md", {"title": "x" * 300})


@given(st.text(max_size=60), st.text(max_size=60))
@settings(deadline=None)
def test_no_fact_leads_out_of_its_folder(one: str, other: str) -> None:
    try:
        path, missing = filled_filename("docs/{{a}}/{{b}}.md", {"a": one, "b": other})
    except ValueError:
        return
    if not missing:
        assert path.startswith("docs/") and path.count("/") == 2
        assert flaw_of_path(path) == ""


@given(st.text(alphabet="ab./~:\\` \u00e9e\u0301\u202e\u00a0", max_size=12))
@settings(deadline=None)
def test_a_path_that_a_template_may_have_is_kept_as_it_is(path: str) -> None:
    if not flaw_of_path(path):
        assert checked(path) == path
