"""Everything that speakers are called, folded once, so that a label is found among thousands of names at once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.personas.lookalikes import key


@dataclass(frozen=True, slots=True)
class Labels:
    """Names by their keys (`bot.personas.lookalikes.key`), each with the name to show for it."""

    shown: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Labels:
        """From (a spelling, the name to show for it); of two with the same key the first stays."""
        shown: dict[str, str] = {}
        for spelling, name in pairs:
            if folded := key(spelling):
                shown.setdefault(folded, name)
        return cls(shown, tuple(sorted(shown)))

    def begins(self, beginning: str) -> bool:
        """Whether one of the keys begins so."""
        at = bisect_left(self.keys, beginning)
        return at < len(self.keys) and self.keys[at].startswith(beginning)
