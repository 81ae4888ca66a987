"""Whatever stands in a store, reading it gives a value of the kind, or the one error that it promises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.codec import UnreadableError, dump, load
from bot.core.events import Event, HumanEvent, Mail, Picked, Resumed, Said, Usage, Utterance
from bot.core.gates import FileGate
from bot.core.model import HOST, Activate, Attachment, Conversation, Inbound, Menu, Option, Run
from bot.core.session import Call, ConversationState, NumberAnchor, Session, Spent, Tools, Turn, Waiting
from bot.core.speakers import Speaker
from bot.core.steps import AskModel, Entry, Post, Record

LINE = Utterance("U1", "ann", "hello", "i1", 1.0, files=(Attachment("a.md", 3, text="x"),))
SESSION = Session(
    ("pm",),
    waiting=Waiting("pm", "talk"),
    gate=FileGate("pm", (LINE,), (LINE,), "m1"),
    tools=Tools((Call("c", "ask", "{}"),), 1),
    menus=(Menu("m1", (Option("a", Run("x")), Option("b", Activate("pm")))),),
    speakers=(Speaker("U1", "ann"),),
)
TURN = Turn(
    "h", SESSION, 5, 1.5, (Post(HOST, "x", completes=3), Record("approved", "U1")), AskModel("pm"),
    log=(Entry("on", "pm"),), number_anchors=(NumberAnchor(1, "m1"),), spent=(Spent(1, Usage(1, 2)),),
)  # fmt: skip
GOOD: tuple[tuple[Any, Any], ...] = (
    (ConversationState(SESSION, (NumberAnchor(1, "m1"),), 2.0, (Usage(1, 2),)), ConversationState),
    (TURN, Turn),
    (Entry("said", "U1", "hello", name="ann"), Entry),
    (Inbound(Conversation("slack", "T", "C"), "i1", "U1", "ann", "hello", 1, 1.0), Mail),
    (Resumed("t", "tag"), Mail),
    (Said("t", (LINE,)), Event),
    (Picked("t", "u", "n", "m1", 1, 2.0), HumanEvent),
)

junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.just("_type"), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, Any, type]:
    """A good value's JSON with something else in some place of it."""
    value, kind = draw(st.sampled_from(GOOD))
    whole = json.loads(dump(value))
    at: Any = whole
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = draw(st.sampled_from(keys))
        if not at[key] or not isinstance(at[key], dict | list) or draw(st.booleans()):
            at[key] = draw(junk)
            return json.dumps(whole), kind, type(value)
        at = at[key]


@settings(max_examples=1500)
@given(spoiled())
def test_a_spoiled_value_is_one_of_its_kind_or_unreadable(spoiled: tuple[str, Any, type]) -> None:
    text, kind, _ = spoiled
    try:
        found = load(text, kind)
    except UnreadableError:
        return
    members = getattr(kind, "__args__", (kind,))
    assert isinstance(found, members)
    assert load(dump(found), kind) is not None


@given(st.sampled_from([kind for _, kind in GOOD]), junk.map(json.dumps) | st.text(max_size=20))
def test_anything_else_is_unreadable_or_one_of_its_kind(kind: Any, text: str) -> None:
    try:
        found = load(text, kind)
    except UnreadableError:
        return
    assert isinstance(found, getattr(kind, "__args__", (kind,)))


@pytest.mark.parametrize("text", ["", "[]", "null", "5", '"x"', "[" * 100_000, '{"a":' * 100_000, "1" * 5000, "\ud800"])
@pytest.mark.parametrize("kind", [ConversationState, Turn, Mail, Entry])
def test_what_is_no_object_is_unreadable(text: str, kind: Any) -> None:
    with pytest.raises(UnreadableError):
        load(text, kind)
