"""What a library of persona files comes to: plain values, no I/O.

Readers make them, the library gathers them into a `Cast`, and the machine sees nothing else of the files.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.personas.labels import Labels
from bot.personas.menu_text import menu_text
from bot.personas.naming import slug
from bot.personas.party import PartyGroup, PartyMember
from bot.personas.ranking import Finder


def fold(text: str) -> str:
    """`text` as it is compared: NFKC, case folded the same in every locale, spaces as one, ends stripped.

    Turkish dotted and dotless i both fold to i, so that `ARCHİTECT` is the architect wherever it was typed.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u0307", "").replace("ı", "i")
    return " ".join(folded.split())


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value was read: the file, the line its definition starts on (from 1), and the format's name."""

    path: str
    line: int = 1
    format: str = ""
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about a file that an author can mend: where, what, and how.

    `severity` is `error`, `warning`, or `note` for what nobody has to mend.
    """

    path: str
    line: int
    reason: str
    mend: str
    severity: str = "warning"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.severity}: {self.reason} ({self.mend})"


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a persona.

    `args` is what the file writes behind the name, braces and all (`{story}`). `uses` are the stems of the
    tasks, templates, checklists and data that it runs (`create-doc`, `prd-tmpl`); with none, the model answers it.
    `confirm` is true where the definition says "(confirm)". `aliases` are further names that it answers to, when
    they are written exactly. `prompt` is what the file has the model do when the command is run; people do not see it.
    """

    name: str
    description: str = ""
    args: str = ""
    uses: tuple[str, ...] = ()
    confirm: bool = False
    aliases: tuple[str, ...] = ()
    prompt: str = ""

    @property
    def label(self) -> str:
        """What a menu says about it: the description, without the names of files that it runs."""
        return menu_text(self.name, self.description, self.uses)


@dataclass(frozen=True, slots=True)
class Dependency:
    """A file that a persona may load: its folder (`tasks`, `templates`, ...) and its name as written."""

    kind: str
    name: str

    @property
    def stem(self) -> str:
        """The name without its extension, which is how it is looked up."""
        return self.name.rsplit(".", 1)[0] if "." in self.name else self.name


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example from a subagent's description; for routing tests, never shown to people."""

    context: str = ""
    user: str = ""
    assistant: str = ""
    commentary: str = ""


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody who can be called into a conversation.

    `instructions` is prose for the model: a subagent's whole body, or what a BMAD file adds in keys of its own.
    `tools` is None where the file names none (it talks only), else the tool names as written. `model` is the
    file's own wish (`opus`, `sonnet`, `haiku`, a model id) or empty. `extra` keeps unknown keys, as YAML.
    """

    id: str
    name: str
    title: str = ""
    icon: str = "👤"
    when_to_use: str = ""
    role: str = ""
    identity: str = ""
    style: str = ""
    focus: str = ""
    principles: tuple[str, ...] = ()
    customization: str = ""
    instructions: str = ""
    commands: tuple[Command, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    model: str = ""
    tools: tuple[str, ...] | None = None
    restricted: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    extra: str = ""
    pack: str = ""
    source: Source = Source("")

    def command(self, name: str) -> Command | None:
        """The command of that name, else the first with that alias, both folded; None where there is none."""
        wanted = fold(name)
        named = next((c for c in self.commands if fold(c.name) == wanted), None)
        return named or next((c for c in self.commands if wanted in map(fold, c.aliases)), None)

    def purpose(self, most: int) -> str:
        """What this persona is for, on one line of at most so many characters; empty where the file tells nothing."""
        flat = " ".join((self.when_to_use or self.role or self.identity).split())
        return flat if len(flat) <= most else flat[: most - 4].rsplit(" ", 1)[0].rstrip(",;:.") + " ..."

    @property
    def is_coordinator(self) -> bool:
        """Whether this persona turns into others (it has a command `agent`) and gets the floor back afterwards."""
        return self.command("agent") is not None


@dataclass(frozen=True, slots=True)
class Document:
    """A file among the personas that is none: a readme, a template. It can be read in the chat, not activated."""

    id: str
    title: str
    text: str
    source: Source = Source("")


@dataclass(frozen=True, slots=True)
class Resource:
    """A task, template, checklist, workflow or piece of data: known by name, read only when a command needs it.

    `purpose` is what a workflow is for, in a sentence or two.
    """

    kind: str
    name: str
    path: str
    pack: str = ""
    title: str = ""
    source: Source = field(default=Source(""))
    purpose: str = ""

    @property
    def stem(self) -> str:
        """The name without its extension."""
        return self.name.rsplit(".", 1)[0] if "." in self.name else self.name


@dataclass(frozen=True, slots=True)
class Names:
    """What everybody and everything of a cast is called, folded once, when the cast is made.

    `items` are the personas and then the documents, `spelled` all their different names, the shortest first, and
    `owners` for each of these the places in `items` of those that bear it. `words` has for every word of a name the
    places in `spelled` where it stands. `personas` are the names of all personas, sorted and each once.
    """

    items: tuple[Persona | Document, ...]
    by_id: Mapping[str, Persona]
    by_alias: Mapping[str, tuple[Persona, ...]]
    documents: Mapping[str, Document]
    spelled: tuple[str, ...]
    owners: tuple[tuple[int, ...], ...]
    words: Mapping[str, tuple[int, ...]]
    personas: tuple[str, ...]

    @classmethod
    def of(
        cls, personas: tuple[Persona, ...], documents: tuple[Document, ...], shadowed: tuple[Persona, ...] = ()
    ) -> Names:
        """The names of these; where two bear an id, the first has it. Who is `shadowed` has only its id."""
        items: tuple[Persona | Document, ...] = (*personas, *documents)
        bearers: dict[str, list[int]] = {}
        aliases: dict[str, list[Persona]] = {}
        by_id: dict[str, Persona] = {}
        for place, item in enumerate(items):
            ident = fold(item.id)
            called = [ident]
            if isinstance(item, Persona):
                called += [fold(item.name), fold(item.title)]
                by_id.setdefault(ident, item)
                for alias in dict.fromkeys((*called[1:], fold(item.id.replace("-", " ").replace("_", " ")))):
                    if alias:
                        aliases.setdefault(alias, []).append(item)
            for name in dict.fromkeys(called):
                if name:
                    bearers.setdefault(name, []).append(place)
        for persona in shadowed:
            by_id.setdefault(fold(persona.id), persona)
        spelled = sorted(bearers, key=len)
        words: dict[str, list[int]] = {}
        for place, name in enumerate(spelled):
            for word in dict.fromkeys(words_of(name)):
                words.setdefault(word, []).append(place)
        return cls(
            items,
            by_id,
            {alias: tuple(found) for alias, found in aliases.items()},
            {fold(document.id): document for document in reversed(documents)},
            tuple(spelled),
            tuple(tuple(bearers[name]) for name in spelled),
            {word: tuple(places) for word, places in words.items()},
            tuple(sorted({fold(persona.name) for persona in personas})),
        )


def words_of(folded: str) -> list[str]:
    """The words of a folded name, of which hyphens, underscores and spaces make several."""
    return folded.replace("-", " ").replace("_", " ").split()


@dataclass(frozen=True, slots=True)
class Cast:
    """All that the library holds at one moment; a turn works with one cast from its first step to its last.

    `shadowed` are personas whose id another one bears that stands before them: their ids are `pack/id`.
    """

    personas: tuple[Persona, ...] = ()
    documents: tuple[Document, ...] = ()
    resources: tuple[Resource, ...] = ()
    shadowed: tuple[Persona, ...] = ()
    party_members: tuple[PartyMember, ...] = ()
    party_groups: tuple[PartyGroup, ...] = ()
    names: Names = field(init=False, repr=False, compare=False)
    labels: Labels = field(init=False, repr=False, compare=False)
    finder: Finder = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Fold the names, and all that a speaker can be called: name, id, title and icon."""
        object.__setattr__(self, "names", Names.of(self.personas, self.documents, self.shadowed))
        called = ((spelled, p.name) for p in self.personas for spelled in (p.name, p.id, p.title, p.icon))
        object.__setattr__(self, "labels", Labels.of(called))
        object.__setattr__(self, "finder", Finder(self.personas))

    def persona(self, ident: str) -> Persona | None:
        """The persona of that id, whatever its case and however its words are joined; `pack/id` names any."""
        folded = fold(ident)
        if found := self.names.by_id.get(folded):
            return found
        pack, slash, plain = folded.rpartition("/")
        return self.in_pack(pack, plain) if slash else self.names.by_id.get(slug(folded))

    def in_pack(self, pack: str, ident: str) -> Persona | None:
        """The persona of that id in the pack of that name, which is its folder's or its whole path."""
        wanted = slug(pack)
        known = (p for p in self.all_of(ident) if wanted in (slug(p.pack), slug(p.pack.rpartition("/")[2])))
        return next(known, None)

    def all_of(self, ident: str) -> tuple[Persona, ...]:
        """Everybody of that id in whichever pack: who stands first, then who is shadowed, in the library's order."""
        wanted = slug(ident.rpartition("/")[2])
        stands = self.names.by_id.get(wanted)
        behind = (p for p in self.shadowed if p.id.rpartition("/")[2] == wanted)
        return (*((stands,) if stands else ()), *behind)

    def document(self, ident: str) -> Document | None:
        """The document of that id, whatever its case."""
        return self.names.documents.get(fold(ident))

    def about(self, pack: str) -> str:
        """What a pack is about: the first paragraph of the document `ABOUT` in its folder; empty without one."""
        folder = pack.rpartition("/")[2]
        for document in self.documents:
            place = document.source.path.replace("\\", "/").split("/")
            if document.id.rpartition("/")[2] == "ABOUT" and place[-2:-1] == [folder]:
                return _first_paragraph(document.text)
        return ""

    def called(self, text: str) -> tuple[Persona, ...]:
        """Those who answer to `text`: one by id, else everybody with that name, title or spelled-out id."""
        found = self.persona(text)
        return (found,) if found else self.names.by_alias.get(fold(text), ())

    def resource(self, persona: Persona | None, name: str, kind: str = "") -> Resource | None:
        """The resource of that stem: the persona's own pack first, then the whole library; any extension."""
        stem = fold(name.rsplit(".", 1)[0] if "." in name else name)
        matches = [r for r in self.resources if fold(r.stem) == stem and (not kind or r.kind == kind)]
        own = persona.pack if persona else ""
        return min(matches, key=lambda r: r.pack != own, default=None)

    def resources_of(self, persona: Persona | None, kind: str) -> tuple[Resource, ...]:
        """What `persona` lists of one kind and the library has; with nothing listed, all of that kind."""
        listed = [d for d in persona.dependencies if d.kind == kind] if persona else []
        own = _distinct(self.resource(persona, d.name, kind) for d in listed)
        return own or _distinct(r for r in self.resources if r.kind == kind)


def _first_paragraph(text: str) -> str:
    """The first lines of a text that are no heading, on one line of at most 400 characters."""
    blocks = (" ".join(block.split()) for block in text.split("\n\n"))
    return next((block for block in blocks if block and not block.startswith("#")), "")[:400]


def _distinct(resources: Iterable[Resource | None]) -> tuple[Resource, ...]:
    return tuple({(r.kind, fold(r.stem)): r for r in resources if r}.values())
