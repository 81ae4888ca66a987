"""Where a file of a library belongs, told by the folders that it lies in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from bot.personas.files import Found
from bot.personas.layout import PERSONA_FOLDERS, Owners, kind_of, owner_of, resource_name
from bot.personas.model import Resource
from bot.personas.readers import stem_of, title_of

_TEXT = frozenset({".md", ".markdown", ".mdc", ".txt", ".yaml", ".yml", ".xml"})
_RESOURCE = _TEXT | {".csv", ".json", ".toml"}
_CONFIG = frozenset({"core-config", "config", "install-manifest", "manifest", "bmad-skill-manifest"})
_MIXED = frozenset({"agent-teams", "data", "config", "schemas", "workflows"})
"""Kinds whose names folders of personas bear too."""

_CUSTOMIZED = ".customize.yaml"
_NONE: Owners = MappingProxyType({})
_DOCUMENTS = frozenset({"docs", "documents"})


@dataclass(frozen=True, slots=True)
class Place:
    """A file's part in its library.

    `pack` is the folder that holds its `agents`, `tasks` and so on. `kind` is a resource's kind, or empty for a file
    that may hold personas; where `is_mixed`, personas may lie among the resources. `inside` is its path below the
    library's folder. `is_main` tells that a skill begins with it.
    """

    pack: str
    kind: str
    name: str
    inside: PurePosixPath
    is_document: bool = False
    is_mixed: bool = False
    is_main: bool = False

    @property
    def stem(self) -> str:
        """The file's name without extensions."""
        return stem_of(str(self.inside))

    def title(self, text: str) -> str:
        """The title of the file's text."""
        return title_of(text, self.stem)

    def takes(self, layer: PurePosixPath) -> bool:
        """Whether this layer lies over this file.

        A `customize.toml`, or a layer over it in a folder `custom`, is a skill's; a `.customize.yaml` in
        `_config/agents` is an agent's, called after its module and itself.
        """
        if layer.suffix == ".toml":
            if not self.is_main:
                return False
            if layer.name.casefold() == "customize.toml":
                return layer.parent == self.inside.parent
            skill = self.inside.parent.name
            return layer.parent.name == "custom" and layer.name in (f"{skill}.toml", f"{skill}.user.toml")
        module = PurePosixPath(self.pack)
        own = f"{module.name}-{self.stem}{_CUSTOMIZED}"
        return "agents" in self.inside.parts[:-1] and layer.name == own and layer.parent.parent.parent == module.parent


def is_layer(inside: PurePosixPath) -> bool:
    """Whether this may be a layer over a skill or an agent."""
    if ".customize." in inside.name and inside.suffix in (".yaml", ".yml"):
        return True
    return inside.suffix == ".toml" and (inside.name.casefold() == "customize.toml" or inside.parent.name == "custom")


def layer_order(layer: Found) -> int:
    """A skill's own `customize.toml` first, then the team's layer, then the user's own."""
    return 0 if layer.inside.name.casefold() == "customize.toml" else 2 if ".user." in layer.inside.name else 1


def is_persona_file(inside: PurePosixPath, owners: Owners = _NONE) -> bool:
    """Whether this is a file that the library looks into at all: a text, not hidden, and not our own settings."""
    if inside.name.startswith(".") or is_layer(inside) or inside.name == "greenroom.yaml":
        return False
    is_resource = kind_of(inside.parts[:-1]) not in ("", "agents") or owner_of(inside, owners) is not None
    return inside.suffix.casefold() in (_RESOURCE if is_resource else _TEXT)


def place_of(inside: PurePosixPath, root: Path, owners: Owners = _NONE) -> Place:
    """The place of the file `inside` the library's folder `root`; `owners` are its workflows' and skills' folders."""
    parents = inside.parts[:-1]
    kind = kind_of(parents)
    name = root.name if root.name else "library"
    if inside.name.casefold() == "skill.md":
        folder = "skills" if "skills" in parents[:-1] else kind_of(parents[:-1])
        pack = "/".join(parents[: parents.index(folder)] if folder else parents[:-1])
        called = inside.parent.name or stem_of(name)
        return Place(pack or name, "skills", called, inside, is_mixed=True, is_main=True)
    owner = owner_of(inside, owners)
    # What else lies in a workflow's or skill's folder is its own: examples of agents are none.
    is_setup = inside.name == "INSTRUCTIONS.md"
    below = next((i for i, part in enumerate(parents) if part in PERSONA_FOLDERS and kind in _MIXED), -1)
    if below >= 0 and owner is None:
        return Place("/".join(parents[:below]) or name, "", inside.name, inside)
    if kind and kind != "agents":
        pack = "/".join(parents[: parents.index(kind)])
        is_mixed = is_setup if owner is not None else kind in _MIXED
        return Place(pack or name, kind, resource_name(inside, owners), inside, is_mixed=is_mixed)
    if owner is not None:
        pack = "/".join(owner.parts[: owner.parts.index("agents")] if "agents" in owner.parts else owner.parts[:-1])
        return Place(pack or name, "skills", resource_name(inside, owners), inside, is_mixed=is_setup)
    if kind == "agents":
        return Place("/".join(parents[: parents.index(kind)]) or name, "", inside.name, inside)
    if inside.suffix in (".yaml", ".yml") and inside.stem in _CONFIG:
        return Place("/".join(parents) or name, "config", inside.name, inside)
    if parents and parents[-1] in _DOCUMENTS and inside.suffix == ".md":
        return Place("/".join(parents[:-1]) or name, "", inside.name, inside, is_document=True)
    # A bundle brings its own resources along: it is a pack of its own.
    return Place("/".join(parents) or stem_of(name), "", inside.name, inside)


def purpose_of_workflow(path: Path) -> str:
    """What the head of a workflow's file says it is for, on one line; empty where it says nothing."""
    try:
        with open(path, "rb") as file:
            head = file.read(2_000).decode("utf-8", "ignore").replace("\r", "")
    except OSError:
        return ""
    found = re.search(
        r"^([ \t]*)description:[ \t]*(?:[>|][-+]?[ \t]*((?:\n\1[ \t]+\S[^\n]*)+)|([^\n]+))", head, re.MULTILINE
    )
    return " ".join((found[2] or found[3] or "").split()).strip("\"'")[:300] if found else ""


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
