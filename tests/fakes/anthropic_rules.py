"""What the Messages API refuses in a request, as far as a chat bot can run into it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

MARKERS = 4
"""Most blocks with `cache_control` in one request."""

_TOP = frozenset(
    {
        *("model", "max_tokens", "messages", "system", "tools", "tool_choice", "stream", "thinking", "metadata"),
        *("stop_sequences", "output_config", "service_tier", "cache_control", "container"),
    }
)
_REMOVED = ("temperature", "top_p", "top_k")
_FIELDS: dict[str, frozenset[str]] = {
    "text": frozenset({"type", "text", "cache_control", "citations"}),
    "image": frozenset({"type", "source", "cache_control"}),
    "document": frozenset({"type", "source", "cache_control", "title", "context", "citations"}),
    "tool_use": frozenset({"type", "id", "name", "input", "cache_control", "caller", "toolset_name"}),
    "tool_result": frozenset({"type", "tool_use_id", "content", "is_error", "cache_control"}),
    "thinking": frozenset({"type", "thinking", "signature"}),
    "redacted_thinking": frozenset({"type", "data"}),
}
_OF_ROLE = {
    "user": frozenset({"text", "image", "document", "tool_result"}),
    "assistant": frozenset({"text", "tool_use", "thinking", "redacted_thinking"}),
}
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


class RefusedError(Exception):
    """The request breaks a rule; the text says where and which."""


def signature(thinking: str) -> str:
    """The signature that the fake puts under a thinking block, and asks for when the block comes back."""
    return "sig_" + hashlib.sha256(thinking.encode()).hexdigest()[:24]


def check(body: Any) -> None:
    """Hold a request's body to the rules. Raises RefusedError."""
    _require(isinstance(body, dict), "the body is no JSON object")
    for name in _REMOVED:
        _require(name not in body, f"{name}: this parameter is not supported by this model")
    for name in body:
        _require(name in _TOP, f"{name}: Extra inputs are not permitted")
    _require(isinstance(body.get("model"), str) and body["model"], "model: Field required")
    limit = body.get("max_tokens")
    _require(isinstance(limit, int) and not isinstance(limit, bool), "max_tokens: Field required")
    _require(limit >= 1, "max_tokens: must be at least 1")
    _require(body.get("stream") is True, "stream: this server only streams")
    _tools(body)
    _system(body.get("system", []))
    _messages(body.get("messages"))
    _markers(body)


def _require(holds: object, otherwise: str) -> None:
    if not holds:
        raise RefusedError(otherwise)


def _tools(body: dict[str, Any]) -> None:
    choice = body.get("tool_choice", {"type": "auto"})
    _require(isinstance(choice, dict), "tool_choice: Input should be an object")
    _require(choice.get("type") in ("auto", "none"), "tool_choice: forced tool use is not supported by this model")
    tools = body.get("tools", [])
    _require(isinstance(tools, list), "tools: Input should be a valid array")
    names = set()
    for i, tool in enumerate(tools):
        at = f"tools.{i}"
        _require(isinstance(tool, dict), f"{at}: Input should be an object")
        name = tool.get("name")
        _require(isinstance(name, str) and _TOOL_NAME.fullmatch(name), f"{at}.name: String should match the pattern")
        _require(name not in names, "tools: Tool names must be unique.")
        names.add(name)
        schema = tool.get("input_schema")
        _require(isinstance(schema, dict) and schema.get("type") == "object", f"{at}.input_schema.type: Field required")
        unknown = set(tool) - {"name", "description", "input_schema", "cache_control", "type", "strict"}
        _require(not unknown, f"{at}: Extra inputs are not permitted: {sorted(unknown)}")


def _system(system: Any) -> None:
    if isinstance(system, str):
        return
    _require(isinstance(system, list), "system: Input should be a string or an array")
    for i, block in enumerate(system):
        _require(isinstance(block, dict) and block.get("type") == "text", f"system.{i}: Input should be a text block")
        _block(block, f"system.{i}")


def _messages(messages: Any) -> None:
    _require(isinstance(messages, list) and messages, "messages: at least one message is required")
    open_calls: list[str] = []
    for i, message in enumerate(messages):
        at = f"messages.{i}"
        _require(isinstance(message, dict) and set(message) == {"role", "content"}, f"{at}: needs role and content")
        role = message["role"]
        _require(role in _OF_ROLE, f"{at}.role: Input should be 'user' or 'assistant'")
        _require(i > 0 or role == "user", 'messages: first message must use the "user" role')
        _require(i == 0 or role != messages[i - 1]["role"], f"{at}: roles must alternate between user and assistant")
        blocks = _content(message["content"], at)
        for n, block in enumerate(blocks):
            _require(block["type"] in _OF_ROLE[role], f"{at}.content.{n}: {block['type']} is not for the role {role}")
            _block(block, f"{at}.content.{n}")
        if role == "user":
            _results(blocks, open_calls, at)
        open_calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        _require(len(set(open_calls)) == len(open_calls), f"{at}: `tool_use` ids must be unique")
    _require(not open_calls, f"messages: `tool_use` ids were found without `tool_result` blocks: {open_calls}")
    last = messages[-1]
    if last["role"] == "assistant":
        text = last["content"] if isinstance(last["content"], str) else last["content"][-1].get("text", "")
        _require(text == text.rstrip(), "messages: final assistant content cannot end with trailing whitespace")


def _content(content: Any, at: str) -> list[dict[str, Any]]:
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    _require(isinstance(content, list) and content, f"{at}: all messages must have non-empty content")
    for n, block in enumerate(content):
        _require(isinstance(block, dict) and block.get("type") in _FIELDS, f"{at}.content.{n}: unknown type of block")
    return list(content)


def _results(blocks: list[dict[str, Any]], open_calls: list[str], at: str) -> None:
    """Every call of the assistant's message before is answered once, in front of everything else."""
    leading = []
    for block in blocks:
        if block["type"] != "tool_result":
            break
        leading.append(block["tool_use_id"])
    every = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
    for call in every:
        _require(call in open_calls, f"{at}: unexpected `tool_use_id` found in `tool_result` blocks: {call}")
    missing = [call for call in open_calls if call not in leading]
    _require(not missing, f"{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {missing}")
    _require(len(every) == len(open_calls), f"{at}: each `tool_use` must have a single result at the message's start")


def _block(block: dict[str, Any], at: str) -> None:
    unknown = set(block) - _FIELDS[block["type"]]
    _require(not unknown, f"{at}.{block['type']}: Extra inputs are not permitted: {sorted(unknown)}")
    match block["type"]:
        case "text":
            text = block.get("text") or ""
            _require(isinstance(text, str) and text, f"{at}: text content blocks must be non-empty")
            _require(text.strip(), f"{at}: text content blocks must contain non-whitespace text")
            _require(isinstance(block.get("citations", []), list), f"{at}.citations: Input should be a valid array")
        case "tool_use":
            _require(re.fullmatch(r"[a-zA-Z0-9_-]+", str(block.get("id", ""))), f"{at}.id: String should match")
            _require(_TOOL_NAME.fullmatch(str(block.get("name", ""))), f"{at}.name: String should match the pattern")
            _require(isinstance(block.get("input"), dict), f"{at}.input: Input should be an object")
        case "tool_result":
            _require(isinstance(block.get("tool_use_id"), str), f"{at}.tool_use_id: Field required")
            _require(isinstance(block.get("content", ""), str | list), f"{at}.content: Input should be text or blocks")
        case "thinking":
            _require(block.get("signature"), f"{at}.signature: Field required")
            genuine = block["signature"] == signature(str(block.get("thinking")))
            _require(genuine, f"{at}: Invalid `signature` in `thinking` block")
        case "redacted_thinking":
            _require(block.get("data"), f"{at}.data: Field required")


def _markers(body: dict[str, Any]) -> None:
    markers = [block["cache_control"] for _, block in blocks_in_order(body) if block.get("cache_control") is not None]
    _require(
        len(markers) <= MARKERS,
        f"A maximum of {MARKERS} blocks with cache_control may be provided. Found {len(markers)}.",
    )
    is_short = False
    for marker in markers:
        _require(
            isinstance(marker, dict)
            and marker.get("type") == "ephemeral"
            and not set(marker) - {"type", "ttl"}
            and marker.get("ttl", "5m") in ("5m", "1h"),
            f"cache_control: Input should be ephemeral with a ttl of 5m or 1h, not {json.dumps(marker)}",
        )
        is_long = marker.get("ttl") == "1h"
        _require(not (is_long and is_short), "cache_control: a ttl='1h' block must not come after a ttl='5m' block")
        is_short = is_short or not is_long


def blocks_in_order(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every block of a request with where it stands, in the order that the cache knows: tools, system, messages."""
    for tool in body.get("tools", []):
        yield "tools", tool
    system = body.get("system", [])
    for block in [{"type": "text", "text": system}] if isinstance(system, str) else system:
        yield "system", block
    for i, message in enumerate(body["messages"]):
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            yield f"{message['role']} {i}", block
