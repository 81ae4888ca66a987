"""One message a line in, plain text out: the terminal as scripts use it."""

from __future__ import annotations

import asyncio
import codecs
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from bot.core.model import Attachment, Conversation, Inbound, Receipt
from bot.platforms.terminal.harmless import harmless, in_one_line, indented
from bot.platforms.terminal.saving import saved
from bot.platforms.terminal.typed import Orders, TerminalError, Typing
from bot.ports.mailbox import MailboxFullError
from bot.ports.transport import Outgoing

AGAIN = "(again)"
"""Put before what an earlier process may have printed already: a printed line cannot be looked up."""

NEWER = (
    "What is waiting in this state file was saved by a newer Greenroom, and this one leaves it alone. "
    "Start the newer one to have it answered, or name another file with --state."
)
"""Told where messages wait that no turn of this build will ever take."""

_CHUNK = 65536


class OutputError(Exception):
    """Nothing can be printed any more: the disk is full, or whoever read it is gone."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(
            f"Nothing more can be printed: {cause.strerror or cause}. What was not printed comes next time."
        )
        self.is_broken_pipe = isinstance(cause, BrokenPipeError)


def printed(stream: TextIO, out: Outgoing) -> None:
    """Print a post under its speaker's name. Raises OSError."""
    speaker = in_one_line(f"{out.voice.icon} {out.voice.name}")
    again = f"{AGAIN} " if out.again else ""
    stream.write(f"{speaker}: {again}{indented(harmless(out.text))}\n")
    stream.flush()


class PlainTransport:
    """A `bot.ports.transport.Transport` that prints posts as `icon Name: text`, whole: a pipe has no previews.

    Further lines of a text are indented: what begins at the margin is a post.

    When printing fails, the post does not fail, which would count against its turn; it waits until it is cancelled,
    and the turn is given back.
    """

    limit = 1_000_000
    most = 0
    tables = True

    def __init__(
        self,
        out: TextIO,
        orders: Orders,
        write: Callable[[TextIO, Outgoing], object] = printed,
        files: Path | None = None,
    ) -> None:
        """`write` prints a post; files are saved into the folder `files`."""
        self._out, self._orders, self._write, self._files = out, orders, write, files
        self._lost: asyncio.Future[OSError] = asyncio.get_running_loop().create_future()

    async def while_open(self, talk: Coroutine[None, None, bool]) -> bool:
        """Run `talk` for as long as its posts can be printed. Raises OutputError."""
        talking = asyncio.ensure_future(talk)
        try:
            await asyncio.wait((talking, self._lost), return_when=asyncio.FIRST_COMPLETED)
            if self._lost.done():
                raise OutputError(self._lost.result())
            return talking.result()
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)

    async def post(self, out: Outgoing) -> Receipt:
        """Print it; a file is saved. Raises FormRefusedError where that cannot be."""
        out = replace(out, text=saved(out, self._files)) if out.file else out
        try:
            self._write(self._out, out)
        except OSError as error:
            if not self._lost.done():
                self._lost.set_result(error)
            await asyncio.Event().wait()
        order = self._orders.next()
        return Receipt(str(order), order)

    async def find(self, out: Outgoing) -> Receipt | None:
        """What was printed cannot be found again."""
        return None

    async def preview(self, out: Outgoing) -> str | None:
        """There are none."""
        return None

    async def extend(self, ref: str, text: str) -> None:
        """There is nothing to extend."""

    async def seal(self, ref: str, out: Outgoing) -> Receipt | None:
        """There is nothing to seal."""
        return None

    async def withdraw(self, ref: str) -> None:
        """There is nothing to withdraw."""

    async def busy(self, out: Outgoing) -> None:
        """There is nothing to show."""

    async def read(self, file: Attachment, room: int) -> Attachment:
        """The file, where it came with its text; nobody can send another through a terminal."""
        if file.text is not None:
            return replace(file, text=file.text[:room], cut=len(file.text) > room)
        return replace(file, problem="files cannot be sent here")

    async def open_thread(self, conversation: Conversation, receipt: Receipt, title: str) -> Conversation | None:
        """A terminal has no threads."""
        return None

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        """There is nothing to be found."""
        return None


class Lines:
    """The lines of a file descriptor as UTF-8, read when they are asked for and without holding up anything else."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._waiting: list[str] = []
        self._open = [""]
        self._ended = False

    async def next(self) -> str:
        """The next line with its newline; "" at the end. Raises OSError where the input cannot be read."""
        while not self._waiting and not self._ended:
            chunk = await self._chunk()
            *whole, rest = self._decoder.decode(chunk, final=not chunk).split("\n")
            for line in whole:
                self._waiting.append("".join([*self._open, line, "\n"]))
                self._open = []
            self._open.append(rest)
            if not chunk:
                self._ended = True
                self._waiting += filter(None, ["".join(self._open)])
        return self._waiting.pop(0) if self._waiting else ""

    def _chunk(self) -> asyncio.Future[bytes]:
        # A thread of its own, since a regular file cannot be polled; a daemon on the bare descriptor, since nothing
        # can wake a read, and neither the end of the event loop nor of the process may wait for one.
        loop = asyncio.get_running_loop()
        found: asyncio.Future[bytes] = loop.create_future()

        def settle(chunk: bytes, error: OSError | None) -> None:
            if found.done():
                return
            if error:
                found.set_exception(error)
            else:
                found.set_result(chunk)

        def read() -> None:
            chunk, error = b"", None
            try:
                chunk = os.read(self._descriptor, _CHUNK)
            except OSError as problem:
                error = problem
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, chunk, error)

        threading.Thread(target=read, name="greenroom-input", daemon=True).start()
        return found


async def converse(
    lines: Callable[[], Awaitable[str]],
    errors: TextIO,
    typing: Typing,
    receive: Callable[[Inbound], Awaitable[bool]],
    answered: Callable[[], Awaitable[bool]],
    first: Sequence[Inbound] = (),
    leave: asyncio.Event | None = None,
) -> bool:
    """Send each line when the one before is answered, until the input ends ("") or `/quit`; then wait for the last.

    What is `first` is sent before any line. When `leave` is set, no further line is taken.
    False where something is left that nobody will answer; that is told when it is noticed.
    """
    is_told = False

    async def settled() -> None:
        nonlocal is_told
        if not await answered() and not is_told:
            is_told = True
            errors.write(f"{NEWER}\n")

    left = leave or asyncio.Event()
    await settled()
    for message in first:
        if not left.is_set():
            await receive(message)
            await settled()
    while not typing.left and (line := await _next_line(lines, left)):
        try:
            read = typing.read(line)
            if isinstance(read, Inbound):
                await receive(read)
            elif read:
                errors.write(f"{read}\n")
        except (TerminalError, MailboxFullError) as error:
            errors.write(f"{error}\n")
        await settled()
    return not is_told


async def _next_line(lines: Callable[[], Awaitable[str]], left: asyncio.Event) -> str:
    """The next line, or "" as soon as `left` is set."""
    reading, leaving = asyncio.ensure_future(lines()), asyncio.ensure_future(left.wait())
    try:
        await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
        return reading.result() if reading.done() and not left.is_set() else ""
    finally:
        reading.cancel()
        leaving.cancel()
        await asyncio.gather(reading, leaving, return_exceptions=True)
