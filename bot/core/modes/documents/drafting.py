"""Section after section: its draft by the model, and what of a reply is a draft."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core import asks, failures, replies, shapes
from bot.core.documents import brief as briefs
from bot.core.documents.checks import faults
from bot.core.documents.composing import composed
from bot.core.documents.prompting import task
from bot.core.events import ModelFailed, ModelReplied
from bot.core.modes import tooluse
from bot.core.modes.documents import closing, counting, cursor, saving, sections, standing, telling
from bot.core.modes.documents.ledger import digest
from bot.core.modes.documents.state import INSTANCES, NAME, Choice, DocumentWork, Part
from bot.core.modes.documents.telling import kept, put, rest, told
from bot.core.session import Waiting
from bot.core.settled import begins, ends
from bot.core.step_builder import StepBuilder

GONE = "The template's text is gone from this conversation, so I cannot go on with the document."


def next_section(step: StepBuilder, work: DocumentWork) -> None:
    """The link has come: read what the section at the cursor needs; behind the last one, close."""
    if work.at >= work.of:
        closing.close(step, work)
        return
    work = put(step, work, phase="drafting")
    parts = (work.text(part.text) for part in (*work.accepted, *work.shown))
    telling.recall(step, work, "section", (work.definition, work.methods, *parts))


def begin_section(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """What it needs is there: have it drafted, write it where nobody has to, or ask first how often."""
    definition = sections.definition_of(work, texts)
    unit = sections.at_cursor(work, definition) if definition else None
    if definition is None or unit is None:
        rest(step, work, "section", GONE)
        return
    if not unit.repeatable and any(part.place == unit.place for part in work.accepted):
        # It was there already when people went on with the document.
        cursor.advance(step, work)
        return
    section = sections.first_of(definition, unit)
    names = sections.names(work, definition, section, texts) if unit.repeatable else ()
    if unit.repeatable and not work.instances:
        asks_first = step.session.yolo or (not unit.stop and not names)
        if asks_first and not work.counted:
            what = counting.noun(section.title) or section.title or section.id
            counting.ask(step, put(step, work, section=what, repeats=True), names)
            return
        work = put(step, work, instances=min(max(1, len(names)), INSTANCES))
    work = put(step, work, **sections.situation(work, definition, unit, texts))
    known = sections.frame(work, unit, section)
    work = introduced(step, work, texts) if work.fresh else settled(step, work, texts)
    if unit.literal:
        _given(step, work, composed(definition, unit, "", known))
        return
    telling.note(step, work, task(definition, unit, known.facts, work.item), call=begins(work.id))
    ask(step, work, briefs.Brief(definition, unit, known).dump(), first=True)


def introduced(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> DocumentWork:
    """Tell whoever drafts, who has just come on, how this goes and what the document says so far."""
    telling.note(step, work, telling.OPENING.format(name=work.name, path=work.path))
    so_far = [texts.get(work.text(part.text), "") for part in (*work.accepted, *work.shown)]
    if so_far:
        telling.note(step, work, "The document so far:\n\n" + "\n\n".join(so_far))
    return put(step, work, fresh=False, told=work.kept)


def settled(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> DocumentWork:
    """Tell what was written since the last section began: its text takes the place of the talk about it."""
    new = [part for part in (*work.accepted, *work.shown) if part.text > work.told]
    if new:
        text = "\n\n".join(texts.get(work.text(part.text), "") for part in sorted(new, key=lambda part: part.text))
        telling.note(
            step, work, f"Written and settled, version {work.version} of the document:\n\n{text}", ends(work.id)
        )
    return put(step, work, told=work.kept)


def ask(step: StepBuilder, work: DocumentWork, brief: str, *, first: bool) -> None:
    """Have the section drafted, or drafted again."""
    work = put(step, work, phase="drafting")
    head = telling.head(work)
    if first:
        asks.ask(step, NAME, who=work.who, purpose="draft", shape="draft", head=head, brief=brief)
    else:
        asks.ask(step, NAME, who=work.who, purpose="redraft", shape="redraft", head=head, brief=brief)


def again(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """People said something about the section on screen: let the persona write it again, or answer."""
    brief = sections.brief_of(work, texts)
    if brief is None:
        standing.stand(step, work, GONE)
        return
    if work.fresh:
        work = introduced(step, work, texts)
        telling.note(step, work, task(brief.definition, brief.unit, brief.frame.facts, work.item))
        telling.note(step, work, f"The text of {work.where} as it stands:\n\n{texts.get(work.text(work.draft), '')}")
    telling.note(step, work, telling.FEEDBACK.format(where=work.where))
    ask(step, work, brief.dump(), first=False)


def _given(step: StepBuilder, work: DocumentWork, text: str) -> None:
    """A section that the template writes out: shown, and saved with the next stop."""
    if text:
        words, work = told(
            step, work, f"**{work.where[:1].upper()}{work.where[1:]}**, as the template has it\n\n{text}"
        )
        step.tell(words)
        work = kept(step, work, text)
        work = put(
            step,
            work,
            shown=(
                *work.shown,
                Part(work.place, work.instance, work.kept, "the template", work.section[:60], digest(text)),
            ),
        )
    cursor.advance(step, work)


# ---------------------------------------------------------------- what the model said


def replied(step: StepBuilder, work: DocumentWork, waiting: Waiting, event: ModelReplied) -> None:
    """The model answered to the ask for a draft: take what it is, a draft, an answer, or neither."""
    found = shapes.parted(waiting.shape, replies.text_of(event))
    body = briefs.text_of(waiting.brief, found.text or "") if (found.text or "").strip() else ""
    found_faults = faults_of(waiting.brief, body) if body else ()
    is_asked_again = bool(found_faults) and not work.tries and event.stop == "end_turn"
    heard = replies.keep(step, waiting, event, unsaid=is_asked_again)
    replies.warn(step, event.notice)
    if heard.calls:
        tooluse.begin(step, waiting, heard.calls)
        return
    step.change(tools=None)
    if not heard.whole:
        _cut_short(step, work, waiting, heard, event.ask)
    elif found.text is None and heard.words:
        text = f"{heard.words}\n\n_The draft of {work.number} stands as it is._"
        standing.halt(step, put(step, work, phase="standing"), text, completes=event.ask)
    elif not body:
        _nothing(step, work, f"{step.voice(work.who).name} wrote nothing for {work.where}.")
    elif is_asked_again:
        below = "\n".join(f"- {fault}" for fault in found_faults)
        telling.note(step, work, telling.FAULTS.format(where=work.where, faults=below))
        put(step, work, tries=1)
        same = {"who": work.who, "purpose": waiting.purpose, "head": waiting.head, "brief": waiting.brief}
        asks.ask(step, NAME, shape=waiting.shape, **same)
    else:
        _shown(step, work, waiting, found, body, found_faults, event.ask)


def _shown(
    step: StepBuilder,
    work: DocumentWork,
    waiting: Waiting,
    found: shapes.Parted,
    body: str,
    flaws: tuple[str, ...],
    ask: int,
) -> None:
    """A draft: keep it, show it, and stop there; or go on, where nobody is to be asked."""
    completes: int | None = ask
    if found.unmarked:
        # It was watched as words, so it is finished as words, and shown once more as what it is.
        words = shapes.shown("finding", found.words, step.names(work.who))
        step.say(words, completes=ask, who=work.who)
        completes = None
    parts = [f"{waiting.head}{body}", telling.reasons(found.why, step.names(work.who))]
    if flaws:
        parts.append("_It still has these faults:_\n" + "\n".join(f"- {fault}" for fault in flaws))
    text = "\n\n".join(part for part in parts if part)
    work = kept(step, work, body)
    work = put(step, work, draft=work.kept, by="", sha=digest(body), proposal=0, tries=0, remarks=(), lead="")
    # Yolo accepts what nobody has asked for; a draft that people asked for is theirs to see.
    if work.stop and (waiting.purpose == "redraft" or not step.session.yolo):
        standing.halt(step, put(step, work, phase="standing"), text, completes=completes)
        return
    step.say(text, completes=completes, who=work.who)
    if work.stop:
        work = put(step, work, unseen=(*work.unseen, work.section[:60]))
        saving.accept(step, work, Choice(step.session.yolo_user, step.session.yolo_by or "somebody", "yolo"))
    else:
        cursor.advance(
            step,
            put(
                step,
                work,
                shown=(*work.shown, Part(work.place, work.instance, work.draft, "", work.section[:60], work.sha)),
            ),
        )


def _nothing(step: StepBuilder, work: DocumentWork, line: str) -> None:
    """No draft came of it: one above stands as it was, else it can be tried again."""
    if work.draft:
        standing.stand(step, work, f"{line} The draft above stands as it was.")
    else:
        rest(step, work, "section", line)


def _cut_short(step: StepBuilder, work: DocumentWork, waiting: Waiting, heard: replies.Heard, ask: int) -> None:
    """What was stopped or cut is no draft."""
    mark = heard.mark
    if heard.words:
        is_text = waiting.shape == "draft" or not shapes.parted(waiting.shape, heard.text).words
        above = waiting.head if is_text else ""
        step.say(f"{above}{heard.words}\n\n{mark}", completes=ask, who=work.who)
        work, mark = put(step, work, lead="" if is_text else work.lead), ""
    _nothing(step, work, f"{mark} That is no draft.".strip())


def failed(step: StepBuilder, work: DocumentWork, event: ModelFailed) -> None:
    """No reply came: the last text stays as it was, else it can be tried again."""
    step.change(tools=None)
    line = failures.line(event.reason, event.detail)
    if event.notice is not None and step.session.over != event.notice.day:
        step.change(over=event.notice.day)
        line = f"{line} {event.notice.text[:1].upper()}{event.notice.text[1:]}"
    _nothing(step, work, line)


def faults_of(brief: str, body: str) -> tuple[str, ...]:
    """What is wrong with a text by its template, a line each."""
    known = briefs.load(brief)
    return faults(known.definition, known.unit, body, known.frame.facts)
