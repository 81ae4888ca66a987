"""What people watch of a reply that grows, and how often it is worked out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.core.growing import GrowingReply
from bot.core.model import Conversation, Voice
from bot.core.voices import Names
from bot.ports.transport import Outgoing
from bot.runtime.preview import PACE, Preview
from tests.fakes.clock import ManualClock
from tests.fakes.platform import FakePlatform

ROOM = Conversation("fake", "team", "general")
OUT = Outgoing("fake:team:general/in1/3", ROOM, Voice("Winston", "🏗️", "architect"), "", 7)
NAMES = Names.of(["Winston"], ["John"])


class Watched(FakePlatform):
    """A platform that notes what it is given to show, and may take its time to begin."""

    def __init__(self, limit: int = 3500) -> None:
        super().__init__(limit=limit)
        self.extended: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def preview(self, out: Outgoing) -> str | None:
        await self.gate.wait()
        return await super().preview(out)

    async def extend(self, ref: str, text: str) -> None:
        await super().extend(ref, text)
        self.extended.append(text)


async def quiet() -> None:
    """Let every task go on until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often it was worked out what may be shown."""
    looks, shown = 0, GrowingReply.shown

    def looked(growing: GrowingReply) -> str:
        nonlocal looks
        looks += 1
        return shown(growing)

    monkeypatch.setattr(GrowingReply, "shown", looked)
    return lambda: looks


async def test_a_piece_is_noted_and_a_look_is_taken_at_most_once_a_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    platform, clock, looks = Watched(limit=100_000), ManualClock(), counted(monkeypatch)
    preview = Preview(platform, OUT, NAMES)
    async with preview.watched(clock):
        for second in range(3):
            for _ in range(10):
                for _ in range(200):
                    await preview.add("word ")
                await quiet()
                clock.advance(PACE)
            await quiet()
            assert 10 * (second + 1) <= looks() <= 10 * (second + 1) + 1
    assert len(platform.extended) <= 31 and preview.heard == "word " * 6000


async def test_what_came_is_shown_within_a_pace_though_nothing_follows() -> None:
    platform, clock = Watched(), ManualClock()
    preview = Preview(platform, OUT, NAMES)
    async with preview.watched(clock):
        await preview.add("One. ")
        await quiet()
        assert platform.extended == ["One."]
        await preview.add("Two. ")
        await quiet()
        assert platform.extended == ["One."]
        clock.advance(PACE)
        await quiet()
        assert platform.extended == ["One.", "One. Two."]


async def test_a_reply_that_nobody_adds_to_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, looks = ManualClock(), counted(monkeypatch)
    preview = Preview(Watched(), OUT, NAMES)
    async with preview.watched(clock):
        await preview.add("One. ")
        for _ in range(50):
            await quiet()
            clock.advance(PACE)
        assert looks() == 1


async def test_nothing_is_looked_at_behind_what_may_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    platform, clock, looks = Watched(limit=200), ManualClock(), counted(monkeypatch)
    preview = Preview(platform, OUT, NAMES)
    async with preview.watched(clock):
        for _ in range(100):
            await preview.add("word " * 20)
            await quiet()
            clock.advance(PACE)
    assert looks() == 1 and len(platform.extended[-1]) == 87


async def test_a_platform_that_is_slow_to_begin_does_not_hold_up_the_reply() -> None:
    platform, clock = Watched(), ManualClock()
    platform.gate.clear()
    preview = Preview(platform, OUT, NAMES)
    done = asyncio.Event()

    async def reply() -> None:
        async with preview.watched(clock):
            await preview.add("One. ")
            await quiet()
            await preview.add("Two. ")
            done.set()

    asked = asyncio.create_task(reply())
    await done.wait()
    await quiet()
    assert not asked.done(), "a message that may have begun has to be known, or it would stand there for ever"
    platform.gate.set()
    await asked
    assert preview.ref is not None and preview.shown in {"One.", "One. Two."}


async def one_piece(preview: Preview, clock: ManualClock, error: BaseException | None = None) -> None:
    """A reply of one piece that ends, or fails with that."""
    async with preview.watched(clock):
        await preview.add("One. ")
        await quiet()
        if error:
            raise error


@pytest.mark.parametrize("error", [ValueError("the reply failed"), asyncio.CancelledError()])
async def test_nothing_is_left_running_when_a_reply_ends_badly(error: BaseException) -> None:
    clock, before = ManualClock(), asyncio.all_tasks()
    preview = Preview(Watched(), OUT, NAMES)
    with pytest.raises(type(error)):
        await one_piece(preview, clock, error)
    assert asyncio.all_tasks() == before and clock.sleepers == 0 and preview.ref is not None


async def test_a_fault_of_the_platform_is_told_when_the_reply_is_whole() -> None:
    class Broken(Watched):
        async def extend(self, ref: str, text: str) -> None:
            raise ZeroDivisionError

    preview = Preview(Broken(), OUT, NAMES)
    with pytest.raises(ZeroDivisionError):
        await one_piece(preview, ManualClock())


async def test_what_nobody_is_to_see_is_only_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    platform, looks = Watched(), counted(monkeypatch)
    preview = Preview(platform, OUT, NAMES, refused=True)
    async with preview.watched(ManualClock()):
        await preview.add("A summary. ")
        await quiet()
    assert (preview.heard, platform.seen(), looks()) == ("A summary. ", [], 0)
