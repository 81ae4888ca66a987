"""What operators see: tables, JSON, counts, and nothing that could steer their terminal."""

from __future__ import annotations

import json

import pytest

from bot.core.codec import dump
from bot.core.events import Resumed
from bot.core.model import Conversation, Inbound
from bot.core.session import ConversationState, Session
from bot.operations.formatting import as_json, erased, iso_time, lines, number_of, said, session_of, shown_time, table
from bot.ports.mailbox import Message
from bot.ports.upkeep import Erased

ROOM = Conversation("slack", "T1", "C1")


def test_columns_are_as_wide_as_what_a_terminal_shows() -> None:
    assert table(("A", "B"), [("日本", "x"), ("abc", "y")]).split("\n") == ["A     B", "日本  x", "abc   y"]


def test_a_cell_can_neither_steer_the_terminal_nor_break_its_row() -> None:
    assert table(("A", "B"), [("\x1b[31mred\nline\x9b2J", "end")]).split("\n") == ["A         B", "red line  end"]
    assert lines("one\x1b]0;title\x07\ntwo") == "    one\n    two"


def test_json_keeps_every_character_and_escapes_what_steers() -> None:
    text = as_json({"a": "Grüße \u202e\x9b\x1b"})

    assert "Grüße" in text
    assert not set("\u202e\x9b\x1b") & set(text)
    assert json.loads(text) == {"a": "Grüße \u202e\x9b\x1b"}


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (Erased(), "nothing"),
        (Erased(3, 1, 1, 12, 0, 2, 1, 4), "1 session, 1 turn under way, 12 lines of the log, 2 dead letters, 4 posts, "
         "1 line of the audit trail"),
    ],
)  # fmt: skip
def test_counts_are_told_in_words(counts: Erased, told: str) -> None:
    assert erased(counts) == told
    assert number_of(1, "message") == "1 message"


def test_what_a_message_says_is_shown() -> None:
    inbound = Inbound(ROOM, "m1", "U1", "Ada", "hello", 1, 1.0)
    assert said(Message("m1", dump(inbound), 1)) == ("Ada", "hello")
    pressed = Inbound(ROOM, "m1", "U1", "", "", 1, 1.0, menu="m3", number=2)
    assert said(Message("m1", dump(pressed), 1)) == ("U1", "(pressed 2)")
    assert said(Message("m1", dump(Resumed("t", "section 2")), 1)) == ("", "(goes on: section 2)")


@pytest.mark.parametrize("payload", ["no JSON", "[1]", '{"_type": "Gossip"}', '{"_type": "Inbound"}', "null"])
def test_what_cannot_be_read_is_shown_as_it_is(payload: str) -> None:
    assert said(Message("m1", payload, 1)) == ("", f"(cannot be read) {payload}")


def test_a_state_is_read_unless_a_newer_build_wrote_it() -> None:
    saved = ConversationState(Session(personas=("pm",)))

    assert session_of(dump(saved), 1) == saved
    assert session_of(dump(saved), 99) is None
    assert session_of(None, 0) is None
    assert session_of("no JSON", 1) is None


def test_a_time_that_is_not_known_is_not_told() -> None:
    assert (shown_time(0), iso_time(0)) == ("-", None)
    assert iso_time(1_700_000_000.25) == "2023-11-14T22:13:20.250+00:00"
