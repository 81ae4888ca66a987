"""The prompt of a persona: a pure, byte-stable function of its definition and the conversation's log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Block:
    """A content block in the Messages API's form, as JSON text; with `mark`, a cache breakpoint belongs behind it."""

    json: str
    mark: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """Consecutive blocks of one role; roles alternate and the first is the user's."""

    role: Literal["user", "assistant"]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model may call: name, what it is for, and the JSON Schema of its input as JSON text."""

    name: str
    description: str
    schema: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked.

    `system` are texts; a long-lived cache breakpoint belongs behind the last. `tools` are sorted by name and the
    same in every prompt of a persona. `model` is the persona's own wish or empty. At most three blocks of `messages` are
    marked, so that with the system's there are never more than the API's four.
    """

    who: str
    system: tuple[str, ...]
    tools: tuple[Tool, ...]
    messages: tuple[Message, ...]
    model: str = ""
