"""What comes of `*docs` and `*doc-out`: lists, texts, what changed, questions, and what was done."""

from __future__ import annotations

import json

from bot.core import diffs, works
from bot.core.doc_arguments import quoted
from bot.core.events import (
    DocumentDeleted,
    DocumentHistoryTold,
    DocumentRead,
    DocumentRefused,
    DocumentRenamed,
    DocumentsListed,
    DocumentStale,
    DocumentWritten,
    Result,
)
from bot.core.gates import DocsGate
from bot.core.model import Decide, Option, Run
from bot.core.modes import chat, docs
from bot.core.modes.files import label
from bot.core.spaces import DocumentInfo, Version, ago, in_bytes
from bot.core.step_builder import StepBuilder
from bot.core.steps import DocumentFile, ReadDocument, RenameDocument

NONE = "This channel has no documents yet. `*docs add PATH` with a file makes one."

DECIDED = ("deleted", "restored", "taken", "added")
"""Purposes of what was decided at a gate, which stood above whatever is being done: that stands again then."""


def result(step: StepBuilder, purpose: str, event: Result) -> None:
    """What a command had asked for has come. Raises ValueError for what none of them asks for."""
    verb, *details = json.loads(purpose)
    match event:
        case DocumentsListed(documents, now):
            _listed(step, verb, details, documents, now)
        case DocumentHistoryTold(path, versions, now):
            _versions(step, verb, details, path, versions, now)
        case DocumentRead():
            _read(step, verb, details, event)
        case DocumentWritten(path, version, notice):
            _written(step, verb, details, path, version, notice)
        case DocumentRenamed(path, to, version):
            step.tell(f"`{path}` is `{to}` now (version {version}); its history came along.")
        case DocumentDeleted(path):
            step.tell(f"`{path}` is deleted, with all its versions.")
        case DocumentStale(path, version):
            _stale(step, verb, details, path, version)
        case DocumentRefused(_, problem):
            step.tell(problem)
        case _:
            raise ValueError(f"{type(event).__name__} is nothing that `*docs` can have asked for")
    if verb in DECIDED:
        works.stand(step)


def _missing(step: StepBuilder, path: str, version: str = "") -> None:
    """The same for a document of another channel, one that was deleted and one that never was."""
    # What somebody typed may be anything: as a label it stays on one line.
    shown = label(path)
    if version:
        step.tell(f"There is no version {version} of {shown} here. `*docs history` and its path lists what there is.")
    else:
        step.tell(f"There is no document {shown} here. `*docs` lists what there is.")


def _listed(step: StepBuilder, verb: str, details: list[str], documents: tuple[DocumentInfo, ...], now: float) -> None:
    if not documents:
        step.tell(NONE)
        return
    counted = "1 document" if len(documents) == 1 else f"{len(documents)} documents"
    match verb:
        case "export":
            it = "It goes" if len(documents) == 1 else "They go"
            step.tell(f"{counted} of this channel, as they stand now. {it} as one archive.", file=DocumentFile())
        case "out" if len(documents) == 1:
            _send(step, documents[0].path, documents[0].version)
        case "out":
            options = tuple(
                Option(info.path, Run("doc-out", quoted(info.path)), _about(info, now)) for info in documents
            )
            step.tell("Which document shall go out as a file?", step.page("files", options, int((details or ["0"])[0])))
        case _:
            options = tuple(Option(i.path, Run("docs", f"show {quoted(i.path)}"), _about(i, now)) for i in documents)
            menu = step.page("documents", options, int(details[0]), prompt="Pick a number to read one.")
            step.tell(f"**{counted}** here. `*docs help` tells what can be done with them.", menu)


def _about(info: DocumentInfo, now: float) -> str:
    """`version 4, 2 hours ago, by Ana, accepted by Bo, 12 KB`."""
    return _facts(f"version {info.version}", info, now)


def _facts(first: str, info: DocumentInfo | Version, now: float) -> str:
    approved = f"accepted by {', '.join(info.approved_by)}" if info.approved_by else ""
    by = f"by {info.by}" if info.by else ""
    return ", ".join(part for part in (first, ago(now - info.at), by, approved, in_bytes(info.size)) if part)


def _versions(
    step: StepBuilder, verb: str, details: list[str], path: str, versions: tuple[Version, ...], now: float
) -> None:
    if not versions:
        _missing(step, path)
        return
    newest = versions[-1].version
    match verb:
        case "history":
            options = tuple(
                Option(f"Version {v.version}", Run("docs", f"show {quoted(path)} {v.version}"), _facts("", v, now))
                for v in reversed(versions)
            )
            menu = step.page(
                f"versions:{path}", options, int((details or ["0"])[0]), prompt="Pick a number to read one."
            )
            step.tell(f"The versions of `{path}`, newest first:", menu)
        case "diff" if len(versions) < 2:
            step.tell(f"`{path}` has only version {newest}, so there is nothing to compare.")
        case "diff":
            docs.ask(step, ReadDocument(path, newest, versions[-2].version), "compare")
        case "rename":
            docs.ask(step, RenameDocument(path, newest, details[0]), "rename")
        case "restore" if int(details[0]) == newest:
            step.tell(f"Version {newest} of `{path}` is the one that stands.")
        case "restore" if all(v.version != int(details[0]) for v in versions):
            _missing(step, path, details[0])
        case "restore":
            gate = DocsGate("restore", path, newest, int(details[0]))
            question = f"Shall version {details[0]} of `{path}` stand again? Version {newest} stays in the history."
            _halt(step, gate, question, f"Yes, version {details[0]} again", "No, leave it")
        case _:
            all_of_them = "its one version" if len(versions) == 1 else f"all its {len(versions)} versions"
            question = f"Shall I delete `{path}` with {all_of_them}? It cannot be undone."
            _halt(step, DocsGate("delete", path, newest), question, "Yes, delete it", "No, keep it")


def _halt(step: StepBuilder, gate: DocsGate, question: str, yes: str, no: str) -> None:
    """Ask above whatever is being done; it stands again when people have decided."""
    chat.withdraw(step)
    works.close(step, "a document may be changed")
    step.halt(gate, (Option(yes, Decide("yes")), Option(no, Decide("no"))), question, by_host=True)


def _read(step: StepBuilder, verb: str, details: list[str], read: DocumentRead) -> None:
    if not read.version:
        _missing(step, read.path, details[0] if details and verb != "compare" else "")
        return
    of = f"version {read.version}" + (f" of {read.current}" if read.current != read.version else "")
    match verb:
        case "out":
            _send(step, read.path, read.version, *details[1:2])
        case "compare" if not read.before_version:
            _missing(step, read.path, details[0] if details else "")
        case "compare":
            told = diffs.told(read.before, read.text)
            step.tell(f"`{read.path}`: what changed from version {read.before_version} to {of}.\n\n{told}")
        case _:
            step.tell(f"`{read.path}`, {of}. This is what it says:\n\n{read.text.strip()}")


def _send(step: StepBuilder, path: str, version: int, form: str = "md") -> None:
    step.tell(f"`{path}`, version {version}, as a file.", file=DocumentFile(path, version, form))


def _written(step: StepBuilder, verb: str, details: list[str], path: str, version: int, notice: str) -> None:
    match verb:
        case "restored":
            told = f"Version {details[0]} of `{path}` stands again, as version {version}."
        case "take" | "taken":
            told = f"`{path}` is here now, as version {version}. The one in your direct messages stays."
        case _:
            told = f"`{path}` is a document of this channel now, version {version}. `*docs` lists them."
    step.tell(f"{told}\n\n{notice}" if notice else told)


def _stale(step: StepBuilder, verb: str, details: list[str], path: str, version: int) -> None:
    question = f"A document stands at `{path}` (version {version}). Shall the new text follow it, as its next version?"
    match verb:
        case "add" if version:
            gate = DocsGate("add", path, version, kept=details[0], user=details[1])
            _halt(step, gate, question, "Yes, as the next version", "No, leave it")
        case "take" if version:
            gate = DocsGate("take", path, version, user=details[0])
            _halt(step, gate, question, "Yes, as the next version", "No, leave it")
        case _ if version:
            step.tell(f"Somebody changed `{path}` meanwhile: it stands in version {version}. Nothing was done.")
        case _:
            step.tell(f"`{path}` is gone meanwhile. Nothing was done.")
