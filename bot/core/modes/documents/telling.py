"""What people and the model are told about a document under way; and the small changes of its state that go with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.core import works
from bot.core.model import Choose, Option
from bot.core.modes.documents.state import NAME, DocumentWork, RestGate
from bot.core.session import Waiting
from bot.core.shapes import DELIMITER, MARK
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry, Recall
from bot.core.voices import Names, quoted


def put(step: StepBuilder, work: DocumentWork, **changes: Any) -> DocumentWork:
    """Give the work these fields, and let it stand in the session so."""
    changed = replace(work, **changes)
    works.change(step, changed)
    return changed


def kept(step: StepBuilder, work: DocumentWork, text: str) -> DocumentWork:
    """Keep a text under the work's next number, `work.kept`."""
    number = work.kept + 1
    step.note(Entry("kept", work.who, text, id=work.text(number)))
    return put(step, work, kept=number)


def recall(step: StepBuilder, work: DocumentWork, purpose: str, ids: Iterable[str]) -> None:
    """Read texts of the work again; what comes back is for `purpose`."""
    step.wait(Recall(tuple(dict.fromkeys(ids))), Waiting(work.who, purpose, NAME))


def told(step: StepBuilder, work: DocumentWork, text: str) -> tuple[str, DocumentWork]:
    """`text` below the line that is to go before whatever is posted next, and the work without that line."""
    if not work.lead:
        return text, work
    return f"{work.lead}\n\n{text}", put(step, work, lead="")


def rest(step: StepBuilder, work: DocumentWork, redo: str, why: str, *, label: str = "Try again") -> None:
    """Something went wrong or was stopped: go on with `redo`, pause, or leave the document as it is."""
    work = put(step, work, phase="resting", redo=redo)
    step.open_gate()
    text, work = told(step, work, why)
    options = (
        Option(label, Choose("on")),
        Option("Pause", Choose("pause"), "`*resume` goes on with it"),
        Option("Leave it", Choose("leave"), "what is saved stays"),
    )
    step.halt(RestGate(work.who), options, text, by_host=True)


def head(work: DocumentWork) -> str:
    """What stands above a text that is proposed."""
    what = "New draft" if work.draft else "Draft"
    lead = f"{work.lead}\n\n" if work.lead else ""
    return f"{lead}**{what}, {work.where}**\n\n"


def reasons(why: str, names: Names) -> str:
    """Why a text is as it is, as a quotation of whoever wrote it, so that nothing in it looks like the host's."""
    said = quoted(why, names).markdown.strip()
    return "\n".join(f"> {line}".rstrip() for line in f"**Why so:** {said}".split("\n")) if said else ""


# ---------------------------------------------------------------- to the model

OPENING = f"""\
You now write "{{name}}" with the people here, one section at a time; it becomes `{{path}}`. The host tells you which \
section to write, shows what you write, asks people, saves what they accept and goes on. None of that is yours: write \
no other section, no menu, and never that something was accepted or saved. What it builds on (a brief, a PRD, an \
architecture) is read first, where the channel has it and you have a tool for that. How to answer:
- The text of the section. Then a line with nothing but `{DELIMITER}`. Then, in at most five lines, why it is so: what \
you chose over what, what you assumed, what you are least sure of, and who should check it.
- When people want it changed: first a line with nothing but `{MARK}`, then the whole section as it is to be, then \
`{DELIMITER}` and why. When they only ask something, answer in words and without those lines; the text then stays."""

FEEDBACK = (
    "What people said last is about {where}. If it wants a change, write the whole section again, as you were told "
    f"for changes (`{MARK}` first). If it only asks, answer in words; the text then stays as it is."
)

FAULTS = (
    "The draft of {where} cannot stand as it is. Write the whole section once more, without these faults:\n{faults}"
)

METHOD = (
    "Somebody chose to look at {where} by this method: {method}.\n{how}\n\nDo that with the text as it stands. Write "
    "what you found, in at most 150 words. If the text should change because of it, put a line with nothing but "
    f"`{MARK}` below that, then the whole section as it would be. If nothing should change, leave both out."
)

DISCUSSED = (
    "What people said last is about what you found by {method} in {where}. Answer in words. If the text should be "
    f"another one than you proposed, put a line `{MARK}` below that, then the whole section as it would be."
)


def note(step: StepBuilder, work: DocumentWork, text: str, call: str = "") -> None:
    """Something that the model has to know."""
    step.note(Entry("note", work.who, text, call=call))
