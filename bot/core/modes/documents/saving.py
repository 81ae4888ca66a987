"""What was accepted becomes a version of the document: byte for byte as it was shown, with a record of who did so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import assert_never

from bot.core.documents.composing import title_of
from bot.core.documents.definition import digest as digest_of
from bot.core.documents.definition import from_json
from bot.core.events import DocumentRefused, DocumentStale, DocumentWritten
from bot.core.model import Choose, Option
from bot.core.modes.documents import counting, cursor, ledger, telling
from bot.core.modes.documents.ledger import Ledger, Row
from bot.core.modes.documents.state import NAME, Choice, ConflictGate, DocumentWork, Part
from bot.core.modes.documents.telling import put, rest
from bot.core.session import Waiting
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry, WriteDocument


def accept(step: StepBuilder, work: DocumentWork, choice: Choice) -> None:
    """Somebody, or a recorded yolo, accepted what is on screen: save it with all that was shown before."""
    for part in _new(work):
        what = f"{part.name} of {work.path}"
        step.record(f"accepted {what} ({choice.what}; {choice.name})", choice.user, part.sha)
    save(step, put(step, work, phase="saving", choice=choice, lead=""))


def save(step: StepBuilder, work: DocumentWork) -> None:
    """Read what is to be saved, and save it."""
    work = put(step, work, phase="saving")
    texts = [work.text(part.text) for part in _new(work)]
    ids = (work.definition, *((work.text(work.ledger),) if work.ledger else ()), *texts)
    telling.recall(step, work, "save", ids)


def _new(work: DocumentWork) -> tuple[Part, ...]:
    """The parts that are accepted now."""
    name = work.section[:60]
    on_screen = (Part(work.place, work.instance, work.draft, work.by, name, work.sha),) if work.draft else ()
    return (*work.shown, *on_screen)


def write(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """Write the version: headings and accepted text, in the order of the document, and who accepted what."""
    choice, definition = work.choice, texts.get(work.definition)
    new = {(part.place, part.instance): part for part in _new(work)}
    gone = [part for part in new.values() if work.text(part.text) not in texts]
    if choice is None or definition is None or gone:
        rest(step, work, "section", "What was to be saved was deleted from this conversation. It can be written again.")
        return
    known = from_json(definition)
    before = ledger.load(texts.get(work.text(work.ledger), ""))
    title = "" if known.format == "yaml" else f"# {title_of(known, work.known)}"
    book = replace(
        before or Ledger(work.template, digest_of(known), title), title=title, dropped=work.dropped, facts=work.facts
    )
    rows = []
    for part in new.values():
        text = texts[work.text(part.text)]
        sha = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        by = part.by or step.voice(work.who).name
        who = (by, choice.name, choice.user, choice.what, choice.at)
        rows.append(Row(part.place, part.instance, part.name, len(text), sha, *who))
    book = book.with_rows(rows)
    parts = {(part.place, part.instance): part for part in work.accepted} | new
    accepted = tuple(parts[key] for key in sorted(parts))
    work = telling.kept(step, work, book.dump())
    work = put(step, work, ledger=work.kept)
    ids = [work.text(part.text) for part in accepted]
    if title:
        # The title is kept once a version, as the facts in it may be known only later.
        step.note(Entry("kept", work.who, title, id=f"{work.id}.title{work.kept}"))
        ids = [f"{work.id}.title{work.kept}", *ids]
    meta = book.dump_for(step.voice(work.who).name)
    step.wait(WriteDocument(work.path, work.version, tuple(ids), meta), Waiting(work.who, "write", NAME))


def written(step: StepBuilder, work: DocumentWork, event: DocumentWritten | DocumentStale | DocumentRefused) -> None:
    """The store has it, or somebody else was first, or it cannot be."""
    choice = work.choice or Choice("", "somebody", "accepted")
    match event:
        case DocumentWritten(version=version, notice=notice):
            parts = {(p.place, p.instance): p for p in (*work.accepted, *_new(work))}
            accepted = tuple(replace(parts[key], name="", sha="") for key in sorted(parts))
            count = len(_new(work))
            also = "" if count < 2 else f" with the {count - 1} shown before it" if work.draft else ""
            what = work.section if work.draft else "what was shown last"
            lead = f"_{what}{also}: accepted by {choice.name} ({choice.what}), saved as version {version}._"
            lead += f"\n\n_{notice}_" if notice else ""
            number = work.number if work.draft else "what was shown last"
            fact = f"{choice.name} chose {choice.what}; {number} was saved as version {version} of {work.path}."
            step.note(Entry("note", work.who, fact, choice.name, call=f"saved:{work.id}", user=choice.user))
            on_screen = bool(work.draft)
            work = put(step, work, version=version, accepted=accepted, shown=(), lead=lead, choice=None, draft=0)
            if work.held:
                cursor.back_to_where_it_was(step, work)
            elif not on_screen:
                cursor.go_on(step, work)
            elif work.repeats and work.instance + 1 >= work.instances and not work.counted:
                counting.ask_for_another(step, work)
            else:
                cursor.advance(step, work)
        case DocumentStale(version=version):
            work = put(step, work, phase="conflict", redo=str(version))
            stand_in_conflict(step, work)
        case DocumentRefused(problem=problem):
            rest(step, work, "save", f"The section could not be saved: {problem}")
        case _:
            assert_never(event)


def stand_in_conflict(step: StepBuilder, work: DocumentWork) -> None:
    """Somebody else has written the document: on top of that, or not at all."""
    step.open_gate()
    what = f"has version {work.redo} by now" if work.redo != "0" else "was deleted meanwhile"
    text = (
        f"`{work.path}` {what}: somebody has changed it since this work last saved it (version {work.version}). "
        "Nothing was saved just now."
    )
    options = (
        Option("Save on top of it", Choose("over"), "theirs stays in the history"),
        Option("Pause", Choose("pause"), "`*resume` goes on with it"),
        Option("Leave it", Choose("leave"), "the document stays as it is"),
    )
    step.halt(ConflictGate(work.who), options, text, by_host=True)


def over(step: StepBuilder, work: DocumentWork) -> None:
    """Save as the successor of the version that somebody else has written."""
    save(step, put(step, work, version=int(work.redo or 0), redo=""))
