"""The fake is worth what it refuses: each rule is broken once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from tests.fakes.anthropic import FakeAnthropic, Text, Thinking, answers, says
from tests.fakes.anthropic_cache import PrefixCache
from tests.fakes.anthropic_rules import RefusedError, check, signature

EPHEMERAL = {"type": "ephemeral"}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def call(ident: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": ident, "name": "ask", "input": {}}


def result(ident: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": ident, "content": "yes"}


SOUND: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 100,
    "stream": True,
    "system": [text("You are Winston.", cache_control={"type": "ephemeral", "ttl": "1h"})],
    "tools": [{"name": "ask", "description": "d", "input_schema": {"type": "object"}}],
    "messages": [
        {"role": "user", "content": "hello"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": signature("hm")},
                call("t1"),
                call("t2"),
            ],
        },
        {"role": "user", "content": [result("t2"), result("t1"), text("and?", cache_control=EPHEMERAL)]},
    ],
}


def messages(*content: Any) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        roles = ("user", "assistant")
        body["messages"] = [{"role": roles[i % 2], "content": c} for i, c in enumerate(content)]

    return change


def setting(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda body: body.__setitem__(name, value)


def test_a_sound_request_passes() -> None:
    check(copy.deepcopy(SOUND))


@pytest.mark.parametrize(
    ("change", "says_so"),
    [
        (lambda b: b.pop("model"), "model: Field required"),
        (lambda b: b.pop("max_tokens"), "max_tokens: Field required"),
        (setting("max_tokens", 0), "at least 1"),
        (setting("temperature", 1), "temperature"),
        (setting("top_p", 1), "top_p"),
        (setting("top_k", 1), "top_k"),
        (setting("surprise", 1), "surprise: Extra"),
        (setting("tool_choice", {"type": "tool", "name": "ask"}), "forced tool use"),
        (setting("tool_choice", {"type": "any"}), "forced tool use"),
        (setting("tools", {"ask": {}}), "tools: Input should be a valid array"),
        (setting("tools", [{"name": "bad name", "input_schema": {"type": "object"}}]), "tools.0.name"),
        (setting("tools", SOUND["tools"] * 2), "unique"),
        (setting("tools", [{"name": "ask"}]), "input_schema"),
        (setting("system", [text("")]), "non-empty"),
        (setting("messages", []), "at least one message"),
        (lambda b: b["messages"].pop(0), "first message"),
        (lambda b: b["messages"].insert(0, {"role": "user", "content": "x"}), "alternate"),
        (lambda b: b["messages"][0].update(role="system"), "role"),
        (messages(""), "non-empty"),
        (messages([]), "non-empty content"),
        (messages([text(" \n")]), "non-whitespace"),
        (messages([text("a", parsed_output=None)]), "Extra inputs"),
        (messages([text("a", citations=None)]), "citations"),
        (messages([call("t1")]), "not for the role user"),
        (messages([result("t1")]), "unexpected `tool_use_id`"),
        (messages("a", [call("t1")]), "without `tool_result`"),
        (messages("a", [call("t1"), call("t2")], [result("t1")]), "immediately after: \\['t2'\\]"),
        (messages("a", [call("t1")], [text("first"), result("t1")]), "immediately after"),
        (messages("a", [call("t1")], [result("t1"), result("t1")]), "single result"),
        (messages("a", [call("t1"), call("t1")], [result("t1")]), "unique"),
        (messages("a", [{"type": "thinking", "thinking": "hm", "signature": ""}], "b"), "signature: Field required"),
        (messages("a", [{"type": "thinking", "thinking": "hm", "signature": "sig_x"}], "b"), "Invalid `signature`"),
        (
            messages("a", [{"type": "thinking", "thinking": "", "signature": "s", "cache_control": EPHEMERAL}], "b"),
            "Extra inputs",
        ),
        (messages("a", "b "), "trailing whitespace"),
        (messages([text(str(n), cache_control=EPHEMERAL) for n in range(4)]), "maximum of 4"),
        (messages([text("a", cache_control={"type": "ephemeral", "ttl": "2h"})]), "ttl of 5m or 1h"),
        (
            messages([text("a", cache_control=EPHEMERAL), text("b", cache_control={"type": "ephemeral", "ttl": "1h"})]),
            "must not come after",
        ),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(change: Callable[[dict[str, Any]], None], says_so: str) -> None:
    body = copy.deepcopy(SOUND)
    change(body)
    with pytest.raises(RefusedError, match=says_so):
        check(body)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"anthropic-version": "2023-06-01"}, 401),
        ({"anthropic-version": "2023-06-01", "x-api-key": "other"}, 401),
        ({"x-api-key": "sk-ant-test-0123456789"}, 400),
        ({"anthropic-version": "2023-06-01", "x-api-key": "sk-ant-test-0123456789"}, 200),
        ({"anthropic-version": "2023-06-01", "authorization": "Bearer sk-ant-test-0123456789"}, 200),
    ],
)
async def test_a_request_needs_the_key_and_a_version(headers: dict[str, str], status: int) -> None:
    async with FakeAnthropic(otherwise=lambda _: says("hi")) as fake, aiohttp.ClientSession() as http:
        async with http.post(fake.url + "/v1/messages", json=SOUND, headers=headers) as response:
            await response.read()
            assert response.status == status
        assert [r.status for r in fake.requests] == [status]


async def test_a_refused_request_takes_no_answer_and_an_unexpected_one_is_told() -> None:
    async with FakeAnthropic() as fake, aiohttp.ClientSession() as http:
        headers = {"anthropic-version": "2023-06-01", "x-api-key": fake.key}
        fake.will(says("hi"))
        for body, status in (({**SOUND, "top_k": 1}, 400), (SOUND, 200), (SOUND, 400)):
            async with http.post(fake.url + "/v1/messages", json=body, headers=headers) as response:
                assert response.status == status
                words = await response.text()
        assert fake.unused == 0 and "no answer" in words


async def test_the_wire_carries_every_event_in_its_order() -> None:
    async with FakeAnthropic() as fake, aiohttp.ClientSession() as http:
        headers = {"anthropic-version": "2023-06-01", "x-api-key": fake.key}
        fake.will(answers(Thinking("hm"), Text(("a", "b"))))
        async with http.post(fake.url + "/v1/messages", json=SOUND, headers=headers) as response:
            lines = (await response.text()).splitlines()
    assert [line.removeprefix("event: ") for line in lines if line.startswith("event: ")] == [
        *("message_start", "ping"),
        *("content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"),
        *("content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop"),
    ]


# ---------------------------------------------------------------- the cache's accounts


def talk(blocks: int, *marked: int, system: str = "s" * 8000) -> dict[str, Any]:
    content = [text(f"line {n}", **({"cache_control": EPHEMERAL} if n in marked else {})) for n in range(blocks)]
    return {"model": "m", "system": [text(system)], "messages": [{"role": "user", "content": content}]}


def test_a_prefix_written_at_a_breakpoint_is_read_by_the_next_request() -> None:
    cache = PrefixCache()
    first, second = cache.account(talk(5, 4)), cache.account(talk(8, 7))
    assert first["cache_read_input_tokens"] == 0 and first["cache_creation_input_tokens"] > 2000
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
    assert 0 < second["cache_creation_input_tokens"] < 100 and second["input_tokens"] == 0


def test_without_a_breakpoint_nothing_is_written() -> None:
    cache = PrefixCache()
    assert cache.account(talk(5))["cache_creation_input_tokens"] == 0
    assert cache.account(talk(5))["cache_read_input_tokens"] == 0


def test_a_breakpoint_looks_back_twenty_blocks_and_no_further() -> None:
    cache = PrefixCache()
    cache.account(talk(5, 4))
    assert cache.account(talk(24, 23))["cache_read_input_tokens"] > 0
    cache = PrefixCache()
    cache.account(talk(5, 4))
    assert cache.account(talk(25, 24))["cache_read_input_tokens"] == 0


def test_a_changed_system_finds_nothing() -> None:
    cache = PrefixCache()
    cache.account(talk(5, 4))
    assert cache.account(talk(5, 4, system="t" * 8000))["cache_read_input_tokens"] == 0


def test_a_prefix_that_is_too_short_is_not_cached() -> None:
    cache = PrefixCache()
    cache.account(talk(5, 4, system="short"))
    usage = cache.account(talk(5, 4, system="short"))
    assert usage["cache_read_input_tokens"] == usage["cache_creation_input_tokens"] == 0
