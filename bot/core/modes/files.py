"""Files that come with what people write: what of them goes into the talk, what is declined, and what is asked first.

A file's text becomes a part of what its sender said, in one entry of the log under the message's id, so that whoever
deletes the message deletes the file's text with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.core.events import Utterance
from bot.core.gates import FileGate, Gate, RunGate
from bot.core.model import FILE, Attachment, Decide, Option
from bot.core.step_builder import StepBuilder

MOST = 10
"""So many files of one message are looked at; Slack and Discord let people send about as many."""

NAME = 80
"""So many characters of a file's name are shown."""


# ---------------------------------------------------------------- in words


def label(name: str) -> str:
    """A file's name as people and models read it: code, on one line, its middle left out where it is long."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in name).split()).replace("`", "'")
    short = flat if len(flat) <= NAME else f"{flat[: NAME // 2 - 1]}…{flat[-NAME // 2 :]}"
    return f"`{short or 'a file without a name'}`"


def size(count: int) -> str:
    """So many bytes in words: 512 bytes, 1.2 KB, 3.4 MB."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.1f} KB" if count < 999_950 else f"{count / 1_000_000:.1f} MB"


def listed(files: Iterable[Attachment]) -> str:
    """The names of files with their sizes, where those are known."""
    return ", ".join(f"{label(f.name)} ({size(f.size)})" if f.size else label(f.name) for f in files)


# ---------------------------------------------------------------- what can be read


def readable(lines: tuple[Utterance, ...]) -> tuple[Attachment, ...]:
    """The files whose text there is."""
    return tuple(file for line in lines for file in line.files[:MOST] if _is_readable(file))


def _is_readable(file: Attachment) -> bool:
    return bool(file.text and file.text.strip())


def are_too_long(lines: tuple[Utterance, ...]) -> bool:
    """Whether the texts of all files come to more than may be taken without asking."""
    found = readable(lines)
    return any(file.cut for file in found) or _length(found) > FILE


def _length(files: Iterable[Attachment]) -> int:
    return sum(len(file.text or "") for file in files)


def declined(lines: tuple[Utterance, ...]) -> str:
    """Why some files cannot be read, in words for people; empty where all can."""
    told = [_problem(file) for line in lines for file in line.files[:MOST] if not _is_readable(file)]
    if more := sum(len(line.files[MOST:]) for line in lines):
        told.append(f"Of one message I read at most {MOST} files; {more} more were left out.")
    return " ".join(told)


def _problem(file: Attachment) -> str:
    if file.problem:
        told = file.problem if label(file.name) in file.problem else f"{label(file.name)}: {file.problem}"
        return told if told.endswith((".", "!", "?")) else f"{told}."
    return f"{label(file.name)} {'could not be read' if file.text is None else 'is empty'}."


# ---------------------------------------------------------------- as something that was said


def with_texts(lines: tuple[Utterance, ...]) -> tuple[Utterance, ...]:
    """The lines with what their files say as a part of their text, `FILE` characters of all files at most.

    Each file's text stands in a fence that is longer than any within it, so that no file can end its own; in the
    worst case, a file of nothing but backticks, that makes three times the characters.
    """
    room = FILE
    done = []
    for line in lines:
        parts = [line.text] if line.text.strip() else []
        for file in line.files[:MOST]:
            text = file.text[:room] if file.text and _is_readable(file) else ""
            room -= len(text)
            parts.append(_told(file, text))
        if more := len(line.files[MOST:]):
            parts.append(f"(sent {more} more files, which were not read)")
        done.append(replace(line, text="\n\n".join(parts), files=()) if line.files else line)
    return tuple(done)


def _told(file: Attachment, text: str) -> str:
    name = label(file.name)
    if not _is_readable(file):
        return f"(sent {name}, which cannot be read here)"
    if not text:
        return f"(sent {name}, which there was no room left for)"
    whole = not file.cut and text == file.text
    of = f" of {size(file.size)}" if file.size else ""
    told = f"(sent {name}:)" if whole else f"(sent {name}; the first {len(text):,} characters{of}:)"
    return f"{told}\n{fenced(text)}"


def fenced(text: str) -> str:
    """The text in a fence that is longer than any within it, so that it cannot end its own."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    body = text.strip("\n")
    return f"{fence}\n{body}\n{fence}"


def with_names(lines: tuple[Utterance, ...], remark: str = "") -> tuple[Utterance, ...]:
    """The lines with the names of their files alone, and a remark on them."""
    return tuple(_with_names(line, remark) if line.files else line for line in lines)


def _with_names(line: Utterance, remark: str) -> Utterance:
    more = len(line.files[MOST:])
    names = listed(line.files[:MOST]) + (f" and {more} more files" if more else "")
    told = f"(sent {names}{remark})"
    return replace(line, text=f"{line.text}\n\n{told}" if line.text.strip() else told, files=())


# ---------------------------------------------------------------- too long


def ask_first(step: StepBuilder, lines: tuple[Utterance, ...]) -> None:
    """Files are too long to be simply taken: say how long and what may be taken, and wait for a choice.

    The gate keeps what came with them twice, first without the files' texts and then with them, both under the
    message's id: whoever deletes the message deletes both.
    """
    found = readable(lines)
    it, is_or_are = ("it", "is") if len(found) == 1 else ("them", "together are")
    first = min(_length(found), FILE)
    options = [Option(f"Take the first {first:,} characters", Decide("yes"))]
    if any(line.text.strip() for line in lines):
        options.append(Option(f"Answer without {it}", Decide("no")))
    options.append(Option("Leave it all", Decide("drop")))
    gate = FileGate(step.session.active, with_names(lines, "; left out"), with_texts(lines))
    question = (
        f"{listed(found)} {is_or_are} more than I can take of one message: {FILE:,} characters of text. "
        "What shall I do?"
    )
    step.halt(gate, tuple(options), question, by_host=True, quotes=lines[0])


def held(gate: Gate | None, *, whole: bool = False) -> tuple[Utterance, ...]:
    """What a gate holds back of what people said, what they have deleted meanwhile left out.

    Of a gate for files that is without the files' texts, or with `whole` with them.
    """
    match gate:
        case FileGate():
            said = gate.whole if whole else gate.bare
        case RunGate():
            said = gate.said
        case _:
            said = ()
    return tuple(line for line in said if line.text.strip())
