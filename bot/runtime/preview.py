"""The preview of a reply: what people watch while it is still being written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.core.events import Usage
from bot.core.tables import as_code
from bot.core.text import settled
from bot.ports import Outgoing, Transport


@dataclass(slots=True)
class Preview:
    """What people watch of a reply that is still being written."""

    transport: Transport
    out: Outgoing
    visible: Callable[[str], str]
    ref: str | None = None
    refused: bool = False
    heard: str = ""
    shown: str = ""
    usage: Usage | None = None

    async def add(self, piece: str) -> None:
        """Take the next piece and show what of the whole may be shown."""
        self.heard += piece
        text = self.visible(self.heard)
        if not self.transport.tables:
            text = as_code(text, finished=False)
        text = settled(text, self.transport.limit)
        if self.refused or not text or text == self.shown:
            return
        if self.ref is None:
            self.ref = await self.transport.preview(self.out)
            self.refused = self.ref is None
        if self.ref is not None:
            await self.transport.extend(self.ref, text)
            self.shown = text
