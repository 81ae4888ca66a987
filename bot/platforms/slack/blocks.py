"""Menus as buttons and selects, and what a press on one of them says.

A button carries its conversation, its menu and its number in its own value, so that a press means the same after any
restart, and however long the message has stood there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from wcwidth import iter_graphemes

from bot.core.model import Conversation, Menu, Option
from bot.platforms.button_payload import Pressed, Words, packed, unpacked

BUTTONS = 5
"""Up to so many options are buttons; more of them are a select."""

OPTIONS = 100
"""Most options of a select (docs, block elements)."""

LABEL = 75
"""Longest text of a button or of a select's option, and longest description of an option (docs, block elements)."""

BUTTON_VALUE = 2000
OPTION_VALUE = 150
METADATA = 3000
"""Longest `private_metadata` of a view (docs, views)."""

PICK = "greenroom:pick"
WORDS = "greenroom:words"
TEXT = "greenroom:text"
"""The action id of the field in which people answer in words."""


def menu_blocks(conversation: Conversation, menu: Menu) -> list[dict[str, Any]]:
    """What stands below the numbered text of `menu`: buttons, or a select, and a button for an answer in words.

    Raises ValueError where Slack would refuse it: over 100 options, or a conversation or menu with too long a name.
    """
    if len(menu.options) > OPTIONS:
        raise ValueError(f"menu {menu.id} has {len(menu.options)} options; a select of Slack takes {OPTIONS}")
    elements: list[dict[str, Any]] = []
    if len(menu.options) <= BUTTONS:
        for number, option in enumerate(menu.options, 1):
            value = packed(Pressed(conversation, menu.id, number), BUTTON_VALUE)
            elements.append(button(_label(number, option), f"{PICK}:{number}", value))
    else:
        if menu.ahead:
            value = packed(Pressed(conversation, menu.id, 1), BUTTON_VALUE)
            elements.append(button(_label(1, menu.options[0]), f"{PICK}:1", value))
        options = [
            option_of(_label(number, option), packed(Pressed(conversation, menu.id, number), OPTION_VALUE), option.hint)
            for number, option in enumerate(menu.options, 1)
            if number > 1 or not menu.ahead
        ]
        elements.append(select(f"{PICK}:list", "Choose", options))
    if menu.words:
        elements.append(button("Answer in words", WORDS, packed(Words(conversation, menu.id), BUTTON_VALUE)))
    return [{"type": "actions", "elements": elements}] if elements else []


def opened(action: Mapping[str, Any]) -> Pressed | Words | None:
    """What an action of a `block_actions` payload says; None where it is none of a menu's."""
    name = str(action.get("action_id", ""))
    if name != WORDS and not name.startswith(f"{PICK}:"):
        return None
    chosen = action.get("selected_option") or action
    found = unpacked(str(chosen.get("value", "")))
    return found if isinstance(found, Words) == (name == WORDS) else None


def metadata(words: Words, handle: str = "") -> str:
    """What the modal for an answer in words keeps; `handle` is a private answer's address. Raises ValueError."""
    return kept({"conversation": words.conversation.key, "menu": words.menu, "handle": handle})


def from_metadata(text: str) -> tuple[Words, str] | None:
    """What `metadata` has kept; None where it was something else."""
    found = kept_in(text)
    try:
        return Words(Conversation.parse(found["conversation"]), found["menu"]), found["handle"]
    except (KeyError, ValueError):
        return None


def kept(values: Mapping[str, str]) -> str:
    """`values` as a view keeps them. Raises ValueError where they are too long for Slack."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    if units(text) > METADATA:
        raise ValueError(f"a view of Slack keeps {METADATA} characters, not {units(text)}: {text[:80]}...")
    return text


def kept_in(text: str) -> dict[str, str]:
    """What `kept` was given; nothing where the text was not made by it."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


# ---------------------------------------------------------------- parts


def button(label: str, action_id: str, value: str) -> dict[str, Any]:
    """A button; its label is cut to what Slack takes."""
    return {"type": "button", "text": plain(shortened(label, LABEL)), "action_id": action_id, "value": value}


def select(action_id: str, placeholder: str, options: list[dict[str, Any]]) -> dict[str, Any]:
    """A select of up to 100 options; what is above is in groups of 100, which Slack takes up to 100 of."""
    head = {"type": "static_select", "action_id": action_id, "placeholder": plain(placeholder)}
    if len(options) <= OPTIONS:
        return {**head, "options": options}
    parts = [options[first : first + OPTIONS] for first in range(0, len(options), OPTIONS)]
    groups = [
        {"label": plain(f"{1 + number * OPTIONS} to {number * OPTIONS + len(part)}"), "options": part}
        for number, part in enumerate(parts)
    ]
    return {**head, "option_groups": groups}


def option_of(label: str, value: str, description: str = "") -> dict[str, Any]:
    """An option of a select; label and description are cut to what Slack takes."""
    option: dict[str, Any] = {"text": plain(shortened(label, LABEL)), "value": value}
    hint = shortened(description, LABEL)
    return option | ({"description": plain(hint)} if hint else {})


def plain(text: str) -> dict[str, Any]:
    """`text` as Slack shows it literally: no markup, no `:names:` of emoji."""
    return {"type": "plain_text", "text": text, "emoji": False}


@lru_cache(maxsize=1024)
def shortened(text: str, most: int) -> str:
    """`text` on one line and in at most `most` characters, cut between those that people see, with a `…` at the cut."""
    flat = " ".join(text.split())
    if units(flat) <= most:
        return flat
    if flat.isascii():
        return flat[: most - 1].rstrip() + "…"
    found, room = "", most - 1
    for grapheme in iter_graphemes(flat):
        room -= units(grapheme)
        if room < 0:
            break
        found += grapheme
    return found.rstrip() + "…"


def units(text: str) -> int:
    """The length of `text` in UTF-16, the longest of the ways in which Slack may count."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _label(number: int, option: Option) -> str:
    return f"{number} {option.label}"
