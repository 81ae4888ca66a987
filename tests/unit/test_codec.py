"""State survives JSON, also that of other builds."""

from __future__ import annotations

import json

import pytest

from bot.core import codec
from bot.core.codec import dump, load
from bot.core.events import Event, Mail, Picked, Resumed, Said
from bot.core.gates import ExitGate
from bot.core.model import HOST, Activate, Conversation, Inbound, Menu, Option, Run
from bot.core.modes.documents.state import StopGate
from bot.core.session import Session, Turn
from bot.core.steps import AskModel, Entry, Post, Record

TURN = Turn(
    "h",
    Session(
        ("pm",),
        True,
        gate=ExitGate("pm", "m1"),
        menus=(Menu("m1", (Option("a", Run("x")), Option("b", Activate("pm")))),),
    ),
    5,
    1.5,
    (Post(HOST, "x", Menu("m2", (Option("a", Run("x")),)), 3), Record("approved", "alice", "sha")),
    AskModel("pm", "silent"),
    log=(Entry("on", "pm"),),
)


def test_a_turn_reads_back() -> None:
    assert load(dump(TURN), Turn) == TURN


@pytest.mark.parametrize("value", [Said("t", ()), Picked("t", "u", "n", "m1", 1, 2.0), Resumed("t", "tag")])
def test_an_event_reads_back_as_what_it_was(value: object) -> None:
    assert load(dump(value), Event) == value


def test_mail_reads_back() -> None:
    inbound = Inbound(Conversation("p", "w", "c", "t"), "i", "u", "n", "text ü 😀", 7, 1.0)
    assert load(dump(inbound), Mail) == inbound


@pytest.mark.parametrize("text", ['é\u2028🏗️ \x00\x1f\x7f"\\/', "half of a pair: \ud83c"])
def test_any_text_survives_as_text_that_a_file_can_hold(text: str) -> None:
    inbound = Inbound(Conversation("t", "w", "c"), "1", "u", "Una", text, 1, 1e22)
    stored = dump(inbound).encode()
    assert load(stored.decode(), Mail) == inbound
    assert json.loads(stored)["text"] == text


def test_unknown_keys_of_another_build_are_passed_over_and_missing_ones_take_their_defaults() -> None:
    written = json.loads(dump(TURN))
    written["from_the_future"] = {"a": 1}
    written["session"]["more"] = 2
    del written["log"]
    read = load(json.dumps(written), Turn)
    assert read.session == TURN.session and read.log == ()


def test_an_unknown_member_of_a_union_is_refused_by_name() -> None:
    written = json.loads(dump(TURN))
    written["request"]["_type"] = "Teleport"
    with pytest.raises(ValueError, match="Teleport"):
        load(json.dumps(written), Turn)


@pytest.mark.parametrize("key", ["", "a:b", "a::c", "nothing"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="not a conversation key"):
        Conversation.parse(key)


def test_a_thread_knows_its_channel() -> None:
    thread = Conversation.parse("slack:T1:C1:100.1")
    assert thread.parent == Conversation("slack", "T1", "C1")
    assert thread.parent.parent is None
    assert Conversation.parse(thread.key) == thread


def test_two_modes_cannot_have_states_or_gates_of_one_name() -> None:
    """What is stored names the class alone, so one would be read as the other."""
    codec.know(StopGate)
    with pytest.raises(ValueError, match="have one name"):
        codec.know(type("StopGate", (), {"mode": "other"}))
