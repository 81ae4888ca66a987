"""How much of what a long conversation sends is read from the prompt cache, by the accounts of the strict fake.

python -m tests.bench.cache

Through the whole bot with the real client and over a restart: a talk of 40 turns without gaps, and one with two
personas and a template of 20,000 characters, where more of what is sent is new. The bar is a share of what could have
come from a cache that forgets nothing, since a request can only repeat what was sent before. Nothing here depends on
the machine. Exits with 1 where either is below the bar.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from bot.app import SystemClock, shipped_agents
from bot.models.anthropic import AnthropicModel
from bot.models.options import ModelOptions
from bot.personas.library import Library
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.sqlite import SqliteStore
from tests.bench._ratios import total, verdict
from tests.fakes.anthropic import Answer, FakeAnthropic, Received, Text, ToolUse, answers, says
from tests.fakes.anthropic_rules import blocks_in_order
from tests.fakes.platform import FakePlatform

BAR = 98.0
"""Percent of what had been sent before that come from the cache."""

TURNS = 40
RESTARTS_AT = 20
"""The turn before which a new process takes over, in both talks."""

QUESTION = "And what would you do about part {n} of it, given what we have said about the load and the team so far?"
ANSWER = (
    "For part {n} I would begin with the queue, since everything behind it waits for that. Keep one writer, let "
    "readers lag by a few seconds, and measure before you split anything. If the numbers of last week hold, one more "
    "replica is enough until spring; beyond that the index is the first thing to move."
)


async def talked(lines: Sequence[str], answer: Any) -> FakeAnthropic:
    """What the service has seen when all lines were said one after the other, with a restart in between."""
    platform, library = FakePlatform(), Library((), shipped_agents())
    with tempfile.TemporaryDirectory() as folder:
        async with FakeAnthropic(otherwise=answer) as fake:
            for process in (lines[:RESTARTS_AT], lines[RESTARTS_AT:]):
                clock = SystemClock()
                store = await SqliteStore.open(Path(folder) / "state.db", clock=clock)
                options = ModelOptions("claude-sonnet-5-5", base_url=fake.url, retry=0.0)
                model = AnthropicModel(options, fake.key, clock)
                worker, inbox = Worker(store, {"fake": platform}, model, library, clock, Options()), Inbox(store)
                for line in process:
                    await inbox.receive(platform.said(line))
                    while await worker.work():
                        pass
                await model.close()
                await store.close()
            if refused := [request.status for request in fake.requests if request.status != 200]:
                raise SystemExit(f"the service refused {len(refused)} of {len(fake.requests)} requests: {refused}")
            return fake


def repeated(requests: Sequence[Received]) -> float:
    """The share of all input tokens that an earlier request had sent already, in the same place behind the same."""
    known: set[str] = set()
    total = again = 0
    for request in requests:
        running = request.body["model"]
        for where, block in blocks_in_order(request.body):
            bare = {name: value for name, value in block.items() if name != "cache_control"}
            text = json.dumps(bare, ensure_ascii=False, separators=(",", ":"))
            running = sha256(f"{running}{where}\0{text}".encode()).hexdigest()
            tokens = max(1, len(text.encode()) // 4)
            total, again = total + tokens, again + (tokens if running in known else 0)
            known.add(running)
    return again / total


def plain() -> tuple[Sequence[str], Any]:
    """A talk of 40 questions."""
    lines = ["*architect", *(QUESTION.format(n=n) for n in range(1, TURNS + 1))]
    return lines, lambda body: says(ANSWER.format(n=len(body["messages"]) // 2 + 1))


def eventful() -> tuple[Sequence[str], Any]:
    """The same talk, begun and ended with the coordinator; the architect reads a template in between."""
    talk = [QUESTION.format(n=n) for n in range(1, TURNS + 1)]
    lines = ["*bmad-orchestrator", *talk[:5], "*architect", *talk[5:35], "*exit", *talk[35:]]

    def answer(body: dict[str, Any]) -> Answer:
        last = body["messages"][-1]["content"][-1]
        number = len(body["messages"])
        names = {tool["name"] for tool in body["tools"]}
        if last["type"] == "text" and "part 10 " in last["text"] and "load_resource" in names:
            wanted = ToolUse("load_resource", {"name": "architecture-tmpl"}, f"toolu_{number}")
            return answers(Text(("Let me look. ",)), wanted, stop="tool_use")
        return says(ANSWER.format(n=number))

    return lines, answer


def main() -> None:
    """Print the share of input tokens that came from the cache."""
    for name in [name for name in os.environ if name.upper().endswith("_PROXY")]:
        del os.environ[name]
    held = [
        told("40 turns of talk", asyncio.run(talked(*plain()))),
        told("tools, two personas", asyncio.run(talked(*eventful()))),
    ]
    total(held)
    if not all(held):
        sys.exit("missed: see the bars above")


def told(name: str, fake: FakeAnthropic) -> bool:
    """Print a talk's line; whether the cache gave the bar's share of what it could."""
    tokens = sum(sum(request.usage.values()) for request in fake.requests)
    share = fake.cached_share()
    print(f"{name}: {len(fake.requests)} calls, {tokens:,} tokens in, {share:.2%} of all from the cache")
    return verdict(
        f"{name}, of what had been sent before", 100 * share / repeated(fake.requests), BAR, " %", least=True
    )


if __name__ == "__main__":
    main()
