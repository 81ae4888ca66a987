"""A reply of the Messages API as its events come in: the text to show, and the whole when it has ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.models.counts import told_of

_OF_BLOCK = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("thinking", "signature"),
    "citations_delta": ("text", "citation"),
    "input_json_delta": ("tool_use", "partial_json"),
}
"""Type of a delta -> the type of block that it belongs to, and the field that it brings (docs, streaming messages)."""

_CALLS = frozenset({"tool_use", "server_tool_use"})


class OversizedError(Exception):
    """The reply is longer than it may be; what came before stands."""


class IncomingReply:
    """Takes the events of one reply. `most` bounds its blocks, in characters of text, thinking and tool input.

    What came before the message began is passed over, and so is what is not known. Whatever cannot be read raises
    ValueError, TypeError or LookupError.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._blocks: list[dict[str, Any]] = []
        self._parts: list[list[str]] = []
        self._usage: dict[str, object] = {}
        self._size = 0
        self.has_begun = False
        self.has_ended = False
        self.stop: str | None = None
        self.letters = 0
        """Characters that a model has written, thinking and tool input included."""

    @property
    def usage(self) -> Mapping[str, object]:
        """What the service has told of it so far, by its own names, unchecked."""
        return self._usage

    def take(self, data: str) -> tuple[str, bool]:
        """Take an event; the text that it brings, "" for none, and whether it shows that somebody is writing."""
        event = json.loads(data)
        match event["type"]:
            case "content_block_delta" if self.has_begun:
                return self._delta(event["index"], event["delta"])
            case "message_start" if not self.has_begun:
                self._start(event["message"])
            case "content_block_start" if self.has_begun:
                self._grow(len(data))
                self._open(event["content_block"])
            case "message_delta" if self.has_begun:
                self.stop = event["delta"].get("stop_reason")
                self._usage.update(told_of(event.get("usage")))
            case "message_stop" if self.has_begun:
                self.has_ended = True
            case _:
                return "", False
        return "", True

    def blocks(self) -> list[dict[str, Any]]:
        """The content blocks as they stand, tool input read as far as it has come. Raises ValueError."""
        return [self._closed(block, parts) for block, parts in zip(self._blocks, self._parts, strict=True)]

    def _start(self, message: Mapping[str, Any]) -> None:
        self._usage = told_of(message.get("usage"))
        self.stop = message.get("stop_reason")
        for block in message.get("content") or ():
            self._open(block)
        self.has_begun = True

    def _open(self, block: Mapping[str, Any]) -> None:
        self._blocks.append(dict(block))
        self._parts.append([])

    def _delta(self, index: int, delta: Mapping[str, Any]) -> tuple[str, bool]:
        block, parts = self._blocks[index], self._parts[index]
        kind, field = _OF_BLOCK.get(delta["type"], ("", ""))
        of = "tool_use" if block.get("type") in _CALLS else block.get("type")
        if kind != of:
            return "", False
        brought = delta[field]
        if field == "citation":
            self._grow(len(json.dumps(brought)))
            block["citations"] = [*(block.get("citations") or ()), brought]
            return "", True
        size = len(brought)
        self._grow(size)
        if field == "signature":
            block["signature"] = brought
            return "", True
        parts.append(brought)
        self.letters += size
        return (brought if field == "text" else ""), bool(brought)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._most:
            raise OversizedError

    def _closed(self, block: dict[str, Any], parts: list[str]) -> dict[str, Any]:
        come = "".join(parts)
        match block.get("type"):
            case "text" | "thinking" as field:
                return {**block, field: block.get(field, "") + come}
            case kind if kind in _CALLS and come:
                # What the SDK reads tool input with: a call that was cut off keeps what is certain of it.
                from jiter import from_json

                return {**block, "input": from_json(come.encode(), partial_mode=True)}
            case _:
                return block
