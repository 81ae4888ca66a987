"""Whose words a line begins: the names that speakers bear, and the marks that make a name speak."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

from bot.core.role_words import HONORIFICS, ORDINARY, PERSONAL, ROLES, STARTERS, TAGS, VERBS, words_of
from bot.personas.labels import Labels
from bot.personas.lookalikes import key, seen

REACH = 90
"""So many characters at the beginning of a line are looked at: no label with its marks is longer."""

ENTRY = 60
"""Characters of an item in a list of who does what, at most."""

_WORDS = 12
"""Words or spaced letters of a name, at most."""

OVERRIDE = "\u202e"
"""From here on the text is shown from right to left; so the end of a line may come first."""

_OVERRIDE = re.compile("\u202e([^\u202c\u202d\u2066-\u2069\n]*)[\u202c\u202d]?")
_TAG = re.compile(
    r"<!--.*?-->|</?(?:b|i|u|s|p|a|em|strong|h[1-6]|div|span|br|hr|font|code|pre|big|small|center|mark|sub|sup|tt|li|ul|ol|"
    r"td|tr|th|table|dl|dt|dd|section|article|header|summary|details|cite|q|blockquote|kbd|ins|del)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_STRONG = re.compile(r"</?(?:b|strong|i|em|u|mark|cite|big|code|kbd|h\d)\b", re.IGNORECASE)
_TEMPLATE = re.compile(
    r"<\|\s*(?:im_start|im_end|start_header_id|end_header_id|start|eot_id|message|turn|sep)\s*\|>\s*"
)
_BARS = re.compile(r"<\|([^<>|]*)\|>")
_MENTION = re.compile(r"<(?:@[&!]?|!)([\w.-]+)(?:[|^]([^<>]*))?>")
_ATTRIBUTE = re.compile(
    r"^(?:\W*|\W*<[\w-]+\s+)[\"']?(?:from|name|speaker|author|user|role|by|who|sender|persona|agent)[\"']?\s*[=:]\s*[\"']\s*",
    re.IGNORECASE,
)
_LINK = re.compile(r"!?\[([^\[\]]{1,60})\]\([^()]*\)")
_ESCAPE = re.compile(r"\\(?:[a-zA-Z]{2,12}\{|([!-/:-@\[-`{-~]))")
_TIME = (
    r"(?:\b(?:at|um)\b|\b(?:19|20)\d\d\b(?![:.-]\d)|\d{1,4}(?:[:.h/-]\d{1,4}){1,2}(?:[:.]\d+)*(?:T[\d:.]+)?Z?"
    r"(?:,? ?[ap]\.?m\.?\b)?|"
    r"\d{9,13}\b|"
    r"\b(?:today|yesterday|just now|now|heute|gestern|hier|hoy)\b(?: (?:at|um|a))?|"
    r"\b(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|"
    r"sat(?:ur)?|sun)(?:day)?\b|\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.? \d{1,2}(?:st|nd|rd|th)?|"
    r"\b\d{1,2} ?[ap]\.?m\b\.?|\b\d{1,3} ?(?:s|sec|m|min|mins|minutes?|h|hours?|d|days?)(?: ago)?\b)"
)
_BEFORE = re.compile(
    rf"(?:\d{{1,3}}[.)](?=[^\W\d])|"
    rf":[\w+-]{{1,40}}:|[^\w\s\[({{<]|[\s_]|[\[(<{{](?=[\s\W]*\d)[\d\s:.,/apmAPMTZ-]+[\])>}}]|"
    rf"{_TIME}(?=[\W_])|[\[(<{{])*+",
    re.IGNORECASE,
)
_LIST = re.compile(r"\s*(?:[-*+\u2022\u2023\u25aa\u25e6\u25cf]|\d{1,9}[.)])\s")
_STARTER = re.compile(rf"\W*{STARTERS}", re.IGNORECASE)
_LETTERED = re.compile(r"\W*[QA]:? ?\(", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_STRONGLY = re.compile(rf"{_TIME}|:[\w+-]+:", re.IGNORECASE)
_NUMBER = re.compile(r"\d+$")
_GAP = re.compile(r"[\s\-_.'&*`~/\\+]{1,4}|")
_TAIL = re.compile(
    rf"\s*+(?:,?\s*[\[({{<][^\])}}>]{{0,60}}[\])}}>]|[\s,|.@~·/-]*{_TIME}|"
    rf",?\s?\b{TAGS}\b|'?s? ?{TAGS}\b(?=\s*(?:\W|$))|"
    r"(?-i:, (?:[A-Z][\w&]*\s?){1,4}(?=:))|#?\d{1,4}\b(?![:.]\d))",
    re.IGNORECASE,
)
_AND = re.compile(r"\s*(?:[,/&+]|->|>|=|\||\b(?:and|und|et|y|e|aka|the|as|or|to|with|i)\b)\s*", re.IGNORECASE)
_VERB = re.compile(rf"[\s,]*{VERBS}[\s,]*(?=\W|$)", re.IGNORECASE)
_COLON = re.compile(r"[*_~`'\"\])}>|\s$%#!?]*[:;]")
_DASH = re.compile(
    r"[*_~`'\"\])}|]*(?:\s+-+>?(?=\s|\w|\W)|-+>?\s|--|"
    r"\s*[>\u2026]|\s*\.{2,}|\s*\|(?!\|)|\s+(?:~|//|\.|\u2b1d|\\)\s|\s*\u21b5)"
)
_CLOSING_MARKS = re.compile(r"\s*[^\x00-\x7f\w\s]+|\.?[*_~`]+|'(?=[\s:\-])|\"(?=\s?[:\-])")
_FIRST_WORDS = frozenset(
    {
        *HONORIFICS,
        *(word.casefold() for word in re.findall(r"[^\W\d_]{2,}", STARTERS)),
        *words_of("name author user by who persona agent re auto it here today yesterday just now at"),
        *words_of("monday tuesday wednesday thursday friday saturday sunday heute gestern hier hoy um"),
        *words_of("january february march april may june july august september october november december"),
    }
)
"""What a line may begin with before a name."""

_HIDING = frozenset("&<\\[\u202e")
"""What may stand for other characters, or hide them."""

_OPENS = {"[": "]", "(": ")", "<": ">", "{": "}"}


@dataclass(frozen=True, slots=True)
class Names:
    """What a persona may be called in its own post, and what everybody else is called, who does not speak there.

    `speaker` is how its own name is shown. The groups of others are looked through in their order.
    """

    speaker: str
    own: Labels
    others: tuple[Labels, ...]

    @classmethod
    def of(cls, own: Iterable[str], *others: Iterable[str], folded: Labels | None = None) -> Names:
        """Names as people write them, the persona's own first; `folded` has those of a whole cast, folded once."""
        mine = tuple(own)
        groups = tuple(_spelled(tuple(group)) for group in others)
        return cls(mine[0] if mine else "", _as_written(mine), (*groups, folded or Labels(), ROLES))

    def other(self, folded: str) -> str | None:
        """The name to show for this key where it is somebody else's, else None."""
        if not folded or folded in self.own.shown:
            return None
        return next((group.shown[folded] for group in self.others if folded in group.shown), None)

    def knows(self, folded: str) -> bool:
        """Whether somebody is called so, the persona itself too."""
        return folded in self.own.shown or any(folded in group.shown for group in self.others)

    def begins(self, beginning: str) -> bool:
        """Whether one of all these names begins with these characters of a key."""
        return self.own.begins(beginning) or any(group.begins(beginning) for group in self.others)


@lru_cache(maxsize=256)
def _as_written(names: tuple[str, ...]) -> Labels:
    """Names as they are; every reply asks for those of its persona twice."""
    return Labels.of((name, name) for name in names)


@lru_cache(maxsize=64)
def _spelled(names: tuple[str, ...]) -> Labels:
    """Names in all their spellings; the people of a conversation seldom change."""
    return Labels.of((spelled, name) for name in names for spelled in _spellings(name))


def _spellings(name: str) -> list[str]:
    """A person's name, also without what stands in brackets behind it, and its first and last word."""
    bare = re.split(r"[(\[{]", seen(name))[0]
    words = [word for word in bare.split() if len(key(word)) > 2 and any(map(str.isalnum, word))]
    return [name, bare, *words[:1], *words[-1:]]


@dataclass(frozen=True, slots=True)
class Speech:
    """A line that begins as somebody's words: `name` is whose, "" for the persona's own; `rest` what is said.

    `alone` where nothing is said on the line itself; then `bare` tells that not even a mark makes the name speak.
    """

    name: str
    rest: str = ""
    alone: bool = False
    bare: bool = False

    @property
    def is_other(self) -> bool:
        """Whether these are somebody else's words."""
        return bool(self.name)


def is_item(line: str) -> bool:
    """Whether `line` is an item of a list."""
    return _LIST.match(line) is not None


def speech(line: str, names: Names) -> Speech | None:
    """Whose words `line` begins as; None where it begins as nobody's. No more of it than `REACH` is looked at."""
    text = _plain(line if OVERRIDE in line[:REACH] else line[:REACH])
    whole = len(line) < REACH
    found = _icon(text, names) or _spoken(text, names, _BEFORE.match(text), whole)
    if found is None and (start := _STARTER.match(text)):
        found = _spoken(text, names, _BEFORE.match(text, start.end()), whole, has_starter=True)
    if found is None and (start := _LETTERED.match(text)):
        found = _spoken(text, names, _BEFORE.match(text, start.end()), whole, has_starter=True)
    if found is None and (start := _ATTRIBUTE.match(text)):
        found = _spoken(text, names, _BEFORE.match(text, start.end()), whole, has_starter=True, is_marked=True)
    return found


def may_become_speech(line: str, names: Names) -> bool:
    """Whether some continuation of `line` could be speech; False is certain, True is cheap where it is not."""
    if len(line) >= REACH and OVERRIDE not in line[:REACH]:
        return speech(line, names) is not None
    text = seen(line)
    if text.lstrip().startswith(":"):
        return True
    if (hidden := next((at for at, char in enumerate(line) if char in _HIDING), None)) is not None:
        return may_become_speech(line[:hidden], names)
    before = _BEFORE.match(text)
    words = _WORD.finditer(text, before.end() if before else 0)
    first = next(words, None)
    if first is None or any(map(str.isdigit, text[: first.start() + 1])) or _icon(text, names):
        return True
    word, written = first[0], first[0].casefold()
    numbered = key(_NUMBER.sub("", word))
    if first.end() == len(text):
        is_first = any(other.startswith(written) for other in _FIRST_WORDS)
        return is_first or names.begins(key(word).rstrip("v")) or names.begins(numbered)
    second = next(words, None)
    both = key(word) + (key(second[0]).rstrip("v") if second else "")
    if written in ("q", "a"):
        return second is None or names.begins(key(second[0]).rstrip("v"))
    if names.knows(key(word)) or names.knows(numbered) or names.begins(both):
        return True
    return written in _FIRST_WORDS and (written != "the" or _may_lead_to_a_name(text, second, names))


def _may_lead_to_a_name(text: str, second: re.Match[str] | None, names: Names) -> bool:
    """Whether a name may follow the article of a line: not once a word stands there that leads to none."""
    if second is None or second.end() == len(text) or not second[0].isalpha():
        return True
    after = key(second[0]).rstrip("v")
    return second[0].casefold() in _FIRST_WORDS or names.knows(key(second[0])) or names.begins(after)


# ---------------------------------------------------------------- reading


def _plain(text: str) -> str:
    """The text as it is shown, without markup that hides a name."""
    if "\u202e" in text:
        text = _OVERRIDE.sub(lambda found: found[1][::-1], text)
    text = seen(unescape(text) if "&" in text else text)
    if "<" in text:
        text = _MENTION.sub(lambda found: f"@{found[2] or 'user'}", _BARS.sub(r"[\1] ", _TEMPLATE.sub("", text)))
        text = _TAG.sub(lambda found: "**" if _STRONG.match(found[0]) else "", text)
    if "[" in text:
        text = _LINK.sub(r"\1", text)
    return _ESCAPE.sub(lambda found: found[1] or "", text) if "\\" in text else text


def _icon(text: str, names: Names) -> Speech | None:
    """Speech under an icon alone."""
    head, mark, rest = text.partition(":")
    if not mark:
        head, mark, rest = re.sub(r"\s-+\s", "\n", text, count=1).partition("\n")
    signs = head.strip().strip("*_#[]()<>~ ")
    name = (
        names.other(key(signs))
        if signs and not any(map(str.isalnum, signs)) and any(ord(c) > 127 for c in signs)
        else None
    )
    if name is None:
        return None
    return Speech(name, rest.strip(), alone=not rest.strip(), bare=not mark)


def _spoken(
    text: str,
    names: Names,
    before: re.Match[str] | None,
    whole: bool,
    *,
    has_starter: bool = False,
    is_marked: bool = False,
) -> Speech | None:
    at = before.end() if before else 0
    has_article = False
    for _ in range(3):
        for end, name in _names(text, at, names):
            found = _marked(text, before[0] if before else "", at, end, name, names, whole, has_starter, is_marked)
            if found and not (has_article and found.name in ROLES.shown.values()):
                return found
        word = _WORD.match(text, at)
        if word is None or word[0].casefold() not in HONORIFICS:
            return None
        has_article = has_article or word[0].casefold() in ("the", "our")
        at = word.end()
        while at < len(text) and text[at] in " .":
            at += 1
    return None


def _names(text: str, at: int, names: Names) -> list[tuple[int, str]]:
    """Where names end that begin at this place, the longest first, each with whose it is: "" is the persona's own."""
    found: list[tuple[int, str]] = []
    letters = ""
    for _ in range(_WORDS):
        word = _WORD.match(text, at)
        if word is None:
            break
        letters += key(word[0])
        at = word.end()
        if names.knows(letters):
            found.append((at, names.other(letters) or ""))
        elif not found and (bare := key(_NUMBER.sub("", word[0]))) in ROLES.shown:
            found.append((at, ROLES.shown[bare]))
        if not names.begins(letters):
            break
        gap = _GAP.match(text, at)
        at = gap.end() if gap else at
    return found[::-1]


def _marked(
    text: str,
    before: str,
    start: int,
    end: int,
    name: str,
    names: Names,
    whole: bool,
    has_starter: bool,
    is_marked: bool,
) -> Speech | None:
    """The speech that the name from `start` to `end` begins, if marks make it speak."""
    opened = before.rstrip("*_~`'\" @#")[-1:]
    emphasis = any(char in "*_~`" for char in before)
    strong = text[end : end + 1] == "\t" or bool(_STRONGLY.search(before)) or any(ord(char) > 127 for char in before)
    heading = "#" in before
    brackets = False
    if opened in _OPENS and (closing := re.match(rf"[*_~`'\"\s\w,.:/@|-]{{0,40}}?\{_OPENS[opened]}", text[end:])):
        inner = text[end : end + closing.end() - 1].strip("*_~`'\" .:")
        brackets = not inner or bool(_TAIL.fullmatch(" " + inner)) or names.knows(key(inner)) or ":" in closing[0]
        if brackets:
            end += closing.end()
    closes = False
    while True:
        if (tail := _CLOSING_MARKS.match(text, end)) and tail.end() > end:
            closes = closes or emphasis
            end = tail.end()
        elif (tail := _TAIL.match(text, end)) and tail.end() > end:
            strong = strong or bool(re.search(_TIME, tail[0], re.IGNORECASE)) or tail[0].strip() in ("APP", "BOT")
            end = tail.end()
        elif more := _more(text, end, names):
            end = more[0][0]
            name = name or more[0][1]
        else:
            break
    verb = _VERB.match(text, end)
    if verb and (colon := _COLON.match(text, verb.end())):
        return Speech(name, *_said(text, colon.end()))
    ordinary = key(text[start:end]) in ORDINARY.shown and not (strong or brackets or has_starter)
    if ordinary:
        return None
    rest = text[end:]
    if (colon := _COLON.match(text, end)) or (colon := _DASH.match(text, end)):
        return Speech(name, *_said(text, colon.end()))
    if not rest.strip(" *_~`'\"#|\\)]}>.=-"):
        marked = heading or emphasis or strong or brackets or has_starter or is_marked or "@" in before
        return (
            Speech(name, "", alone=True, bare=not marked)
            if whole and not rest.strip(" *_~`'\"#|\\)]}>=-")
            else (Speech(name, "", alone=True, bare=False) if whole and emphasis else None)
        )
    if brackets or is_marked:
        return Speech(name, rest.strip())
    said = rest.lstrip(" \t*_~`.|")
    if re.match(r"\s*\"", rest) and not emphasis:
        return Speech(name, said)
    caps = text[start:end].isupper() and end - start > 2 and rest.startswith(".")
    if (closes or strong or caps) and said and rest[:1] in " \t*_~`.|\n" and _begins_sentence(said):
        return Speech(name, said)
    return None


def _more(text: str, end: int, names: Names) -> list[tuple[int, str]]:
    """Further names that follow one: `Mary and Bob`, `Mary, Business Analyst`, `Mary Smith`."""
    joined = _AND.match(text, end)
    found = _names(text, joined.end(), names) if joined else []
    return found or (_names(text, end + 1, names) if text[end : end + 1] == " " else [])


def _said(text: str, at: int) -> tuple[str, bool]:
    rest = text[at:].strip().lstrip("*_~` ")
    return rest, not rest.strip("*_~`#|>\\ ")


def _begins_sentence(said: str) -> bool:
    word = _WORD.match(said)
    if word is None:
        return said[0] == '"' or ord(said[0]) > 127
    return (
        word[0][0].isupper()
        or not (word[0][0].islower() or word[0][0].isdigit())
        or said.split()[0].casefold() in PERSONAL
    )


# ---------------------------------------------------------------- lists of who does what


def is_entry(rest: str, *, headed: bool) -> bool:
    """Whether what stands behind a name is an item in a list of who does what, and nothing that somebody says.

    Without a line that heads the list only a few words in lower case are.
    """
    shown = seen(rest).strip(" *_`")
    words = [word.strip("*_`.,;:!?()\"'").casefold() for word in shown.split()]
    if not words or len(rest) > ENTRY or len(words) > (10 if headed else 5) or not any(map(str.isalnum, shown)):
        return False
    if shown[-1] in '.!?"…' or '"' in shown or set(words) & PERSONAL:
        return False
    return headed or not shown[0].isupper()
