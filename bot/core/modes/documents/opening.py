"""How a document begins: which template, where it goes, what stands there, which of its sections are to be written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import assert_never

from rapidfuzz import fuzz, process

from bot.core import failures, works
from bot.core.command_table import SURE
from bot.core.documents import reading
from bot.core.documents.definition import digest as digest_of
from bot.core.documents.definition import from_json, to_json, without
from bot.core.documents.filenames import filled_filename, flaw_of_path
from bot.core.documents.units import units
from bot.core.events import DocumentRead, ResourceLoaded, Utterance
from bot.core.model import Choose, Option, Run
from bot.core.modes.documents import configuration, cursor, ledger, moves, telling
from bot.core.modes.documents.state import NAME, DocumentWork, ExistingGate, Held, Part
from bot.core.modes.documents.telling import put
from bot.core.session import Waiting
from bot.core.step_builder import StepBuilder
from bot.core.steps import Entry, LoadResource, OpenThread, ReadDocument
from bot.personas.model import Cast, Persona, Resource, fold

METHODS = "elicitation-methods"
"""The page of the library with the methods that are offered at a stop."""

NAMES = 20
"""So many other names are tried where a document stands at the path."""

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
        cannot(step, work, f"the template `{work.template}` is no longer in the library")
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
        cannot(step, work, f"its template could not be read ({event.problem})")
        return
    try:
        definition = _read(event.text)
    except reading.TemplateError as problem:
        cannot(step, work, f"its template `{event.name}` has a fault: {problem}")
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
        cannot(step, work, str(problem))
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
        cannot(step, work, f"documents stand at all names up to `{work.path}`")
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


def cannot(step: StepBuilder, work: DocumentWork, why: str) -> None:
    """End a document that cannot be begun, for that reason."""
    step.tell(f"**{work.name}** was not begun: {why}.")
    works.end(step, why)
