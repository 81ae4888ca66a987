"""Sections that are written several times: how often, what each is called, and whether once more."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.core.events import Utterance
from bot.core.model import Choose, Option
from bot.core.modes.documents import cursor, telling
from bot.core.modes.documents.state import INSTANCES, CountGate, DocumentWork
from bot.core.modes.documents.telling import put
from bot.core.step_builder import StepBuilder
from bot.personas.model import fold


def noun(title: str) -> str:
    """What one instance is: the first word of a title, such as "Epic" of "Epic {{epic_number}} {{epic_title}}"."""
    first = re.match(r"\s*([^\W\d_]+)", title)
    return first[1] if first else ""


def is_list_of(word: str, ident: str, title: str) -> bool:
    """Whether a section of that id and title could hold the list of what is called `word`."""
    return bool(word) and fold(word) in re.split(r"[\W_]+", f"{fold(ident)} {fold(title)}")


def ask(step: StepBuilder, work: DocumentWork, names: Sequence[str]) -> None:
    """Ask, before the first of them, how often the section is to be written; `names` tell how often by the list."""
    work = put(step, work, phase="counting", instances=len(names))
    stand(step, work)


def ask_for_another(step: StepBuilder, work: DocumentWork) -> None:
    """The last instance is accepted: one more, or no more."""
    work = put(step, work, phase="another", draft=0)
    stand(step, work)


def stand(step: StepBuilder, work: DocumentWork) -> None:
    """Put the question of the phase again."""
    step.open_gate()
    if work.phase == "another":
        text, work = telling.told(step, work, f"All {work.instances} of this kind are accepted. Another one?")
        options = (Option("Add another", Choose("add")), Option("Complete", Choose("complete"), "go on"))
        step.halt(CountGate(work.who), options, text, by_host=True)
        return
    known = work.instances
    by_list = f" The list above has {known}." if known else ""
    text, work = telling.told(step, work, f"How often shall I write “{work.section}”, without a stop each?{by_list}")
    counts = tuple(Option(str(n), Choose(f"count:{n}")) for n in range(1, INSTANCES + 1))
    if known:
        counts = (Option(f"All {known}", Choose(f"count:{known}")), *counts[1 : max(known, 2)][:INSTANCES])
    step.halt(CountGate(work.who), counts, text, by_host=True)


def chosen(step: StepBuilder, work: DocumentWork, choice: str, line: Utterance) -> None:
    """Somebody said how often, or whether once more."""
    if choice == "add":
        work = put(step, work, instances=work.instances + 1)
        if work.instances > INSTANCES:
            work = put(step, work, instances=INSTANCES, lead=f"{INSTANCES} is the most, so I go on.")
        cursor.advance(step, work)
    elif choice == "complete":
        cursor.advance(step, work)
    else:
        count = int(choice.removeprefix("count:"))
        step.record(f"decided on {count} of {work.section} in {work.path}", line.user)
        cursor.go_on(step, put(step, work, instances=count, counted=True))
