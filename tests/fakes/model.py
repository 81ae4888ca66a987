"""A model that says what it is told to, and refuses the prompts that the Messages API refuses."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from bot.core.events import Usage
from bot.core.prompt import Prompt
from bot.ports.model import ModelError, Reply, Show


@dataclass(frozen=True, slots=True)
class Says:
    """One reply: its text in pieces, its tool calls, and how it stops."""

    pieces: tuple[str, ...] = ()
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    stop: str = ""
    usage: Usage = field(default_factory=lambda: Usage(input=10, output=5, model="fake"))

    @classmethod
    def text(cls, text: str, stop: str = "") -> Says:
        return cls(tuple(word + " " for word in text.split(" ")), (), stop)


Script = Callable[[Prompt, int], Says | ModelError]


@dataclass(slots=True)
class FakeModel:
    """`script(prompt, n)` gives the n-th reply, counted from 1. `on_piece` runs after each piece of the n-th reply."""

    script: Script
    prompts: list[Prompt] = field(default_factory=list)
    on_piece: Callable[[int, int], Awaitable[None]] | None = None

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        refuse_what_the_api_refuses(prompt)
        self.prompts.append(prompt)
        n = len(self.prompts)
        says = self.script(prompt, n)
        if isinstance(says, ModelError):
            raise says
        for number, piece in enumerate(says.pieces, 1):
            await show(piece)
            if self.on_piece:
                await self.on_piece(n, number)
        blocks: list[dict[str, Any]] = []
        if says.pieces:
            blocks.append({"type": "text", "text": "".join(says.pieces)})
        for number, (name, given) in enumerate(says.calls, 1):
            blocks.append({"type": "tool_use", "id": f"call_{n}_{number}", "name": name, "input": given})
        stop = says.stop or ("tool_use" if says.calls else "end_turn")
        return Reply(json.dumps(blocks), stop, says.usage)

    async def close(self) -> None:
        """Nothing is held."""


def refuse_what_the_api_refuses(prompt: Prompt) -> None:
    """Raise what the API would: wrong roles, empty content, tool calls and results that do not pair up."""
    roles = [m.role for m in prompt.messages]
    if not roles or roles[0] != "user" or any(a == b for a, b in pairwise(roles)):
        raise ModelError("bad-request", f"roles {roles}")
    if roles[-1] != "user":
        raise ModelError("bad-request", "the last message is the assistant's")
    open_calls: list[str] = []
    for message in prompt.messages:
        blocks = [json.loads(b.json) for b in message.blocks]
        if not blocks:
            raise ModelError("bad-request", "empty content")
        kinds = [b["type"] for b in blocks]
        if message.role == "user":
            results = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
            if sorted(results) != sorted(open_calls):
                raise ModelError("bad-request", f"calls {open_calls} are answered by {results}")
            if "tool_result" in kinds[len(results) :]:
                raise ModelError("bad-request", "tool results come first")
            open_calls = []
        else:
            open_calls = [b["id"] for b in blocks if b["type"] == "tool_use"]
        if any(b["type"] == "text" and not b["text"].strip() for b in blocks):
            raise ModelError("bad-request", "an empty text block")
