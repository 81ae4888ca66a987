"""A second reading of what the public package's installer writes, which shares no code with the project's own.

It knows three forms: a fence of YAML, a fence of XML, a TOML file. What it gives is what a person would read there:
who it is, the icon, and the menu as keys with their texts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Seen:
    """One agent of an install: file, id, name, title, icon, and each menu item as (key, its text in words)."""

    file: str
    id: str
    name: str
    title: str
    icon: str
    menu: tuple[tuple[str, str], ...]


def words(text: object) -> str:
    """A text as its words alone, so that layout makes no difference."""
    return " ".join(re.findall(r"\w+", str(text or "")))


def agents_of(root: Path) -> list[Seen]:
    """Every agent below the folders where the installer puts them."""
    seen: list[Seen] = []
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root).as_posix()
        if re.fullmatch(r"\.bmad-[\w-]+/agents/[\w-]+\.md", inside):
            seen.append(_yaml_fence(path))
        elif re.fullmatch(r"_bmad/\w+/agents/(?:[\w-]+/)?[\w-]+\.md", inside):
            seen.append(_xml_fence(path))
        elif re.fullmatch(r"\.claude/skills/[\w-]+/customize\.toml", inside) and b"[agent]" in path.read_bytes():
            seen.append(_toml(path))
    return seen


def _yaml_fence(path: Path) -> Seen:
    lines = path.read_text(encoding="utf-8").splitlines()
    start = lines.index("```yaml")
    value: dict[str, Any] = yaml.safe_load("\n".join(lines[start + 1 : lines.index("```", start + 1)]))
    about = value["agent"]
    menu: list[tuple[str, str]] = []
    commands = value["commands"]
    for item in [{k: v} for k, v in commands.items()] if isinstance(commands, dict) else commands:
        if isinstance(item, str):
            name, _, text = item.partition(" - ")
            menu.append((_first(name), words(text)))
        else:
            ((name, text),) = item.items()
            menu.append((_first(name), words(text if isinstance(text, str) else list(_leaves(text)))))
    return Seen(str(path), str(about["id"]), about["name"], about["title"], about.get("icon", ""), tuple(menu))


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _first(name: str) -> str:
    return name.strip().strip('"').lstrip("*").split()[0].split("{")[0].strip('"')


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.about: dict[str, str] = {}
        self.menu: list[tuple[str, str]] = []
        self._cmd = ""
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        if tag == "agent":
            self.about = found
        elif tag == "item":
            self._cmd, self._text = found["cmd"], ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "item":
            text = re.sub(r"^\[\w+\]", "", self._text.strip())
            self.menu.append((self._cmd.split(" or ")[0].lstrip("*"), words(text)))


def _xml_fence(path: Path) -> Seen:
    lines = path.read_text(encoding="utf-8").splitlines()
    start = lines.index("```xml")
    page = _Html()
    page.feed("\n".join(lines[start + 1 : lines.index("```", start + 1)]))
    ident = Path(page.about["id"]).name.split(".")[0]
    return Seen(str(path), ident, page.about["name"], page.about["title"], page.about["icon"], tuple(page.menu))


def _toml(path: Path) -> Seen:
    agent = tomllib.loads(path.read_text(encoding="utf-8"))["agent"]
    menu = tuple((item["code"], words(item["description"])) for item in agent["menu"])
    return Seen(str(path.with_name("SKILL.md")), path.parent.name, agent["name"], agent["title"], agent["icon"], menu)
