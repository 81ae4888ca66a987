"""The cursor: which section comes next. The host moves it, one section a turn; no model has a way to do so."""

from __future__ import annotations

from bot.core.modes.documents import telling
from bot.core.modes.documents.state import DocumentWork, Held
from bot.core.modes.documents.telling import put
from bot.core.step_builder import StepBuilder
from bot.core.works import link

NEXT = "next"
"""The name of the link that goes on where the cursor is."""


def go_on(step: StepBuilder, work: DocumentWork) -> None:
    """Go on with the section that the cursor is at, in a turn of its own, so that people get a word in."""
    work = put(
        step, work, phase="next", redo="", draft=0, by="", sha="", proposal=0, tries=0, choice=None,
        remarks=(),
    )  # fmt: skip
    step.chain(link(work, NEXT))


def advance(step: StepBuilder, work: DocumentWork) -> None:
    """Move on to the next instance, or the next section."""
    if work.repeats and work.instance + 1 < work.instances:
        work = put(step, work, instance=work.instance + 1)
    else:
        work = put(step, work, at=work.at + 1, instance=0, instances=0, counted=False, repeats=False)
    go_on(step, work)


def back_to_where_it_was(step: StepBuilder, work: DocumentWork) -> None:
    """The section that was opened again is decided: go on where that had interrupted."""
    held = work.held or Held(work.at)
    work = put(
        step, work, at=held.at, instance=held.instance, instances=held.instances, counted=held.counted,
        repeats=held.instances > 0, draft=held.draft, by=held.by, held=None, proposal=0, choice=None, redo="",
    )  # fmt: skip
    if held.draft:
        show_again(step, work)
    else:
        go_on(step, work)


def show_again(step: StepBuilder, work: DocumentWork) -> None:
    """Read what is needed to show the section on screen again."""
    work = put(step, work, phase="standing")
    parts = (work.text(part.text) for part in (*work.accepted, *work.shown))
    telling.recall(step, work, "show", (work.definition, work.methods, *parts, work.text(work.draft)))
