"""The library: folders and files of personas, read into one `Cast`.

A user's paths come before what is shipped, file by file: a persona of the same id, or a resource of the same kind and
stem in a pack of the same name, takes the shipped one's place.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.personas.files import Found, UnreadableError, printable, text_of_file, walk
from bot.personas.model import Cast, Document, Persona, Problem, Resource, Source, fold
from bot.personas.readers import Reading, read, read_skill
from bot.personas.readers.reading import error
from bot.personas.shelves import Place, is_layer, is_persona_file, layer_order, place_of, title_of_resource

if TYPE_CHECKING:
    from bot.personas.cache import ShelfCache

SETTLED = 2_000_000_000
"""Nanoseconds that a file must have been left alone for, or it is read again next time.

One that is written twice within the clock's grain may look unchanged; the coarsest, FAT's, is 2 s.
"""

READ_AGAIN = ""
"""The stamp of what must be read again in any case; no file has it."""


@dataclass(frozen=True, slots=True)
class Override:
    """A definition that another one takes the place of: of what, whose stands, and whose does not."""

    what: str
    stands: Source
    hidden: Source


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one file came to, with the resources that it is or holds, and the texts of those that lie inside it."""

    reading: Reading = field(default_factory=Reading)
    resources: tuple[Resource, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(slots=True)
class _Gathered:
    cast: Cast = field(default_factory=Cast)
    problems: list[Problem] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    texts: dict[Resource, str] = field(default_factory=dict)
    roots: dict[str, Path] = field(default_factory=dict)


class Library:
    """The persona files of `paths` (folders or files, in order) and of the `shipped` folder.

    With a `cache`, files that are as an earlier process read them are not read again. Nothing is raised for what the
    files hold: see `problems`. A new `cast` stands after each `reload`.
    """

    def __init__(
        self, paths: Sequence[Path | str] = (), shipped: Path | None = None, cache: ShelfCache | None = None
    ) -> None:
        self._paths = tuple((Path(path).expanduser(), False) for path in paths)
        self._shipped = ((shipped, True),) if shipped is not None else ()
        self._cache = cache
        self._known: dict[str, tuple[str, Shelf]] = cache.load() if cache else {}
        self._good: dict[str, Shelf] = {}
        self._now = _Gathered()
        self.reload()

    @property
    def cast(self) -> Cast:
        """Everything that is known now."""
        return self._now.cast

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files, in their order."""
        return tuple(self._now.problems)

    @property
    def overrides(self) -> tuple[Override, ...]:
        """What of the shipped definitions a user's own files take the place of."""
        return tuple(self._now.overrides)

    def reload(self) -> None:
        """Read what changed. A file that has become broken keeps its last good version, and is reported."""
        settled = time.time_ns() - SETTLED
        shelves: list[tuple[str, Shelf]] = []
        now = _Gathered()
        known: dict[str, tuple[str, Shelf]] = {}
        for root, shipped in (*self._paths, *self._shipped):
            where = f"{root} {shipped}"
            walked = walk(root)
            now.problems += walked.problems
            layers = sorted((found for found in walked.files if is_layer(found.inside)), key=layer_order)
            for found in walked.files:
                path = printable(found.path)
                if path in known or not is_persona_file(found.inside):
                    continue
                place = place_of(found.inside, root)
                own = tuple(layer for layer in layers if place.takes(layer.inside))
                stamp = f"{where} {_stamp_of(found)} {[(str(layer.path), _stamp_of(layer)) for layer in own]}"
                before = self._known.get(path)
                shelf = before[1] if before and before[0] == stamp else self._shelf(found, place, own, shipped)
                # What could not be read may be readable next time, though the file be the same.
                was_read = not (shelf.reading.is_broken and shelf.reading.is_empty)
                is_settled = all(file.stamp[0] <= settled for file in (found, *own))
                known[path] = (stamp if was_read and is_settled else READ_AGAIN, shelf)
                now.roots[path] = found.root
                shelves.append((path, shelf))
        self._known = known
        self._good = {path: shelf for path, shelf in self._good.items() if path in known}
        _gather([self._best(path, shelf) for path, shelf in shelves], now)
        self._now = now
        if self._cache:
            self._cache.save({path: kept for path, kept in known.items() if kept[0] != READ_AGAIN})

    async def refresh(self) -> tuple[str, ...]:
        """`reload` without holding up the event loop; the problems, a line each."""
        await asyncio.to_thread(self.reload)
        return tuple(str(problem) for problem in self.problems)

    async def read(self, kind: str, name: str, persona_id: str) -> str:
        """The text of a resource as that persona sees it: its own pack first, then the whole library, any extension.

        Raises FileNotFoundError, and OSError where the file is there but cannot be read, both in words for people.
        """
        now = self._now
        persona = now.cast.persona(persona_id) if persona_id else None
        resource = next(
            (found for wanted in _spellings(kind, name) if (found := now.cast.resource(persona, wanted, kind))), None
        )
        if resource is None:
            packs = ", ".join(sorted({r.pack for r in now.cast.resources if kind in ("", r.kind)}))
            where = f"looked in the {kind or 'files'} of: {packs}" if packs else f"the library has no {kind or 'files'}"
            raise FileNotFoundError(f"There is no {kind or 'resource'} called {name!r} ({where}). Add the file there.")
        if (text := now.texts.get(resource)) is not None:
            return text
        try:
            return await asyncio.to_thread(text_of_file, Path(resource.path), now.roots[resource.source.path])
        except UnreadableError as problem:
            raise OSError(f"{resource.path}: {problem.reason}. To mend it: {problem.mend}.") from problem

    def _shelf(self, found: Found, place: Place, layers: Sequence[Found], shipped: bool) -> Shelf:
        path = printable(found.path)
        if place.kind and place.kind != "skills":
            resource = Resource(
                place.kind, place.name, str(found.path), place.pack, "", Source(path, 1, place.kind, shipped)
            )
            return Shelf(resources=(replace(resource, title=title_of_resource(found.path, resource)),))
        try:
            text = text_of_file(found.path, found.root)
            layer_texts = tuple((printable(layer.path), text_of_file(layer.path, layer.root)) for layer in layers)
        except UnreadableError as problem:
            return Shelf(Reading(problems=(error(path, problem.line, problem.reason, problem.mend),)))
        if place.kind == "skills":
            reading = read_skill(text, layer_texts, path) if layer_texts else None
            if reading is None:
                skill = Resource(
                    "skills", place.name, str(found.path), place.pack, "", Source(path, 1, "skill", shipped)
                )
                return Shelf(resources=(skill,))
        elif place.is_document:
            reading = Reading(documents=(Document(place.stem, place.title(text), text, Source(path)),))
        else:
            reading = read(text, path)
        return _shelved(reading, place, path, shipped)

    def _best(self, path: str, shelf: Shelf) -> Shelf:
        if not shelf.reading.is_broken:
            self._good[path] = shelf
            return shelf
        last = self._good.get(path)
        if last is None:
            return shelf
        kept = Problem(path, 1, "its last good version stays in use", "mend the error above", "warning")
        return replace(last, reading=replace(last.reading, problems=(*shelf.reading.problems, kept)))


def _stamp_of(found: Found) -> tuple[int, int, int]:
    """Modification and size, and the time at which the file system changed anything of it.

    That one also tells of other rights, and of a file that was exchanged by a tool that keeps times.
    """
    try:
        return (*found.stamp, os.stat(found.path).st_ctime_ns)
    except OSError:
        return (*found.stamp, 0)


def _shelved(reading: Reading, place: Place, path: str, shipped: bool) -> Shelf:
    """The reading with its place in the library: packs, and the resources inside a bundle with their texts."""

    def pack_of(inner: str) -> str:
        return f"{place.pack}/{inner}" if inner else place.pack

    def source(value: Source) -> Source:
        return replace(value, shipped=shipped)

    inner = {part.pack for part in reading.parts} | {persona.pack for persona in reading.personas if persona.pack}
    single = len(inner) <= 1
    personas = tuple(
        replace(p, pack=place.pack if single else pack_of(p.pack), source=source(p.source)) for p in reading.personas
    )
    documents = tuple(replace(d, source=source(d.source)) for d in reading.documents)
    resources = tuple(
        Resource(
            part.kind,
            part.name,
            path,
            place.pack if single else pack_of(part.pack),
            "",
            Source(path, part.line, "bundle", shipped),
        )
        for part in reading.parts
    )
    texts = tuple(part.text for part in reading.parts)
    return Shelf(replace(reading, personas=personas, documents=documents, texts={}), resources, texts)


def _gather(shelves: Iterable[Shelf], now: _Gathered) -> None:
    """Put the shelves together: the first of an id stands, and whoever it hides is told of."""
    personas: dict[str, Persona] = {}
    documents: dict[str, Document] = {}
    resources: dict[tuple[str, str, str], Resource] = {}
    for shelf in shelves:
        now.problems += shelf.reading.problems
        for persona in shelf.reading.personas:
            first = personas.setdefault(fold(persona.id), persona)
            if first is not persona:
                _clash(f"persona {persona.id}", first.source, persona.source, now)
        for document in shelf.reading.documents:
            _place_document(document, documents)
        for resource, text in _with_texts(shelf):
            key = (resource.kind, fold(resource.stem), resource.pack)
            standing = resources.setdefault(key, resource)
            if standing is resource:
                if text is not None:
                    now.texts[resource] = text
            else:
                _clash(f"{resource.kind} {resource.stem}", standing.source, resource.source, now)
    now.cast = Cast(tuple(personas.values()), tuple(documents.values()), tuple(resources.values()))


def _with_texts(shelf: Shelf) -> Iterable[tuple[Resource, str | None]]:
    if shelf.texts:
        return zip(shelf.resources, shelf.texts, strict=True)
    return ((resource, None) for resource in shelf.resources)


def _place_document(document: Document, documents: dict[str, Document]) -> None:
    """Readmes share their name: the second of a name is called after its folder too."""
    first = documents.setdefault(fold(document.id), document)
    if first is document or first.text == document.text:
        return
    folder = Path(document.source.path).parent.name
    ident = f"{folder}/{document.id}"
    number = 2
    while fold(ident) in documents:
        ident, number = f"{folder}/{document.id}-{number}", number + 1
    documents[fold(ident)] = replace(document, id=ident)


def _clash(what: str, stands: Source, hidden: Source, now: _Gathered) -> None:
    if hidden.shipped and not stands.shipped:
        now.overrides.append(Override(what, stands, hidden))
        return
    reason = f"{what} is defined in {stands.path}:{stands.line} already; that one stands"
    now.problems.append(Problem(hidden.path, hidden.line, reason, "give one of them another id, or take it away"))


def _spellings(kind: str, name: str) -> tuple[str, ...]:
    """A resource's name, and the longer one that people leave the end of out of."""
    suffix = {"templates": "-tmpl", "checklists": "-checklist"}.get(kind, "")
    return (name, name + suffix) if suffix else (name,)
