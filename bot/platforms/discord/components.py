"""Menus as buttons and selects, the form for an answer in words, and what comes back of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.model import MENU_OPTIONS, Conversation, Menu, Option
from bot.platforms.button_payload import Pressed, Words, packed, unpacked
from bot.platforms.discord.names import cut

Component = dict[str, Any]

BUTTONS = 5
"""Up to so many options are buttons, as many as a row takes (docs, action row); more of them are a select."""

LABEL = 80
"""Longest label of a button (docs, button)."""

CHOICE = 100
"""Longest label and description of a select's option (docs, select option)."""

CUSTOM_ID = 100
"""Longest custom id, and longest value of a select's option (docs, component reference)."""

ANSWER = 4000
"""Longest answer that a text input takes (docs, text input)."""

ROW, BUTTON, SELECT, INPUT, LABELLED = 1, 2, 3, 4, 18
"""Types of components (docs, component reference)."""

GREY, PARAGRAPH = 2, 2
PICK, TEXT = "greenroom-pick", "greenroom-text"


def rows(conversation: Conversation, menu: Menu) -> list[Component]:
    """What stands below the numbered text of `menu`: buttons, or a select, and a button for an answer in words.

    Raises ValueError where Discord would refuse it: over 25 options, or a conversation or menu with too long a name.
    """
    if len(menu.options) > MENU_OPTIONS:
        raise ValueError(f"menu {menu.id} has {len(menu.options)} options; a select of Discord takes {MENU_OPTIONS}")
    numbered = [(packed(Pressed(conversation, menu.id, n), CUSTOM_ID), n, o) for n, o in enumerate(menu.options, 1)]
    buttons: list[Component] = []
    found: list[Component] = []
    if len(menu.options) <= BUTTONS:
        buttons = [_button(value, f"{n} {option.label}") for value, n, option in numbered]
    else:
        buttons = [_button(value, f"{n} {option.label}") for value, n, option in numbered[: int(menu.ahead)]]
        options = [_choice(value, n, option) for value, n, option in numbered[int(menu.ahead) :]]
        found = [_row([{"type": SELECT, "custom_id": PICK, "placeholder": "Choose", "options": options}])]
    if menu.words:
        buttons.append(_button(packed(Words(conversation, menu.id), CUSTOM_ID), "Answer in words"))
    return [*found, *(_row(buttons[first : first + BUTTONS]) for first in range(0, len(buttons), BUTTONS))]


def opened(data: Mapping[str, Any]) -> Pressed | Words | None:
    """What the data of a component's interaction says; None where it is none of a menu's."""
    values: Sequence[Any] = data.get("values") or (data.get("custom_id", ""),)
    return unpacked(str(values[0]))


def form(words: Words) -> dict[str, Any]:
    """The modal in which somebody answers a menu in words. Raises ValueError where it cannot carry the menu."""
    field = {"type": INPUT, "custom_id": TEXT, "style": PARAGRAPH, "min_length": 1, "max_length": ANSWER}
    return {
        "custom_id": packed(words, CUSTOM_ID),
        "title": "Answer in words",
        "components": [{"type": LABELLED, "label": "Your answer", "component": field}],
    }


def answered(data: Mapping[str, Any]) -> tuple[Words, str] | None:
    """Which menu a submitted modal answers, and how; None where it was none of ours, or is empty."""
    words = unpacked(str(data.get("custom_id", "")))
    fields = [field for outer in data.get("components") or () for field in _within(outer)]
    text = next((str(field.get("value") or "") for field in fields if field.get("custom_id") == TEXT), "").strip()
    return (words, text) if isinstance(words, Words) and text else None


def _within(component: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The inputs in a label, or in an action row as older clients send them."""
    inner = component.get("component")
    return [inner] if inner else list(component.get("components") or ())


def _row(components: list[Component]) -> Component:
    return {"type": ROW, "components": components}


def _button(custom_id: str, label: str) -> Component:
    return {"type": BUTTON, "style": GREY, "label": cut(label, LABEL), "custom_id": custom_id}


def _choice(value: str, number: int, option: Option) -> Component:
    choice: Component = {"label": cut(f"{number} {option.label}", CHOICE), "value": value}
    hint = cut(option.hint, CHOICE)
    return choice | ({"description": hint} if hint else {})
