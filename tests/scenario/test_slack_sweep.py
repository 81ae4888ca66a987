"""The crash sweep over Slack: the real transport, on the strict rules of the fake, dies at each of its calls.

A crash point stands before and after every call of the Web API too, also those of a stream that grows in the
background. With a process its streams are gone: the next one knows of them what Slack shows, which is no key.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest

from bot.core.model import Conversation, Inbound, Receipt
from bot.platforms.slack import arrival
from bot.platforms.slack.arrival import Me
from bot.platforms.slack.posting import Poster, key_of
from bot.platforms.slack.streaming import Streams
from bot.platforms.slack.transport import SlackTransport
from bot.platforms.slack.web import RefusedError, Web
from bot.ports.store import Store
from bot.ports.transport import Outgoing
from tests.fakes import slack_rules
from tests.fakes.clock import ManualClock
from tests.fakes.slack import HANDLERS, FakeSlack
from tests.fakes.slack_json import message_event, message_json
from tests.fakes.slack_methods import METHODS
from tests.fakes.slack_state import Person, Posted, Room, Seen, SlackClock
from tests.fakes.toy_mode import TOYS
from tests.scenario.sweep import SCENARIOS, Crash, Outcome, Points, Reference, Scenario, Universe
from tests.scenario.sweep_platforms import HANDED, Process, compared, once, reference, worker_on

PLACES = ("channel", "thread")
"""Where people talk: at a channel's top level replies are posted, in a thread they are streamed."""

PATIENCE = 1000
"""Rounds of the loop in which a stream has to show what it is to show."""

STRIDE = 3
"""Without --soak, one crash point of so many is swept: other ones where the model repeats itself."""


LEAD = "This much has to be there before anything is shown, as it may head a table. "
"""Without it the replies of the scenarios would be too short for anybody to watch them."""


def longer(scenario: Scenario) -> Scenario:
    """The scenario with replies that people can watch."""
    replies = tuple(replace(says, pieces=(LEAD, *says.pieces)) if says.pieces else says for says in scenario.replies)
    return replace(scenario, replies=replies, stopped=scenario.stopped and LEAD + scenario.stopped)


WATCHED = tuple(longer(scenario) for scenario in SCENARIOS)


class Standing(SlackClock):
    """Slack's time as the universe has it, so that every run has the same timestamps."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    def now(self) -> float:
        return self._clock.now()


class Direct(Web):
    """The Web API without the network between: what the fake takes and refuses, with a crash point on either side."""

    def __init__(self, fake: FakeSlack, points: Points, session: aiohttp.ClientSession) -> None:
        super().__init__(fake.ws.bot_token, "http://127.0.0.1:9/api/", session)
        self._fake, self._points = fake, points

    async def _once(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self._points.point()
        await asyncio.sleep(0)
        given = json.loads(json.dumps(arguments))
        try:
            self._fake._check(given, METHODS[method])
            if scopes := METHODS[method].scopes:
                self._fake.ws.need(*scopes)
            answer: dict[str, Any] = json.loads(json.dumps(HANDLERS[method](self._fake.ws, given)))
        except slack_rules.RefusedError as refused:
            self._points.point()
            raise RefusedError(method, refused.error, str(refused.extra.get("needed", ""))) from None
        self._points.point()
        return answer


@dataclass(slots=True)
class SlackPlatform:
    """A channel of the fake with its people, and the transport of the process that lives just now."""

    fake: FakeSlack
    points: Points
    limit: int
    place: str
    session: aiohttp.ClientSession
    alice: Person = field(init=False)
    room: Room = field(init=False)
    root: str = field(init=False, default="")
    transport: SlackTransport = field(init=False)
    streams: Streams = field(init=False)
    ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alice = self.fake.user("alice")
        self.room = self.fake.channel("general", [self.alice])
        if self.place == "thread":
            self.root = self._write("something to talk about").ts
        self.begin()

    def begin(self) -> None:
        """A process begins: it knows nothing of an earlier one's streams."""
        ws = self.fake.ws
        web = Direct(self.fake, self.points, self.session)
        box = Poster(web, self._me)
        self.streams = Streams(web, box, ws.team, ws.clock.now, pace=0.0)
        self.transport = SlackTransport(web, box, self.streams)
        self.transport.limit = self.limit

    async def end(self) -> None:
        """The process is gone: nothing of it says another word."""
        pumps = [stream.pump.task for stream in self.streams._open.values() if stream.pump]
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    @property
    def _me(self) -> Me:
        ws = self.fake.ws
        return Me(ws.bot_user, ws.bot_id, ws.team, ws.app_id)

    @property
    def conversation(self) -> Conversation:
        return Conversation("slack", self.fake.ws.team, self.room.id, self.root)

    def _write(self, text: str) -> Posted:
        ws = self.fake.ws
        return ws.add(self.room, Posted(ws.new_ts(), self.room.id, self.alice.id, text, self.root or None))

    def said(self, text: str, *, at: float) -> Inbound:
        """Alice says something, which arrives as Slack tells it."""
        event = message_event(self.fake.ws, self.room, self._write(text))
        inbound = arrival.message(event, self._me, arrival.Person(self.alice.id, "alice"))
        assert inbound is not None
        self.ids.append(inbound.id)
        return inbound

    def seen(self) -> list[tuple[Seen, str]]:
        """What the bot has posted, in order, with the key that each post can be found by."""
        ws = self.fake.ws
        ours = [m for m in self.room.messages if m.bot_id == ws.bot_id]
        return [(ws.seen(m), key_of(message_json(ws, m, with_metadata=True))) for m in ours]


@dataclass(slots=True)
class SlackUniverse(Universe):
    """A universe whose people are on Slack."""

    place: str = "channel"

    async def play(self) -> tuple[Outcome, int]:
        """See `Universe.play`."""
        self.points = Points(self.chosen)
        clock = ManualClock()
        fake = FakeSlack()
        fake.ws.clock = Standing(clock)
        fake.ws.emit = lambda event: None
        async with aiohttp.ClientSession() as session:
            platform = SlackPlatform(fake, self.points, self.scenario.limit, self.place, session)
            self.faulty = replace(self.faulty, worker=worker_on("slack"), platform=lambda port: process(platform))
            try:
                store = await self._play(clock, platform, await self.ground.begin(clock))  # type: ignore[arg-type]
                return await self._ended(platform, store), self.points.passed
            finally:
                await platform.end()
                await self.ground.end()

    async def _ended(self, platform: SlackPlatform, store: Store) -> Outcome:
        standing = platform.seen()
        self.faults.extend(f"torn: {seen.text!r}" for seen, found_by in standing if not found_by or seen.streaming)
        once(self, [found_by for _, found_by in standing if found_by])
        self.faults.extend(f"edited: {seen.text!r}" for seen, _ in standing if seen.edited)
        posts = tuple((seen.name, seen.shown.strip(), repr([b.label for b in seen.buttons])) for seen, _ in standing)
        return await compared(self, store, platform.conversation, platform.ids, posts)


def process(platform: SlackPlatform) -> Process:
    """A new worker is a new process."""
    platform.begin()
    streams = platform.streams

    async def shown(ref: str) -> None:
        stream = streams._open[ref]
        for _ in range(PATIENCE):
            assert stream.pump
            if stream.pump.is_dead or stream.sent == stream.pump.wanted:
                return
            if stream.pump.task.done():
                raise Crash
            await asyncio.sleep(0)
        raise AssertionError(f"{stream.pump and stream.pump.wanted!r} is not shown, but {stream.sent!r}")

    return Process(platform.transport, platform.points, shown)


def universe(scenario: Scenario, place: str, varied: bool, *points: int) -> SlackUniverse:
    return SlackUniverse(scenario, frozenset(points), varied, place=place)


async def known_ends(scenario: Scenario, place: str, varied: bool) -> Reference:
    return await reference(lambda each: universe(each, place, varied), scenario)


def nobody_watched(outcome: Outcome) -> bool:
    """Whether a reply was stopped of which nothing had been shown, so that the host alone says so."""
    return any(text == "_(stopped by alice)_" for _, text, _ in outcome.posts)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("varied", [True, False], ids=["never the same twice", "always the same"])
@pytest.mark.parametrize("scenario", WATCHED, ids=lambda s: s.name)
async def test_a_crash_at_any_call_of_slack_leaves_no_trace(
    scenario: Scenario, varied: bool, place: str, soak: bool
) -> None:
    known = await known_ends(scenario, place, varied)
    assert not known.ends[0].faults
    for point in range(1 if soak or varied else 2, known.points + 1, 1 if soak else STRIDE):
        outcome, _ = await universe(scenario, place, varied, point).play()
        if scenario.stopped and (place == "channel" or nobody_watched(outcome)):
            # What nobody could watch of a reply that is stopped is gone with the process that knew it.
            assert not outcome.faults and len(outcome.posts) <= len(known.ends[0].posts)
        else:
            assert not known.differences(outcome), f"crash at {point} of {known.points}"


async def test_a_work_is_handed_to_one_thread_once_wherever_slack_is_being_called(soak: bool) -> None:
    def made(*points: int) -> SlackUniverse:
        return replace(universe(HANDED, "channel", True, *points), library=TOYS)

    end, total = await made().play()
    known = Reference(HANDED, True, (end,), total)
    assert not end.faults and any("Part 1 stands." in text for _, text, _ in end.posts)
    for point in range(1, total + 1, 1 if soak else STRIDE):
        outcome, _ = await made(point).play()
        assert not known.differences(outcome), f"crash at {point} of {total}"


# ---------------------------------------------------------------- would it see?


class Untorn(SlackTransport):
    """Does not know what a dead process has left."""

    async def torn(self, conversation: Conversation, since: int) -> tuple[str, str] | None:
        return None


class Unfound(SlackTransport):
    """Does not know what it has posted before."""

    async def find(self, out: Outgoing) -> Receipt | None:
        return None


class Unkeyed(Direct):
    """Streams are sealed without a key."""

    async def _once(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in arguments.items() if (method, name) != ("chat.stopStream", "metadata")}
        return await super()._within_limits(method, kept)


@pytest.mark.parametrize(
    ("name", "broken"), [("SlackTransport", Untorn), ("SlackTransport", Unfound), ("Direct", Unkeyed)]
)
async def test_the_sweep_fails_with(name: str, broken: type, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = next(scenario for scenario in WATCHED if scenario.name == "talk")
    known = await known_ends(talk, "thread", True)
    monkeypatch.setitem(globals(), name, broken)
    for point in range(1, known.points + 1):
        outcome, _ = await universe(talk, "thread", True, point).play()
        if known.differences(outcome):
            return
    pytest.fail("nobody would have noticed")
