"""A stand-in that needs no model and no key, for trying flows. It says of every reply what it is."""

from __future__ import annotations

import json
import re

from bot.core.documents import brief as briefs
from bot.core.events import Usage
from bot.core.modes.tasks.words import Asked, asked
from bot.core.prompt import Prompt
from bot.core.shapes import DELIMITER, MARK
from bot.core.speakers import HOST_MARK
from bot.core.tools import COMPLETE
from bot.models.rehearsal_drafts import LABEL, draft
from bot.ports.clock import Clock
from bot.ports.model import Meter, Reply, Show

NAME = "rehearsal"
"""The name that it is chosen by; nothing else leads to it."""

_QUOTED = 280
_WORDS_A_PIECE = 3


class Rehearsal:
    """A `bot.ports.model.Model` that repeats what it was told, labelled, the same for the same prompt.

    `pause` is the time between two pieces in seconds, as if somebody were writing.
    """

    def __init__(self, clock: Clock, pause: float = 0.02) -> None:
        self._clock = clock
        self._pause = pause

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        """Say, piece by piece, whose words would stand here and what was said last."""
        text = lines(prompt)
        if isinstance(show, Meter):
            show.used(Usage(model=NAME))  # nothing is paid, also where somebody stops it
        for number, piece in enumerate(pieces(text)):
            if number:
                await self._clock.sleep(self._pause)
            await show(piece)
        blocks: list[dict[str, object]] = [{"type": "text", "text": text}]
        call = completed(prompt)
        if call:
            blocks.append(
                {"type": "tool_use", "id": f"rehearsal_{len(prompt.messages)}", "name": COMPLETE, "input": call}
            )
        content = json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))
        return Reply(content, "tool_use" if call else "end_turn", Usage(model=NAME))

    async def close(self) -> None:
        """Nothing is open."""


def lines(prompt: Prompt) -> str:
    """The labelled reply to `prompt`: a draft where a section of a document is asked for, else what was said last."""
    if prompt.brief:
        return _proposed(prompt)
    if found := _step(prompt):
        done = f"{LABEL} Here a model would do the step `{found.step}`; none was asked."
        return f"# {LABEL} {found.step}\n\n{done}" if found.writes else done
    said = _last_said(prompt)
    heard = f"Last said: “{said}”" if said else "Nothing was said yet."
    return f"{LABEL} Here a model would speak for `{prompt.who}`; none was asked. {heard}"


def completed(prompt: Prompt) -> dict[str, object] | None:
    """The call that ends the step of a task which `prompt` asks for; None where it asks for none."""
    found = _step(prompt)
    if found is None:
        return None
    values = {name: f"rehearsal-{name.replace('_', '-')}" for name in found.names}
    why = "a rehearsal takes every condition for fulfilled"
    return {"step": found.step, "result": f"{LABEL} Done.", "holds": True, "why": why, "values": values}


def _step(prompt: Prompt) -> Asked | None:
    """The step of a task that was asked for since somebody of the model's side spoke last."""
    if not prompt.messages or prompt.messages[-1].role != "user":
        return None
    texts = [str(json.loads(block.json).get("text", "")) for block in prompt.messages[-1].blocks]
    found = [asked(text) for text in texts if text.startswith(HOST_MARK)]
    return next((each for each in reversed(found) if each), None)


def _proposed(prompt: Prompt) -> str:
    """A draft of a section, or a new one, or what a method found and the text that comes of it."""
    known = briefs.load(prompt.brief)
    why = f"{DELIMITER}\n{LABEL} A model would say here why the section is so, and what it is least sure of."
    match prompt.shape:
        case "redraft":
            return f"{MARK}\n{draft(known, _last_human(prompt))}\n{why}"
        case "finding":
            found = f"{LABEL} Here a model would say what it found."
            return f"{found}\n{MARK}\n{draft(known, 'what was found')}"
        case _:
            return f"{draft(known)}\n{why}"


def _last_human(prompt: Prompt) -> str:
    """What a person said last, in one line without signs that could end it or begin another."""
    blocks = [block for message in prompt.messages if message.role == "user" for block in message.blocks]
    texts = (str(json.loads(block.json).get("text", "")) for block in reversed(blocks))
    said = next((text for text in texts if text and not text.startswith(HOST_MARK)), "")
    plain = re.sub(r"[^\w\s,.;!?-]", " ", said.partition(": ")[2])
    return " ".join(plain.split())[:_QUOTED] or "what was said"


def pieces(text: str) -> list[str]:
    """`text` in parts of a few words each; put together they are `text` again."""
    words = re.findall(r"\s*\S+\s*$|\s*\S+", text)
    return ["".join(words[i : i + _WORDS_A_PIECE]) for i in range(0, len(words), _WORDS_A_PIECE)]


def _last_said(prompt: Prompt) -> str:
    """The last user block in one line, so that no line of the quote looks like somebody speaking."""
    blocks = [block for message in prompt.messages if message.role == "user" for block in message.blocks]
    if not blocks:
        return ""
    block = json.loads(blocks[-1].json)
    text = " ".join(str(block.get("text") or block.get("content") or "").split())
    return text if len(text) <= _QUOTED else text[: _QUOTED - 1].rstrip() + "…"
