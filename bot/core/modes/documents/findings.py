"""Elicitation: a method looks at the section on screen, says what it found, and people decide what becomes of it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from bot.core import asks, replies, shapes
from bot.core.documents import brief as briefs
from bot.core.events import ModelReplied, Utterance
from bot.core.model import Choose, Option
from bot.core.modes import tooluse
from bot.core.modes.documents import cursor, methods, sections, standing, telling
from bot.core.modes.documents.state import NAME, DocumentWork, FindingGate
from bot.core.modes.documents.telling import put
from bot.core.session import Waiting
from bot.core.step_builder import StepBuilder

USED = 8
"""So many of the methods that were chosen lately are offered last."""

CHANGES = 40
"""So many changed lines are shown at most; the whole text is shown again before it can be accepted."""


def begin(step: StepBuilder, work: DocumentWork, place: int, line: Utterance) -> None:
    """Somebody chose a method: read how it is carried out."""
    name = work.offered[place]
    used = (*(other for other in work.used if other != name), name)[-USED:]
    work = put(step, work, used=used, proposal=0, phase="drafting", lead=f"_{line.name} chose: {name}._")
    telling.recall(step, work, "method", (work.methods, work.definition))


def carry_out(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """How it is carried out is known: let the persona do it."""
    name = work.used[-1]
    known = {method.name: method.how for method in methods.read(texts.get(work.methods, ""))}
    how = known.get(name, name)
    ask(step, work, texts, telling.METHOD.format(where=work.where, method=name, how=how))


def discuss(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """People have said something about what was found: let the persona answer."""
    name = work.used[-1] if work.used else "that method"
    ask(step, work, texts, telling.DISCUSSED.format(where=work.where, method=name))


def ask(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str], task: str) -> None:
    """Let the persona say what it found, or what it thinks of what people say to that."""
    brief = sections.brief_of(work, texts)
    if brief is None:
        standing.stand(step, work, "The template's text is gone from this conversation, so no method can be used.")
        return
    telling.note(step, work, task)
    work = put(step, work, phase="drafting")
    asks.ask(step, NAME, who=work.who, purpose="finding", shape="finding", brief=brief.dump())


def replied(step: StepBuilder, work: DocumentWork, waiting: Waiting, event: ModelReplied) -> None:
    """What it found; then, if it proposes another text, which lines would change."""
    heard = replies.keep(step, waiting, event)
    replies.warn(step, event.notice)
    if heard.calls:
        tooluse.begin(step, waiting, heard.calls)
        return
    step.change(tools=None)
    if heard.words:
        mark = f"\n\n{heard.mark}" if heard.mark else ""
        step.say(f"{heard.words}{mark}", completes=event.ask, who=work.who)
    if not heard.whole:
        _no_text(step, work, "" if heard.words else heard.mark)
        return
    found = shapes.parted("finding", heard.text)
    body = briefs.text_of(waiting.brief, found.text or "") if found.text and not found.unmarked else ""
    if not body:
        _no_text(step, work, "" if heard.words else "Nothing was found.")
        return
    work = telling.kept(step, work, body)
    work = put(step, work, proposal=work.kept, phase="finding")
    telling.recall(step, work, "finding", (work.text(work.draft), work.text(work.proposal)))


def _no_text(step: StepBuilder, work: DocumentWork, line: str) -> None:
    """No text is proposed now: one that was proposed before can still be applied, else the section stands."""
    if work.proposal:
        stand(step, work, f"{line} What was proposed before can still be applied to {work.where}.".strip())
    else:
        standing.stand(step, work, f"{line} No other text is proposed: the section stands as it was.".strip())


def show(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """Which lines would change, and what may become of them."""
    now, then = texts.get(work.text(work.draft)), texts.get(work.text(work.proposal))
    if now is None or then is None:
        standing.stand(
            step, put(step, work, proposal=0), "What was proposed was deleted; the section stands as it was."
        )
        return
    if now == then:
        standing.stand(step, put(step, work, proposal=0), "The text that is proposed is the one that stands.")
        return
    stand(step, work, f"What would change in {work.where}:\n\n{changed(now, then)}")


def changed(now: str, then: str) -> str:
    """The lines that differ, the old ones struck out, as quotations; at most `CHANGES` of them."""
    lines = [
        line
        for line in difflib.ndiff(now.splitlines(), then.splitlines())
        if line[:2] in ("- ", "+ ") and line[2:].strip()
    ]
    shown = [f"> ~~{line[2:].strip()}~~" if line[0] == "-" else f"> {line[2:].strip()}" for line in lines[:CHANGES]]
    more = [f"> _and {len(lines) - CHANGES} lines more_"] if len(lines) > CHANGES else []
    return "\n>\n".join([*shown, *more])


def stand(step: StepBuilder, work: DocumentWork, text: str = "") -> None:
    """The three ways on from what was found."""
    work = put(step, work, phase="finding")
    step.open_gate()
    text, work = telling.told(step, work, text or f"What was found about {work.where} stands further up.")
    options = (
        Option("Apply", Choose("apply"), "the section is shown again with it"),
        Option("Back", Choose("back"), "the section stays as it was"),
        Option("Discuss", Choose("discuss"), "write what you think of it"),
    )
    step.halt(FindingGate(work.who), options, text, by_host=True)


def chosen(step: StepBuilder, work: DocumentWork, choice: str, line: Utterance) -> None:
    """Apply it, leave it, or talk about it."""
    if choice == "discuss":
        stand(step, work, "Write what you think of it; 1 applies it all the same, 2 goes back.")
    elif choice == "apply":
        step.record(f"applied {work.used[-1] if work.used else 'a proposal'} to {work.section}", line.user)
        telling.note(step, work, f"Somebody applied what you proposed for {work.where}.")
        lead = f"_{line.name} applied it._"
        work = put(step, work, draft=work.proposal, proposal=0, by="", phase="standing", lead=lead)
        cursor.show_again(step, work)
    else:
        telling.note(step, work, f"What you proposed for {work.where} was not applied.")
        standing.stand(step, put(step, work, proposal=0), f"{work.where[:1].upper()}{work.where[1:]} stays as it was.")
