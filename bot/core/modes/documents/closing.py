"""The end: sections without a stop of their own wait for one decision, and then the document is finished."""

from __future__ import annotations

from bot.core import works
from bot.core.events import Utterance
from bot.core.model import Choose, Option
from bot.core.modes.documents import moves, saving, telling
from bot.core.modes.documents.state import Choice, ClosingGate, DocumentWork, Held
from bot.core.modes.documents.telling import put
from bot.core.step_builder import StepBuilder

SHOWN = 10
"""So many sections can be opened again from the closing stop; `*back` reaches the others."""


def close(step: StepBuilder, work: DocumentWork) -> None:
    """No section is left to be written: save what was only shown, or be finished."""
    if not work.shown:
        finish(step, work)
    elif step.session.yolo:
        work = put(step, work, unseen=(*work.unseen, "the closing stop"))
        saving.accept(step, work, Choice(step.session.yolo_user, step.session.yolo_by or "somebody", "yolo"))
    else:
        stand(step, put(step, work, phase="closing", draft=0))


def stand(step: StepBuilder, work: DocumentWork) -> None:
    """The closing stop: what was shown is saved, or one of it is opened again."""
    step.open_gate()
    count = len(work.shown)
    what = (
        "The last section was shown and is not saved yet" if count == 1 else f"The last {count} were only shown so far"
    )
    text, work = telling.told(step, work, f"{what}. Save, or open one again?")
    again = tuple(
        Option(f"Reopen: {part.name}", Choose(f"reopen:{place}")) for place, part in enumerate(work.shown[:SHOWN])
    )
    step.halt(ClosingGate(work.who), (Option("Save what was shown", Choose("save")), *again), text, by_host=True)


def chosen(step: StepBuilder, work: DocumentWork, choice: str, line: Utterance) -> None:
    """Save, or open one of what was shown at a stop of its own."""
    if choice == "save":
        saving.accept(step, work, Choice(line.user, line.name, "save what was shown", line.at))
        return
    part = work.shown[int(choice.removeprefix("reopen:"))]
    rest = tuple(other for other in work.shown if other != part)
    work = put(step, work, held=Held(work.of), shown=rest)
    moves.open_again(step, work, part, f"_Opened again by {line.name}._")


def finish(step: StepBuilder, work: DocumentWork) -> None:
    """The document is written: say so, what yolo skipped, and that yolo is off again."""
    name, parts = work.name or work.template, len(work.accepted)
    if not parts:
        text = f"Nothing of {name} was to be written, so there is no document."
    else:
        sections = "1 section" if parts == 1 else f"{parts} sections"
        where = f"`{work.path}`, version {work.version}, {sections}"
        text = f"**{name} is finished**: {where}. `*doc-out {work.path}` posts it."
    if work.unseen:
        text += f"\nAccepted by yolo, so worth a look: {', '.join(work.unseen)}."
    if step.session.yolo:
        step.change(yolo=False, yolo_by="", yolo_user="")
        text += "\nYolo is **off** again."
    text, work = telling.told(step, work, text)
    step.tell(text)
    works.end(step, "it is finished")
