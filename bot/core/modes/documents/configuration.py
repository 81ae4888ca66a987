"""The core configuration: where a channel's documents lie. The channel's own document says so, else the pack's file.

A path may begin with one of its keys (`qa.qaLocation/gates/...`) or have keys in braces (`{devStoryLocation}/...`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.documents.filenames import PLACEHOLDER, flaw_of_path
from bot.personas.readers import safe_yaml

PATH = "core-config.yaml"
"""The document of a channel that is its configuration."""

STEM = "core-config"
"""The pack's own, a resource of kind `config`."""

_KEY = re.compile(r"(?<!\{)\{([A-Za-z][\w.]*)\}(?!\})")
_LEADING = re.compile(r"^([A-Za-z]\w*(?:\.\w+)+)(?=/)")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A path with the configuration's keys filled in; `trouble` says what people should know of the configuration."""

    path: str
    trouble: str = ""


def resolved(path: str, text: str | None, where: str = "") -> Resolved:
    """The path by the configuration `text`, which was read at `where`; None where there is none."""
    wanted = [*_KEY.findall(path), *_LEADING.findall(path)]
    if text is None:
        if not wanted:
            return Resolved(path)
        return Resolved(path, f"No core configuration says what `{wanted[0]}` is, so the path has the key itself.")
    try:
        values = safe_yaml.load(text)
    except (safe_yaml.YamlError, RecursionError):
        values = None
    if not isinstance(values, Mapping):
        return Resolved(path, f"The core configuration {where} cannot be read as YAML, so nothing of it is used.")
    flat = dict(_flat(values))
    lost: list[str] = []

    def put(found: re.Match[str]) -> str:
        value = flat.get(found[1]) or next((flat[key] for key in flat if key.rpartition(".")[2] == found[1]), "")
        if not value or flaw_of_path(PLACEHOLDER.sub("x", value.strip("/"))):
            lost.append(found[1])
            return found[0]
        return value.strip("/")

    filled = _LEADING.sub(put, _KEY.sub(put, path))
    trouble = f"The core configuration {where} has no path for `{lost[0]}`." if lost else ""
    return Resolved(filled, trouble)


def _flat(values: Mapping[object, object], above: str = "") -> list[tuple[str, str]]:
    """Every text of the configuration by its dotted key."""
    found: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            found += _flat(value, f"{name}.")
        elif isinstance(value, str):
            found.append((name, value))
    return found
