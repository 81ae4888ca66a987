"""What changed between two versions of a document, as people read it on a phone: sections first, then words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

MOST_SECTIONS = 12
"""So many changed sections are shown with their words; of the others only their number is told."""

MOST_LINES = 12
"""So many changes of one section are shown."""

COMPARABLE = 400
"""Lines of a section, and words of a line, up to which two of them are compared one by one."""

LONGEST = 400
"""Characters of a changed line that are shown."""

_HEADING = re.compile(r"#{1,6}\s+\S")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_MARKUP = re.compile(r"[*_~`|<>\[\]\\]")
_LEAD = re.compile(r"(\s*(?:[-*+]|\d{1,9}[.)])\s+|\s*>\s?|\s*)")
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the lines below it, up to the next heading; what stands before the first one has none."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A section that is not as it was; `shown` are its changes, a piece of Markdown each."""

    kind: Literal["added", "removed", "changed"]
    heading: str
    shown: tuple[str, ...] = ()
    left_out: int = 0


def sections(text: str) -> tuple[Section, ...]:
    """The sections of a text in order, none for nothing. A heading in a fence of code is none."""
    found: list[Section] = []
    heading, lines, fence = "", list[str](), ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip(" `~"):
                fence = ""
        elif mark:
            fence = mark[1]
        elif _HEADING.match(line):
            if heading or any(part.strip() for part in lines):
                found.append(Section(heading, tuple(lines)))
            heading, lines = line.strip(), []
            continue
        lines.append(line.rstrip())
    if heading or any(part.strip() for part in lines):
        found.append(Section(heading, tuple(lines)))
    return tuple(found)


def changes(before: str, after: str) -> tuple[Change, ...]:
    """What is not as it was, in the order of `after`; removed sections stand where they were."""
    old, new = _keyed(sections(before)), _keyed(sections(after))
    found = []
    for key in _in_order(list(old), list(new)):
        was, now = old.get(key), new.get(key)
        if was is None:
            found.append(Change("added", key[0]))
        elif now is None:
            found.append(Change("removed", key[0]))
        elif _solid(was.lines) != _solid(now.lines):
            shown = _changed_lines(_solid(was.lines), _solid(now.lines)) if len(found) < MOST_SECTIONS else ()
            found.append(Change("changed", key[0], shown[:MOST_LINES], len(shown[MOST_LINES:])))
    return tuple(found)


def _solid(lines: Iterable[str]) -> list[str]:
    """The lines that say something: a blank line more or less is no change."""
    return [line for line in lines if line.strip()]


def _keyed(found: Iterable[Section]) -> dict[tuple[str, int], Section]:
    """Sections by heading, those of the same heading counted."""
    seen = Counter[str]()
    keyed = {}
    for section in found:
        seen[section.heading] += 1
        keyed[section.heading, seen[section.heading]] = section
    return keyed


def _in_order(old: Sequence[tuple[str, int]], new: Sequence[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """All keys once, in the order of `new`; those that are gone come behind the one that they stood behind."""
    have, behind, last = set(new), dict[tuple[str, int] | None, list[tuple[str, int]]](), None
    for key in old:
        if key in have:
            last = key
        else:
            behind.setdefault(last, []).append(key)
    yield from behind.get(None, ())
    for key in new:
        yield key
        yield from behind.get(key, ())


def _changed_lines(old: list[str], new: list[str]) -> tuple[str, ...]:
    if max(len(old), len(new)) > COMPARABLE:
        return (f"_rewritten: {len(old)} lines before, {len(new)} now_",)
    shown = list[str]()
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        pairs = min(b - a, d - c)
        shown += [_changed_line(was, now) for was, now in zip(old[a : a + pairs], new[c : c + pairs], strict=True)]
        shown += [
            _as_code("-", line) if _MARKUP.search(_body(line)) else f"- ~~{_cut(_body(line))}~~"
            for line in old[a + pairs : b]
        ]
        shown += [
            _as_code("+", line) if _MARKUP.search(_body(line)) else f"- **{_cut(_body(line))}**"
            for line in new[c + pairs : d]
        ]
    return tuple(shown)


def _changed_line(was: str, now: str) -> str:
    """One line with what went struck out and what came in bold; as code where either has markup of its own."""
    before, after = _body(was), _body(now)
    if before == after:
        return f"- {_cut(after)}" if not _MARKUP.search(after) else _as_code("+", now)
    words, others = _WORDS.findall(before), _WORDS.findall(after)
    is_plain = not _MARKUP.search(before + after)
    if not is_plain or max(len(words), len(others)) > COMPARABLE or max(len(before), len(after)) > LONGEST:
        return f"{_as_code('-', was)}\n{_as_code('+', now)}"
    parts = list[str]()
    for kind, a, b, c, d in SequenceMatcher(None, words, others, autojunk=False).get_opcodes():
        gone, came = "".join(words[a:b]), "".join(others[c:d])
        if kind == "equal":
            parts.append(gone)
            continue
        parts.append(_marked(gone, "~~") + _marked(came, "**"))
    return "- " + re.sub(r"(~~|\*\*)(?=\*\*|~~)", r"\1 ", "".join(parts))


def _marked(words: str, mark: str) -> str:
    """The words between marks, which have to stand right beside a letter."""
    bare = words.strip()
    if not bare:
        return words if mark == "**" else ""
    lead, tail = words[: len(words) - len(words.lstrip())], words[len(words.rstrip()) :]
    return f"{lead}{mark}{bare}{mark}{tail}"


def _body(line: str) -> str:
    """A line without what makes it an item of a list, or a quotation."""
    found = _LEAD.match(line)
    return line[found.end() :] if found else line


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[:LONGEST].rstrip()} ..."


def _as_code(sign: str, line: str) -> str:
    flat = _cut(line.strip())
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", flat)), default=0))
    beside = " " if len(ticks) > 1 else ""
    return f"{ticks}{beside}{sign} {flat}{beside}{ticks}"


def told(before: str, after: str) -> str:
    """The changes as Markdown; a sentence where there are none."""
    found = changes(before, after)
    if not found:
        if before == after:
            return "Nothing changed."
        return "No words changed, only blank lines or the order of sections."
    kinds = Counter(change.kind for change in found)
    counted = ", ".join(f"{kinds[kind]} {kind}" for kind in ("changed", "added", "removed") if kinds[kind])
    blocks = [f"Sections: {counted}."]
    for change in found[:MOST_SECTIONS]:
        head = f"**{change.kind.capitalize()}: {_title(change.heading)}**"
        more = [f"_and {change.left_out} more changes in this section_"] if change.left_out else []
        blocks.append("\n".join([head, *change.shown, *more]))
    if rest := len(found) - MOST_SECTIONS:
        blocks += [f"_and {rest} more sections_"] if rest > 0 else []
    return "\n\n".join(blocks)


def _title(heading: str) -> str:
    words = re.sub(r"[*_~`]", "", heading.lstrip("# ").strip())
    return words or "(before the first heading)"
