"""YAML that strangers wrote: plain data only, bounded in depth and in what aliases may blow up to.

Scalars follow YAML 1.2's core schema, so that `no`, `12:30` and a date stay the texts that their authors meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import yaml

MAX_DEPTH = 50
MAX_ALIASES = 100
MAX_DOUBLED = 20
"""So many doubled keys of a document are told."""

MAX_NODES = 100_000
"""How many values a document may come to once its aliases are followed."""

_SUSPICIOUS = re.compile(r"(?:^|[\s\[{,:-])&[^\s&]|(?:- ){8}|\n {40}|(?:\? ){8}")


class YamlError(ValueError):
    """This is no YAML, or more of it than we take: why, the line (from 1), and what to do about it.

    `refused` is true for what is YAML but goes beyond our bounds: nobody should try to mend that.
    """

    def __init__(self, reason: str, line: int, mend: str, *, refused: bool = False) -> None:
        super().__init__(f"line {line}: {reason}")
        self.reason = reason
        self.line = line
        self.mend = mend
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document's value, and where its top-level keys stand (lines from 0, in order).

    `block` is true where each key's text can be cut out of the source by lines. `doubled` are the keys that stand
    twice in one mapping, of which YAML's readers keep the last.
    """

    value: object
    keys: tuple[tuple[str, int], ...] = ()
    block: bool = False
    doubled: tuple[YamlError, ...] = ()


class _Loader(yaml.CSafeLoader):
    """The C loader with the core schema's scalars."""


_Loader.yaml_implicit_resolvers = {}
_NULL, _INT, _BOOL = (
    r"^(?:~|null|Null|NULL|)$",
    r"^[-+]?(?:0|[1-9][0-9]{0,17})$",
    r"^(?:true|True|TRUE|false|False|FALSE)$",
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(_NULL), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(_BOOL), list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(_INT), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]{1,18}\.[0-9]{1,18}$"), list("-+0123456789")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])


class _Dumper(yaml.CSafeDumper):
    """Writes what `_Loader` reads back as it was: block style, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def parse(text: str) -> Parsed:
    """The one document in `text`. Raises YamlError."""
    if "\x00" in text:
        raise YamlError("there is a NUL character", text.count("\n", 0, text.index("\x00")) + 1, "remove it")
    if text.count("[") + text.count("{") > MAX_DEPTH or _SUSPICIOUS.search(text):
        _survey(text)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Parsed(None)
        value = loader.construct_document(node)
    except yaml.YAMLError as problem:
        raise _told(problem) from problem
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError) as problem:
        # The constructors of explicit tags (`!!int x`, `!!timestamp x`) raise whatever they stumble over.
        raise YamlError(f"a tagged value is not what its tag says ({problem})", 1, "remove the `!!` tag") from problem
    finally:
        loader.dispose()
    doubled = tuple(islice(_doubled(node), MAX_DOUBLED))
    if not isinstance(node, yaml.MappingNode):
        return Parsed(value, doubled=doubled)
    keys = tuple((str(key.value), key.start_mark.line) for key, _ in node.value)
    distinct = len({line for _, line in keys}) == len(keys)
    block = not node.flow_style and distinct and not re.search(r"(?m)[\s:-][&*]\S|^<<", text)
    return Parsed(value, keys, block, doubled)


def _doubled(root: yaml.Node) -> Iterator[YamlError]:
    """Keys that stand twice in a mapping, at the place of the second."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            names: set[str] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in names and key.value != "<<":
                        told = f"the key `{key.value}` stands here a second time; only this one counts"
                        yield YamlError(told, key.start_mark.line + 1, "take one of them away, or join them")
                    names.add(key.value)
                inner.append(value)
        elif isinstance(node, yaml.SequenceNode):
            inner = node.value
        for value in inner:
            if not isinstance(value, yaml.ScalarNode) and id(value) not in seen:
                seen.add(id(value))
                waiting.append(value)


def load(text: str) -> object:
    """The value of the one document in `text`. Raises YamlError."""
    return parse(text).value


def places(text: str) -> Mapping[tuple[str | int, ...], int]:
    """The line (from 1) of every key and list entry of a document that `parse` takes, by its path from the top.

    Raises YamlError.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
    except yaml.YAMLError as problem:
        raise _told(problem) from problem
    finally:
        loader.dispose()
    lines: dict[tuple[str | int, ...], int] = {}
    waiting: list[tuple[tuple[str | int, ...], yaml.Node]] = [] if root is None else [((), root)]
    while waiting:
        path, node = waiting.pop()
        inner: list[tuple[str | int, yaml.Node, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            inner = [(str(key.value), value, key) for key, value in node.value if isinstance(key, yaml.ScalarNode)]
        elif isinstance(node, yaml.SequenceNode):
            inner = [(place, value, value) for place, value in enumerate(node.value)]
        for name, value, mark in inner:
            lines[(*path, name)] = _line_of(mark.start_mark)
            waiting.append(((*path, name), value))
    return lines


def dump(value: object) -> str:
    """`value` as block-style YAML with its keys in order; what the loader gives can always be dumped."""
    return yaml.dump(_plain(value), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)


def cut(text: str, parsed: Parsed, wanted: frozenset[str] | set[str]) -> str:
    """The YAML of those top-level keys that are not in `wanted`, verbatim where the source allows it."""
    if not isinstance(parsed.value, Mapping):
        return ""
    if not parsed.block:
        rest = {key: value for key, value in parsed.value.items() if str(key) not in wanted}
        return dump(rest) if rest else ""
    lines = text.split("\n")
    ends = [line for _, line in parsed.keys[1:]] + [len(lines)]
    kept = [
        "\n".join(lines[start:end]).rstrip() + "\n"
        for (key, start), end in zip(parsed.keys, ends, strict=True)
        if key not in wanted
    ]
    return "".join(kept)


def _survey(text: str) -> None:
    """Follow the events alone, without building anything. Raises YamlError."""
    depth = nodes = aliases = 0
    weight: dict[str, int] = {}
    opened: list[tuple[str | None, int]] = []
    try:
        for event in yaml.parse(text, Loader=_Loader):
            line = _line_of(event.start_mark)
            match event:
                case yaml.AliasEvent():
                    aliases += 1
                    if any(anchor == event.anchor for anchor, _ in opened):
                        raise YamlError(
                            f"`*{event.anchor}` stands inside itself", line, "write the value out", refused=True
                        )
                    nodes += weight.get(str(event.anchor), 1)
                case yaml.CollectionStartEvent():
                    depth += 1
                    nodes += 1
                    opened.append((event.anchor, nodes))
                case yaml.CollectionEndEvent():
                    depth -= 1
                    anchor, before = opened.pop()
                    if anchor:
                        weight[anchor] = nodes - before + 1
                case yaml.ScalarEvent():
                    nodes += 1
                    if event.anchor:
                        weight[event.anchor] = 1
            if depth > MAX_DEPTH:
                raise YamlError(
                    f"it is nested more than {MAX_DEPTH} levels deep", line, "make it flatter", refused=True
                )
            if aliases > MAX_ALIASES:
                raise YamlError(
                    f"it has more than {MAX_ALIASES} aliases (`*name`)", line, "write the values out", refused=True
                )
            if nodes > MAX_NODES:
                raise YamlError(f"it comes to more than {MAX_NODES:,} values", line, "write less", refused=True)
    except yaml.YAMLError as problem:
        raise _told(problem) from problem


def _line_of(mark: object) -> int:
    return int(getattr(mark, "line", 0)) + 1


def _told(problem: yaml.YAMLError) -> YamlError:
    mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
    reason = str(getattr(problem, "problem", None) or getattr(problem, "reason", None) or problem).split("\n")[0]
    line = _line_of(mark)
    if "mapping values are not allowed" in reason:
        return YamlError("a colon stands in a text without quotes", line, "put the whole text in quotes")
    if "tab" in reason or "cannot start any token" in reason:
        return YamlError(reason, line, "put the text in quotes, and indent with spaces only")
    return YamlError(f"it is not valid YAML: {reason}", line, "correct this line; texts with special signs need quotes")


def _plain(value: object) -> object:
    match value:
        case Mapping():
            return {_key(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case set() | frozenset():
            return sorted(str(item) for item in value)
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _key(key: object) -> object:
    return key if isinstance(key, str | int | float | bool) or key is None else str(key)
