"""What a model writes, as Slack shows it: Markdown that can call nobody, and the plain text beside it.

Slack reads its own marks (`<!channel>`, `<@U1>`, `<https://x|label>`) in a Markdown block too; escaped, they are shown
as they are written, and never read again (PostHog has measured it on a workspace). `@channel` without brackets calls
nobody unless a post asks for `link_names`, which none of ours does.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

BLOCK = 12_000
"""Most characters of all Markdown blocks of a message together (docs, markdown block)."""

FALLBACK = 3_900
"""Longest text of a message; above some 4,000 characters Slack splits it or refuses it, whatever is documented."""

ADDRESS = 2_000
"""An address in angle brackets is kept up to this length; it bounds how long the end of a stream is held back."""

_AUTOLINK = re.compile(rf"<(?:https?://|mailto:)[^\s<>|]{{1,{ADDRESS}}}>")
_STEMS = ("<https://", "<http://", "<mailto:")


# ---------------------------------------------------------------- Markdown


def blocks(text: str) -> list[dict[str, Any]]:
    """`text` as one Markdown block in which nobody is called. Raises ValueError above 12,000 characters.

    A text that only its escapes make too long has `‹` in their place.
    """
    if len(text) > BLOCK:
        raise ValueError(f"a message of Slack holds {BLOCK} characters of Markdown, not {len(text)}: post it in pieces")
    if not text.strip():
        return []
    safe = neutral(text)
    return [{"type": "markdown", "text": safe if len(safe) <= BLOCK else _neutral(text, "‹")}]


def neutral(text: str, finished: bool = True) -> str:
    """`text` with every `<` escaped, in code too; links, also bare ones in brackets, stay.

    It is every one, as Slack may take `a < b and c -> d` for a mark. With `finished` false an end that could still
    become something else is held back, so that what is shown of a part is always a prefix of what is shown of the
    whole.
    """
    return _neutral(text if finished else text[: _settled(text)], "&lt;")


def _neutral(text: str, bracket: str) -> str:
    if "<" not in text:
        return text
    found, end = [], 0
    for opening in re.finditer("<", text):
        at = opening.start()
        if at < end:
            continue
        if link := _AUTOLINK.match(text, at):
            found.append(text[end : link.end()])
            end = link.end()
        else:
            found.append(text[end:at] + bracket)
            end = at + 1
    return "".join([*found, text[end:]])


def _settled(text: str) -> int:
    """Up to where `text` reads the same, however it goes on."""
    at = text.rfind("<")
    tail = text[at:] if at >= 0 else ""
    is_open = bool(re.fullmatch(rf"<(?:https?://|mailto:)[^\s<>|]{{0,{ADDRESS}}}", tail))
    return at if is_open or any(tail and stem.startswith(tail) for stem in _STEMS) else len(text)


def speaking(name: str, icon: str, text: str) -> str:
    """`text` with its speaker's name above it, for where Slack does not let the bot speak under that."""
    who = re.sub(r"[*_`~\[\]\\]", "", " ".join(f"{icon} {name}".split()))
    return f"**{who}**\n\n{text}" if who else text


# ---------------------------------------------------------------- mrkdwn

_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}(?=[^`]*$)|~{3,})")
_TICKS = re.compile(r"(?P<ticks>`+)(?!`)(?P<code>.{1,2000}?)(?<!`)(?P=ticks)(?!`)")
_LINK = re.compile(
    r"!?\[(?P<label>[^\[\]\n]{0,500})\]"
    rf"\(\s?<?(?P<address>(?:[^\s<>()]|\([^\s<>()]*\)){{1,{ADDRESS}}})>?(?:\s[\"'][^\n\"']{{0,200}}[\"'])?\s?\)"
    rf"|{_AUTOLINK.pattern}"
)
_ADDRESSES = ("http://", "https://", "mailto:")
_BOLD = "\1"
_KEPT = "\2"
_PLACE = re.compile(rf"{_KEPT}(\d+){_KEPT}")
_MARKS = re.compile(r"[*_~#]|^\s*(?:[-+]\s|&gt;)")
"""What a line has to hold that reads otherwise in Slack's own markup; most lines hold nothing of it."""

_QUOTE = re.compile(r"(?: {0,3}&gt; ?)+")
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.*?)\s*#*")
_STRONG = re.compile(r"\*\*|__")
_BULLET = re.compile(r"^(\s*)[-*+]\s+")
_STYLES = tuple(
    (mark, re.compile(pattern), styled)
    for mark, pattern, styled in (
        ("***", r"\*\*\*(?=\S)(.{1,500}?)(?<=\S)\*\*\*", rf"{_BOLD}_\1_{_BOLD}"),
        ("**", r"\*\*(?=\S)(.{1,500}?)(?<=\S)\*\*", rf"{_BOLD}\1{_BOLD}"),
        ("__", r"(?<!\w)__(?=\S)(.{1,500}?)(?<=\S)__(?!\w)", rf"{_BOLD}\1{_BOLD}"),
        ("*", r"(?<![\w*])\*(?=[^\s*])([^*]{1,500}?)(?<=[^\s*])\*(?![\w*])", r"_\1_"),
        ("~~", r"~~(?=\S)(.{1,500}?)(?<=\S)~~", r"~\1~"),
    )
)
"""Styles of Markdown in the order in which they are read, each behind the mark that it cannot do without."""


@lru_cache(maxsize=64)
def fallback(text: str) -> str:
    """`text` in Slack's own markup, at most 3,900 characters: what notifications and screen readers have of it.

    The last few are remembered, since greetings and lists of commands are said again and again.
    """
    found: list[str] = []
    prose: list[str] = []
    lines = text.replace(_BOLD, "").replace(_KEPT, "").strip().split("\n")
    number = 0
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        if opening is None:
            prose.append(lines[number])
            number += 1
            continue
        end = _end_of_fence(lines, number, opening["fence"])
        # Slack shows the language behind a fence as a line of code, so that goes.
        code = "\n".join(lines[number + 1 : end])
        found += [*_prose(prose), "```", *([escaped(code)] if code else []), "```"]
        prose, number = [], end + 1
    return _cut("\n".join([*found, *_prose(prose)]), FALLBACK)


def _end_of_fence(lines: list[str], start: int, fence: str) -> int:
    """The number of the line that closes the fence; behind the last one where none does."""
    for number in range(start + 1, len(lines)):
        line = lines[number].strip()
        if len(line) >= len(fence) and not line.strip(fence[0]):
            return number
    return len(lines)


def _prose(lines: list[str]) -> list[str]:
    """Lines outside of fences, in Slack's own markup."""
    kept: list[str] = []

    def keep(part: str) -> str:
        kept.append(part)
        return f"{_KEPT}{len(kept) - 1}{_KEPT}"

    text = _TICKS.sub(lambda found: keep(escaped(found[0])), "\n".join(lines))
    if "](" in text or "<" in text:
        text = _LINK.sub(lambda found: keep(_link(found)), text)
    text = "\n".join(_line(line) for line in escaped(text).split("\n"))
    # A link may have code in its label, which was kept first.
    for _ in range(2 if kept else 0):
        text = _PLACE.sub(lambda found: kept[int(found[1])], text)
    return text.split("\n") if lines else []


def escaped(text: str) -> str:
    """`text` for Slack's own markup, where `& < >` begin marks (docs, formatting message text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _link(found: re.Match[str]) -> str:
    address = found["address"]
    if address is None:
        return f"<{escaped(found[0][1:-1])}>"
    label = " ".join(found["label"].replace("*", "").replace("|", "/").split())
    if not address.lower().startswith(_ADDRESSES) or "|" in address:
        return escaped(f"{label} ({address})" if label else address)
    return f"<{escaped(address)}|{escaped(label)}>" if label else f"<{escaped(address)}>"


def _line(line: str) -> str:
    """One line outside of code, already escaped."""
    if not _MARKS.search(line):
        return line
    if quote := _QUOTE.match(line):
        return f"> {_line(line[quote.end() :])}"
    if heading := _HEADING.fullmatch(line):
        bare = _STRONG.sub("", heading[1])
        return f"*{bare}*" if bare else ""
    line = _BULLET.sub(r"\1• ", line)
    for mark, pattern, styled in _STYLES:
        if mark in line:
            line = pattern.sub(styled, line)
    return line.replace(_BOLD, "*")


def _cut(text: str, most: int) -> str:
    """`text` in at most `most` characters: cut at a space, in no mark and no escape, with its code closed."""
    if len(text) <= most:
        return text
    head = text[: most - len(" …\n```")]
    head = re.sub(r"<[^<>]*\Z|&\w{0,4}\Z", "", head)
    head = re.sub(r"\s\S{0,80}\Z", "", head)
    return f"{head} …" + ("\n```" if head.count("```") % 2 else "")
