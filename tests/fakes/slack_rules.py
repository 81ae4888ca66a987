"""What Slack refuses in a message or a view: pure checks that raise `RefusedError` with Slack's own error code.

Fields and limits are those of the pages that `slack_pages` names for each object: blocks, elements and composition
objects of the Block Kit reference, modal and home tab views, message metadata. Three limits are not documented but
measured by others, and kept at the careful end: `BLOCKS_TOTAL`, `STREAM_BYTES` and `METADATA_BYTES`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

TEXT = 40_000
UPDATE_TEXT = 4_000
MARKDOWN = 12_000
BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
BLOCKS_TOTAL = 13_422
BLOCK_COST = 125
"""A lone markdown block of 13,297 characters passes, and a divider beside it costs 125 more, as others measured."""
STREAM_BYTES = 10_600
"""UTF-8 bytes of one streamed message: 10,571 were accepted and 10,821 refused when others measured it."""
METADATA_BYTES = 8_000

BLOCK_FIELDS: Mapping[str, frozenset[str]] = {
    "section": frozenset({"text", "fields", "accessory", "expand"}),
    "divider": frozenset(),
    "header": frozenset({"text"}),
    "context": frozenset({"elements"}),
    "actions": frozenset({"elements"}),
    "context_actions": frozenset({"elements"}),
    "image": frozenset({"image_url", "alt_text", "title", "slack_file"}),
    "markdown": frozenset({"text"}),
    "rich_text": frozenset({"elements"}),
    "input": frozenset({"label", "element", "dispatch_action", "hint", "optional"}),
    "table": frozenset({"rows", "column_settings"}),
}
_ONLY_IN_MESSAGES = {"markdown", "context_actions", "table"}
_SELECTS = {"static_select", "multi_static_select"}
ELEMENT_FIELDS: Mapping[str, frozenset[str]] = {
    "button": frozenset({"text", "action_id", "url", "value", "style", "confirm", "accessibility_label"}),
    "static_select": frozenset(
        {"action_id", "placeholder", "options", "option_groups", "initial_option", "confirm", "focus_on_load"}
    ),
    "multi_static_select": frozenset(
        {"action_id", "placeholder", "options", "option_groups", "initial_options", "max_selected_items", "confirm"}
    ),
    "overflow": frozenset({"action_id", "options", "confirm"}),
    "radio_buttons": frozenset({"action_id", "options", "initial_option", "confirm", "focus_on_load"}),
    "checkboxes": frozenset({"action_id", "options", "initial_options", "confirm", "focus_on_load"}),
    "users_select": frozenset({"action_id", "placeholder", "initial_user", "confirm", "focus_on_load"}),
    "conversations_select": frozenset(
        {"action_id", "placeholder", "initial_conversation", "default_to_current_conversation", "confirm", "filter"}
    ),
    "channels_select": frozenset({"action_id", "placeholder", "initial_channel", "confirm", "focus_on_load"}),
    "datepicker": frozenset({"action_id", "placeholder", "initial_date", "confirm", "focus_on_load"}),
    "plain_text_input": frozenset(
        {
            "action_id", "initial_value", "multiline", "min_length", "max_length", "dispatch_action_config",
            "focus_on_load", "placeholder",
        }
    ),
    "image": frozenset({"image_url", "alt_text", "slack_file"}),
    "feedback_buttons": frozenset({"action_id", "positive_button", "negative_button"}),
    "icon_button": frozenset({"action_id", "icon", "text", "value", "confirm", "accessibility_label"}),
}  # fmt: skip
_OPTIONS: Mapping[str, int] = {
    "static_select": 100, "multi_static_select": 100, "overflow": 5, "radio_buttons": 10, "checkboxes": 10,
}  # fmt: skip
_ALLOWED_IN: Mapping[str, frozenset[str]] = {
    "actions": frozenset(ELEMENT_FIELDS) - {"plain_text_input", "image", "feedback_buttons", "icon_button"},
    "accessory": frozenset(ELEMENT_FIELDS) - {"plain_text_input", "feedback_buttons", "icon_button"},
    "input": frozenset(ELEMENT_FIELDS) - {"button", "overflow", "image", "feedback_buttons", "icon_button"},
    "context_actions": frozenset({"feedback_buttons", "icon_button"}),
}
VIEW_FIELDS = frozenset(
    {
        "type", "title", "blocks", "close", "submit", "private_metadata", "callback_id", "clear_on_close",
        "notify_on_close", "external_id", "submit_disabled",
    }
)  # fmt: skip


class RefusedError(Exception):
    """Slack says no: `error` is its code, `details` the lines of `response_metadata.messages`, `extra` other fields."""

    def __init__(self, error: str, *details: str, **extra: Any) -> None:
        super().__init__(error, *details)
        self.error = error
        self.details = details
        self.extra = extra


class _Schema:
    """Collects everything that is wrong with a list of blocks, each with its JSON pointer."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._block_ids: set[str] = set()

    def no(self, what: str, at: str) -> None:
        self.problems.append(f"[ERROR] {what} [json-pointer:{at}]")

    def string(self, value: object, at: str, most: int, least: int = 1) -> None:
        if not isinstance(value, str):
            self.no("must be a string", at)
        elif len(value) > most:
            self.no(f"must be less than {most + 1} characters", at)
        elif len(value) < least:
            self.no(f"must be more than {least - 1} characters", at)

    def unknown(self, given: Mapping[str, Any], allowed: Iterable[str], at: str) -> None:
        for name in sorted(set(given) - set(allowed)):
            self.no(f"no more than allowed fields, unexpected `{name}`", at)

    def text(self, value: object, at: str, most: int, *, plain: bool = False) -> None:
        """A text object, or one of plain text alone."""
        if not isinstance(value, dict):
            self.no("must be a text object", at)
            return
        kind = value.get("type")
        if kind not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
            self.no(f"unsupported text type {kind!r}", f"{at}/type")
        self.unknown(value, {"type", "text", "emoji" if kind == "plain_text" else "verbatim"}, at)
        self.string(value.get("text"), f"{at}/text", most)

    def items(self, value: object, at: str, most: int, least: int = 1) -> list[Any]:
        if not isinstance(value, list):
            self.no("must be an array", at)
            return []
        if len(value) > most:
            self.no(f"no more than {most} items allowed", at)
        elif len(value) < least:
            self.no(f"no fewer than {least} items allowed", at)
        return value

    def options(self, value: object, at: str, most: int, *, in_overflow: bool = False) -> None:
        for index, option in enumerate(self.items(value, at, most)):
            here = f"{at}/{index}"
            if not isinstance(option, dict):
                self.no("must be an object", here)
                continue
            # docs, option object: `url` is only for overflow menus
            self.unknown(option, {"text", "value", "description"} | ({"url"} if in_overflow else set()), here)
            self.text(option.get("text"), f"{here}/text", 75)
            self.string(option.get("value"), f"{here}/value", 150)
            if "description" in option:
                self.text(option["description"], f"{here}/description", 75)

    def element(self, value: object, at: str, place: str) -> str | None:
        """An element; its action_id, if it has one."""
        if not isinstance(value, dict):
            self.no("must be an object", at)
            return None
        kind = value.get("type")
        if kind not in _ALLOWED_IN[place]:
            self.no(f"unsupported element type {kind!r} in {place}", f"{at}/type")
            return None
        self.unknown(value, ELEMENT_FIELDS[kind] | {"type"}, at)
        if kind == "image":
            self.string(value.get("alt_text"), f"{at}/alt_text", 2000)
            return None
        if "action_id" in value:
            self.string(value["action_id"], f"{at}/action_id", 255)
        if "placeholder" in value:
            self.text(value["placeholder"], f"{at}/placeholder", 150, plain=True)
        if kind == "button":
            self.text(value.get("text"), f"{at}/text", 75, plain=True)
            if "value" in value:
                self.string(value["value"], f"{at}/value", 2000, 0)
            if "url" in value:
                self.string(value["url"], f"{at}/url", 3000)
            if value.get("style", "primary") not in ("primary", "danger"):
                self.no("must be one of primary, danger", f"{at}/style")
        elif kind in _OPTIONS:
            if kind in _SELECTS and "option_groups" in value:
                for index, group in enumerate(self.items(value["option_groups"], f"{at}/option_groups", 100)):
                    self.text(group.get("label"), f"{at}/option_groups/{index}/label", 75, plain=True)
                    self.options(group.get("options"), f"{at}/option_groups/{index}/options", 100)
            else:
                self.options(value.get("options"), f"{at}/options", _OPTIONS[kind], in_overflow=kind == "overflow")
        action_id = value.get("action_id")
        return action_id if isinstance(action_id, str) else None

    def block(self, block: object, at: str, surface: str) -> None:
        if not isinstance(block, dict):
            self.no("must be an object", at)
            return
        kind = str(block.get("type"))
        if kind not in BLOCK_FIELDS or (kind in _ONLY_IN_MESSAGES and surface != "message"):
            self.no(f"unsupported block type {kind!r} in a {surface}", f"{at}/type")
            return
        self.unknown(block, BLOCK_FIELDS[kind] | {"type", "block_id"}, at)
        if "block_id" in block:
            self.string(block["block_id"], f"{at}/block_id", 255)
            if block["block_id"] in self._block_ids:
                self.no("block_id must be unique", f"{at}/block_id")
            self._block_ids.add(str(block["block_id"]))
        match kind:
            case "section":
                self._section(block, at)
            case "header":
                self.text(block.get("text"), f"{at}/text", 150, plain=True)
            case "context":
                for index, item in enumerate(self.items(block.get("elements"), f"{at}/elements", 10)):
                    here = f"{at}/elements/{index}"
                    if isinstance(item, dict) and item.get("type") == "image":
                        self.element(item, here, "accessory")
                    else:
                        self.text(item, here, 2000)
            case "actions" | "context_actions":
                most = 25 if kind == "actions" else 5
                elements = self.items(block.get("elements"), f"{at}/elements", most)
                ids = [self.element(item, f"{at}/elements/{index}", kind) for index, item in enumerate(elements)]
                for action_id in {name for name in ids if name is not None and ids.count(name) > 1}:
                    self.no(f"action_id {action_id!r} must be unique in its block", at)
            case "image":
                self.string(block.get("alt_text"), f"{at}/alt_text", 2000)
                if "slack_file" not in block:
                    self.string(block.get("image_url"), f"{at}/image_url", 3000)
            case "markdown":
                self.string(block.get("text"), f"{at}/text", MARKDOWN)
            case "input":
                self.text(block.get("label"), f"{at}/label", 2000, plain=True)
                self.element(block.get("element"), f"{at}/element", "input")
            case "rich_text":
                self.items(block.get("elements"), f"{at}/elements", 1000)
            case "table":
                for index, row in enumerate(self.items(block.get("rows"), f"{at}/rows", 100)):
                    self.items(row, f"{at}/rows/{index}", 20)

    def _section(self, block: dict[str, Any], at: str) -> None:
        if "text" not in block and "fields" not in block:
            self.no("missing required field: text", at)
        if "text" in block:
            self.text(block["text"], f"{at}/text", 3000)
        if "fields" in block:
            for index, field in enumerate(self.items(block["fields"], f"{at}/fields", 10)):
                self.text(field, f"{at}/fields/{index}", 2000)
        if "accessory" in block:
            self.element(block["accessory"], f"{at}/accessory", "accessory")


def check_blocks(blocks: object, surface: str = "message") -> list[dict[str, Any]]:
    """The blocks, if a "message", "modal" or "home" may hold them."""
    if not isinstance(blocks, list):
        raise RefusedError("invalid_blocks_format")
    schema = _Schema()
    most = BLOCKS if surface == "message" else VIEW_BLOCKS
    schema.items(blocks, "/blocks", most, 0)
    for index, block in enumerate(blocks):
        schema.block(block, f"/blocks/{index}", surface)
    markdown = sum(
        len(str(block.get("text", ""))) for block in blocks if isinstance(block, dict) and is_markdown(block)
    )
    if markdown > MARKDOWN and not schema.problems:
        schema.no(f"markdown blocks hold more than {MARKDOWN} characters together", "/blocks")
    if schema.problems:
        raise RefusedError("invalid_blocks", *schema.problems)
    if surface == "message" and characters(blocks) + BLOCK_COST * len(blocks) > BLOCKS_TOTAL:
        raise RefusedError("msg_blocks_too_long")
    return blocks


def is_markdown(block: Mapping[str, Any]) -> bool:
    return block.get("type") == "markdown"


def characters(value: object) -> int:
    """How many characters of text the blocks hold in all."""
    if isinstance(value, dict):
        return sum(
            len(part) if key == "text" and isinstance(part, str) else characters(part) for key, part in value.items()
        )
    return sum(characters(part) for part in value) if isinstance(value, list) else 0


def check_metadata(metadata: object) -> dict[str, Any]:
    """A message's metadata, if its shape and size are right."""
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload", "entities"}:
        raise RefusedError("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not metadata["event_type"]:
        raise RefusedError("invalid_metadata_schema", "[ERROR] event_type must be a string that is not empty")
    if not isinstance(metadata.get("event_payload"), dict):
        raise RefusedError("invalid_metadata_schema", "[ERROR] event_payload must be an object")
    if len(json.dumps(metadata, ensure_ascii=False).encode()) > METADATA_BYTES:
        raise RefusedError("metadata_too_large")
    return metadata


def check_chunks(chunks: object) -> str:
    """The Markdown of a stream's chunks; task and plan chunks pass without text."""
    if not isinstance(chunks, list):
        raise RefusedError("invalid_chunks")
    text = ""
    for index, chunk in enumerate(chunks):
        kind = chunk.get("type") if isinstance(chunk, dict) else None
        match kind:
            case "markdown_text" if isinstance(chunk.get("text"), str):
                text += chunk["text"]
            case "task_update" if isinstance(chunk.get("id"), str) and isinstance(chunk.get("title"), str):
                if chunk.get("status") not in ("pending", "in_progress", "complete", "error"):
                    raise RefusedError(
                        "invalid_chunks", f"[ERROR] unknown status [json-pointer:/chunks/{index}/status]"
                    )
            case "plan_update" if isinstance(chunk.get("title"), str):
                pass
            case "blocks":
                check_blocks(chunk.get("blocks"))
            case _:
                raise RefusedError("invalid_chunks", f"[ERROR] unknown chunk [json-pointer:/chunks/{index}]")
    if len(text) > MARKDOWN:
        raise RefusedError("msg_too_long")
    return text


def check_view(view: object, kind: str) -> dict[str, Any]:
    """A view of `kind` "modal" or "home", if Slack would show it."""
    if not isinstance(view, dict):
        raise RefusedError("invalid_arguments", "[ERROR] view must be an object [json-pointer:/view]")
    schema = _Schema()
    schema.unknown(view, VIEW_FIELDS, "/view")
    if view.get("type") != kind:
        schema.no(f"must be of type {kind}", "/view/type")
    if kind == "modal":
        schema.text(view.get("title"), "/view/title", 24, plain=True)
        for label in ("submit", "close"):
            if label in view:
                schema.text(view[label], f"/view/{label}", 24, plain=True)
        blocks = view.get("blocks")
        if isinstance(blocks, list) and any(b.get("type") == "input" for b in blocks) and "submit" not in view:
            schema.no("missing required field: submit, which inputs need", "/view")
    else:
        for label in {"submit", "close"} & set(view):
            schema.no("a home tab has no buttons of its own", f"/view/{label}")
    for name, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        if name in view:
            schema.string(view[name], f"/view/{name}", most, 0)
    if schema.problems:
        raise RefusedError("invalid_arguments", *schema.problems)
    try:
        check_blocks(view.get("blocks"), kind)
    except RefusedError as refused:
        raise RefusedError(
            "invalid_arguments", *(refused.details or ("[ERROR] blocks [json-pointer:/view]",))
        ) from None
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        raise RefusedError("view_too_large")
    return view
