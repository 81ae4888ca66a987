"""The terminal as people use it: a prompt that stays, posts in colour above it, and a reply that grows over it."""

from __future__ import annotations

import asyncio
import os
import textwrap
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import in_terminal
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import FormattedText, StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import default_ui_style

from bot.core.commands import is_aside
from bot.core.model import Conversation, Inbound
from bot.platforms.terminal.harmless import harmless
from bot.platforms.terminal.markdown import NARROWEST, last_lines
from bot.platforms.terminal.notes import logged_to
from bot.platforms.terminal.offers import STARTS, Look, OffersCompleter
from bot.platforms.terminal.plain import NEWER
from bot.platforms.terminal.typed import TerminalError, Typing
from bot.platforms.terminal.welcome import DIM, SHORT, WRONG, Line
from bot.ports.mailbox import MailboxFullError

NARROW = 40
"""Below so many columns the prompt leaves out who types."""

_MENU_ROWS = 6
"""Rows kept free below the prompt for completions, where the terminal has room for them."""

LEAVING = "(what is being said may end first; Ctrl-C leaves at once, and it comes next time)"


class Screen:
    """One person at a terminal.

    `live` lays out what grows over the prompt, for a width; `speaking` is the conversation that it is said in. `posts`
    and `typed` count what was posted and what was typed.
    """

    def __init__(self, typing: Typing, look: Look, history: Path | None) -> None:
        self.live: Callable[[int], StyleAndTextTuples] | None = None
        self.speaking: Conversation | None = None
        self.posts = self.typed = 0
        self._typing, self._look = typing, look
        self._lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._printing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._following: asyncio.Task[None] | None = None
        self._busy = False
        self._hinted = (-1, "")
        self._stop: Callable[[], object] = lambda: None
        self._problem = ""
        self._depth = ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None
        self._session: PromptSession[str] = PromptSession(
            message=self._prompt,
            multiline=True,
            enable_suspend=True,
            prompt_continuation=lambda width, number, wrapped: [(DIM, "· ".rjust(min(width, 2)))],
            color_depth=self._depth,
            completer=OffersCompleter(look),
            complete_while_typing=Condition(self._completes),
            reserve_space_for_menu=_MENU_ROWS,
            key_bindings=self._keys(),
            history=self._history(history),
        )
        self._session.app.min_redraw_interval = 0.04

    @property
    def width(self) -> int:
        """Columns of the terminal."""
        return self._session.output.get_size().columns

    def elsewhere(self, conversation: Conversation) -> str:
        """Where something was said, if that is not where the person is."""
        if conversation == self._typing.place.conversation:
            return ""
        channel = conversation.channel
        return f"in a DM with {channel[1:]}" if channel.startswith("@") else f"in #{channel}"

    # -------------------------------------------------------- showing

    async def show(self, fragments: StyleAndTextTuples) -> None:
        """Put lines above the prompt; done when they stand there.

        Where the terminal is gone it never is: a post does not fail then, which would count against its turn, but is
        given back with it.
        """
        # Whoever waits may be cancelled; half a print would leave the prompt in pieces.
        await asyncio.shield(self._spawn(self._print(fragments)))
        if self._lost.done():
            await asyncio.Event().wait()

    def note(self, text: str, style: str = DIM) -> None:
        """Print a line of the terminal's own, as soon as that can be."""
        lines = harmless(text).split("\n")
        self._spawn(self._print([part for line in lines for part in self._filled(line, style)]))

    def _filled(self, line: str, style: str) -> StyleAndTextTuples:
        room, inside = max(self.width, NARROWEST), line[: len(line) - len(line.lstrip())]
        return [(style, textwrap.fill(line, room, subsequent_indent=inside, break_on_hyphens=False) + "\n")]

    def redraw(self) -> None:
        """Show the prompt, and what grows over it, as they are now."""
        if self._session.app.is_running:
            self._session.app.invalidate()

    async def _print(self, fragments: StyleAndTextTuples) -> None:
        async with self._printing, in_terminal():
            style = default_ui_style()
            print_formatted_text(self._session.output, FormattedText(fragments), style, color_depth=self._depth)

    def _prompt(self) -> FormattedText:
        size = self._session.output.get_size()
        place = self._typing.place
        who = f"{place.user} in {place.label}" if size.columns >= NARROW else place.label[: max(1, size.columns // 2)]
        parts: StyleAndTextTuples = [("bold", who), ("", " > ")]
        if self._session.app.is_done:
            return FormattedText(parts)
        growing = last_lines(self.live(size.columns), max(1, size.rows // 2 - 1)) if self.live else []
        if not growing and self._busy:
            growing = [(DIM, "…")]
        return FormattedText([*growing, ("", "\n"), *parts] if growing else parts)

    # -------------------------------------------------------- typing

    def _completes(self) -> bool:
        text = self._session.default_buffer.text
        rows = self._session.output.get_size().rows
        return rows >= 2 * _MENU_ROWS and (text[:1] in STARTS or text.isdecimal()) and bool(text)

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter")
        def _(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if buffer.complete_state and buffer.complete_state.current_completion:
                buffer.complete_state = None
            else:
                buffer.validate_and_handle()

        @keys.add("escape", "enter")
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text("\n")

        @keys.add("c-c")
        @keys.add("<sigint>")
        def _(event: KeyPressEvent) -> None:
            if self._busy:
                self._stop()
            elif event.current_buffer.text:
                event.current_buffer.reset()
            else:
                self.note("No reply is running. /quit or Ctrl-D leaves.")

        return keys

    def _history(self, path: Path | None) -> History:
        """What was typed before, from a file that only its owner reads."""
        if path is None:
            return InMemoryHistory()
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
        except OSError as error:
            self._problem = f"What you type is not remembered: {path} cannot be written ({error.strerror})."
            return InMemoryHistory()
        return FileHistory(str(path))

    # -------------------------------------------------------- conversing

    async def converse(
        self,
        receive: Callable[[Inbound], Awaitable[bool]],
        answered: Callable[[], Awaitable[bool]],
        welcome: Sequence[Line] = SHORT,
        first: Sequence[Inbound] = (),
        leave: asyncio.Event | None = None,
    ) -> None:
        """Take what is typed until `/quit`, Ctrl-D or `leave`; before, show the `welcome` and send what is `first`.

        Raises what went wrong beside it: OSError without a terminal.
        """

        def follow(text: str) -> None:
            if not self._busy:
                self._busy = True
                self._following = self._spawn(self._follow(text, answered))

        async def send(message: Inbound) -> None:
            try:
                await receive(message)
            except MailboxFullError as error:
                self.note(str(error), WRONG)
            follow(message.text)

        async def stop() -> None:
            message = self._typing.message("stop")
            if where := self.speaking:
                message = replace(message, conversation=where, direct=where.channel.startswith("@"))
            await receive(message)

        self._stop = lambda: self._spawn(stop())
        with patch_stdout(), logged_to(self.note):
            try:
                self._spawn(self._print([part for style, line in welcome for part in self._filled(line, style)]))
                if self._problem:
                    self.note(self._problem, WRONG)
                follow("")
                for message in first:
                    await send(message)
                while not self._typing.left and (text := await self._typed(leave)) is not None:
                    await self._read(text, send)
                if self._busy:
                    self.note(LEAVING)
            finally:
                self.live = None
                if self._following:
                    self._following.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _typed(self, leave: asyncio.Event | None) -> str | None:
        """The next thing that is typed; None when the person leaves, or is to."""
        asking = asyncio.ensure_future(self._session.prompt_async(handle_sigint=True))
        leaving = asyncio.ensure_future((leave or asyncio.Event()).wait())
        try:
            await asyncio.wait((asking, self._lost, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                if self._lost.done():
                    raise self._lost.result()
                return None
            self.typed += 1
            return asking.result()
        except EOFError:
            return None
        finally:
            asking.cancel()
            leaving.cancel()
            await asyncio.gather(asking, leaving, return_exceptions=True)

    async def _read(self, text: str, send: Callable[[Inbound], Awaitable[None]]) -> None:
        try:
            read = self._typing.read(text)
        except TerminalError as error:
            self.note(str(error), WRONG)
            return
        if isinstance(read, Inbound):
            await send(read)
        elif read:
            self.note(read)

    async def _follow(self, text: str, answered: Callable[[], Awaitable[bool]]) -> None:
        """Wait for what was sent to be answered, and say so where it came to nothing at all."""
        before = self.posts
        try:
            is_answered = await answered()
        finally:
            self._busy = False
            self.redraw()
        if not is_answered:
            self.note(NEWER, WRONG)
        elif text and self.posts == before:
            await self._hint(text)

    async def _hint(self, text: str) -> None:
        """Say why nobody spoke: once for each reason, until somebody speaks again."""
        if not (await self._look()).active:
            reason = "nobody is on here: *help shows who can be called"
        elif is_aside(text):
            reason = "an aside: no persona hears it"
        else:
            reason = "nobody answers that: *status shows who is on, and what is waited for"
        if self._hinted != (self.posts, reason):
            self._hinted = (self.posts, reason)
            self.note(f"({reason})")

    # -------------------------------------------------------- what runs beside

    def _spawn(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Let `work` run; what it raises ends the conversation."""

        async def run() -> None:
            try:
                await work
            except Exception as error:
                if not self._lost.done():
                    self._lost.set_result(error)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
