"""What a reader gives back, and the small conversions that all readers share."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.personas.model import Document, Persona, Problem
from bot.personas.party import PartyGroup, PartyMember


@dataclass(frozen=True, slots=True)
class Part:
    """A resource that lies inside a bundle: `pack` is the folder its section names, `line` where its text begins."""

    kind: str
    name: str
    text: str
    line: int = 1
    pack: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one file came to. `texts` are the personas' own sections of a bundle, by persona id.

    `members` and `groups` are a party's, where the file defines some.
    """

    personas: tuple[Persona, ...] = ()
    documents: tuple[Document, ...] = ()
    parts: tuple[Part, ...] = ()
    problems: tuple[Problem, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    members: tuple[PartyMember, ...] = ()
    groups: tuple[PartyGroup, ...] = ()

    @property
    def is_broken(self) -> bool:
        """Whether something of the file could not be read at all."""
        return any(problem.severity == "error" for problem in self.problems)

    @property
    def is_bundle(self) -> bool:
        """Whether the file holds definitions that stand in sections of their own."""
        return bool(self.texts or self.parts) or any(d.source.format in ("rule", "bundle") for d in self.documents)

    @property
    def is_empty(self) -> bool:
        """Whether nothing came of the file."""
        return not (self.personas or self.documents or self.parts)


def error(path: str, line: int, reason: str, mend: str) -> Problem:
    """A problem that costs a persona, or part of one."""
    return Problem(path, line, reason, mend, "error")


def text_of(value: object) -> str:
    """A scalar, or whatever stands in its place, as one text: lists line by line, mappings as `key: value`."""
    match value:
        case None:
            return ""
        case str():
            return value.strip()
        case bool():
            return "true" if value else "false"
        case Mapping():
            return "\n".join(f"{text_of(key)}: {text_of(item)}".rstrip() for key, item in value.items())
        case list() | tuple():
            return "\n".join(text_of(item) for item in value)
        case _:
            return str(value)


def one_line(value: object) -> str:
    """The same on one line, runs of white space as single spaces."""
    return " ".join(text_of(value).split())


def lines_of(value: object) -> tuple[str, ...]:
    """A list of texts. YAML makes a mapping of an item such as `- CRITICAL: do it`; here it is a text again."""
    match value:
        case None | "":
            return ()
        case list() | tuple():
            return tuple(text for item in value if (text := text_of(item)))
        case Mapping():
            return tuple(f"{text_of(key)}: {text_of(item)}".rstrip() for key, item in value.items())
        case _:
            return tuple(line for line in text_of(value).split("\n") if line.strip())


def bullets(value: object, indent: int = 0) -> str:
    """A value as a Markdown list that loses nothing of it; a plain text stays a text."""
    pad = "  " * indent
    match value:
        case Mapping():
            return "\n".join(f"{pad}- {_entry(text_of(key), item, indent)}" for key, item in value.items())
        case list() | tuple():
            return "\n".join(_item(item, indent, pad) for item in value)
        case _:
            return pad + text_of(value).replace("\n", "\n" + pad)


def heading(key: str) -> str:
    """A YAML key as a heading: `story-file-permissions` becomes `Story file permissions`."""
    words = re.sub(r"[-_\s]+", " ", key).strip()
    return words[:1].upper() + words[1:]


def quoted(text: str) -> str:
    """`text` as a double-quoted YAML scalar on one line (JSON, with what YAML may not hold raw escaped)."""
    return re.sub(
        "[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]",
        lambda match: f"\\u{ord(match[0]):04x}",
        json.dumps(text, ensure_ascii=False),
    )


def as_mapping(value: object) -> Mapping[str, object]:
    """`value` with its keys as texts; anything but a mapping is an empty one."""
    return {text_of(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}


def as_list(value: object) -> Sequence[object]:
    """A list as it is, nothing as an empty one, anything else as its only item."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _entry(key: str, item: object, indent: int) -> str:
    if isinstance(item, Mapping | list | tuple):
        return f"{key}:\n{bullets(item, indent + 1)}" if item else f"{key}:"
    text = text_of(item)
    return f"{key}: {text}".replace("\n", "\n" + "  " * (indent + 1)) if text else f"{key}:"


def _item(item: object, indent: int, pad: str) -> str:
    if isinstance(item, Mapping) and item:
        return "\n".join(f"{pad}- {_entry(text_of(key), value, indent)}" for key, value in item.items())
    if isinstance(item, list | tuple):
        return bullets(item, indent + 1)
    return pad + "- " + text_of(item).replace("\n", "\n  " + pad)
