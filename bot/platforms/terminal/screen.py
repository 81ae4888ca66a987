"""The terminal as people use it: a prompt that stays, and above it posts in colour and replies as they grow."""

from __future__ import annotations

import asyncio
import os
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import FormattedText, StyleAndTextTuples
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.shortcuts import print_formatted_text

from bot.core.model import Conversation, Inbound, Receipt, Voice
from bot.platforms.terminal.plain import AGAIN
from bot.platforms.terminal.typed import Orders, TerminalError, Typing, harmless
from bot.ports import MailboxFullError, Outgoing

COLOURS = ("ansicyan", "ansigreen", "ansiyellow", "ansimagenta", "ansiblue", "ansired")
TAKEN_BACK = "(taken back: an answer is on its way again)"


@dataclass(slots=True)
class Growing:
    """A reply that is being shown: what was printed of it, line by line, and what still grows above the prompt."""

    ref: str
    printed: str = ""
    tail: str = ""


class Screen:
    """One person at a terminal. `print` may be called at any time; the prompt is drawn again below."""

    def __init__(self, typing: Typing) -> None:
        self._typing = typing
        self._depth = ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None
        self._session: PromptSession[str] = PromptSession(message=self._prompt, color_depth=self._depth)
        self.tail: StyleAndTextTuples = []

    def _prompt(self) -> FormattedText:
        place = self._typing.place
        lines: StyleAndTextTuples = [*self.tail, ("", "\n")] if self.tail else []
        return FormattedText([*lines, ("bold", f"{place.user} in {place.label}"), ("", " > ")])

    def print(self, parts: StyleAndTextTuples) -> None:
        """Put a line above the prompt."""
        print_formatted_text(FormattedText(parts), color_depth=self._depth)

    def redraw(self) -> None:
        """Show the prompt, and what grows above it, as they are now."""
        if self._session.app.is_running:
            self._session.app.invalidate()

    async def converse(
        self, receive: Callable[[Inbound], Awaitable[bool]], answered: Callable[[], Awaitable[None]]
    ) -> None:
        """Take what is typed until `/quit` or Ctrl-D. Ctrl-C stops the reply that is being written."""
        self.print([("", "Greenroom. "), ("bold", "*help"), ("", " shows what can be done, "), ("bold", "/?")])
        with patch_stdout(raw=True):
            while not self._typing.left:
                try:
                    text = await self._session.prompt_async()
                except EOFError:
                    break
                except KeyboardInterrupt:
                    await receive(self._typing.message("stop"))
                    continue
                try:
                    read = self._typing.read(text)
                    if isinstance(read, Inbound):
                        await receive(read)
                    elif read:
                        self.print([("ansibrightblack", read)])
                except (TerminalError, MailboxFullError) as error:
                    self.print([("ansired", str(error))])
            self.tail = []
            await asyncio.wait({asyncio.ensure_future(answered())}, timeout=5)


class ScreenTransport:
    """A `bot.ports.Transport` onto a screen. What is printed stays: nothing can be found again, or taken back."""

    limit = 1_000_000

    def __init__(self, screen: Screen, orders: Orders) -> None:
        self._screen, self._orders = screen, orders
        self._growing: Growing | None = None

    async def post(self, out: Outgoing) -> Receipt:
        """Print it under its speaker's name."""
        self._head(out)
        self._screen.print([("", harmless(out.text)), ("", "\n")])
        return self._receipt()

    async def find(self, out: Outgoing) -> Receipt | None:
        """What was printed cannot be found again."""
        return None

    async def preview(self, out: Outgoing) -> str | None:
        """Begin to show a reply; None while another one grows, which is then posted when it is whole."""
        if self._growing is not None:
            return None
        self._head(out)
        self._growing = Growing(out.key)
        return out.key

    async def extend(self, ref: str, text: str) -> None:
        """Print what has become whole lines, and keep the last one growing above the prompt."""
        growing = self._growing
        if growing is None or growing.ref != ref:
            return
        lines, newline, tail = text.rpartition("\n")
        done = lines + newline
        if len(done) > len(growing.printed):
            self._screen.print([("", harmless(done[len(growing.printed) : -1]))])
            growing.printed = done
        growing.tail = tail
        self._screen.tail = [("", harmless(tail))] if tail else []
        self._screen.redraw()

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """Print the rest of the reply."""
        growing = self._end(ref)
        if growing is None or not out.text.startswith(growing.printed):
            return None
        self._screen.print([("", harmless(out.text[len(growing.printed) :])), ("", "\n")])
        return self._receipt()

    async def withdraw(self, ref: str) -> None:
        """Say that what was shown does not stand."""
        growing = self._end(ref)
        if growing is not None and (growing.printed or growing.tail):
            self._screen.print([("ansibrightblack", TAKEN_BACK)])

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        """What an earlier process printed cannot be found."""
        return None

    def _end(self, ref: str) -> Growing | None:
        growing = self._growing
        if growing is None or growing.ref != ref:
            return None
        self._growing = None
        self._screen.tail = []
        self._screen.redraw()
        return growing

    def _head(self, out: Outgoing) -> None:
        again = AGAIN.rstrip() if out.again else ""
        name = harmless(f"{out.voice.icon} {out.voice.name}")
        self._screen.print([(f"bold {colour(out.voice)}", name), ("ansibrightblack", f"  {again}".rstrip())])

    def _receipt(self) -> Receipt:
        order = self._orders.next()
        return Receipt(str(order), order)


def colour(voice: Voice) -> str:
    """The same colour for the same speaker, today and tomorrow."""
    return COLOURS[zlib.crc32(voice.name.encode()) % len(COLOURS)] if voice.persona else "ansibrightblack"
