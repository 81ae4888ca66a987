"""YAML that people wrote, read key by key; what is not of the right kind is a finding, never an exception."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.personas.readers import safe_yaml

_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off", ""})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a template that its author can mend: the line (from 1), what is wrong, and what to do."""

    line: int
    reason: str
    mend: str
    severity: Literal["error", "warning"] = "warning"


class TemplateError(ValueError):
    """Nobody can work with this template or configuration: why, the line (from 1), and what to do about it."""

    def __init__(self, reason: str, line: int, mend: str) -> None:
        super().__init__(f"line {line}: {reason}; {mend}")
        self.reason = reason
        self.line = line
        self.mend = mend


def parsed_yaml(text: str, most: int, mend: str) -> tuple[safe_yaml.Parsed, Mapping[tuple[str | int, ...], int]]:
    """What a text of at most so many characters holds, and the line of every key and entry by its path.

    `mend` says what to do with a longer one. Raises TemplateError.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    if len(text) > most:
        raise TemplateError(f"it has more than {most:,} characters", 1, mend)
    try:
        return safe_yaml.parse(text), safe_yaml.places(text)
    except safe_yaml.YamlError as problem:
        raise TemplateError(problem.reason, problem.line, problem.mend) from problem
    except RecursionError as problem:
        raise TemplateError("it is nested too deeply", 1, "make it flatter") from problem


@dataclass(frozen=True, slots=True)
class Values:
    """The mapping `found` at `path` of a template; `find` is told the line, what is wrong, and what to do."""

    found: Mapping[object, object]
    path: tuple[str | int, ...]
    lines: Mapping[tuple[str | int, ...], int]
    find: Callable[[int, str, str], None]

    def line(self, key: str = "") -> int:
        """The line of the key, from 1; without one, or where it has none, that of the mapping."""
        return self.lines.get((*self.path, key)) or self.lines.get(self.path, 1)

    def raw(self, key: str) -> object:
        """Whatever stands under the key; None where nothing does."""
        return self.found.get(key)

    def only(self, known: set[str]) -> None:
        """Find every key that is not among the known ones."""
        for key in self.found:
            if str(key) not in known:
                where = self.found.get("id")
                of = f" of {where}" if isinstance(where, str) and where else ""
                self.find(
                    self.line(str(key)), f"the key `{key}`{of} is not known here", "take it away, or mend its name"
                )

    def rest(self, known: set[str]) -> str:
        """The keys that are not among the known ones, as YAML."""
        rest = {key: value for key, value in self.found.items() if str(key) not in known}
        return safe_yaml.dump(rest) if rest else ""

    def text(self, key: str) -> str:
        """The text under the key without blank lines around it; a list is joined by lines, a mapping told."""
        match self.raw(key):
            case None:
                return ""
            case list() as several:
                return "\n".join(said for each in several if (said := _said(each)))
            case Mapping() as inner if len(inner) != 1:
                self.find(self.line(key), f"`{key}` is a block of keys and should be a text", "put it in quotes")
                return ""
            case value:
                return _said(value)

    def texts(self, key: str, most: int) -> tuple[str, ...]:
        """The texts of the list under the key, at most so many; one text alone is a list of one."""
        found = self.raw(key)
        several = found if isinstance(found, list) else [] if found is None else [found]
        said = [text for each in several if (text := _said(each))]
        if len(said) > most:
            self.find(self.line(key), f"`{key}` has more than {most} entries; the rest is left out", "write fewer")
        return tuple(said[:most])

    def items(self, key: str) -> list[object]:
        """The list under the key, as it stands; what is no list is found."""
        match self.raw(key):
            case None:
                return []
            case list() as several:
                return several
            case _:
                self.find(self.line(key), f"`{key}` is no list", "write each entry behind a dash")
                return []

    def rows(self, key: str, most: int) -> tuple[tuple[str, ...], ...]:
        """The rows of a table; a group of rows is its name alone in a row, and then its rows."""
        rows: list[tuple[str, ...]] = []
        for each in self.items(key):
            match each:
                case list():
                    rows.append(tuple(map(_said, each)))
                case Mapping() if isinstance(inner := each.get("items"), list):
                    name = next((_said(value) for name, value in each.items() if name != "items"), "")
                    rows += [(name,), *(tuple(map(_said, row)) for row in inner if isinstance(row, list))]
                case _:
                    self.find(self.line(key), f"a row of `{key}` is no list", "write its cells in brackets")
        if len(rows) > most:
            self.find(self.line(key), f"`{key}` has more than {most} rows; the rest is left out", "write fewer")
        return tuple(rows[:most])

    def flag(self, key: str) -> bool:
        """Whether the key says yes, as YAML 1.1 or 1.2 has it."""
        said = _said(self.raw(key)).casefold()
        if said not in _TRUE | _FALSE:
            self.find(self.line(key), f"`{key}: {said}` is neither true nor false; it counts as false", "write true")
        return said in _TRUE

    def number(self, key: str) -> int | None:
        """The whole number under the key; None where there is none."""
        found = self.raw(key)
        if found is None or (isinstance(found, int) and not isinstance(found, bool)):
            return found
        self.find(self.line(key), f"`{key}` is no whole number", "write a number such as 99")
        return None


def _said(value: object) -> str:
    """A value as the text that its author meant: `- Text: more` is a mapping for YAML, and no mapping for people."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Mapping():
            if isinstance(template := value.get("template"), str):
                return template.strip()
            return "; ".join(f"{name}: {_said(inner)}" for name, inner in value.items())
        case list():
            return ", ".join(map(_said, value))
        case _:
            return str(value).strip("\n").rstrip()
