"""What people do at the stop of a section: a number or a label chooses, other words are feedback or a remark."""

from __future__ import annotations

from bot.core import commands, works
from bot.core.choices import says_yes
from bot.core.events import Said, Utterance
from bot.core.gates import Gate
from bot.core.model import Choose, Option
from bot.core.modes import chat
from bot.core.modes.documents import (
    closing,
    conditions,
    counting,
    cursor,
    findings,
    moves,
    opening,
    saving,
    standing,
    telling,
)
from bot.core.modes.documents.state import (
    REMARKS,
    Choice,
    ClosingGate,
    ConflictGate,
    CountGate,
    DocumentWork,
    ExistingGate,
    FindingGate,
    OpeningGate,
    RestGate,
    StopGate,
)
from bot.core.modes.documents.telling import put
from bot.core.step_builder import StepBuilder
from bot.personas.model import fold

ASSENT = frozenset(
    [
        "lgtm",
        "looks good",
        "looks good to me",
        "good",
        "great",
        "perfect",
        "fine by me",
        "accept",
        "accepted",
        "approve",
        "approved",
        "next",
        "go on",
        "continue",
        "done",
        "nice",
        "+1",
        "👍",
        "👌",
        "✅",
        "passt",
        "sieht gut aus",
        "weiter",
    ]
)
"""Words that sound like yes, besides those of `choices`: at a stop they accept nothing, and no model is asked."""

DECIDES = ("proceed", "save", "apply")
"""Choices that accept text, which `documents.approvers` may keep to some people."""


def took_part(step: StepBuilder, work: DocumentWork, user: str) -> DocumentWork:
    """Remember that this user took part; from the second one on, words are remarks."""
    if not user or user in work.voices or work.is_shared:
        return work
    return put(step, work, voices=(*work.voices, user))


def chosen(step: StepBuilder, work: DocumentWork, gate: Gate, option: Option, line: Utterance) -> None:
    """A human chose at one of the gates, which is closed already."""
    choice = option.action.choice if isinstance(option.action, Choose) else ""
    work = took_part(step, work, line.user)
    if choice in DECIDES and not step.context.approver:
        step.record(f"was refused to accept a section of {work.path}: not an approver", line.user)
        stands(step, put(step, work, lead=f"_{line.name} may not accept sections here (`documents.approvers`)._"))
        return
    match gate:
        case StopGate() if choice == "proceed":
            saving.accept(step, work, Choice(line.user, line.name, "1, proceed", line.at))
        case StopGate() if choice == "redraft":
            redraft(step, work)
        case StopGate() if choice.startswith("method:"):
            findings.begin(step, work, int(choice.removeprefix("method:")), line)
        case FindingGate():
            findings.chosen(step, work, choice, line)
        case OpeningGate():
            conditions.chosen(step, work, choice, line)
        case ExistingGate():
            opening.existing_chosen(step, work, choice, line)
        case CountGate():
            counting.chosen(step, work, choice, line)
        case ClosingGate():
            closing.chosen(step, work, choice, line)
        case ConflictGate() if choice == "over":
            saving.over(step, work)
        case RestGate() if choice == "on":
            go_on(step, work)
        case RestGate() | ConflictGate() if choice == "pause":
            if not works.pause(step, f"{line.name} paused it"):
                stands(step, work)
        case RestGate() | ConflictGate():
            step.tell(f"**{work.name}** is left as it is. What was accepted stays at `{work.path}`.")
            works.end(step, f"{line.name} left it")
        case _:
            stands(step, work)


def go_on(step: StepBuilder, work: DocumentWork) -> None:
    """Go on after a rest: try again what went wrong, or show again what stood before."""
    match work.redo if work.phase == "resting" else work.phase:
        case "open":
            opening.load(step, work)
        case "save" if work.choice:
            saving.save(step, work)
        case "editing" | "standing" if work.draft:
            standing.stand(step, put(step, work, redo=""))
        case "stand" if work.draft:
            standing.stand(step, put(step, work, redo=""))
        case _ if work.draft and work.phase != "resting":
            standing.stand(step, put(step, work, redo=""))
        case _:
            cursor.go_on(step, work)


def redraft(step: StepBuilder, work: DocumentWork) -> None:
    """Have the section written again, with all that people have said."""
    step.open_gate()
    parts = (work.text(part.text) for part in (*work.accepted, *work.shown)) if work.fresh else ()
    work = put(step, work, phase="drafting")
    telling.recall(step, work, "redraft", (work.definition, work.text(work.draft), *parts))


def said(step: StepBuilder, work: DocumentWork, lines: tuple[Utterance, ...], event: Said) -> bool:
    """People wrote words while the document is on top; False where the question that stands is put again."""
    if step.request is not None:
        # The work is about to stand again: what was said is kept, and asks for nothing by itself.
        chat.hear(step, lines)
        return True
    for line in lines:
        work = took_part(step, work, line.user)
    line, gate = lines[-1], step.session.gate
    if any(commands.is_stop(said.text) for said in lines):
        stopped(step, work, line.name)
        return True
    if work.phase == "editing" and line.text.strip():
        step.open_gate()
        moves.take(step, work, line.text, line)
        return True
    match gate:
        case StopGate():
            return _at_the_stop(step, work, lines, event)
        case FindingGate() if not _is_empty(lines):
            chat.hear(step, lines)
            step.open_gate()
            work = put(step, work, phase="drafting")
            telling.recall(step, work, "discuss", (work.definition,))
            return True
        case OpeningGate() if opening.is_path(line.text):
            opening.named(step, work, line.text.strip())
            return True
        case OpeningGate() if line.text.strip():
            chat.hear(step, lines)
            step.open_gate()
            conditions.fact(step, work, line)
            return True
        case ExistingGate() if opening.is_path(line.text):
            opening.named(step, work, line.text.strip())
            return True
        case None:
            # Between two links: it is kept for the next draft.
            chat.hear(step, lines)
            return True
        case _:
            return False


def _is_empty(lines: tuple[Utterance, ...]) -> bool:
    return not any(line.text.strip() or line.files for line in lines)


def sounds_like_yes(text: str) -> bool:
    """Whether a text says yes and nothing more."""
    plain = fold(text).strip(" .!*_`")
    return plain in ASSENT or says_yes(text)


def _at_the_stop(step: StepBuilder, work: DocumentWork, lines: tuple[Utterance, ...], event: Said) -> bool:
    """Words at the nine choices: what sounds like yes chooses nothing, the rest is feedback or a remark."""
    gate = step.session.gate
    if _is_empty(lines):
        return False
    if all(sounds_like_yes(line.text) and not line.files for line in lines):
        step.tell(f"Type 1 to accept {work.number}.")
        return True
    if all(commands.number(line.text) is not None for line in lines):
        return False
    chat.hear(step, lines)
    seen = gate is not None and gate.menu in event.seen
    if seen and not work.is_shared:
        redraft(step, work)
        return True
    ids = tuple(line.id for line in lines if line.id not in work.remarks)
    if len(work.remarks) + len(ids) > REMARKS:
        step.tell(f"{REMARKS} remarks wait already. `*feedback` has the section written again with them; then go on.")
        return True
    names = ", ".join(dict.fromkeys(line.name for line in lines))
    work = put(step, work, remarks=(*work.remarks, *ids))
    late = "" if seen else " It was written before the section was shown, so it waits."
    standing.stand(step, work, f"Noted, {names}: {standing.remarks(work)} to {work.number}.{late}")
    return True


def stopped(step: StepBuilder, work: DocumentWork, by: str) -> None:
    """`by` said stop: nothing is lost, and the document can be paused."""
    before = "stand" if work.draft and work.phase in ("standing", "finding", "editing") else work.redo or "section"
    if work.phase in ("existing", "asking", "counting", "another", "closing", "conflict", "resting"):
        stands(step, work)
        return
    telling.rest(step, work, before, f"{by} said stop. {work.title} rests; nothing is lost.", label="Go on")


def stands(step: StepBuilder, work: DocumentWork) -> None:
    """Put again what is waited for, by the phase, short."""
    match work.phase:
        case "next":
            cursor.go_on(step, work)
        case "existing":
            opening.stand_existing(step, work)
        case "asking":
            conditions.stand(step, work)
        case "counting" | "another":
            counting.stand(step, work)
        case "standing":
            standing.stand(step, work)
        case "finding":
            findings.stand(step, work)
        case "editing":
            standing.stand(step, work)
        case "closing":
            closing.stand(step, work)
        case "conflict":
            saving.stand_in_conflict(step, work)
        case "opening":
            telling.rest(step, work, "open", f"{work.title} is not begun yet.", label="Go on")
        case "saving":
            telling.rest(step, work, "save", f"What was accepted of {work.title} is not saved yet.", label="Go on")
        case "drafting" if work.draft:
            standing.stand(step, work)
        case _:
            telling.rest(step, work, work.redo or "section", f"{work.title} rests.", label="Go on")


def command(step: StepBuilder, work: DocumentWork, word: str, args: str, line: Utterance) -> bool:
    """`*edit`, `*back`, `*skip`, `*feedback`, and `*retry` where something can be tried again."""
    gate = step.session.gate
    if word == "retry" and isinstance(gate, RestGate) and work.phase == "resting":
        step.open_gate()
        go_on(step, work)
        return True
    if word in ("retry", "continue") and isinstance(gate, StopGate) and step.session.unfinished_reply:
        redraft(step, work)
        return True
    if word not in ("edit", "back", "skip", "feedback"):
        return False
    work = took_part(step, work, line.user)
    if word == "back" and isinstance(gate, StopGate | ClosingGate):
        moves.back(step, work, args, line)
        return True
    if not isinstance(gate, StopGate):
        return False
    match word:
        case "edit":
            moves.edit(step, work, args, line)
        case "skip":
            moves.skip(step, work, line)
        case "feedback":
            if args.strip():
                chat.hear(step, (line,))
                work = put(step, work, remarks=(*work.remarks, line.id)[-REMARKS:])
            if work.remarks:
                redraft(step, work)
            else:
                step.tell("No remark waits. Write what to change, or `*feedback` and what to change.")
        case _:
            return False
    return True
