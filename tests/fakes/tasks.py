"""Tasks in tests: the shipped library, a model that does what a step asks, and what a human types at each gate."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.core.modes.tasks.words import Asked, asked
from bot.core.prompt import Prompt
from bot.personas.library import Library
from tests.fakes.model import Says

AGENTS = Path(__file__).parents[2] / "agents"

TASKS = AGENTS / "bmad" / "tasks"


@lru_cache(maxsize=1)
def library() -> Library:
    """The library that is shipped."""
    return Library((), AGENTS)


def last_asked(prompt: Prompt) -> Asked | None:
    """The step that was asked for last, wherever in the prompt."""
    blocks = [json.loads(block.json) for message in prompt.messages for block in message.blocks]
    found = [asked(str(block.get("text", ""))) for block in blocks]
    return next((each for each in reversed(found) if each), None)


def given(step: Asked, **more: Any) -> dict[str, Any]:
    """The input of the call that ends a step."""
    values = {name: f"{name.replace('_', '-')}-1" for name in step.names}
    return {
        "step": step.step,
        "result": f"Did {step.step}.",
        "holds": True,
        "why": "it is so",
        "values": values,
        **more,
    }


def doing(prompt: Prompt, n: int) -> Says:
    """A model that does each step in one reply, every text another one."""
    step = last_asked(prompt)
    if step is None:
        return Says.text("Fine.")
    text = f"# Text {n}\n\nWhat {step.step} gives.\n" if step.writes else f"Words of {step.step}, {n}. "
    return Says((text,), (("complete_step", given(step)),))


ANSWERS = {"InputGate": "It is about invoices.", "AnswerGate": "1", "AgainGate": "2"}
"""What a human types at a gate to bring a task to its end; 1 elsewhere, or the first option that does not end it."""
