"""What many files come to together: who stands, who stands behind whom, and what a new reading changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.personas.model import Cast, Document, Persona, Problem, Resource, Source, fold
from bot.personas.naming import slug
from bot.personas.party import PartyGroup, PartyMember
from bot.personas.readers import Reading


@dataclass(frozen=True, slots=True)
class Override:
    """A definition that another pack overrides: what it is of, the winning pack, the losing pack."""

    what: str
    stands: Source
    hidden: Source


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one file came to, with the resources that it is or holds, and the texts of those that lie inside it."""

    reading: Reading = field(default_factory=Reading)
    resources: tuple[Resource, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What a new reading of the library changed: ids of personas and documents, and how many resources."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    resources: int = 0

    @property
    def are_none(self) -> bool:
        """Whether everything is as it was."""
        return not (self.added or self.changed or self.gone or self.resources)


@dataclass(slots=True)
class Gathered:
    """All that the files of a library come to at one moment."""

    cast: Cast = field(default_factory=Cast)
    problems: list[Problem] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    texts: dict[Resource, str] = field(default_factory=dict)
    roots: dict[str, Path] = field(default_factory=dict)


def gather(shelves: Iterable[Shelf], now: Gathered) -> None:
    """Put the shelves together into `now`: the first of an id stands, and whoever it hides is told of."""
    personas: dict[str, Persona] = {}
    shadowed: dict[str, Persona] = {}
    documents: dict[str, Document] = {}
    resources: dict[tuple[str, str, str], Resource] = {}
    members: dict[str, PartyMember] = {}
    groups: dict[str, PartyGroup] = {}
    for shelf in shelves:
        now.problems += shelf.reading.problems
        for persona in shelf.reading.personas:
            first = personas.setdefault(persona.id, persona)
            if first is not persona:
                _behind(first, persona, shadowed, now)
        for document in shelf.reading.documents:
            _place_document(document, documents)
        for member in shelf.reading.members:
            members.setdefault(fold(member.code), member)
        for group in shelf.reading.groups:
            groups.setdefault(fold(group.id), group)
        for resource, text in _with_texts(shelf):
            standing = resources.setdefault((resource.kind, fold(resource.stem), resource.pack), resource)
            if standing is resource:
                if text is not None:
                    now.texts[resource] = text
            elif text is None or now.texts.get(standing) != text:
                _clash(f"{resource.kind} {resource.stem}", standing.source, resource.source, now)
    now.cast = Cast(
        tuple(personas.values()),
        tuple(documents.values()),
        tuple(resources.values()),
        tuple(shadowed.values()),
        tuple(members.values()),
        tuple(groups.values()),
    )


def changes(old: Cast, new: Cast) -> Changes:
    """What is new, other and gone in `new`; where a definition stands makes no difference."""
    before, after = _by_id(old), _by_id(new)
    return Changes(
        tuple(ident for ident in after if ident not in before),
        tuple(ident for ident, item in after.items() if _is_other(before.get(ident, item), item)),
        tuple(ident for ident in before if ident not in after),
        len(_resources(old) ^ _resources(new)),
    )


def _by_id(cast: Cast) -> dict[str, Persona | Document]:
    items: tuple[Persona | Document, ...] = (*cast.personas, *cast.shadowed, *cast.documents)
    return {item.id: item for item in items}


def _is_other(old: Persona | Document, new: Persona | Document) -> bool:
    return old is not new and replace(old, source=Source("")) != replace(new, source=Source(""))


def _resources(cast: Cast) -> set[tuple[str, str, str]]:
    return {(resource.kind, fold(resource.stem), resource.pack) for resource in cast.resources}


def _behind(first: Persona, persona: Persona, shadowed: dict[str, Persona], now: Gathered) -> None:
    """`persona` bears the id of `first`, which stands: it can be called with its pack, unless it is in the same one."""
    what = f"persona {persona.id}"
    known = (first, *(p for p in shadowed.values() if p.id.rpartition("/")[2] == persona.id))
    if same := next((p for p in known if _is_copy(p, persona)), None):
        if persona.source.shipped:
            now.overrides.append(Override(what, same.source, persona.source))
        else:
            _note(persona.source, f"{what} is the same as in {same.source.path}:{same.source.line}", now)
        return
    folder, whole = slug(persona.pack.rpartition("/")[2]), slug(persona.pack)
    taken = {f"{slug(first.pack)}/{first.id}", f"{slug(first.pack.rpartition('/')[2])}/{first.id}", *shadowed}
    called = next((name for pack in (folder, whole) if pack and (name := f"{pack}/{persona.id}") not in taken), "")
    if not called or fold(persona.pack) == fold(first.pack):
        _clash(what, first.source, persona.source, now)
        return
    shadowed[called] = replace(persona, id=called)
    if persona.source.shipped:
        now.overrides.append(Override(what, first.source, persona.source))
    else:
        _note(persona.source, f"{what} stands behind {first.source.path}; it is called by *{called}", now)


def _is_copy(one: Persona, other: Persona) -> bool:
    plain = [replace(p, id=p.id.rpartition("/")[2], pack="", source=Source("")) for p in (one, other)]
    return plain[0] == plain[1]


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


def _clash(what: str, stands: Source, hidden: Source, now: Gathered) -> None:
    if hidden.shipped and not stands.shipped:
        now.overrides.append(Override(what, stands, hidden))
        return
    reason = f"{what} is defined in {stands.path}:{stands.line} already; that one stands"
    now.problems.append(Problem(hidden.path, hidden.line, reason, "give one of them another id, or take it away"))


def _note(source: Source, reason: str, now: Gathered) -> None:
    mend = "nothing; name the folder that is to stand first in library.paths, or this one in library.exclude"
    now.problems.append(Problem(source.path, source.line, reason, mend, "note"))
