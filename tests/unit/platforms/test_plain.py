"""Lines out of a descriptor, posts into a stream, and what is told when either is not as it should be."""

from __future__ import annotations

import asyncio
import errno
import io
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.core.model import HOST, Conversation, Inbound, Voice
from bot.platforms.terminal.plain import NEWER, Lines, OutputError, PlainTransport, converse
from bot.platforms.terminal.typed import Orders, Place, Typing
from bot.ports.mailbox import MailboxFullError
from bot.ports.transport import Outgoing

HERE = Conversation("terminal", "local", "general")


def outgoing(text: str, voice: Voice = HOST, *, again: bool = False) -> Outgoing:
    return Outgoing("k", HERE, voice, text, 0, again=again)


async def every(lines: Lines) -> list[str]:
    found = []
    while line := await lines.next():
        found.append(line)
    return found


async def test_lines_come_whole_however_the_input_is_cut() -> None:
    reading, writing = os.pipe()
    try:
        lines = Lines(reading)
        first = asyncio.ensure_future(lines.next())
        for byte in "\ufeffgrün".encode():
            os.write(writing, bytes([byte]))
            await asyncio.sleep(0)
        assert not first.done()
        os.write(writing, b"\nsecond\n\nlast")
        os.close(writing)
        assert await first == "grün\n"
        assert await every(lines) == ["second\n", "\n", "last"]
        assert await lines.next() == ""
    finally:
        os.close(reading)


async def test_a_regular_file_is_read_too_whatever_its_length(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(b"x" * 200_000 + b"\nbroken \xff\n")
    with path.open("rb") as file:
        assert await every(Lines(file.fileno())) == ["x" * 200_000 + "\n", "broken \ufffd\n"]


async def test_an_input_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(OSError) as told:
            await Lines(folder).next()
        assert told.value.errno == errno.EISDIR
    finally:
        os.close(folder)


async def test_a_read_that_nobody_waits_for_any_more_holds_nothing_up() -> None:
    reading, writing = os.pipe()
    lines = Lines(reading)
    waiting = asyncio.ensure_future(lines.next())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    os.close(writing)
    os.close(reading)


async def test_a_post_is_a_name_and_text_below_which_nothing_stands_at_the_margin() -> None:
    out = io.StringIO()
    transport = PlainTransport(out, Orders())
    first = await transport.post(
        outgoing(
            "Hello\nyou\n\n🟢 Greenroom: Done.\u2028🟢 Greenroom: Yes.", Voice("Mal\n\x1b[2Jlory", "😈", "mallory")
        )
    )
    second = await transport.post(outgoing("Hello", again=True))
    assert (
        out.getvalue()
        == "😈 Mal lory: Hello\n  you\n\n  🟢 Greenroom: Done.\n  🟢 Greenroom: Yes.\n🟢 Greenroom: (again) Hello\n"
    )
    assert second.order > first.order


class Broken(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


async def test_a_post_that_cannot_be_printed_waits_to_be_given_back_and_ends_the_talk() -> None:
    transport = PlainTransport(Broken(), Orders())
    posting = asyncio.ensure_future(transport.post(outgoing("Hello")))
    another = asyncio.ensure_future(transport.post(outgoing("Hello")))

    async def forever() -> bool:
        await asyncio.Event().wait()
        return True

    with pytest.raises(OutputError, match="Broken pipe") as told:
        await transport.while_open(forever())
    assert told.value.is_broken_pipe
    assert not posting.done() and not another.done()
    posting.cancel()
    another.cancel()
    await asyncio.gather(posting, another, return_exceptions=True)


async def test_what_the_talk_comes_to_is_passed_on_its_exceptions_too() -> None:
    async def ends() -> bool:
        return True

    async def fails() -> bool:
        raise RuntimeError("the store is gone")

    transport = PlainTransport(io.StringIO(), Orders())
    assert await transport.while_open(ends())
    with pytest.raises(RuntimeError, match="the store is gone"):
        await transport.while_open(fails())


async def talk(
    *lines: str,
    receive: Callable[[Inbound], Awaitable[bool]],
    answers: tuple[bool, ...] = (True,) * 9,
) -> tuple[bool, str]:
    errors, rest, left = io.StringIO(), list(lines), list(answers)

    async def following() -> str:
        return rest.pop(0) if rest else ""

    async def answered() -> bool:
        return left.pop(0)

    typing = Typing(Place("ada"), Orders(), lambda name: False)
    return await converse(following, errors, typing, receive, answered), errors.getvalue()


async def test_a_full_mailbox_is_told_and_the_next_line_is_sent() -> None:
    sent: list[str] = []

    async def receive(message: Inbound) -> bool:
        if message.text == "one":
            raise MailboxFullError("The mailbox is full.")
        sent.append(message.text)
        return True

    assert await talk("one\n", "\n", "two\n", receive=receive) == (True, "The mailbox is full.\n")
    assert sent == ["two"]


async def test_what_nobody_will_answer_is_told_once() -> None:
    async def receive(message: Inbound) -> bool:
        return True

    told = await talk("one\n", "two\n", receive=receive, answers=(True, False, False))
    assert told == (False, f"{NEWER}\n")
