"""One voice a post: a reply without the passages in which somebody else speaks, whole or while it grows."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.fences import Fence, fence_after
from bot.personas.model import fold

_LABEL_LENGTH = 80
"""Longest beginning of a line that can be a speaker's name, in characters."""

_LABEL = re.compile(rf"([^:：\n]{{1,{_LABEL_LENGTH}}})[:：][*_ ]*+")
_ROLE = re.compile(r"[(\[{]")


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a persona may speak under, and those of others, which it may not. All are folded.

    `others` is in groups, each sorted, so that the many names of a cast are folded and sorted once and shared.
    """

    own: frozenset[str]
    others: tuple[Sequence[str], ...]

    @classmethod
    def of(cls, own: Iterable[str], *others: Iterable[str], folded: Sequence[str] = ()) -> Names:
        """Names as people write them; `folded` is one more group of others that is folded and sorted already."""
        groups = (tuple(sorted({fold(name) for name in group})) for group in others)
        return cls(frozenset(fold(name) for name in own) - {""}, (folded, *groups))

    def is_other(self, label: str) -> bool:
        """Whether this folded label is somebody else's name."""
        if not label or label in self.own:
            return False
        return any((at := bisect_left(group, label)) < len(group) and group[at] == label for group in self.others)

    def may_become(self, beginning: str) -> bool:
        """Whether one of the names, own ones too, begins with these folded characters."""
        if any(name.startswith(beginning) for name in self.own):
            return True
        places = ((group, bisect_left(group, beginning)) for group in self.others)
        return any(at < len(group) and group[at].startswith(beginning) for group, at in places)


def own_words(text: str, names: Names, *, finished: bool) -> str:
    """`text` without the passages in which somebody else speaks.

    A passage of another's begins with a line like `Mary: ...` (bold, an icon, brackets or a role behind the name make
    no difference) and ends at an empty line or where a name of `own` takes over; labels of `own` are taken off.
    Code fences are left alone. With `finished` false, the last line is held back while it could still become a name,
    so that what is shown of a part is always a prefix of what is shown of the whole.
    """
    words = OwnWords(names)
    lines = text.splitlines(keepends=True)
    growing = lines.pop() if lines and not finished and not lines[-1].endswith("\n") else ""
    kept = [words.line(line) for line in lines]
    return "".join((*kept, words.growing(growing))).strip()


class OwnWords:
    """Reads a reply line by line and gives what of it its speaker says; see `own_words`."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._fence: Fence | None = None
        self._foreign = False

    def line(self, line: str) -> str:
        """What of a line that has ended is the speaker's own: all, what stands behind a label, or nothing."""
        was, looks_like_fence = self._fence, _looks_like_fence(line)
        if was is not None or looks_like_fence:
            self._fence = fence_after(was, line)
        start = 0
        if was is None and self._fence is None:
            label, start, is_own = self._read(line)
            self._foreign = self._foreign and not is_own
            if label is not None and self._names.is_other(label):
                self._foreign = True
            elif self._foreign and not line.strip():
                self._foreign = False
                return ""
        return "" if self._foreign else line[start:]

    def growing(self, line: str) -> str:
        """What may be shown of the line that still grows, none of which was given to `line`; "" if that is not certain.

        A beginning of the line is as good as all of it that has come: what is given is then a beginning too.
        """
        if self._fence is not None:
            return "" if self._foreign else line
        if _looks_like_fence(line):
            return ""
        label, start, is_own = self._read(line)
        if (self._foreign and not is_own) or (label is not None and self._names.is_other(label)):
            return ""
        rest = line[start:]
        return "" if label is None and self._may_become_a_name(rest) else rest

    def _read(self, line: str) -> tuple[str | None, int, bool]:
        """The folded label that `line` has behind those of the speaker's own, where that begins, and if there are any.

        The label is None where there is none.
        """
        start = 0
        while found := _LABEL.match(line, start):
            label = _bare(found[1])
            if label not in self._names.own:
                return label, start, start > 0
            start = found.end()
        return None, start, start > 0

    def _may_become_a_name(self, line: str) -> bool:
        if len(line) > _LABEL_LENGTH:
            return False
        bare = _bare(line)
        return not bare or self._names.may_become(bare)


def _looks_like_fence(line: str) -> bool:
    return line.lstrip().startswith(("```", "~~~"))


def _bare(label: str) -> str:
    """A label without its decoration: quote marks, bold, brackets, icons, and a role in brackets behind the name."""
    start = 0
    while start < len(label) and not label[start].isalnum() and label[start] not in "-+":
        start += 1
    return fold(_ROLE.split(label[start:], maxsplit=1)[0].strip(" *_])}\"'"))
