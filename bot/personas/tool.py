"""`greenroom personas`: look at, check, import and write persona files."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.command_table import CommandTable
from bot.core.documents.units import stops
from bot.personas.files import ALL
from bot.personas.globs import Selection
from bot.personas.importing import import_into, write_whole
from bot.personas.library import Library
from bot.personas.lint import as_json, check, summed_up
from bot.personas.model import Persona, fold
from bot.personas.new import file_name, interview, text_of_answers
from bot.personas.templates import described, templates_of
from bot.platforms.terminal.harmless import harmless

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add `personas` and its own subcommands to the command line."""
    parser = subparsers.add_parser("personas", help="look at, check, import and write persona files")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="all personas, and which definition takes the place of which")
    listing.add_argument("--verbose", action="store_true", help="print every finding, copies of the same file included")
    listing.add_argument("--ids", action="store_true", help="print nothing but ids, one a line")
    show = actions.add_parser("show", help="one persona, as it was read")
    show.add_argument("id", metavar="PERSONA")
    checking = actions.add_parser("check", help="what is wrong with persona files")
    checking.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    checking.add_argument("--json", action="store_true", help="print the findings as JSON")
    importing = actions.add_parser("import", help="copy persona files; bundles are split into one file a persona")
    importing.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    importing.add_argument("--into", required=True, type=Path, metavar="DIR", help="where they are written")
    importing.add_argument("--force", action="store_true", help="overwrite files that differ")
    new = actions.add_parser("new", help="write a persona by answering a few questions")
    new.add_argument("--into", type=Path, metavar="DIR", help="where it is written (else the first library folder)")
    new.add_argument("--force", action="store_true", help="overwrite a file of that name")


def run(
    args: argparse.Namespace, library_paths: Sequence[Path], shipped: Path | None, selection: Selection = ALL
) -> int:
    """Do what the parsed `args` say and return the exit code: 0, or 1 where it could not be done."""
    match args.action:
        case "list":
            library = Library(library_paths, shipped, selection=selection)
            return _ids(library) if args.ids else _list(library, verbose=args.verbose)
        case "show":
            return _show(args.id, Library(library_paths, shipped, selection=selection))
        case "check":
            return _check(args.paths, shipped, as_data=args.json)
        case "import":
            return _import(args.paths, args.into, force=args.force)
        case "new":
            return _new(args.into or next(iter(library_paths), None), shipped, force=args.force)
        case _:
            raise ValueError(f"no such action: {args.action!r}")


def _list(library: Library, *, verbose: bool) -> int:
    cast = library.cast
    width = max((len(persona.id) for persona in cast.personas), default=0)
    for persona in cast.personas:
        title = "" if persona.title in ("", persona.name) else f", {persona.title}"
        origin = "shipped" if persona.source.shipped else persona.source.path
        _print(f"{persona.icon}  {persona.id:<{width}}  {persona.name}{title}  [{origin}]")
    for document in cast.documents:
        _print(f"📄  {document.id:<{width}}  {document.title} (a document)  [{document.source.path}]")
    for persona in cast.shadowed:
        stands = cast.all_of(persona.id)[0]
        behind = f"behind {stands.name} of {stands.pack or stands.source.path}"
        _print(f"{persona.icon}  {persona.id:<{width}}  {persona.name}, {behind}: call *{persona.id}")
    for override in library.overrides:
        _print(f"{override.what}: {override.stands.path} takes the place of {override.hidden.path}")
    for problem in library.problems:
        if verbose or problem.severity == "error":
            _complain(str(problem))
    if (line := summed_up(library)) and not verbose:
        _complain(f"{line} --verbose prints them all.")
    if not cast.personas:
        _complain("There are no personas. Put persona files into a library folder, or import some.")
        return 1
    return 0


def _ids(library: Library) -> int:
    for persona in (*library.cast.personas, *library.cast.shadowed):
        _print(persona.id)
    return 0


def _show(ident: str, library: Library) -> int:
    one = library.cast.persona(ident)
    found = (one,) if one else library.cast.called(ident)
    if len(found) != 1:
        near = CommandTable(library.cast, None).nearest(fold(ident), people=True)
        meant = [persona.id for persona in found] or [each.label.lstrip("*") for each in near]
        what = f"{ident!r} is what several personas are called" if found else f"There is no persona {ident!r}"
        known = ", ".join(meant or sorted(persona.id for persona in library.cast.personas))
        _complain(f"{what}. Choose one of: {known}")
        return 1
    _print("\n".join(_shown(found[0])))
    return 0


def _shown(persona: Persona) -> list[str]:
    lines = [f"{persona.icon}  {persona.name} ({persona.id})"]
    facts = {
        "title": persona.title,
        "when to use": persona.when_to_use,
        "role": persona.role,
        "identity": persona.identity,
        "style": persona.style,
        "focus": persona.focus,
        "customization": persona.customization,
        "model": persona.model,
        "tools": "none named: it talks only" if persona.tools is None else ", ".join(persona.tools),
        "never": ", ".join(persona.restricted),
        "pack": persona.pack,
        "from": f"{persona.source.path}:{persona.source.line} ({persona.source.format})",
    }
    lines += [f"{key}: {' '.join(value.split())}" for key, value in facts.items() if value]
    if persona.commands:
        lines.append("commands:")
    for command in persona.commands:
        runs = f"  [{', '.join(command.uses)}]" if command.uses else ""
        also = f" (also {', '.join('*' + alias for alias in command.aliases)})" if command.aliases else ""
        args = f" {command.args}" if command.args else ""
        lines.append(f"  *{command.name}{args}{also}: {command.description}{runs}")
        lines += [f"    {line}" for line in command.prompt.split("\n") if line]
    if persona.dependencies:
        lines.append("dependencies: " + ", ".join(f"{d.kind}/{d.name}" for d in persona.dependencies))
    if persona.instructions:
        lines += ["instructions:", *("  " + line if line else "" for line in persona.instructions.split("\n"))]
    return lines


def _check(paths: Sequence[Path], shipped: Path | None, *, as_data: bool) -> int:
    library = Library(paths, shipped)
    problems = check(library)
    own = [persona for persona in library.cast.personas if not persona.source.shipped]
    templates = templates_of(library)
    nothing = not own and not templates
    failed = any(problem.severity == "error" for problem in problems)
    if as_data:
        found = {
            "personas": [persona.id for persona in own],
            "templates": [
                {"path": each.resource.source.path, "stops": list(stops(each.definition) if each.definition else ())}
                for each in templates
            ],
            "problems": as_json(problems),
        }
        _print(json.dumps(found, indent=2))
        return 1 if failed or nothing else 0
    for template in templates:
        _print(described(template))
    for problem in problems:
        (_complain if problem.severity == "error" else _print)(str(problem))
    also = f"{len(templates)} template{'' if len(templates) == 1 else 's'}, " if templates else ""
    _print(f"{len(own)} personas, {also}{len(problems)} findings")
    if nothing:
        _complain("No persona was found there.")
    return 1 if failed or nothing else 0


def _import(paths: Sequence[Path], into: Path, *, force: bool) -> int:
    outcomes, problems = import_into(paths, into, force=force)
    for outcome in outcomes:
        line = f"{outcome.did}: {outcome.target} (from {outcome.source})"
        if outcome.did in ("written", "unchanged"):
            _print(line)
        else:
            _complain(f"{line}: {outcome.why}")
    for problem in problems:
        _complain(str(problem))
    if not any(outcome.did in ("written", "unchanged") for outcome in outcomes):
        _complain("Nothing was imported.")
        return 1
    return 0


def _new(into: Path | None, shipped: Path | None, *, force: bool) -> int:
    folder = into or Path.cwd()
    try:
        answers = interview(input, _print)
    except EOFError:
        _complain("\nThe questions were not all answered; nothing was written.")
        return 1
    target = folder / file_name(answers)
    if os.path.lexists(target) and not force:
        _complain(f"{target} is there already; --force overwrites it. Nothing was written.")
        return 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(target, text_of_answers(answers))
    except OSError as problem:
        _complain(f"{target} could not be written: {problem.strerror or problem}")
        return 1
    _print(f"written: {target}")
    for finding in check(Library([target], shipped)):
        _complain(str(finding))
    return 0


def _print(text: str) -> None:
    """Print what may come from a stranger's file, without anything that could steer the terminal."""
    print(harmless(text))


def _complain(text: str) -> None:
    print(harmless(text), file=sys.stderr)
