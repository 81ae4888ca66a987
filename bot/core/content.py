"""What a model sent, as content blocks that can be sent back to it: read once, trusted in nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from bot.core.session import Call

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""What the Messages API takes as the id and the name of a tool call."""


def blocks(content: str) -> list[dict[str, Any]]:
    """The blocks of `content` that can be sent back to the API: whatever else a model sent is dropped."""
    try:
        given = json.loads(content)
    except ValueError:
        given = []
    whole = [b for b in given if isinstance(b, dict) and _is_whole(b)] if isinstance(given, list) else []
    first = {b["id"]: position for position, b in reversed(list(enumerate(whole))) if b["type"] == "tool_use"}
    return [b for position, b in enumerate(whole) if b["type"] != "tool_use" or first[b["id"]] == position]


def _is_whole(block: dict[str, Any]) -> bool:
    match block.get("type"):
        case "text":
            return isinstance(block.get("text"), str) and bool(block["text"].strip())
        case "thinking":
            return isinstance(block.get("thinking"), str) and bool(block.get("signature"))
        case "redacted_thinking":
            return isinstance(block.get("data"), str)
        case "tool_use":
            named = all(isinstance(block.get(key), str) and _NAME.fullmatch(block[key]) for key in ("id", "name"))
            return named and isinstance(block.get("input"), dict)
        case _:
            return False


def calls(whole: list[dict[str, Any]]) -> tuple[Call, ...]:
    """The tool calls among the blocks."""
    made = {b["id"]: b for b in whole if b["type"] == "tool_use"}
    return tuple(Call(i, b["name"], json.dumps(b["input"], ensure_ascii=False)) for i, b in made.items())


def text(whole: Iterable[dict[str, Any]]) -> str:
    """The words among the blocks, as they were streamed."""
    return "".join(block["text"] for block in whole if block["type"] == "text")


def written(whole: Iterable[dict[str, Any]]) -> str:
    """The blocks as JSON text; empty where nothing is left but thinking, which the API does not take alone."""
    kept = list(whole)
    if not any(block["type"] in ("text", "tool_use") for block in kept):
        return ""
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
