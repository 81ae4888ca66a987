"""Replies that people watch on Slack as they are written, and what becomes of them when something goes wrong."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bot.core.prompt import Prompt
from bot.platforms.slack import decoration
from bot.platforms.slack.arrival import Me
from bot.platforms.slack.posting import Poster
from bot.platforms.slack.streaming import Streams
from bot.platforms.slack.transport import SlackTransport
from bot.platforms.slack.web import opened as web_opened
from bot.ports.model import Reply, Show
from tests.fakes.model import Says, Script
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Cut, Fault, Limited, Status
from tests.fakes.slack_faults import Says as Refuses
from tests.fakes.slack_methods import MANIFEST_SCOPES
from tests.fakes.slack_state import Person, Room, Seen
from tests.scenario.slack_house import House, slack_house, subscribed

OPENING = "Before anything else let me say how this looks to me after a first and a second thought: "
WORDS = (OPENING, *(f"word{number} " for number in range(2, 13)))
"""A reply in pieces; the first is too long to become somebody's name, so that nothing is held back for that."""

WHOLE = "".join(WORDS).strip()
PACE = 0.01


def telling(_prompt: object, _n: int) -> Says:
    return Says(WORDS)


@dataclass(slots=True)
class Scene:
    """A thread with Winston in it, in a channel or in private."""

    house: House
    alice: Person
    room: Room
    thread: str

    async def ask(self) -> list[Seen]:
        return await self.house.hear(self.alice, self.room, "tell me", thread=self.thread)

    def watched(self) -> Seen | None:
        """The stream that is growing."""
        return next((seen for seen in self.house.fake.seen(self.room, self.thread) if seen.streaming), None)

    def while_written(self, act: Callable[[int], Awaitable[None]]) -> None:
        """Do that after each piece of a reply; its number counts from 1."""

        async def on_piece(_reply: int, number: int) -> None:
            await act(number)

        self.house.model.on_piece = on_piece

    async def until_shown(self, text: str) -> None:
        await self.house.fake.until(lambda: text in (s.shown if (s := self.watched()) else ""), f"{text!r} to be seen")


@asynccontextmanager
async def scene(
    script: Script = telling, *, private: bool = False, fake: FakeSlack | None = None, pace: float = PACE
) -> AsyncIterator[Scene]:
    """A house whose streams go by the fake's clock."""
    async with slack_house(script, fake=fake) as house, web_opened(house.fake.ws.bot_token, house.fake.api) as web:
        ws = house.fake.ws
        box = Poster(web, Me(ws.bot_user, ws.bot_id, ws.team, ws.app_id))
        streams = Streams(web, box, ws.team, house.fake.clock.now, pace)
        transport = SlackTransport(web, box, streams)
        house.worker.transports = {"slack": transport}
        # What Slack's stop button ends, the adapter tells the transport that has begun it.
        theirs = house.adapter.transport
        theirs._streams, theirs._decoration = streams, transport._decoration
        alice = house.fake.user("alice")
        room = house.fake.people.dm(alice) if private else house.fake.channel("general", [alice])
        root = await house.fake.says(alice, room, "// let us talk here")
        await house.hear(alice, room, "*architect", thread=root)
        try:
            yield Scene(house, alice, room, root)
        finally:
            await house.stop()
            await transport.close()


def is_sealed(reply: Seen) -> bool:
    return not reply.streaming and bool(reply.metadata and reply.metadata["event_payload"]["key"])


# ---------------------------------------------------------------- watching


@pytest.mark.parametrize("private", [False, True])
async def test_a_reply_in_a_thread_is_watched_while_it_grows(private: bool) -> None:
    async with scene(private=private) as s:
        grown: list[str] = []

        async def look(number: int) -> None:
            if number >= 4:
                await s.until_shown(f"word{number - 1}")
            if seen := s.watched():
                grown.append(seen.shown)
                assert (seen.name, seen.icon) == ("Winston", ":building_construction:")

        s.while_written(look)
        (reply,) = await s.ask()
        assert reply.shown == WHOLE and is_sealed(reply)
        assert (reply.name, reply.icon) == ("Winston", ":building_construction:")
        assert len(set(grown)) > 3
        assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(grown))
        assert s.house.fake.called("chat.update") == [] and s.house.fake.called("chat.delete") == []


async def test_pieces_that_come_fast_go_out_together() -> None:
    async with scene(pace=30.0) as s:
        (reply,) = await s.ask()
        assert reply.shown == WHOLE
        assert len(s.house.fake.called("chat.appendStream")) <= 1


async def test_at_the_top_of_a_channel_a_reply_is_watched_too() -> None:
    async with scene() as s:
        await s.house.hear(s.alice, s.room, "*architect")
        seen: list[str] = []

        async def look(number: int) -> None:
            if number == 5:
                await s.house.fake.until(lambda: any(m.stream for m in s.room.messages), "a stream")
                seen.extend(m.thread_ts or "top" for m in s.room.messages if m.stream)

        s.while_written(look)
        (reply,) = await s.house.hear(s.alice, s.room, "tell me")
        assert seen == ["top"] and reply.shown == WHOLE and is_sealed(reply) and reply.name == "Winston"
        assert s.house.fake.called("chat.delete") == []


async def test_where_slack_has_no_streams_at_the_top_of_channels_this_is_remembered() -> None:
    async with scene() as s:
        s.house.fake.ws.has_top_streams = False
        await s.house.hear(s.alice, s.room, "*architect")
        for _ in range(2):
            (reply,) = await s.house.hear(s.alice, s.room, "tell me")
            assert reply.shown == WHOLE and is_sealed(reply) and reply.name == "Winston"
        assert len(s.house.fake.called("chat.startStream")) == 1
        (reply,) = await s.ask()
        assert is_sealed(reply) and len(s.house.fake.called("chat.startStream")) == 2, (
            "threads have theirs all the same"
        )


async def test_at_the_top_of_a_direct_message_a_reply_comes_when_it_is_finished() -> None:
    async with scene(private=True) as s:
        await s.house.hear(s.alice, s.room, "*architect")
        for _ in range(2):
            (reply,) = await s.house.hear(s.alice, s.room, "tell me")
            assert reply.shown == WHOLE and is_sealed(reply) and reply.name == "Winston"
        assert s.house.fake.called("chat.startStream") == []


@pytest.mark.parametrize("private", [False, True])
async def test_people_see_at_the_top_too_that_somebody_is_thinking(private: bool) -> None:
    async with scene(private=private) as s:
        s.house.fake.ws.has_top_streams = False
        await s.house.hear(s.alice, s.room, "*architect")
        seen: list[dict[str, str]] = []

        async def look(number: int) -> None:
            if number == 5:
                await s.house.fake.until(lambda: s.room.statuses, "a status")
                seen.append(dict(s.room.statuses))

        s.while_written(look)
        await s.house.hear(s.alice, s.room, "tell me")
        (asked,) = [message.ts for message in s.room.messages if message.text == "tell me"]
        assert seen == [{asked: "is thinking..."}]
        await s.house.fake.until(lambda: not s.room.statuses, "the end of it")


async def test_at_the_top_of_a_direct_message_slacks_stop_button_stops_the_reply() -> None:
    async with scene(private=True) as s:
        await s.house.hear(s.alice, s.room, "*architect")

        async def stop(number: int) -> None:
            if number == 5:
                (asked,) = [message.ts for message in s.room.messages if message.text == "tell me"]
                await s.house.fake.until(lambda: s.room.sessions.get(asked) == "processing", "the button")
                await s.house.fake.people.stops(s.alice, s.room, asked)
                await s.house.fake.settled()
            if number > 5:
                await asyncio.sleep(5)

        s.while_written(stop)
        (reply,) = await s.house.hear(s.alice, s.room, "tell me")
        assert reply.shown.endswith("_(stopped by alice)_") and "word9" not in reply.shown
        await s.house.fake.until(lambda: set(s.room.sessions.values()) == {"active"}, "the end of it")


# ---------------------------------------------------------------- limits


async def test_replies_that_are_complete_wait_for_no_limit_of_their_pieces() -> None:
    async with scene() as s:
        s.house.fake.faults.order("chat.appendStream", Limited(3600), None)

        async def wait(number: int) -> None:
            if number == 5:
                await s.house.fake.until(lambda: bool(s.house.fake.called("chat.appendStream")), "more to be shown")

        s.while_written(wait)
        (reply,) = await s.ask()
        assert reply.shown == WHOLE and is_sealed(reply)
        assert len(s.house.fake.called("chat.appendStream")) == 1, "and Slack is asked again when it said"


async def test_what_a_limit_has_held_up_is_shown_when_slack_takes_more() -> None:
    async with scene() as s:
        s.house.fake.faults.order("chat.appendStream", Limited(1))

        async def wait(number: int) -> None:
            if number == len(WORDS):
                await s.until_shown("word10")

        s.while_written(wait)
        (reply,) = await s.ask()
        assert reply.shown == WHOLE and is_sealed(reply)


@pytest.mark.parametrize("method", ["chat.startStream", "assistant.threads.setStatus", "agents.sessions.setStatus"])
async def test_a_reply_and_the_next_command_wait_for_no_limit_of_what_decorates_them(method: str) -> None:
    async with scene() as s:
        s.house.fake.faults.order(method, Limited(3600), None)
        for _ in range(2):
            (reply,) = await s.ask()
            assert reply.shown == WHOLE and is_sealed(reply)
        assert await s.house.hear(s.alice, s.room, "*status", thread=s.thread)
        assert len(s.house.fake.called(method)) == 1


async def test_a_stream_that_cannot_be_finished_soon_gives_way_to_the_reply() -> None:
    async with scene() as s:

        async def limit(number: int) -> None:
            if number == 5:
                await s.until_shown("word3")
                s.house.fake.faults.order("chat.stopStream", Limited(3600), None)

        s.while_written(limit)
        (reply,) = await s.ask()
        assert reply.shown == WHOLE and is_sealed(reply)


@pytest.mark.parametrize("fault", [Limited(1), Status(500), Cut()])
async def test_that_a_reply_is_done_is_said_until_it_stands(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoration, "FIRST_TRY", 0.01)
    async with scene() as s:

        async def look(number: int) -> None:
            if number == 5:
                await s.house.fake.until(lambda: s.room.sessions.get(s.thread) == "processing", "the button")
                s.house.fake.faults.order("chat.stopStream", Refuses("internal_error"))
                s.house.fake.faults.order("agents.sessions.setStatus", fault, 2)

        s.while_written(look)
        await s.ask()
        await s.house.fake.until(lambda: s.room.sessions.get(s.thread) == "active", "the end of it")


async def test_one_refused_session_takes_the_stop_button_from_no_other_conversation() -> None:
    async with scene() as s:
        other = await s.house.fake.says(s.alice, s.room, "// and here")
        await s.house.hear(s.alice, s.room, "*architect", thread=other)
        s.house.fake.faults.order("agents.sessions.setStatus", Refuses("channel_type_not_supported"))
        await s.ask()
        assert s.thread not in s.room.sessions
        seen: list[str | None] = []

        async def look(number: int) -> None:
            if number == 5:
                await s.house.fake.until(lambda: s.room.sessions.get(other), "the button")
                seen.append(s.room.sessions.get(other))

        s.while_written(look)
        await s.house.hear(s.alice, s.room, "tell me", thread=other)
        assert seen == ["processing"]
        await s.ask()
        asked = [call["thread_ts"] for call in s.house.fake.called("agents.sessions.setStatus")]
        assert asked.count(s.thread) == 1, "where Slack has refused it, it is not asked again"


async def test_people_see_that_somebody_is_thinking_in_a_thread() -> None:
    @dataclass(slots=True)
    class Thinker:
        s: Scene
        seen: dict[str, str] | None = None

        async def reply(self, prompt: Prompt, show: Show) -> Reply:
            await self.s.house.fake.until(lambda: self.s.room.statuses, "a status")
            self.seen = dict(self.s.room.statuses)
            return await self.s.house.model.reply(prompt, show)

        async def close(self) -> None:
            """Nothing is held."""

    async with scene() as s:
        s.house.worker.model = thinker = Thinker(s)
        await s.ask()
        assert thinker.seen == {s.thread: "is thinking..."}
        assert s.room.statuses == {}, "and not any more when the reply is there"


async def test_a_text_longer_than_a_message_is_watched_at_first_and_ends_in_pieces() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "Much is to be said. " * 20 for number in range(1, 20))

    async with scene(lambda _p, _n: Says.text(text)) as s:
        replies = await s.ask()
        assert 1 < len(replies) <= 5 and all(is_sealed(reply) for reply in replies)
        assert " ".join(" ".join(r.shown for r in replies).split()) == " ".join(text.split())
        assert s.house.fake.called("chat.delete") == []


# ---------------------------------------------------------------- trouble


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("chat.startStream", Refuses("method_not_supported_for_channel_type")),
        ("chat.startStream", Status(500, "before")),
        ("chat.startStream", Status(500, "after")),
        ("chat.startStream", Cut("after")),
        ("chat.appendStream", Refuses("message_not_in_streaming_state")),
        ("chat.appendStream", Status(500, "after")),
        ("chat.appendStream", Cut("before")),
        ("chat.appendStream", Cut("after")),
        ("chat.stopStream", Refuses("message_not_in_streaming_state")),
        ("chat.stopStream", Status(500, "before")),
        ("chat.stopStream", Cut("after")),
    ],
)
async def test_whatever_goes_wrong_with_a_stream_the_reply_stands_there_once_and_whole(
    method: str, fault: Fault
) -> None:
    async with scene() as s:
        s.house.fake.faults.order(method, fault)

        async def slowly(number: int) -> None:
            await asyncio.sleep(2 * PACE if number < 5 else 0)

        s.while_written(slowly)
        (reply,) = await s.ask()
        assert reply.shown == WHOLE and is_sealed(reply) and reply.name == "Winston"
        (again,) = await s.ask()
        assert again.shown == WHOLE


async def test_a_stream_that_slack_has_ended_by_its_age_is_replaced() -> None:
    async with scene() as s:

        async def wait(number: int) -> None:
            if number == 5:
                await s.until_shown("word2")
            if number == len(WORDS):
                s.house.fake.clock.advance(301)

        s.while_written(wait)
        (reply,) = await s.ask()
        assert reply.shown == WHOLE and is_sealed(reply)


async def test_a_reply_of_many_minutes_is_begun_anew_before_slack_ends_it() -> None:
    async with scene() as s:
        first: list[str] = []

        async def wait(number: int) -> None:
            if number == 5:
                await s.until_shown("word3")
                first.append(s.watched().ts)  # type: ignore[union-attr]
                s.house.fake.clock.advance(241)
            if number == 8:
                await s.until_shown("word6")
                assert [seen.ts for seen in s.house.fake.seen(s.room, s.thread) if seen.streaming] != first

        s.while_written(wait)
        (reply,) = await s.ask()
        assert reply.ts not in first and reply.shown == WHOLE and is_sealed(reply)
        assert len(s.house.fake.called("chat.startStream")) == 2
        expired = [call for call in s.house.fake.calls if call.error == "message_not_in_streaming_state"]
        assert expired == []


async def test_where_no_stream_can_be_begun_anew_the_reply_is_posted_when_it_is_finished() -> None:
    async with scene() as s:

        async def wait(number: int) -> None:
            if number == 5:
                await s.until_shown("word3")
                s.house.fake.faults.order("chat.startStream", Refuses("team_access_not_granted"))
                s.house.fake.clock.advance(241)

        s.while_written(wait)
        (reply,) = await s.ask()
        assert reply.shown == WHOLE and is_sealed(reply) and reply.name == "Winston"


async def test_a_turn_that_fails_while_its_reply_grows_leaves_no_second_one_behind() -> None:
    async with scene() as s:
        failures = 1

        async def fail_once(number: int) -> None:
            nonlocal failures
            if number == 5 and failures:
                await s.until_shown("word3")
                failures = 0
                raise RuntimeError("something that nobody has foreseen")

        s.while_written(fail_once)
        replies = [reply for reply in await s.ask() if reply.name == "Winston"]
        assert failures == 0
        assert [reply.shown for reply in replies] == [WHOLE] and is_sealed(replies[0])


# ---------------------------------------------------------------- stopping


@pytest.mark.parametrize("how", ["stop", "Stop!", "*stop", "the button"])
async def test_a_reply_that_is_stopped_keeps_what_was_written(how: str) -> None:
    async with scene() as s:

        async def stop(number: int) -> None:
            if number == 5:
                await s.until_shown("word3")
                if how == "the button":
                    await s.house.fake.people.stops(s.alice, s.room, s.thread)
                else:
                    await s.house.fake.says(s.alice, s.room, how, thread=s.thread)
                await s.house.fake.settled()
            if number > 5:
                await asyncio.sleep(5)

        s.while_written(stop)
        replies = [reply for reply in await s.ask() if reply.name == "Winston"]
        (reply,) = replies
        assert reply.shown.startswith(f"{OPENING}word2 word3") and "word9" not in reply.shown
        if how == "the button":
            assert not s.house.fake.called("chat.delete"), "what Slack has ended stands as it is"
        else:
            assert reply.shown.endswith("_(stopped by alice)_") and is_sealed(reply)
        stopped = reply.shown.partition("\n")[0]
        s.house.model.on_piece = None
        await s.ask()
        assert stopped in s.house.prompt(), "and the persona knows what it has said"


@pytest.mark.parametrize("how", ["stop", "the button"])
async def test_a_guest_who_was_not_allowed_stops_nobodys_reply(how: str) -> None:
    async with scene() as s:
        gast = s.house.fake.user("gast", guest=True)
        await s.house.fake.people.joins(gast, s.room)

        async def stop(number: int) -> None:
            if number == 5:
                await s.until_shown("word3")
                if how == "the button":
                    await s.house.fake.people.stops(gast, s.room, s.thread)
                else:
                    await s.house.fake.says(gast, s.room, how, thread=s.thread)
                await s.house.fake.settled()

        s.while_written(stop)
        told = await s.ask()
        written = "".join(reply.shown for reply in told if reply.name == "Winston")
        assert "word12" in written and "stopped by" not in written
        assert [t.shown.partition(":")[0] for t in told if "Guests and people from other" in t.shown] == ["gast"]


async def test_slack_shows_its_stop_button_only_while_a_reply_is_written() -> None:
    async with scene() as s:
        seen: list[str | None] = []

        async def look(number: int) -> None:
            if number == 5:
                await s.until_shown("word3")
                seen.append(s.room.sessions.get(s.thread))

        s.while_written(look)
        await s.ask()
        assert seen == ["processing"]
        await s.house.fake.until(lambda: s.room.sessions.get(s.thread) == "active", "the end of it")


async def test_of_a_long_reply_that_slacks_button_stopped_what_was_not_shown_is_posted_below() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "Much is to be said. " * 20 for number in range(1, 12))
    pieces = tuple(text[at : at + 200] for at in range(0, len(text), 200))
    async with scene(lambda _p, _n: Says(pieces)) as s:

        async def stop(number: int) -> None:
            if number == len(pieces) - 1:
                await s.until_shown("Paragraph 3")
                await s.house.fake.people.stops(s.alice, s.room, s.thread)
                await s.house.fake.settled()
                await asyncio.sleep(5)

        s.while_written(stop)
        found = [reply for reply in await s.ask() if reply.name == "Winston"]
        assert len(found) >= 2 and found[-1].shown.endswith("_(stopped by alice)_")
        assert not s.house.fake.called("chat.delete")
        said = "".join("".join(reply.shown for reply in found).partition("_(stopped")[0].split())
        assert "".join(text.split()).startswith(said) and "Paragraph8." in said


async def test_what_slack_has_ended_stands_also_where_another_process_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene() as s:
        monkeypatch.setattr(type(s.house.adapter.transport), "stopped", lambda *_: None)

        async def stop(number: int) -> None:
            if number == len(WORDS):
                await s.until_shown("word11")
                await s.house.fake.people.stops(s.alice, s.room, s.thread)
                await s.house.fake.settled()
                await asyncio.sleep(5)

        s.while_written(stop)
        (reply,) = [reply for reply in await s.ask() if reply.name == "Winston"]
        assert "word11" in reply.shown and not s.house.fake.called("chat.delete")


async def test_stop_where_nothing_is_written_is_answered_in_a_line() -> None:
    async with scene() as s:
        (told,) = await s.house.hear(s.alice, s.room, "stop", thread=s.thread)
        assert told.shown == "No reply is running."
        await s.house.fake.people.stops(s.alice, s.room, s.thread)
        await s.house.quiet()
        assert s.house.fake.seen(s.room, s.thread)[-1].shown == "No reply is running."


# ---------------------------------------------------------------- voices


async def test_without_the_scope_for_names_they_stand_in_the_text_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake = FakeSlack(scopes=MANIFEST_SCOPES - {"chat:write.customize"}, events=subscribed())
    async with scene(fake=fake) as s:
        greeting = s.house.fake.seen(s.room, s.thread)[-1]
        assert (greeting.name, greeting.icon) == ("greenroom", "default")
        assert greeting.shown.startswith("**🏗️ Winston**\n\nHello")
        for _ in range(2):
            (reply,) = await s.ask()
            assert reply.shown == f"**🏗️ Winston**\n\n{WHOLE}" and is_sealed(reply)
        told = [record for record in caplog.records if "chat:write.customize" in record.getMessage()]
        assert len(told) == 1 and told[0].levelname == "WARNING"


async def test_a_stream_without_the_scope_for_names_is_begun_all_the_same() -> None:
    async with scene() as s:
        s.house.fake.ws.scopes -= {"chat:write.customize"}
        seen: list[str] = []

        async def look(number: int) -> None:
            if number == 6:
                await s.until_shown("word2")
                seen.append(s.watched().shown)  # type: ignore[union-attr]

        s.while_written(look)
        (reply,) = await s.ask()
        assert seen[0].startswith("**🏗️ Winston**") and reply.shown == f"**🏗️ Winston**\n\n{WHOLE}"
