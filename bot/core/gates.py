"""Gates: everything that can halt a conversation until a human decides. A frozen dataclass each.

`HostGate` is the closed union of those that exist without a work. Whoever matches over it ends with `assert_never`, or
hands the rest to the modes, so mypy names every place that has to know a new gate. A mode brings gates of its own: each
is a `WorkGate`, and goes to the mode that it names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Protocol, assert_never

from bot.core.events import Utterance

Words = Literal["meaning", "label", "answer"]
"""What words do at a gate.

meaning: a label, a beginning that fits only one, or yes and no choose; any others withdraw the question.
label: only a whole label chooses; other words are for the mode.
answer: any words are the answer.
"""


@dataclass(frozen=True, slots=True)
class ExitGate:
    """Shall `who` leave, or stay?"""

    who: str
    menu: str = ""


@dataclass(frozen=True, slots=True)
class ForgetGate:
    """Shall this conversation be wiped? Only an admin can decide that."""

    who: str = ""
    menu: str = ""


@dataclass(frozen=True, slots=True)
class MeantGate:
    """Was this command meant, which a slip of the finger must not run?"""

    who: str = ""
    menu: str = ""


@dataclass(frozen=True, slots=True)
class RunGate:
    """Shall a command run that plain words named, or do they want to talk? `said` is what was typed."""

    who: str
    said: tuple[Utterance, ...]
    menu: str = ""


@dataclass(frozen=True, slots=True)
class FileGate:
    """What shall be taken of files that are too long?

    `bare` is what was said with the names of its files alone, `whole` the same with what they say. Both bear the
    message's id, so that whoever deletes the message deletes both.
    """

    who: str
    bare: tuple[Utterance, ...]
    whole: tuple[Utterance, ...]
    menu: str = ""


@dataclass(frozen=True, slots=True)
class AskGate:
    """A question of `who`, asked through the tool call `call`."""

    who: str
    call: str
    menu: str = ""


@dataclass(frozen=True, slots=True)
class ProposeGate:
    """Shall the command run that `who` proposed through the tool call `call`?"""

    who: str
    call: str
    menu: str = ""


@dataclass(frozen=True, slots=True)
class DocsGate:
    """Shall the document at `path`, which stands in version `base`, be deleted or get another text?

    restore: that of its own `version`. take: that of a document in the direct messages of whoever asked, `user`. add:
    the text that was kept as `kept`.
    """

    what: Literal["delete", "restore", "take", "add"]
    path: str
    base: int
    version: int = 0
    kept: str = ""
    user: str = ""
    who: str = ""
    menu: str = ""


HostGate = ExitGate | ForgetGate | MeantGate | RunGate | FileGate | AskGate | ProposeGate | DocsGate


class WorkGate(Protocol):
    """A gate of a mode: a frozen dataclass with these and whatever the mode wants to keep with it."""

    mode: ClassVar[str]
    """The name of the mode that decides it."""

    words: ClassVar[Words]

    tells: ClassVar[bool]
    """Whether the mode itself says who chose what; else that is a line of its own."""

    @property
    def who(self) -> str:
        """The persona who speaks at it."""

    @property
    def menu(self) -> str:
        """The id of its menu."""


Gate = HostGate | WorkGate


def with_menu(gate: Gate, menu: str) -> Gate:
    """The gate with that menu to choose from."""
    anything: Any = gate
    changed: Gate = replace(anything, menu=menu)
    return changed


def words_at(gate: Gate) -> Words:
    """What words do at this gate."""
    match gate:
        case ExitGate() | ForgetGate() | MeantGate() | RunGate() | FileGate() | DocsGate():
            return "meaning"
        case AskGate():
            return "answer"
        case ProposeGate():
            return "meaning"
        case _:
            return _of_work(gate).words


def call_of(gate: Gate) -> str:
    """The tool call that waits for this gate's answer; empty where none does."""
    match gate:
        case AskGate(call=call) | ProposeGate(call=call):
            return call
        case ExitGate() | ForgetGate() | MeantGate() | RunGate() | FileGate() | DocsGate():
            return ""
        case _:
            return _no_call(_of_work(gate))


def awaited(gate: HostGate) -> str:
    """What a gate waits for, in words for people."""
    match gate:
        case ExitGate():
            return "an answer: leave or stay"
        case ForgetGate():
            return "an answer: wipe this conversation or keep it"
        case MeantGate() | RunGate() | ProposeGate():
            return "a choice: run a command or not"
        case FileGate():
            return "a choice: what to take of a file that is too long"
        case AskGate():
            return "an answer to a question"
        case DocsGate(what="delete", path=path):
            return f"an answer: delete `{path}` or keep it"
        case DocsGate(path=path):
            return f"an answer: give `{path}` another text or keep it"
        case _:
            assert_never(gate)


def withdrawn(gate: HostGate) -> str:
    """What is said when something else comes instead of an answer; empty where the question stays or needs no line."""
    match gate:
        case ExitGate():
            return "I stay, then."
        case ForgetGate():
            return "Nothing is wiped, then."
        case MeantGate() | RunGate():
            return "No command, then."
        case FileGate():
            return "I leave the file, then."
        case AskGate() | ProposeGate():
            return ""
        case DocsGate(path=path):
            return f"`{path}` stays as it is, then."
        case _:
            assert_never(gate)


def is_of_work(gate: Gate | None) -> bool:
    """Whether a mode decides it."""
    return gate is not None and not isinstance(gate, HostGate)


def says_who_chose(gate: Gate | None) -> bool:
    """Whether a line of its own is to say who chose what there."""
    return gate is None or not is_of_work(gate) or not _tells(gate)


def _tells(gate: Any) -> bool:
    return bool(gate.tells)


def _of_work(gate: WorkGate) -> WorkGate:
    return gate


def _no_call(gate: WorkGate) -> str:
    return ""
