"""The workspace: what people do with the documents of their channel, by `*docs` and `*doc-out`.

Every command asks for something (`step.wait`) and goes on in `docs_results`; what is still to be known then goes
along as the purpose. What replaces or deletes a text asks at a `DocsGate` first.
"""

from __future__ import annotations

import json
from typing import assert_never

from bot.core import works
from bot.core.doc_arguments import FORMS, Named, form_of, named, two_paths
from bot.core.events import Utterance
from bot.core.gates import DocsGate
from bot.core.model import Decide, Option
from bot.core.modes import files
from bot.core.session import Waiting
from bot.core.spaces import DOCUMENT_BYTES, in_bytes
from bot.core.step_builder import StepBuilder
from bot.core.steps import (
    CopyDocument,
    DeleteDocument,
    DocumentHistory,
    Entry,
    ListDocuments,
    ReadDocument,
    Request,
    WriteDocument,
)

OWNER = "docs"

USAGE = """\
`*docs` lists the documents of this channel. With a path:

- `*docs show PATH [VERSION]`, `*docs history PATH`, `*docs diff PATH [VERSION [VERSION]]`
- `*docs restore PATH VERSION`, `*docs rename PATH NEW-PATH`, `*docs delete PATH`
- `*docs add PATH` with a file, or with the text below that line; `*docs take PATH` from your direct messages with me
- `*doc-out PATH` sends it as a file (`as docx`, `as html`), `*docs export` all of them as one"""

# ---------------------------------------------------------------- commands


def run(step: StepBuilder, args: str, line: Utterance) -> None:
    """`*docs ...`."""
    verb = "".join(args.split(maxsplit=1)[:1])
    rest = args.strip()[len(verb) :].lstrip(" ")
    wanted = named(rest)
    match verb.casefold():
        case "" | "list":
            listing(step)
        case "export":
            ask(step, ListDocuments(), "export")
        case "rename":
            old, new = two_paths(rest)
            if old and new:
                ask(step, DocumentHistory(old), "rename", new)
            else:
                step.tell("Say both paths: `*docs rename OLD NEW`.")
        case "add":
            _add(step, rest, line)
        case _ if verb.casefold() in _WITH_A_PATH and not wanted.path:
            step.tell(f"Say which document: `*docs {verb.casefold()} PATH`. `*docs` lists what there is.")
        case "show":
            ask(step, ReadDocument(wanted.path, *wanted.versions[:1]), "show", *map(str, wanted.versions[:1]))
        case "history":
            history(step, wanted.path)
        case "diff":
            _diff(step, wanted)
        case "restore" if wanted.versions:
            ask(step, DocumentHistory(wanted.path), "restore", str(wanted.versions[0]))
        case "restore":
            step.tell(f"Say which version: `*docs restore {wanted.path} VERSION`.")
            history(step, wanted.path)
        case "delete":
            ask(step, DocumentHistory(wanted.path), "delete")
        case "take":
            copied = CopyDocument(wanted.path, 0, wanted.path, own=True, meta=_meta(line))
            ask(step, copied, "take", line.user)
        case _ if "." in verb or "/" in verb:
            run(step, f"show {args}", line)
        case _:
            step.tell(USAGE)


_WITH_A_PATH = ("show", "history", "diff", "restore", "delete", "take")


def out(step: StepBuilder, args: str, first: int = 0) -> None:
    """`*doc-out [path] [as form]`: a document as a file; without a path the one in work, the only one, or a list.

    The list is shown from the entry `first` on.
    """
    args, form = form_of(args)
    if form not in FORMS:
        step.tell(f"I can send a document as {', '.join(FORMS[:-1])} or {FORMS[-1]}, not as `{form}`.")
        return
    # A mode whose works write a document keeps its path in their state.
    wanted = named(args or str(getattr(works.top(step.session), "path", "")))
    if wanted.path:
        number = str(wanted.versions[0]) if wanted.versions else ""
        ask(step, ReadDocument(wanted.path, *wanted.versions[:1]), "out", number, form)
    else:
        ask(step, ListDocuments(), "out", str(first))


def listing(step: StepBuilder, first: int = 0) -> None:
    """The documents, from that entry on."""
    ask(step, ListDocuments(), "list", str(first))


def history(step: StepBuilder, path: str, first: int = 0) -> None:
    """The versions of a document, newest first, from that entry on."""
    ask(step, DocumentHistory(path), "history", str(first))


def _diff(step: StepBuilder, wanted: Named) -> None:
    match wanted.versions:
        case ():
            ask(step, DocumentHistory(wanted.path), "diff")
        case (old,):
            ask(step, ReadDocument(wanted.path, against=old), "compare", str(old))
        case (one, other, *_):
            old, new = sorted((one, other))
            ask(step, ReadDocument(wanted.path, new, against=old), "compare", str(old))


def _add(step: StepBuilder, args: str, line: Utterance) -> None:
    """A file that came with the command, or the text pasted below it, becomes a document."""
    head, _, pasted = args.partition("\n")
    path = named(head).path
    found = [file for file in line.files[: files.MOST] if file.text and file.text.strip()]
    if not line.files and pasted.strip():
        _keep(step, path, pasted.lstrip("\n"), line)
    elif not line.files:
        step.tell(
            "Send the file with the command: drop it into the message and write `*docs add PATH` beside it. "
            "Or paste the text below that line."
        )
    elif not found:
        step.tell(files.declined((line,)), quotes=line)
    elif len(line.files) > 1:
        step.tell(f"One file at a time, please: {files.listed(line.files)} came together.", quotes=line)
    elif found[0].cut:
        step.tell(f"{files.listed(found)} is too long: a document has {in_bytes(DOCUMENT_BYTES)} at most.", quotes=line)
    else:
        where = path if path and not path.endswith("/") else path + found[0].name
        _keep(step, where, found[0].text or "", line)


def _keep(step: StepBuilder, path: str, text: str, line: Utterance) -> None:
    # Under the message's id, so that whoever deletes the message deletes the text with it.
    step.note(Entry("kept", "", text, id=line.id, user=line.user))
    ask(step, WriteDocument(path, 0, (line.id,), _meta(line)), "add", line.id, line.user)


def _meta(line: Utterance) -> str:
    return json.dumps({"by": {"user": line.user, "name": line.name}}, ensure_ascii=False)


def ask(step: StepBuilder, request: Request, *purpose: str) -> None:
    """Ask for it; `docs_results` goes on with that purpose."""
    step.wait(request, Waiting("", json.dumps(purpose, ensure_ascii=False), OWNER))


def decided(step: StepBuilder, gate: DocsGate, option: Option, line: Utterance) -> None:
    """A human chose at a gate: it is done now, or the document stays as it is."""
    step.open_gate()
    if option.action != Decide("yes"):
        step.tell(f"`{gate.path}` stays as it is.")
        works.stand(step)
        return
    match gate.what:
        case "delete":
            step.record(f"chose to delete the document {gate.path}, version {gate.base}", line.user)
            ask(step, DeleteDocument(gate.path, gate.base), "deleted")
        case "restore":
            step.record(f"chose version {gate.version} of the document {gate.path} again", line.user)
            meta = json.dumps({**json.loads(_meta(line)), "restored": gate.version}, ensure_ascii=False)
            ask(
                step,
                CopyDocument(gate.path, gate.base, gate.path, gate.version, meta=meta),
                "restored",
                str(gate.version),
            )
        case "take" if line.user != gate.user:
            step.tell("Only whoever asked can take a document from their direct messages: `*docs take PATH`.")
            works.stand(step)
        case "take":
            step.record(f"chose another text for the document {gate.path}, version {gate.base}", line.user)
            ask(step, CopyDocument(gate.path, gate.base, gate.path, own=True, meta=_meta(line)), "taken")
        case "add":
            step.record(f"chose another text for the document {gate.path}, version {gate.base}", line.user)
            ask(step, WriteDocument(gate.path, gate.base, (gate.kept,), _meta(line)), "added")
        case _:
            assert_never(gate.what)
