"""Front matter as it is found in the wild, about one file in sixteen of which is no valid YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.personas.readers import safe_yaml
from bot.personas.readers.reading import one_line, text_of

_KNOWN = frozenset(
    {"name", "description", "model", "tools", "color", "colour", "version", "author", "tags", "category", "title"}
    | {"icon", "hooks", "triggers", "permissionmode", "permissions", "skills", "allowed-tools", "allowed_tools"}
    | {"disallowedtools", "disallowed-tools", "mcpservers", "mcp_servers", "memory", "type", "capabilities"}
    | {"priority", "role", "responsibilities", "keywords", "license", "metadata", "display_name", "displayname"}
    | {"domain", "maxturns", "max_turns", "temperature", "mode", "globs", "argument-hint", "created", "updated"}
    | {"whentouse", "when_to_use", "background", "isolation", "effort", "dependencies", "status", "language"}
)
"""Keys that end a description even where an `<example>` of it was never closed."""

_SPOKEN = frozenset({"user", "assistant", "human", "ai", "commentary"})
"""Words that begin a line of an example's dialogue, and no key."""

_TITLES = frozenset({"Context", "Example", "Examples"})
_MAPPED = frozenset({"name", "description", "model", "tools"})

_HASH = re.compile(r"^description:[ \t]*[^\s\"'|>\[{&*!#][^\n]* #", re.MULTILINE)
"""A description without quotes that goes on behind a `#`: YAML takes the rest for a remark, its author did not."""

_KEY = re.compile(r"^([A-Za-z_][\w-]*)[ \t]*:(?:[ \t]|$)")
_FENCE = re.compile(r"^(?:`{3,}|~{3,})[\w-]*[ \t]*\n+(?=---[ \t]*\n)")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The keys in front of a body, and the body.

    `line` is where the first key stands, `body_line` where the body begins (from 1, within the text). `flaw` tells
    what was no valid YAML; the values were then read one by one, as their authors meant them. `doubled` are keys that
    stand twice.
    """

    values: Mapping[str, object]
    body: str
    extra: str
    line: int
    body_line: int
    flaw: safe_yaml.YamlError | None = None
    closed: bool = True
    doubled: tuple[safe_yaml.YamlError, ...] = ()


def split(text: str) -> FrontMatter | None:
    """The front matter of `text`; None where it has none. Raises YamlError where nothing of it can be read."""
    opened = re.match(r"(?:\s*<!--.*?-->)*\s*", text, re.DOTALL)
    start = opened.end() if opened else 0
    rest = text[start:]
    if wrapped := _FENCE.match(rest):
        start += wrapped.end()
        rest = re.sub(r"\n(?:`{3,}|~{3,})\s*$", "\n", text[start:])
    if not re.match(r"---[ \t]*(?:\n|$)", rest):
        return None
    head_at = start + rest.index("\n") + 1 if "\n" in rest else len(text)
    content = text[:start] + rest
    line = content.count("\n", 0, head_at) + 1
    closing = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE).search(content, head_at)
    if closing is None:
        head, body_at = _unclosed(content, head_at)
        flaw = safe_yaml.YamlError("the front matter is not closed", 1, "put `---` on a line of its own below it")
    else:
        head, body_at, flaw = content[head_at : closing.start()], closing.end(), None
    body = content[body_at:]
    lead = len(body) - len(body.lstrip())
    found = _values(head, flaw)
    return FrontMatter(
        values=found[0],
        body=body.strip(),
        extra=found[1],
        line=line,
        body_line=content.count("\n", 0, body_at + lead) + 1,
        flaw=found[2],
        closed=closing is not None,
        doubled=found[3],
    )


def unescaped(text: str) -> str:
    r"""`text` with the escapes that authors put into unquoted values (`\n`, `\t`, `\"`) made what they stand for."""
    if "\\" not in text:
        return text
    # A single letter before the colon is a Windows drive: `C:\new` is a path.
    text = re.sub(r"(?<!\b[A-Za-z]:)(?:\\r)?\\n", "\n", text)
    return text.replace('\\"', '"').replace("\\t", "\t")


def _unclosed(text: str, start: int) -> tuple[str, int]:
    """Without a closing line the keys end at the first empty line that a line without a key follows."""
    end = re.compile(r"\n[ \t]*\n(?![A-Za-z_][\w-]*[ \t]*:)").search(text, start)
    return (text[start : end.start() + 1], end.end()) if end else (text[start:], len(text))


def _values(
    head: str, flaw: safe_yaml.YamlError | None
) -> tuple[Mapping[str, object], str, safe_yaml.YamlError | None, tuple[safe_yaml.YamlError, ...]]:
    try:
        parsed = safe_yaml.parse(head)
    except safe_yaml.YamlError as problem:
        return (*_piecewise(head), flaw or problem, ())
    if parsed.value is None:
        return {}, "", flaw, ()
    if not isinstance(parsed.value, Mapping):
        told = safe_yaml.YamlError("the front matter has no keys", 1, "write `name: ...`")
        return (*_piecewise(head), flaw or told, ())
    values = {text_of(key): value for key, value in parsed.value.items()}
    if any(key.casefold() in _SPOKEN or key in _TITLES for key in values) or isinstance(
        values.get("description"), Mapping | list
    ):
        told = safe_yaml.YamlError("lines of the description look like keys", 1, "put the description in quotes")
        return (*_piecewise(head), flaw or told, ())
    if _HASH.search(head):
        values["description"] = _piecewise(head)[0].get("description", values.get("description"))
    return values, safe_yaml.cut(head, parsed, _MAPPED), flaw, parsed.doubled


def _piecewise(head: str) -> tuple[Mapping[str, object], str]:
    """Each key with its lines read by itself: as YAML where it is some, else as the text that it looks like."""
    chunks: dict[str, list[str]] = {}
    lines: list[str] = []
    open_examples = 0
    for line in head.split("\n"):
        key = _KEY.match(line)
        if key and key[1] not in chunks and (not chunks or _begins(key[1], in_example=open_examples > 0)):
            lines, open_examples = [line[key.end() :]], 0
            chunks[key[1]] = lines
        else:
            lines.append(line)
        open_examples += line.count("<example>") - line.count("</example>")
    values = {name: _value(lines) for name, lines in chunks.items()}
    extra = {name: value for name, value in values.items() if name.casefold() not in _MAPPED}
    return values, safe_yaml.dump(extra) if extra else ""


def _begins(key: str, *, in_example: bool) -> bool:
    """Whether a word with a colon at the start of a line is a key, and not the text of the key above it."""
    folded = key.casefold()
    if folded in _SPOKEN:
        return False
    if not key[:1].islower():
        return folded in _MAPPED
    return folded in _KNOWN or not in_example


def _value(lines: list[str]) -> object:
    whole = "\n".join(lines).rstrip()
    first = lines[0].strip()
    if re.fullmatch(r"[|>][+-]?\d?[+-]?", first):
        return _dedented(lines[1:], 0)
    if " #" in whole and first[:1] not in tuple("\"'[{|>&*!#"):
        return _dedented([first, *lines[1:]], 1)
    try:
        value = safe_yaml.load("key: " + whole.lstrip(" ") if first else "key:\n" + "\n".join(lines[1:]))
    except safe_yaml.YamlError:
        value = None
    else:
        value = value.get("key") if isinstance(value, Mapping) and len(value) == 1 else None
        if value is not None and not (first and isinstance(value, Mapping)):
            return value
    text = _dedented([lines[0].strip(), *lines[1:]], 1)
    quote = text[:1]
    if quote in ('"', "'") and len(text) > 1 and text.endswith(quote):
        inner = text[1:-1]
        return inner.replace('\\"', '"') if quote == '"' else inner.replace("''", "'")
    return text or None


def _dedented(lines: list[str], first: int) -> str:
    """The lines from `first` on without the indent that they share."""
    depths = [len(line) - len(line.lstrip()) for line in lines[first:] if line.strip()]
    common = min(depths, default=0)
    return "\n".join([*lines[:first], *(line[common:] for line in lines[first:])]).strip()


def description_of(values: Mapping[str, object]) -> str:
    """The description with its escapes resolved; empty where there is none."""
    return unescaped(text_of(values.get("description")))


def name_of(values: Mapping[str, object]) -> str:
    """The name on one line; empty where there is none."""
    return one_line(values.get("name"))
