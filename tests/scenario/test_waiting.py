"""A turn that waits for a model keeps nobody else waiting; its reply ends by itself, by people, or by time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.core.failures import REASONS
from bot.core.model import Conversation
from bot.core.prompt import Prompt
from bot.ports.mailbox import Claim, Message
from bot.ports.model import Reply, Show
from bot.runtime.inbox import Inbox
from bot.runtime.slots import Slot, Slots
from bot.runtime.stops import POLL, Stops
from tests.fakes.model import Says
from tests.fakes.platform import FakePlatform
from tests.scenario.stage import Stage, stage

PIECES = Says(("One ", "two ", "three."))


def room(number: int) -> Conversation:
    return Conversation("fake", "team", f"room{number}")


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.001)


@dataclass(slots=True)
class Gated:
    """A model whose replies stop behind their first piece until the gate is open; `asked` have come that far."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    async def on_piece(self, _n: int, piece: int) -> None:
        if piece == 1:
            self.asked += 1
            await self.gate.wait()


@asynccontextmanager
async def busy(rooms: int, **options: Any) -> AsyncIterator[tuple[Stage, Gated]]:
    """In so many rooms an architect is on and has been asked something; the worker works, and no reply ends."""
    gated = Gated()
    async with stage(lambda _prompt, _n: PIECES) as s:
        s.model.on_piece = gated.on_piece
        s.worker.options = replace(s.worker.options, **options)
        stop = asyncio.Event()
        working = asyncio.create_task(s.worker.run(stop))
        try:
            for number in range(rooms):
                await says(s, number, "*architect")
            await until(lambda: all(len(s.platform.seen(room(n))) == 1 for n in range(rooms)))
            for number in range(rooms):
                await says(s, number, "well?")
            yield s, gated
        finally:
            gated.gate.set()
            stop.set()
            await asyncio.wait_for(working, 20)


async def says(s: Stage, where: int, text: str, **how: Any) -> None:
    await s.inbox.receive(s.platform.said(text, conversation=room(where), at=s.clock.now(), **how))


def texts(s: Stage, number: int) -> list[str]:
    return [m.text for m in s.platform.seen(room(number))]


# ---------------------------------------------------------------- slots


async def test_commands_and_presses_are_answered_while_many_more_replies_than_slots_are_under_way() -> None:
    async with busy(50, in_flight=2) as (s, gated):
        await until(lambda: gated.asked == 50)

        await says(s, 50, "*help")
        await until(lambda: len(texts(s, 50)) == 1)
        await says(s, 51, "*pm")
        await until(lambda: len(texts(s, 51)) == 1)
        menu = s.platform.seen(room(51))[0].menu
        assert menu is not None
        await says(s, 51, "", menu=menu.id, number=1)
        await until(lambda: len(texts(s, 51)) >= 2)

        assert all(len(texts(s, n)) == 2 and not s.platform.seen(room(n))[1].sealed for n in range(50))
        gated.gate.set()
        await until(lambda: all(s.platform.seen(room(n))[1].sealed for n in range(50)))
        assert [texts(s, n)[1] for n in range(50)] == ["One two three."] * 50


async def test_what_people_write_during_a_reply_waits_for_its_end() -> None:
    async with busy(1, in_flight=4) as (s, gated):
        await until(lambda: gated.asked == 1)
        await says(s, 0, "*help")
        await says(s, 1, "*help")
        await until(lambda: len(texts(s, 1)) == 1)
        assert len(texts(s, 0)) == 2
        gated.gate.set()
        await until(lambda: len(texts(s, 0)) == 3)
        assert texts(s, 0)[1] == "One two three."


async def test_no_more_turns_are_at_work_than_there_are_slots_when_all_replies_end_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = most = 0
    real = FakePlatform.seal

    async def seal(self: FakePlatform, *args: Any) -> Any:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1
        return await real(self, *args)

    monkeypatch.setattr(FakePlatform, "seal", seal)
    async with busy(20, in_flight=3) as (s, gated):
        await until(lambda: gated.asked == 20)
        gated.gate.set()
        await until(lambda: all(s.platform.seen(room(n))[1].sealed for n in range(20)))
    assert most == 3


async def test_turns_that_wait_are_carried_to_their_end_at_a_shutdown_with_a_single_slot() -> None:
    async with busy(3, in_flight=1) as (s, gated):
        await until(lambda: gated.asked == 3)
    assert [texts(s, n)[1] for n in range(3)] == ["One two three."] * 3


async def test_turns_that_wait_are_given_back_when_the_drain_is_over() -> None:
    async with stage(lambda _prompt, _n: PIECES) as s:
        gated = Gated()
        s.model.on_piece = gated.on_piece
        working = asyncio.create_task(s.worker.run(asyncio.Event()))
        await says(s, 0, "*architect well?")
        await until(lambda: gated.asked == 1)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

        gated.gate.set()
        assert await s.worker.work()
        assert texts(s, 0)[-1] == "One two three." and len(texts(s, 0)) == 2


async def test_a_slot_goes_alternately_to_new_turns_and_to_those_that_come_back() -> None:
    slots, order = Slots(1, 0), list[str]()
    assert slots.take_free() and not slots.take_free()

    async def want(name: str, *, back: bool) -> None:
        await slots.take(back=back)
        order.append(name)
        slots.give()

    async with asyncio.TaskGroup() as group:
        for n in range(3):
            group.create_task(want(f"back{n}", back=True))
            group.create_task(want(f"new{n}", back=False))
        await asyncio.sleep(0)
        slots.give()
    assert order == ["back0", "new0", "back1", "new1", "back2", "new2"]


@pytest.mark.parametrize("given", [False, True])
async def test_a_slot_is_not_lost_with_somebody_who_no_longer_wants_it(given: bool) -> None:
    slots = Slots(1, 0)
    assert slots.take_free()
    waiting = asyncio.create_task(slots.take())
    await asyncio.sleep(0)
    if given:
        slots.give()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    if not given:
        slots.give()
    assert slots.take_free() and not slots.take_free()


async def test_a_turn_that_is_cancelled_while_it_waits_has_no_slot_to_give_back() -> None:
    slots = Slots(1, 1)
    slots.take_free()
    slot = Slot(slots)
    with pytest.raises(asyncio.CancelledError):
        async with slot.lent():
            raise asyncio.CancelledError
    slot.end()
    slot.end()
    assert slots.take_free() and not slots.take_free()


# ---------------------------------------------------------------- how many may wait


async def test_who_would_need_one_reply_too_many_is_told_once_and_can_ask_again() -> None:
    async with busy(3, in_flight=1, waiting=2) as (s, gated):
        await until(lambda: len(texts(s, 2)) == 2 and gated.asked == 2)
        assert texts(s, 2)[1] == REASONS["busy"]
        assert [len(texts(s, n)) for n in (0, 1)] == [2, 2], "the others are being answered"

        gated.gate.set()
        await until(lambda: all(s.platform.seen(room(n))[1].sealed for n in (0, 1)))
        await says(s, 2, "*retry")
        await until(lambda: len(texts(s, 2)) == 3 and s.platform.seen(room(2))[2].sealed)
        assert texts(s, 2)[2] == "One two three."
        assert [e.text for e in await s.log(room(2)) if e.kind == "said"] == ["well?"]


async def test_a_turn_that_was_let_in_may_ask_its_model_again() -> None:
    script: list[Says] = [Says((), (("load_resource", {"name": "prd-tmpl"}),)), PIECES]
    async with stage(lambda _prompt, n: script[n - 1]) as s:
        s.worker.options = replace(s.worker.options, waiting=1)
        await s.say("*pm")
        await s.say("help me with a PRD")
        assert s.platform.texts[-1] == "One two three."


# ---------------------------------------------------------------- the longest reply


async def hangs(_n: int, piece: int) -> None:
    if piece == 2:
        await asyncio.Event().wait()


async def test_a_reply_that_takes_too_long_is_ended_and_what_had_come_is_kept() -> None:
    async with stage(lambda _prompt, _n: PIECES) as s:
        s.model.on_piece = hangs
        s.worker.options = replace(s.worker.options, longest=0.05)
        await s.say("*architect")
        (reply,) = await s.say("well?")

        assert reply.text == "One two\n\n_(cut: the reply took longer than it may)_" and reply.sealed
        assert (await s.log())[-1].text == "One two"
        (usage,) = await s.store.spent(reply.conversation)
        assert usage.input > 0 and usage.output > 0, "what came is paid"
        s.model.on_piece = None
        (more,) = await s.say("*continue")
        assert more.text == "One two three."


class Silent:
    """A model that never says a word."""

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    async def close(self) -> None:
        """Nothing is held."""


async def test_a_reply_that_ran_out_of_time_before_its_first_word_is_told_as_such() -> None:
    async with stage() as s:
        s.worker.options, s.worker.model = replace(s.worker.options, longest=0.05), Silent()
        await s.say("*architect")
        (told,) = await s.say("well?")
        assert told.text == f"{REASONS['late']} (after 0 s)"
        s.worker.model = s.model
        (reply,) = await s.say("*retry")
        assert reply.text == "Fine."


async def test_a_model_that_gives_up_by_itself_is_not_taken_for_one_that_was_too_slow() -> None:
    async def gives_up(_n: int, _piece: int) -> None:
        raise TimeoutError("of its own")

    async with stage(lambda _prompt, _n: PIECES) as s:
        s.model.on_piece = gives_up
        await s.say("*architect")
        await s.inbox.receive(s.platform.said("well?"))
        await s.worker.work()
        claim = await s.store.claim("other", 15, 1)
        assert claim is None, "it failed, and waits for its next attempt"
        s.clock.advance(1)
        s.model.on_piece = None
        await s.settle()
        assert s.platform.texts[-1] == "One two three."


# ---------------------------------------------------------------- stop


@dataclass(slots=True)
class Counted:
    """A store that counts the calls of each kind."""

    real: Any
    calls: dict[str, int] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.real, name)

        def called(*args: Any, **how: Any) -> Any:
            self.calls[name] = self.calls.get(name, 0) + 1
            return real(*args, **how)

        return called


async def test_stop_wakes_the_reply_of_its_own_process_at_once_while_the_model_is_silent() -> None:
    async with busy(2, in_flight=1) as (s, gated):
        await until(lambda: gated.asked == 2)
        await says(s, 1, "stop")  # time stands still here: nobody looks by himself
        await until(lambda: s.platform.seen(room(1))[-1].sealed)
        assert texts(s, 1)[1] == "One\n\n_(stopped by alice)_"
        assert not s.platform.seen(room(0))[1].sealed


async def test_stop_of_another_process_is_seen_within_half_a_second() -> None:
    async with busy(2, in_flight=1) as (s, gated):
        await until(lambda: gated.asked == 2)
        await Inbox(s.store).receive(s.platform.said("stop", conversation=room(1)))
        await until(lambda: s.clock.sleepers >= 2)
        s.clock.advance(POLL)
        await until(lambda: s.platform.seen(room(1))[-1].sealed)
        assert texts(s, 1)[1] == "One\n\n_(stopped by alice)_"
        assert not s.platform.seen(room(0))[1].sealed


async def test_no_piece_asks_the_store_and_many_replies_look_together() -> None:
    async with stage(lambda _prompt, _n: Says(tuple("word " for _ in range(300)))) as s:
        store = Counted(s.store)
        s.worker = replace(s.worker, store=store)
        gated = Gated()
        s.model.on_piece = gated.on_piece
        stop = asyncio.Event()
        working = asyncio.create_task(s.worker.run(stop))
        for number in range(30):
            await says(s, number, "*architect")
            await says(s, number, "well?")
        await until(lambda: gated.asked == 30)
        store.calls.clear()
        for look in range(1, 5):
            s.clock.advance(POLL)
            await until(lambda look=look: store.calls.get("flagged_among", 0) == look)  # type: ignore[misc]
        assert set(store.calls) <= {"flagged_among", "claim", "wait"}
        store.calls.clear()
        gated.gate.set()
        await until(lambda: all(s.platform.seen(room(n))[-1].sealed for n in range(30)))
        assert store.calls.get("flagged_among", 0) == store.calls.get("flagged", 0) == 0
        stop.set()
        await working


@dataclass(slots=True)
class Raised:
    """A store that knows which flags are up; `asked` is what it was asked about."""

    up: Message | None = None
    asked: list[int] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def flagged_among(self, claims: Sequence[Claim]) -> tuple[Message | None, ...]:
        self.asked.append(len(claims))
        told = tuple(self.up for _ in claims)
        if self.meanwhile:
            await self.meanwhile()
        return told


async def test_a_flag_that_is_raised_during_a_look_is_looked_for_again() -> None:
    async with stage() as s:
        store, stopped = Raised(), list[Message]()
        stops = Stops(store, s.clock)  # type: ignore[arg-type]
        flag = Message("stop", "", 2)

        async def meanwhile() -> None:
            store.meanwhile, store.up = None, flag
            stops.raised("fake:team:a")

        store.meanwhile = meanwhile
        async with stops.watched(Claim("fake:team:a", 1, (Message("m", "", 1),)), stopped.append):
            stops.raised("fake:team:a")
            await until(lambda: stopped == [flag])
        assert store.asked == [1, 1]
        assert s.clock.sleepers == 0
