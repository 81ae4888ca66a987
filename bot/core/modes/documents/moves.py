"""What people do to a section besides choosing: their own words in its place, an earlier one again, none at all."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.documents.units import units
from bot.core.events import Utterance
from bot.core.model import Choose, Option
from bot.core.modes.documents import cursor, sections, standing, telling
from bot.core.modes.documents.ledger import digest
from bot.core.modes.documents.state import DocumentWork, Held, Part, RestGate
from bot.core.modes.documents.telling import put
from bot.core.settled import begins
from bot.core.step_builder import StepBuilder


def edit(step: StepBuilder, work: DocumentWork, args: str, line: Utterance) -> None:
    """`*edit TEXT`, or `*edit` and then the text: a human's own words in the place of the section."""
    if args.strip():
        take(step, work, args, line)
        return
    put(step, work, phase="editing", choice=None, redo=line.user)
    step.open_gate()
    options = (Option("Keep it as it is", Choose("on")),)
    text = f"Post the whole text of {work.where} as one message, {line.name}; it takes the place of what is shown."
    step.halt(RestGate(work.who), options, text, by_host=True)


def take(step: StepBuilder, work: DocumentWork, text: str, line: Utterance) -> None:
    """Their words are the section now: shown again, theirs, at its stop."""
    body = text.strip("\n").rstrip()
    work = telling.kept(step, work, body)
    work = put(step, work, draft=work.kept, by=line.name, sha=digest(body), proposal=0, redo="")
    telling.note(
        step, work, f"Somebody has put words of their own in the place of {work.where}; they are the text now."
    )
    step.record(f"put own words in the place of {work.section} of {work.path}", line.user, work.sha)
    standing.show(step, work, {work.text(work.draft): body})


def skip(step: StepBuilder, work: DocumentWork, line: Utterance) -> None:
    """`*skip`: the section is left out, where its template allows it."""
    if not work.may_skip:
        standing.stand(step, work, f"The template does not allow {work.where} to be left out. 1 accepts it as it is.")
        return
    step.open_gate()
    step.record(f"left out {work.section} of {work.path}", line.user)
    telling.note(step, work, f"{work.where[:1].upper()}{work.where[1:]} was left out.")
    work = put(step, work, draft=0, proposal=0, lead=f"_{work.section}: left out by {line.name}._")
    if work.held:
        cursor.back_to_where_it_was(step, work)
    else:
        cursor.advance(step, work)


def back(step: StepBuilder, work: DocumentWork, args: str, line: Utterance) -> None:
    """`*back`, `*back NUMBER`: an accepted section at its stop again, the last one or that of the document's order."""
    if work.held:
        standing.stand(step, work, "One section is open again already. Decide that one first.")
        return
    if not work.accepted:
        step.tell("No section is accepted yet, so there is none to go back to.")
        return
    number = args.strip()
    if number and not (number.isdecimal() and 1 <= int(number) <= len(work.accepted)):
        step.tell(
            f"`*back` takes a number from 1 to {len(work.accepted)}: the accepted parts, in the document's order."
        )
        return
    part = work.accepted[int(number) - 1] if number else max(work.accepted, key=lambda part: part.text)
    step.open_gate()
    step.record(f"opened a section of {work.path} again", line.user)
    held = Held(work.at, work.instance, work.instances, work.counted, work.draft, work.by)
    open_again(
        step, put(step, work, held=held), part, f"_Opened again by {line.name}; what was accepted after it stays._"
    )


def open_again(step: StepBuilder, work: DocumentWork, part: Part, lead: str) -> None:
    """Bring a part of the document back on screen; `work.held` tells where to go on afterwards."""
    work = put(
        step, work, place=part.place, instance=part.instance, instances=0, draft=part.text, by=part.by, lead=lead,
        proposal=0, remarks=(), phase="standing",
    )  # fmt: skip
    parts = (work.text(other.text) for other in (*work.accepted, *work.shown))
    telling.recall(step, work, "reopen", (work.definition, work.methods, *parts, work.text(part.text)))


def reopened(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """The section that is open again, at its stop."""
    definition = sections.definition_of(work, texts)
    if definition is None:
        telling.rest(step, put(step, work, draft=0), "section", "The template's text is gone, so I cannot go back.")
        return
    found = units(definition)
    at = next((at for at, unit in enumerate(found) if unit.place == work.place), len(found) - 1)
    work = put(step, work, at=at)
    body = texts.get(work.text(work.draft), "")
    work = put(step, work, **sections.situation(work, definition, found[at], texts))
    work = put(step, work, stop=True, may_skip=False, sha=digest(body))
    telling.note(
        step, work, f"{work.where[:1].upper()}{work.where[1:]} is open again. Its text now:\n\n{body}", begins(work.id)
    )
    standing.show(step, work, texts)


def shown_again(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """The section that stood on screen before, at its stop."""
    definition = sections.definition_of(work, texts)
    unit = sections.at_cursor(work, definition) if definition else None
    if definition and unit:
        stop = work.stop
        work = put(step, work, **sections.situation(work, definition, unit, texts))
        work = put(step, work, stop=stop or work.stop, sha=digest(texts.get(work.text(work.draft), "")))
    standing.show(step, work, texts)
