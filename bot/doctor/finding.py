"""What a check is given, and what it gives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.settings import Settings

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has seen: in which area, how bad, in words.

    `mend` is what to do about it; empty where nothing is, or where `says` tells it already.
    """

    area: str
    level: Level
    says: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """What is looked at. `file` is the configuration that was read, if any; with `online` the model may be called."""

    settings: Settings
    env: Mapping[str, str]
    file: Path | None = None
    online: bool = False


Check = Callable[[Case], Awaitable[Sequence[Finding]]]


def count(number: int, what: str) -> str:
    """A number of things, in words: `1 problem`, `2 problems`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
