"""A pace that all growing texts of a workspace share, and a pump that never keeps a finished text waiting."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from bot.platforms import growing
from bot.platforms.growing import Pace, Pump


async def until(shown: list[str], count: int) -> None:
    async with asyncio.timeout(10):
        while len(shown) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_texts_share_one_pace_and_take_turns() -> None:
    loop = asyncio.get_running_loop()
    pace, shown, at = Pace(0.05), list[str](), list[float]()

    async def forward(text: str) -> bool:
        shown.append(text)
        at.append(loop.time())
        return True

    pumps = [Pump(forward, 0.0, pace.turn) for _ in range(3)]
    for number, pump in enumerate(pumps):
        pump.show(f"text {number}")
    await until(shown, 3)
    for pump in pumps:
        await pump.halt()
    assert sorted(shown) == ["text 0", "text 1", "text 2"]
    assert all(later - earlier > 0.04 for earlier, later in itertools.pairwise(at))


async def test_a_finished_text_waits_for_no_turn() -> None:
    pace, shown = Pace(0.0), list[str]()

    async def forward(text: str) -> bool:
        shown.append(text)
        return True

    pump = Pump(forward, 0.0, pace.turn)
    pace.hold(3600.0)
    pump.show("held up")
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await pump.halt()
    assert shown == [] and not pump.is_dead, "and it is known what is shown"


async def test_of_what_does_not_arrive_in_time_it_is_not_known_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    began = asyncio.Event()

    async def forward(_text: str) -> bool:
        began.set()
        await asyncio.sleep(3600)
        return True

    pump = Pump(forward, 0.0)
    pump.show("on its way")
    await began.wait()
    monkeypatch.setattr(growing, "GRACE", 0.01)
    await pump.halt()
    assert pump.is_dead and pump.task.done()
