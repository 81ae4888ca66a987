"""A model's draft of a unit -> the text that people are shown and that is saved, byte for byte.

The host writes the heading and the texts that the template gives (`content`), and keeps the draft below its heading: a
title of the template gets its level, any other heading goes below the unit's own, and a line of dashes makes no heading
of what stands above it. So no draft can begin a section of the document that is not its own. What is given for a part
of a draft that ends with a line is a prefix of what is given for the whole, so that it can be watched as it grows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.documents.definition import Definition, Section, levels
from bot.core.documents.filling import ALTERNATIVES, fill
from bot.core.documents.headings import Line, heading, is_open, is_titled, lines_of, owner_of
from bot.core.documents.outline import outline
from bot.core.documents.units import Unit

_ODD = re.compile(r"^ {0,3}<[A-Za-z/!?]|[`~]{9}")
"""Lines behind which our view of what is code may differ from CommonMark's: HTML, and marks beyond our bound."""

_LOOKS_LIKE_ONE = re.compile(r"^ {0,3}(?:#{1,6}(?:[ \t]|$)|(?:=+|-+)[ \t]*$)")
_UNDERLINE = re.compile(r"^ {0,3}(?:=+|-+)[ \t]*$")


@dataclass(frozen=True, slots=True)
class Frame:
    """What the host knows of a unit: `facts` fill placeholders, `knows` names who could tell one that has none.

    `instance` counts the instances of a repeated unit from 1, `name` is what people call this one; 0 for other units.
    """

    facts: Mapping[str, str] = field(default_factory=dict)
    knows: Mapping[str, str] = field(default_factory=dict)
    instance: int = 0
    name: str = ""


def title_of(definition: Definition, facts: Mapping[str, str]) -> str:
    """The document's own title; the template's name where it has none."""
    return fill(definition.title or definition.name, facts).text


def head(definition: Definition, unit: Unit, frame: Frame) -> str:
    """The unit's heading, filled; empty where its first section has no title.

    Of a repeated unit whose title has no place for a name, only the first instance has it; where its sections have
    no such place either, each instance has a heading of its own below.
    """
    section = definition.section(unit.id)
    if section is None or definition.format == "yaml" or not section.title:
        return ""
    title = fill(ALTERNATIVES.sub("", section.title).rstrip(" :-–—"), frame.facts, frame.knows).text
    own = heading(unit.level, title) if frame.instance < 2 or "{{" in section.title else ""
    below = heading(unit.level + 1, frame.name) if _has_name_below(section, frame) else ""
    return "\n\n".join(part for part in (own, below) if part)


def composed(definition: Definition, unit: Unit, draft: str, frame: Frame, *, done: bool = True) -> str:
    """The text of the unit, made of a draft; `done` is false while the draft still grows.

    No blank lines around it, none doubled outside code, and no fence left open. A draft that repeats the unit's heading
    has it once. Empty where neither draft nor host has anything to say.
    """
    draft = re.sub(r"\r\n?", "\n", draft)
    if not done:
        draft = draft[: draft.rfind("\n") + 1]
    if definition.format == "yaml":
        return _fields(draft)
    members = tuple(section for section in definition.walk() if section.id in unit.sections)
    text = _Text(definition, unit, frame, members, levels(definition))
    if members:
        text.write(draft, done=done)
    lines = text.lines if done else text.lines[: text.sure]
    body = _below(unit, "\n".join(lines).strip("\n")) if done else "\n".join(lines).strip("\n")
    if not body and len(members) == sum(1 for _ in members[0].walk()):
        return ""
    return "\n\n".join(part for part in (head(definition, unit, frame), body) if part)


def _below(unit: Unit, body: str) -> str:
    """The body with whatever CommonMark takes for a heading of the unit's level or above moved below it.

    Our own view of what is code is for texts that grow, and more lenient than that of a reader's program.
    """
    while above := [found for found in outline(body) if found.level <= unit.level]:
        lines = body.split("\n")
        for found in reversed(above):
            if found.mark:
                lines[found.end - 1 : found.end] = ["", lines[found.end - 1], ""]
            else:
                lines[found.start] = lines[found.start].replace("#" * found.level, "#" * (unit.level + 1), 1)
        body = "\n".join(lines).strip("\n")
    return body


def missing(definition: Definition, unit: Unit, facts: Mapping[str, str]) -> tuple[str, ...]:
    """The placeholders that the host would have to fill in this unit and has no fact for, each once, in order."""
    sections = [section for section in definition.walk() if section.id in unit.sections]
    texts = [section.content for section in sections] + [section.title for section in sections[:1]]
    return tuple(dict.fromkeys(name for text in texts for name in fill(text, facts).missing))


@dataclass(slots=True)
class _Text:
    """The lines of a unit in the making."""

    definition: Definition
    unit: Unit
    frame: Frame
    members: tuple[Section, ...]
    levels: Mapping[str, int]
    lines: list[str] = field(default_factory=list)
    gap: bool = False
    odd: bool = False
    sure: int | None = None
    """So many lines can be shown while the draft grows; None: all."""

    def write(self, draft: str, *, done: bool) -> None:
        """The draft below the unit's heading, with the template's own texts at their places."""
        first, *waiting = self.members
        self.paste(first.content)
        while waiting and waiting[0].content and not waiting[0].title:
            self.paste(waiting.pop(0).content)
        began, last = False, None
        for line in lines_of(draft.strip("\n")):
            last = line
            if not line.level:
                self.put(line)
            elif began or not self.repeats(line.title):
                waiting = self.enter(line, waiting)
            began = began or bool(line.text.strip())
        if done and last is not None and last.fence is not None:
            self.lines += last.fence.closing().split("\n")[1:]
        if done:
            for section in waiting:
                self.late(section)

    def repeats(self, title: str) -> bool:
        """Whether a heading that a draft begins with is the unit's own."""
        own = [line.title.casefold() for line in lines_of(head(self.definition, self.unit, self.frame)) if line.level]
        first = self.members[0].title
        return title.casefold() in own or (not is_open(first) and is_titled(first, title))

    def enter(self, line: Line, waiting: list[Section]) -> list[Section]:
        """A heading of the draft; gives the sections that are still to come."""
        owner = owner_of(self.members[1:], line.title)
        if owner is None:
            self.head(max(line.level, self.unit.level + 1), line.title)
            return waiting
        place = waiting.index(owner) if owner in waiting else -1
        for passed in waiting[: max(place, 0)]:
            self.late(passed)
        self.head(self.level(owner), line.title)
        if place < 0:
            return waiting
        self.paste(owner.content)
        return waiting[place + 1 :]

    def late(self, section: Section) -> None:
        """What the template gives for a section that the draft has passed over."""
        if section.content:
            if section.title:
                self.head(self.level(section), self.filled(section.title))
            self.paste(section.content)

    def level(self, section: Section) -> int:
        """The heading level of a section; below an instance's own heading all lie one deeper."""
        return self.levels[section.id] + _has_name_below(self.members[0], self.frame)

    def filled(self, text: str) -> str:
        """A text of the template with its placeholders filled."""
        return fill(text, self.frame.facts, self.frame.knows).text

    def paste(self, content: str) -> None:
        """A text of the template, a paragraph of its own."""
        if content:
            self.gap = True
            for line in lines_of(self.filled(content)):
                self.put(line)
            self.gap = True

    def head(self, level: int, title: str) -> None:
        """A heading, with a blank line on both sides."""
        self.gap = True
        self.put(Line(heading(level, title)))
        self.gap = True

    def put(self, line: Line) -> None:
        """A line: code as it is, else without spaces at its end, but for the two that break it."""
        bare = line.text.rstrip()
        fence = line.fence
        self.odd = self.odd or bool(_ODD.search(bare)) or (fence is not None and bool(fence.indent or fence.quotes))
        if line.code and self.odd and self.sure is None and _LOOKS_LIKE_ONE.match(bare):
            self.sure = len(self.lines)
        if not line.code and (not bare or _UNDERLINE.match(bare)):
            self.gap = True
        if line.code or bare:
            if self.gap and self.lines:
                self.lines.append("")
            self.gap = False
            self.lines.append(line.text if line.code else f"{bare}  " if line.text.endswith("  ") else bare)


def _has_name_below(section: Section, frame: Frame) -> bool:
    """Whether an instance is named in a heading below the unit's: neither the title nor a child's has room for it."""
    titles = (section.title, *(child.title for child in section.sections))
    return frame.instance > 0 and bool(frame.name) and not any("{{" in title for title in titles)


def _fields(draft: str) -> str:
    """The YAML of a draft: what stands in its fence where it begins with one, else all but fences."""
    lines = list(lines_of(draft.strip("\n")))
    if lines and lines[0].code:
        end = next((place for place, line in enumerate(lines) if line.fence is None), len(lines))
        lines = lines[1:end]
    return "\n".join(line.text.rstrip() for line in lines).strip("\n")
