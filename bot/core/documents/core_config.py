"""The core configuration of a pack or a channel (`core-config.yaml`): where documents lie, and how they are cut.

Its keys stand in braces in tasks and templates (`{qa.qaLocation}/gates`), and without them at the beginning of a
template's file name (`qa.qaLocation/gates/...`). Braces around anything else belong to whoever fills them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.documents.filenames import flaw_of_path
from bot.core.documents.values import Finding, TemplateError, Values, parsed_yaml

NAME = "core-config.yaml"
"""What the file is called, in a pack and among a channel's documents."""

MAX_CONFIG = 64 * 1024
"""Longest configuration, in characters."""

MAX_FILES = 50
"""So many files of a list are read."""

_KEYS: Mapping[str, tuple[str, ...]] = {
    "": (
        *("markdownExploder", "qa", "prd", "architecture", "customTechnicalDocuments", "devLoadAlwaysFiles"),
        *("devDebugLog", "devStoryLocation", "slashPrefix"),
    ),
    "qa": ("qaLocation",),
    "prd": ("prdFile", "prdVersion", "prdSharded", "prdShardedLocation", "epicFilePattern"),
    "architecture": (
        *("architectureFile", "architectureVersion", "architectureSharded", "architectureShardedLocation"),
    ),
}
_PATHS = {
    "qa.qaLocation": "docs/qa",
    "prd.prdFile": "docs/prd.md",
    "prd.prdShardedLocation": "docs/prd",
    "architecture.architectureFile": "docs/architecture.md",
    "architecture.architectureShardedLocation": "docs/architecture",
    "devDebugLog": "docs/dev/debug-log.md",
    "devStoryLocation": "docs/stories",
}
"""The keys that name a place, and where that is when nobody says."""

_TEXTS = {"prd.epicFilePattern": "epic-{n}-*.md", "prd.prdVersion": "v4", "architecture.architectureVersion": "v4"}
_BRACES = re.compile(r"(?<!\{)\{([A-Za-z][\w.-]{0,80})\}(?!\})")
_BARE = re.compile(r"^([A-Za-z]+(?:\.[A-Za-z]\w*)+)(?=/)")


@dataclass(frozen=True, slots=True)
class CoreConfig:
    """What a core configuration says. Places are paths among a channel's documents, without `/` at their ends.

    `texts` has every key that holds one text by its full name (`qa.qaLocation`), keys we do not know included.
    """

    texts: Mapping[str, str] = field(default_factory=lambda: _PATHS | _TEXTS)
    prd_sharded: bool = True
    architecture_sharded: bool = True
    always_load: tuple[str, ...] = ()
    technical_documents: tuple[str, ...] = ()

    @property
    def prd(self) -> str:
        """The path of the PRD."""
        return self.texts["prd.prdFile"]

    @property
    def prd_folder(self) -> str:
        """The folder of the PRD's parts."""
        return self.texts["prd.prdShardedLocation"]

    @property
    def architecture(self) -> str:
        """The path of the architecture."""
        return self.texts["architecture.architectureFile"]

    @property
    def architecture_folder(self) -> str:
        """The folder of the architecture's parts."""
        return self.texts["architecture.architectureShardedLocation"]

    @property
    def stories(self) -> str:
        """The folder of the stories."""
        return self.texts["devStoryLocation"]

    @property
    def qa(self) -> str:
        """The folder of gates and assessments."""
        return self.texts["qa.qaLocation"]

    def epic_files(self, number: int) -> str:
        """The pattern of the file names that the parts of an epic have, with its number."""
        return self.texts["prd.epicFilePattern"].replace("{n}", str(number))


def core_config(text: str) -> tuple[CoreConfig, tuple[Finding, ...]]:
    """What a configuration says, and what somebody should mend in it. Raises TemplateError where it cannot be read.

    A key that is missing, or names no place among the documents, has its usual value; the second is found.
    """
    parsed, lines = parsed_yaml(text, MAX_CONFIG, "keep only the keys and their values")
    if not isinstance(parsed.value, Mapping):
        raise TemplateError("there are no keys in it", 1, f"take the shipped {NAME} as a pattern")
    findings = [Finding(flaw.line, flaw.reason, flaw.mend) for flaw in parsed.doubled]
    top = Values(parsed.value, (), lines, lambda line, reason, mend: findings.append(Finding(line, reason, mend)))
    blocks = {"": top} | {name: _block(top, name) for name in ("qa", "prd", "architecture")}
    for name, values in blocks.items():
        values.only(set(_KEYS[name]))
    config = CoreConfig(
        texts=_texts(blocks),
        prd_sharded=_flag(blocks["prd"], "prdSharded"),
        architecture_sharded=_flag(blocks["architecture"], "architectureSharded"),
        always_load=_files(top, "devLoadAlwaysFiles"),
        technical_documents=_files(top, "customTechnicalDocuments"),
    )
    return config, tuple(sorted(findings, key=lambda finding: finding.line))


def resolved(text: str, config: CoreConfig) -> tuple[str, tuple[str, ...]]:
    """A text with the configuration's keys in braces filled, and those that it names and nobody has set.

    A key of ours has a dot (`{qa.qaLocation}`) or is known (`{devStoryLocation}`); other braces stay as they are.
    """
    missing: list[str] = []

    def put(found: re.Match[str]) -> str:
        key = found[1]
        if key in config.texts:
            return config.texts[key]
        if key.partition(".")[0] in ("qa", "prd", "architecture") and "." in key:
            missing.append(key)
        return found[0]

    return _BRACES.sub(put, text), tuple(dict.fromkeys(missing))


def resolved_path(filename: str, config: CoreConfig) -> tuple[str, tuple[str, ...]]:
    """A template's file name or a task's path with its keys filled, in braces or bare at the beginning."""
    bare = _BARE.match(filename)
    if bare and (bare[1] in config.texts or bare[1].partition(".")[0] in ("qa", "prd", "architecture")):
        filename = f"{{{bare[1]}}}{filename[bare.end() :]}"
    return resolved(filename, config)


def _block(top: Values, name: str) -> Values:
    found = top.raw(name)
    if found is not None and not isinstance(found, Mapping):
        top.find(top.line(name), f"`{name}` is not a block of keys", "write its keys below it, indented")
    return Values(found if isinstance(found, Mapping) else {}, (name,), top.lines, top.find)


def _texts(blocks: Mapping[str, Values]) -> Mapping[str, str]:
    """Every key with one text; the places are held against what a path may be."""
    texts: dict[str, str] = dict(_PATHS | _TEXTS)
    for name, values in blocks.items():
        for key, found in values.found.items():
            full = f"{name}.{key}" if name else str(key)
            if isinstance(found, Mapping | list | bool) or found is None:
                continue
            said = values.text(str(key)).strip()
            if full in _PATHS:
                said = said.removeprefix("./").rstrip("/")
                if flaw := flaw_of_path(said):
                    told = f"`{full}` names no place among the documents: {said!r} {flaw}; {_PATHS[full]} is used"
                    values.find(values.line(str(key)), told, "write a path such as docs/prd.md")
                    continue
            texts[full] = said
    return texts


def _files(top: Values, key: str) -> tuple[str, ...]:
    kept: list[str] = []
    for path in top.texts(key, MAX_FILES):
        said = path.strip().removeprefix("./")
        if flaw := flaw_of_path(said):
            top.find(top.line(key), f"a file of `{key}` is left out: {said!r} {flaw}", "write a path such as docs/a.md")
        else:
            kept.append(said)
    return tuple(dict.fromkeys(kept))


def _flag(values: Values, key: str) -> bool:
    """Cut up unless somebody says no."""
    return values.raw(key) is None or values.flag(key)
