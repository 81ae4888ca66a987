"""The crash sweep: every call through a port is two numbered crash points, one before and one after its effect.

A `Universe` plays a scenario on real store, worker and machine; at the chosen points it crashes, time passes, and a
fresh worker goes on with what the store and the platform have kept. What stands at the end is compared with the run
that did not crash.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.core.codec import load
from bot.core.menus import mark_of
from bot.core.model import Conversation, Inbound
from bot.core.modes.mode import Registry
from bot.core.modes.registry import MODES
from bot.core.prompt import Prompt
from bot.core.session import Turn
from bot.core.steps import Entry
from bot.personas.model import Cast, Command, Persona
from bot.ports.documents import Documents
from bot.ports.model import Reply, Show
from bot.ports.store import Store
from bot.runtime.inbox import Inbox
from bot.runtime.preview import PACE
from bot.runtime.worker import Options, Worker
from tests.fakes.clock import ManualClock
from tests.fakes.library import CAST, FakeLibrary
from tests.fakes.model import FakeModel, Says
from tests.fakes.platform import ROOM, FakePlatform
from tests.scenario.kept import log_of, state_of
from tests.scenario.sweep_stores import Ground, OnSqlite

APART = 25
"""Pairs of crash points are swept up to this many points apart."""


SHOWN_IN = 5
"""Rounds of the event loop in which a piece that is due is on the platform."""


class Crash(BaseException):
    """The process dies here: nothing catches it but the universe."""


@dataclass(slots=True)
class Points:
    """Counts the crash points of a run and crashes at those that were chosen."""

    chosen: frozenset[int] = frozenset()
    passed: int = 0
    dead: bool = False

    def point(self) -> None:
        if self.dead:
            raise Crash
        self.passed += 1
        if self.passed in self.chosen:
            self.dead = True
            raise Crash


class Port:
    """Any port, with a crash point before and after each of its calls."""

    def __init__(self, real: object, points: Points, after: Callable[[str, tuple[Any, ...]], None]) -> None:
        self._real, self._points, self._after = real, points, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name == "documents":  # a port beside the store
            return Port(real, self._points, self._after)
        if not callable(real) or name == "busy":  # what it shows passes by itself
            return real

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._points.point()
            result = await real(*args, **kwargs)
            if result is not False:
                self._after(name, args)
            self._points.point()
            return result

        return call


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is compared: posts, session, log, usage, each version of each document, and the calls that nobody needed."""

    posts: tuple[tuple[str, str, str], ...]
    session: str
    marks: tuple[str, ...]
    log: tuple[Entry, ...]
    usage: tuple[Any, ...]
    faults: tuple[str, ...]
    documents: tuple[tuple[str, int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Deed:
    """Something people do: lines in one go, or while the n-th reply is at that piece (-1: its last).

    With `thread`, they write into the thread that was opened last.
    """

    lines: tuple[str, ...]
    during: tuple[int, int] | None = None
    thread: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """Deeds in order, and what the model says to its n-th ask (counted over asks that were stored).

    `stopped` is the reply that people stop somewhere. `otherwise` are deeds that may have come to the same: a stop that
    came too late for a reply is in time for it when a crash makes the reply begin anew. `context` are the tokens that
    the model can take. `threads`: the platform has some. `first` is written below the post with that text, into the
    thread that may not be opened yet, as soon as the post stands. Over a prompt that has the words
    `broken` once, the model's client raises; `buries` turns are given up for it.
    """

    name: str
    deeds: tuple[Deed, ...]
    replies: tuple[Says, ...] = (Says.text("Fine."),)
    limit: int = 3500
    stopped: str | None = None
    otherwise: tuple[Deed, ...] = ()
    context: int = 200_000
    modes: Registry = MODES
    threads: bool = True
    first: tuple[str, str] | None = None
    broken: str = ""
    buries: int = 0


WorkerFactory = Callable[..., Worker]


@dataclass(slots=True)
class Faulty:
    """What a mutant changes: the worker, the store or the platform as the worker sees them."""

    worker: WorkerFactory = Worker
    store: Callable[[Any], Any] = lambda store: store
    platform: Callable[[Any], Any] = lambda platform: platform


@dataclass(slots=True)
class Universe:
    scenario: Scenario
    chosen: frozenset[int] = frozenset()
    varied: bool = False
    recast: bool = False
    library: Cast = CAST
    faulty: Faulty = field(default_factory=Faulty)
    ground: Ground = field(default_factory=OnSqlite)
    points: Points = field(init=False)
    asks: int = 0
    stored: int = 0
    unsaved: bool = False
    lost: int = 0
    faults: list[str] = field(default_factory=list)

    async def play(self) -> tuple[Outcome, int]:
        """Run to the end, crashes and all; the outcome, and how many points there were."""
        self.points = Points(self.chosen)
        clock, platform = ManualClock(), FakePlatform(self.scenario.limit, threads=self.scenario.threads)
        try:
            store = await self._play(clock, platform, await self.ground.begin(clock))
            return await self._outcome(platform, store), self.points.passed
        finally:
            await self.ground.end()

    async def _play(self, clock: ManualClock, platform: FakePlatform, store: Store) -> Store:
        """Play on that store, and give the one that stands at the end: a crash may have cost it its connection."""
        library = FakeLibrary(self.library)
        model = _Voice(self, clock)
        pending: list[tuple[tuple[int, int], str]] = []
        sent: dict[str, Inbound] = {}
        port: dict[str, Any] = {}

        def on_stage() -> tuple[Inbox, Worker]:
            port["store"] = self.faulty.store(Port(store, self.points, self._noted))
            transport = self.faulty.platform(Port(platform, self.points, self._noted))
            worker = self.faulty.worker(
                port["store"],
                {"fake": transport},
                Port(model, self.points, self._noted),
                _Shelf(Port(library, self.points, self._noted), library),
                clock,
                Options(context=self.scenario.context, modes=self.scenario.modes),
            )
            return Inbox(port["store"], stop_raised=worker.stop_raised), worker

        inbox, worker = on_stage()

        async def write_first() -> None:
            if self.scenario.first is None:
                return
            text, words = self.scenario.first
            roots = [ref for ref, shown in platform.messages.items() if shown.text == text]
            if roots and words not in sent:
                sent[words] = platform.said(words, conversation=replace(ROOM, thread=roots[0]), at=clock.now())
                await Inbox(store).receive(sent[words])

        async def survive(work: Callable[[], Awaitable[Any]]) -> Any:
            nonlocal inbox, worker, store
            while True:
                try:
                    done = await work()
                    await write_first()
                    return done
                except Crash:
                    await write_first()
                    self.lost += self.unsaved
                    self.unsaved = False
                    self.points.dead = False
                    clock.advance(Options().lease + 1)
                    if self.recast:
                        library.cast = OTHER_CAST
                    store = await self.ground.reopen()
                    inbox, worker = on_stage()

        async def interject(n: int, piece: int, total: int) -> None:
            for when, text in [*pending]:
                if when in ((n, piece), (n, piece - total - 1)):
                    if text not in sent:
                        sent[text] = platform.said(text, at=clock.now())
                    await inbox.receive(sent[text])
                    pending.remove((when, text))

        model.on_piece = interject
        for deed in self.scenario.deeds:
            if deed.during:
                pending.extend((deed.during, line) for line in deed.lines)
                continue
            there: dict[str, Any] = {"conversation": [*platform.opened.values()][-1][0]} if deed.thread else {}
            said = [platform.said(line, at=clock.now(), **there) for line in deed.lines]
            for inbound in said:
                await survive(lambda inbound=inbound: inbox.receive(inbound))  # type: ignore[misc]
            for _ in range(200):
                if not await survive(lambda: worker.work()):
                    stats = await store.stats()
                    if not stats.waiting and not stats.in_flight:
                        break
                    clock.advance(Options().lease + 1)
            else:
                self.faults.append("the mailbox is never empty")
            if (await store.stats()).dead > self.scenario.buries:
                self.faults.append(f"buried: {[letter.reason for letter in await store.dead()]}")
        if (await store.stats()).dead < self.scenario.buries:
            self.faults.append("something that was given up is no dead letter")
        if self.asks > self.stored + self.lost:
            self.faults.append(f"asked {self.asks} times for {self.stored} stored replies and {self.lost} lost ones")
        return store

    def _noted(self, name: str, args: tuple[Any, ...]) -> None:
        if name == "checkpoint":
            turn = load(args[1], Turn)
            if self.unsaved and turn.spent:
                self.stored += 1
                self.unsaved = False

    async def _outcome(self, platform: FakePlatform, store: Store) -> Outcome:
        places = [await self._place(platform, store, ROOM, "")]
        for number, (thread, title) in enumerate(platform.opened.values(), 1):
            places.append(await self._place(platform, store, thread, f"[thread {number}, {title}] "))
        return Outcome(
            tuple(post for place in places for post in place.posts),
            "\n".join(place.session for place in places),
            tuple(mark for place in places for mark in place.marks),
            tuple(entry for place in places for entry in place.log),
            tuple(usage for place in places for usage in place.usage),
            tuple(self.faults),
            tuple([version async for version in _versions(store.documents)]),
        )

    async def _place(self, platform: FakePlatform, store: Store, where: Conversation, title: str) -> Outcome:
        """What has become of one conversation; `title` stands before whoever has spoken in it."""
        saved, log = await state_of(store, where), tuple(await log_of(store, where))
        seen = platform.seen(where)
        self.faults.extend(f"unsealed: {m.text!r}" for m in seen if not m.sealed)
        posts = tuple((title + m.voice.name, m.text, m.menu.id if m.menu else "") for m in seen)
        replies = [e.text for e in log if e.kind == "reply" and e.text]
        said = " ".join(text for _, text, _ in posts)
        self.faults.extend(f"never said: {r!r}" for r in replies if r not in said)
        marks = tuple(m.menu for m in saved.number_anchors)
        return Outcome(posts, repr(saved.session), marks, log, await store.spent(where.key), ())


async def _versions(documents: Documents) -> AsyncIterator[tuple[str, int, str]]:
    for info in await documents.list(ROOM.key):
        for version in await documents.history(ROOM.key, info.path):
            stored = await documents.read(ROOM.key, info.path, version.version)
            yield info.path, version.version, stored.text if stored else ""


@dataclass(slots=True)
class _Voice:
    """The model of a universe: what it says depends on how many replies were stored, and, if varied, on the ask."""

    universe: Universe
    clock: ManualClock
    on_piece: Callable[[int, int, int], Awaitable[None]] | None = None

    async def reply(self, prompt: Prompt, show: Show) -> Reply:
        universe = self.universe
        if universe.scenario.broken and _times(universe.scenario.broken, prompt) == 1:
            await show("A beginning ")
            self.clock.advance(PACE)
            for _ in range(SHOWN_IN):
                await asyncio.sleep(0)
            raise RuntimeError("the client broke")
        universe.asks += 1
        universe.unsaved = True
        ask = universe.asks

        def script(_prompt: Prompt, _n: int) -> Says:
            says = universe.scenario.replies[_replies_in(prompt) % len(universe.scenario.replies)]
            return replace(says, pieces=(f"Take {ask}. ", *says.pieces)) if universe.varied and says.pieces else says

        turn = _replies_in(prompt) + 1

        async def on_piece(_n: int, piece: int) -> None:
            # Time passes between two pieces, so that each of them is shown, and what shows it may crash.
            self.clock.advance(PACE)
            for _ in range(SHOWN_IN):
                await asyncio.sleep(0)
            if self.on_piece:
                await self.on_piece(turn, piece, len(script(prompt, ask).pieces))

        model = FakeModel(script, on_piece=on_piece)
        reply = await model.reply(prompt, show)
        content = json.loads(reply.content)
        for block in content:
            if block["type"] == "tool_use":
                block["id"] = f"{block['id']}_{turn}" + (f"_take{ask}" if universe.varied else "")
        return Reply(json.dumps(content), reply.stop, reply.usage)

    async def close(self) -> None:
        """Nothing is held."""


def _times(words: str, prompt: Prompt) -> int:
    return sum(block.json.count(words) for message in prompt.messages for block in message.blocks)


def _replies_in(prompt: Prompt) -> int:
    return sum(m.role == "assistant" for m in prompt.messages)


class _Shelf:
    """A library whose reading is a port and whose cast is not."""

    def __init__(self, port: Any, library: FakeLibrary) -> None:
        self._port, self._library = port, library

    @property
    def cast(self) -> Cast:
        return self._library.cast

    async def read(self, kind: str, name: str, persona: str) -> str:
        return str(await self._port.read(kind, name, persona))


def _renamed(persona: Persona) -> Persona:
    commands = (*persona.commands[:-1], Command("brand-new", "New in this release"), *persona.commands[-1:])
    return replace(persona, when_to_use=f"{persona.when_to_use}, newly said", commands=commands)


OTHER_CAST = replace(CAST, personas=tuple(_renamed(p) for p in CAST.personas))


def plain(text: str) -> str:
    """A text whose takes read alike, so that runs of a model that never says the same twice can be compared.

    So do hashes of what it said, and the times at which people said something, which come later behind a crash.
    """
    text = re.sub(r'"at":[\d.]+', '"at":0', re.sub(r"\b[0-9a-f]{64}\b", "hash", text))
    return re.sub(r"_take\d+", "", re.sub(r"Take \d+\.", "Take.", text))


def numbered(text: str, said: Sequence[str]) -> str:
    """`text` with the number of a message in the place of its id, and in that of the mark that its menus bear.

    On a platform that counts all that is posted, the ids of messages behind a crash depend on how much was shown before
    it.
    """
    for number, message in enumerate(said):
        text = text.replace(mark_of(message), f"mark {number}").replace(message, f"message {number}")
    return text


@dataclass(frozen=True, slots=True)
class Configuration:
    """How the universes of a sweep differ from the plain one."""

    name: str
    varied: bool = False
    recast: bool = False

    def universe(
        self, scenario: Scenario, *points: int, faulty: Faulty | None = None, ground: Ground | None = None
    ) -> Universe:
        chosen = frozenset(points)
        return Universe(scenario, chosen, self.varied, self.recast, CAST, faulty or Faulty(), ground or OnSqlite())


@dataclass(frozen=True, slots=True)
class Reference:
    """How a scenario may end: `ends` are the outcomes without a crash, one for each cast that may have been on."""

    scenario: Scenario
    varied: bool
    ends: tuple[Outcome, ...]
    points: int
    otherwise: Reference | None = None

    def differences(self, outcome: Outcome) -> list[str]:
        """What of `outcome` nobody should ever have seen; empty where the crash left no trace."""
        found = self._differences(outcome)
        return self.otherwise.differences(outcome) if found and self.otherwise else found

    def _differences(self, outcome: Outcome) -> list[str]:
        end = self.ends[0]
        found = list(outcome.faults)
        if [p[0::2] for p in outcome.posts] != [p[0::2] for p in end.posts]:
            found.append(f"other posts: {outcome.posts} instead of {end.posts}")
            return found
        for number, post in enumerate(outcome.posts):
            if not any(self._alike(post[1], known.posts[number][1]) for known in self.ends):
                found.append(f"post {number} is {post[1]!r}")
        if len(self.ends) == 1 and plain(outcome.session) != plain(end.session):
            found.append(f"session {outcome.session} instead of {end.session}")
        if outcome.marks != end.marks:
            found.append(f"marks {outcome.marks} instead of {end.marks}")
        if [e.kind for e in outcome.log] != [e.kind for e in end.log]:
            found.append(f"log {outcome.log} instead of {end.log}")
            return found
        for place, entry in enumerate(outcome.log):
            # What a persona is told when it comes on depends on its cast.
            known_ones = [known.log[place] for known in self.ends if len(known.log) == len(outcome.log)]
            if not any(self._alike(entry.text, k.text) and plain(entry.call) == plain(k.call) for k in known_ones):
                found.append(f"log entry {entry} instead of {end.log[place]}")
        if [plain(str(d)) for d in outcome.documents] != [plain(str(d)) for d in end.documents]:
            found.append(f"documents {outcome.documents} instead of {end.documents}")
        if self.scenario.stopped is None and outcome.usage != end.usage:
            found.append(f"usage {outcome.usage} instead of {end.usage}")
        return found

    def _alike(self, text: str, known: str) -> bool:
        """The same, or, where people stopped a reply, no more than the reply that they would have stopped."""
        text, known = plain(text), plain(known)
        if text == known or self.scenario.stopped is None:
            return text == known
        words, known_words = (t.split("\n\n_(stopped")[0].strip() for t in (text, known))
        whole = plain("Take 1. " + self.scenario.stopped if self.varied else self.scenario.stopped)
        return whole.startswith(words) and whole.startswith(known_words)


async def reference(scenario: Scenario, how: Configuration) -> Reference:
    """Play without a crash, with every cast and in every way that may have been."""
    casts = (CAST, OTHER_CAST) if how.recast else (CAST,)
    played = [await Universe(scenario, varied=how.varied, library=cast).play() for cast in casts]
    otherwise = None
    if scenario.otherwise:
        otherwise = await reference(replace(scenario, deeds=scenario.otherwise, otherwise=()), how)
    return Reference(scenario, how.varied, tuple(end for end, _ in played), played[0][1], otherwise)


def neighbours(total: int) -> Iterable[tuple[int, int]]:
    """Every pair of points up to `APART` apart; the second may lie in what the first crash made longer."""
    return ((i, j) for i in range(1, total + 1) for j in range(i + 1, i + APART + 1))


CONFIGURATIONS = (
    Configuration("never the same twice", varied=True),
    Configuration("always the same"),
    Configuration("another cast", recast=True),
)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("activation", (Deed(("*architect",)), Deed(("1",)))),
    Scenario(
        "talk",
        (Deed(("*architect what is a queue?",)), Deed(("and a stack?",))),
        (
            Says.text("First in first out."),
            Says(("Last in first out, ", "in more words " * 6, "than fit into one piece, ", "and so in two of them.")),
        ),
        limit=150,
    ),
    Scenario(
        "tools",
        (Deed(("*pm",)), Deed(("help me with a PRD",)), Deed(("2",)), Deed(("thanks",))),
        (
            Says(("Let me look. ",), (("load_resource", {"name": "prd-tmpl"}), ("load_resource", {"name": "nope"}))),
            Says(("A question. ",), (("ask", {"question": "Which?", "options": ["red", "blue"]}), ("ask", {}))),
            Says.text("Blue it is."),
            Says.text("Any time."),
        ),
    ),
    Scenario(
        "compaction",
        (Deed(("*architect",)), Deed(("one",)), Deed(("two",))),
        (Says.text("First."), Says.text("It was about one."), Says.text("Second.")),
        context=16,
    ),
    Scenario(
        "stop",
        (Deed(("*architect",)), Deed(("stop",), during=(1, 2)), Deed(("explain all",)), Deed(("go on",))),
        (Says.text("One two three four."), Says.text("Five six.")),
        stopped="One two three four.",
    ),
    Scenario(
        "late stop",
        (Deed(("*architect",)), Deed(("stop",), during=(1, -1)), Deed(("explain all",)), Deed(("go on",))),
        (Says.text("Short answer."), Says.text("Five six.")),
        stopped="Short answer.",
        otherwise=(Deed(("*architect",)), Deed(("stop",), during=(1, 1)), Deed(("explain all",)), Deed(("go on",))),
    ),
    Scenario(
        "left",
        (Deed(("*pm",)), Deed(("a PRD, please",)), Deed(("*continue",)), Deed(("hello?",)), Deed(("*exit", "1"))),
        (Says(("A question. ",), (("ask", {"question": "Which?", "options": ["red", "blue"]}),)), Says.text("Hello.")),
    ),
    Scenario(
        "burst",
        (
            Deed(("*architect",)),
            Deed(("and one more thing", "or two"), during=(1, 1)),
            Deed(("first thought", "second thought")),
            Deed(("a third thought", "*status", "a fourth thought")),
        ),
        (Says.text("Noted."), Says.text("Noted too."), Says.text("And that.")),
    ),
    Scenario(
        "exit",
        (Deed(("*pm",)), Deed(("*exit",)), Deed(("wait, one thing",)), Deed(("*exit",)), Deed(("1",))),
        (Says.text("Yes?"),),
    ),
)
