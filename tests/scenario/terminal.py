"""A person at a real pseudo-terminal: what they type, and what a terminal would show them."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pexpect
from wcwidth import wcwidth

PATIENCE = 20.0
"""Seconds until something that should be seen is missed."""

_TOKEN = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b[()][A-Z0-9]|\x1b[=>]|(.)", re.DOTALL)


class Glass:
    """What a terminal makes of the bytes it gets, as far as prompt_toolkit uses one. Rows scrolled off are kept."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self._cells: list[list[str]] = [[]]
        self._row = self._column = 0
        self._wraps = True
        self.answers = ""

    @property
    def lines(self) -> list[str]:
        """Every row from the first, without blanks at the ends."""
        return ["".join(row).rstrip() for row in self._cells]

    @property
    def at_cursor(self) -> str:
        """The row that the cursor is in, up to it, without blanks at its end."""
        return "".join(self._cells[self._row][: self._column]).rstrip()

    def feed(self, text: str) -> None:
        """Take output. What cannot be taken as a whole yet must not be given."""
        for arguments, action, char in _TOKEN.findall(text):
            if action:
                self._control(arguments, action)
            elif char:
                self._char(char)

    @property
    def _top(self) -> int:
        return max(0, len(self._cells) - self.rows)

    def _control(self, arguments: str, action: str) -> None:
        number = int(arguments) if arguments.isdecimal() else 1
        match action:
            case "A":
                self._row = max(self._top, self._row - number)
            case "B":
                self._row = min(len(self._cells) - 1, self._row + number)
            case "C":
                self._column = min(self.columns - 1, self._column + number)
            case "D":
                self._column = max(0, self._column - number)
            case "J" if arguments in ("", "0"):
                del self._cells[self._row + 1 :], self._cells[self._row][self._column :]
            case "K" if arguments in ("", "0"):
                del self._cells[self._row][self._column :]
            case "h" | "l" if arguments == "?7":
                self._wraps = action == "h"
            case "n" if arguments == "6":
                self.answers += f"\x1b[{self._row - self._top + 1};{self._column + 1}R"
            case "m" | "h" | "l" | "q":
                pass
            case _:
                raise AssertionError(f"an unexpected escape sequence: ESC [ {arguments} {action}")

    def _char(self, char: str) -> None:
        match char:
            case "\r":
                self._column = 0
            case "\n":
                self._down()
            case "\x07":
                pass
            case "\b":
                self._column = max(0, self._column - 1)
            case _ if char < " ":
                raise AssertionError(f"an unexpected control character: {char!r}")
            case _:
                self._put(char, max(0, wcwidth(char)))

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._cells):
            self._cells.append([])

    def _put(self, char: str, width: int) -> None:
        row = self._cells[self._row]
        if not width:
            if self._column and self._column <= len(row):
                row[self._column - 1] += char
            return
        if self._column + width > self.columns:
            if self._wraps:
                self._column = 0
                self._down()
                row = self._cells[self._row]
            else:
                self._column = self.columns - width
        row += [" "] * (self._column + width - len(row))
        row[self._column : self._column + width] = [char, *[""] * (width - 1)]
        self._column += width


class Person:
    """Somebody at `greenroom chat`. `raw` is all that came out of it, `glass` what is to be seen."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        rows: int = 40,
        columns: int = 100,
        settings: Mapping[str, str | None] | None = None,
        command: tuple[str, ...] = ("chat", "--as", "ada"),
    ) -> None:
        self.glass = Glass(rows, columns)
        self.raw = ""
        self._rest = ""
        self._child: Any = pexpect.spawn(
            sys.executable,
            ["-m", "bot", *command, "--state", str(folder / "state.db"), *options],
            env=environment(**{"TERM": "xterm-256color", **(settings or {})}),
            cwd=str(folder),
            encoding="utf-8",
            dimensions=(rows, columns),
        )

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close(force=True)

    @property
    def pid(self) -> int:
        """The process of the chat."""
        return int(self._child.pid)

    @property
    def seen(self) -> str:
        """All rows, one a line."""
        return "\n".join(self.glass.lines).rstrip("\n")

    def sees(self, text: str, times: int = 1) -> str:
        """Wait until `text` is to be seen so many times; all that is seen then."""
        return self.waits_for(lambda: self.seen.count(text) >= times, text)

    def waits_for(self, condition: Callable[[], bool], what: str) -> str:
        """Wait until `condition` holds of what was read so far."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"{what!r} was not seen:\n{self.seen}"
            self._read()
        return self.seen

    def types(self, text: str) -> None:
        """Press these keys."""
        self._child.send(text)

    def says(self, text: str) -> None:
        """Type a line and send it, once it stands behind the prompt."""
        self.types(text)
        self.waits_for(lambda: self.glass.at_cursor.endswith(text.rsplit("\n")[-1]), text)
        self.types("\r")

    def leaves(self, keys: str = "\x04") -> int:
        """Press these keys (Ctrl-D) and wait for the end; the exit code, negative for a signal."""
        self.types(keys)
        return self.ends()

    def ends(self) -> int:
        """Wait for the end of the process; its exit code, or the negative number of the signal that killed it."""
        deadline = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < deadline, f"it did not end:\n{self.seen}"
        self._child.close()
        return int(self._child.exitstatus) if self._child.exitstatus is not None else -int(self._child.signalstatus)

    def hangs_up(self) -> None:
        """Close the terminal, as a window is closed; then wait for the end."""
        self._child.ptyproc.fileobj.close()
        deadline = time.monotonic() + PATIENCE
        while self._child.isalive():
            assert time.monotonic() < deadline, "it did not end"
            time.sleep(0.01)

    def _read(self) -> bool:
        try:
            got = self._child.read_nonblocking(65536, timeout=0.1)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += got
        whole, escape, begun = (self._rest + got).rpartition("\x1b")
        # A sequence may be torn between two reads; what comes behind the last escape waits until it is whole.
        is_whole = not escape or re.match(r"\[[?0-9;]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>]", begun)
        self.glass.feed(whole + escape + begun if is_whole else whole)
        self._rest = "" if is_whole else escape + begun
        if self.glass.answers:
            self._child.send(self.glass.answers)
            self.glass.answers = ""
        return True


def environment(**settings: str | None) -> Mapping[str, str]:
    """A process's environment: ours without settings and keys, then `settings` (None takes a variable out)."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("GREENROOM_", "ANTHROPIC_", "NO_COLOR"))}
    root = str(Path(__file__).resolve().parents[2])
    given: dict[str, str | None] = {"GREENROOM_MODEL__NAME": "rehearsal", "PYTHONPATH": root, **settings}
    return {**{k: v for k, v in ours.items() if k not in given}, **{k: v for k, v in given.items() if v is not None}}
