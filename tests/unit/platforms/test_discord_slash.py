"""What a slash command means, and what is offered while it is typed."""

from __future__ import annotations

import pytest

from bot.platforms.discord.interactions import COMMANDS, is_same
from bot.platforms.slash import as_typed, offered
from tests.fakes.library import CAST


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("", "*help"),
        ("pm", "*pm"),
        ("pm create-prd", "*pm create-prd"),
        ("*pm", "*pm"),
        ("3", "3"),
        ("stop", "stop"),
        ("// an aside", "// an aside"),
    ],
)
def test_a_slash_command_is_what_would_have_been_typed(typed: str, means: str) -> None:
    assert as_typed(typed) == means


def test_with_nothing_typed_the_personas_come_first() -> None:
    labels = [target.label for target in offered(CAST, "", "", 25)]
    assert labels[:3] == [f"*{persona.id}" for persona in CAST.personas[:3]]
    assert len(labels) == len(set(labels)) <= 25


def test_with_a_persona_on_its_commands_come_first() -> None:
    labels = [target.label for target in offered(CAST, "pm", "", 25)]
    assert labels[:2] == ["*help", "*correct-course"]
    assert "*architect" in labels


def test_what_begins_like_the_text_comes_before_what_holds_it() -> None:
    labels = [target.label for target in offered(CAST, "pm", "create-", 25)]
    assert labels[0] == "*create-brownfield-epic"
    assert all("create-" in label for label in labels[:6])


def test_a_slip_finds_what_is_near() -> None:
    assert "*architect" in [target.label for target in offered(CAST, "", "architekt", 25)]


def test_no_more_is_offered_than_fits() -> None:
    assert len(offered(CAST, "pm", "", 4)) == 4


def test_commands_are_registered_again_only_where_they_differ() -> None:
    (option,) = COMMANDS[0]["options"]
    # Discord leaves out what is false, and adds what it knows.
    left = {key: value for key, value in option.items() if key != "required"}
    kept = [{**COMMANDS[0], "id": "1", "version": "2", "nsfw": False, "options": [left]}]
    assert is_same(kept, COMMANDS)
    assert not is_same([], COMMANDS)
    assert not is_same([{**kept[0], "description": "other"}], COMMANDS)
    assert not is_same([{**kept[0], "options": []}], COMMANDS)
