"""A YAML file as plain values, with what YAML libraries throw away: the line of every key, and double keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Key = tuple[str | int, ...]
"""The way to a value: keys, and the indexes of list items from 0."""

_TAG = "tag:yaml.org,2002:"
_REFUSED = object()


@dataclass(slots=True)
class Lined:
    """The values of a file, the line (from 1) of each key and list item, and the problems as (line, key, what).

    Line 0 stands for the whole file. What a problem was told about is not among the values.
    """

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Key, int] = field(default_factory=dict)
    problems: list[tuple[int, Key, str]] = field(default_factory=list)


def read(path: Path) -> Lined:
    """Read `path`; raises nothing: whatever is wrong with the file is among the problems."""
    lined = Lined()
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        if isinstance(node, yaml.MappingNode):
            lined.values = _Walk(loader, lined).mapping(node, ())
        elif node is not None and node.tag != f"{_TAG}null":
            lined.problems.append((_line(node), (), "expected keys and values, such as `name: Greenroom`"))
    except FileNotFoundError:
        lined.problems.append((0, (), "no such file"))
    except OSError as error:
        lined.problems.append((0, (), f"cannot be read: {error.strerror or error}"))
    except UnicodeDecodeError as error:
        lined.problems.append((0, (), f"not UTF-8 text (at byte {error.start}); save it as UTF-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        column = f", in column {mark.column + 1}" if mark else ""
        lined.problems.append((mark.line + 1 if mark else 0, (), f"not YAML: {error.problem}{column}"))
    except yaml.YAMLError as error:
        lined.problems.append((0, (), f"not YAML: {' '.join(str(error).split())}"))
    except RecursionError:
        lined.problems.append((0, (), "not read: it is nested far too deeply"))
    return lined


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


class _Walk:
    """A walk over a document's nodes that knows which nodes it is inside of."""

    def __init__(self, loader: yaml.SafeLoader, lined: Lined) -> None:
        self._loader = loader
        self._lined = lined
        self._outer: list[yaml.Node] = []

    def mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name_node, value_node in node.value:
            name = name_node.value
            here = (*key, str(name) if isinstance(name_node, yaml.ScalarNode) else "?")
            if name_node.tag == f"{_TAG}merge":
                self._refuse(name_node, here, "merging with << is not read here; write the keys out")
            elif name_node.tag != f"{_TAG}str":
                self._refuse(name_node, here, "a key has to be text; put it in quotes")
            elif here in self._lined.lines:
                self._refuse(name_node, here, f"given twice, first in line {self._lined.lines[here]}; keep one of them")
            else:
                self._lined.lines[here] = _line(name_node)
                value = self._value(value_node, here)
                if value is not _REFUSED:
                    values[name] = value
        return values

    def _value(self, node: yaml.Node, key: Key) -> object:
        if any(node is outer for outer in self._outer):
            return self._refuse(node, key, "this contains itself; write the value out")
        self._outer.append(node)
        try:
            match node:
                case yaml.MappingNode():
                    return self.mapping(node, key)
                case yaml.SequenceNode():
                    return self._sequence(node, key)
                case _:
                    return self._scalar(node, key)
        finally:
            self._outer.pop()

    def _sequence(self, node: yaml.SequenceNode, key: Key) -> list[object]:
        values = []
        for index, item in enumerate(node.value):
            self._lined.lines[(*key, index)] = _line(item)
            value = self._value(item, (*key, index))
            if value is not _REFUSED:
                values.append(value)
        return values

    def _scalar(self, node: yaml.Node, key: Key) -> object:
        if ":" in node.value and node.tag in (f"{_TAG}int", f"{_TAG}float"):
            return self._refuse(node, key, f"YAML takes {node.value} for a number to base 60; write it another way")
        try:
            value: object = self._loader.construct_object(node)
        except (ValueError, AttributeError, LookupError, OverflowError) as error:
            # A date that there never was, or a tag on what is none: PyYAML stumbles in more ways than one.
            return self._refuse(node, key, f"not what YAML takes it for ({error}); put it in quotes")
        return value

    def _refuse(self, node: yaml.Node, key: Key, problem: str) -> object:
        self._lined.problems.append((_line(node), key, problem))
        return _REFUSED
