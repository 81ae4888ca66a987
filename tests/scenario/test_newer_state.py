"""What a newer build has saved and this one cannot read: it is left alone, and all around it goes on."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from bot.core.model import SESSION_VERSION
from bot.core.session import Session
from bot.ports.mailbox import Message
from bot.runtime.worker import AWAY
from tests.fakes.platform import ROOM
from tests.scenario.stage import Stage, answering, stage

NEWER = '{"session": {"menus": {"kept": "otherwise"}}}'
THREAD = replace(ROOM, thread="t1")


async def saves(s: Stage, state: str) -> None:
    """Another build saves that as the state of the channel."""
    await s.store.enqueue(ROOM.key, Message("other", "{}", 1, plain=True))
    claim = await s.store.claim("another build", 15.0, SESSION_VERSION + 1)
    assert claim
    assert await s.store.commit(claim, state, SESSION_VERSION + 1, (), floor_open=True, used_flag=False)


async def test_the_first_message_of_a_thread_waits_while_its_channel_cannot_be_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with stage(answering("Yes.")) as s:
        await saves(s, NEWER)
        for _ in range(5):
            assert await s.say("*help", conversation=THREAD) == []
            s.clock.advance(AWAY)
            await s.settle()
        assert s.platform.messages == {} and await s.store.dead() == ()
        assert "is left to another build" in caplog.text and "fake:team:general cannot be read" in caplog.text
        assert not [record for record in caplog.records if record.levelno > logging.WARNING]
        await s.store.forget(ROOM.key)
        s.clock.advance(AWAY)
        await s.settle()
        assert len(s.platform.messages) == 5, "all of them, once it can be read"


async def test_what_is_shown_of_conversations_leaves_out_what_cannot_be_read() -> None:
    async with stage(answering("Yes.")) as s:
        await saves(s, NEWER)
        assert await s.inbox.saved(ROOM) is None
        await s.store.forget(ROOM.key)
        await s.say("*pm")
        found = await s.inbox.saved(ROOM)
        assert found and found.session.active == "pm" != Session().active
