"""The real client against the strict fake: every ending that a call of a model can have."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any, cast

import anthropic
import pytest

from bot.core.failures import REASONS
from bot.core.prompt import Block, Message, Prompt, Tool, prompt
from bot.core.steps import Entry
from bot.models import request
from bot.models.anthropic import AnthropicModel
from bot.models.breaker import Breaker
from bot.models.options import ModelOptions, Priced
from bot.models.pacing import ReadPace, connection_of
from bot.personas.model import Command, Persona
from bot.ports.model import ModelError, Reply
from tests.fakes.anthropic import (
    Cut,
    Ends,
    Errs,
    FakeAnthropic,
    Gate,
    Hangs,
    Lingers,
    Raw,
    Redacted,
    Refuses,
    Text,
    Thinking,
    ToolUse,
    answers,
    refuses,
    says,
)

SONNET, OPUS = "claude-sonnet-5-5", "claude-opus-5-5"
ALIASES = {"sonnet": Priced(SONNET, 2, 10, 0.1, 2.5), "opus": Priced(OPUS, 4, 20, 0.2, 5)}


class SwiftClock:
    """A clock on which sleeping takes no time but is noted."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def steady(self) -> float:
        return self.now()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


class Screen:
    """What people see of a reply that grows."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    async def show(self, piece: str) -> None:
        self.pieces.append(piece)


def user(text: str, *, mark: bool = False) -> Message:
    return Message("user", (Block(json.dumps({"type": "text", "text": text}), mark),))


def asking(*messages: Message, system: tuple[str, ...] = ("You are Winston.",), model: str = "") -> Prompt:
    tool = Tool("ask", "Ask people.", '{"type":"object","properties":{"question":{"type":"string"}}}')
    return Prompt("architect", system, (tool,), messages or (user("Ada: hello"),), model)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def fake() -> AsyncIterator[FakeAnthropic]:
    async with FakeAnthropic(models=frozenset({SONNET, OPUS})) as server:
        yield server


@pytest.fixture
def clock() -> SwiftClock:
    return SwiftClock()


class Models:
    """Makes models and closes them when the test is over."""

    def __init__(self, fake: FakeAnthropic, clock: SwiftClock) -> None:
        self._fake = fake
        self._clock = clock
        self._made: list[AnthropicModel] = []

    def make(self, *, key: str | None = None, breaker: Breaker | None = None, **options: Any) -> AnthropicModel:
        given = {"name": "sonnet", "aliases": ALIASES, "base_url": self._fake.url, "timeout": 5.0, **options}
        key = self._fake.key if key is None else key
        model = AnthropicModel(ModelOptions(**given), key, self._clock, breaker or Breaker(self._clock, after=100))
        self._made.append(model)
        return model

    async def close(self) -> None:
        for model in self._made:
            await model.close()


@pytest.fixture
async def models(fake: FakeAnthropic, clock: SwiftClock) -> AsyncIterator[Models]:
    made = Models(fake, clock)
    yield made
    await made.close()


async def failure(model: AnthropicModel, screen: Screen | None = None, of: Prompt | None = None) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await model.reply(of or asking(), (screen or Screen()).show)
    assert caught.value.reason in REASONS
    return caught.value


def text_of(reply: Reply) -> str:
    return "".join(block["text"] for block in json.loads(reply.content) if block["type"] == "text")


# ---------------------------------------------------------------- replies


async def test_a_reply_is_shown_as_it_comes_and_returned_whole(fake: FakeAnthropic, models: Models) -> None:
    fake.will(says("Good ", "morning, ", "Ada."))
    screen = Screen()
    reply = await models.make().reply(asking(), screen.show)
    assert "".join(screen.pieces) == "Good morning, Ada."
    assert reply.content == '[{"type":"text","text":"Good morning, Ada."}]'
    assert (reply.stop, reply.usage.model) == ("end_turn", SONNET)
    assert reply.usage.input > 0 and reply.usage.output == 4


async def test_pieces_that_come_soon_after_each_other_are_read_together(fake: FakeAnthropic, models: Models) -> None:
    gate, screen = Gate(), Screen()
    pieces = [f"word{number} " for number in range(100)]
    fake.will(says(*pieces, gate=gate))
    asked = asyncio.create_task(models.make().reply(asking(), screen.show))
    while not asked.done():
        gate.release()
        await asyncio.sleep(0.01)
    assert text_of(await asked) == "".join(screen.pieces) == "".join(pieces)
    assert len(screen.pieces) < 50, "each piece was read by itself"


async def test_the_connection_below_the_sdk_is_found_and_reads_on_after_a_pause(fake: FakeAnthropic) -> None:
    gate = Gate()
    fake.will(says("one ", "two", gate=gate))
    body: dict[str, Any] = {"model": SONNET, "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
    http = anthropic.DefaultAioHttpClient()
    async with (
        anthropic.AsyncAnthropic(api_key=fake.key, base_url=fake.url, http_client=http) as client,
        client.messages.with_streaming_response.create(**body, stream=True) as response,
    ):
        connection, pace = connection_of(response), ReadPace(response)
        assert connection is not None
        await pace.pause()  # from here on the reply is coming
        await asyncio.sleep(1.0)
        pausing = asyncio.create_task(pace.pause())
        await asyncio.sleep(0)
        assert not connection.is_reading()
        await pausing
        assert connection.is_reading()
        gate.release()
        gate.release()
        assert b"two" in b"".join([chunk async for chunk in response.iter_bytes()])


async def test_the_first_piece_is_shown_before_the_second_was_sent(fake: FakeAnthropic, models: Models) -> None:
    gate, screen = Gate(), Screen()
    fake.will(says("one ", "two", gate=gate))
    asked = asyncio.create_task(models.make().reply(asking(), screen.show))
    gate.release()
    await fake.until(lambda: screen.pieces, "the first piece")
    assert screen.pieces == ["one "] and not asked.done()
    gate.open()
    assert text_of(await asked) == "one two"


@pytest.mark.parametrize(
    "stop", ["end_turn", "max_tokens", "stop_sequence", "pause_turn", "refusal", "model_context_window_exceeded"]
)
async def test_every_stop_reason_is_returned_as_it_is(fake: FakeAnthropic, models: Models, stop: str) -> None:
    fake.will(says("so far", stop=stop))
    reply = await models.make().reply(asking(), Screen().show)
    assert (reply.stop, text_of(reply)) == (stop, "so far")


async def test_a_refusal_without_a_word_has_no_blocks(fake: FakeAnthropic, models: Models) -> None:
    fake.will(answers(stop="refusal"))
    reply = await models.make().reply(asking(), Screen().show)
    assert (reply.stop, reply.content) == ("refusal", "[]")


async def test_a_tool_call_and_signed_thinking_go_back_as_they_came(fake: FakeAnthropic, models: Models) -> None:
    question = {"question": "Wie weit? 🧭", "options": ["a", "b"]}
    fake.will(
        answers(Thinking("Hm."), Redacted(), Text(("Let me ", "ask.")), ToolUse("ask", question), stop="tool_use"),
        says("Thanks."),
    )
    model, screen = models.make(), Screen()
    reply = await model.reply(asking(), screen.show)
    blocks = json.loads(reply.content)
    assert [b["type"] for b in blocks] == ["thinking", "redacted_thinking", "text", "tool_use"]
    assert blocks[3] == {"type": "tool_use", "id": "toolu_01", "name": "ask", "input": question}
    assert (reply.stop, "".join(screen.pieces)) == ("tool_use", "Let me ask.")

    result = Block(json.dumps({"type": "tool_result", "tool_use_id": "toolu_01", "content": "b"}))
    said = Message("assistant", tuple(Block(json.dumps(b)) for b in blocks))
    assert (
        text_of(await model.reply(asking(user("Ada: hi"), said, Message("user", (result,))), screen.show)) == "Thanks."
    )
    assert fake.requests[1].body["messages"][1]["content"] == blocks


async def test_a_persona_gets_the_model_it_wishes_for_where_that_is_allowed(
    fake: FakeAnthropic, models: Models
) -> None:
    fake.will(says("a"), says("b"))
    allowing = await models.make(allow=("opus",)).reply(asking(model="opus"), Screen().show)
    strict = await models.make(allow=()).reply(asking(model="opus"), Screen().show)
    assert (allowing.usage.model, strict.usage.model) == (OPUS, SONNET)
    assert [r.body["model"] for r in fake.requests] == [OPUS, SONNET]


async def test_only_what_every_server_of_this_protocol_knows_is_sent(fake: FakeAnthropic, models: Models) -> None:
    fake.will(says("a"))
    await models.make(cache=False, max_tokens=77).reply(asking(user("Ada: hi", mark=True)), Screen().show)
    body = fake.requests[0].body
    assert set(body) == {"model", "max_tokens", "messages", "system", "tools", "stream"}
    assert body["max_tokens"] == 77 and "cache_control" not in json.dumps(body)
    assert "anthropic-beta" not in {name.lower() for name in fake.requests[0].headers}


async def test_a_local_server_needs_no_key(clock: SwiftClock) -> None:
    async with FakeAnthropic(key="none", otherwise=lambda _: says("hello")) as local:
        model = AnthropicModel(ModelOptions("qwen", base_url=local.url), "", clock)
        assert text_of(await model.reply(asking(), Screen().show)) == "hello"
        await model.close()


async def test_half_a_surrogate_pair_never_reaches_the_screen_or_the_store(fake: FakeAnthropic, models: Models) -> None:
    fake.will(says("a\ud83d", "\ude00b"))
    screen = Screen()
    reply = await models.make().reply(asking(), screen.show)
    assert text_of(reply) == "a😀b"
    "".join(screen.pieces).encode()


# ---------------------------------------------------------------- failures before an answer


async def test_without_a_key_nothing_is_sent(fake: FakeAnthropic, models: Models) -> None:
    error = await failure(models.make(key="", base_url=""))
    assert error.reason == "no-key" and not fake.requests


async def test_a_wrong_key_is_told_without_showing_it(fake: FakeAnthropic, models: Models) -> None:
    error = await failure(models.make(key="sk-ant-wrong-9876"))
    assert error.reason == "auth"
    assert "9876" not in error.detail and len(fake.requests) == 1


async def test_an_unknown_model_is_named(fake: FakeAnthropic, models: Models) -> None:
    error = await failure(models.make(name="claude-nobody"))
    assert error.reason == "unknown-model" and "claude-nobody" in error.detail


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refuses(400, message="Your credit balance is too low to access the API."), "credit"),
        (refuses(402), "credit"),
        (refuses(429, code="enforced_spend_limit_reached"), "credit"),
        (refuses(403), "forbidden"),
        (refuses(413), "too-large"),
        (refuses(400, message="prompt is too long: 210000 tokens > 200000 maximum"), "context"),
        (refuses(400, message="input length and `max_tokens` exceed context limit: 1 + 2 > 2"), "context"),
        (refuses(400, message="messages.0.content: Field required"), "bad-request"),
        (refuses(418, type="teapot_error"), "bad-request"),
        (Raw(b"<html>not here</html>", "text/html", 404), "network"),
        (Raw(b"<html>hello</html>", "text/html"), "garbage"),
        (Raw(b""), "garbage"),
        (Raw(b"event: message_start\ndata: {nonsense\n\n"), "garbage"),
        (Raw(b'event: message_start\ndata: {"type":"message_start","message":7}\n\n'), "garbage"),
        (Raw(b'event: message_stop\ndata: {"type":"message_stop"}\n\n'), "garbage"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_failure_that_stays_is_told_at_once(
    fake: FakeAnthropic, models: Models, clock: SwiftClock, answer: Refuses | Raw, reason: str
) -> None:
    fake.will(answer)
    error = await failure(models.make())
    assert (error.reason, error.partial) == (reason, "")
    assert len(fake.requests) == 1 and clock.slept == []


async def test_words_of_the_service_are_passed_on_without_secrets(fake: FakeAnthropic, models: Models) -> None:
    fake.will(refuses(403, message=f"key {fake.key} and sk-ant-other-55555 may\nnot"))
    error = await failure(models.make())
    assert error.detail == "key … and … may not; request req_0001"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refuses(429), "rate"),
        (refuses(529), "overloaded"),
        (refuses(500), "server"),
        (Raw(b"bad gateway", "text/plain", 502), "server"),
        (refuses(504), "timeout"),
        (says("never shown", breaks=Errs(0)), "overloaded"),
        (says("never shown", breaks=Errs(0, "api_error", "Internal")), "server"),
        (says("never shown", breaks=Cut(0)), "cut"),
        (says("never shown", breaks=Ends(0)), "cut"),
        (answers(Thinking("hm"), Text(("never shown",)), breaks=Cut(2)), "cut"),
    ],
    ids=["429", "529", "500", "502", "504", "overloaded", "api_error", "cut", "ends", "after-thinking"],
)
async def test_a_failure_that_may_pass_is_tried_again_within_bounds(
    fake: FakeAnthropic, models: Models, clock: SwiftClock, answer: Any, reason: str
) -> None:
    fake.will(answer, answer, says("there"))
    model = models.make(retry=20)
    assert text_of(await model.reply(asking(), Screen().show)) == "there"
    assert len(fake.requests) == 3
    assert 0.3 < clock.slept[0] <= 0.5 < clock.slept[1] <= 1.0

    fake.will(*[answer] * 20)
    before, began = len(fake.requests), clock.time
    error = await failure(model)
    tries = len(fake.requests) - before
    assert (error.reason, error.partial) == (reason, "")
    assert 4 <= tries <= 8 and f"tried {tries} times" in error.detail
    assert clock.time - began <= 20


async def test_a_retry_after_is_obeyed(fake: FakeAnthropic, models: Models, clock: SwiftClock) -> None:
    fake.will(refuses(429, retry_after="7"), refuses(529, retry_after_ms="250"), says("there"))
    assert text_of(await models.make(retry=60).reply(asking(), Screen().show)) == "there"
    assert clock.slept == [7.0, 0.25]


@pytest.mark.parametrize("told", ["86400", "inf", "Fri, 01 Jan 2038 00:00:00 GMT"])
async def test_nobody_waits_for_a_retry_after_beyond_the_budget(
    fake: FakeAnthropic, models: Models, clock: SwiftClock, told: str
) -> None:
    fake.will(refuses(429, retry_after=told))
    error = await failure(models.make(retry=60))
    assert error.reason == "rate" and "asks to wait" in error.detail
    assert clock.slept == [] and len(fake.requests) == 1


async def test_a_retry_after_of_nonsense_falls_back_to_our_own_pause(
    fake: FakeAnthropic, models: Models, clock: SwiftClock
) -> None:
    fake.will(refuses(429, retry_after="soon"), says("there"))
    assert text_of(await models.make().reply(asking(), Screen().show)) == "there"
    assert clock.slept[0] <= 0.5


async def test_a_silent_service_times_out(fake: FakeAnthropic, models: Models) -> None:
    fake.will(Hangs())
    error = await failure(models.make(timeout=0.2, retry=0))
    assert error.reason == "timeout"
    await fake.until(lambda: fake.requests[0].aborted, "the connection to be closed")


async def test_nobody_at_the_address_is_told_with_the_address(models: Models) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = await failure(models.make(base_url=f"http://127.0.0.1:{port}", retry=0))
    assert error.reason == "network" and str(port) in error.detail


# ---------------------------------------------------------------- failures within an answer


@pytest.mark.parametrize(
    ("breaks", "reason"),
    [
        (Cut(2), "cut"),
        (Ends(2), "cut"),
        (Errs(2), "overloaded"),
        (Errs(2, "rate_limit_error"), "rate"),
        (Errs(2, "invalid_request_error", "prompt is too long"), "context"),
        (Errs(2, "new_error"), "server"),
    ],
    ids=["cut", "ends", "overloaded", "rate", "context", "unheard-of"],
)
async def test_a_broken_answer_keeps_what_had_come_and_is_not_asked_twice(
    fake: FakeAnthropic, models: Models, clock: SwiftClock, breaks: Any, reason: str
) -> None:
    fake.will(says("one ", "two ", "three", breaks=breaks))
    screen = Screen()
    error = await failure(models.make(), screen)
    assert (error.reason, error.partial) == (reason, "one two ")
    assert "".join(screen.pieces) == error.partial
    assert error.usage.input > 0 and error.usage.model == SONNET
    assert len(fake.requests) == 1 and clock.slept == []


async def test_silence_in_the_middle_times_out_with_what_had_come(fake: FakeAnthropic, models: Models) -> None:
    gate = Gate()
    gate.release()
    fake.will(says("one ", "two", gate=gate))
    error = await failure(models.make(timeout=0.2))
    assert (error.reason, error.partial) == ("timeout", "one ")


@pytest.mark.parametrize(
    "noise", [b'event: ping\ndata: {"type":"ping"}\n\n', b": still here\n\n", b"event: new_thing\n\n"]
)
@pytest.mark.parametrize("after", [0, 1])
async def test_pings_and_comments_are_no_signs_of_life(
    fake: FakeAnthropic, models: Models, noise: bytes, after: int
) -> None:
    gate = Gate()
    gate.release(after)
    fake.will(says("one ", "two", gate=gate, noise=noise))
    error = await failure(models.make(timeout=0.3, retry=0))
    assert (error.reason, error.partial) == ("timeout", "one " * after)
    await fake.until(lambda: fake.requests[0].aborted, "the connection to be closed")


async def test_a_reply_is_whole_though_its_stream_stays_open(fake: FakeAnthropic, models: Models) -> None:
    fake.will(says("All of it.", breaks=Lingers()))
    assert text_of(await models.make(timeout=30).reply(asking(), Screen().show)) == "All of it."


async def test_a_screen_may_take_its_time(fake: FakeAnthropic, models: Models) -> None:
    async def slow(piece: str) -> None:
        await asyncio.sleep(0.4)

    fake.will(says("one ", "two"))
    assert text_of(await models.make(timeout=0.3).reply(asking(), slow)) == "one two"


async def test_a_reply_beyond_all_bounds_is_cut_and_no_more_of_it_is_read(
    fake: FakeAnthropic, models: Models, clock: SwiftClock
) -> None:
    fake.will(answers(Thinking("Hm."), Text(("words " * 20,) * 50_000)))
    model, screen = models.make(max_tokens=100), Screen()
    reply = await model.reply(asking(), screen.show)
    assert reply.stop == "oversized" and text_of(reply) == "".join(screen.pieces)
    assert 4_000 < len(text_of(reply)) < 16 * 100 + 4_096
    assert reply.usage.output >= len(text_of(reply)) // 4
    await fake.until(lambda: fake.requests[0].aborted, "the connection to be closed")
    assert len(fake.requests) == 1 and clock.slept == []


@pytest.mark.parametrize(
    "block",
    [Text(("one", "x" * 400_000)), Thinking("x" * 400_000), ToolUse("ask", {"question": "x" * 400_000})],
    ids=["text", "thinking", "tool"],
)
async def test_one_piece_beyond_all_bounds_is_not_taken_either(
    fake: FakeAnthropic, models: Models, block: Text | Thinking | ToolUse
) -> None:
    fake.will(answers(Text(("Well. ",)), block, stop="tool_use"))
    reply = await models.make(max_tokens=100).reply(asking(), Screen().show)
    assert reply.stop == "oversized" and len(reply.content) < 200 and text_of(reply).startswith("Well. ")


def wired(*events: dict[str, Any]) -> bytes:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def started(index: int, block: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": block},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


CITED = [
    {
        "cited_text": "a",
        "document_index": 0,
        "document_title": None,
        "end_char_index": end,
        "start_char_index": 0,
        "type": "char_location",
    }
    for end in (1, 2)
]
KINDS: dict[str, list[dict[str, Any]]] = {
    "text": started(0, {"type": "text", "text": "a "}, *({"type": "text_delta", "text": t} for t in ("b", "", " ü🧭"))),
    "cited": started(
        0,
        {"type": "text", "text": "", "citations": []},
        {"type": "text_delta", "text": "a"},
        *({"type": "citations_delta", "citation": cited} for cited in CITED),
    ),
    "thinking": started(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        *({"type": "thinking_delta", "thinking": t} for t in ("Hm", ", well")),
        {"type": "signature_delta", "signature": "EqQB=="},
    ),
    "redacted": started(0, {"type": "redacted_thinking", "data": "opaque=="}),
    "call": started(
        0,
        {"type": "tool_use", "id": "toolu_1", "name": "ask", "input": {}, "caller": {"type": "direct"}},
        *({"type": "input_json_delta", "partial_json": t} for t in ("", '{"b": [1.0, 1e3,', ' null], "a":', ' "ü"}')),
    ),
    "call without input": started(0, {"type": "tool_use", "id": "toolu_1", "name": "ask", "input": {}}),
    "call that was cut": started(
        0,
        {"type": "tool_use", "id": "toolu_1", "name": "ask", "input": {}},
        {"type": "input_json_delta", "partial_json": '{"a": {"b": [1, 2'},
    ),
    "misplaced": started(
        0, {"type": "text", "text": "a"}, {"type": "thinking_delta", "thinking": "b"}, {"type": "new", "x": 1}
    ),
}


@pytest.mark.parametrize("events", KINDS.values(), ids=KINDS)
async def test_every_kind_of_block_is_what_the_sdk_makes_of_it(
    fake: FakeAnthropic, models: Models, events: list[dict[str, Any]]
) -> None:
    counts = {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "model": SONNET, "content": [], "usage": counts}
    wire = wired(
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None}},
        *events,
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    )
    fake.will(Raw(wire), Raw(wire))
    async with anthropic.AsyncAnthropic(api_key=fake.key, base_url=fake.url) as client:
        asked = [{"role": "user", "content": "hello"}]
        async with client.messages.stream(model=SONNET, max_tokens=9, messages=cast("Any", asked)) as stream:
            known = await stream.get_final_message()
    reply = await models.make().reply(asking(), Screen().show)
    assert reply.content == request.content(block.to_dict(mode="json", warnings=False) for block in known.content)
    assert (reply.stop, reply.usage.output) == (known.stop_reason, known.usage.output_tokens) == ("end_turn", 9)
    assert (reply.usage.input, reply.usage.cache_read) == (7, 3)


async def test_an_event_nobody_knows_is_passed_over(fake: FakeAnthropic, models: Models) -> None:
    unheard = 'event: new_thing\ndata: {"type":"new_thing","index":"?"}\n\n'
    delta = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"new"}}\n\n'
    fake.will(says("one ", "two", noise=(unheard + delta).encode()))
    assert text_of(await models.make().reply(asking(), Screen().show)) == "one two"


async def test_a_tool_call_that_ran_into_the_limit_keeps_what_is_certain(fake: FakeAnthropic, models: Models) -> None:
    fake.will(answers(ToolUse("ask", {"question": "Why?", "options": ["because"]}), stop="max_tokens", whole=False))
    reply = await models.make().reply(asking(), Screen().show)
    assert reply.stop == "max_tokens"
    assert json.loads(reply.content)[0]["input"]["question"] == "Why?"


async def test_broken_json_of_a_tool_call_is_told_as_unreadable(fake: FakeAnthropic, models: Models) -> None:
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "m", "content": [], "usage": {}, "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "ask"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"a" 1'}},
    ]
    wire = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    fake.will(Raw(wire.encode()))
    assert (await failure(models.make())).reason == "garbage"


async def test_a_cancelled_reply_closes_its_connection_and_leaves_nothing_behind(
    fake: FakeAnthropic, models: Models
) -> None:
    gate, screen = Gate(), Screen()
    gate.release()
    fake.will(says("one ", "two", gate=gate), says("again"))
    model = models.make()
    before = asyncio.all_tasks()
    asked = asyncio.create_task(model.reply(asking(), screen.show))
    await fake.until(lambda: screen.pieces, "the first piece")
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await fake.until(lambda: fake.requests[0].aborted, "the connection to be closed")
    await fake.until(lambda: asyncio.all_tasks() <= before, "tasks of the call to end")
    assert text_of(await model.reply(asking(), screen.show)) == "again"


async def test_what_the_screen_raises_is_no_failure_of_the_model(fake: FakeAnthropic, models: Models) -> None:
    async def torn(piece: str) -> None:
        raise ValueError(f"no screen for {piece}")

    fake.will(says("one", "two"))
    with pytest.raises(ValueError, match="no screen for one"):
        await models.make().reply(asking(), torn)
    assert len(fake.requests) == 1


# ---------------------------------------------------------------- the breaker


async def test_a_service_that_is_down_is_left_alone_then_tried_by_one(
    fake: FakeAnthropic, models: Models, clock: SwiftClock
) -> None:
    model = models.make(breaker=Breaker(clock, after=3, rest=30), retry=600)
    fake.will(*[refuses(529)] * 3)
    first = await failure(model)
    assert first.reason == "overloaded" and "tried 3 times" in first.detail

    second = await failure(model)
    assert (second.reason, second.detail) == ("breaker", f"{SONNET} is tried again in 30 s")
    assert len(fake.requests) == 3

    clock.time += 31
    gate = Gate()
    fake.will(says("back ", "again", gate=gate))
    trial = asyncio.create_task(model.reply(asking(), Screen().show))
    await fake.until(lambda: len(fake.requests) == 4, "the trial")
    gate.open()
    assert text_of(await trial) == "back again"
    fake.will(says("fine"))
    assert text_of(await model.reply(asking(), Screen().show)) == "fine"


async def test_one_model_down_leaves_the_other_to_answer(
    fake: FakeAnthropic, models: Models, clock: SwiftClock
) -> None:
    model = models.make(breaker=Breaker(clock, after=1), allow=("*",))
    fake.will(refuses(529))
    await failure(model)
    fake.will(says("here"))
    assert text_of(await model.reply(asking(model="opus"), Screen().show)) == "here"


async def test_our_own_bad_requests_do_not_open_the_breaker(
    fake: FakeAnthropic, models: Models, clock: SwiftClock
) -> None:
    model = models.make(breaker=Breaker(clock, after=1))
    fake.will(refuses(400), says("fine"))
    await failure(model)
    assert text_of(await model.reply(asking(), Screen().show)) == "fine"


# ---------------------------------------------------------------- the cache


async def test_breakpoints_stand_behind_the_system_and_every_marked_block(fake: FakeAnthropic, models: Models) -> None:
    fake.will(says("a"))
    said = Message("assistant", (Block('{"type":"text","text":"yes"}', mark=True),))
    await models.make().reply(asking(user("one"), said, user("two", mark=True), system=("a", "b")), Screen().show)
    body = fake.requests[0].body
    assert [block.get("cache_control") for block in body["system"]] == [None, {"type": "ephemeral", "ttl": "1h"}]
    marks = [block.get("cache_control") for message in body["messages"] for block in message["content"]]
    assert marks == [None, {"type": "ephemeral"}, {"type": "ephemeral"}]


async def test_a_growing_conversation_is_read_from_the_cache(fake: FakeAnthropic, models: Models) -> None:
    winston = Persona(
        id="architect",
        name="Winston",
        title="Architect",
        instructions="Think in systems, weigh the alternatives, and say what each of them costs. " * 90,
        commands=(Command("create-architecture", "Write the architecture with the team."),),
    )
    model = models.make()
    log = [Entry("on", "architect")]
    for turn in range(40):
        log.append(Entry("said", "U1", f"Question {turn}: what would you do about the queue, and why? " * 2, "Ada"))
        if turn % 5 == 4:
            call = ToolUse(
                "ask", {"question": f"Which of these, for {turn}?", "options": ["one", "two"]}, f"toolu_{turn}"
            )
            fake.will(answers(Thinking(f"Turn {turn}."), Text((f"I ask {turn}.",)), call, stop="tool_use"))
        else:
            fake.will(answers(Thinking(f"Turn {turn}."), Text((f"Answer {turn}: ", "keep it small and say so. " * 8))))
        reply = await model.reply(prompt(winston, log), Screen().show)
        log.append(Entry("reply", "architect", text_of(reply), "Winston", reply.content))
        if reply.stop == "tool_use":
            log.append(Entry("result", "architect", "two", call=f"toolu_{turn}"))
    later = fake.requests[1:]
    assert [r.status for r in fake.requests] == [200] * 40
    assert all(r.usage["cache_read_input_tokens"] > 0 for r in later), "a gap: a request found nothing in the cache"
    assert fake.cached_share() >= 0.95
