"""What a button carries, so that a press means the same after any restart: its conversation, its menu, its number."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.model import Conversation


@dataclass(frozen=True, slots=True)
class Pressed:
    """Option `number` of that menu, counted from 1, was pressed or chosen."""

    conversation: Conversation
    menu: str
    number: int


@dataclass(frozen=True, slots=True)
class Words:
    """Somebody wants to answer that menu in words."""

    conversation: Conversation
    menu: str


def packed(press: Pressed | Words, most: int) -> str:
    """The press as text of at most `most` characters. Raises ValueError where it does not fit."""
    number = press.number if isinstance(press, Pressed) else 0
    text = f"{number}|{press.menu}|{press.conversation.key}"
    if not press.menu or "|" in press.menu or len(text) > most:
        raise ValueError(f"a button cannot carry menu {press.menu!r} of {press.conversation.key} in {most} characters")
    return text


def unpacked(text: str) -> Pressed | Words | None:
    """The press that `packed` has made this of; None where it was something else."""
    number, _, rest = text.partition("|")
    menu, _, key = rest.partition("|")
    if not menu or not (number.isascii() and number.isdecimal()):
        return None
    try:
        conversation = Conversation.parse(key)
    except ValueError:
        return None
    return Pressed(conversation, menu, int(number)) if int(number) else Words(conversation, menu)
