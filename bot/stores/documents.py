"""What both stores of documents do in the same way: checks, forgetting a person, moving a space."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Set
from dataclasses import asdict, dataclass
from typing import Any

from bot.core import spaces as about
from bot.core.paths import PathError, checked
from bot.ports.documents import Documents, Forgotten, Refused

KEYS = 1000
"""So many keys of a space are remembered, the latest ones."""

FORMAT = 1
"""Goes up when an older build could no longer read what this one exports."""

PAGE = 200

Amend = Callable[[str, str, int, str, str], Awaitable[bool]]
"""Replaces the `meta` of a version: space, path, version, old and new text; False where it had changed."""


def refusal(path: str, text: str, meta: str) -> Refused | None:
    """Why this can stand in no space; None where it can. `meta` has as much room as a text."""
    try:
        checked(path)
        size = len(text.encode())
        if max(size, len(meta.encode())) > about.DOCUMENT_BYTES:
            return Refused(path, about.too_long(path, max(size, len(meta.encode()))))
    except PathError as error:
        return Refused(path, str(error))
    except UnicodeEncodeError:
        return Refused(path, about.unwritable(path))
    return None


def misnamed(path: str) -> Refused | None:
    """Why this is no path; None where it is one."""
    return refusal(path, "", "{}")


# ---------------------------------------------------------------- forgetting a person


async def forget_user(
    documents: Documents, amend: Amend, user: str, pseudonym: str, within: str, names: Set[str], *, dry_run: bool
) -> Forgotten:
    """See `Documents.forget_user`. A space at a time."""
    found = Forgotten()
    after = ""
    while page := await documents.spaces(after, PAGE):
        for space in page:
            if space.startswith(within):
                found = found.plus(await _forget_in(documents, amend, space, user, pseudonym, names, dry_run=dry_run))
        after = page[-1]
    return found


async def _forget_in(
    documents: Documents, amend: Amend, space: str, user: str, pseudonym: str, names: Set[str], *, dry_run: bool
) -> Forgotten:
    histories = {info.path: await documents.history(space, info.path) for info in await documents.list(space)}
    known = set(names)
    for history in histories.values():
        for version in history:
            known |= names_in(version.meta, user)
    touched, versions, mentions = set[str](), 0, list[tuple[str, str, int]]()
    for path, history in histories.items():
        for version in history:
            stored = await documents.read(space, path, version.version)
            if stored is None:
                continue
            new = without_person(stored.meta, user, known, pseudonym)
            if new != stored.meta and (dry_run or await amend(space, path, version.version, stored.meta, new)):
                touched.add(path)
                versions += 1
            if (pattern := _pattern({user, *known})) and pattern.search(stored.text):
                mentions.append((space, path, version.version))
    return Forgotten(len(touched), versions, tuple(mentions))


def names_in(meta: str, user: str) -> set[str]:
    """The names under which `meta` knows the user of that id: `name` beside their `user`."""
    found = set[str]()

    def look(value: Any) -> None:
        match value:
            case dict():
                name = value.get("name")
                if value.get("user") == user and isinstance(name, str) and name:
                    found.add(name)
                for inner in value.values():
                    look(inner)
            case list():
                for inner in value:
                    look(inner)

    look(_value(meta))
    return found


AS_WRITTEN = frozenset({"title", "section", "template"})
"""Keys of `meta` that say what stands in the text or in a template: as they are written there."""


def without_person(meta: str, user: str, names: Set[str], pseudonym: str) -> str:
    """`meta` with `pseudonym` for the person's id and names; the object that had one is marked as `forgotten`."""
    pattern = _pattern(names)
    value = _value(meta)
    if value is None:
        return meta

    def cleaned(value: Any) -> Any:
        match value:
            case str():
                if value == user:
                    return pseudonym
                return pattern.sub(lambda _: pseudonym, value) if pattern else value
            case list():
                return [cleaned(inner) for inner in value]
            case dict():
                new = {key: inner if key in AS_WRITTEN else cleaned(inner) for key, inner in value.items()}
                changed = any(
                    new[key] != inner for key, inner in value.items() if isinstance(inner, str) or _is_texts(inner)
                )
                return {**new, "forgotten": True} if changed else new
            case _:
                return value

    after = cleaned(value)
    return meta if after == value else json.dumps(after, ensure_ascii=False, separators=(",", ":"))


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _pattern(names: Set[str]) -> re.Pattern[str] | None:
    """Any of the names as a word of its own."""
    words = [re.escape(name) for name in sorted(names, key=len, reverse=True) if name]
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)") if words else None


def _value(meta: str) -> Any:
    try:
        return json.loads(meta)
    except (ValueError, RecursionError):
        return None


# ---------------------------------------------------------------- moving a space


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A version on its way from one store to another."""

    version: int
    path: str
    text: str
    meta: str
    at: float


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """A document on its way, its versions oldest first."""

    path: str
    versions: tuple[KeptVersion, ...]


@dataclass(frozen=True, slots=True)
class KeptSpace:
    """A space on its way. `last` is its counter."""

    last: int
    documents: tuple[KeptDocument, ...]


async def dump(documents: Documents, space: str, last: int) -> dict[str, Any] | None:
    """See `Documents.dump`; `last` is the space's counter."""
    kept = list[KeptDocument]()
    for info in await documents.list(space):
        versions = list[KeptVersion]()
        for version in await documents.history(space, info.path):
            stored = await documents.read(space, info.path, version.version)
            if stored is not None:
                versions.append(KeptVersion(stored.version, version.path, stored.text, stored.meta, stored.at))
        if versions:
            kept.append(KeptDocument(info.path, tuple(versions)))
    return {"greenroom_documents": FORMAT, "space": space, **asdict(KeptSpace(last, tuple(kept)))} if kept else None


def from_json(value: Any) -> KeptSpace:
    """What `dump` gave. Raises ValueError, with the place, for anything else."""
    if not isinstance(value, dict) or "greenroom_documents" not in value:
        raise ValueError("These are no exported documents: the key `greenroom_documents` is missing at the top.")
    if value["greenroom_documents"] != FORMAT:
        raise ValueError(
            f"These documents were exported in format {value['greenroom_documents']!r}, this build reads {FORMAT}. "
            "Import them with the build that wrote them."
        )
    documents = tuple(
        _document(_of(one, dict, f"documents[{n}]"), f"documents[{n}]")
        for n, one in enumerate(_of(value.get("documents"), list, "documents"))
    )
    last = max((version.version for document in documents for version in document.versions), default=0)
    return KeptSpace(max(last, int(_of(value.get("last"), int, "last"))), documents)


def _document(value: dict[str, Any], place: str) -> KeptDocument:
    path = str(_of(value.get("path"), str, f"{place}.path"))
    versions = list[KeptVersion]()
    for n, one in enumerate(_of(value.get("versions"), list, f"{place}.versions")):
        where = f"{place}.versions[{n}]"
        fields = _of(one, dict, where)
        versions.append(
            KeptVersion(
                version=_of(fields.get("version"), int, f"{where}.version"),
                path=_of(fields.get("path"), str, f"{where}.path"),
                text=_of(fields.get("text"), str, f"{where}.text"),
                meta=_of(fields.get("meta"), str, f"{where}.meta"),
                at=float(_of(fields.get("at"), (int, float), f"{where}.at")),
            )
        )
        if why := refusal(path, versions[-1].text, versions[-1].meta):
            raise ValueError(f"{where}: {why.problem}")
    numbers = [version.version for version in versions]
    if not numbers or numbers != sorted(set(numbers)) or numbers[0] < 1:
        raise ValueError(f"{place}.versions: expected versions from 1 on, each above the one before.")
    return KeptDocument(checked(path), tuple(versions))


def _of(value: Any, kind: type | tuple[type, ...], place: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{place}: expected another kind of value, found {json.dumps(value)[:40]}.")
    return value
