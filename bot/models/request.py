"""A prompt in the form that the Messages API takes, and a reply's content in the form that it takes back. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bot.core.prompt import Message, Prompt, Tool
from bot.models.options import ModelOptions

LONG = {"type": "ephemeral", "ttl": "1h"}
"""Behind the system's last block: a persona's definition is the same for hours (docs, prompt caching)."""

SHORT = {"type": "ephemeral"}
"""Behind blocks of the conversation; it lives for the API's default of 5 minutes."""

_UNMARKABLE = frozenset({"thinking", "redacted_thinking"})
"""Types of blocks that the API gives no `cache_control`."""

_TAKEN_BACK: dict[str, tuple[str, ...]] = {
    "text": ("type", "text", "citations"),
    "thinking": ("type", "thinking", "signature"),
    "redacted_thinking": ("type", "data"),
    "tool_use": ("type", "id", "name", "input", "caller", "toolset_name"),
}
"""The fields of a reply's block that are accepted in a request; what a type not named here brings is kept whole."""


def body(prompt: Prompt, options: ModelOptions, model: str) -> dict[str, Any]:
    """What to send for `prompt`, `stream` aside. The same prompt gives the same bytes."""
    parts: dict[str, Any] = {
        "model": model,
        "max_tokens": options.max_tokens,
        "messages": _messages(prompt.messages, cache=options.cache),
    }
    if system := _system(prompt.system, cache=options.cache):
        parts["system"] = system
    if prompt.tools:
        parts["tools"] = [_tool(tool) for tool in sorted(prompt.tools, key=lambda t: t.name)]
    return parts


def content(blocks: Iterable[Mapping[str, Any]]) -> str:
    """The blocks of a reply as JSON text, ready to be sent back.

    Left out is what the API refuses in a request: fields of answers only, blank text, thinking without a signature.
    """
    kept = [block for block in map(_taken_back, blocks) if _is_accepted(block)]
    return whole(json.dumps(kept, ensure_ascii=False, separators=(",", ":")))


def whole(text: str) -> str:
    """`text` with halves of surrogate pairs joined, and lone ones replaced: neither UTF-8 nor a database takes them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _system(texts: Iterable[str], *, cache: bool) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": text} for text in texts if text.strip()]
    if blocks and cache:
        blocks[-1]["cache_control"] = LONG
    return blocks


def _tool(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": json.loads(tool.schema)}


def _messages(messages: Iterable[Message], *, cache: bool) -> list[dict[str, Any]]:
    """Without messages that hold nothing, which the API refuses; their neighbours of one role become one message."""
    sent: list[dict[str, Any]] = []
    flat: list[dict[str, Any]] = []
    for message in messages:
        blocks = [json.loads(block.json) for block in message.blocks]
        if not blocks:
            continue
        if sent and sent[-1]["role"] == message.role:
            sent[-1]["content"].extend(blocks)
        else:
            sent.append({"role": message.role, "content": blocks})
        for block, source in zip(blocks, message.blocks, strict=True):
            flat.append(block)
            if source.mark and cache:
                _mark(flat)
    return sent


def _mark(flat: list[dict[str, Any]]) -> None:
    """Put a breakpoint behind the last block that can bear one: thinking cannot, so it stands before that."""
    for block in reversed(flat):
        if block.get("type") not in _UNMARKABLE:
            block["cache_control"] = SHORT
            return


def _taken_back(block: Mapping[str, Any]) -> dict[str, Any]:
    fields = _TAKEN_BACK.get(str(block.get("type")), tuple(block))
    return {key: block[key] for key in fields if block.get(key) is not None}


def _is_accepted(block: Mapping[str, Any]) -> bool:
    match block.get("type"):
        case "text":
            return bool(str(block.get("text", "")).strip())
        case "thinking":
            return bool(block.get("signature"))
        case _:
            return True
