"""The whole bot with the real `anthropic` client: from mailbox to platform, over HTTP, on the strict fake."""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.app import SystemClock
from bot.core.events import Usage
from bot.core.failures import REASONS
from bot.core.model import HOST, Inbound, Receipt
from bot.models.absent import Absent
from bot.models.anthropic import AnthropicModel
from bot.models.breaker import Breaker
from bot.models.counts import MOST
from bot.models.options import ModelOptions
from bot.ports.budgets import Amount, Limit
from bot.ports.model import Model, ModelError
from bot.ports.transport import Outgoing, TransportError
from bot.runtime.budget import Budgets
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.sqlite import SqliteStore
from tests.fakes.anthropic import (
    Answer,
    Cut,
    Errs,
    FakeAnthropic,
    Gate,
    Hangs,
    Raw,
    Received,
    Thinking,
    ToolUse,
    answers,
    refuses,
    says,
)
from tests.fakes.anthropic import (
    Text as Words,
)
from tests.fakes.library import CAST, FakeLibrary
from tests.fakes.platform import FakePlatform, Shown

SONNET = "claude-sonnet-5-5"
KEY = "sk-ant-test-0123456789"
FIRST, REST = "The queue goes first, ", "and the cache behind it."


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name.startswith("ANTHROPIC_"):
            monkeypatch.delenv(name)


@pytest.fixture
async def fake() -> AsyncIterator[FakeAnthropic]:
    async with FakeAnthropic(key=KEY, models=frozenset({SONNET})) as server:
        yield server


@dataclass(slots=True)
class House:
    """What outlives a process: the database, the platform, the files and the service."""

    path: Path
    fake: FakeAnthropic
    platform: FakePlatform = field(default_factory=FakePlatform)
    library: FakeLibrary = field(default_factory=FakeLibrary)

    def model(self, *, key: str = KEY, breaker: Breaker | None = None, **options: Any) -> AnthropicModel:
        """The real adapter on the fake; it tries once and waits for at most 5 s."""
        given = {"name": SONNET, "base_url": self.fake.url, "timeout": 5.0, "retry": 0.0, **options}
        return AnthropicModel(ModelOptions(**given), key, SystemClock(), breaker)

    @asynccontextmanager
    async def process(self, model: Model | None = None, options: Options | None = None) -> AsyncIterator[Process]:
        """A bot at work, with a store, a worker and a model of its own; at the end it dies where it stands."""
        answering = model or self.model()
        store = await SqliteStore.open(self.path, clock=SystemClock())
        worker = Worker(store, {"fake": self.platform}, answering, self.library, SystemClock(), options or Options())
        working = asyncio.create_task(worker.run(asyncio.Event()))
        try:
            yield Process(self, store, Inbox(store, stop_raised=worker.stop_raised))
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await answering.close()
            await store.close()

    @property
    def last(self) -> Shown:
        return self.platform.seen()[-1]

    async def grows(self, to: str = "") -> None:
        """Wait until people see a reply grow that is not finished, with `to` in it."""
        await self.fake.until(lambda: not self.last.sealed and self.last.text and to in self.last.text, "a preview")


@dataclass(frozen=True, slots=True)
class Process:
    """One run of the bot, and the people in front of it."""

    house: House
    store: SqliteStore
    inbox: Inbox

    async def types(self, text: str, user: str = "alice") -> None:
        """Somebody sends a message; nobody waits for an answer."""
        await self.inbox.receive(self.house.platform.said(text, user=user))

    async def presses(self, number: int) -> list[Shown]:
        """Somebody presses a button of the last menu; what was posted until the bot rested."""
        platform = self.house.platform
        return await self._after(platform.said("", menu=platform.last_menu().id, number=number))

    async def says(self, text: str) -> list[Shown]:
        """Somebody sends a message; what was posted until the bot rested."""
        return await self._after(self.house.platform.said(text))

    async def _after(self, inbound: Inbound) -> list[Shown]:
        before = set(self.house.platform.messages)
        await self.inbox.receive(inbound)
        await self.rests()
        return [shown for ref, shown in self.house.platform.messages.items() if ref not in before]

    async def rests(self) -> None:
        """Wait until nothing is due and nothing under way."""

        deadline = time.monotonic() + 10
        while (stats := await self.store.stats()) and (stats.waiting or stats.in_flight):
            assert time.monotonic() < deadline, "the bot does not come to rest"
            await asyncio.sleep(0.005)


@pytest.fixture
def house(tmp_path: Path, fake: FakeAnthropic) -> House:
    return House(tmp_path / "state.db", fake)


def flat(request: Received) -> list[tuple[str, str]]:
    """A request's blocks with their roles, as the promise compares them: breakpoints aside."""
    blocks = [(message["role"], block) for message in request.body["messages"] for block in message["content"]]
    return [
        (role, json.dumps({name: value for name, value in block.items() if name != "cache_control"}, sort_keys=True))
        for role, block in blocks
    ]


def head(request: Received) -> str:
    """What stands before the messages."""
    return json.dumps([request.body["model"], request.body["tools"], request.body["system"]])


# ---------------------------------------------------------------- streaming


async def test_the_first_piece_is_on_the_platform_before_the_service_has_sent_the_second(house: House) -> None:
    gate = Gate()
    house.fake.will(says(FIRST, REST, gate=gate))
    async with house.process() as bot:
        await bot.says("*architect")
        await bot.types("what goes first?")
        gate.release()
        await house.grows()
        assert FIRST.startswith(house.last.text) and not house.last.sealed
        assert (house.last.voice.name, house.last.voice.icon) == ("Winston", "🏗️")

        gate.open()
        await bot.rests()
        assert (house.last.text, house.last.sealed) == (FIRST + REST, True)
        assert len(house.platform.seen()) == 2, "the preview became the post"


async def test_activation_and_help_need_no_model(house: House) -> None:
    async with house.process() as bot:
        (greeting,) = await bot.says("*architect")
        (helped,) = await bot.says("*help")
        assert greeting.voice.name == "Winston" and helped.menu is not None
        assert house.fake.requests == []


async def test_what_the_call_used_is_kept_under_the_model_that_was_asked(house: House) -> None:
    house.fake.will(says("Fine."))
    async with house.process() as bot:
        await bot.says("*architect")
        await bot.says("hello")
        (usage,) = await bot.store.spent("fake:team:general")
        sent = house.fake.requests[0].usage
        assert usage.model == SONNET and usage.output == 2
        assert (usage.input, usage.cache_write) == (sent["input_tokens"], sent["cache_creation_input_tokens"])


COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
ABSURD: Mapping[str, tuple[str, int]] = {
    "negative": ("-7", 0),
    "far below": (f"-1{'0' * 30}", 0),
    "far above": (f"1{'0' * 30}", MOST),
    "words": ('"many"', 0),
    "a part": ("1.5", 0),
    "beyond floats": ("1e999", 0),
    "no number": ("NaN", 0),
    "null": ("null", 0),
    "yes": ("true", 0),
    "nested": ('{"input_tokens":{"input_tokens":[7]}}', 0),
}
"""JSON that a service may tell as a number of tokens, and what of it is counted."""


def counting(start: str, end: str, *, broken: bool = False) -> Raw:
    """A reply whose message begins with that JSON as its usage and ends with that."""
    message = f'{{"id":"m","type":"message","role":"assistant","content":[],"stop_reason":null,"usage":{start}}}'
    delta = f'{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{FIRST}{REST}"}}}}'
    events = [
        ("message_start", f'{{"type":"message_start","message":{message}}}'),
        ("content_block_start", '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}'),
        ("content_block_delta", delta),
        ("message_delta", f'{{"type":"message_delta","delta":{{"stop_reason":"end_turn"}},"usage":{end}}}'),
        ("message_stop", '{"type":"message_stop"}'),
    ]
    if broken:
        events[-1] = ("error", '{"type":"error","error":{"type":"api_error","message":"Internal server error"}}')
    return Raw("".join(f"event: {name}\ndata: {data}\n\n" for name, data in events).encode())


@pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken off"])
@pytest.mark.parametrize("how", ABSURD)
async def test_an_absurd_count_of_tokens_is_bounded_and_told_and_no_budget_is_beside_itself(
    house: House, how: str, broken: bool, caplog: pytest.LogCaptureFixture
) -> None:
    told, counted = ABSURD[how]
    all_of_it = "{" + ",".join(f'"{name}":{told}' for name in COUNTS) + "}"
    sent = 0 if how == "null" else len(COUNTS)
    house.fake.will(counting(all_of_it, all_of_it, broken=broken), says("Fine."))
    budgets = Budgets(channel=Limit("channel", tokens=10_000_000), everywhere=Limit("everywhere"))
    async with house.process(options=Options(budgets=budgets, price=lambda usage: usage.output * 1e-5)) as bot:
        await bot.says("*architect")
        reply, *_ = await bot.says("hello")
        assert reply.text.startswith(FIRST + REST) and reply.sealed
        (usage,) = await bot.store.spent("fake:team:general")
        assert [usage.input, usage.output, usage.cache_read, usage.cache_write] == [counted] * 4
        day = datetime.datetime.now(datetime.UTC).date().isoformat()
        balance = await bot.store.budget("fake:team:general", day)
        assert balance.spent == Amount(4 * counted, counted * 10)
        lines = [text for text in caplog.messages if "which cannot be; counted as" in text]
        assert len(lines) == sent and all(len(line) < 200 for line in lines)
        *_, after = await bot.says("and now?")  # above it, the talk may be told to be long
        # A service that tells of too much uses the budget up, and nobody is asked; one that tells of less goes on.
        assert ("The budget is used up" in after.text) if counted else (after.text == "Fine.")
        assert not await bot.store.dead() and "Traceback" not in caplog.text


@pytest.mark.parametrize("usage", ["7", '"many"', "[1,2]", "true", "-1"])
async def test_a_usage_that_is_no_object_counts_as_nothing_and_is_told(
    house: House, usage: str, caplog: pytest.LogCaptureFixture
) -> None:
    house.fake.will(counting(usage, usage))
    async with house.process() as bot:
        await bot.says("*architect")
        (reply,) = await bot.says("hello")
        assert (reply.text, reply.sealed) == (FIRST + REST, True)
        (spent,) = await bot.store.spent("fake:team:general")
        assert spent == Usage(model=SONNET)
        assert [text for text in caplog.messages if "as the usage of a call" in text]
        assert not await bot.store.dead() and "Traceback" not in caplog.text


# ---------------------------------------------------------------- tools and gates


async def test_a_tool_round_goes_out_and_back_and_people_are_told(house: House) -> None:
    house.fake.will(
        answers(
            Thinking("Which template?"),
            Words(("Let me look. ",)),
            ToolUse("load_resource", {"name": "architecture-tmpl"}, "toolu_7"),
            stop="tool_use",
        ),
        says("It has five parts."),
    )
    async with house.process() as bot:
        await bot.says("*architect")
        posts = await bot.says("what is in the template?")
    assert [post.text for post in posts][::2] == ["Let me look.", "It has five parts."]
    assert house.library.reads == ["templates/architecture-tmpl.yaml"]
    first, second = house.fake.requests
    assert second.status == 200, "the service accepts thinking, call and result as they are sent back"
    assert flat(second)[: len(flat(first))] == flat(first)
    (result,) = second.body["messages"][-1]["content"]
    assert (result["type"], result["tool_use_id"]) == ("tool_result", "toolu_7")
    assert "The text of templates/architecture-tmpl.yaml." in json.dumps(result["content"])


@pytest.mark.parametrize("by_button", [True, False], ids=["a button", "a number"])
async def test_a_question_of_the_model_halts_until_somebody_answers(house: House, by_button: bool) -> None:
    question = {"question": "Which database?", "options": ["Postgres", "SQLite"]}
    house.fake.will(answers(ToolUse("ask", question), stop="tool_use"), says("SQLite it is."))
    async with house.process() as bot:
        await bot.says("*architect")
        (asked,) = await bot.says("start")
        assert asked.menu is not None and [option.label for option in asked.menu.options] == ["Postgres", "SQLite"]
        await bot.says("*status")
        assert len(house.fake.requests) == 1, "nothing goes on while the question waits"
        posts = await bot.presses(2) if by_button else await bot.says("2")
        assert posts[-1].text == "SQLite it is."
        (result,) = house.fake.requests[1].body["messages"][-1]["content"]
        assert "alice chose: SQLite" in json.dumps(result)


# ---------------------------------------------------------------- stop


async def test_stop_in_mid_stream_closes_the_connection_and_keeps_what_was_written(house: House) -> None:
    gate = Gate()
    house.fake.will(says(FIRST, REST, "never sent", gate=gate), says("Gladly."))
    async with house.process() as bot:
        await bot.says("*architect")
        await bot.types("go on at length")
        gate.release(2)
        await house.grows(to="cache")
        await bot.types("stop", user="bob")
        await house.fake.until(lambda: house.fake.requests[0].aborted, "the stream to be closed")
        await bot.rests()
        assert house.last.sealed and house.last.text.endswith("_(stopped by bob)_")
        assert house.last.text.startswith(FIRST)

        (reply,) = await bot.says("thanks, once more please")
        assert reply.text == "Gladly."
        roles = [message["role"] for message in house.fake.requests[1].body["messages"]]
        assert roles == ["user", "assistant", "user"]


async def test_stop_before_the_first_word_closes_the_connection_too(house: House) -> None:
    house.fake.will(Hangs(), says("Here."))
    async with house.process() as bot:
        await bot.says("*architect")
        await bot.types("hello")
        await house.fake.until(lambda: house.fake.requests, "the call")
        await bot.types("stop")
        await house.fake.until(lambda: house.fake.requests[0].aborted, "the connection to be closed")
        await bot.rests()
        (reply,) = await bot.says("and now?")
        assert reply.text == "Here."


# ---------------------------------------------------------------- failures


@dataclass(frozen=True, slots=True)
class Broken:
    """How to bring a failure about: what the service does, or what is wrong with the bot's own set-up."""

    answer: Answer | None = None
    model: Callable[[House], Model] | None = None
    before: Callable[[House], None] | None = None


def nobody_there(house: House) -> Model:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return house.model(base_url=f"http://127.0.0.1:{free.getsockname()[1]}")


def without_architect(house: House) -> None:
    house.library.cast = replace(CAST, personas=tuple(p for p in CAST.personas if p.id != "architect"))


def resting(house: House) -> Model:
    breaker = Breaker(SystemClock(), after=1)
    with pytest.raises(ModelError), breaker.attempt(SONNET):
        raise ModelError("overloaded")
    return house.model(breaker=breaker)


FAILURES: Mapping[str, Broken] = {
    "no-key": Broken(model=lambda _: Absent("no-key")),
    "auth": Broken(model=lambda house: house.model(key="sk-ant-another-999999")),
    "credit": Broken(refuses(400, message="Your credit balance is too low to access the API.")),
    "unknown-model": Broken(model=lambda house: house.model(name="claude-nobody")),
    "forbidden": Broken(refuses(403)),
    "too-large": Broken(refuses(413)),
    "rate": Broken(refuses(429, retry_after="30")),
    "overloaded": Broken(refuses(529)),
    "server": Broken(refuses(500)),
    "timeout": Broken(Hangs(), model=lambda house: house.model(timeout=0.3)),
    "network": Broken(model=nobody_there),
    "cut": Broken(says("never shown", breaks=Cut(0))),
    "breaker": Broken(model=resting),
    "garbage": Broken(Raw(b"<html>hello</html>", "text/html")),
    "context": Broken(refuses(400, message="prompt is too long: 210000 tokens > 200000 maximum")),
    "bad-request": Broken(refuses(400, message="messages.0.content: Field required")),
    "gone": Broken(before=without_architect),
}


def test_every_failure_that_has_a_line_is_brought_about_here() -> None:
    assert set(FAILURES) <= set(REASONS)
    assert set(REASONS) - set(FAILURES) <= {"budget", "budget-short", "busy", "late", "deleted", "proxy"}, (
        "the host's own, which no service brings about"
    )


@pytest.mark.parametrize("reason", FAILURES)
async def test_a_failure_is_one_clear_line_and_the_talk_goes_on(house: House, reason: str) -> None:
    broken = FAILURES[reason]
    async with house.process() as bot:
        await bot.says("*architect")
    if broken.answer:
        house.fake.will(broken.answer)
    if broken.before:
        broken.before(house)
    async with house.process(broken.model(house) if broken.model else None) as bot:
        (told,) = await bot.says("hello")
        # For somebody who is gone the line begins with the name instead of "That persona".
        assert REASONS[reason].removeprefix("That persona ") in told.text
        assert told.voice == HOST and "\n" not in told.text and KEY not in told.text and "999999" not in told.text
        assert told.sealed and not await bot.store.dead()
    house.library.cast = CAST
    sent = len(house.fake.requests)
    house.fake.will(says("Here I am."))
    async with house.process() as bot:
        (reply,) = await bot.says("and now?")
        assert (reply.voice.name, reply.text) == ("Winston", "Here I am.")
        (request,) = house.fake.requests[sent:]
        asked = [] if reason == "gone" else ["alice: hello"]
        texts = [json.loads(block)["text"] for _, block in flat(request)]
        assert [text for text in texts if not text.startswith("[host]")] == [*asked, "alice: and now?"]


async def test_a_reply_that_breaks_off_is_kept_marked_and_gone_on_from(house: House) -> None:
    house.fake.will(says(FIRST, REST, "and more", breaks=Cut(2)), says("as I said."))
    async with house.process() as bot:
        await bot.says("*architect")
        (reply,) = await bot.says("what goes first?")
        assert reply.text == f"{FIRST}{REST}\n\n_(cut: the connection to the model broke)_" and reply.sealed
        (more,) = await bot.says("*continue")
        assert more.text == "as I said."
        first, second = house.fake.requests
        assert flat(second)[: len(flat(first)) + 1] == [
            *flat(first),
            ("assistant", json.dumps({"text": FIRST + REST, "type": "text"})),
        ]


IN_MID_STREAM: Mapping[str, tuple[str, str]] = {
    "authentication_error": ("invalid x-api-key", "auth"),
    "permission_error": ("Your API key does not have permission to use the specified resource.", "forbidden"),
    "billing_error": ("There is an issue with your billing.", "credit"),
    "invalid_request_error": ("Your credit balance is too low to access the API.", "credit"),
    "overloaded_error": ("Overloaded", "overloaded"),
    "rate_limit_error": ("Too many tokens.", "rate"),
    "api_error": ("Internal server error", "server"),
}
"""Errors that the service may send once the reply has begun (its documentation, errors, error event types)."""


@pytest.mark.parametrize("kind", IN_MID_STREAM)
async def test_a_refusal_in_mid_stream_reads_as_what_it_is(
    house: House, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    message, reason = IN_MID_STREAM[kind]
    house.fake.will(says(FIRST, REST, "and more", breaks=Errs(2, kind, message)), says("as I said."))
    async with house.process() as bot:
        await bot.says("*architect")
        (reply,) = await bot.says("what goes first?")
        assert reply.text == f"{FIRST}{REST}\n\n_(cut: {REASONS[reason]})_" and reply.sealed
        assert not await bot.store.dead() and "Traceback" not in caplog.text
        (more,) = await bot.says("*continue")
        assert more.text == "as I said."
        assert ("assistant", json.dumps({"text": FIRST + REST, "type": "text"})) in flat(house.fake.requests[1])


async def test_a_model_that_falls_silent_in_mid_stream_has_not_gone_on_in_time(house: House) -> None:
    gate = Gate()
    gate.release()
    house.fake.will(says(FIRST, REST, gate=gate))
    async with house.process(house.model(timeout=0.3)) as bot:
        await bot.says("*architect")
        (reply,) = await bot.says("what goes first?")
        assert reply.text == f"{FIRST.strip()}\n\n_(cut: the model did not go on in time)_"


# ---------------------------------------------------------------- what a prompt begins with


@contextmanager
def growing(house: House) -> Iterator[None]:
    """Holds that each persona's request n+1 starts with its request n, whatever became of that."""
    yield
    of_each: dict[str, list[Received]] = {}
    for request in house.fake.requests:
        assert request.status in (200, 529), "nothing that the service refuses as malformed"
        of_each.setdefault(head(request), []).append(request)
    assert len({request.body["system"][1]["text"] for request in house.fake.requests}) == len(of_each), (
        "system and tools are the same bytes in every request of a persona"
    )
    for requests in of_each.values():
        for before, after in pairwise(requests):
            assert flat(after)[: len(flat(before))] == flat(before)


async def test_every_request_starts_with_the_one_before_through_talk_tools_switches_stop_and_restarts(
    house: House,
) -> None:
    fake, gate = house.fake, Gate()
    with growing(house):
        async with house.process() as bot:
            fake.will(says("Welcome."), says("Sure."))
            await bot.says("*bmad-orchestrator")
            await bot.says("hello there")
            await bot.says("*status")
            await bot.says("who does architecture?")
            await bot.says("*architect")

            load = ToolUse("load_resource", {"name": "architecture-tmpl"}, "toolu_1")
            ask = ToolUse("ask", {"question": "How many?", "options": ["one", "two"]}, "toolu_2")
            fake.will(
                answers(Thinking("Hm."), Words(("Let me read. ",)), load, stop="tool_use"),
                answers(Thinking(""), ask, stop="tool_use"),
                says("Two, then."),
            )
            await bot.says("draw it")
            await bot.says("2")
            await bot.says("// an aside")

            fake.will(says(FIRST, REST, gate=gate))
            await bot.types("at length")
            gate.release()
            await house.grows()
            await bot.types("stop")
            await bot.rests()

        async with house.process() as bot:
            fake.will(says("After the restart."), says("As ever."))
            assert (await bot.says("are you still here?"))[-1].text == "After the restart."
            await bot.says("*help")
            await bot.says("good")

            held = Gate()
            fake.will(says(FIRST, REST, gate=held))
            await bot.types("once more at length")
            held.release()
            await house.grows()

        fake.will(says("Whole now."), refuses(529), says("Better."))
        async with house.process() as bot:
            await bot.rests()
            assert house.last.text == "Whole now." and all(shown.sealed for shown in house.platform.seen())
            await bot.says("and this fails")
            await bot.says("and this does not")

            fake.will(says("Back with me."))
            await bot.says("*exit")
            (reply,) = await bot.says("are we done?")
            assert reply.voice.name == "BMad Orchestrator"
    names = [request.body["system"][1]["text"].split(",")[0] for request in fake.requests]
    assert names == ["You are BMad Orchestrator"] * 2 + ["You are Winston"] * 10 + ["You are BMad Orchestrator"]
    assert fake.unused == 0


# ---------------------------------------------------------------- logs


class Down(FakePlatform):
    """A platform that takes nothing."""

    async def post(self, out: Outgoing) -> Receipt:
        raise TransportError("the platform is down")


async def test_what_people_say_and_keys_are_in_no_line_of_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    house.fake.will(says("A confidence of mine."), refuses(401, message=f"no {KEY}"), says("And another."))
    async with house.process() as bot:
        await bot.says("*architect")
        for _ in range(3):
            await bot.says("my confidential plan")
    house.platform = Down(clock=house.platform.clock, spoken=house.platform.spoken)
    async with house.process() as bot:
        await bot.types("*status my confidential plan")
        await house.fake.until(lambda: "has to wait" in caplog.text, "a line about the turn")
    assert "confiden" not in caplog.text and KEY not in caplog.text
