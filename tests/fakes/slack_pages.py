"""Where in Slack's documentation each thing stands that the app may send: pages below https://docs.slack.dev/.

`page_of` gives the page of every field of a call, or raises LookupError for one that no rule of the fake is for. The
methods' arguments and errors were read again in November 2026, as the reference had them on 20 August 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.slack_methods import METHODS
from tests.fakes.slack_rules import BLOCK_FIELDS, ELEMENT_FIELDS, VIEW_FIELDS

_BLOCKS, _ELEMENTS, _OBJECTS = (
    f"reference/block-kit/{kind}" for kind in ("blocks", "block-elements", "composition-objects")
)

OBJECTS: Mapping[str, tuple[str, frozenset[str]]] = {
    **{
        kind: (f"{_BLOCKS}/{kind.replace('_', '-')}-block", fields | {"type", "block_id"})
        for kind, fields in BLOCK_FIELDS.items()
    },
    **{
        kind: (f"{_ELEMENTS}/{page}-element", ELEMENT_FIELDS[kind] | {"type"})
        for kind, page in {
            "button": "button",
            "static_select": "select-menu",
            "plain_text_input": "plain-text-input",
        }.items()
    },
    "plain_text": (f"{_OBJECTS}/text-object", frozenset({"type", "text", "emoji"})),
    "mrkdwn": (f"{_OBJECTS}/text-object", frozenset({"type", "text", "verbatim"})),
    "modal": ("reference/views/modal-views", VIEW_FIELDS),
    "home": ("reference/views/home-tab-views", VIEW_FIELDS - {"title", "close", "submit"}),
}
"""By `type`: the page, and the fields that it names."""

UNTYPED: Mapping[str, tuple[str, frozenset[str]]] = {
    "options": (f"{_OBJECTS}/option-object", frozenset({"text", "value", "description"})),
    "option_groups": (f"{_OBJECTS}/option-group-object", frozenset({"label", "options"})),
    "initial_option": (f"{_OBJECTS}/option-object", frozenset({"text", "value", "description"})),
    "metadata": ("messaging/message-metadata", frozenset({"event_type", "event_payload"})),
    "prompts": ("reference/methods/assistant.threads.setSuggestedPrompts", frozenset({"title", "message"})),
    "files": ("reference/methods/files.completeUploadExternal", frozenset({"id", "title"})),
}
"""By the name of the field that they stand in: objects without a type."""

OPAQUE = frozenset({"event_payload", "private_metadata"})
"""What Slack keeps for the app as it is."""


def page_of(method: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each field of a call with the page that it stands on. Raises LookupError."""
    known = METHODS[method].required | METHODS[method].optional | {"team_id"}
    for name, value in arguments.items():
        if name not in known:
            raise LookupError(f"{method} has no argument {name!r} on its page")
        yield f"{method} {name}", f"reference/methods/{method}"
        if name not in OPAQUE:
            yield from _within(f"{method} {name}", name, value)


def _within(path: str, name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for item in value:
            yield from _within(path, name, item)
    if not isinstance(value, dict):
        return
    found = OBJECTS.get(str(value.get("type"))) or UNTYPED.get(name)
    if found is None:
        raise LookupError(f"no page tells of the object in {path}: {sorted(value)}")
    page, fields = found
    for inner, held in value.items():
        if inner not in fields:
            raise LookupError(f"{page} names no {inner!r}, which is in {path}")
        yield f"{path}/{inner}", page
        if inner not in OPAQUE:
            yield from _within(f"{path}/{inner}", inner, held)
