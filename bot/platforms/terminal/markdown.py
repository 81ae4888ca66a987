"""Markdown for a terminal: where a text that still grows can be cut, and its blocks as styled fragments.

Rich lays the blocks out; prompt_toolkit prints them. Rich is imported when the first block is to be shown.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from prompt_toolkit.formatted_text import StyleAndTextTuples

from bot.platforms.terminal.harmless import harmless

if TYPE_CHECKING:
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.style import Style

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")

NARROWEST = 10
"""Blocks are laid out for at least so many columns; a terminal narrower than that wraps by itself."""


def blocks(markdown: str) -> tuple[str, ...]:
    """`markdown` cut into its blocks; put together they are `markdown` again.

    A block ends at an empty line that is in no code fence, when what follows begins at the margin: a line that is
    indented may still belong to a list above it. So all blocks but the last are whole, however the text goes on.
    """
    found = [""]
    fence, after_empty = "", False
    for line in markdown.splitlines(keepends=True):
        is_empty = not line.strip()
        if after_empty and not fence and not is_empty and not line[0].isspace():
            found.append("")
        found[-1] += line
        fence = _fence(fence, line)
        after_empty = is_empty
    return tuple(found)


def _fence(fence: str, line: str) -> str:
    """The fence that is open behind `line`, given the one before it; empty where none is."""
    found = _FENCE.match(line.rstrip("\n"))
    if not found:
        return fence
    marks, info = found.groups()
    if fence:
        closes = marks[0] == fence[0] and len(marks) >= len(fence) and not info.strip()
        return "" if closes else fence
    return "" if marks[0] == "`" and "`" in info else marks


def laid_out(markdown: str, width: int) -> StyleAndTextTuples:
    """`markdown` as fragments in lines of at most `width` columns: an empty line between blocks, a newline at the end.

    A newline is always a fragment by itself. The text is made harmless before Rich reads it, and after: a character
    reference can name what was taken out.
    """
    found: StyleAndTextTuples = []
    for block in blocks(harmless(markdown)):
        lines = _lines(block, max(width, NARROWEST))
        if lines and found:
            found.append(("", "\n"))
        for line in lines:
            found += [*line, ("", "\n")]
    return found


def _lines(block: str, width: int) -> list[StyleAndTextTuples]:
    from rich.segment import Segment

    console = _console()
    segments = console.render(_markdown(block), console.options.update(width=width, height=None))
    lines = [_line(line) for line in Segment.split_lines(segment for segment in segments if not segment.control)]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def last_lines(fragments: StyleAndTextTuples, count: int) -> StyleAndTextTuples:
    """The last `count` lines of fragments in which a newline stands by itself, without the newline at the end."""
    ends = [place for place, fragment in enumerate(fragments) if fragment[1] == "\n"]
    start = ends[-count - 1] + 1 if len(ends) > count else 0
    kept = fragments[start:]
    return kept[:-1] if kept and kept[-1][1] == "\n" else kept


def _line(segments: list[Any]) -> StyleAndTextTuples:
    """One line of segments as fragments, without the blanks that Rich fills lines up with."""
    found: StyleAndTextTuples = [
        (_style(segment.style), text) for segment in segments if (text := harmless(segment.text).replace("\n", " "))
    ]
    while found:
        style, text = found[-1][:2]
        stripped = text.rstrip(" ")
        if stripped:
            found[-1] = (style, stripped)
            break
        found.pop()
    return found


@cache
def _style(style: Style | None) -> str:
    """A style of Rich in prompt_toolkit's words. Backgrounds are left to the terminal."""
    if style is None:
        return ""
    words = [
        name
        for name, is_on in (
            ("bold", style.bold),
            ("italic", style.italic),
            ("underline", style.underline),
            ("strike", style.strike),
            ("reverse", style.reverse),
        )
        if is_on
    ]
    colour = style.color
    if colour is not None and not colour.is_default:
        words.append(_COLOURS[colour.number] if colour.number in _COLOURS else colour.get_truecolor().hex)
    elif style.dim:
        words.append("ansibrightblack")
    return " ".join(words)


_COLOURS: dict[int | None, str] = dict(
    enumerate(
        (
            "ansiblack", "ansired", "ansigreen", "ansiyellow", "ansiblue", "ansimagenta", "ansicyan", "ansigray",
            "ansibrightblack", "ansibrightred", "ansibrightgreen", "ansibrightyellow", "ansibrightblue",
            "ansibrightmagenta", "ansibrightcyan", "ansiwhite",
        )
    )
)  # fmt: skip
"""The sixteen colours whose looks are the terminal's own choice, by their ANSI numbers."""


@cache
def _console() -> Console:
    from rich.console import Console
    from rich.theme import Theme

    # Colours are put on by prompt_toolkit, which knows what the terminal can show.
    look = {"markdown.code": "cyan", "markdown.block_quote": "italic", "markdown.item.number": "cyan"}
    return Console(color_system="truecolor", force_terminal=True, legacy_windows=False, theme=Theme(look))


def _markdown(text: str) -> Markdown:
    made = _markdown_class()(text, code_theme="ansi_dark", hyperlinks=False)
    for token in made.parsed:
        for child in token.children or ():
            if child.type == "softbreak":  # people who write a new line in a chat mean one
                child.type = "hardbreak"
    return made


@cache
def _markdown_class() -> type[Markdown]:
    from rich.console import ConsoleOptions, RenderResult
    from rich.markdown import Heading, Markdown

    class LeftHeading(Heading):
        """A heading where the text begins; in a chat, one in the middle looks lost."""

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            yield self.text

    class ChatMarkdown(Markdown):
        elements: ClassVar = {**Markdown.elements, "heading_open": LeftHeading}

    return ChatMarkdown
