"""What a reply has cost that somebody stopped: what the service has told of it, else an estimate; never all that was
set aside for it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.app import SystemClock
from bot.core.events import Usage
from bot.core.prompt import Block, Message, Prompt
from bot.models.anthropic import AnthropicModel
from bot.models.options import ModelOptions, Priced
from bot.ports.budgets import Limit
from bot.ports.model import Meter, Model, Reply, Show
from bot.runtime.budget import EVERYWHERE, LETTERS, Budgets
from tests.fakes.anthropic import FakeAnthropic, Gate, Hangs, Streams, Text, Thinking, ToolUse, answers, says
from tests.fakes.model import FakeModel, Says
from tests.fakes.platform import ROOM
from tests.scenario.stage import Stage, stage

SONNET = "claude-sonnet-5-5"
SET_ASIDE = 1000
"""Tokens that a budget sets aside for a reply, beside its prompt."""


@dataclass(slots=True)
class Tells:
    """A model that tells its meter what a cancelled call came to, as the service had told before."""

    usage: Usage
    on_piece: Callable[[], Awaitable[None]]
    prompts: list[Prompt] = field(default_factory=list)

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        self.prompts.append(prompt)
        try:
            for _ in range(3):
                await show("word ")
                await self.on_piece()
        except asyncio.CancelledError:
            assert isinstance(show, Meter)
            show.used(self.usage)
            raise
        return Reply(json.dumps([{"type": "text", "text": "word word word"}]), "end_turn", self.usage)

    async def close(self) -> None:
        """Nothing is held."""


@asynccontextmanager
async def budgeted(model: Model | None = None, tokens: int = 100_000) -> AsyncIterator[Stage]:
    async with stage(lambda _p, _n: Says(tuple(f"word{n} " for n in range(10)))) as s:
        budgets = Budgets(Limit("channel", tokens=tokens), Limit(EVERYWHERE))
        s.worker.options = replace(s.worker.options, budgets=budgets, model_of=lambda _: "fake")
        if model is not None:
            s.worker.model = model
        await s.say("*architect")
        yield s


async def stop(s: Stage) -> None:
    await s.inbox.receive(s.platform.said("stop", user="bob"))


async def usage_told(s: Stage) -> int:
    """The tokens that `*usage` says were spent in the channel."""
    (told,) = await s.say("*usage")
    found = re.search(r"this channel spent ([\d,]+) of", told.text)
    assert found
    return int(found[1].replace(",", ""))


def prompt_tokens(prompt: Prompt) -> int:
    return (sum(map(len, prompt.system)) + sum(len(b.json) for m in prompt.messages for b in m.blocks)) // LETTERS


async def test_what_the_service_has_told_is_what_a_stopped_reply_costs() -> None:
    told = Usage(input=40, output=2, cache_read=700, cache_write=30, model="fake")
    s: Stage
    async with budgeted(Tells(told, lambda: stop(s))) as s:
        (reply,) = await s.say("well?")

        assert reply.text == "word word\n\n_(stopped by bob)_"
        assert await usage_told(s) == 772
        assert await s.store.spent(ROOM.key) == (told,)


async def test_where_nothing_was_told_a_stopped_reply_costs_its_prompt_and_what_was_heard() -> None:
    async with budgeted() as s:

        async def stops(_n: int, piece: int) -> None:
            if piece == 4:
                await stop(s)

        assert isinstance(s.model, FakeModel)
        s.model.on_piece = stops
        (reply,) = await s.say("well?")

        assert "stopped by bob" in reply.text
        heard = -(-len("word0 word1 word2 word3 word4 ") // LETTERS)
        assert await usage_told(s) == prompt_tokens(s.model.prompts[0]) + heard
        (spent,) = await s.store.spent(ROOM.key)
        assert (spent.output, spent.model) == (heard, "fake")


async def test_a_reply_that_was_stopped_before_its_first_word_costs_its_prompt() -> None:
    class Silent(Tells):
        async def reply(self, prompt: Prompt, show: Show) -> Reply:
            self.prompts.append(prompt)
            await stop(s)
            await asyncio.Event().wait()
            raise AssertionError("cancelled before")

    s: Stage
    async with budgeted(Silent(Usage(), lambda: stop(s))) as s:
        saying = asyncio.create_task(s.say("well?"))
        async with asyncio.timeout(5):
            while not saying.done():
                s.clock.advance(0.5)
                await asyncio.sleep(0.01)

        assert isinstance(s.worker.model, Silent)
        assert await usage_told(s) == prompt_tokens(s.worker.model.prompts[0])


async def test_stopping_again_and_again_uses_up_no_budget_that_was_not_spent() -> None:
    told = Usage(input=20, output=5, model="fake")
    s: Stage
    async with budgeted(Tells(told, lambda: stop(s)), tokens=SET_ASIDE + 2_000) as s:
        for _ in range(12):
            (reply,) = await s.say("well?")
            assert "stopped by bob" in reply.text
        assert await usage_told(s) == 12 * 25


async def test_a_stopped_reply_that_nearly_uses_up_the_budget_says_so() -> None:
    s: Stage
    async with budgeted(Tells(Usage(input=9_000, model="fake"), lambda: stop(s)), tokens=10_000) as s:
        posts = await s.say("well?")
        assert any("90% is used" in post.text for post in posts)


# ---------------------------------------------------------------- the real client


@pytest.fixture
async def service() -> AsyncIterator[FakeAnthropic]:
    async with FakeAnthropic(models=frozenset({SONNET})) as server:
        yield server


@asynccontextmanager
async def client(service: FakeAnthropic) -> AsyncIterator[AnthropicModel]:
    options: dict[str, Any] = {"name": "sonnet", "aliases": {"sonnet": Priced(SONNET, 2, 10, 0.1, 2.5)}}
    model = AnthropicModel(ModelOptions(base_url=service.url, timeout=5.0, **options), service.key, SystemClock())
    try:
        yield model
    finally:
        await model.close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def test_a_stopped_stream_costs_what_its_beginning_told_and_what_was_received(service: FakeAnthropic) -> None:
    gate = Gate()
    async with client(service) as model, budgeted(model) as s:
        service.will(says("Let me see.\n", "I think it over.\n", "It may take ", "an hour.", gate=gate))
        saying = asyncio.create_task(s.say("well?"))
        gate.release(3)
        async with asyncio.timeout(10):
            while not any("I think it over." in text for text in s.platform.texts):
                s.clock.advance(0.1)  # what may be watched is worked out ten times a second
                await asyncio.sleep(0.01)
                assert not saying.done()
        await stop(s)
        async with asyncio.timeout(10):
            while not saying.done():
                s.clock.advance(0.5)
                await asyncio.sleep(0.01)

        (spent,) = await s.store.spent(ROOM.key)
        told = service.requests[0].usage
        assert spent.read == sum(told.values()) > 0
        seen, heard = "Let me see.\nI think it over.\n", "It may take "
        assert len(seen) / 4 <= spent.output <= len(seen + heard) / 4 + 1 and spent.model == SONNET
        assert await usage_told(s) == spent.read + spent.output < spent.read + SET_ASIDE


@dataclass(slots=True)
class Listener:
    """Whoever asks a client for a reply, and wants to know what it cost; `pieces` is what was heard of it."""

    pieces: list[str] = field(default_factory=list)
    usage: Usage | None = None

    async def __call__(self, piece: str) -> None:
        self.pieces.append(piece)

    def used(self, usage: Usage) -> None:
        self.usage = usage


async def cancelled(service: FakeAnthropic, answer: Streams | Hangs, gate: Gate, deltas: int) -> Usage | None:
    """What a call tells whoever listens, which is cancelled when it has had time for so many deltas."""
    listener = Listener()
    said = Message("user", (Block(json.dumps({"type": "text", "text": "Ada: hello"})),))
    async with client(service) as model:
        service.will(answer)
        calling = asyncio.create_task(model.reply(Prompt("architect", ("You are Winston.",), (), (said,)), listener))
        gate.release(deltas)
        async with asyncio.timeout(10):
            while not service.requests or (deltas and not service.requests[0].status):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
    return listener.usage


@pytest.mark.parametrize(
    ("deltas", "letters"),
    [
        pytest.param(1, 80, id="thinking"),
        pytest.param(4, 80 + len("So: yes"), id="text"),
        pytest.param(6, 80 + len("So: yes") + len('{"question": '), id="tool input"),
    ],
)
async def test_all_of_a_reply_is_counted_as_far_as_it_came(service: FakeAnthropic, deltas: int, letters: int) -> None:
    gate = Gate()
    content = (Thinking("Hm, " * 20), Text(("So: ", "yes")), ToolUse("ask", {"question": "Which one is it to be?"}))

    usage = await cancelled(service, answers(*content, stop="tool_use", gate=gate), gate, deltas)

    assert usage is not None and usage.read > 0
    assert letters / 4 <= usage.output < letters / 4 + 8


async def test_of_a_call_that_was_never_answered_nothing_is_told(service: FakeAnthropic) -> None:
    assert await cancelled(service, Hangs(), Gate(), 0) is None
