"""BMAD v6 web bundles: an `INSTRUCTIONS.md` with a `[persona]` block, beside the `SKILL.md` that is its protocol."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from bot.personas.model import Dependency, Persona, Problem, Source
from bot.personas.naming import default_icon, display_name, slug
from bot.personas.readers import safe_yaml
from bot.personas.readers.modern import NO_COMPUTER, principles
from bot.personas.readers.reading import Reading, as_mapping, bullets, error, heading, one_line, text_of

_BLOCK = re.compile(r"^#{1,6} \[persona\][ \t]*\n+(?:[^`#\n][^\n]*\n+){0,5}(?P<fence>`{3,})[^\n]*\n", re.MULTILINE)
_KNOWN = frozenset({"name", "title", "icon", "role", "identity", "communication_style", "principles"})


def has_block(text: str) -> bool:
    """Whether the text has a `[persona]` block."""
    return "[persona]" in text and _BLOCK.search(text) is not None


def read_setup(text: str, path: str) -> Reading:
    """The persona of the last `[persona]` block; those above it are examples of other voices."""
    mark = list(_BLOCK.finditer(text))[-1]
    end = text.find(f"\n{mark['fence']}", mark.end())
    line = text.count("\n", 0, mark.end()) + 1
    try:
        parsed = safe_yaml.parse(text[mark.end() : end if end >= 0 else len(text)])
    except safe_yaml.YamlError as problem:
        return Reading(problems=(error(path, line + problem.line - 1, problem.reason, problem.mend),))
    values = as_mapping(parsed.value)
    folder = PurePosixPath(path.replace("\\", "/")).parent.name
    name, title = one_line(values.get("name")), one_line(values.get("title"))
    ident = slug(folder) or slug(name)
    if not ident:
        return Reading(problems=(error(path, line, "the persona has no name", "add `name:` to the block"),))
    protocol = f"What you do and how is written in the resource `{folder}`: load it before you begin."
    told = [Problem(path, line + key.line - 1, key.reason, key.mend) for key in parsed.doubled]
    found = Persona(
        id=ident,
        name=name or display_name(ident),
        title=title,
        icon=one_line(values.get("icon")) or default_icon(ident, title),
        when_to_use=display_name(folder),
        role=text_of(values.get("role")),
        identity=text_of(values.get("identity")),
        style=text_of(values.get("communication_style")),
        principles=principles(values.get("principles")),
        instructions="\n\n".join(
            (
                NO_COMPUTER,
                protocol,
                *(f"## {heading(k)}\n\n{bullets(v)}" for k, v in values.items() if k not in _KNOWN and v),
            )
        ),
        dependencies=(Dependency("skills", folder),),
        source=Source(path, line, "bmad-v6"),
    )
    return Reading(personas=(found,), problems=tuple(told))
