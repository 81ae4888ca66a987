"""How a task goes on: from a step to its gate, what it saves, and the next step.

Every move needs what the task says, which is kept in the log; so a move asks for that (`recall`), and goes on in
`moved` when it is there.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Literal, assert_never

from bot.core import asks, works
from bot.core.documents.core_config import CoreConfig, core_config
from bot.core.documents.filenames import flaw_of_path
from bot.core.documents.values import TemplateError
from bot.core.model import Choose, Option
from bot.core.modes.tasks import words
from bot.core.modes.tasks.state import (
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
    Written,
)
from bot.core.permissions import may_save
from bot.core.session import Waiting
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry, ReadDocument, Recall, WriteDocument
from bot.core.tasks.definition import Task, TaskStep
from bot.core.tasks.reading import TaskError, read_task
from bot.core.voices import one_line

ROUNDS = 50
"""So often a step that repeats may be done."""

Move = Literal["enter", "do", "once more", "decide", "after", "save", "next", "stand", "take up"]
"""What is to be done once it is known what the task says.

enter: begin the step. do: let the model do it. once more: let it do the step again, for the next of what it repeats
over. decide: it has, so ask people. after: they have. save: write what the step gives. next: what is written is
written. stand: show the question again. take up: show the text too.
"""

LEAVE = Option("Leave the task", Choose("leave"))


def recall(step: StepBuilder, work: TaskWork, move: Move) -> None:
    """Have the task read again, and then make that move."""
    works.change(step, work)
    ids = [work.definition]
    if work.configuration and move in ("enter", "do", "once more", "after", "save", "take up", "stand"):
        ids.append(work.configuration)
    if work.text and move in ("take up", "stand"):
        ids.append(work.text)
    step.wait(Recall(tuple(ids)), Waiting(work.who, move, MODE))


def configured(step: StepBuilder, work: TaskWork, text: str) -> CoreConfig:
    """What a configuration says; the usual places where there is none, or none that can be read, which is told."""
    if not text:
        return CoreConfig()
    try:
        return core_config(text)[0]
    except TemplateError as error:
        if work.at == 0 and work.round == 1:
            step.tell(f"The core configuration cannot be read ({error}), so documents go to the usual places.")
        return CoreConfig()


def moved(step: StepBuilder, work: TaskWork, move: Move, task: Task, shown: str, config: CoreConfig) -> None:
    """Make a move. `shown` is the text of the step that waits to be decided on, "" where there is none."""
    now = task.steps[work.at]
    match move:
        case "enter":
            _enter(step, work, task, now, config)
        case "do":
            _do(step, work, task, now, config)
        case "once more":
            _enter(step, replace(work, round=work.round + 1), task, now, config)
        case "decide":
            _decide(step, work, now)
        case "after":
            _after(step, work, task, now, config)
        case "save":
            _save(step, work, task, now, config)
        case "next":
            _next(step, work, now)
        case "take up" | "stand":
            _stand(step, work, task, now, shown if move == "take up" else "", config)
        case _:
            assert_never(move)


def begun(step: StepBuilder, work: TaskWork, text: str) -> None:
    """The task was read for the first time: keep what it says, tell people, and begin."""
    try:
        task = read_task(text, work.task)
    except TaskError as error:
        step.tell(f"The task `{work.task}` cannot be run: {error}.")
        works.end(step, "it cannot be run")
        return
    ident = f"{work.id}.task"
    step.note(Entry("kept", work.who, text, id=ident))
    work = replace(work, title=task.title, steps=len(task.steps), definition=ident)
    step.tell(words.opening(task))
    recall(step, work, "enter")


# ---------------------------------------------------------------- a step


def _enter(step: StepBuilder, work: TaskWork, task: Task, now: TaskStep, config: CoreConfig) -> None:
    work = replace(
        work,
        step=now.id,
        step_title=now.title,
        saves=bool((output := task.output(now.writes)) and output.path),
        stops=now.gate not in (None, "input"),
        outcome=None,
        text="",
        sha="",
        path="",
        base=0,
        by="",
        by_user="",
        failed="",
        spoke=False,
        nudged=False,
        remarks=False,
    )
    if now.gate != "input" or work.round > 1:
        _do(step, work, task, now, config)
    elif work.given and work.at == 0 and len(words.missing(task)) <= 1:
        step.tell(f"{words.head(work)}. What it needs was given with the command, so I do not ask for it.")
        _do(step, work, task, now, config)
    else:
        works.change(step, replace(work, phase="input"))
        question = f"**{words.head(work)}.** {words.question_for_inputs(task, now)}"
        step.halt(InputGate(work.who), (LEAVE,), question, by_host=True)


def _do(step: StepBuilder, work: TaskWork, task: Task, now: TaskStep, config: CoreConfig) -> None:
    step.note(Entry("note", work.who, words.brief(task, work, now, config)))
    ask(step, replace(work, phase="doing"))


def ask(step: StepBuilder, work: TaskWork) -> None:
    """Let the persona go on with the step."""
    works.change(step, work)
    shape, head = waiting_for(work).shape, waiting_for(work).head
    asks.ask(step, MODE, who=work.who, purpose=work.step, shape=shape, head=head)


def waiting_for(work: TaskWork) -> Waiting:
    """How the step's reply is asked for: what it saves is a draft, byte for byte."""
    if work.saves:
        return Waiting(work.who, work.step, MODE, "draft", head=f"_{words.head(work)}. What it writes:_\n\n")
    return Waiting(work.who, work.step, MODE)


def kept(step: StepBuilder, work: TaskWork, text: str) -> TaskWork:
    """Keep the text that the step would save."""
    ident = f"{work.id}.text{work.texts + 1}"
    step.note(Entry("kept", work.who, text, id=ident))
    sha = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
    return replace(work, text=ident, texts=work.texts + 1, sha=sha)


# ---------------------------------------------------------------- its gate


def _decide(step: StepBuilder, work: TaskWork, now: TaskStep) -> None:
    """The model has done the step: stop where the task says so."""
    outcome = work.outcome or Outcome()
    work = replace(work, phase="deciding")
    works.change(step, work)
    if now.when and not outcome.holds and now.gate != "approve":
        why = one_line(outcome.why, step.names(work.who)) or "its condition does not hold"
        left = "no stop here" if now.gate else "left out"
        name = step.voice(work.who).name
        step.tell(f"{words.head(work)}: {left}. The condition is \u201c{now.when}\u201d, and {name} says: {why}")
        work = replace(work, left_out=(*work.left_out, now.id))
        recall(step, work, "after" if now.gate else "next")
        return
    question = f"**{words.head(work)}.** {now.question}"
    match now.gate:
        case None | "input":
            recall(step, work, "after")
        case "ask":
            _ask_people(step, work, question)
        case "elicit" if step.session.yolo:
            step.tell(f"{words.head(work)}: the methods were skipped, since yolo is on.")
            recall(step, work, "after")
        case "elicit":
            _ask_people(step, work, question)
        case "choose":
            options = _options(now)
            if options:
                step.halt(OptionGate(work.who), options, question, by_host=True)
            else:
                _ask_people(step, work, question)
        case "approve":
            options = (
                Option("Approve", Choose("approve")),
                Option("Send it back with a remark", Choose("back")),
                Option("Go on without approving", Choose("leave it")),
            )
            step.halt(ApprovalGate(work.who, work.text), options, question, by_host=True)
        case _:
            assert_never(now.gate)


def _ask_people(step: StepBuilder, work: TaskWork, question: str) -> None:
    on = "Nothing to add; save it" if work.text else "Nothing to add; go on"
    step.halt(AnswerGate(work.who), (Option(on, Choose("on")), LEAVE), question, by_host=True)


def _options(now: TaskStep) -> tuple[Option, ...]:
    """The step's options; one that ends the task says so in its choice. Sets that a file names are for words."""
    numbered = [(n, text) for n, text in enumerate(now.options, 1) if not text.startswith("{")]
    return tuple(Option(text, Choose("end" if n in now.ends else str(n))) for n, text in numbered[:24])


def _after(step: StepBuilder, work: TaskWork, task: Task, now: TaskStep, config: CoreConfig) -> None:
    """People have decided, or nothing was to be decided."""
    if now.writes and task.output(now.writes) and now.id not in work.left_out:
        _save(step, work, task, now, config)
    else:
        _next(step, work, now)


def _next(step: StepBuilder, work: TaskWork, now: TaskStep) -> None:
    """The step is over: once more where it repeats, else the next one, in a turn of its own."""
    if now.repeat and work.round < ROUNDS and now.id not in work.left_out:
        works.change(step, replace(work, phase="deciding"))
        question = f"**{words.head(work)}** is done once. It is for: {now.repeat}. Is there another?"
        options = (Option("Once more, for the next", Choose("again")), Option("That was the last", Choose("on")))
        step.halt(AgainGate(work.who), options, question, by_host=True)
    else:
        on(step, work)


def on(step: StepBuilder, work: TaskWork) -> None:
    """To the next step, so that people get a word in before it; or the task is done."""
    if work.at + 1 < work.steps:
        works.change(step, replace(work, at=work.at + 1, round=1, phase="between"))
        step.chain(works.link(work, "step"))
        return
    saved = "\n".join(f"- `{each.path}`, version {each.version}" for each in work.written)
    step.tell(f"**{work.title}** is done." + (f" Saved:\n{saved}" if saved else " Nothing was to be saved."))
    works.end(step, "done")


# ---------------------------------------------------------------- saving


def _save(step: StepBuilder, work: TaskWork, task: Task, now: TaskStep, config: CoreConfig) -> None:
    output = task.output(now.writes)
    if output is None or not output.path:
        _next(step, work, now)
        return
    if not work.text:
        rest(step, work, "there is no text to save")
        return
    outcome = work.outcome or Outcome()
    values = {**dict(outcome.values), "date": work.day}
    path, absent = words.filled(output.path, values, config)
    persona = step.cast.persona(work.who)
    if absent:
        _ask_for_values(step, work, output.path, absent)
    elif flaw := flaw_of_path(path):
        rest(step, work, f"the path `{path}` {flaw}")
    elif persona is not None and not may_save(persona, path):
        step.tell(f"{persona.name} may not save at `{path}`, so the text above is not saved. Somebody can copy it.")
        step.record(f"{work.task}: {path} was not saved: {persona.id} may not save there", "")
        _next(step, work, now)
    else:
        works.change(step, replace(work, path=path, phase="saving"))
        step.wait(ReadDocument(path), Waiting(work.who, "look", MODE))


def _ask_for_values(step: StepBuilder, work: TaskWork, path: str, absent: tuple[str, ...]) -> None:
    if work.nudged:
        rest(step, work, f"`{path}` needs {', '.join(absent)}, and nobody has said what that is")
        return
    wanted = f"It is to be saved at {path}. Call complete_step for {work.step} again, and name in `values`: "
    step.note(Entry("note", work.who, f"(From the host.) {wanted}{', '.join(absent)}. Write no text again."))
    ask(step, replace(work, nudged=True, phase="doing"))


def found(step: StepBuilder, work: TaskWork, version: int) -> None:
    """What stands at the path is known: write, or ask people first where something does."""
    own = any(each.path == work.path and each.version == version for each in work.written)
    work = replace(work, base=version, phase="saving")
    works.change(step, work)
    if version and not own:
        ask_to_replace(step, work)
    else:
        write(step, work)


def ask_to_replace(step: StepBuilder, work: TaskWork) -> None:
    """A document stands there that this task has not written: people decide."""
    options = (
        Option("Save it as the next version", Choose("replace")),
        Option("Do not save it", Choose("keep")),
    )
    question = f"`{work.path}` is not there any more. Shall the text above be saved there?"
    if work.base:
        question = (
            f"`{work.path}` exists already, as version {work.base}. Shall the text above become its next version? "
            f"The one before stays: `*docs restore {work.path}` brings it back."
        )
    step.halt(ReplaceGate(work.who), options, question, by_host=True)


def write(step: StepBuilder, work: TaskWork) -> None:
    """Write the step's text."""
    drafted = step.voice(work.who).name
    meta = {
        "title": work.title,
        "by": drafted,
        "approved_by": [{"user": work.by_user, "name": work.by}] if work.by else [],
        "task": work.task,
        "parts": [{"section": work.step, "hash": work.sha, "drafted_by": drafted, "accepted_by": work.by}],
    }
    works.change(step, replace(work, phase="saving"))
    text = json.dumps(meta, ensure_ascii=False, separators=(",", ":"))
    step.wait(WriteDocument(work.path, work.base, (work.text,), text), Waiting(work.who, "written", MODE))


def saved(step: StepBuilder, work: TaskWork, version: int) -> None:
    """It was written."""
    step.tell(f"Saved: `{work.path}`, version {version}." + (f" Approved by {work.by}." if work.by else ""))
    step.record(f"{work.task}: saved {work.path} as version {version}", work.by_user or work.asker, work.sha)
    written = (*(each for each in work.written if each.path != work.path), Written(work.path, version))
    recall(step, replace(work, written=written, phase="deciding"), "next")


# ---------------------------------------------------------------- resting, and standing again


def rest(step: StepBuilder, work: TaskWork, why: str) -> None:
    """A step did not end by itself: people decide how it goes on."""
    works.change(step, replace(work, phase="resting", failed=why))
    step.open_gate()
    told = f" {why[:1].upper()}{why[1:]}." if why else ""
    options = (Option("Go on with it", Choose("on")), Option("Do this step again", Choose("again")), LEAVE)
    step.halt(
        UnendedGate(work.who), options, f"**{words.head(work)}** is not ended.{told} How shall I go on?", by_host=True
    )


def _stand(step: StepBuilder, work: TaskWork, task: Task, now: TaskStep, shown: str, config: CoreConfig) -> None:
    """Show again what the task waits for, from where it stands."""
    if shown:
        step.say(shown, who=work.who)
    match work.phase:
        case "input" | "loading":
            _enter(step, work, task, now, config)
        case "deciding" if work.stops and work.outcome is not None:
            _decide(step, work, now)
        case "saving" if work.path and work.base:
            ask_to_replace(step, work)
        case "between" | "doing" | "deciding" | "saving" | "resting":
            rest(step, work, work.failed)
        case _:
            assert_never(work.phase)
