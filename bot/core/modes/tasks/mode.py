"""The mode `task`: the host gives the model one step at a time, and does itself what lies between two of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast, get_args

from bot.core import failures, replies, tools, works
from bot.core.documents import core_config
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
    Utterance,
)
from bot.core.gates import WorkGate
from bot.core.model import Choose, Option
from bot.core.modes import chat, tooluse
from bot.core.modes.mode import Returned
from bot.core.modes.tasks import flow
from bot.core.modes.tasks.flow import Move
from bot.core.modes.tasks.state import (
    GATES,
    MODE,
    AgainGate,
    AnswerGate,
    ApprovalGate,
    InputGate,
    OptionGate,
    Outcome,
    ReplaceGate,
    TaskWork,
    UnendedGate,
)
from bot.core.session import Waiting
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry, LoadResource, ReadDocument
from bot.core.tasks.reading import TaskError, read_task
from bot.core.tools import Completed
from bot.core.voices import quoted
from bot.personas.model import Command, Resource, fold

MOST_VALUE = 120
"""Characters of a value that the model names for a path, and of a name for one."""

MOST_WHY = 300

NUDGE = (
    "(From the host.) A step ends when you call complete_step. If you have done it, call it now and write nothing "
    "else; if people have to say something first, use `ask`."
)


def task_behind(step: StepBuilder, command: Command) -> Resource | None:
    """The task that a command of the active persona runs; None where there is none, or the host does it otherwise."""
    found = (step.cast.resource(step.persona, use, "tasks") for use in command.uses)
    return next((task for task in found if task and step.modes.runs_as_task(task.stem)), None)


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _date(day: str) -> str:
    """A day in words (`Tuesday, 14 November 2023 (UTC)`) as YYYYMMDD; `undated` where nobody knows it."""
    found = re.search(r"(\d{1,2}) ([A-Z][a-z]{2})[a-z]* (\d{4})", day)
    if found is None or found[2].lower() not in MONTHS:
        return "undated"
    return f"{found[3]}{MONTHS.index(found[2].lower()) + 1:02}{int(found[1]):02}"


class TaskMode:
    """`bot.core.modes.mode.Mode` for tasks."""

    name = MODE
    state = TaskWork
    gates = GATES
    commands = frozenset({"task"})

    # ------------------------------------------------------------ beginning

    def start(self, step: StepBuilder, command: str, args: str, line: Utterance) -> None:
        """`*task NAME [what for]`, or a command with a task behind it."""
        persona = step.persona
        own = persona.command(command) if persona else None
        if fold(command) == "task":
            name, _, args = args.strip().partition(" ")
            found = step.cast.resource(persona, name, "tasks")
        else:
            found = task_behind(step, own) if own else None
        if found is None:
            step.tell(f"The library has no such task for `*{command}`. `*task` lists those that there are.")
            return
        if not step.modes.runs_as_task(found.stem):
            what = step.modes.later(found.stem)
            why = f"this build does not run {what} yet" if what else f"`*{found.stem}` runs it, with whoever has that"
            step.tell(f"`*task {found.stem}` was not begun: {why}.")
            return
        if not step.context.has_model:
            step.tell(f"`*{command}` was not begun. {failures.line('no-key')}")
            return
        day = _date(step.context.day)
        given = bool(args.strip() or line.files)
        work = TaskWork(
            works.work_id(step), step.session.active, found.stem, found.title, given=given, asker=line.user, day=day
        )
        if not works.begin(step, work):
            return
        step.record(f"began the task {found.stem}", line.user)
        if given:
            wish = f"{line.name} asks for *{command}: {args.strip()}"
            step.note(Entry("note", work.who, wish, line.name, id=line.id, user=line.user))
        self._load(step)

    def _load(self, step: StepBuilder) -> None:
        """Read the configuration first, the channel's own or else the pack's, and then the task."""
        step.wait(ReadDocument(core_config.NAME), Waiting(step.session.active, "configuration", MODE))

    def _configured(self, step: StepBuilder, work: TaskWork, text: str) -> None:
        if text:
            ident = f"{work.id}.configuration"
            step.note(Entry("kept", work.who, text, id=ident))
            works.change(step, replace(work, configuration=ident))
        found = step.cast.resource(step.cast.persona(work.who), work.task, "tasks")
        step.wait(LoadResource(work.who, "tasks", found.name if found else work.task), Waiting(work.who, "load", MODE))

    def _no_configuration(self, step: StepBuilder, work: TaskWork) -> None:
        pack = step.cast.resource(step.cast.persona(work.who), core_config.NAME, "config")
        if pack is None:
            self._configured(step, work, "")
        else:
            step.wait(LoadResource(work.who, "config", pack.name), Waiting(work.who, "configuration", MODE))

    # ------------------------------------------------------------ what comes back

    def result(self, step: StepBuilder, work: TaskWork, result: Result | Returned, purpose: str) -> None:
        """See `Mode.result`."""
        match result:
            case DocumentRead(text=text) if purpose == "configuration":
                self._configured(step, work, text) if text.strip() else self._no_configuration(step, work)
            case ResourceLoaded(text=text) if purpose == "configuration":
                self._configured(step, work, text or "")
            case ResourceLoaded(text=None, problem=problem):
                step.tell(f"The task `{work.task}` could not be read: {problem}")
                works.end(step, "it could not be read")
            case ResourceLoaded(text=str(text)):
                flow.begun(step, work, text)
            case Recalled(texts=texts) if purpose in get_args(Move):
                self._recalled(step, work, cast(Move, purpose), dict(texts))
            case ModelReplied():
                self._replied(step, work, result)
            case ModelFailed():
                step.change(tools=None)
                chat.tell_failure(step, result)
                flow.rest(step, work, "no reply came")
            case Returned(completed=Completed() as completed):
                self._completed(step, work, completed)
            case Returned(why=why):
                flow.rest(step, work, why)
            case DocumentRead(version=version):
                flow.found(step, work, version)
            case DocumentWritten(version=version):
                flow.saved(step, work, version)
            case DocumentStale(version=version):
                how = f"was changed meanwhile; it is version {version} now" if version else "was deleted meanwhile"
                step.tell(f"`{work.path}` {how}. Nothing was saved.")
                works.change(step, replace(work, base=version))
                flow.ask_to_replace(step, replace(work, base=version))
            case DocumentRefused(problem=problem):
                flow.rest(step, work, problem.rstrip("."))
            case _:
                flow.rest(step, work, "")

    def _recalled(self, step: StepBuilder, work: TaskWork, move: Move, texts: dict[str, str]) -> None:
        try:
            task = read_task(texts.get(work.definition, ""), work.task)
        except TaskError:
            step.tell(f"What {work.title} says is no longer kept, so it cannot go on.")
            works.end(step, "what it says is no longer kept")
            return
        config = flow.configured(step, work, texts.get(work.configuration, "") if work.configuration else "")
        flow.moved(step, work, move, task, texts.get(work.text, "") if work.text else "", config)

    def _replied(self, step: StepBuilder, work: TaskWork, event: ModelReplied) -> None:
        waiting = flow.waiting_for(work)
        if work.saves:
            # What it says before it looks something up, or asks, is no text to be saved.
            calls = replies.calls_of(event)
            looks = bool(calls) and not any(isinstance(tools.read(call), Completed) for call in calls)
            heard = replies.keep(step, waiting, event, unsaid=looks)
            replies.warn(step, event.notice)
        else:
            heard = replies.take(step, waiting, event)
        if work.saves and heard.words:
            shown = f"{waiting.head}{heard.words}"
            step.say(f"{shown}\n\n{heard.mark}" if heard.mark else shown, completes=event.ask, who=work.who)
        elif work.saves and heard.mark:
            step.tell(heard.mark)
        if heard.words:
            work = replace(work, spoke=True)
            if work.saves and heard.whole:
                work = flow.kept(step, work, heard.words)
            works.change(step, work)
        if heard.calls:
            tooluse.begin(step, waiting, heard.calls)
            return
        step.change(tools=None)
        if not heard.whole:
            flow.rest(step, work, "")
        elif work.stops and heard.words:
            # Where people decide behind it anyway, its words are the end of the step.
            flow.recall(step, replace(work, outcome=Outcome()), "decide")
        elif not work.nudged:
            step.note(Entry("note", work.who, NUDGE))
            flow.ask(step, replace(work, nudged=True))
        else:
            flow.rest(step, work, f"{step.voice(work.who).name} did not say that it is done")

    def _completed(self, step: StepBuilder, work: TaskWork, completed: Completed) -> None:
        values = tuple((name[:MOST_VALUE], value[:MOST_VALUE]) for name, value in completed.values)
        outcome = Outcome(completed.holds, completed.why[:MOST_WHY], values)
        if not work.spoke:
            step.say(quoted(completed.result, step.names(work.who)).markdown, who=work.who)
        flow.recall(step, replace(work, outcome=outcome, phase="deciding"), "decide")

    # ------------------------------------------------------------ people

    def chosen(self, step: StepBuilder, work: TaskWork, gate: WorkGate, option: Option, line: Utterance) -> None:
        """See `Mode.chosen`."""
        choice = option.action.choice if isinstance(option.action, Choose) else ""
        where = f"{work.task}, step {work.at + 1}"
        if choice in ("leave", "end"):
            step.record(f"{where}: chose \u201c{option.label}\u201d", line.user)
            works.end(step, f"{line.name} chose \u201c{option.label}\u201d")
            step.tell(f"{work.title} ends here.")
            return
        match gate:
            case UnendedGate():
                if choice == "again":
                    self._told(step, work, "The step is to be done again, from its beginning.", line)
                flow.recall(step, work, "do")
            case InputGate() | AnswerGate() if choice == "on" and not work.remarks:
                self._told(step, work, f"{line.name} has nothing to add.", line)
                flow.recall(step, work, "after")
            case OptionGate():
                step.record(f"{where}: chose \u201c{option.label}\u201d", line.user)
                self._told(step, work, f"{line.name} chose: {option.label}", line)
                flow.recall(step, work, "after")
            case ApprovalGate() if choice == "approve" and not step.context.approver:
                step.record(f"{where}: was refused to approve: not an approver", line.user)
                step.tell(f"{line.name} may not approve here (`documents.approvers` in the settings).")
                self.stands(step, work)
            case ApprovalGate() if choice == "approve":
                step.record(f"{where}: approved", line.user, work.sha)
                self._told(step, work, f"{line.name} approved what was shown.", line)
                flow.recall(step, replace(work, by=line.name, by_user=line.user), "after")
            case ApprovalGate() if choice == "back":
                works.change(step, replace(work, remarks=True))
                step.halt(AnswerGate(work.who), (flow.LEAVE,), "What should change? Write it here.", by_host=True)
            case ApprovalGate():
                step.record(f"{where}: not approved", line.user, work.sha)
                self._told(step, work, f"{line.name} did not approve it. Nothing of it is saved.", line)
                step.tell("Not approved, so nothing is saved.")
                flow.on(step, work)
            case ReplaceGate() if choice == "replace":
                step.record(f"{where}: a new version of {work.path}", line.user, work.sha)
                flow.write(step, work)
            case ReplaceGate():
                step.record(f"{where}: {work.path} stays as it is", line.user)
                step.tell(f"`{work.path}` stays as it is; nothing was saved.")
                flow.recall(step, work, "next")
            case AgainGate() if choice == "again":
                flow.recall(step, work, "once more")
            case AgainGate():
                flow.on(step, work)
            case _:
                self.stands(step, work)

    def said(self, step: StepBuilder, work: TaskWork, lines: tuple[Utterance, ...], event: Said) -> bool:
        """See `Mode.said`."""
        gate = step.session.gate
        match gate:
            case InputGate() | AnswerGate() if gate.menu not in event.seen:
                chat.hear(step, lines)
                step.repeat(gate.menu, "I had just asked something; please answer here:")
            case InputGate():
                self._heard(step, lines)
                flow.recall(step, replace(work, given=True), "do")
            case AnswerGate() if work.remarks:
                self._heard(step, lines)
                self._redo(step, work, lines)
            case AnswerGate() if work.text:
                # What is saved is what people saw: an answer goes into the text first, and they see that.
                self._heard(step, lines)
                told = "People answered above. Write the whole text again with what they said, and name them for it."
                self._again(step, work, told, lines[-1])
            case AnswerGate():
                self._heard(step, lines)
                self._told(step, work, "People answered the question of this step in their own words above.")
                flow.recall(step, work, "after")
            case ApprovalGate():
                chat.hear(step, lines)
                step.repeat(gate.menu, "Words approve nothing. Type 1 to approve, or 2 to send it back with a remark:")
            case OptionGate() | ReplaceGate():
                chat.hear(step, lines)
                step.repeat(gate.menu, "Please choose one of these:")
            case AgainGate() | UnendedGate():
                return False
            case _:
                chat.hear(step, lines)
        return True

    def _heard(self, step: StepBuilder, lines: tuple[Utterance, ...]) -> None:
        chat.hear(step, lines)
        step.decided(*lines)
        step.open_gate()

    def _redo(self, step: StepBuilder, work: TaskWork, lines: tuple[Utterance, ...]) -> None:
        step.record(f"{work.task}, step {work.at + 1}: sent back", lines[-1].user, work.sha)
        told = "What was shown is sent back, with the remark that stands last above. Do the step again with it."
        self._again(step, work, told, lines[-1])

    def _again(self, step: StepBuilder, work: TaskWork, told: str, line: Utterance) -> None:
        self._told(step, work, told, line)
        again = replace(work, remarks=False, outcome=None, text="", sha="", spoke=False, nudged=False)
        flow.recall(step, again, "do")

    def _told(self, step: StepBuilder, work: TaskWork, what: str, line: Utterance | None = None) -> None:
        """Tell the model what people did, in the words of the record."""
        user, name = (line.user, line.name) if line else ("", "")
        step.note(Entry("note", work.who, f"(From the host.) {what}", name, user=user))

    # ------------------------------------------------------------ the rest of the shape

    def failed(self, step: StepBuilder, work: TaskWork, reason: str) -> None:
        """See `Mode.failed`."""
        flow.rest(step, work, reason)

    def resumed(self, step: StepBuilder, work: TaskWork, link: str) -> None:
        """See `Mode.resumed`."""
        flow.recall(step, work, "enter")

    def stopped(self, step: StepBuilder, work: TaskWork, by: str) -> None:
        """See `Mode.stopped`."""
        step.change(due="")
        flow.rest(step, work, f"{by} stopped it")

    def left(self, step: StepBuilder, work: TaskWork, why: str) -> None:
        """See `Mode.left`."""
        step.record(f"the task {work.task} ended: {why}", "")

    def stands(self, step: StepBuilder, work: TaskWork) -> None:
        """See `Mode.stands`."""
        step.open_gate()
        if work.definition:
            flow.recall(step, work, "stand")
        else:
            self._load(step)

    def taken_up(self, step: StepBuilder, work: TaskWork) -> None:
        """See `Mode.taken_up`."""
        if work.definition:
            flow.recall(step, work, "take up")
        else:
            self._load(step)

    def command(self, step: StepBuilder, work: TaskWork, word: str, args: str, line: Utterance) -> bool:
        """See `Mode.command`."""
        return False

    def status(self, work: TaskWork) -> str:
        """See `Mode.status`."""
        waits = {
            "loading": "it is read",
            "input": "it waits for what it needs",
            "doing": "the model is at it",
            "deciding": "it waits for a choice",
            "saving": "it is to be saved",
            "between": "the next step is due",
            "resting": "it rests; choose how it goes on",
        }[work.phase]
        where = f"step {work.at + 1} of {work.steps}, {waits}" if work.steps else waits
        return f"{work.title}: {where}"

    def floor_is_open(self, work: TaskWork) -> bool:
        """See `Mode.floor_is_open`."""
        return False


TASK = TaskMode()
