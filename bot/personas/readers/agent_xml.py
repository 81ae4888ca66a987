"""BMAD v6 agents as XML: in a fence of an installed agent, as a file of their own, or many in a bundle.

The files are written by templates that do not escape everything, so they are read tag by tag, not by an XML parser.
What comes out has the shape of an `.agent.yaml`, so that layers go over it in the same way.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

_AGENT = re.compile(r"<agent(?=\s[^<>]{0,2000}\bid=)")
_END = "</agent>"
_ATTRIBUTE = re.compile(r"\s+([\w:-]+)=([\"'])(.*?)\2(?=\s+[\w:-]+=[\"']|\s*/?>)", re.DOTALL)
_CLOSE = re.compile(r"\s*/?>")
_ITEM = re.compile(r"<(item|handler)\b")
_CHILD = re.compile(r"<([A-Za-z_][\w-]{0,60})(?:\s[^<>]{0,300})?>(.*?)</\1>", re.DOTALL)
_STEP = re.compile(r"<step\b[^<>]{0,80}>(.*?)</step>", re.DOTALL)
_PROMPT = re.compile(r"<prompt\b[^<>]{0,200}?\bid=\"([^\"<>]*)\"[^<>]{0,200}>(.*?)</prompt>", re.DOTALL)
_MEMORY = re.compile(r"<memory>(.*?)</memory>", re.DOTALL)
_FILE = re.compile(r"<file\s+id=\"(?P<id>[^\"<>]{1,300})\"[^<>]{0,100}>(?P<cdata><!\[CDATA\[)?")

MAX_AGENTS = 500
"""How many agents of one file are read."""

MAX_VALUE = 8_000
"""Longest value of an attribute, in characters."""

_OF_THE_HOST = re.compile(
    r"from this current agent file|web bundle|this bundle|config\.yaml|^remember:? (?:the )?user.?s name|"
    r"^(?:show|greet)\b.*(?:greeting|menu)|^greet user|know they can|^stop and wait|^on user input|"
    r"^when (?:processing|executing) a menu item|^always communicate in \{|^remember the users name",
    re.IGNORECASE | re.DOTALL,
)
"""Steps of an activation that the host takes here: config, greeting, menu, waiting."""


@dataclass(frozen=True, slots=True)
class Found:
    """An agent's values as an `.agent.yaml` has them, its whole text, and the line (from 1) where that begins."""

    values: Mapping[str, object]
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class File:
    """A file that lies inside a bundle: its path, its text, and the line where that begins."""

    path: str
    text: str
    line: int


def has_agent(text: str) -> bool:
    """Whether an agent in XML is in the text."""
    return _AGENT.search(text) is not None and "<persona>" in text


def files_in(text: str) -> tuple[tuple[File, ...], str]:
    """The files inside a bundle, and the text with them blanked, line for line."""
    files: list[File] = []
    rest: list[str] = []
    at = 0
    while mark := _FILE.search(text, at):
        start = mark.end()
        closing = text.find("]]>", start) if mark["cdata"] else text.find("</file>", start)
        end = closing if closing >= 0 else len(text)
        files.append(File(mark["id"], text[start:end].strip("\n"), text.count("\n", 0, start) + 1))
        rest += [text[at : mark.start()], "\n" * text.count("\n", mark.start(), end)]
        at = end
    return tuple(files), "".join(rest) + text[at:]


def agents_in(text: str) -> Iterator[Found]:
    """The agents of a text, in order. What has no persona is an example in somebody's prose, and no agent."""
    for mark in islice(_AGENT.finditer(text), MAX_AGENTS):
        end = text.find(_END, mark.end())
        whole = text[mark.start() : end + len(_END) if end >= 0 else len(text)]
        if "<persona>" in whole:
            yield Found(_values(whole), whole, text.count("\n", 0, mark.start()) + 1)


def _values(text: str) -> Mapping[str, object]:
    attributes, at = _attributes(text, len("<agent"))
    about = {key: value for key, value in attributes.items() if key in ("id", "name", "title", "icon")}
    rest = {key: value for key, value in attributes.items() if key not in about}
    prompts = [{"id": m[1], "content": _plain(_inner(m[2], "content") or m[2])} for m in _PROMPT.finditer(text, at)]
    values: dict[str, object] = {
        "metadata": {**about, "description": rest.pop("capabilities", "")} | rest,
        "persona": _persona(_inner(text, "persona")),
        "menu": list(_menu(_inner(text, "menu"))),
        "critical_actions": [step for step in _steps(_inner(text, "activation")) if not _OF_THE_HOST.search(step)],
        "prompts": prompts,
        "memories": [_plain(m[1]) for m in _MEMORY.finditer(text, at)],
    }
    return values


def _persona(text: str) -> dict[str, object]:
    persona: dict[str, object] = {m[1]: _plain(m[2]) for m in _CHILD.finditer(text)}
    principles = str(persona.get("principles", ""))
    if re.match(r"[-*] ", principles):
        # Installers join a list into one line; what goes on in lower case is a dash of the author's own.
        persona["principles"] = re.split(r"\s+[-*]\s+(?=[^\sa-z])", principles[2:])
    return persona


def _menu(text: str) -> Iterator[dict[str, object]]:
    multi = ""
    marks = list(_ITEM.finditer(text))
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        attributes, at = _attributes(text, mark.end())
        limit = following.start() if following else len(text)
        closing = text.find(f"</{mark[1]}>", at, limit)
        shown = _plain(text[at : closing if closing >= 0 else limit])
        if attributes.get("type") == "multi" and mark[1] == "item":
            multi = shown
            continue
        trigger = attributes.pop("cmd", "") or attributes.pop("match", "")
        yield {**attributes, "trigger": trigger, "description": shown or multi}


def _steps(text: str) -> list[str]:
    return [" ".join(_plain(m[1]).split()) for m in _STEP.finditer(text)]


def _inner(text: str, tag: str) -> str:
    """What stands between the first such tag and the last end of it."""
    start = re.search(rf"<{tag}(?:\s[^<>]{{0,200}})?>", text)
    end = text.rfind(f"</{tag}>")
    return text[start.end() : end] if start and end >= start.end() else ""


def _attributes(text: str, at: int) -> tuple[dict[str, str], int]:
    """The attributes that stand from `at` on, and where the tag ends. A value may hold quotes of its own."""
    found: dict[str, str] = {}
    while mark := _ATTRIBUTE.match(text, at, at + MAX_VALUE):
        found[mark[1]] = html.unescape(mark[3]).strip()
        at = mark.end()
    closing = _CLOSE.match(text, at)
    return found, closing.end() if closing else at


def _plain(text: str) -> str:
    """Text as people read it: no tags around it, entities resolved, the indent of its lines taken off."""
    text = re.sub(r"^\s*<!\[CDATA\[|\]\]>\s*$", "", text)
    return "\n".join(line.strip() for line in html.unescape(text).strip().split("\n"))
