"""The stop: a section on screen, with exactly nine choices below it, until somebody decides."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.gates import with_menu
from bot.core.model import Choose, Option
from bot.core.modes.documents import telling
from bot.core.modes.documents.state import DocumentWork, StopGate
from bot.core.modes.documents.telling import put
from bot.core.step_builder import StepBuilder

PROCEED = "Proceed"
"""The label that accepts a section."""


def options(work: DocumentWork) -> tuple[Option, ...]:
    """What can be chosen at the stop of the section on screen: proceed, the methods, and a redraft with remarks."""
    found = [Option(PROCEED, Choose("proceed"), "save this section and go on")]
    found += [Option(name, Choose(f"method:{place}")) for place, name in enumerate(work.offered)]
    if work.remarks:
        found.append(Option(f"Redraft ({remarks(work)})", Choose("redraft")))
    return tuple(found)


def remarks(work: DocumentWork) -> str:
    """How many remarks wait."""
    return f"{len(work.remarks)} remark{'' if len(work.remarks) == 1 else 's'}"


def prompt(work: DocumentWork) -> str:
    """What stands below the choices: the way on in words, and how far the document is."""
    words = "write remarks, which `*feedback` sends" if work.is_shared else "write what to change"
    more = ", `*skip` leaves it out" if work.may_skip else ""
    return f"{work.number[:1].upper()}{work.number[1:]}. 1 accepts it; or {words}, or `*edit` it yourself{more}."


def halt(step: StepBuilder, work: DocumentWork, text: str, *, completes: int | None = None) -> None:
    """Stop at the section on screen, with `text` above the choices; the persona says it."""
    step.open_gate()
    menu = step.menu(options(work), prompt=prompt(work), ahead=True)
    step.change(gate=with_menu(StopGate(work.who), menu.id), due="")
    step.say(text, menu, completes=completes, who=work.who)


def stand(step: StepBuilder, work: DocumentWork, text: str = "") -> None:
    """Stop there again without showing the text again."""
    work = put(step, work, phase="standing")
    text, work = telling.told(step, work, text or f"{work.where[:1].upper()}{work.where[1:]} stands further up.")
    halt(step, work, text)


def show(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """Show the section on screen again, whole, at its stop."""
    body = texts.get(work.text(work.draft))
    if body is None:
        telling.rest(step, work, "section", "The draft was deleted from this conversation; it can be written again.")
        return
    by = f", {work.by}'s own words" if work.by else ""
    work = put(step, work, phase="standing")
    text, work = telling.told(step, work, f"**{work.where[:1].upper()}{work.where[1:]}**{by}\n\n{body}")
    halt(step, work, text)
