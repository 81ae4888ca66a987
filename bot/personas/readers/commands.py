"""The commands of a persona, in every form that files write them, and which files each of them runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.personas.model import Command, Dependency, fold
from bot.personas.readers.reading import bullets, heading, one_line, text_of

_PLACEHOLDER = r"[{\[<][^{}\[\]<>]*[}\]>]"
_STRING_FORM = re.compile(
    rf"""^["'`]?\s*[*/@]?(?P<name>[^\W_][\w.|-]*)\s*
    (?P<args>(?:{_PLACEHOLDER}\s*)*)["'`]?\s*
    (?:(?:[-–—:]|\.{{3,}}|=>|→)\s*(?P<description>.*))?$""",
    re.VERBOSE | re.DOTALL,
)
_KEY_FORM = re.compile(r"^[\"'`]?\s*[*/@]?(?P<name>[^\s{}\[\]<>\"'`]+)\s*(?P<args>.*?)[\"'`]?$", re.DOTALL)

MAX_COMMANDS = 500

_WITH_RUNS = {"description", "runs"}
"""A definition of these keys says what the command does, and beside it which files it runs."""

HOST_COMMANDS = frozenset({"help", "exit", "yolo", "doc-out", "status", "agent", "task", "checklist"})
"""Commands that the host answers by itself, whatever words a file finds for them."""

_KIND_ORDER = {"tasks": 0, "skills": 0, "workflows": 1, "templates": 2, "checklists": 3, "data": 4, "utils": 5}
_EXTENSION = re.compile(r"\.(?:md|ya?ml|txt|csv|json|xml)$", re.IGNORECASE)
_TOKEN = re.compile(r"[\w.-]+")
_FORMS = (
    (re.compile(r"\b(?:tasks?/|task\s+[`'\"]?)([\w-]+(?:\.md)?)", re.IGNORECASE), "tasks"),
    (
        re.compile(r"\b(?:execute|run|use)s?\s+(?:the\s+)?[`'\"]?([\w-]+?)(?:\.md)?[`'\"]?\s+task\b", re.IGNORECASE),
        "tasks",
    ),
    (re.compile(r"\b(create-doc)\b", re.IGNORECASE), "tasks"),
    (re.compile(r"\b(execute-checklist)\b(?!-)", re.IGNORECASE), "tasks"),
    (re.compile(r"\btemplate\s+[`'\"]?([\w-]+(?:\.ya?ml|\.md)?)", re.IGNORECASE), "templates"),
    (re.compile(r"\bchecklist\s+[`'\"]?([\w-]+(?:\.md)?)", re.IGNORECASE), "checklists"),
)
_SUFFIXES = {"templates": "-tmpl", "checklists": "-checklist"}


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands, what of their definitions is too long for a menu (by name, as Markdown), and what made no sense."""

    commands: tuple[Command, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()


def read_commands(value: object, dependencies: Sequence[Dependency] = ()) -> Commands:
    """The commands in a list of mappings, a list of texts, one mapping, or a mixture of these."""
    commands: list[Command] = []
    details: list[tuple[str, str]] = []
    unread: list[str] = []
    for count, (key, content) in enumerate(_entries(value)):
        if count >= MAX_COMMANDS:
            unread.append(f"(all beyond the first {MAX_COMMANDS})")
            break
        if content is None:
            found = _STRING_FORM.match(one_line(key))
            name, args, described = (found["name"], found["args"], found["description"] or "") if found else _loose(key)
            content = described
        else:
            form = _KEY_FORM.match(one_line(key))
            name, args = (form["name"].lstrip("*/@"), form["args"]) if form else ("", "")
        name, *aliases = [part for part in name.split("|") if part] or [""]
        if not name:
            unread.append(one_line(key) or "(empty)")
            continue
        runs = ""
        if isinstance(content, Mapping) and set(content) == _WITH_RUNS:
            runs = text_of(content["runs"])
            content = text_of(content["description"])
        nested = isinstance(content, Mapping | list | tuple)
        description = _outline(content) if nested else _tidy(one_line(content))
        everything = f"{bullets(content)}" if nested else text_of(content)
        if nested:
            details.append((name, everything))
        commands.append(
            Command(
                name=name,
                description=description,
                args=" ".join(args.split()),
                uses=uses(name, f"{everything}\n{runs}" if runs else everything, dependencies),
                confirm="(confirm" in fold(description),
                aliases=tuple(alias.lstrip("*/@") for alias in aliases),
            )
        )
    return Commands(_first_of_each(commands), tuple(details), tuple(unread))


def uses(name: str, text: str, dependencies: Sequence[Dependency]) -> tuple[str, ...]:
    """The stems of what a command runs, tasks first.

    Found are names of the persona's dependencies in the text, then well-known forms (`task x`, `x-tmpl`,
    `checklist x`), and where neither names a task, a task or piece of data that is called like the command.
    """
    if fold(name) in HOST_COMMANDS:
        return ()
    known = _by_stem(tuple(dependencies))
    found: dict[str, tuple[int, str]] = {}

    def add(kind: str, stem: str) -> None:
        found.setdefault(_folded(stem), (_KIND_ORDER.get(kind, 9), stem))

    for token in _TOKEN.findall(text):
        bare = _EXTENSION.sub("", token.rstrip(".")).strip(".-")
        dependency = known.get(_folded(bare))
        if dependency and ("-" in bare or _EXTENSION.search(token.rstrip("."))):
            add(dependency.kind, dependency.stem)
        elif not dependency:
            for kind, suffix in _SUFFIXES.items():
                if bare.casefold().endswith(suffix) and len(bare) > len(suffix) and bare[0] != "-":
                    add(kind, bare)
    for pattern, kind in _FORMS:
        for match in pattern.finditer(text):
            named = match[1]
            stem = _EXTENSION.sub("", named)
            suffixed = stem + _SUFFIXES.get(kind, "")
            if dependency := known.get(_folded(stem)) or known.get(_folded(suffixed)):
                add(dependency.kind, dependency.stem)
            elif "-" in stem.strip("-") or _EXTENSION.search(named):
                add(kind, stem)
    if not any(order <= 1 for order, _ in found.values()):
        for dependency in dependencies:
            if dependency.kind in ("tasks", "skills", "workflows") and _called_like(dependency.stem, name):
                add(dependency.kind, dependency.stem)
    return tuple(stem for _, stem in sorted(found.values(), key=lambda item: item[0]))


@lru_cache(maxsize=64)
def _by_stem(dependencies: tuple[Dependency, ...]) -> Mapping[str, Dependency]:
    return {_folded(dependency.stem): dependency for dependency in dependencies}


_folded = lru_cache(maxsize=4_096)(fold)


def instructions(details: Iterable[tuple[str, str]]) -> str:
    """The long definitions of commands as sections for the model."""
    return "\n\n".join(f"## Command *{name}\n\n{text}" for name, text in details)


def _entries(value: object) -> Iterable[tuple[str, object]]:
    """Pairs of name and definition; the definition of a plain text is None."""
    match value:
        case Mapping():
            yield from _mapping_entries(value)
        case list() | tuple():
            for item in value:
                if isinstance(item, Mapping):
                    yield from _mapping_entries(item)
                elif isinstance(item, list | tuple):
                    yield from _entries(item)
                else:
                    yield text_of(item), None
        case None:
            return
        case _:
            for line in text_of(value).split("\n"):
                yield line.strip().removeprefix("- "), None


def _mapping_entries(value: Mapping[object, object]) -> Iterable[tuple[str, object]]:
    keys = {text_of(key): key for key in value}
    named = next((key for key in ("name", "command", "trigger") if key in keys and len(keys) > 1), None)
    if named and not isinstance(value[keys[named]], Mapping | list):
        rest = {key: value[original] for key, original in keys.items() if key not in (named, "description", "args")}
        args = text_of(value[keys["args"]]) if "args" in keys else ""
        described = value[keys["description"]] if "description" in keys else ""
        definition = {**({"description": described} if described else {}), **rest} if rest else described or ""
        yield f"{text_of(value[keys[named]])} {args}".strip(), definition
        return
    for text, key in keys.items():
        yield text, "" if value[key] is None else value[key]


def _loose(text: str) -> tuple[str, str, str]:
    """A command whose text fits no form: its first word, and the rest as its description."""
    first, _, rest = text.strip().strip("\"'`").partition(" ")
    name = first.lstrip("*/@").rstrip(":")
    return (name, "", rest.lstrip(" -–—:")) if re.fullmatch(r"[^\W_][\w.-]*", name) else ("", "", "")


def _outline(value: object) -> str:
    """One short line for a definition of many: its own description, or the names of its parts."""
    if isinstance(value, Mapping) and value.get("description"):
        return _tidy(one_line(value["description"]))
    parts: list[str] = []
    for item in [value] if isinstance(value, Mapping) else list(value) if isinstance(value, list | tuple) else []:
        parts += [heading(text_of(key)).lower() for key in item] if isinstance(item, Mapping) else [one_line(item)]
    line = ", ".join(part for part in parts if part)
    line = line[:1].upper() + line[1:]
    return line if len(line) <= 160 else line[:159].rstrip(" ,") + "…"


def _tidy(description: str) -> str:
    return description if not description.endswith('"') or description.count('"') % 2 == 0 else description[:-1]


def _called_like(stem: str, name: str) -> bool:
    stem, name = _folded(stem), _folded(name)
    return stem == name or ("-" in name and (stem.startswith(name + "-") or stem.endswith("-" + name)))


def _first_of_each(commands: Iterable[Command]) -> tuple[Command, ...]:
    distinct: dict[str, Command] = {}
    for command in commands:
        distinct.setdefault(fold(command.name), command)
    return tuple(distinct.values())
