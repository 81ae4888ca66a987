"""What is asked before the first section: which of those that depend on something are to be written, and names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.core import asks, replies
from bot.core.documents.definition import conditional, from_json, without
from bot.core.documents.filenames import placeholders
from bot.core.documents.units import units
from bot.core.events import ModelFailed, ModelReplied, Utterance
from bot.core.model import Choose, Option
from bot.core.modes.documents import cursor, opening, telling
from bot.core.modes.documents.state import NAME, DocumentWork, OpeningGate
from bot.core.modes.documents.telling import put
from bot.core.session import Waiting
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry

CONDITIONS = 20
"""So many conditions can be decided one by one; with more, all at once."""


def defined(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """The template is read: let the persona say which conditions hold, then ask people, all at once."""
    text = texts.get(work.definition)
    if text is None:
        opening.cannot(step, work, "its template was deleted")
        return
    definition = from_json(text)
    held = conditional(definition)[:CONDITIONS]
    if not held:
        ask_people(step, work, texts)
        return
    conditions = "\n".join(
        f"{n}. {section.title or section.id}: {section.condition}" for n, section in enumerate(held, 1)
    )
    telling.note(
        step,
        work,
        f'The document "{definition.name}" has sections that are only written if something holds. By what was said '
        "here, does it? Answer with one line for each, nothing else: its number, `yes` or `no`, a colon, and the "
        f"evidence in at most twelve words; `no: nothing was said` where there is none.\n{conditions}",
    )
    work = put(step, work, dropped=tuple(section.id for section in held))
    asks.ask(step, NAME, who=work.who, purpose="evidence", shape="silent")


def evidence(step: StepBuilder, work: DocumentWork, waiting: Waiting, event: ModelReplied | ModelFailed) -> None:
    """What the persona thinks of the conditions; a reply that tells nothing proposes nothing."""
    step.change(tools=None)
    said = ""
    if isinstance(event, ModelReplied):
        heard = replies.keep(step, waiting, event)
        replies.warn(step, event.notice)
        for call in heard.calls:
            step.note(Entry("result", work.who, "Refused: answer in words, a line for each condition.", call=call.id))
        said = heard.text
    work = telling.kept(step, work, said)
    telling.recall(step, put(step, work, proposal=work.kept), "ask people", (work.definition, work.text(work.kept)))


def ask_people(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """Tell what is begun, and put all that is to be decided before people at once."""
    text = texts.get(work.definition)
    if text is None:
        opening.cannot(step, work, "its template was deleted")
        return
    definition = from_json(text)
    held = conditional(definition)[:CONDITIONS]
    says = _evidence(texts.get(work.text(work.proposal), ""))
    if work.proposal:
        yes = {held[number - 1].id for number, (holds, _) in says.items() if holds and number <= len(held)}
        work = put(step, work, dropped=tuple(section.id for section in held if section.id not in yes), proposal=0)
    plan = units(without(definition, work.dropped))
    stops = sum(unit.stop for unit in plan)
    lacks = [name for name in placeholders(definition.title) if name not in work.known]
    yolo = f"yolo is on (by {step.session.yolo_by or 'somebody'})" if step.session.yolo else "yolo is off"
    sections = f"{len(plan)} section{'' if len(plan) == 1 else 's'}"
    asked = f"{stops} of them stop for you" if stops else "one stop at the end"
    head = f"**{definition.name}** becomes `{work.path}`: {sections}, {asked}; {yolo}. `*status` tells how far it is."
    loaded = [f"templates/{work.template}"] + ([f"data/{opening.METHODS}"] if _has_methods(step, work) else [])
    lines = [head, f"_Loaded: {', '.join(loaded)}._"]
    if held:
        lines.append("These sections are only written if something holds:")
        for number, section in enumerate(held, 1):
            because = says.get(number, (False, "nothing was said about it"))[1]
            proposed = "leave out" if section.id in work.dropped else "write"
            title = _plain(section.title or section.id)
            lines.append(f"- **{title}**, if: {section.condition} (proposed: {proposed}; {because})")
    if lacks:
        lines.append(f"Its title needs a name: write it in one line, or begin without ({', '.join(lacks)} stays open).")
    if open_parts := [name for name in placeholders(definition.filename) if name not in work.known]:
        lines.append(f"Its path has no value for {', '.join(open_parts)}: write the path that it shall have.")
    words, work = telling.told(step, work, "\n".join([lines[0], lines[1], "", *lines[2:]]).strip())
    work = put(step, work, phase="asking", of=len(plan))
    if not held and not lacks and not open_parts:
        step.tell(words)
        cursor.go_on(step, work)
        return
    _halt(step, put(step, work, kept=work.kept), words, tuple((s.id, _plain(s.title or s.id)) for s in held))


def _halt(step: StepBuilder, work: DocumentWork, words: str, held: tuple[tuple[str, str], ...]) -> None:
    step.open_gate()
    options = [Option("Begin as proposed" if held else "Begin", Choose("begin"))]
    if held:
        options += [Option("Begin with all of them", Choose("all")), Option("Begin without them", Choose("none"))]
    for ident, title in held:
        label = f"Write: {title}" if ident in work.dropped else f"Leave out: {title}"
        options.append(Option(label[:80], Choose(f"turn:{ident}")))
    step.halt(OpeningGate(work.who), tuple(options), words, by_host=True)


def _plain(title: str) -> str:
    return " ".join(re.sub(r":?\s*\{[^{}]*\||\{\{[^{}]*\}\}|[{}]", "", title).split()).rstrip(":") or title


def _evidence(said: str) -> dict[int, tuple[bool, str]]:
    """What a reply says of each condition, by its number: whether it holds, and why, in one short line."""
    found: dict[int, tuple[bool, str]] = {}
    for line in said.splitlines():
        if told := re.match(r"\s*[-*]?\s*(\d{1,2})[.):]?\s*[`*]*(yes|no)\b[`*]*\s*[:,-]*\s*(.*)$", line, re.IGNORECASE):
            why = " ".join(told[3].replace("`", "").split())[:120]
            found.setdefault(int(told[1]), (told[2].lower() == "yes", why or "no reason given"))
    return found


def _has_methods(step: StepBuilder, work: DocumentWork) -> bool:
    return step.cast.resource(step.cast.persona(work.who), opening.METHODS, "data") is not None


def stand(step: StepBuilder, work: DocumentWork) -> None:
    """Ask again, short, what the opening asks."""
    telling.recall(step, work, "opening", (work.definition,))


def chosen(step: StepBuilder, work: DocumentWork, choice: str, line: Utterance) -> None:
    """Somebody decided on the conditions, on one of them or on all."""
    if choice.startswith("turn:"):
        ident = choice.removeprefix("turn:")
        dropped = (
            tuple(other for other in work.dropped if other != ident)
            if ident in work.dropped
            else (*work.dropped, ident)
        )
        work = put(step, work, dropped=dropped)
        telling.recall(step, work, "opening", (work.definition,))
        return
    meant = {"all": "with every section", "none": "without what depends on something"}.get(choice, "as proposed")
    step.record(f"began {work.path}, {meant}", line.user)
    telling.recall(step, put(step, work, redo=f"{choice}:{line.name}"), "begin", (work.definition,))


def asked_again(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """The same question with what was decided so far."""
    text = texts.get(work.definition)
    if text is None:
        opening.cannot(step, work, "its template was deleted")
        return
    held = conditional(from_json(text))[:CONDITIONS]
    titles = tuple((section.id, _plain(section.title or section.id)) for section in held)
    out = ", ".join(title for ident, title in titles if ident in work.dropped) or "nothing"
    words, work = telling.told(
        step, work, f"{work.name}: left out so far: {out}." if held else f"{work.name} can begin."
    )
    _halt(step, work, words, titles)


def begin(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """People have decided: begin with the first section."""
    text = texts.get(work.definition)
    if text is None:
        opening.cannot(step, work, "its template was deleted")
        return
    choice, _, name = work.redo.partition(":")
    definition = from_json(text)
    held = tuple(section.id for section in conditional(definition))
    if choice == "all":
        work = put(step, work, dropped=())
    elif choice == "none":
        work = put(step, work, dropped=held)
    plan = units(without(definition, work.dropped))
    titles = [_plain(s.title or s.id) for s in conditional(definition) if s.id in work.dropped]
    out = f"without {', '.join(titles)}" if titles else "with every section"
    telling.note(step, work, f'The document "{definition.name}" was begun, {out}.')
    lead = f"_{name} began it, {out}._" if held else ""
    cursor.go_on(step, put(step, work, of=len(plan), redo="", lead=lead))


def fact(step: StepBuilder, work: DocumentWork, line: Utterance) -> None:
    """Words at the opening: the name that the title needs, if it still needs one; else something to know."""
    words = " ".join(line.text.split())
    if "project_name" not in work.known and len(words) <= 60 and "\n" not in line.text.strip():
        work = put(step, work, facts=(*work.facts, ("project_name", words)))
        work = put(step, work, lead=f"_Its name is {words}._")
    else:
        work = put(step, work, lead="_I keep that in mind._")
    stand(step, work)
