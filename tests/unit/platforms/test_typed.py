"""What is typed: the terminal's own words, mentions, and where a message goes."""

from __future__ import annotations

import pytest

from bot.core.model import Conversation, Inbound
from bot.platforms.terminal.typed import Orders, Place, TerminalError, Typing


@pytest.fixture
def typing() -> Typing:
    return Typing(Place("ada"), Orders(), lambda name: name == "architect", "Greenroom")


def message(typing: Typing, text: str) -> Inbound:
    read = typing.read(text)
    assert isinstance(read, Inbound)
    return read


def test_a_message_goes_to_where_the_person_is(typing: Typing) -> None:
    first = message(typing, " hello \n")
    assert first.conversation == Conversation("terminal", "local", "general")
    assert (first.user, first.name, first.text, first.direct) == ("ada", "ada", "hello", False)
    typing.read("/dm")
    second = message(typing, "hello")
    assert second.conversation.key == "terminal:local:@ada" and second.direct
    assert second.order > first.order and second.id != first.id


def test_mentions_tell_who_is_meant(typing: Typing) -> None:
    to_bot = message(typing, "@greenroom, what now?")
    assert to_bot.addressed and not to_bot.others and to_bot.text == "what now?"
    assert message(typing, "@bob see this").others
    assert not message(typing, "@architect see this").others
    assert not message(typing, "mail me at ada@bob.example").others


def test_what_could_steer_a_terminal_is_not_even_sent(typing: Typing) -> None:
    assert message(typing, "a\x1b[2Jb\u202ec").text == "abc"


def test_an_aside_is_no_word_of_the_terminal(typing: Typing) -> None:
    assert message(typing, "//quit").text == "//quit" and not typing.left


@pytest.mark.parametrize("text", ["", "   ", "\x1b[2J"])
def test_nothing_is_no_message(typing: Typing, text: str) -> None:
    assert typing.read(text) is None


def test_quit_leaves(typing: Typing) -> None:
    assert typing.read("/QUIT") is None and typing.left


@pytest.mark.parametrize("text", ["/join", "/join a b", "/as a:b", "/join " + "x" * 41])
def test_a_name_that_is_none_is_told_and_changes_nothing(typing: Typing, text: str) -> None:
    with pytest.raises(TerminalError, match="is no name for a"):
        typing.read(text)
    assert (typing.place.user, typing.place.channel) == ("ada", "general")
