"""A mode that is nothing but the shape of a mode: two gates, a draft, a document, a tool loop, a chain, a hand-over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, assert_never

from bot.core import asks, replies, works
from bot.core.events import (
    BudgetTold,
    DocumentDeleted,
    DocumentHistoryTold,
    DocumentRead,
    DocumentRefused,
    DocumentRenamed,
    DocumentsListed,
    DocumentStale,
    DocumentWritten,
    LibraryRead,
    ModelFailed,
    ModelReplied,
    Recalled,
    ResourceLoaded,
    Result,
    Said,
    ThreadOpened,
    Utterance,
)
from bot.core.gates import Words, WorkGate
from bot.core.model import Choose, Option
from bot.core.modes import tooluse
from bot.core.modes.mode import Registry, Returned
from bot.core.session import Waiting
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry, OpenThread, Recall, WriteDocument
from bot.personas.model import Command
from tests.fakes.library import ARCHITECT, CAST, PM

PATH = "docs/toy.md"


@dataclass(frozen=True, slots=True)
class ToyWork:
    """Two parts, each drafted, shown and accepted; `drafts` are the ids of what was kept, `version` what stands."""

    mode: ClassVar[str] = "toy"
    id: str
    who: str
    part: int = 1
    phase: str = "drafting"
    drafts: tuple[str, ...] = ()
    version: int = 0
    count: int = 0

    @property
    def title(self) -> str:
        return "The toy"


@dataclass(frozen=True, slots=True)
class DraftGate:
    """A draft stands: accept it, have it drafted again, or have something small done first."""

    mode: ClassVar[str] = "toy"
    words: ClassVar[Words] = "label"
    tells: ClassVar[bool] = False
    who: str
    draft: str
    menu: str = ""


@dataclass(frozen=True, slots=True)
class StoppedGate:
    """Something went wrong or was stopped: go on, or leave."""

    mode: ClassVar[str] = "toy"
    words: ClassVar[Words] = "meaning"
    tells: ClassVar[bool] = False
    who: str
    menu: str = ""


class ToyMode:
    name = "toy"
    state = ToyWork
    gates: tuple[type, ...] = (DraftGate, StoppedGate)
    commands = frozenset({"toy"})

    def start(self, step: StepBuilder, command: str, args: str, line: Utterance) -> None:
        if args == "thread":
            step.tell("The toy goes on in a thread.")
            persona = step.session.active
            step.wait(OpenThread("The toy", persona, "toy"), Waiting(persona, "thread", self.name))
            work = ToyWork(works.work_id(step), persona, phase="opening")
            works.begin(step, work)
            return
        work = ToyWork(works.work_id(step), step.session.active)
        if works.begin(step, work):
            step.record("began the toy", line.user)
            self._draft(step, work)

    def _draft(self, step: StepBuilder, work: ToyWork) -> None:
        work = replace(work, phase="drafting")
        works.change(step, work)
        step.note(Entry("note", work.who, f"Draft part {work.part}."))
        asks.ask(step, self.name, who=work.who, purpose="draft", shape="draft")

    def chosen(self, step: StepBuilder, work: ToyWork, gate: WorkGate, option: Option, line: Utterance) -> None:
        choice = option.action.choice if isinstance(option.action, Choose) else ""
        match gate, choice:
            case DraftGate(draft=draft), "accept":
                step.record(f"accepted part {work.part}", line.user, draft)
                works.change(step, replace(work, phase="saving"))
                step.wait(WriteDocument(PATH, work.version, work.drafts), Waiting(work.who, "save", self.name))
            case DraftGate(), "again":
                works.change(step, replace(work, drafts=work.drafts[:-1]))
                self._draft(step, replace(work, drafts=work.drafts[:-1]))
            case DraftGate(), "inner":
                inner = ToyWork(works.work_id(step), work.who, part=2)
                if works.begin(step, inner):
                    self._draft(step, inner)
                else:
                    self.stands(step, work)
            case DraftGate(), "next":
                works.change(step, replace(work, phase="passed over"))
                step.chain(works.link(work, "next"))
            case StoppedGate(), "on":
                self._draft(step, work)
            case StoppedGate(), "leave":
                works.end(step, "left")
            case _:
                self.stands(step, work)

    def said(self, step: StepBuilder, work: ToyWork, lines: tuple[Utterance, ...], event: Said) -> bool:
        if work.phase != "standing":
            self.stands(step, work)
            return True
        for line in lines:
            step.note(Entry("said", line.user, line.text, name=line.name, id=line.id))
        step.open_gate()
        self._draft(step, replace(work, drafts=work.drafts[:-1]))
        return True

    def result(self, step: StepBuilder, work: ToyWork, result: Result | Returned, purpose: str) -> None:
        match result:
            case ModelReplied():
                waiting = Waiting(work.who, purpose, self.name, "draft")
                heard = replies.take(step, waiting, result)
                if heard.calls:
                    tooluse.begin(step, waiting, heard.calls)
                elif heard.words and heard.whole:
                    ident = f"{work.id}.{work.count + 1}"
                    step.change(tools=None)
                    step.note(Entry("kept", work.who, heard.words, id=ident))
                    work = replace(work, drafts=(*work.drafts, ident), count=work.count + 1, phase="standing")
                    works.change(step, work)
                    self.stands(step, work)
                else:
                    step.change(tools=None)
                    self._stopped(step, work)
            case ModelFailed(reason=reason):
                step.change(tools=None)
                self.failed(step, work, reason)
            case DocumentWritten(version=version):
                works.change(step, replace(work, version=version, phase="saved"))
                step.tell(f"Part {work.part} is saved as version {version}.")
                step.chain(works.link(work, "next"))
            case DocumentStale(version=version):
                works.change(step, replace(work, version=version))
                self._stopped(step, replace(work, version=version))
            case DocumentRefused(problem=problem):
                self.failed(step, work, problem)
            case Recalled(texts=texts):
                step.tell("\n".join(texts.values()) or "Nothing of it is left.")
                works.end(step, "done")
            case ThreadOpened(where=where):
                if where is None:
                    step.tell("There is no thread, so the toy is played here.")
                    self._draft(step, work)
                else:
                    works.end(step, "it goes on in its thread")
            case Returned(why=why):
                step.tell(f"Back: {why}.")
                if work.phase == "standing":
                    self.stands(step, work)
                else:
                    self._stopped(step, work)
            case DocumentRead() | ResourceLoaded() | LibraryRead() | BudgetTold():
                self._stopped(step, work)
            case DocumentsListed() | DocumentHistoryTold() | DocumentRenamed() | DocumentDeleted():
                self._stopped(step, work)
            case _:
                assert_never(result)

    def failed(self, step: StepBuilder, work: ToyWork, reason: str) -> None:
        step.tell(f"That did not work: {reason}.")
        self._stopped(step, work)

    def resumed(self, step: StepBuilder, work: ToyWork, link: str) -> None:
        if work.part >= 2:
            works.change(step, replace(work, phase="telling"))
            step.wait(Recall(work.drafts), Waiting(work.who, "tell", self.name))
        else:
            work = replace(work, part=2)
            works.change(step, work)
            self._draft(step, work)

    def stopped(self, step: StepBuilder, work: ToyWork, by: str) -> None:
        step.change(due="")
        self._stopped(step, work)

    def left(self, step: StepBuilder, work: ToyWork, why: str) -> None:
        step.record(f"the toy ended: {why}", "")

    def stands(self, step: StepBuilder, work: ToyWork) -> None:
        step.open_gate()
        if work.phase != "standing":
            self._stopped(step, work)
            return
        options = (
            Option("Accept", Choose("accept")),
            Option("Again", Choose("again")),
            Option("Something inside", Choose("inner")),
            Option("Go on without saving", Choose("next")),
        )
        step.halt(DraftGate(work.who, work.drafts[-1]), options, f"Part {work.part} stands.", by_host=True)

    def _stopped(self, step: StepBuilder, work: ToyWork) -> None:
        works.change(step, replace(work, phase="stopped"))
        step.open_gate()
        options = (Option("Go on", Choose("on")), Option("Leave it", Choose("leave")))
        step.halt(StoppedGate(work.who), options, f"Part {work.part} rests.", by_host=True)

    def taken_up(self, step: StepBuilder, work: ToyWork) -> None:
        self.stands(step, work)

    def command(self, step: StepBuilder, work: ToyWork, word: str, args: str, line: Utterance) -> bool:
        return False

    def status(self, work: ToyWork) -> str:
        return f"The toy: part {work.part} of 2, {work.phase}"

    def floor_is_open(self, work: ToyWork) -> bool:
        return False


TOY = ToyMode()
MODES = Registry((TOY,))
TOYS = replace(
    CAST,
    personas=tuple(
        replace(p, commands=(*p.commands, Command("toy", "Play"))) if p.id in (PM.id, ARCHITECT.id) else p
        for p in CAST.personas
    ),
)
"""Everybody, two of whom know the toy."""
