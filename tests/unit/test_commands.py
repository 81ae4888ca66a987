"""Text -> what somebody wants."""

from __future__ import annotations

import pytest

from bot.core import commands
from bot.core.commands import Meaning, One, Several, Unknown, understand
from bot.personas.model import Persona
from tests.fakes.library import ARCHITECT, CAST, PM, SM


def meant(text: str, persona: Persona | None = PM) -> tuple[str, str] | None:
    """The label and the arguments of the one thing that is meant; None for prose."""
    found: Meaning | None = understand(text, CAST, persona)
    assert found is None or isinstance(found, One), found
    return (found.target.label, found.args) if found else None


@pytest.mark.parametrize(
    ("typed", "label", "args"),
    [
        ("*help", "*help", ""),
        ("*HELP", "*help", ""),
        ("  *help  ", "*help", ""),
        ("*help*", "*help", ""),
        ("＊ｈｅｌｐ", "*help", ""),
        ("!help", "*help", ""),
        ("/help", "*help", ""),
        ("@help", "*help", ""),
        ("* help", "*help", ""),
        ("*ARCHITECT", "*architect", ""),
        ("*ARCHİTECT", "*architect", ""),
        ("*archıtect", "*architect", ""),
        ("@architect", "*architect", ""),
        ("/architect", "*architect", ""),
        ("*Winston", "*architect", ""),
        ("*winston explain queues", "*architect", "explain queues"),
        ("*scrum master", "*sm", ""),
        ("*Product Manager", "*pm", ""),
        ("*agent Winston", "*agent", "Winston"),
        ("*agent scrum master", "*agent", "scrum master"),
        ("*pm create-prd", "*pm", "create-prd"),
        ("*pm *create-prd*", "*pm", "*create-prd*"),
        ("*create-prd", "*create-prd", ""),
        ("*create-prd for the app\nwith two lines", "*create-prd", "for the app\nwith two lines"),
        ("*README", "*README", ""),
        ("*readme", "*README", ""),
        ("*yolo", "*yolo", ""),
    ],
)
def test_a_command_is_understood(typed: str, label: str, args: str) -> None:
    assert meant(typed) == (label, args)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "*",
        "**",
        "help",
        "*qa* is blocked",
        "*help* wanted",
        "*pm* and *architect* should talk",
        "**bold** words",
        "**help**",
        "* one\n* two",
        "* help me with this",
        "* buy milk",
        "*sighs* I do not know",
        "*this is* emphasis",
        "@bob are you there?",
        "/shrug",
        "@pn",
        "hello *pm",
        "// *pm",
        "2 * 3 * 4",
        "*note: remember the milk",
    ],
)
def test_prose_is_no_command(typed: str) -> None:
    assert understand(typed, CAST, PM) is None


@pytest.mark.parametrize(
    ("typed", "label"), [("*hlp", "*help"), ("*architetc", "*architect"), ("*creat-prd", "*create-prd")]
)
def test_a_near_miss_with_one_candidate_is_meant(typed: str, label: str) -> None:
    found = understand(typed, CAST, PM)
    assert isinstance(found, One)
    assert found.target.label == label and not found.exact


def test_two_candidates_at_85_or_above_are_listed_in_the_order_of_the_definition() -> None:
    found = understand("*create-brownfield", CAST, PM)
    assert isinstance(found, Several)
    assert [t.label for t in found.targets] == [
        "*create-brownfield-epic",
        "*create-brownfield-prd",
        "*create-brownfield-story",
    ]


@pytest.mark.parametrize(("typed", "near"), [("*prd", "*create-prd"), ("*hpel", "*help"), ("*statis", "*status")])
def test_an_unknown_command_has_its_nearest(typed: str, near: str) -> None:
    match understand(typed, CAST, PM):
        case Unknown(_, nearest):
            assert near in [t.label for t in nearest]
        case One(target, _, exact):
            assert target.label == near and not exact
        case other:
            pytest.fail(f"{other}")


def test_nothing_near_is_said_to_be_nothing() -> None:
    assert understand("*qqqqqqqq", CAST, PM) == Unknown("qqqqqqqq", ())


@pytest.mark.parametrize("command", ["yolo", "exit"])
def test_dangerous_commands_know_that_they_are(command: str) -> None:
    found = understand(f"*{command[:-1]}", CAST, ARCHITECT)
    assert isinstance(found, One | Unknown)
    if isinstance(found, One):
        assert found.target.is_dangerous and not found.exact


@pytest.mark.parametrize(
    ("typed", "number"),
    [("1", 1), (" 12 ", 12), ("１", 1), ("3.", 3), ("3)", 3), ("#4", 4), ("2️⃣", 2), ("0", 0)],
)
def test_a_number_is_read(typed: str, number: int) -> None:
    assert commands.number(typed) == number


@pytest.mark.parametrize("typed", ["", "one", "1 or 2", "1.5", "-1", "1234", "*1", "1!"])
def test_other_text_is_no_number(typed: str) -> None:
    assert commands.number(typed) is None


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("hello", True),
        ("what about *help?", True),
        ("// aside", True),
        ("*help", False),
        ("!help", False),
        ("@pm", False),
        ("/pm", False),
        ("＊help", False),
        ("1", False),
        ("stop", False),
        ("Stop!", False),
        ("stop it please", True),
    ],
)
def test_only_plain_text_is_taken_together(typed: str, plain: bool) -> None:
    assert commands.is_plain(typed) is plain


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("draft story", ["draft"]),
        ("please draft the next story", ["draft"]),
        ("draft", ["draft"]),
        ("story checklist", ["story-checklist"]),
        ("help", ["help"]),
        ("draft story?", []),
        ("story", []),
        ("what do you think of this draft", []),
        ("draft a letter to the customer", []),
        ("the", []),
        ("😀", []),
    ],
)
def test_plain_text_may_name_a_command(typed: str, named: list[str]) -> None:
    assert [c.name for c in commands.suggested(typed, SM)] == named


def test_verbs_of_making_are_one() -> None:
    assert [c.name for c in commands.suggested("make a new prd", PM)] == ["create-prd"]
    assert [c.name for c in commands.suggested("write brownfield prd", PM)] == ["create-brownfield-prd"]
