"""Works of any kind: what goes on once, what stands again, what is left behind. With the smallest mode there can be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from bot.core import works
from bot.core.events import GaveUp, Handed, Result, Resumed, Said, Utterance
from bot.core.gates import Words, WorkGate
from bot.core.machine import step
from bot.core.model import Choose, Option
from bot.core.modes.mode import Registry, Returned
from bot.core.session import Call, Session, Step, Tools
from bot.core.step_builder import StepBuilder
from bot.core.steps import Post
from tests.fakes.library import CAST


@dataclass(frozen=True, slots=True)
class Errand:
    """A work of links: each moves it on by one, and the last asks people."""

    mode: ClassVar[str] = "errand"
    id: str
    who: str = "pm"
    title: str = "The errand"
    moves: int = 0


@dataclass(frozen=True, slots=True)
class HomeGate:
    mode: ClassVar[str] = "errand"
    words: ClassVar[Words] = "label"
    tells: ClassVar[bool] = False
    who: str
    menu: str = ""


class Errands:
    name = "errand"
    state = Errand
    gates = (HomeGate,)
    commands = frozenset({"errand"})

    def start(self, step: StepBuilder, command: str, args: str, line: Utterance) -> None:
        work = Errand(works.work_id(step))
        if works.begin(step, work):
            step.say("I go.")
            step.chain(works.link(work, "go"))

    def chosen(self, step: StepBuilder, work: Errand, gate: WorkGate, option: Option, line: Utterance) -> None:
        works.end(step, "it was done")

    def said(self, step: StepBuilder, work: Errand, lines: tuple[Utterance, ...], event: Said) -> bool:
        return False

    def result(self, step: StepBuilder, work: Errand, result: Result | Returned, purpose: str) -> None:
        self.stands(step, work)

    def failed(self, step: StepBuilder, work: Errand, reason: str) -> None:
        self.stands(step, work)

    def resumed(self, step: StepBuilder, work: Errand, link: str) -> None:
        moved = replace(work, moves=work.moves + 1)
        works.change(step, moved)
        self.stands(step, moved)

    def stopped(self, step: StepBuilder, work: Errand, by: str) -> None:
        works.end(step, f"{by} stopped it")

    def left(self, step: StepBuilder, work: Errand, why: str) -> None:
        step.tell(f"Over: {why}.")

    def stands(self, step: StepBuilder, work: Errand) -> None:
        step.halt(HomeGate(work.who), (Option("Home", Choose("home")),), "And now?")

    def taken_up(self, step: StepBuilder, work: Errand) -> None:
        self.stands(step, work)

    def command(self, step: StepBuilder, work: Errand, word: str, args: str, line: Utterance) -> bool:
        return False

    def status(self, work: Errand) -> str:
        return f"{work.title}: {work.moves} moves."

    def floor_is_open(self, work: Errand) -> bool:
        return False


MODES = Registry((Errands(),))
HANDED = Handed("h1", "key-1", "pm", "errand", "", "U1", "alice")


def go(session: Session, event: Said | Resumed | Handed | GaveUp) -> Step:
    made = step(session, event, CAST, modes=MODES)
    assert works.is_at_rest(made.session, MODES)
    return made


def say(session: Session, text: str) -> Step:
    return go(session, Said(text, (Utterance("U1", "alice", text, f"m-{text}", 1.0),)))


def begun() -> Step:
    """An errand that was handed over, before its first link."""
    return go(Session(), HANDED)


def moves(session: Session) -> int:
    work = works.top(session)
    assert isinstance(work, Errand)
    return work.moves


def halted() -> Session:
    """An errand at its gate."""
    first = begun()
    return go(first.session, Resumed("t", first.next)).session


def texts(made: Step) -> list[str]:
    return [post.markdown for post in made.posts if isinstance(post, Post)]


def test_a_link_that_is_due_goes_on_and_comes_to_rest_at_a_gate() -> None:
    session = halted()
    assert moves(session) == 1
    assert isinstance(session.gate, HomeGate)
    assert session.due == ""


@pytest.mark.parametrize("tag", ["", "else", "t.w1:go"])
def test_a_link_that_is_not_due_does_nothing(tag: str) -> None:
    before = begun().session
    after = go(before, Resumed("t2", tag))
    assert (after.posts, after.log, after.request, after.next) == ((), (), None, "")
    assert (moves(after.session), after.session.due) == (0, before.due)


def test_a_link_that_comes_twice_goes_on_once() -> None:
    first = begun()
    again = go(go(first.session, Resumed("t", first.next)).session, Resumed("t", first.next))
    assert again.posts == ()
    assert moves(again.session) == 1


def test_a_work_that_is_handed_over_twice_begins_once() -> None:
    once = begun()
    twice = go(once.session, replace(HANDED, turn="h2"))
    assert twice.posts == () and twice.session.work == once.session.work and twice.session.paused == ()
    other = go(once.session, replace(HANDED, turn="h2", key="key-2"))
    assert len(other.session.paused) == 1, "another hand-over is another work"


def test_a_pause_voids_the_link_that_was_due() -> None:
    first = begun()
    paused = say(first.session, "*architect").session
    assert paused.work == () and paused.due == "" and len(paused.paused) == 1
    late = go(paused, Resumed("t", first.next))
    assert late.posts == () and late.session.paused == paused.paused


def test_a_pause_answers_the_calls_that_are_open() -> None:
    session = replace(halted(), tools=Tools((Call("c1", "ask", "{}"),), 1, "errand", "pm"))
    paused = say(session, "*architect")
    assert [entry.call for entry in paused.log if entry.kind == "result"] == ["c1"]
    assert paused.session.tools is None


def test_what_was_paused_stands_again() -> None:
    paused = say(halted(), "*architect").session
    resumed = say(paused, "*resume")
    assert moves(resumed.session) == 1
    assert isinstance(resumed.session.gate, HomeGate)
    assert texts(resumed)[-1] == "And now?"


def test_a_sixth_work_is_not_paused() -> None:
    session = halted()
    for number in range(works.PAUSED):
        session = go(session, replace(HANDED, turn=f"h{number}", key=f"another-{number}")).session
    assert len(session.paused) == works.PAUSED
    refused = say(session, "*architect")
    assert refused.session.work == session.work and refused.session.paused == session.paused
    assert "paused already" in texts(refused)[0]


def test_a_link_that_is_given_up_rests_at_a_gate() -> None:
    first = begun()
    given_up = go(first.session, GaveUp("t", "it failed three times"))
    assert isinstance(given_up.session.gate, HomeGate)
    assert given_up.session.due == ""


def test_a_question_above_a_work_lets_it_stand_again() -> None:
    asked = say(halted(), "*exit").session
    assert not isinstance(asked.gate, HomeGate)
    stays = say(asked, "and what about the queue?")
    assert isinstance(stays.session.gate, HomeGate)


def test_words_at_the_gate_of_a_work_ask_nobody_and_the_question_stands_again() -> None:
    before = halted()
    after = say(before, "what about the queue?")
    assert after.request is None
    assert isinstance(after.session.gate, HomeGate) and before.gate is not None
    assert after.session.gate.menu != before.gate.menu
