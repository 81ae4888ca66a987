"""What a document under way is between turns: ids, places and phases, no texts. And the gates at which people decide.

Texts are kept in the log under `DocumentWork.text(n)`, the template's definition under `DocumentWork.definition`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from bot.core.gates import Words

NAME = "document"

Phase = Literal[
    "opening", "existing", "asking", "counting", "next", "drafting", "standing", "finding", "editing", "saving",
    "conflict", "another", "closing", "resting", "pausing",
]  # fmt: skip
"""What is under way, or waited for.

opening: template, configuration and what stands at the path are read. existing: a document stands there. asking: the
conditions, and what the title lacks. counting: how many instances. next: a link is due. drafting, saving: a model or
the store is at it. standing: a draft, at its stop. finding: what a method found. editing: somebody's own words are
awaited. conflict: somebody else wrote the document. another: one more instance or not. closing: what had no stop of its
own. resting: something went wrong and can be tried again. pausing: somebody said stop.
"""

INSTANCES = 20
"""Most instances of a repeatable section."""

REMARKS = 20
"""Most remarks that wait for one draft."""

METHODS = 8
"""So many methods are offered at a stop, behind "Proceed"."""


@dataclass(frozen=True, slots=True)
class Part:
    """A section as it is or will be in the document: its place there, which instance, and the number of its text.

    `by` is the name of whoever wrote it, empty for the persona. `name` and `sha` are its title and hash, as long as it
    waits to be accepted.
    """

    place: int
    instance: int
    text: int
    by: str = ""
    name: str = ""
    sha: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Who has accepted what is being saved: user, name, what they chose, and when, by the platform's clock."""

    user: str
    name: str
    what: str
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """Where the cursor was when an earlier section was opened again, and the text that stood on screen there."""

    at: int
    instance: int = 0
    instances: int = 0
    counted: bool = False
    draft: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True)
class DocumentWork:
    """A document under way.

    `template` is the stem of its file, `name` what the template calls the document; `facts` are values for
    placeholders, by name. `dropped` are ids of sections that are left out. `kept` counts the texts kept so far,
    `ledger` is the number of the last ledger. `version` is the one last written or shown to people. `redo` is what a
    rest goes on with, and `choice` who has accepted what is being saved.

    The cursor: `at` is the unit in the order of drafting, counted from 0, of `of`; `place` its place in the document,
    `section` its title, `instance` counts from 0 and `item` is what the list calls it, `instances` how many there are
    to be (0: not known), `counted`: people have said so. `stop`: people are asked after it; `may_skip`, `repeats`: it
    may be left out, it is written several times.

    `draft` is the number of the text on screen (0: none), `by` who wrote it where it was no persona, `sha` its hash;
    `proposal` the number of the text that a method proposed; `tries` counts drafts with faults. `accepted` are the
    parts of the document as it was last written, `shown` those that wait for the next stop. `held` is what `*back`
    interrupted. `remarks` are ids of messages, `voices` users who took part, at most two. `offered` are the methods at
    the stop now, `used` those chosen lately, the latest last. `unseen` are the stops that yolo skipped. `lead` is a
    line that goes before whatever is posted next. `fresh`: whoever drafts has to be told how this goes; `told` is the
    number of the last text that they know of.
    """

    mode: ClassVar[str] = NAME
    id: str
    who: str
    template: str
    name: str = ""
    path: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    phase: Phase = "opening"
    redo: str = ""
    kept: int = 0
    version: int = 0
    ledger: int = 0
    at: int = 0
    of: int = 0
    place: int = 0
    section: str = ""
    instance: int = 0
    instances: int = 0
    counted: bool = False
    stop: bool = False
    may_skip: bool = False
    repeats: bool = False
    item: str = ""
    draft: int = 0
    by: str = ""
    sha: str = ""
    proposal: int = 0
    tries: int = 0
    dropped: tuple[str, ...] = ()
    accepted: tuple[Part, ...] = ()
    shown: tuple[Part, ...] = ()
    held: Held | None = None
    remarks: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    choice: Choice | None = None
    unseen: tuple[str, ...] = ()
    lead: str = ""
    fresh: bool = True
    told: int = 0

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.name or self.template} (`{self.path}`)" if self.path else self.name or self.template

    @property
    def known(self) -> Mapping[str, str]:
        """The facts, by the names of their placeholders."""
        return dict(self.facts)

    @property
    def definition(self) -> str:
        """The id under which the template's definition is kept."""
        return f"{self.id}.definition"

    @property
    def methods(self) -> str:
        """The id under which the methods of the library are kept."""
        return f"{self.id}.methods"

    def text(self, number: int) -> str:
        """The id of the kept text of that number."""
        return f"{self.id}.{number}"

    @property
    def number(self) -> str:
        """The section on screen: which of how many."""
        again = f" ({self.instance + 1} of {self.instances})" if self.repeats and self.instances > 1 else ""
        return f"section {self.at + 1} of {self.of}{again}"

    @property
    def where(self) -> str:
        """The section on screen, for people: its number and its title."""
        return f"{self.number}: {self.section}"

    @property
    def is_shared(self) -> bool:
        """Whether two people have taken part, so that what one of them writes is a remark."""
        return len(self.voices) > 1


@dataclass(frozen=True, slots=True)
class _Gate:
    mode: ClassVar[str] = NAME
    words: ClassVar[Words] = "label"
    tells: ClassVar[bool] = True
    who: str
    menu: str = ""


@dataclass(frozen=True, slots=True)
class StopGate(_Gate):
    """A draft stands: accept it, look at it by a method, or say what to change."""


@dataclass(frozen=True, slots=True)
class FindingGate(_Gate):
    """A method found something: apply it, leave it, or talk about it."""


@dataclass(frozen=True, slots=True)
class ExistingGate(_Gate):
    """A document stands at the path: go on with it, start again, take another name, or leave."""


@dataclass(frozen=True, slots=True)
class OpeningGate(_Gate):
    """Which of the sections that depend on something are to be written, and what the title lacks."""


@dataclass(frozen=True, slots=True)
class CountGate(_Gate):
    """How often a repeatable section is to be written, or whether once more."""


@dataclass(frozen=True, slots=True)
class ClosingGate(_Gate):
    """Sections without a stop of their own were shown: save them, or open one."""


@dataclass(frozen=True, slots=True)
class ConflictGate(_Gate):
    """Somebody else has written the document meanwhile: save on top of that, or leave it."""


@dataclass(frozen=True, slots=True)
class RestGate(_Gate):
    """Something went wrong, was stopped, or waits for somebody's own words: go on, pause, or leave."""


GATES: tuple[type, ...] = (
    StopGate, FindingGate, ExistingGate, OpeningGate, CountGate, ClosingGate, ConflictGate, RestGate,
)  # fmt: skip
