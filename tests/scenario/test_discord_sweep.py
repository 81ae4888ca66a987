"""The crash sweep over Discord: the real transport, on the strict rules of the fake, dies at each of its calls.

A crash point stands before and after every call of the API, also those of a reply that grows in the background. With a
process its webhooks and previews are forgotten. The fake keeps a nonce of the bot's own posts, as Discord does for some
minutes, and none of a webhook's: those are found again by what stands there alone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import aiohttp
import discord
import pytest
from discord.http import Route
from discord.utils import snowflake_time

from bot.core.model import Conversation, Inbound
from bot.platforms.discord import marks, markup, streaming
from bot.platforms.discord.avatars import Avatars
from bot.platforms.discord.hooks import Hooks
from bot.platforms.discord.messages import Me
from bot.platforms.discord.posting import Poster
from bot.platforms.discord.streaming import Previews
from bot.platforms.discord.transport import DiscordTransport
from bot.platforms.discord.web import RefusedError, Web
from bot.ports.store import Store
from tests.fakes.clock import ManualClock
from tests.fakes.discord import FakeDiscord, Person
from tests.fakes.discord_errors import ApiError
from tests.fakes.discord_rest import Call
from tests.fakes.discord_rules import Upload
from tests.fakes.discord_seen import Seen
from tests.fakes.discord_state import Channel
from tests.fakes.model import Says
from tests.fakes.toy_mode import TOYS
from tests.scenario.sweep import SCENARIOS, Crash, Outcome, Points, Reference, Scenario, Universe
from tests.scenario.sweep_platforms import HANDED, Process, compared, once, reference, worker_on

PLACES = ("channel", "thread", "private")
"""Where people talk: through a webhook, through that of the channel, or with the bot itself."""

LINES = {"stop": ("One two.\nThree ", "four ", "five. "), "late stop": ("Short answer.\nIn", "deed. ")}
"""Replies that people stop: of what could still become a table Discord shows nothing, so they need a whole line."""

STRIDE = 6
"""Without --soak, one crash point of so many is swept."""


class Direct(Web):
    """The API without the network between: what the fake takes and refuses, with a crash point on either side."""

    def __init__(self, fake: FakeDiscord, points: Points, session: aiohttp.ClientSession) -> None:
        super().__init__(discord.http.HTTPClient(asyncio.get_running_loop()), session, session)
        self._fake, self._points = fake, points

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        file: tuple[str, bytes] | None = None,
        query: Mapping[str, Any] | None = None,
        **ids: Any,
    ) -> Any:
        """See `Web.call`."""
        return await self._made(Route(method, path, **ids), body, file, query, {"Authorization": self._token})

    async def hook(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        file: tuple[str, bytes] | None = None,
        query: Mapping[str, Any] | None = None,
        **ids: Any,
    ) -> Any:
        """See `Web.hook`."""
        return await self._made(Route(method, path, **ids), body, file, query, {})

    @property
    def _token(self) -> str:
        return f"Bot {self._fake.token}"

    async def _made(
        self,
        route: Route,
        body: Any,
        file: tuple[str, bytes] | None,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str],
    ) -> Any:
        rest, typing = self._fake.rest, route.path.endswith("/typing")
        if not typing:  # what it shows passes by itself
            self._points.point()
        await asyncio.sleep(0)
        path = unquote(route.url.removeprefix(Route.BASE))
        given = json.loads(json.dumps(body)) if body is not None else {}
        asked = {key: str(value) for key, value in (query or {}).items()}
        call = Call(route.method, path, asked, headers, given, [Upload(0, *file)] if file else [])
        try:
            found = rest._find(call)
            rest._authorize(found, call)
            answer = json.loads(json.dumps(found.endpoint(self._fake.world, call)))
        except ApiError as refused:
            self._points.point()
            told = refused.body
            raise RefusedError(f"{route.method} {path}", refused.status, told["code"], told["message"]) from None
        if not typing:
            self._points.point()
        return answer


@dataclass(slots=True)
class DiscordPlatform:
    """A place on the fake with its people, and the transport of the process that lives just now."""

    fake: FakeDiscord
    points: Points
    limit: int
    place: str
    session: aiohttp.ClientSession
    alice: Person = field(init=False)
    room: Channel = field(init=False)
    transport: DiscordTransport = field(init=False)
    previews: Previews | None = None
    ids: list[str] = field(default_factory=list)
    _pumps: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alice = self.fake.person("alice")
        general = self.fake.channel(self.fake.guild("Acme", self.alice), "general")
        match self.place:
            case "thread":
                self.room = self.alice.starts_thread(general, "plans")
            case "private":
                self.room = self.alice.opens_dm()
            case _:
                self.room = general
        self.begin()

    def begin(self) -> None:
        """A process begins: it knows nothing of an earlier one's webhooks and replies."""
        self._silence()
        web, me = Direct(self.fake, self.points, self.session), Me(str(self.fake.me.id), self.application)
        box = Poster(web, me, Hooks(web, me.application, "Greenroom"), Avatars(web, me.application, wanted=True))
        self.previews = Previews(box)
        self.transport = DiscordTransport(web, box, self.previews)
        self.transport.limit = self.limit

    async def end(self) -> None:
        """The process is gone: nothing of it says another word."""
        self._silence()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def _silence(self) -> None:
        for shown in self.previews._open.values() if self.previews else ():
            if shown.pump:
                shown.pump.task.cancel()
                self._pumps.append(shown.pump.task)

    @property
    def application(self) -> str:
        return str(self.fake.world.application)

    @property
    def conversation(self) -> Conversation:
        room = self.room
        if room.guild is None:
            return Conversation("discord", "@me", str(room.id))
        if room.parent is None:
            return Conversation("discord", str(room.guild.id), str(room.id))
        return Conversation("discord", str(room.guild.id), str(room.parent.id), str(room.id))

    def said(self, text: str, *, at: float) -> Inbound:
        """Alice says something, which arrives."""
        ident, direct = self.alice.says(self.room, text).id, self.room.guild is None
        self.ids.append(str(ident))
        said_at = snowflake_time(ident).timestamp()
        return Inbound(self.conversation, str(ident), str(self.alice.id), "alice", text, ident, said_at, direct=direct)

    def seen(self) -> list[Seen]:
        """What the bot has posted, in order, there and then in the threads that hang on it."""
        threads = [channel for channel in self.fake.world.channels.values() if channel.parent is self.room]
        standing = (seen for room in (self.room, *threads) for seen in self.fake.seen(room))
        return [seen for seen in standing if seen.message.author is self.fake.me and seen.text]


@dataclass(slots=True)
class DiscordUniverse(Universe):
    """A universe whose people are on Discord."""

    place: str = "channel"

    async def play(self) -> tuple[Outcome, int]:
        """See `Universe.play`."""
        self.points = Points(self.chosen)
        clock = ManualClock()
        async with aiohttp.ClientSession() as session:
            fake = FakeDiscord(clock=clock)
            platform = DiscordPlatform(fake, self.points, self.scenario.limit, self.place, session)
            self.faulty = replace(self.faulty, worker=worker_on("discord"), platform=lambda port: process(platform))
            try:
                store = await self._play(clock, platform, await self.ground.begin(clock))  # type: ignore[arg-type]
                return await self._ended(platform, store), self.points.passed
            finally:
                await platform.end()
                await self.ground.end()

    async def _ended(self, platform: DiscordPlatform, store: Store) -> Outcome:
        standing = platform.seen()
        found_by = [marks.mark_in(seen.text) for seen in standing]
        self.faults.extend(
            f"torn: {seen.text!r}" for seen, mark in zip(standing, found_by, strict=True) if mark in ("", marks.GROWING)
        )
        once(self, found_by)
        hooks = platform.fake.world.webhooks
        if len(hooks) > 1:
            self.faults.append(f"{len(hooks)} webhooks")
        posts = tuple((*_voiced(seen), repr((*seen.buttons, *seen.options))) for seen in standing)
        return await compared(self, store, platform.conversation, platform.ids, posts)


def _voiced(seen: Seen) -> tuple[str, str]:
    """Who says what: where there is no webhook, a persona's name stands above the text."""
    text = marks.without(seen.text).strip()
    words = markup.said(text)
    return (seen.author, text) if words == text else (text.removesuffix(words), words)


def process(platform: DiscordPlatform) -> Process:
    """A new worker is a new process."""
    platform.begin()
    previews = platform.previews

    async def shown(ref: str) -> None:
        assert previews
        growing = previews._open[ref]
        assert growing.pump
        while not growing.pump.is_dead and growing.sent != growing.pump.wanted:
            if growing.pump.task.done():
                raise Crash
            await asyncio.sleep(0)

    return Process(platform.transport, platform.points, shown)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply shows what it has without taking its time."""
    monkeypatch.setattr(streaming, "PACE", 0.0)


def universe(scenario: Scenario, place: str, varied: bool, *points: int) -> DiscordUniverse:
    return DiscordUniverse(scenario, frozenset(points), varied, place=place)


async def known_ends(scenario: Scenario, place: str, varied: bool) -> Reference:
    return await reference(lambda each: universe(each, place, varied), scenario)


def _in_lines(scenario: Scenario) -> Scenario:
    if scenario.name not in LINES:
        return scenario
    pieces = LINES[scenario.name]
    return replace(scenario, replies=(Says(pieces), *scenario.replies[1:]), stopped="".join(pieces))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("varied", [True, False], ids=["never the same twice", "always the same"])
@pytest.mark.parametrize("scenario", [*map(_in_lines, SCENARIOS)], ids=lambda s: s.name)
async def test_a_crash_at_any_call_of_discord_leaves_no_trace(
    scenario: Scenario, varied: bool, place: str, soak: bool
) -> None:
    known = await known_ends(scenario, place, varied)
    assert not known.ends[0].faults
    for point in range(1, known.points + 1, 1 if soak else STRIDE):
        outcome, _ = await universe(scenario, place, varied, point).play()
        assert not known.differences(outcome), f"crash at {point} of {known.points}"


async def test_a_work_is_handed_to_one_thread_once_wherever_discord_is_being_called(soak: bool) -> None:
    def made(*points: int) -> DiscordUniverse:
        return replace(universe(HANDED, "channel", True, *points), library=TOYS)

    end, total = await made().play()
    known = Reference(HANDED, True, (end,), total)
    assert not end.faults and any("Part 1 stands." in text for _, text, _ in end.posts)
    for point in range(1, total + 1, 1 if soak else STRIDE // 2):
        outcome, _ = await made(point).play()
        assert not known.differences(outcome), f"crash at {point} of {total}"


async def _nothing(*args: object) -> None:
    """Find nothing."""


@pytest.mark.parametrize(("where", "name"), [(Poster, "find"), (Previews, "torn")])
async def test_were_nothing_found_again_the_sweep_would_tell(
    where: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = next(scenario for scenario in SCENARIOS if scenario.name == "compaction")
    scenario = replace(talk, replies=(Says(("A first line.\n", "And a second.")),))
    known = await known_ends(scenario, "channel", varied=True)
    monkeypatch.setattr(where, name, _nothing)
    for point in range(1, known.points + 1):
        outcome, _ = await universe(scenario, "channel", True, point).play()
        if known.differences(outcome):
            return
    raise AssertionError("nobody would have noticed")
