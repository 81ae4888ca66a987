"""The library: folders and files of personas, read into one `Cast`.

A user's paths come before what is shipped, file by file: a persona of the same id, or a resource of the same kind and
stem in a pack of the same name, takes the shipped one's place.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.personas.files import ALL, MAX_RESOURCE, Found, UnreadableError, printable, text_of_file, walk
from bot.personas.gathering import Changes, Gathered, Override, Shelf, changes, gather
from bot.personas.globs import Selection
from bot.personas.intake import needs_text, take
from bot.personas.layout import owners_of
from bot.personas.model import Cast, Problem, Resource, Source
from bot.personas.placement import (
    Place,
    is_layer,
    is_persona_file,
    layer_order,
    place_of,
    purpose_of_workflow,
    title_of_resource,
)
from bot.personas.readers import Reading
from bot.personas.readers.reading import error

if TYPE_CHECKING:
    from bot.personas.cache import ShelfCache

SETTLED = 2_000_000_000
"""Nanoseconds that a file must have been left alone for, or it is read again next time.

One that is written twice within the clock's grain may look unchanged; the coarsest, FAT's, is 2 s.
"""

READ_AGAIN = ""
"""The stamp of what must be read again in any case; no file has it."""


class Library:
    """The persona files of `paths` (folders or files, in order) and of the `shipped` folder.

    With a `cache`, files that are as an earlier process read them are not read again. Nothing is raised for what the
    files hold: see `problems`. A new `cast` stands after each `reload`.
    """

    def __init__(
        self,
        paths: Sequence[Path | str] = (),
        shipped: Path | None = None,
        cache: ShelfCache | None = None,
        selection: Selection = ALL,
    ) -> None:
        self._paths = tuple((Path(path).expanduser(), False) for path in paths)
        self._shipped = ((shipped, True),) if shipped is not None else ()
        self._cache = cache
        self._selection = selection
        self._known: dict[str, tuple[str, Shelf]] = cache.load() if cache else {}
        self._good: dict[str, Shelf] = {}
        self._now = Gathered()
        self._changes = Changes()
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

    @property
    def changes(self) -> Changes:
        """What the last `reload` changed."""
        return self._changes

    def reload(self) -> None:
        """Read what changed. A file that has become broken keeps its last good version, and is reported."""
        settled = time.time_ns() - SETTLED
        shelves: list[tuple[str, Shelf]] = []
        now = Gathered()
        known: dict[str, tuple[str, Shelf]] = {}
        for root, shipped in (*self._paths, *self._shipped):
            where = f"{root} {shipped}"
            selection = ALL if shipped else self._selection
            walked = walk(root, selection=selection)
            now.problems += walked.problems
            owners = owners_of(found.inside for found in walked.files)
            layers = sorted((found for found in walked.files if is_layer(found.inside)), key=layer_order)
            for found in walked.files:
                path = printable(found.path)
                if path in known or not is_persona_file(found.inside, owners) or not selection.keeps(found.inside):
                    continue
                place = place_of(found.inside, root, owners)
                own = tuple(layer for layer in layers if place.takes(layer.inside))
                over = [(str(layer.path), _stamp_of(layer)) for layer in own]
                stamp = f"{where} {place.kind} {place.name} {_stamp_of(found)} {over}"
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
        gather([self._best(path, shelf) for path, shelf in shelves], now)
        self._changes = changes(self._now.cast, now.cast)
        self._now = now
        if self._cache:
            self._cache.save({path: kept for path, kept in known.items() if kept[0] != READ_AGAIN})

    async def refresh(self) -> tuple[str, ...]:
        """`reload` without holding up the event loop; errors and warnings, a line each."""
        await asyncio.to_thread(self.reload)
        return tuple(str(problem) for problem in self.problems if problem.severity != "note")

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
        try:
            return await asyncio.to_thread(_text_of, resource, now)
        except UnreadableError as problem:
            raise OSError(f"{resource.path}: {problem.reason}. To mend it: {problem.mend}.") from problem

    def text_of(self, resource: Resource) -> str:
        """The text of a resource of the cast. Raises UnreadableError."""
        return _text_of(resource, self._now)

    def _shelf(self, found: Found, place: Place, layers: Sequence[Found], shipped: bool) -> Shelf:
        path = printable(found.path)
        if not needs_text(place):
            return Shelf(resources=(_resource(found, place, place.kind, shipped),))
        try:
            text = text_of_file(found.path, found.root)
            layer_texts = tuple((printable(layer.path), text_of_file(layer.path, layer.root)) for layer in layers)
        except UnreadableError as problem:
            if place.kind and not place.is_main:
                return Shelf(resources=(_resource(found, place, place.kind, shipped),))
            return Shelf(Reading(problems=(error(path, problem.line, problem.reason, problem.mend),)))
        taken = take(place, text, layer_texts, path)
        shelf = _shelved(taken.reading, place, path, shipped)
        if taken.kind:
            return replace(shelf, resources=(_resource(found, place, taken.kind, shipped),))
        return shelf

    def _best(self, path: str, shelf: Shelf) -> Shelf:
        if not shelf.reading.is_broken:
            self._good[path] = shelf
            return shelf
        last = self._good.get(path)
        if last is None:
            return shelf
        kept = Problem(path, 1, "its last good version stays in use", "mend the error above", "warning")
        return replace(last, reading=replace(last.reading, problems=(*shelf.reading.problems, kept)))


def _text_of(resource: Resource, now: Gathered) -> str:
    """The resource's text: kept where it lies in a bundle, else its file's."""
    if (text := now.texts.get(resource)) is not None:
        return text
    return text_of_file(Path(resource.path), now.roots[resource.source.path], MAX_RESOURCE)


def _resource(found: Found, place: Place, kind: str, shipped: bool) -> Resource:
    """The file as a resource of that kind, with the title that its head gives."""
    source = Source(printable(found.path), 1, "skill" if place.is_main else kind, shipped)
    resource = Resource(kind, place.name, str(found.path), place.pack, "", source)
    if kind == "workflows":
        resource = replace(resource, purpose=purpose_of_workflow(found.path))
    return resource if place.is_main else replace(resource, title=title_of_resource(found.path, resource))


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


def _spellings(kind: str, name: str) -> tuple[str, ...]:
    """A resource's name, and the longer one that people leave the end of out of."""
    suffix = {"templates": "-tmpl", "checklists": "-checklist"}.get(kind, "")
    return (name, name + suffix) if suffix else (name,)
