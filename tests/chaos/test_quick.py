"""Twenty messages in a row, each delivered four times, while replicas die: twenty answers, once, in order."""

from __future__ import annotations

import asyncio
from itertools import cycle, groupby, islice
from pathlib import Path

from bot.core.codec import load
from bot.core.steps import Entry
from tests.chaos.people import COPIES
from tests.chaos.platform import Call
from tests.chaos.scene import NAMES, room, scene
from tests.chaos.verdict import head_of

ROOM = room("hurry")
COMMANDS = ("*architect", "*help", "*status", "*yolo", "*pm", "*nonsense", "*sm")


async def test_twenty_quick_commands_get_twenty_answers_in_order_once(tmp_path: Path) -> None:
    async with scene(tmp_path, seed=21) as on:
        person = on.person(ROOM)
        killing = asyncio.create_task(on.killed(4, 20))
        for text in islice(cycle(COMMANDS), 20):
            await on.platform.say(ROOM, text, copies=COPIES)
        await killing
        await on.at_rest([ROOM])

        heads = [head for head, _ in groupby(head_of(shown) for shown in on.platform.state.seen(ROOM))]
        assert heads == [message.id for message in on.platform.sent]
        assert person.answered() == 20
        await on.is_sound([ROOM])
        await on.leave()


async def test_twenty_plain_messages_are_each_in_exactly_one_turn_in_order(tmp_path: Path) -> None:
    async with scene(tmp_path, seed=22) as on:
        on.person(ROOM)
        await on.platform.say(ROOM, "*architect")
        await on.floor.free(ROOM)
        for number in range(20):
            await on.platform.say(ROOM, f"some words on m{number}, please", copies=COPIES)
            if number in (6, 13):
                await on.until(lambda: on.fleet.kill(on.random.choice(NAMES)), "somebody to kill")
        await on.at_rest([ROOM])
        await on.fleet.settled()

        assert on.fleet.kills >= 1
        async with on.store() as store:
            log = [load(line, Entry) for line in await store.log(ROOM.key)]
        assert [entry.id for entry in log if entry.kind == "said"] == [message.id for message in on.platform.sent[1:]]
        told = " ".join(entry.text for entry in log if entry.kind == "reply")
        assert [word for word in told.split() if word[0] == "m"] == [f"m{number}" for number in range(20)]
        await on.is_sound([ROOM])
        await on.leave()


async def test_a_stop_that_reaches_both_replicas_four_times_stops_the_one_reply(tmp_path: Path) -> None:
    async with scene(tmp_path, seed=23, options=("--pause", "0.3")) as on:
        writing = asyncio.Event()
        on.platform.on_call = lambda call: writing.set() if call == Call(call.replica, "extend", True) else None
        await on.platform.say(ROOM, "*architect tell me all about m1, please", copies=COPIES)
        await asyncio.wait_for(writing.wait(), 10)
        await on.platform.say(ROOM, "stop", copies=COPIES)
        await on.at_rest([ROOM])

        shown = on.platform.state.seen(ROOM)
        assert [message.text.endswith("_(stopped by alice)_") for message in shown] == [False, True]
        assert all(message.sealed for message in shown)
        assert "care" not in shown[-1].text
        await on.leave()
