"""One voice a post: what a persona writes as somebody else's words is shown as a quotation, and nothing is deleted.

A line that begins as another's words (`bot.core.speech`) begins a quotation, up to the end of its paragraph or to where
the persona's own label takes over. What is in code, lists, tables and quotes stays as it is, and so does a list of who
does what. Below the post stands who wrote the quotation, and that nobody else said it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.core.fences import Fence, fence_after
from bot.core.role_words import TELLING
from bot.core.speech import OVERRIDE, REACH, Names, Speech, is_entry, is_item, may_become_speech, speech
from bot.personas.lookalikes import seen

__all__ = ["Names", "Quoted", "Voices", "one_line", "quoted"]

HEADING_WORDS = 8
"""A line that heads a list of who does what has no more words."""

_MOST_NAMED = 3
"""More names than these are not listed below a post."""

_TICKS = re.compile("`{3,}")
_RULE = re.compile(r"[\s>]*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)+\|?\s*|[\s>]*\|\s*:?-+:?\s*\|\s*")
_ENTRY = re.compile(r"[\s*_`]*[^\s:][^:\n]{0,40}?(?:[*_`\s]*:|\s+[-\u2013\u2014]+)[*_`]*\s+(\S.*)")
_SEGMENT = re.compile(r"(?<=\S)(?:<br\s*/?>|[ \t\u00a0\u2000-\u200a\u2800\u3000]{12,})(?=\S)", re.IGNORECASE)
_QUOTE = re.compile(r"\s*>")


@dataclass(frozen=True, slots=True)
class Quoted:
    """A text with others' words as quotations: `body`, and the line to stand below it, "" where there is none."""

    body: str
    note: str = ""

    @property
    def forged(self) -> bool:
        """Whether somebody else was made to speak."""
        return bool(self.note)

    @property
    def markdown(self) -> str:
        """The text with its note."""
        return f"{self.body}\n\n{self.note}" if self.note else self.body


def quoted(text: str, names: Names) -> Quoted:
    """`text` as its speaker's post: every word of it, with what it says as somebody else shown as a quotation."""
    voices = Voices(names)
    parts = [voices.line(line) for line in text.splitlines(keepends=True)]
    body = "".join((*parts, voices.end())).strip()
    return Quoted(body, voices.note)


def one_line(text: str, names: Names) -> str:
    """`text` as one line of a menu or a label: nothing in it looks like a post, a quotation or another choice.

    Where it begins as somebody else's words, or as a choice with its number, it stands in quotation marks.
    """
    lines = [_MARGIN.sub("", line).strip() for line in _SEGMENT.sub("\n", text).splitlines()]
    lines = [line for line in lines if seen(line).strip()]
    said = [found for line in lines if (found := speech(line, names))]
    line = " ".join(" ".join(lines).replace("```", "''' ").split())
    is_choice = any(_CHOICE.match(part) or _CHOICE.match(seen(part)) for part in (line, *lines))
    if is_choice or any(found.is_other for found in said):
        return f"\u201c{line}\u201d"
    return line


_MARGIN = re.compile(r"^\s*(?:(?:#{1,6}|>+|[-+*\u2022]|-#)\s+|>+|`{3,}|~{3,})*")
_CHOICE = re.compile(r"\s*[*_~`\[(]*(?:\d{1,3}|[a-z])\s?[.):\]](?:\W|$)|\W*\d\ufe0f?\u20e3", re.IGNORECASE)


class Voices:
    """Reads a post line by line, and gives it with others' words as quotations; see `quoted`. Every line is read once.

    A line that may yet be an item of a list, or a name alone above what is said, is held until the next one tells.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._fence: Fence | None = None
        self._has_open_ticks = False
        self._end = "\n"
        self._is_quoting = self._after_quote = False
        self._awaits_words = False
        self._is_headed = self._in_list = self._in_table = False
        self._held: list[str] = []
        self._held_speech: Speech | None = None
        self._above = ""
        self._forged: dict[str, None] = {}
        self._grown = ""
        self._grown_speech: Speech | None = None

    @property
    def note(self) -> str:
        """The line below the post, "" where nobody else was made to speak."""
        if not self._forged:
            return ""
        named = list(self._forged)
        whom = " or ".join(named) if len(named) <= _MOST_NAMED else "anybody else"
        by = self._names.speaker
        return (
            f"_(Quoted above: written by {by}, not said by {whom}.)_"
            if by
            else f"_(Quoted above: not said by {whom}.)_"
        )

    def line(self, line: str) -> str:
        """What is certain with a line that has ended, which may be more than the line, or less."""
        start, shown = 0, ""
        for found in _SEGMENT.finditer(line) if not self._is_code(line) else ():
            shown += self._segment(line[start : found.end()])
            start = found.end()
        return shown + self._segment(line[start:])

    def growing(self, line: str) -> str:
        """What may be shown of the line that still grows, none of which was given to `line`; "" if that is not certain.

        A beginning of the line is as good as all of it that has come: what is given is then a beginning too.
        """
        if self._held or not line:
            return ""
        if self._is_code(line) and self._fence is not None:
            return "" if _may_be_fence(line) else line
        if broken := _SEGMENT.search(line):
            line = line[: broken.end()]
        text = seen(line)
        if not text.strip() or _may_be_fence(line):
            return ""
        if is_item(line) or _QUOTE.match(line) or self._in_table:
            if self._in_table and "|" not in line:
                return ""
            return self._join(line, quote=self._is_quoting and not _QUOTE.match(line)) if not self._awaits_words else ""
        is_told = len(line) >= REACH and OVERRIDE not in line[:REACH]
        found = self._told(line[:REACH]) if is_told else None
        may_be = found is not None if is_told else may_become_speech(line, self._names)
        if _LIST_BEGINS.fullmatch(line) or may_be:
            if found is None or not found.is_other or "|" in line:
                return ""
            return self._join(line, quote=True)
        return self._join(line, quote=self._is_quoting)

    def _told(self, beginning: str) -> Speech | None:
        """What a line is that has grown beyond `REACH`: its beginning tells, and stays the same however it grows."""
        if self._grown != beginning:
            self._grown, self._grown_speech = beginning, speech(beginning, self._names)
        return self._grown_speech

    def end(self) -> str:
        """The rest, as no more will come."""
        shown = ""
        if self._held:
            found = self._held_speech
            is_said = found is not None and not found.alone
            shown = self._released(quote=is_said)
        if self._forged and self._fence is not None:
            shown += ("" if self._end.endswith("\n") else "\n") + self._fence.closing().lstrip("\n") + "\n"
        return shown

    # ------------------------------------------------------------ a line

    def _is_code(self, line: str) -> bool:
        """Whether this line is code on every platform: in a fence that ticks mark, and that nothing has closed."""
        fence = self._fence
        return fence is not None and fence.mark[0] == "`" and self._has_open_ticks and fence.holds(line)

    def _segment(self, line: str) -> str:
        code = self._is_code(line)
        was, self._fence = self._fence, fence_after(self._fence, line)
        self._has_open_ticks ^= len(_TICKS.findall(line)) % 2 == 1
        if code or (was is None) != (self._fence is None):
            shown = self._released(quote=True) if self._held else ""
            self._is_quoting = self._awaits_words = self._in_table = self._is_headed = False
            return shown + self._join(line, quote=False, take=True)
        if not seen(line).strip():
            return self._blank(line)
        return self._read(line)

    def _blank(self, line: str) -> str:
        if self._held:
            found = self._held_speech
            if found is not None and found.bare and (self._in_list or self._is_headed):
                return self._released(quote=False) + self._join(line, quote=False, take=True)
            if found is not None and found.alone:
                self._held.append(line)
                return ""
            shown = self._released(quote=True)
        else:
            shown = ""
        self._in_table = self._in_list = False
        if self._awaits_words:
            self._held.append(line)
            return shown
        self._is_quoting = False
        return shown + self._join(line, quote=False, take=True)

    def _read(self, line: str) -> str:
        shown = ""
        body = line.rstrip("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")
        if self._awaits_words and self._held:  # blank lines between a name and what it says
            found = speech(body, self._names)
            if found is not None and not found.is_other:
                self._awaits_words = self._is_quoting = False
                shown = self._released(quote=False)
            else:
                shown = self._released(quote=True)
        elif self._held:
            shown = self._resolved(body)
        rule = _RULE.fullmatch(body) and "|" in self._above
        self._above = body
        if rule:
            self._in_table = True
        if self._in_table and "|" in body and not self._is_quoting:
            return shown + self._join(line, quote=False, take=True)
        self._in_table = False
        if _QUOTE.match(line):
            self._awaits_words = False
            return shown + self._join(line, quote=False, take=True)
        if is_item(line):
            self._in_list = not self._is_quoting
            self._awaits_words = False
            return shown + self._join(line, quote=self._is_quoting, take=True)
        return shown + self._spoken(line, body, speech(body, self._names))

    def _spoken(self, line: str, body: str, found: Speech | None) -> str:
        if found is None:
            return self._plain_line(line, body)
        if not found.is_other:
            self._is_quoting = self._awaits_words = False
            return self._join(line, quote=False, take=True)
        if self._is_quoting:
            return self._quote(line, found)
        has_list = self._is_headed or self._in_list
        if found.alone or "|" in body or (not has_list and is_entry(found.rest, headed=False)):
            self._held, self._held_speech = [line], found
            return ""
        if has_list and is_entry(found.rest, headed=self._is_headed):
            self._in_list = True
            return self._join(line, quote=False, take=True)
        return self._quote(line, found)

    def _plain_line(self, line: str, body: str) -> str:
        if self._is_quoting:
            if self._awaits_words and any(map(str.isalpha, body)):
                self._awaits_words = False
            return self._join(line, quote=True, take=True)
        entry = _ENTRY.match(body)
        is_part = entry is not None and (self._is_headed or self._in_list) and is_entry(entry[1], headed=True)
        self._is_headed = self._is_headed if is_part else _heads(body)
        self._in_list = is_part
        return self._join(line, quote=False, take=True)

    def _quote(self, line: str, found: Speech) -> str:
        self._forged[found.name] = None
        self._is_quoting, self._awaits_words = True, found.alone
        self._is_headed = self._in_list = False
        return self._join(line, quote=True, take=True)

    # ------------------------------------------------------------ what is held

    def _resolved(self, below: str) -> str:
        """What was held, now that the next line with something on it is there."""
        held = self._held_speech
        if held is None:
            return self._released(quote=False)
        if "|" in self._held[0] and _RULE.fullmatch(below):
            self._above = self._held[0]
            return self._released(quote=False)
        found = speech(below, self._names)
        entry = _ENTRY.match(below)
        if held.alone and is_item(below):
            item = _ITEM.sub("", below)
            return self._released(quote=not is_entry(item, headed=True), is_list=False)
        if held.alone:
            is_list = held.bare and found is not None and found.alone and found.bare
            return self._released(quote=not is_list, is_list=is_list)
        is_row = not any(map(str.isspace, self._held[0][:1])) and (
            is_entry(found.rest, headed=False) if found else entry is not None and is_entry(entry[1], headed=False)
        )
        return self._released(quote=not (is_row and is_entry(held.rest, headed=False)), is_list=is_row)

    def _released(self, *, quote: bool, is_list: bool = False) -> str:
        held, found = self._held, self._held_speech
        self._held, self._held_speech = [], None
        if quote and found is not None:
            shown = self._quote(held[0], found)
            rest = held[1:]
        else:
            shown, rest = "", held
            if found is not None:
                self._in_list = is_list
        for line in rest:
            blank = not seen(line).strip()
            shown += self._join(">\n" if quote and blank else line, quote=quote and not blank, take=True)
        return shown

    # ------------------------------------------------------------ what is shown

    def _join(self, line: str, *, quote: bool, take: bool = False) -> str:
        """`line` as it follows what was shown, in a quotation or not; with `take` it is shown for good."""
        is_quote = quote or _QUOTE.match(line) is not None
        between = ""
        if quote and not self._end.endswith("\n"):
            between = "\n"
        elif self._after_quote and not is_quote and seen(line).strip():
            between = "\n" if self._end.endswith("\n") else "\n\n"
        if take:
            self._end = line[-1:] or self._end
            self._after_quote = quote or (self._after_quote and line.startswith(">"))
        margin = line[: len(line) - len(line.lstrip(" \t"))] if quote else ""
        return between + (f"{margin}> {line[len(margin) :]}" if quote else line)


_ITEM = re.compile(r"\s*(?:[-*+\u2022\u2023\u25aa\u25e6\u25cf]|\d{1,9}[.)])\s+(?:\[[ xX]\]\s+)?")
_LIST_BEGINS = re.compile(r"\s*(?:[-*+\u2022\u2023\u25aa\u25e6\u25cf]|\d{1,9}[.)]?)?")


def _may_be_fence(line: str) -> bool:
    bare = line.lstrip(" \t>")
    return not bare or bare[0] in "`~" or re.match(r"(?:[-*+]|\d{1,9}[.)])\s*(?:[`~]|$)", bare) is not None


def _heads(line: str) -> bool:
    """Whether a line heads a list: a few words that end in a colon, or a heading, and tell of no talk."""
    shown = seen(line).strip()
    words = [word.strip("*_#`:,.").casefold() for word in shown.split()]
    ends = shown.rstrip("*_` ").endswith(":") or shown.startswith("#")
    return ends and len(words) <= HEADING_WORDS and not TELLING & set(words)
