"""The judge of the chaos tests, given conversations in which something is wrong: it has to say so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.model import Inbound
from tests.chaos.model import script
from tests.chaos.platform import Call
from tests.chaos.scene import room, scene
from tests.chaos.verdict import differences
from tests.fakes.platform import ROOM
from tests.scenario.stage import Stage, stage

TALK = ("*architect", "first m1", "second m2", "*status")


@asynccontextmanager
async def talked() -> AsyncIterator[tuple[Stage, list[Inbound]]]:
    async with stage(script) as on:
        sent = [on.platform.said(text) for text in TALK]
        for message in sent:
            await on.inbox.receive(message)
        await on.settle()
        yield on, sent


async def judged(on: Stage, sent: list[Inbound]) -> str:
    return "\n".join(await differences(ROOM, sent, on.platform, on.store))


async def test_a_sound_conversation_is_found_sound() -> None:
    async with talked() as (on, sent):
        assert await judged(on, sent) == ""


async def test_a_post_said_twice_is_found() -> None:
    async with talked() as (on, sent):
        on.platform.messages["99"] = replace(on.platform.seen()[-1], order=99)
        assert f"said 2 times: {ROOM.key}/in4/0" in await judged(on, sent)


async def test_a_lost_message_is_found() -> None:
    async with talked() as (on, sent):
        for lost in ("*help", "third m3"):
            assert "posts differ" in await judged(on, [*sent, on.platform.said(lost)])


async def test_a_message_lost_in_the_middle_of_a_burst_is_found() -> None:
    async with talked() as (on, sent):
        lost = replace(sent[1], id="lost", text="between m9")
        assert "log differ" in await judged(on, [*sent[:2], lost, *sent[2:]])


async def test_a_torn_preview_is_found() -> None:
    async with talked() as (on, sent):
        on.platform.messages["99"] = replace(on.platform.seen()[-1], order=99, key="", sealed=False)
        assert "a torn preview is left" in await judged(on, sent)


async def test_answers_out_of_order_are_found() -> None:
    async with talked() as (on, sent):
        first, last = on.platform.seen()[0], on.platform.seen()[-1]
        on.platform.messages[str(first.order)] = replace(first, order=last.order + 1)
        assert "answers out of order" in await judged(on, sent)


async def test_a_reply_that_people_saw_otherwise_than_the_log_has_it_is_found() -> None:
    async with talked() as (on, sent):
        ref, reply = next((r, m) for r, m in on.platform.messages.items() if "Noted" in m.text)
        on.platform.messages[ref] = replace(reply, text=f"Take abc. {reply.text}")
        assert "in the log, but never said" in await judged(on, sent)


async def test_a_replica_that_does_not_look_for_its_posts_is_found_out(tmp_path: Path) -> None:
    async with scene(tmp_path, seed=1, options=("--forgetful", "--lease", "0.5")) as on:

        def on_call(call: Call) -> None:
            if call.method == "post" and call.done and on.fleet.kill(call.replica):
                on.platform.on_call = lambda _call: None

        on.platform.on_call = on_call
        await on.platform.say(room("a"), "*architect")
        await on.at_rest([room("a")])
        with pytest.raises(AssertionError, match="said 2 times"):
            await on.is_sound([room("a")])
