"""What of a work's talk is over is in no later prompt, and everything else is."""

from __future__ import annotations

from bot.core.settled import begins, ends, without_settled
from bot.core.steps import Entry


def talk(*written: str) -> list[Entry]:
    """Entries of a short notation: `b1` and `e1` begin and end a section of work 1, `on`, `off`; others are said."""
    found = []
    for word in written:
        match word:
            case "on" | "off":
                found.append(Entry(word, "pm"))
            case _ if word[0] in "be" and word[1:].isdigit():
                found.append(Entry("note", "pm", word, call=begins(word[1:]) if word[0] == "b" else ends(word[1:])))
            case _:
                found.append(Entry("said", "U1", word))
    return found


def words(entries: list[Entry]) -> list[str]:
    return [entry.text or entry.kind for entry in entries]


def test_the_talk_of_a_section_goes_when_it_is_settled() -> None:
    assert words(without_settled("pm", talk("hi", "b1", "draft", "shorter", "e1", "b1", "next"))) == [
        "hi",
        "e1",
        "b1",
        "next",
    ]


def test_the_talk_of_the_section_at_hand_stays() -> None:
    assert words(without_settled("pm", talk("b1", "draft", "shorter"))) == ["b1", "draft", "shorter"]


def test_what_was_settled_only_grows() -> None:
    once = words(without_settled("pm", talk("b1", "draft", "e1", "b1", "next")))
    twice = words(without_settled("pm", talk("b1", "draft", "e1", "b1", "next", "e1", "b1")))
    assert once[:1] == twice[:1] == ["e1"] and twice == ["e1", "e1", "b1"]


def test_talk_behind_a_coming_and_going_is_other_talk() -> None:
    assert words(without_settled("pm", talk("b1", "draft", "off", "lunch?", "e1"))) == ["off", "lunch?", "e1"]


def test_another_works_sections_are_its_own() -> None:
    assert words(without_settled("pm", talk("b1", "draft", "b2", "other", "e1", "e2"))) == [
        *("b1", "draft", "e1", "e2"),
    ]
