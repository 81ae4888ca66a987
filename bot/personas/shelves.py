"""Where a file of a library belongs, told by the folders that it lies in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bot.personas.files import Found
from bot.personas.model import Resource
from bot.personas.readers import stem_of, title_of
from bot.personas.readers.reading import RESOURCE_KINDS

_TEXT = frozenset({".md", ".markdown", ".mdc", ".txt", ".yaml", ".yml"})
_RESOURCE = _TEXT | {".csv", ".json", ".xml", ".toml"}
_CONFIG = frozenset({"core-config", "config", "install-manifest", "manifest"})
_DOCUMENTS = frozenset({"docs", "documents"})


@dataclass(frozen=True, slots=True)
class Place:
    """A file's part in its library.

    `pack` is the folder that holds its `agents`, `tasks` and so on. `kind` is a resource's kind, or empty for a file
    that may hold personas. `inside` is its path below the library's folder.
    """

    pack: str
    kind: str
    name: str
    inside: PurePosixPath
    is_document: bool = False

    @property
    def stem(self) -> str:
        """The file's name without extensions."""
        return stem_of(str(self.inside))

    def title(self, text: str) -> str:
        """The title of the file's text."""
        return title_of(text, self.stem)

    def takes(self, layer: PurePosixPath) -> bool:
        """Whether a `customize.toml`, or a layer over it in a folder `custom`, is this skill's."""
        if self.inside.name.casefold() != "skill.md":
            return False
        if layer.name.casefold() == "customize.toml":
            return layer.parent == self.inside.parent
        skill = self.inside.parent.name
        return layer.parent.name == "custom" and layer.name in (f"{skill}.toml", f"{skill}.user.toml")


def is_layer(inside: PurePosixPath) -> bool:
    """Whether this may be a layer of a skill."""
    return inside.suffix == ".toml" and (inside.name.casefold() == "customize.toml" or inside.parent.name == "custom")


def layer_order(layer: Found) -> int:
    """A skill's own `customize.toml` first, then the team's layer, then the user's own."""
    return 0 if layer.inside.name.casefold() == "customize.toml" else 2 if ".user." in layer.inside.name else 1


def is_persona_file(inside: PurePosixPath) -> bool:
    """Whether this is a file that the library looks into at all: a text, not hidden."""
    if inside.name.startswith(".") or is_layer(inside):
        return False
    kind = _kind(inside)
    return inside.suffix.casefold() in (_RESOURCE if kind and kind != "agents" else _TEXT)


def place_of(inside: PurePosixPath, root: Path) -> Place:
    """The place of the file `inside` the library's folder `root`."""
    kind = _kind(inside)
    parents = inside.parts[:-1]
    name = root.name if root.name else "library"
    if inside.name.casefold() == "skill.md":
        pack = "/".join(parents[: parents.index("skills")] if "skills" in parents else parents[:-1])
        return Place(pack or name, "skills", inside.parent.name or stem_of(name), inside)
    if kind:
        pack = "/".join(parents[: parents.index(kind)])
        return Place(pack or name, "" if kind == "agents" else kind, inside.name, inside)
    if inside.suffix in (".yaml", ".yml") and inside.stem in _CONFIG:
        return Place("/".join(parents) or name, "config", inside.name, inside)
    if parents and parents[-1] in _DOCUMENTS and inside.suffix == ".md":
        return Place("/".join(parents[:-1]) or name, "", inside.name, inside, is_document=True)
    # A bundle brings its own resources along: it is a pack of its own.
    return Place("/".join(parents) or stem_of(name), "", inside.name, inside)


def title_of_resource(path: Path, resource: Resource) -> str:
    """The title that the head of a resource's file gives; empty where it gives none or cannot be read."""
    try:
        with open(path, "rb") as file:
            head = file.read(600).decode("utf-8", "ignore")
    except OSError:
        return ""
    if resource.kind in ("templates", "workflows", "agent-teams"):
        found = re.search(r"^[ \t]+(?:name|title):[ \t]*[\"']?([^\n\"']+)", head, re.MULTILINE)
    else:
        pattern = r"^title:[ \t]*[\"']?([^\n\"']+)" if head.startswith("---") else r"^# +(\S[^\n]*?)[ \t]*$"
        found = re.search(pattern, head.replace("\r", ""), re.MULTILINE)
    return found[1].strip() if found else ""


def _kind(inside: PurePosixPath) -> str:
    """The outermost folder with a kind's name, so that `tasks/agents/x.md` is a task."""
    return next((part for part in inside.parts[:-1] if part in RESOURCE_KINDS or part == "agents"), "")
