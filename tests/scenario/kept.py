"""What a bot keeps of a conversation, what its model was asked, and its processes, for whoever looks from outside."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from bot.core.codec import load
from bot.core.model import Conversation
from bot.core.session import ConversationState, Session
from bot.core.steps import Entry
from bot.ports.library import Library
from bot.ports.store import Store
from bot.ports.transport import Adapter
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Worker
from tests.fakes.model import FakeModel


async def state_of(store: Store, where: Conversation) -> ConversationState:
    """What was saved of it; a new one where nothing was."""
    state = await store.peek(where.key)
    found: ConversationState = load(state, ConversationState) if state else ConversationState()
    return found


async def session_of(store: Store, where: Conversation) -> Session:
    """Its session, which is new where nothing was saved."""
    return (await state_of(store, where)).session


async def log_of(store: Store, where: Conversation) -> list[Entry]:
    """Its log, oldest first."""
    return [load(line, Entry) for line in await store.log(where.key)]


def asked(model: FakeModel) -> str:
    """The words of the last prompt that the model got, messages only."""
    blocks = [json.loads(block.json) for message in model.prompts[-1].messages for block in message.blocks]
    return "\n".join(block.get("text") or str(block.get("content", "")) for block in blocks)


def at_work(adapter: Adapter, worker: Worker, store: Store, library: Library) -> list[asyncio.Task[Any]]:
    """The tasks of a process: one takes what comes, one works."""
    inbox = Inbox(store, worker.options.access, worker.stop_raised)
    return [
        asyncio.create_task(adapter.serve(inbox, library)),
        asyncio.create_task(worker.run(asyncio.Event())),
    ]


def ended_early(tasks: list[asyncio.Task[Any]]) -> bool:
    """Whether one of them is over."""
    return any(task.done() for task in tasks)


def raised(tasks: list[asyncio.Task[Any]]) -> None:
    """Raise what one of them has raised."""
    for task in tasks:
        if task.done():
            task.result()


async def quiet(store: Store, deadline: float, looks: int = 1) -> None:
    """Wait until nothing is due or in flight at so many looks in a row."""
    end, calm = time.monotonic() + deadline, 0
    while calm < looks:
        stats = await store.stats()
        calm = 0 if stats.waiting or stats.in_flight else calm + 1
        assert time.monotonic() < end, f"still at work: {stats}"
        if calm < looks:
            await asyncio.sleep(0.01)
