"""Menus as buttons and selects, against the rules that the fake knows of Slack's."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.model import Activate, Choose, Conversation, Menu, Option, Run
from bot.platforms.button_payload import Pressed, Words
from bot.platforms.slack.blocks import (
    METADATA,
    from_metadata,
    kept,
    kept_in,
    menu_blocks,
    metadata,
    opened,
    select,
    shortened,
    units,
)
from tests.fakes.slack_rules import check_blocks

HERE = Conversation("slack", "T0123456789", "C0123456789", "1700000000.000100")


def menu(count: int, *, words: bool = False, label: str = "*create-{}", hint: str = "") -> Menu:
    options = tuple(Option(label.format(n), Run(f"create-{n}"), hint) for n in range(1, count + 1))
    return Menu("m12", options, words=words)


def elements(shown: Menu) -> list[dict[str, Any]]:
    [block] = check_blocks(menu_blocks(HERE, shown))
    found: list[dict[str, Any]] = block["elements"]
    return found


def test_up_to_five_options_are_buttons_with_their_numbers() -> None:
    found = elements(menu(5))
    assert [element["type"] for element in found] == ["button"] * 5
    assert [element["text"]["text"] for element in found][:2] == ["1 *create-1", "2 *create-2"]
    assert [opened(element) for element in found] == [Pressed(HERE, "m12", n) for n in range(1, 6)]


def test_more_options_are_a_select_with_their_hints() -> None:
    [found] = elements(menu(25, hint="Make one"))
    assert found["type"] == "static_select" and len(found["options"]) == 25
    assert found["options"][24]["text"]["text"] == "25 *create-25"
    assert found["options"][0]["description"]["text"] == "Make one"
    for number, option in enumerate(found["options"], 1):
        chosen = {"action_id": found["action_id"], "selected_option": option}
        assert opened(chosen) == Pressed(HERE, "m12", number)


def test_an_answer_in_words_has_a_button_of_its_own() -> None:
    for count in (0, 3, 5, 6):
        found = elements(menu(count, words=True))[-1]
        assert found["text"]["text"] == "Answer in words"
        assert opened(found) == Words(HERE, "m12")


def test_a_menu_of_nothing_shows_nothing() -> None:
    assert menu_blocks(HERE, Menu("m1", ())) == []


@pytest.mark.parametrize("count", [1, 5, 6, 25])
@pytest.mark.parametrize("label", ["x" * 300, "👩🏽\u200d💻" * 60, "two\nlines {}", "🏗️" * 75])
def test_labels_and_hints_of_any_length_fit(count: int, label: str) -> None:
    assert elements(menu(count, words=True, label=label, hint=label))


def test_a_menu_that_slack_cannot_show_is_told() -> None:
    with pytest.raises(ValueError, match="101 options; a select of Slack takes 100"):
        menu_blocks(HERE, menu(101))
    with pytest.raises(ValueError, match="cannot carry menu"):
        menu_blocks(Conversation("slack", "T1", "C" * 150), menu(6))
    for ident in ("", "a|b"):
        with pytest.raises(ValueError, match="cannot carry menu"):
            menu_blocks(HERE, Menu(ident, (Option("*pm", Activate("pm")),)))


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"action_id": "their:own", "value": "1|m12|slack:T1:C1"},
        {"action_id": "greenroom:pick:1"},
        {"action_id": "greenroom:pick:1", "value": "1|m12|"},
        {"action_id": "greenroom:pick:1", "value": "1|m12|nowhere"},
        {"action_id": "greenroom:pick:1", "value": "one|m12|slack:T1:C1"},
        {"action_id": "greenroom:pick:1", "value": "1||slack:T1:C1"},
        {"action_id": "greenroom:pick:0", "value": "0|m12|slack:T1:C1"},
        {"action_id": "greenroom:pick:list", "selected_option": None},
    ],
)
def test_what_is_no_press_of_ours_is_nothing(action: dict[str, Any]) -> None:
    assert opened(action) is None


def test_a_modal_keeps_what_it_was_opened_for() -> None:
    text = metadata(Words(HERE, "m12"), "https://hooks.slack.com/actions/T/1/abc")
    assert units(text) <= METADATA
    assert from_metadata(text) == (Words(HERE, "m12"), "https://hooks.slack.com/actions/T/1/abc")


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"conversation":"a","menu":"b","handle":""}'])
def test_what_another_modal_keeps_is_nothing(text: str) -> None:
    assert from_metadata(text) is None


def test_a_modal_cannot_keep_more_than_slack_takes() -> None:
    with pytest.raises(ValueError, match="keeps 3000 characters"):
        kept({"quote": "a" * METADATA})
    assert kept_in(kept({"quote": 'a "b"\nc'})) == {"quote": 'a "b"\nc'}


def test_a_select_of_more_than_a_hundred_is_in_groups() -> None:
    options = [{"text": {"type": "plain_text", "text": str(n)}, "value": str(n)} for n in range(250)]
    found = select("x", "Choose", options)
    assert [group["label"]["text"] for group in found["option_groups"]] == ["1 to 100", "101 to 200", "201 to 250"]
    assert check_blocks([{"type": "actions", "elements": [found]}])


@pytest.mark.parametrize(
    ("text", "most", "short"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("a \n  b", 75, "a b"),
        ("👩🏽\u200d💻👩🏽\u200d💻", 10, "👩🏽\u200d💻…"),
        ("👩🏽\u200d💻", 3, "…"),
        ("e\u0301e\u0301e\u0301", 4, "e\u0301…"),
        ("word word", 6, "word…"),
        ("wörd wörd", 6, "wörd…"),
    ],
)
def test_text_is_cut_between_what_people_see_as_characters(text: str, most: int, short: str) -> None:
    assert shortened(text, most) == short
    assert units(short) <= most or short == text


def test_a_first_option_that_is_ahead_is_a_button_beside_the_list_of_the_others() -> None:
    options = tuple(Option(f"method {n}", Choose(f"{n}")) for n in range(1, 10))
    [block] = check_blocks(menu_blocks(HERE, Menu("m1", options, ahead=True)))
    first, others = block["elements"]
    assert first["text"]["text"] == "1 method 1"
    assert [option["text"]["text"] for option in others["options"]] == [f"{n} method {n}" for n in range(2, 10)]
