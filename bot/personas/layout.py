"""What the folders and names of files say: which kind of resource a file is, and what it is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

RESOURCE_KINDS = (
    "tasks",
    "templates",
    "checklists",
    "data",
    "utils",
    "workflows",
    "agent-teams",
    "schemas",
    "skills",
    "config",
)
"""Folders whose files are resources; `agents` beside them holds the personas."""

PERSONA_FOLDERS = frozenset({"agents", "subagents"})
"""Folders whose files are personas, also below a folder with a kind's name."""

_MAIN = frozenset({"workflow", "skill"})
"""Stems of the file that a workflow or a skill begins with: it is called after its folder."""


Owners = Mapping[PurePosixPath, str]
"""The folders of workflows and skills, each with the stem of the file that it begins with."""


def is_main(name: str) -> bool:
    """Whether a file of that name is what a workflow or a skill begins with."""
    stem = PurePosixPath(name).stem.casefold()
    return stem in _MAIN or stem.startswith("workflow-")


def owners_of(files: Iterable[PurePosixPath]) -> Owners:
    """The folders of workflows and skills, each with the stem of the file that it begins with; never the root."""
    owners: dict[PurePosixPath, str] = {}
    for file in files:
        # A task may be called `workflow` too: a folder of a kind holds many of it, and is none itself.
        if is_main(file.name) and file.parent.name not in ("", "agents", *RESOURCE_KINDS):
            stem = file.stem.casefold()
            if stem == "skill" or owners.get(file.parent) != "skill":
                owners[file.parent] = stem if stem in _MAIN else owners.get(file.parent, "")
    return owners


def owner_of(file: PurePosixPath, owners: Owners) -> PurePosixPath | None:
    """The innermost workflow or skill that the file belongs to."""
    return next((parent for parent in file.parents if parent in owners), None) if owners else None


def kind_of(parts: tuple[str, ...]) -> str:
    """The name of the outermost folder that is called like a kind, or `agents`; else empty.

    So that `tasks/agents/x.md` is a task.
    """
    return next((part for part in parts if part in RESOURCE_KINDS or part == "agents"), "")


def resource_name(file: PurePosixPath, owners: Owners) -> str:
    """What a resource is called: its file's name, or in a workflow's or skill's folder a name that no other has.

    `dev-story/workflow.yaml` is called `dev-story.yaml`, and `dev-story/steps/one.md` beside it
    `dev-story/steps/one.md`.
    """
    owner = owner_of(file, owners)
    if owner is None:
        return file.name
    if file.parent == owner and file.stem.casefold() == owners[owner]:
        return f"{owner.name}{file.suffix}"
    if file.parent == owner and is_main(file.name) and file.stem.casefold() not in _MAIN:
        return file.name
    return f"{owner.name}/{file.relative_to(owner).as_posix()}"
