"""What the models of the chaos tests say: by the prompt alone, so that a run without faults says the same."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from dataclasses import dataclass, replace
from typing import Any

from bot.core.prompt import Prompt
from bot.ports.model import Reply, Show
from tests.fakes.model import FakeModel, Says

TAG = re.compile(r"\bm\d+\b")
_TAKE = re.compile(r"Take [0-9a-f]+\. ")
_CALL = re.compile(r"call_[0-9a-f]+(_\d+)*")


def script(prompt: Prompt, _n: int = 0) -> Says:
    """Quote the tags of what was said last; "choose" asks a question, "look" reads a resource first."""
    blocks: list[dict[str, Any]] = [json.loads(block.json) for block in prompt.messages[-1].blocks]
    if any(block["type"] == "tool_result" for block in blocks):
        return Says.text("That is that, and so I go on.")
    text = " ".join(block["text"] for block in blocks if block["type"] == "text")
    noted = f"Noted {' '.join(TAG.findall(text))} with care."
    if "choose" in blocks[-1]["text"]:
        return replace(Says.text(noted), calls=(("ask", {"question": "Which one?", "options": ["red", "blue"]}),))
    if "look" in blocks[-1]["text"]:
        return replace(Says.text(noted), calls=(("load_resource", {"name": "prd-tmpl"}),))
    return Says.text(noted)


def without_takes(text: str) -> str:
    """`text` as it reads whichever of a model's takes it is."""
    return _CALL.sub("call", _TAKE.sub("", text))


@dataclass(frozen=True, slots=True)
class SlowModel:
    """Says what `script` says, a piece each `pause` seconds, and never the same twice: each take begins otherwise.

    It thinks for `wait` seconds before it begins.
    """

    pause: float
    wait: float = 0.0

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        """See `Model.reply`."""
        take = secrets.token_hex(4)
        await asyncio.sleep(self.wait)

        def said(asked: Prompt, _n: int) -> Says:
            says = script(asked)
            return replace(says, pieces=(f"Take {take}. ", *says.pieces))

        async def slowly(piece: str) -> None:
            await asyncio.sleep(self.pause)
            await show(piece)

        reply = await FakeModel(said).reply(prompt, slowly)
        return replace(reply, content=reply.content.replace('"call_', f'"call_{take}_'))

    async def close(self) -> None:
        """Nothing is held."""
