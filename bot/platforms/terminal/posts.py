"""Posts onto a screen: a reply's whole blocks above the prompt as they are finished, the growing one right over it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path

from prompt_toolkit.formatted_text import StyleAndTextTuples

from bot.core.model import Attachment, Conversation, Receipt, Voice
from bot.platforms.terminal.harmless import INDENT, in_one_line
from bot.platforms.terminal.markdown import blocks, laid_out
from bot.platforms.terminal.plain import AGAIN
from bot.platforms.terminal.saving import saved
from bot.platforms.terminal.screen import Screen
from bot.platforms.terminal.typed import Orders
from bot.platforms.terminal.welcome import DIM
from bot.ports.transport import Outgoing

COLOURS = ("ansicyan", "ansigreen", "ansiyellow", "ansimagenta", "ansiblue", "ansired")
TAKEN_BACK = "(taken back: what stands above was not finished)"


@dataclass(slots=True)
class Growing:
    """A reply that is being shown: how much of it was printed, and what still grows.

    `typed` is the screen's count of typed lines when its last block was printed: a line in between separates it from
    its name, which is then printed again.
    """

    out: Outgoing
    typed: int
    printed: str = ""
    tail: str = ""
    laid: tuple[str, int, StyleAndTextTuples] = field(default=("", 0, []))

    def live(self, width: int) -> StyleAndTextTuples:
        """The growing block, laid out again only when it or the width has changed."""
        if self.laid[:2] != (self.tail, width):
            self.laid = (self.tail, width, moved_in(self.tail, width))
        return self.laid[2]


class ScreenTransport:
    """A `bot.ports.transport.Transport` onto a screen. What is printed stays: nothing is found again or taken back."""

    limit = 1_000_000
    most = 0
    tables = True

    def __init__(self, screen: Screen, orders: Orders, files: Path | None = None) -> None:
        self._screen, self._orders, self._files = screen, orders, files
        self._growing: Growing | None = None

    async def post(self, out: Outgoing) -> Receipt:
        """Print it under its speaker's name; a file is saved. Raises FormRefusedError where that cannot be."""
        text = f"`{saved(out, self._files)}`" if out.file else out.text
        self._screen.posts += 1
        await self._screen.show([*self._head(out, AGAIN if out.again else ""), *self._laid_out(text), ("", "\n")])
        return self._receipt()

    async def find(self, out: Outgoing) -> Receipt | None:
        """What was printed cannot be found again."""
        return None

    async def preview(self, out: Outgoing) -> str | None:
        """Begin to show a reply; None while another one grows, which is then posted when it is whole."""
        if self._growing is not None:
            return None
        self._screen.posts += 1
        self._growing = growing = Growing(out, self._screen.typed)
        self._screen.live, self._screen.speaking = growing.live, out.conversation
        await self._screen.show(self._head(out, AGAIN if out.again else ""))
        return out.key

    async def extend(self, ref: str, text: str) -> None:
        """Print the blocks that have become whole, and keep the last one growing over the prompt."""
        growing = self._growing
        if growing is None or growing.out.key != ref or not text.startswith(growing.printed):
            return
        *whole, growing.tail = blocks(text[len(growing.printed) :])
        if whole:
            done = "".join(whole)
            growing.printed += done
            await self._screen.show([*self._resumed(growing), *self._laid_out(done), ("", "\n")])
        self._screen.redraw()

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """Print the rest of the reply; None where it is not what was shown."""
        growing = self._end(ref)
        if growing is None:
            return None
        if not out.text.startswith(growing.printed):
            await self._screen.show([(DIM, f"{TAKEN_BACK}\n")])
            return None
        rest = out.text[len(growing.printed) :]
        await self._screen.show([*self._resumed(growing), *self._laid_out(rest), ("", "\n")])
        return self._receipt()

    async def withdraw(self, ref: str) -> None:
        """Say that what was shown does not stand."""
        if self._end(ref) is not None:
            await self._screen.show([(DIM, f"{TAKEN_BACK}\n")])

    async def busy(self, out: Outgoing) -> None:
        """There is nothing to show."""

    async def read(self, file: Attachment, room: int) -> Attachment:
        """Nobody can send a file through a terminal."""
        return replace(file, problem="files cannot be sent here")

    async def open_thread(self, conversation: Conversation, receipt: Receipt, title: str) -> Conversation | None:
        """A terminal has no threads."""
        return None

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        """What an earlier process printed cannot be found."""
        return None

    def _end(self, ref: str) -> Growing | None:
        growing = self._growing
        if growing is None or growing.out.key != ref:
            return None
        self._growing = self._screen.live = self._screen.speaking = None
        self._screen.redraw()
        return growing

    def _laid_out(self, markdown: str) -> StyleAndTextTuples:
        return moved_in(markdown, self._screen.width)

    def _head(self, out: Outgoing, mark: str) -> StyleAndTextTuples:
        where = self._screen.elsewhere(out.conversation)
        beside = "".join(f"  {word}" for word in (where, mark) if word)
        return [(f"bold {colour(out.voice)}", in_one_line(f"{out.voice.icon} {out.voice.name}")), (DIM, f"{beside}\n")]

    def _resumed(self, growing: Growing) -> StyleAndTextTuples:
        """The speaker's name once more, where something was typed since the last block."""
        if growing.typed == self._screen.typed:
            return []
        growing.typed = self._screen.typed
        return self._head(growing.out, "goes on")

    def _receipt(self) -> Receipt:
        order = self._orders.next()
        return Receipt(str(order), order)


def moved_in(markdown: str, width: int) -> StyleAndTextTuples:
    """A post's text, laid out and indented below its name, so that no text can look like another post."""
    found: StyleAndTextTuples = []
    is_begun = False
    for fragment in laid_out(markdown, width - len(INDENT)):
        if fragment[1] == "\n":
            is_begun = False
        elif not is_begun:
            found.append(("", INDENT))
            is_begun = True
        found.append(fragment)
    return found


def colour(voice: Voice) -> str:
    """The same colour for the same speaker, today and tomorrow."""
    return COLOURS[zlib.crc32(voice.name.encode()) % len(COLOURS)] if voice.persona else "ansibrightblack"
