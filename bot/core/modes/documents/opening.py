"""How a document begins: which template, where it goes, what stands there, which of its sections are to be written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import assert_never

from rapidfuzz import fuzz, process

from bot.core import asks, failures, replies, works
from bot.core.command_table import SURE
from bot.core.documents import reading
from bot.core.documents.definition import conditional, from_json, to_json, without
from bot.core.documents.definition import digest as digest_of
from bot.core.documents.filenames import filled_filename, flaw_of_path, placeholders
from bot.core.documents.units import units
from bot.core.events import DocumentRead, ModelFailed, ModelReplied, ResourceLoaded, Utterance
from bot.core.model import Choose, Option, Run
from bot.core.modes.documents import configuration, cursor, ledger, moves, telling
from bot.core.modes.documents.state import NAME, DocumentWork, ExistingGate, Held, OpeningGate, Part
from bot.core.modes.documents.telling import put
from bot.core.session import Waiting
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry, LoadResource, OpenThread, ReadDocument
from bot.personas.model import Cast, Persona, Resource, fold

METHODS = "elicitation-methods"
"""The page of the library with the methods that are offered at a stop."""

NAMES = 20
"""So many other names are tried where a document stands at the path."""

CONDITIONS = 20
"""So many conditions can be decided one by one; with more, all at once."""

_LIKE = 60.0

_read = lru_cache(maxsize=32)(reading.definition)
"""A template takes some ten milliseconds to read, and is the same for every document that is written by it."""


def start(step: StepBuilder, command: str, args: str, line: Utterance) -> None:
    """Begin by a command that has a template behind it, or by `*create-doc TEMPLATE`."""
    persona = step.persona
    if persona is None:
        return
    found, rest_of = template_of(step.cast, persona, command, args)
    if found is None:
        known = persona.command(command)
        lost = [name for name in known.uses if fold(name) != fold("create-doc")] if known else []
        if lost:
            step.tell(f"`*{command}` was not begun: the library has no template `{lost[0]}`.")
        else:
            _no_such(step, persona, args)
        return
    if not step.context.has_model:
        step.tell(f"No document was begun. {failures.line('no-key')}")
        return
    facts = (("project_name", rest_of),) if rest_of else ()
    work = DocumentWork(
        works.work_id(step), persona.id, found.stem, name=found.title or found.stem.removesuffix("-tmpl"), facts=facts
    )
    if not works.begin(step, work):
        return
    step.change(called=True)
    if step.context.opens_thread:
        step.tell(f"**{work.name}**: {persona.name} writes it with you in the thread below.")
        wanted = OpenThread(work.name, persona.id, "create-doc", f"{found.stem} {rest_of}".strip())
        step.wait(wanted, Waiting(persona.id, "thread", NAME))
        return
    load(step, work)


def template_of(cast: Cast, persona: Persona, command: str, args: str) -> tuple[Resource | None, str]:
    """The template that a command, or its arguments, name, and the rest of these."""
    known = persona.command(command)
    for name in known.uses if known else ():
        if found := cast.resource(persona, name, "templates"):
            return found, " ".join(args.split())
    word, _, rest_of = args.strip().partition(" ")
    listed = cast.resources_of(persona, "templates")
    if word.isdecimal() and 1 <= int(word) <= len(listed):
        return listed[int(word) - 1], " ".join(rest_of.split())
    for name in (word, f"{word}-tmpl"):
        if found := cast.resource(persona, name, "templates"):
            return found, " ".join(rest_of.split())
    every = {fold(r.stem.removesuffix("-tmpl")): r for r in cast.resources if r.kind == "templates"}
    every |= {fold(r.stem.removesuffix("-tmpl")): r for r in listed}
    near = process.extractOne(fold("-".join(args.split())), list(every), scorer=fuzz.ratio, score_cutoff=SURE)
    near = near or process.extractOne(fold(word), list(every), scorer=fuzz.ratio, score_cutoff=SURE)
    return (every[near[0]], "") if near else (None, "")


def _no_such(step: StepBuilder, persona: Persona, args: str) -> None:
    listed = step.cast.resources_of(persona, "templates")
    near = process.extract(fold(args), [fold(r.stem) for r in listed], scorer=fuzz.partial_ratio, score_cutoff=_LIKE)
    shown = [listed[place] for place in dict.fromkeys([*(place for _, _, place in near), *range(len(listed))])]
    if not shown:
        step.tell("The library holds no templates, so no document can be begun.")
        return
    options = tuple(Option(r.stem, Run("create-doc", r.stem), r.title) for r in shown[:20])
    step.tell("There is no template of that name. These are there:", step.menu(options))


# ---------------------------------------------------------------- reading


def load(step: StepBuilder, work: DocumentWork) -> None:
    """Read the template; then the methods, the configuration, and what stands at the path."""
    work = put(step, work, phase="opening", redo="")
    persona = step.cast.persona(work.who)
    found = step.cast.resource(persona, work.template, "templates")
    if found is None:
        _cannot(step, work, f"the template `{work.template}` is no longer in the library")
        return
    step.wait(LoadResource(work.who, "templates", found.name), Waiting(work.who, "template", NAME))


def loaded(step: StepBuilder, work: DocumentWork, purpose: str, event: ResourceLoaded) -> None:
    """A file of the library was read, or not."""
    if purpose == "configuration":
        configured(step, work, event)
        return
    if purpose == "methods":
        if event.text is not None:
            step.note(Entry("kept", work.who, event.text, id=work.methods))
        _configure(step, work)
        return
    if event.text is None:
        _cannot(step, work, f"its template could not be read ({event.problem})")
        return
    try:
        definition = _read(event.text)
    except reading.TemplateError as problem:
        _cannot(step, work, f"its template `{event.name}` has a fault: {problem}")
        return
    step.note(Entry("kept", work.who, to_json(definition), id=work.definition))
    work = put(step, work, name=definition.name or work.name, path=definition.filename)
    page = step.cast.resource(step.cast.persona(work.who), METHODS, "data")
    if page is None:
        _configure(step, work)
        return
    step.wait(LoadResource(work.who, "data", page.name), Waiting(work.who, "methods", NAME))


def _configure(step: StepBuilder, work: DocumentWork) -> None:
    """Read the channel's configuration: it says where documents go."""
    step.wait(ReadDocument(configuration.PATH), Waiting(work.who, "configuration", NAME))


def configured(step: StepBuilder, work: DocumentWork, event: DocumentRead | ResourceLoaded) -> None:
    """The configuration says where the document goes, the channel's own before the pack's: see what stands there."""
    match event:
        case DocumentRead(version=0):
            pack = step.cast.resource(step.cast.persona(work.who), configuration.STEM, "config")
            if pack is not None:
                step.wait(LoadResource(work.who, "config", pack.name), Waiting(work.who, "configuration", NAME))
                return
            known = configuration.resolved(work.path, None)
        case DocumentRead(text=text):
            known = configuration.resolved(work.path, text, f"(`{configuration.PATH}`, a document of this channel)")
        case ResourceLoaded(name=name, text=text):
            known = configuration.resolved(work.path, text, f"(`{name}`, of the pack)")
        case _:
            assert_never(event)
    work = put(step, work, lead=f"_{known.trouble}_" if known.trouble else "")
    try:
        filled, missing = filled_filename(known.path, work.known)
    except ValueError as problem:
        _cannot(step, work, str(problem))
        return
    # What nobody has said yet gets a name of its own; people can give another.
    for name in missing:
        filled = re.sub(r"\{\{\s*" + re.escape(name) + r"\s*\}\}", "x", filled)
    look_at(step, put(step, work, path=filled))


def look_at(step: StepBuilder, work: DocumentWork) -> None:
    """Read what stands at the path."""
    step.wait(ReadDocument(work.path), Waiting(work.who, "standing", NAME))


def found(step: StepBuilder, work: DocumentWork, event: DocumentRead) -> None:
    """What stands at the path: nothing, or a document that nobody may lose without a choice."""
    if event.version == 0:
        telling.recall(step, put(step, work, version=0), "define", (work.definition,))
        return
    if work.redo == "other":
        other(step, work)
        return
    work = put(step, work, version=event.version, phase="existing")
    stand_existing(step, work)


def stand_existing(step: StepBuilder, work: DocumentWork) -> None:
    """A document stands at the path: what shall become of it?"""
    step.open_gate()
    text, work = telling.told(step, work, f"A document stands at `{work.path}` already (version {work.version}).")
    options = (
        Option("Go on with it", Choose("on"), "where its sections end"),
        Option("Start again", Choose("again"), "the old one stays in the history"),
        Option("Another name", Choose("other"), f"`{_other(work.path)}`"),
        Option("Leave it", Choose("leave"), "nothing is begun"),
    )
    step.halt(ExistingGate(work.who), options, text, by_host=True)


def existing_chosen(step: StepBuilder, work: DocumentWork, choice: str, line: Utterance) -> None:
    """Somebody said what shall become of it."""
    work = put(step, work, phase="opening")
    if choice == "on":
        step.wait(ReadDocument(work.path), Waiting(work.who, "take up", NAME))
    elif choice == "again":
        step.record(f"began {work.path} again; version {work.version} stays in its history", line.user)
        telling.recall(step, work, "define", (work.definition,))
    elif choice == "other":
        other(step, work)
    else:
        step.tell(f"`{work.path}` stays as it is; nothing was begun.")
        works.end(step, f"{line.name} left it")


def other(step: StepBuilder, work: DocumentWork) -> None:
    """Take the next free name."""
    path = _other(work.path)
    if int(re.search(r"-(\d+)\.", path + ".", re.ASCII)[1] or 0) > NAMES:  # type: ignore[index]
        _cannot(step, work, f"documents stand at all names up to `{work.path}`")
        return
    look_at(step, put(step, work, path=path, redo="other", phase="opening"))


def _other(path: str) -> str:
    stem, dot, extension = path.rpartition(".")
    stem, extension = (stem, dot + extension) if dot else (path, "")
    number = re.fullmatch(r"(.*)-(\d+)", stem, re.ASCII | re.DOTALL)
    return f"{number[1]}-{int(number[2]) + 1}{extension}" if number else f"{stem}-2{extension}"


def is_path(text: str) -> bool:
    """Whether words name a file: one word with a folder or an ending."""
    word = text.strip()
    return bool(word) and not re.search(r"\s", word) and ("/" in word or word.endswith((".md", ".yml", ".yaml")))


def named(step: StepBuilder, work: DocumentWork, path: str) -> bool:
    """Take the path that somebody wrote; False where it is none."""
    if flaw := flaw_of_path(path):
        step.tell(f"The path `{path}` {flaw}. Nothing was changed.")
        return False
    step.open_gate()
    look_at(step, put(step, work, path=path, redo="", phase="opening"))
    return True


def taken_up(step: StepBuilder, work: DocumentWork, event: DocumentRead) -> None:
    """The document that stands is to be gone on with: its parts by its ledger, where that tells them."""
    book = ledger.load(event.meta)
    parts = ledger.parts_of(book, event.text) if book else None
    if book is None or parts is None:
        work = put(step, work, lead="_It was written or changed by other means, so I cannot tell its sections apart._")
        stand_existing(step, put(step, work, phase="existing", version=event.version))
        return
    accepted = []
    for row, text in zip(book.rows, parts, strict=True):
        work = telling.kept(step, work, text)
        accepted.append(Part(row.place, row.instance, work.kept, row.by))
    work = telling.kept(step, work, book.dump())
    work = put(
        step, work, ledger=work.kept, accepted=tuple(accepted), version=event.version, dropped=book.dropped,
        facts=book.facts, choice=None, redo=book.digest,
    )  # fmt: skip
    telling.recall(step, work, "go on", (work.definition,))


def gone_on(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """Its parts are known: put the cursor behind them."""
    definition = texts.get(work.definition)
    if definition is None or digest_of(from_json(definition)) != work.redo:
        text = "_It was written by another version of the template, so its sections cannot be told apart._"
        work = put(step, work, accepted=(), ledger=0, dropped=(), lead=text, phase="existing", redo="")
        stand_existing(step, work)
        return
    plan = units(without(from_json(definition), work.dropped))
    have = {part.place for part in work.accepted}
    at = next((at for at, unit in enumerate(plan) if unit.place not in have), len(plan))
    work = put(step, work, of=len(plan), at=at, redo="")
    if at >= len(plan):
        work = put(step, work, held=Held(len(plan)))
        lead = f"_All {len(plan)} sections of `{work.path}` are there: the last is open again; `*back` opens others._"
        moves.open_again(step, work, max(work.accepted, key=lambda part: part.text), lead)
        return
    cursor.go_on(step, put(step, work, lead=f"_{work.title}: {at} of {len(plan)} sections are there; I go on._"))


def _cannot(step: StepBuilder, work: DocumentWork, why: str) -> None:
    step.tell(f"**{work.name}** was not begun: {why}.")
    works.end(step, why)


# ---------------------------------------------------------------- conditions and facts


def defined(step: StepBuilder, work: DocumentWork, texts: Mapping[str, str]) -> None:
    """The template is read: let the persona say which conditions hold, then ask people, all at once."""
    text = texts.get(work.definition)
    if text is None:
        _cannot(step, work, "its template was deleted")
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
        _cannot(step, work, "its template was deleted")
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
    loaded = [f"templates/{work.template}"] + ([f"data/{METHODS}"] if _has_methods(step, work) else [])
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
    return step.cast.resource(step.cast.persona(work.who), METHODS, "data") is not None


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
        _cannot(step, work, "its template was deleted")
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
        _cannot(step, work, "its template was deleted")
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
