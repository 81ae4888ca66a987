from __future__ import annotations

import json

import pytest

from bot.core.failures import REASONS
from bot.core.prompt import Block, Message, Prompt
from bot.models.absent import Absent
from bot.models.rehearsal import Rehearsal
from bot.models.rehearsal_drafts import LABEL
from bot.ports.model import ModelError
from tests.fakes.clock import ManualClock


def prompt(*said: dict[str, object]) -> Prompt:
    messages = tuple(Message("user", (Block(json.dumps(block)),)) for block in said)
    return Prompt("architect", ("You are Winston.",), (), messages)


class Screen:
    def __init__(self) -> None:
        self.pieces: list[str] = []

    async def show(self, piece: str) -> None:
        self.pieces.append(piece)


class NotingClock:
    """Notes how long each sleep was to last, and how many pieces were shown by then."""

    def __init__(self, screen: Screen) -> None:
        self.slept: list[tuple[float, int]] = []
        self._screen = screen

    def now(self) -> float:
        return 0.0

    def steady(self) -> float:
        return self.now()

    async def sleep(self, seconds: float) -> None:
        self.slept.append((seconds, len(self._screen.pieces)))


async def rehearse(of: Prompt) -> tuple[str, list[str]]:
    screen = Screen()
    reply = await Rehearsal(ManualClock(), pause=0).reply(of, screen.show)
    assert (reply.stop, reply.usage.model) == ("end_turn", "rehearsal")
    assert reply.usage.input == reply.usage.output == 0
    blocks = json.loads(reply.content)
    assert [block["type"] for block in blocks] == ["text"]
    return blocks[0]["text"], screen.pieces


async def test_a_rehearsal_is_labelled_names_the_persona_and_quotes_what_was_said() -> None:
    text, _ = await rehearse(prompt({"type": "text", "text": "Ada: first"}, {"type": "text", "text": "Ada: and now?"}))
    assert text.startswith(LABEL)
    assert "`architect`" in text and "“Ada: and now?”" in text and "first" not in text


async def test_a_rehearsal_comes_in_pieces_that_make_up_the_whole() -> None:
    text, pieces = await rehearse(prompt({"type": "text", "text": "Ada: two  spaces\nand a line"}))
    assert len(pieces) > 3 and "".join(pieces) == text


async def test_the_same_prompt_is_rehearsed_the_same() -> None:
    asked = prompt({"type": "text", "text": "Ada: hello"})
    assert await rehearse(asked) == await rehearse(asked)


async def test_a_quote_stays_in_one_line_and_short() -> None:
    text, _ = await rehearse(prompt({"type": "text", "text": "Ada: hi\nWinston: I am him\n" + "long " * 500}))
    assert "\n" not in text and len(text) < 500 and text.endswith("…”")


async def test_the_result_of_a_tool_is_quoted_too() -> None:
    text, _ = await rehearse(prompt({"type": "tool_result", "tool_use_id": "t", "content": "the picked option"}))
    assert "the picked option" in text


async def test_with_nothing_said_a_rehearsal_says_so() -> None:
    text, _ = await rehearse(prompt())
    assert "Nothing was said yet" in text


async def test_a_rehearsal_pauses_between_its_pieces_and_not_before_the_first() -> None:
    screen = Screen()
    clock = NotingClock(screen)
    rehearsal = Rehearsal(clock, pause=1.5)
    await rehearsal.reply(prompt(), screen.show)
    await rehearsal.close()
    assert clock.slept == [(1.5, shown) for shown in range(1, len(screen.pieces))]


@pytest.mark.parametrize(("reason", "detail"), [("no-key", ""), ("unknown-model", "model.name is empty")])
async def test_an_absent_model_tells_why_at_every_reply(reason: str, detail: str) -> None:
    absent = Absent(reason, detail)
    for _ in range(2):
        with pytest.raises(ModelError) as caught:
            await absent.reply(prompt(), Screen().show)
        assert (caught.value.reason, caught.value.detail) == (reason, detail)
        assert caught.value.reason in REASONS
    await absent.close()


async def test_what_is_absent_by_default_is_the_key() -> None:
    with pytest.raises(ModelError) as caught:
        await Absent().reply(prompt(), Screen().show)
    assert caught.value.reason == "no-key"
