"""What Discord refuses in components, modals and application commands. Pure.

Limits: API documentation, "Component Reference", "Receiving and Responding", "Application Commands".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.fakes.discord_errors import Form, Path

ROW, BUTTON, SELECT, INPUT, SECTION, TEXT, CONTAINER, LABEL = 1, 2, 3, 4, 9, 10, 17, 18
SELECTS = (3, 5, 6, 7, 8)
LAYOUT = (ROW, SECTION, TEXT, 12, 13, 14, CONTAINER)
KINDS = frozenset((*LAYOUT, *SELECTS, BUTTON, 11))


def walk(components: object) -> Iterator[dict[str, Any]]:
    """All components, those inside of others too, in the order in which they are shown."""
    for each in components if isinstance(components, Sequence) else ():
        if isinstance(each, dict):
            yield each
            yield from walk(each.get("components") or ())
            for inner in ("accessory", "component"):
                if isinstance(each.get(inner), dict):
                    yield from walk([each[inner]])


def is_interactive(components: object) -> bool:
    """Whether anything in them comes back as an interaction."""
    return any(
        each.get("type") in SELECTS or (each.get("type") == BUTTON and each.get("style") != 5)
        for each in walk(components)
    )


def check_components(form: Form, components: object, *, layout: bool) -> None:
    """Refuse components that a message cannot have; `layout` is the Components V2 flag."""
    if components is None:
        return
    top = form.sequence({"components": components}, ("components",), 40 if layout else 5)
    allowed = LAYOUT if layout else (ROW,)
    _check_list(form, ("components",), top, allowed)
    every = list(walk(top))
    if layout and len(every) > 40:
        form.wrong(("components",), "BASE_TYPE_BAD_LENGTH", "The total number of components exceeds the limit of 40.")
    if layout and sum(len(str(each.get("content", ""))) for each in every if each.get("type") == TEXT) > 4000:
        text = "The displayable text of a message's components exceeds the limit of 4000."
        form.wrong(("components",), "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", text)
    _check_unique(form, ("components",), every)


def _check_unique(form: Form, at: Path, every: Sequence[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    for each in every:
        custom = each.get("custom_id")
        if isinstance(custom, str) and custom in seen:
            form.wrong(at, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
        if isinstance(custom, str):
            seen.add(custom)


def _check_list(form: Form, at: Path, components: Sequence[Any], allowed: Sequence[int]) -> None:
    for number, each in enumerate(components):
        if not isinstance(each, Mapping):
            form.wrong((*at, number), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        elif each.get("type") not in allowed:
            form.wrong((*at, number, "type"), "BASE_TYPE_CHOICES", f"Value of field must be one of {tuple(allowed)}.")
        else:
            _check_one(form, (*at, number), each)


def _check_one(form: Form, at: Path, each: Mapping[str, Any]) -> None:
    kind = each["type"]
    if kind == ROW:
        _check_row(form, at, each)
    elif kind == BUTTON:
        _check_button(form, at, each)
    elif kind in SELECTS:
        _check_select(form, at, each)
    elif kind == TEXT:
        form.text(each, (*at, "content"), 1, 4000, required=True)
    elif kind == SECTION:
        inner = form.sequence(each, (*at, "components"), 3, 1)
        _check_list(form, (*at, "components"), inner, (TEXT,))
        _check_list(form, (*at, "accessory"), [each.get("accessory")], (BUTTON, 11))
    elif kind == CONTAINER:
        inner = form.sequence(each, (*at, "components"), 39, 1)
        _check_list(form, (*at, "components"), inner, tuple(k for k in LAYOUT if k != CONTAINER))
    elif kind == 12:
        form.sequence(each, (*at, "items"), 10, 1)


def _check_row(form: Form, at: Path, row: Mapping[str, Any]) -> None:
    inner = form.sequence(row, (*at, "components"), 5, 1)
    _check_list(form, (*at, "components"), inner, (BUTTON, *SELECTS))
    selects = [each for each in inner if isinstance(each, Mapping) and each.get("type") in SELECTS]
    if selects and len(inner) > 1:
        text = "An action row holds one select and nothing beside it"
        form.wrong((*at, "components"), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", text)


def _check_button(form: Form, at: Path, button: Mapping[str, Any]) -> None:
    style = button.get("style")
    if style not in (1, 2, 3, 4, 5, 6):
        form.wrong((*at, "style"), "BASE_TYPE_CHOICES", "Value of field must be one of (1, 2, 3, 4, 5, 6).")
    label = form.text(button, (*at, "label"), 0, 80, nullable=True)
    if not label and not button.get("emoji") and style != 6:
        form.wrong(at, "BUTTON_COMPONENT_INVALID_EMOJI", "A button must have a label or an emoji")
    if style == 5:
        form.text(button, (*at, "url"), 1, 512, required=True)
        if button.get("custom_id"):
            form.wrong((*at, "custom_id"), "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A link has no id")
    elif style != 6:
        form.text(button, (*at, "custom_id"), 1, 100, required=True)
        if button.get("url"):
            form.wrong((*at, "url"), "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "Only a link has a url")


def _check_select(form: Form, at: Path, select: Mapping[str, Any]) -> None:
    form.text(select, (*at, "custom_id"), 1, 100, required=True)
    form.text(select, (*at, "placeholder"), 0, 150, nullable=True)
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if not 0 <= least <= 25:
        form.wrong((*at, "min_values"), "NUMBER_TYPE_MAX", "int value should be between 0 and 25.")
    if not 1 <= most <= 25:
        form.wrong((*at, "max_values"), "NUMBER_TYPE_MAX", "int value should be between 1 and 25.")
    if select["type"] != SELECT:
        return
    options = form.sequence(select, (*at, "options"), 25, 1)
    values: set[str] = set()
    for number, option in enumerate(options):
        here = (*at, "options", number)
        if not isinstance(option, Mapping):
            form.wrong(here, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            continue
        form.text(option, (*here, "label"), 1, 100, required=True)
        form.text(option, (*here, "description"), 0, 100, nullable=True)
        value = form.text(option, (*here, "value"), 1, 100, required=True)
        if value in values:
            text = "The specified option value is already used"
            form.wrong((*here, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", text)
        values.add(value)
    if options and most > len(options):
        form.wrong((*at, "options"), "SELECT_COMPONENT_OPTIONS_TOO_FEW", "Fewer options than max_values")


def check_modal(modal: Mapping[str, Any]) -> None:
    """Refuse what cannot be shown as a modal."""
    form = Form()
    form.text(modal, ("data", "custom_id"), 1, 100, required=True)
    form.text(modal, ("data", "title"), 1, 45, required=True)
    for number, each in enumerate(form.sequence(modal, ("data", "components"), 5, 1)):
        at = ("data", "components", number)
        match each:
            case {"type": 1, "components": [{"type": 4} as field]}:
                form.text(field, (*at, "components", 0, "label"), 1, 45, required=True)
                _check_input(form, (*at, "components", 0), field)
            case {"type": 18, "component": {"type": 4} as field}:
                form.text(each, (*at, "label"), 1, 45, required=True)
                form.text(each, (*at, "description"), 0, 100, nullable=True)
                _check_input(form, (*at, "component"), field)
            case {"type": 18, "component": {"type": kind} as field} if kind in SELECTS:
                form.text(each, (*at, "label"), 1, 45, required=True)
                _check_select(form, (*at, "component"), field)
            case {"type": 10}:
                form.text(each, (*at, "content"), 1, 4000, required=True)
            case _:
                form.wrong((*at, "type"), "BASE_TYPE_CHOICES", "Value of field must be one of (1, 10, 18).")
    _check_unique(form, ("data", "components"), list(walk(modal.get("components"))))
    form.done()


def _check_input(form: Form, at: Path, field: Mapping[str, Any]) -> None:
    form.text(field, (*at, "custom_id"), 1, 100, required=True)
    form.text(field, (*at, "value"), 0, 4000, nullable=True)
    form.text(field, (*at, "placeholder"), 0, 100, nullable=True)
    if field.get("style") not in (1, 2):
        form.wrong((*at, "style"), "BASE_TYPE_CHOICES", "Value of field must be one of (1, 2).")
    least, most = field.get("min_length"), field.get("max_length")
    if least is not None and not 0 <= least <= 4000:
        form.wrong((*at, "min_length"), "NUMBER_TYPE_MAX", "int value should be between 0 and 4000.")
    if most is not None and not 1 <= most <= 4000:
        form.wrong((*at, "max_length"), "NUMBER_TYPE_MAX", "int value should be between 1 and 4000.")


_COMMAND = re.compile(r"[-_'\w\u0900-\u097F\u0E00-\u0E7F]{1,32}")


def check_commands(commands: Sequence[Any]) -> None:
    """Refuse a list of commands that is to replace all there are."""
    form = Form()
    names: set[tuple[object, object]] = set()
    for number, command in enumerate(commands):
        if not isinstance(command, Mapping):
            form.wrong((number,), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            continue
        kind = command.get("type", 1)
        _check_command_name(form, (number,), command, chat=kind == 1)
        if kind == 1:
            form.text(command, (number, "description"), 1, 100, required=True)
        elif command.get("description"):
            form.wrong((number, "description"), "APPLICATION_COMMAND_INVALID_DESCRIPTION", "Only for chat input")
        if (kind, command.get("name")) in names:
            form.wrong((number,), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        names.add((kind, command.get("name")))
        # "Application Commands, Application Command Structure", and the types of contexts beside it.
        for field, known in (("contexts", (0, 1, 2)), ("integration_types", (0, 1))):
            if any(each not in known for each in command.get(field) or ()):
                form.wrong((number, field), "BASE_TYPE_CHOICES", f"Value must be one of {known}.")
        _check_options(form, (number,), command, (1, 2))
        if _size(command) > 8000:
            form.wrong((number,), "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")
    form.done()


def _check_command_name(form: Form, at: Path, holder: Mapping[str, Any], *, chat: bool = True) -> None:
    name = form.text(holder, (*at, "name"), 1, 32, required=True)
    if name and chat and (not _COMMAND.fullmatch(name) or name != name.lower()):
        form.wrong((*at, "name"), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_options(form: Form, at: Path, holder: Mapping[str, Any], nested: tuple[int, ...]) -> None:
    names: set[str] = set()
    optional = False
    for number, option in enumerate(form.sequence(holder, (*at, "options"), 25)):
        here = (*at, "options", number)
        if not isinstance(option, Mapping) or option.get("type") not in range(1, 12):
            form.wrong((*here, "type"), "BASE_TYPE_CHOICES", "Value of field must be one of (1, ..., 11).")
            continue
        _check_command_name(form, here, option)
        form.text(option, (*here, "description"), 1, 100, required=True)
        if option.get("name") in names:
            form.wrong(here, "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists")
        names.add(str(option.get("name")))
        if option["type"] in (1, 2):
            if option["type"] not in nested:
                form.wrong(here, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Invalid option type")
            _check_options(form, here, option, (1,) if option["type"] == 2 else ())
            continue
        if option.get("required") and optional:
            text = "Required options must be placed before non-required options"
            form.wrong(here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", text)
        optional = optional or not option.get("required")
        choices = form.sequence(option, (*here, "choices"), 25)
        if choices and option.get("autocomplete"):
            form.wrong(here, "APPLICATION_COMMAND_AUTOCOMPLETE_WITH_CHOICES", "Autocomplete and choices exclude")
        check_choices(form, (*here, "choices"), choices)


def check_choices(form: Form, at: Path, choices: Sequence[Any]) -> None:
    """Choices of an option, or the answer to an autocomplete."""
    for number, choice in enumerate(choices):
        if not isinstance(choice, Mapping):
            form.wrong((*at, number), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            continue
        form.text(choice, (*at, number, "name"), 1, 100, required=True)
        form.text(choice, (*at, number, "value"), 1, 100, required=True)


def _size(node: Mapping[str, Any]) -> int:
    own = sum(len(str(node.get(key) or "")) for key in ("name", "description", "value"))
    return own + sum(
        _size(each) for key in ("options", "choices") for each in node.get(key) or () if isinstance(each, Mapping)
    )
