"""Replies that people watch on Discord as they are written, and what becomes of them when something goes wrong."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from bot.core.prompt import Prompt
from bot.platforms.discord import marks, streaming
from bot.ports.model import Reply, Show
from bot.runtime.access import Access, Names
from tests.fakes.discord import Seen
from tests.fakes.discord_rest import Breaks, Cuts, Fault, Limits, Refuses, Waits
from tests.fakes.discord_state import MANAGE_WEBHOOKS, Channel
from tests.fakes.model import Says, Script
from tests.scenario.discord_house import House, built, discord_house, words

OPENING = "Before anything else let me say how this looks to me after a first and a second thought: "
WORDS = (OPENING, *(f"word{number} " for number in range(2, 13)))
"""A reply in pieces; the first is too long to become somebody's name, so that nothing is held back for that."""

WHOLE = "".join(WORDS).strip()
SENDS, EDITS = ("POST", "/webhooks/*/*"), ("PATCH", "/webhooks/*/*/messages/*")


@pytest.fixture(autouse=True)
def _at_a_quick_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "PACE", 0.01)
    monkeypatch.setattr("bot.platforms.sending.WAITS", (0.01, 0.02, 0.03))


def telling(_prompt: Prompt, _n: int) -> Says:
    return Says(WORDS)


@dataclass(slots=True)
class Scene:
    """A place with Winston in it, and what was seen of his replies while they grew."""

    house: House
    room: Channel
    grown: list[str] = field(default_factory=list)

    async def ask(self) -> list[Seen]:
        return await self.house.hear(self.house.ada, self.room, "tell me")

    def watched(self) -> Seen | None:
        """The reply that is growing."""
        return next((seen for seen in self.house.fake.seen(self.room) if seen.text.endswith(marks.GROWING)), None)

    def while_written(self, act: Callable[[int], Awaitable[None]]) -> None:
        """Do that after each piece of a reply; its number counts from 1."""

        async def on_piece(_reply: int, number: int) -> None:
            await act(number)

        self.house.model.on_piece = on_piece

    async def until_shown(self, text: str) -> None:
        await self.house.fake.until(lambda: text in (s.text if (s := self.watched()) else ""), f"{text!r} to be seen")


@asynccontextmanager
async def scene(script: Script = telling, *, kind: str = "channel") -> AsyncIterator[Scene]:
    async with discord_house(script) as house:
        match kind:
            case "thread":
                room = house.ada.starts_thread(house.general, "plans")
            case "private":
                room = house.ada.opens_dm()
            case _:
                room = house.general
        if kind == "nameless":
            house.fake.permits(room, house.fake.me, deny=MANAGE_WEBHOOKS)
        await house.hear(house.ada, room, "*architect")
        yield Scene(house, room)


def said(reply: Seen) -> str:
    """What Winston said, without his name where it stands in the text, when the reply is a finished one."""
    assert not reply.text.endswith(marks.GROWING) and "…" not in reply.text
    assert marks.mark_in(reply.text), "it can be found again"
    text = words(reply)
    if reply.is_webhook:
        assert reply.author == "🏗 Winston"
        return text
    assert text.startswith("**🏗️ Winston**\n")
    return text.partition("\n")[2]


# ---------------------------------------------------------------- watching


@pytest.mark.parametrize("kind", ["channel", "thread", "private", "nameless"])
async def test_a_reply_is_watched_while_it_grows_and_stays_one_message(kind: str) -> None:
    async with scene(kind=kind) as s:

        async def look(number: int) -> None:
            if number >= 4:
                await s.until_shown(f"word{number - 1}")
            if seen := s.watched():
                s.grown.append(words(seen).removesuffix(" …"))

        s.while_written(look)
        (reply,) = await s.ask()
        assert said(reply) == WHOLE
        assert len(set(s.grown)) > 3
        assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(s.grown))
        assert s.house.fake.called("DELETE", "/webhooks/**") == []


async def test_while_discord_is_slow_nothing_queues_and_the_newest_text_wins() -> None:
    async with scene() as s:

        async def slowly(number: int) -> None:
            if number == 2:
                await s.until_shown("Before anything")
                s.house.fake.order(*EDITS, Waits(0.6))
            if number == 4:
                await s.house.fake.until(lambda: s.house.fake.called(*EDITS), "an edit")
            if number == len(WORDS):
                assert len(s.house.fake.called(*EDITS)) == 1, "what is newer waits for what is under way"

        s.while_written(slowly)
        (reply,) = await s.ask()
        assert said(reply) == WHOLE
        assert len(s.house.fake.called(*EDITS)) <= 3
        assert s.house.fake.rest.unused == 0


async def test_edits_keep_to_their_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "PACE", 30.0)
    async with scene() as s:
        (reply,) = await s.ask()
        assert said(reply) == WHOLE
        assert len(s.house.fake.called(*EDITS)) <= 1, "only the one that finishes it"


async def test_what_discord_limits_is_waited_for() -> None:
    async with scene() as s:
        s.house.fake.limit_sends(1, 0.1)
        s.house.fake.limit(*EDITS, 2, 0.1)
        for _ in range(3):
            (reply,) = await s.ask()
            assert said(reply) == WHOLE


async def test_people_see_that_somebody_types_until_there_is_something_to_read() -> None:
    @dataclass(slots=True)
    class Thinker:
        s: Scene

        async def reply(self, prompt: Prompt, show: Show) -> Reply:
            typing = ("POST", f"/channels/{self.s.room.id}/typing")
            await self.s.house.fake.until(lambda: self.s.house.fake.called(*typing), "somebody typing")
            return await self.s.house.model.reply(prompt, show)

        async def close(self) -> None:
            """Nothing is held."""

    for kind in ("thread", "private"):
        async with scene(kind=kind) as s:
            s.house.worker.model = Thinker(s)
            (reply,) = await s.ask()
            assert said(reply) == WHOLE


async def test_a_text_longer_than_a_message_is_watched_at_first_and_its_last_piece_is_a_message_of_its_own() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "Much is to be said. " * 20 for number in range(1, 12))
    async with scene(lambda _p, _n: Says.text(text)) as s:
        first: list[int] = []

        async def look(number: int) -> None:
            if number == 100:
                await s.until_shown("Paragraph 1.")
                first.append(s.watched().id)  # type: ignore[union-attr]

        s.while_written(look)
        replies = await s.ask()
        assert 1 < len(replies) <= 5 and replies[0].id == first[0]
        assert " ".join(" ".join(map(said, replies)).split()) == " ".join(text.split())
        assert (replies[0].edited, replies[-1].edited) == (True, False)


# ---------------------------------------------------------------- trouble


@pytest.mark.parametrize("kind", ["channel", "nameless"])
@pytest.mark.parametrize(
    ("verb", "fault"),
    [
        ("POST", Breaks(502)),
        ("POST", Breaks(502, after=True)),
        ("POST", Cuts()),
        ("POST", Cuts(after=True)),
        ("POST", Limits(0.05)),
        ("PATCH", Breaks(500)),
        ("PATCH", Breaks(502, after=True)),
        ("PATCH", Cuts()),
        ("PATCH", Cuts(after=True)),
        ("PATCH", Limits(0.05)),
        ("PATCH", Refuses(400, 30046, "Maximum number of edits to messages older than 1 hour reached")),
    ],
)
async def test_whatever_goes_wrong_with_a_growing_reply_it_stands_there_once_and_whole(
    verb: str, fault: Fault, kind: str
) -> None:
    async with scene(kind=kind) as s:
        hooked, own = {"POST": (SENDS[1], "/channels/*/messages"), "PATCH": (EDITS[1], "/channels/*/messages/*")}[verb]
        s.house.fake.order(verb, own if kind == "nameless" else hooked, fault)

        async def slowly(number: int) -> None:
            await asyncio.sleep(0.02 if number < 5 else 0)

        s.while_written(slowly)
        (reply,) = await s.ask()
        assert said(reply) == WHOLE
        assert s.house.fake.rest.unused == 0
        (again,) = await s.ask()
        assert said(again) == WHOLE


@pytest.mark.parametrize(
    "fault", [Breaks(500), Breaks(502, after=True), Cuts(), Cuts(after=True), Refuses(400, 30046, "Too many edits")]
)
async def test_whatever_goes_wrong_with_its_end_it_stands_there_once_and_whole(fault: Fault) -> None:
    async with scene() as s:

        async def at_the_end(number: int) -> None:
            if number == 5:
                await s.until_shown("word4")
            if number == len(WORDS):
                await s.until_shown("word11")
                s.house.fake.order(*EDITS, fault)

        s.while_written(at_the_end)
        (reply,) = await s.ask()
        assert said(reply) == WHOLE


async def test_a_growing_reply_that_a_moderator_deletes_is_posted_when_it_is_finished() -> None:
    async with scene() as s:

        async def delete(number: int) -> None:
            if number == 5:
                await s.until_shown("word4")
                growing = s.watched()
                assert growing is not None
                s.house.bob.deletes(growing.message)

        s.while_written(delete)
        (reply,) = await s.ask()
        assert said(reply) == WHOLE


async def test_a_webhook_that_is_deleted_meanwhile_is_made_again_and_leaves_no_torn_twin() -> None:
    async with scene() as s:

        async def delete(number: int) -> None:
            if number == 5:
                await s.until_shown("word4")
                (hook,) = s.house.fake.webhooks(s.room)
                s.house.fake.deletes_webhook(hook)

        s.while_written(delete)
        (reply,) = await s.ask()
        assert said(reply) == WHOLE
        assert len(s.house.fake.webhooks(s.room)) == 1


@pytest.mark.parametrize("kind", ["channel", "thread", "private"])
async def test_a_process_that_dies_over_a_reply_leaves_it_to_the_next_one(kind: str) -> None:
    async with scene(kind=kind) as s:
        dying = asyncio.Event()

        async def die(number: int) -> None:
            if number == 5 and not dying.is_set():
                await s.until_shown("word4")
                dying.set()
                await asyncio.sleep(60)

        s.while_written(die)
        s.house.ada.says(s.room, "tell me")
        await dying.wait()
        await s.house.stop()
        assert s.watched() is not None, "and it stands there, torn"
        async with s.house.restarted():
            await s.house.sees(s.room, "word12")
            await s.house.quiet()
        replies = [seen for seen in s.house.fake.seen(s.room) if "word" in seen.text]
        assert [said(reply) for reply in replies] == [WHOLE]


# ---------------------------------------------------------------- stopping


@pytest.mark.parametrize("how", ["stop", "Stop!", "*stop", "@ stop", "/greenroom stop"])
@pytest.mark.parametrize("kind", ["channel", "private"])
async def test_a_reply_that_is_stopped_keeps_what_was_written(how: str, kind: str) -> None:
    async with scene(kind=kind) as s:
        await s.house.fake.until(lambda: s.house.fake.world.commands[None], "the command")

        async def stop(number: int) -> None:
            if number == 5:
                await s.until_shown("word4")
                if how.startswith("/"):
                    s.house.ada.slash(s.room, "greenroom", what="stop")
                else:
                    s.house.ada.says(s.room, how.replace("@", f"<@{s.house.fake.me.id}>"))
            if number > 5:
                await asyncio.sleep(5)

        s.while_written(stop)
        (reply,) = [seen for seen in await s.ask() if OPENING in seen.text]
        assert said(reply).startswith(f"{OPENING}word2 word3") and "word9" not in reply.text
        assert said(reply).endswith("_(stopped by Ada)_")
        stopped = said(reply).partition("\n")[0]
        s.house.model.on_piece = None
        await s.ask()
        assert stopped in s.house.prompt(), "and the persona knows what it has said"


@pytest.mark.parametrize("how", ["stop", "/greenroom stop"])
async def test_somebody_who_is_denied_stops_nobodys_reply(how: str) -> None:
    async with built(telling) as house:
        house.works = replace(house.works, access=Access(deny=Names(users=frozenset({str(house.bob.id)}))))
        async with house.at_work():
            await denied_stop(house, how)


async def denied_stop(house: House, how: str) -> None:
    s = Scene(house, house.general)
    await house.fake.until(lambda: house.fake.world.commands[None], "the command")
    await house.hear(house.ada, s.room, "*architect")

    async def stop(number: int) -> None:
        if number == 5:
            await s.until_shown("word4")
            if how.startswith("/"):
                pressed = house.bob.slash(s.room, "greenroom", what="stop")
                await house.fake.until(lambda: pressed.answered, "an answer")
            else:
                await house.taken(s.room, house.bob.says(s.room, how).id)

    s.while_written(stop)
    assert [said(seen) for seen in await s.ask() if OPENING in seen.text] == [WHOLE]


async def test_stop_where_nothing_is_written_is_answered_in_a_line() -> None:
    async with scene() as s:
        (told,) = await s.house.hear(s.house.ada, s.room, "stop")
        assert words(told) == "No reply is running."


# ---------------------------------------------------------------- without names


async def test_without_webhooks_the_log_says_so_once_however_much_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async with scene(kind="nameless") as s:
        for _ in range(3):
            (reply,) = await s.ask()
            assert (reply.author, said(reply)) == ("Greenroom", WHOLE)
        told = [record for record in caplog.records if "Manage Webhooks" in record.getMessage()]
        assert [record.levelno for record in told] == [logging.WARNING]
