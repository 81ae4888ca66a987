"""The document mode: it routes what comes to a document under way to the module that knows what to do."""

from __future__ import annotations

from bot.core import failures
from bot.core.events import (
    DocumentRead,
    DocumentRefused,
    DocumentStale,
    DocumentWritten,
    ModelFailed,
    ModelReplied,
    Recalled,
    ResourceLoaded,
    Result,
    Said,
    ThreadOpened,
    Utterance,
)
from bot.core.gates import WorkGate
from bot.core.model import Option
from bot.core.modes.documents import (
    conditions,
    cursor,
    drafting,
    findings,
    moves,
    opening,
    saving,
    standing,
    stops,
    telling,
)
from bot.core.modes.documents.state import GATES, NAME, DocumentWork
from bot.core.modes.mode import Returned
from bot.core.session import Waiting
from bot.core.step_builder import StepBuilder
from bot.core.works import end


class DocumentMode:
    """Documents from templates, section by section: see the modules beside this one."""

    name = NAME
    state = DocumentWork
    gates = GATES
    commands = frozenset({"create-doc"})

    def start(self, step: StepBuilder, command: str, args: str, line: Utterance) -> None:
        """Begin one."""
        opening.start(step, command, args, line)

    def chosen(self, step: StepBuilder, work: DocumentWork, gate: WorkGate, option: Option, line: Utterance) -> None:
        """A human chose."""
        stops.chosen(step, work, gate, option, line)

    def said(self, step: StepBuilder, work: DocumentWork, lines: tuple[Utterance, ...], event: Said) -> bool:
        """People wrote words."""
        return stops.said(step, work, lines, event)

    def result(self, step: StepBuilder, work: DocumentWork, result: Result | Returned, purpose: str) -> None:
        """What was asked for has come."""
        waiting = step.answers or Waiting(work.who, purpose, NAME)
        match result:
            case Recalled():
                self._recalled(step, work, result, purpose)
            case ModelReplied() | ModelFailed() if purpose == "evidence":
                conditions.evidence(step, work, waiting, result)
            case ModelReplied() if purpose == "finding":
                findings.replied(step, work, waiting, result)
            case ModelReplied():
                drafting.replied(step, work, waiting, result)
            case ModelFailed():
                drafting.failed(step, work, result)
            case ResourceLoaded():
                opening.loaded(step, work, purpose, result)
            case DocumentRead() if purpose == "configuration":
                opening.configured(step, work, result)
            case DocumentRead() if purpose == "take up":
                opening.taken_up(step, work, result)
            case DocumentRead():
                opening.found(step, work, result)
            case DocumentWritten() | DocumentStale():
                saving.written(step, work, result)
            case DocumentRefused() if purpose == "write":
                saving.written(step, work, result)
            case DocumentRefused(problem=problem):
                telling.rest(step, work, "open", f"**{work.name}** cannot begin: {problem}")
            case ThreadOpened(where=None):
                opening.load(step, work)
            case ThreadOpened():
                end(step, "it goes on in its thread")
            case Returned(why=why):
                self.failed(step, work, why)
            case _:
                stops.stands(step, work)

    def _recalled(self, step: StepBuilder, work: DocumentWork, result: Recalled, purpose: str) -> None:
        texts = result.texts
        match purpose:
            case "section":
                drafting.begin_section(step, work, texts)
            case "redraft":
                drafting.again(step, work, texts)
            case "method":
                findings.carry_out(step, work, texts)
            case "discuss":
                findings.discuss(step, work, texts)
            case "finding":
                findings.show(step, work, texts)
            case "save":
                saving.write(step, work, texts)
            case "show":
                moves.shown_again(step, work, texts)
            case "reopen":
                moves.reopened(step, work, texts)
            case "define":
                conditions.defined(step, work, texts)
            case "ask people":
                conditions.ask_people(step, work, texts)
            case "opening":
                conditions.asked_again(step, work, texts)
            case "begin":
                conditions.begin(step, work, texts)
            case "go on":
                opening.gone_on(step, work, texts)
            case _:
                stops.stands(step, work)

    def failed(self, step: StepBuilder, work: DocumentWork, reason: str) -> None:
        """It did not come, or a link was given up."""
        line = failures.line(reason) if reason in failures.REASONS else f"That did not work: {reason}."
        if work.phase == "drafting" and work.draft:
            standing.stand(step, work, f"{line} The section stands as it was.")
            return
        redo = {"saving": "save", "opening": "open"}.get(work.phase, work.redo or "section")
        telling.rest(step, work, redo, line)

    def resumed(self, step: StepBuilder, work: DocumentWork, link: str) -> None:
        """The next section."""
        drafting.next_section(step, work)

    def stopped(self, step: StepBuilder, work: DocumentWork, by: str) -> None:
        """Somebody said stop between two sections."""
        step.change(due="")
        stops.stopped(step, work, by)

    def left(self, step: StepBuilder, work: DocumentWork, why: str) -> None:
        """It is over: yolo goes with it."""
        if step.session.yolo:
            step.change(yolo=False, yolo_by="", yolo_user="")
            step.tell("Yolo is **off** again.")

    def stands(self, step: StepBuilder, work: DocumentWork) -> None:
        """Put the question again."""
        stops.stands(step, work)

    def taken_up(self, step: StepBuilder, work: DocumentWork) -> None:
        """It was paused: whoever drafts has come on anew, and people see the text and its choices again."""
        work = telling.put(step, work, fresh=True)
        rests = work.phase == "resting" and work.redo == "stand"
        if work.draft and (rests or work.phase in ("standing", "drafting", "editing")):
            cursor.show_again(step, telling.put(step, work, redo=""))
        elif work.phase == "finding":
            telling.recall(step, work, "finding", (work.text(work.draft), work.text(work.proposal)))
        else:
            stops.stands(step, work)

    def command(self, step: StepBuilder, work: DocumentWork, word: str, args: str, line: Utterance) -> bool:
        """A command for the section on screen."""
        return stops.command(step, work, word, args, line)

    def status(self, work: DocumentWork) -> str:
        """How far it is, and what it waits for."""
        awaits = {
            "existing": "what shall become of the document that stands there",
            "asking": "which sections are to be written",
            "counting": "how often a section is to be written",
            "another": "whether there is another one",
            "standing": "a choice: 1 accepts it",
            "finding": "whether to apply what was found",
            "editing": "somebody's own words",
            "closing": "whether to save what was shown last",
            "conflict": "what to do with a document that somebody else has changed",
            "resting": "somebody to let it go on",
        }.get(work.phase, "nobody: the next section is on its way")
        where = f", {work.where}" if work.section and work.at < work.of else ""
        return f"{work.title}{where}; it waits for {awaits}."

    def floor_is_open(self, work: DocumentWork) -> bool:
        """Never: it has a question, or the next section is due."""
        return False


DOCUMENT = DocumentMode()
