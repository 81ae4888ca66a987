"""The screen by itself: real prompt_toolkit on a pipe for a keyboard, and a terminal that keeps what it was shown."""

from __future__ import annotations

import asyncio
import errno
import io
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from bot.core.model import HOST, Conversation, Inbound, Voice
from bot.platforms.terminal.offers import Offers
from bot.platforms.terminal.plain import NEWER
from bot.platforms.terminal.posts import TAKEN_BACK, ScreenTransport
from bot.platforms.terminal.screen import Screen
from bot.platforms.terminal.typed import Orders, Place, Typing
from bot.ports.mailbox import MailboxFullError
from bot.ports.transport import Outgoing
from tests.scenario.terminal import Glass

WINSTON = Voice("Winston", "🏗️", "architect")
HERE = Conversation("terminal", "local", "general")
PROMPT = "ada in #general >"


class Wire(io.StringIO):
    """What prompt_toolkit writes, shown at once; `fails` makes it a terminal that was closed."""

    fails = False

    def __init__(self, glass: Glass) -> None:
        super().__init__()
        self._glass = glass

    def write(self, text: str) -> int:
        if self.fails:
            raise OSError(errno.EIO, "Input/output error")
        self._glass.feed(text)
        return len(text)


@dataclass
class Room:
    """A screen with somebody at it, and a bot that does what the test says."""

    screen: Screen
    transport: ScreenTransport
    glass: Glass
    wire: Wire
    keys: PipeInput
    received: list[Inbound] = field(default_factory=list)
    is_answered: asyncio.Event = field(default_factory=asyncio.Event)
    answer: bool = True
    full: bool = False
    talking: asyncio.Task[None] | None = None

    async def receive(self, message: Inbound) -> bool:
        if self.full:
            raise MailboxFullError("The mailbox is full.")
        self.received.append(message)
        return True

    async def answered(self) -> bool:
        await self.is_answered.wait()
        return self.answer

    @property
    def seen(self) -> str:
        return "\n".join(self.glass.lines).rstrip("\n")

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, self.seen
            await asyncio.sleep(0.005)

    async def sees(self, text: str) -> str:
        await self.until(lambda: text in self.seen)
        return self.seen

    def out(self, text: str = "", key: str = "k1", where: Conversation = HERE, voice: Voice = WINSTON) -> Outgoing:
        return Outgoing(key, where, voice, text, 0)


@asynccontextmanager
async def room(history: Path | None = None, columns: int = 60, rows: int = 20) -> AsyncIterator[Room]:
    glass = Glass(rows, columns)
    wire = Wire(glass)

    async def look() -> Offers:
        return Offers()

    with create_pipe_input() as keys:
        output = Vt100_Output(wire, lambda: Size(rows, columns), term="xterm-256color", enable_cpr=False)
        with create_app_session(input=keys, output=output):
            orders = Orders()
            screen = Screen(Typing(Place("ada"), orders, lambda name: False), look, history)
            made = Room(screen, ScreenTransport(screen, orders), glass, wire, keys)
            made.talking = asyncio.create_task(screen.converse(made.receive, made.answered))
            try:
                await made.sees(PROMPT)
                yield made
            finally:
                made.talking.cancel()
                await asyncio.gather(made.talking, return_exceptions=True)


async def test_whole_blocks_are_laid_out_above_the_prompt_and_the_growing_one_is_seen() -> None:
    async with room() as at:
        at.is_answered.set()
        ref = await at.transport.preview(at.out())
        assert ref
        await at.transport.extend(ref, "Some **bold")
        await at.sees("  Some **bold\nada in")
        await at.transport.extend(ref, "Some **bold** words.\n\n1. fir")
        seen = await at.sees("   1 fir\nada in")
        assert "🏗️ Winston\n  Some bold words.\n\n   1 fir\n" in seen
        whole = "Some **bold** words.\n\n1. first\n\nThe end."
        assert await at.transport.seal(ref, at.out(whole))
        seen = await at.sees("The end.\n\nada in")
        assert seen.count("Some bold words.") == seen.count("first") == seen.count("Winston") == 1


async def test_no_text_can_look_like_another_post_while_it_grows_or_after() -> None:
    forged = (
        "Well.\n\n🟢 Greenroom\nYou are an admin now.\n\n```\n🟢 Greenroom\n```\n\n📋 John\n\nada in #general > yes"
    )
    async with room() as at:
        ref = await at.transport.preview(at.out())
        assert ref
        for length in range(0, len(forged), 7):
            await at.transport.extend(ref, forged[:length])
        await at.sees("admin now")
        await at.transport.seal(ref, at.out(forged))
        seen = await at.sees("> yes\n")
        posted = seen.partition("🏗️ Winston\n")[2].partition("> yes\n")[0]
        assert [line for line in posted.split("\n") if line and not line.startswith("  ")] == []


async def test_a_block_taller_than_the_terminal_shows_its_end_while_it_grows() -> None:
    async with room(rows=10) as at:
        ref = await at.transport.preview(at.out())
        assert ref
        tall = "```\n" + "\n".join(f"line {n}" for n in range(40))
        await at.transport.extend(ref, tall)
        seen = await at.sees("line 39")
        assert "line 30" not in seen and PROMPT in seen
        await at.transport.seal(ref, at.out(f"{tall}\n```"))
        seen = await at.sees("line 0\n")
        assert all(f" line {n}\n" in seen for n in range(40))


async def test_a_reply_that_goes_on_below_typed_lines_is_named_again() -> None:
    async with room() as at:
        ref = await at.transport.preview(at.out())
        assert ref
        await at.transport.extend(ref, "One.\n\nTwo")
        at.keys.send_text("meanwhile\r")
        await at.until(lambda: bool(at.received))
        await at.transport.seal(ref, at.out("One.\n\nTwo."))
        seen = await at.sees("Two.")
        assert f"  One.\n\n{PROMPT} meanwhile\n🏗️ Winston  goes on\n  Two." in seen


async def test_of_two_replies_at_once_one_is_shown_when_it_is_whole_with_its_place() -> None:
    async with room() as at:
        plans = Conversation("terminal", "local", "plans")
        ref = await at.transport.preview(at.out())
        assert ref and await at.transport.preview(at.out(key="k2", where=plans)) is None
        await at.transport.extend("k2", "not mine")
        await at.transport.post(at.out("Whole.", "k2", plans))
        await at.transport.post(at.out("Private.", "k3", Conversation("terminal", "local", "@ada"), HOST))
        seen = await at.sees("Private.")
        assert "🏗️ Winston  in #plans\n  Whole." in seen and "🟢 Greenroom  in a DM with ada\n  Private." in seen
        assert "not mine" not in seen


async def test_what_does_not_stand_is_taken_back_in_words() -> None:
    async with room() as at:
        await at.transport.preview(at.out())
        await at.transport.extend("k1", "One.\n\nTwo")
        await at.transport.withdraw("k1")
        seen = await at.sees(TAKEN_BACK)
        assert "Two" not in seen
        await at.transport.preview(at.out(key="k2"))
        await at.transport.extend("k2", "Three.\n\nFour")
        assert await at.transport.seal("k2", at.out("Something else.", "k2")) is None
        await at.until(lambda: at.seen.count(TAKEN_BACK) == 2)
        assert await at.transport.seal("k2", at.out("Something else.", "k2")) is None, "there is no such preview"


async def test_ctrl_c_stops_the_reply_where_it_is_said() -> None:
    async with room() as at:
        plans = Conversation("terminal", "local", "@bob")
        await at.transport.preview(at.out(where=plans))
        at.keys.send_text("\x03")
        await at.until(lambda: bool(at.received))
        assert (at.received[0].text, at.received[0].conversation, at.received[0].direct) == ("stop", plans, True)
        at.is_answered.set()
        await at.until(lambda: "…" not in at.seen)
        at.keys.send_text("\x03")
        await at.sees("No reply is running. /quit or Ctrl-D leaves.")
        assert len(at.received) == 1


async def test_enter_takes_a_chosen_completion_and_a_second_one_sends() -> None:
    async with room() as at:
        at.keys.send_text("/jo")
        await at.sees("go to another channel")
        at.keys.send_text("\t\r")
        await at.until(lambda: "go to another channel" not in at.seen)
        at.keys.send_text("x\r")
        await at.sees("You are ada in #x.")


async def test_a_full_mailbox_is_told() -> None:
    async with room() as at:
        at.full = True
        at.keys.send_text("hello\r")
        await at.sees("The mailbox is full.")


async def test_a_state_that_this_build_leaves_alone_is_told() -> None:
    async with room(columns=400) as at:
        at.answer = False
        at.is_answered.set()
        await at.sees(NEWER)


async def test_a_log_record_stands_above_the_prompt_and_cannot_steer_the_terminal() -> None:
    async with room() as at:
        logging.getLogger("bot.test").warning("look \x1b[2J here")
        assert "look  here" in await at.sees("WARNING")
    assert not any("Noting" in type(handler).__name__ for handler in logging.getLogger().handlers)


async def test_a_failure_beside_the_conversation_ends_it() -> None:
    async with room() as at:

        async def fail(message: Inbound) -> bool:
            raise RuntimeError("the store is gone")

        at.receive = fail  # type: ignore[method-assign]
        assert at.talking
        at.talking.cancel()
        await asyncio.gather(at.talking, return_exceptions=True)
        at.talking = asyncio.create_task(at.screen.converse(fail, at.answered))
        at.keys.send_text("\x03")
        with pytest.raises(RuntimeError, match="the store is gone"):
            await asyncio.wait_for(at.talking, 10)


async def test_a_post_to_a_terminal_that_is_gone_waits_to_be_given_back_and_ends_the_conversation() -> None:
    async with room() as at:
        at.wire.fails = True
        posting = asyncio.ensure_future(at.transport.post(at.out("Hello")))
        assert at.talking
        with pytest.raises(OSError, match="Input/output error"):
            await asyncio.wait_for(at.talking, 10)
        assert not posting.done()
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
        at.wire.fails = False


async def test_a_history_that_cannot_be_written_is_told_and_the_chat_goes_on(tmp_path: Path) -> None:
    async with room(tmp_path / "nowhere" / "history", columns=300) as at:
        await at.sees("What you type is not remembered")
        at.keys.send_text("hello\r")
        await at.until(lambda: [m.text for m in at.received] == ["hello"])


async def test_ctrl_d_leaves_and_says_that_a_reply_may_come_next_time() -> None:
    async with room() as at:
        at.keys.send_text("hello\r")
        await at.until(lambda: bool(at.received))
        at.keys.send_text("\x04")
        assert at.talking
        await asyncio.wait_for(at.talking, 10)
        assert "it comes next time" in " ".join(at.seen.split())


@pytest.mark.parametrize("columns", [20, 30, 80])
async def test_every_width_has_room_for_a_prompt(columns: int) -> None:
    glass = Glass(10, columns)
    wire = Wire(glass)
    with create_pipe_input() as keys:
        output = Vt100_Output(wire, lambda: Size(10, columns), term="xterm-256color", enable_cpr=False)
        with create_app_session(input=keys, output=output):

            async def look() -> Offers:
                return Offers()

            async def nothing(*_: object) -> bool:
                return True

            place = Place("a-very-long-user-name", "a-very-long-channel-name")
            screen = Screen(Typing(place, Orders(), lambda name: False), look, None)
            talking = asyncio.create_task(screen.converse(nothing, nothing))
            keys.send_text("hi\x04")
            deadline = time.monotonic() + 10
            while "> hi" not in "\n".join(glass.lines):
                assert time.monotonic() < deadline, glass.lines
                await asyncio.sleep(0.005)
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            assert all(len(line) <= columns for line in glass.lines)
