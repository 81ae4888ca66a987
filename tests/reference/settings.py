"""docs/settings.md: every key, its default, what it takes and what it means.

Defaults and meanings are those of config/greenroom.yaml, which holds exactly the defaults of the code; what a key takes
is what the bot itself would say of a wrong value.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.settings import LOOKUP, Settings
from bot.settings.error_messages import dotted, expected, variable
from bot.settings.keys import Secrets

ANNOTATED = Path(__file__).resolve().parents[2] / "config" / "greenroom.yaml"

_LINE = re.compile(r"(?P<indent> *)(?:# ?(?P<comment>.*)|(?P<key>[\w-]+):(?: +(?P<value>.+))?)")


@dataclass(frozen=True, slots=True)
class Setting:
    """A key, its default as YAML, what it takes, and what its comment says; empty where it goes with the one above."""

    key: tuple[str, ...]
    default: str
    takes: str
    meaning: str


def page() -> str:
    """The page as Markdown."""
    places = " or ".join(f"`{place}`" for place in LOOKUP)
    lines = [
        "# Settings",
        "",
        "<!-- Written by scripts/docs from the code and from config/greenroom.yaml; change those. -->",
        "",
        f"They are read from the file that `--config` names, else from {places}, the first of them",
        "that is there; it is meant where the texts below say *this file*. Any key can come from the environment,",
        "which wins; lists and maps are written there as JSON. A time is `90s`, `30m`, `8h`, `2d`, a mixture such as",
        "`1h30m`, or a number of seconds.",
    ]
    section = None
    for group in groups():
        above = group[0].key[0] if len(group[0].key) > 1 else "the bot itself"
        if above != section:
            section = above
            lines += ["", f"## {section[:1].upper()}{section[1:]}"]
        lines += ["", *_group(group)]
    lines += [
        "",
        "## Secrets",
        "",
        "They come from the environment alone, or from a file that the environment names. A settings file that holds",
        "one is refused.",
        "",
        "| secret | or the path of a file that holds it |",
        "|---|---|",
        *(f"| `{name.upper()}` | `{name.upper()}_FILE` |" for name in Secrets.model_fields),
    ]
    return "\n".join(lines) + "\n"


def settings() -> Iterator[Setting]:
    """Every key in the order of the annotated file."""
    above: list[tuple[int, str]] = []
    comment: list[str] = []
    lines = ANNOTATED.read_text("utf-8").splitlines()
    for place, line in enumerate(lines):
        found = _LINE.fullmatch(line)
        if found is None or (place and not line):
            # What stands alone before an empty line is about the file.
            comment = []
        elif found["comment"] is not None:
            comment.append(found["comment"])
        else:
            indent = len(found["indent"])
            above = [*(part for part in above if part[0] < indent), (indent, found["key"])]
            key = tuple(name for _, name in above)
            field = _field(key)
            if field is None:
                continue
            value = found["value"] or _below(lines[place + 1 :], indent)
            yield Setting(key, value, _takes(key), " ".join(comment))
            comment = []


def _field(key: tuple[str, ...]) -> object | None:
    """The type of what stands at that key; None for a section, and below a map."""
    model: Any = Settings
    for part in key:
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return None
        model = model.model_fields[part].annotation
    return None if isinstance(model, type) and issubclass(model, BaseModel) else model


def _below(lines: list[str], indent: int) -> str:
    """The lines that belong to a key of that indent, moved to the margin."""
    taken = []
    for line in lines:
        if len(line) - len(line.lstrip()) <= indent:
            break
        taken.append(line[indent + 2 :])
    return "\n".join(taken)


def _takes(key: tuple[str, ...]) -> str:
    """What the bot would say that it expects, if something senseless stood there."""
    wrong: Any = object()
    for part in reversed(key):
        wrong = {part: wrong}
    try:
        Settings(**wrong)
    except ValidationError as error:
        told = dict.fromkeys(expected(dict(wrong)) for wrong in error.errors())
        return ", or ".join(told).replace(" (in quotes, where YAML takes it for something else)", "")
    raise AssertionError(f"{dotted(key)} takes anything")


def groups() -> list[list[Setting]]:
    """The keys, those together that share a comment."""
    groups: list[list[Setting]] = []
    for setting in settings():
        if setting.meaning:
            groups.append([setting])
        else:
            groups[-1].append(setting)
    return groups


def _group(group: list[Setting]) -> Iterator[str]:
    """The lines for keys that share one comment."""
    yield f"### {', '.join(f'`{dotted(setting.key)}`' for setting in group)}"
    yield ""
    yield textwrap.fill(group[0].meaning, 118, break_long_words=False, break_on_hyphens=False)
    yield ""
    for setting in group:
        if "\n" in setting.default:
            yield f"- `{variable(setting.key)}`: {setting.takes}. Default:"
            yield ""
            yield from (f"  {line}".rstrip() for line in ("```yaml", *setting.default.splitlines(), "```"))
        else:
            yield f"- `{variable(setting.key)}`: {setting.takes}. Default: `{setting.default}`"
