"""Old and new builds side by side on one Redis: nothing lost, nothing doubled, no session unreadable."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from bot.core.codec import load
from bot.core.session import ConversationState
from bot.core.steps import Entry
from tests.chaos.scene import NAMES, Scene, room, scene
from tests.chaos.verdict import head_of, shape

ROOMS = [room("new-1"), room("new-2"), room("both-1"), room("both-2")]
NEWER = ("--newer", "new")
EVER = 1_000_000


async def upgraded(on: Scene, options: tuple[str, ...], *, leaves: bool = True) -> None:
    """Replace the replicas by newer ones, one after the other, while people talk; the second old one just dies."""
    people = [on.person(where, EVER, leaves=leaves) for where in ROOMS]
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for person in people:
            group.create_task(person.talk())
        await on.until(lambda: on.answered >= 4, "people are answered")
        for old, how in zip(NAMES, (signal.SIGTERM, signal.SIGKILL), strict=True):
            await on.fleet.start(f"newer than {old}", options=options)
            on.fleet.kill(f"newer than {old}")
            await on.fleet.settled()
            await asyncio.sleep(0.3)
            await on.fleet.end(old, how)
        for person in people:
            person.turns = person.answered() + 2
    await on.at_rest(ROOMS)


async def test_a_rolling_upgrade_to_a_build_with_newer_sessions_is_not_noticed(tmp_path: Path) -> None:
    async with scene(tmp_path, seed=31) as on:
        await upgraded(on, NEWER)
        await on.is_sound(ROOMS)
        await on.leave()


async def test_a_rolling_upgrade_to_other_personas_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, seed=32) as on:
        await upgraded(on, ("--recast",), leaves=False)

        assert on.platform.faults == []
        async with on.store() as store:
            assert await store.dead() == ()
            for where in ROOMS:
                sent = [message for message in on.platform.sent if message.conversation == where]
                seen = on.platform.state.seen(where)
                log = [load(line, Entry) for line in await store.log(where.key)]
                said = [entry.id for entry in log if entry.kind == "said"]
                answered = {head_of(shown) for shown in seen}
                assert shape(sent, seen) == []
                assert len(said) == len(set(said))
                assert [message.text for message in sent if message.id not in {*answered, *said}] == []
                assert load(await store.peek(where.key) or "", ConversationState).session.active
        await on.leave()


async def test_an_older_build_leaves_newer_sessions_be_and_a_newer_one_answers_them_later(tmp_path: Path) -> None:
    new, both = room("new"), room("both")
    async with scene(tmp_path, seed=33, options=NEWER, names=("newer",)) as on:
        for where in (new, both):
            await on.platform.say(where, "*architect")
        await on.at_rest([new, both])
        await on.fleet.end("newer")

        await on.fleet.start("older")
        for number in (1, 2):
            for where in (new, both):
                await on.platform.say(where, f"some words on m{number}, please", copies=4)
        await on.at_rest([both])
        await asyncio.sleep(0.7)
        assert [head_of(shown) for shown in on.platform.state.seen(new)] == [on.platform.sent[0].id]
        async with on.store() as store:
            assert (await store.stats()).waiting == 2

        await on.fleet.start("newer", options=NEWER)
        await on.at_rest([new, both])
        await on.is_sound([new, both])
        await on.leave()
