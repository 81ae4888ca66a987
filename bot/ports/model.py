"""What speaks for personas."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bot.core.events import Usage
from bot.core.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's finished reply: content blocks as JSON text, the API's stop reason, and what it cost.

    One that went on beyond all bounds stops with `oversized`, and has the text that came until then.
    """

    content: str
    stop: str
    usage: Usage


class ModelError(Exception):
    """No reply, or only part of one.

    `reason` is one of `bot.core.failures.REASONS`. `partial` is the text that had come when the stream broke;
    `detail` is for people and holds no secret.
    """

    def __init__(self, reason: str, detail: str = "", partial: str = "", usage: Usage | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.partial = partial
        self.usage = usage or Usage()


Show = Callable[[str], Awaitable[None]]
"""Takes the next piece of a reply's text as it comes in."""


@runtime_checkable
class Meter(Protocol):
    """What a `Show` may be besides: told what a call has come to that ends without a `Reply`, as it was cancelled."""

    def used(self, usage: Usage) -> None:
        """Note it; where nothing is told, nobody knows. Must neither wait nor raise."""


class Model(Protocol):
    """Something that answers a prompt."""

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        """Answer `prompt`, giving each piece of text to `show` as it comes. Raises ModelError; may be cancelled.

        What a cancelled call has come to so far is told to `show`, where that is a `Meter` and the service has told.
        """

    async def close(self) -> None:
        """Let go of connections."""
