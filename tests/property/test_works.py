"""Whatever people do, a model says and links bring: a work comes to rest, and only people decide.

Walked with the toy mode (`tests/fakes/toy_mode.py`), which has all that a mode can have.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field, replace

import pytest

from bot.core import works
from bot.core.codec import dump, load
from bot.core.context import Context
from bot.core.events import (
    BudgetTold,
    Event,
    GaveUp,
    Handed,
    LibraryRead,
    ModelFailed,
    ModelReplied,
    Picked,
    Recalled,
    ResourceLoaded,
    Result,
    Resumed,
    Said,
    ThreadOpened,
    Utterance,
)
from bot.core.machine import step
from bot.core.model import Conversation
from bot.core.prompt import prompt
from bot.core.session import Session, Step
from bot.core.steps import (
    AskModel,
    CopyDocument,
    DeleteDocument,
    DocumentHistory,
    Entry,
    ForgetAll,
    ListDocuments,
    LoadResource,
    OpenThread,
    Post,
    ReadDocument,
    ReadLibrary,
    Recall,
    Record,
    RenameDocument,
    TellBudget,
    WriteDocument,
)
from tests.fakes.documents import LOOKS, answer
from tests.fakes.model import refuse_what_the_api_refuses
from tests.fakes.toy_mode import MODES, PATH, TOYS, ToyWork

WALKS = 500
"""Walks of every run; twenty times as many with `--soak`."""

TYPED = (
    "*toy", "*toy", "*toy", "*toy thread", "*pm", "*architect", "*exit", "*resume", "*resume 2", "*help", "*status",
    "*yolo", "*reload", "*forget", "*budget +5", "*usage", "*agent", "*agent pm", "*retry", "*continue", "*create-prd",
    "stop", "yes", "no", "ok", "Accept", "again", "leave it", "exit", "1", "2", "3", "9", "hello", "why is that?",
    "*chat-mode", "*toi", "*README", "// aside", *LOOKS,
)  # fmt: skip
LARGEST = 32_000
"""Bytes of a session at most (design: ids, never texts)."""


class WipedError(Exception):
    """The conversation is gone."""


@dataclass(slots=True)
class Walk:
    """One conversation, its rules checked at each step; `chance` decides what people, models and links do."""

    chance: random.Random
    session: Session = field(default_factory=Session)
    log: list[Entry] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    links: list[Resumed] = field(default_factory=list)
    records: int = 0
    writes: int = 0
    turn: int = 0
    asks: int = 0

    def live(self, event: Event) -> None:
        admin = self.chance.random() < 0.5
        try:
            done = self.take(event, Context(admin=admin))
            for _ in range(60):
                if done.request is None:
                    break
                done = self.take(self.result(done), Context())
        except WipedError:
            self.session, self.log, self.marks, self.links = Session(), [], [], []
            return
        assert done.request is None, "every chain ends"
        assert works.is_at_rest(self.session, MODES), (self.session, event)
        assert len(dump(self.session)) <= LARGEST
        assert len(self.session.work) <= works.DEPTH and len(self.session.paused) <= works.PAUSED
        if self.session.gate:
            assert any(m.id == self.session.gate.menu for m in self.session.menus), "what is asked can be chosen"

    def take(self, event: Event, context: Context) -> Step:
        before = self.session
        done = step(before, event, TOYS, context, MODES)
        assert load(dump(done.session), Session) == done.session
        assert not (isinstance(done.request, AskModel) and done.session.gate), "no model is asked while people are"
        if isinstance(event, Resumed) and event.tag != before.due:
            assert (done.posts, done.log, done.request) == ((), (), None), "a link that is not due does nothing"
        if isinstance(done.request, WriteDocument) and done.request.path == PATH:
            self.writes += 1
            decided = [p for p in done.posts if isinstance(p, Record) and p.what.startswith("accepted")]
            assert decided and decided[0].who and isinstance(event, Said | Picked), "a human decided, on record"
        self.session = done.session
        self.log += done.log
        if done.next:
            self.links.append(Resumed(f"r{self.turn}", done.next))
        for post in done.posts:
            if isinstance(post, Post) and post.offers:
                self.marks.append(post.menu.id if post.menu else "")
            self.records += isinstance(post, Record)
        return done

    def result(self, done: Step) -> Result:
        chance = self.chance

        def documents(done: Step) -> Result:
            found = answer(done.request, chance.random())
            assert found is not None
            return found

        match done.request:
            case AskModel(who):
                persona = TOYS.persona(who)
                assert persona is not None
                request = prompt(persona, self.log)
                refuse_what_the_api_refuses(request)
                self.asks += 1
                return self.reply()
            case LoadResource(_, kind, name):
                return ResourceLoaded(kind, name, "text" if chance.random() < 0.7 else None, "gone")
            case ReadLibrary():
                return LibraryRead(3, ())
            case TellBudget():
                return BudgetTold("Nothing was spent.")
            case Recall(ids):
                kept = {e.id: e.text for e in self.log if e.kind == "kept" and e.id in ids}
                assert set(kept) == set(ids), "what a work names was kept"
                return Recalled(kept)
            case WriteDocument(_, _, parts):
                assert {e.id for e in self.log if e.kind == "kept"} >= set(parts)
                return documents(done)
            case OpenThread():
                return ThreadOpened(None if chance.random() < 0.5 else Conversation("fake", "w", "c", "t"))
            case (
                ReadDocument()
                | ListDocuments()
                | DocumentHistory()
                | RenameDocument()
                | DeleteDocument()
                | CopyDocument()
            ):
                return documents(done)
            case ForgetAll():
                raise WipedError
            case None:
                raise AssertionError("nothing was asked for")

    def reply(self) -> ModelReplied | ModelFailed:
        """What a stubborn model says: it calls tools again and again, ends in every way, or fails."""
        roll, n = self.chance.random(), self.asks
        if roll < 0.1:
            return ModelFailed(1, self.chance.choice(["rate", "busy", "gone", "?"]))
        calls = self.chance.choices(
            [
                ("ask", {"question": "Which?", "options": ["red", "blue"]}),
                ("propose_command", {"command": "toy"}),
                ("propose_command", {"command": "exit"}),
                ("load_resource", {"name": "prd-tmpl"}),
                ("complete_step", {}),
                ("list_documents", {}),
                ("read_document", {"path": "docs/toy.md"}),
                ("accept", {"section": 1}),
            ],
            k=self.chance.choice([1, 1, 2, 3]),
        )
        text = {
            "type": "text",
            "text": self.chance.choice(["A draft.", "1. Accepted by alice.", "John: yes", "x" * 900]),
        }
        if roll < 0.55:
            blocks = [text] + [
                {"type": "tool_use", "id": f"c{n}_{i}", "name": name, "input": given}
                for i, (name, given) in enumerate(calls)
            ]
            return ModelReplied(1, json.dumps(blocks), "tool_use", crowded=n % 7 == 0)
        stop = self.chance.choice(["end_turn"] * 6 + ["stopped", "cut", "max_tokens", "refusal"])
        return ModelReplied(1, json.dumps([text] if roll < 0.95 else []), stop, by="bob", crowded=n % 5 == 0)

    def deed(self) -> Event:
        """What happens next: people, a link that comes at last, one that comes twice, one that is buried."""
        chance = self.chance
        self.turn += 1
        turn, roll = f"t{self.turn}", chance.random()
        user = chance.choice([("U1", "alice"), ("U2", "bob")])
        if self.links and roll < 0.35:
            link = chance.choice(self.links)
            if chance.random() < 0.8:
                self.links.remove(link)
            if chance.random() < 0.15 and link.tag == self.session.due:
                return GaveUp(turn, "it failed three times")
            return replace(link, turn=turn)
        if roll < 0.4:
            return Resumed(turn, chance.choice(["", "toy", "x.w1:next"]))
        if roll < 0.43:
            return Handed(turn, chance.choice(["k1", "k2"]), chance.choice(["pm", "nobody"]), "toy", "", *user)
        gate = self.session.gate
        if gate is not None and roll < 0.7:
            return Picked(turn, *user, gate.menu, chance.choice([1, 1, 1, 2, 3]), 1.0)
        menus = [m for m in self.marks if m]
        if menus and roll < 0.75:
            return Picked(turn, *user, chance.choice(menus[-3:]), chance.choice([1, 1, 2, 3, 9]), 1.0)
        text = chance.choice(TYPED)
        edited = chance.random() < 0.05
        line = Utterance(*user, text, f"i{self.turn}", 1.0, edited=edited)
        seen = tuple(self.marks if chance.random() < 0.8 else self.marks[:-1])
        return Said(turn, (line,), seen, direct=chance.random() < 0.3, hasty=chance.random() < 0.1)


@pytest.fixture
def walks(request: pytest.FixtureRequest) -> int:
    return 20 * WALKS if request.config.getoption("--soak", default=False) else WALKS


def test_hostile_walks_end_at_rest_and_nothing_is_decided_without_people(walks: int) -> None:
    writes = toys = paused = asks = 0
    for seed in range(walks):
        walk = Walk(random.Random(seed))
        walk.live(Said("t0", (Utterance("U1", "alice", "*pm", "i0", 1.0),)))
        for _ in range(25):
            walk.live(walk.deed())
        writes, asks = writes + walk.writes, asks + walk.asks
        toys += any(isinstance(w, ToyWork) for w in walk.session.work)
        paused += bool(walk.session.paused)
        leads_out(walk)
    print(f"{walks} walks: {asks} asks, {writes} documents written, {toys} ended in a work, {paused} with paused ones")
    assert writes > walks / 20 and toys > walks / 20 and paused > walks / 20, "the walks go where it matters"


def leads_out(walk: Walk) -> None:
    """No dead end: whatever stands, it can be told, left for another persona, and taken up again."""
    calm = replace_chance(walk)
    calm.live(Said("z1", (Utterance("U1", "alice", "*status", "z1", 1.0),), tuple(walk.marks)))
    full = len(calm.session.paused) >= works.PAUSED and bool(calm.session.work)
    calm.live(Said("z2", (Utterance("U1", "alice", "*sm", "z2", 1.0),), tuple(calm.marks)))
    assert full or (calm.session.active == "sm" and not calm.session.work)
    if calm.session.paused and not full:
        calm.live(Said("z3", (Utterance("U1", "alice", "*resume 1", "z3", 1.0),), tuple(calm.marks)))
        assert calm.session.work and calm.session.gate is not None, "it stands again"


def replace_chance(walk: Walk) -> Walk:
    walk.chance = random.Random(1)
    return walk
