"""An operator beside replicas at work: a server is shared, so what was put aside is tried again without a stop."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from bot.core.model import SESSION_VERSION
from bot.runtime.inbox import Inbox
from tests.chaos.scene import NAMES, Scene, room, scene

ROOM = room("general")


async def replayed(on: Scene, id: int) -> str:
    """What `greenroom dead replay` prints."""
    command = (sys.executable, "-m", "bot", "dead", "replay", str(id))
    env = os.environ | {"GREENROOM_STORE__URL": on.server.url}
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=STDOUT, cwd=Path(__file__).parents[2], env=env
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


async def test_a_dead_letter_is_replayed_beside_replicas_at_work_and_answered_once(tmp_path: Path) -> None:
    async with scene(tmp_path, seed=41, names=()) as on:
        async with on.store() as store:
            await Inbox(store).receive(on.platform.state.said("*architect", conversation=ROOM))
            claim = await store.claim("a worker that fails", 15, SESSION_VERSION)
            assert claim is not None and await store.bury(claim, "ValueError: it broke")
            (letter,) = await store.dead()
        await on.fleet.start(*NAMES)
        assert on.platform.state.seen(ROOM) == []

        assert await replayed(on, letter.id) == f"replayed: {letter.id} (1 message of {ROOM.key})\n"

        await on.until(lambda: bool(on.platform.state.seen(ROOM)), "the letter is answered")
        await on.at_rest([ROOM])
        async with on.store() as store:
            stats = await store.stats()
        assert [shown.voice.name for shown in on.platform.state.seen(ROOM)] == ["Winston"]
        assert (stats.waiting, stats.in_flight, stats.dead) == (0, 0, 0)
        await on.leave()
