from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Literal

import pytest

from bot.core.prompt import Block, Message, Prompt, Tool
from bot.models import request
from bot.models.options import ModelOptions

OPTIONS = ModelOptions("sonnet", max_tokens=100)


def message(role: Literal["user", "assistant"], *blocks: dict[str, Any], mark: bool = False) -> Message:
    last = len(blocks) - 1
    return Message(role, tuple(Block(json.dumps(b), mark and i == last) for i, b in enumerate(blocks)))


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def body(*messages: Message, system: tuple[str, ...] = (), tools: tuple[Tool, ...] = ()) -> dict[str, Any]:
    return request.body(Prompt("architect", system, tools, messages), OPTIONS, "m")


def test_the_same_prompt_gives_the_same_bytes() -> None:
    one, two = (body(message("user", text("a"), mark=True), system=("s",)) for _ in range(2))
    assert json.dumps(one) == json.dumps(two)


def test_tools_are_sorted_and_their_schema_is_an_object() -> None:
    tools = tuple(Tool(name, "what for", '{"type":"object"}') for name in ("load", "ask"))
    assert [t["name"] for t in body(message("user", text("a")), tools=tools)["tools"]] == ["ask", "load"]
    assert body(message("user", text("a")), tools=tools)["tools"][0]["input_schema"] == {"type": "object"}


def test_without_system_or_tools_those_fields_are_left_out() -> None:
    assert set(body(message("user", text("a")), system=("", "  "))) == {"model", "max_tokens", "messages"}


def test_a_reply_without_blocks_is_skipped_and_the_roles_still_alternate() -> None:
    sent = body(message("user", text("a")), message("assistant"), message("user", text("b")))["messages"]
    assert sent == [{"role": "user", "content": [text("a"), text("b")]}]


def test_a_mark_on_thinking_moves_to_the_block_before_it() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    sent = body(message("user", text("a")), message("assistant", thinking, mark=True), message("user", text("b")))
    assert [m["content"][0].get("cache_control") for m in sent["messages"]] == [{"type": "ephemeral"}, None, None]


def test_a_replys_content_is_what_the_api_takes_back() -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking", "thinking": "", "signature": "sig"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": " \n", "citations": None},
        {"type": "text", "text": "hé", "citations": None, "parsed_output": None},
        {"type": "tool_use", "id": "t", "name": "ask", "input": {"b": 1, "a": None}, "caller": None},
    ]
    assert json.loads(request.content(blocks)) == [
        {"type": "thinking", "thinking": "", "signature": "sig"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "hé"},
        {"type": "tool_use", "id": "t", "name": "ask", "input": {"b": 1, "a": None}},
    ]


def test_a_block_of_a_kind_unheard_of_is_kept() -> None:
    assert json.loads(request.content([{"type": "new", "data": [1], "none": None}])) == [{"type": "new", "data": [1]}]


@pytest.mark.parametrize(
    ("given", "sound"), [("plain", "plain"), ("\ud83d\ude00", "😀"), ("a\ud83db", "a\ufffdb"), ("é😀", "é😀")]
)
def test_text_is_made_storable(given: str, sound: str) -> None:
    assert request.whole(given) == sound


def test_nothing_of_the_sdk_is_imported_before_the_first_call() -> None:
    code = "import sys, bot.models.anthropic; print([m for m in ('anthropic','httpx2','aiohttp') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
