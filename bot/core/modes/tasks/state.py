"""Where a task stands: its work, and the gates at which people decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bot.core.gates import Words

MODE = "task"

Phase = Literal["loading", "input", "doing", "deciding", "saving", "between", "resting"]
"""What is going on. loading: the task is read. input: something missing was asked for. doing: the model does the step.

deciding: people decide at the step's gate. saving: its output is read, confirmed or written. between: the next step is
due. resting: something failed or was stopped.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the model ended a step: whether its condition `holds`, `why`, and values for the names in a path."""

    holds: bool = True
    why: str = ""
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A document that the task wrote."""

    path: str
    version: int


@dataclass(frozen=True, slots=True)
class TaskWork:
    """A task under way. `task` is its file's stem, `definition` the id of its text as it was when the task began,
    `configuration` that of the core configuration.

    `at` is the place of the step, from 0; `round` counts how often it was done; `saves` and `stops` say whether it
    writes, and whether it has a gate behind it. `spoke`: the model has said something in it. `text` is the id of what
    it would save, with its hash `sha` and their number `texts`; `path` is where, and `base` the version that stands
    there. `by` approved it. `remarks`: people are asked what should change. `nudged`: the model was told once what its
    call lacked. `given`: people have said what the task needs. `asker` is the user who began it, `day` the date as
    YYYYMMDD, `failed` why it rests.
    """

    mode: ClassVar[str] = MODE
    id: str
    who: str
    task: str
    title: str
    steps: int = 0
    at: int = 0
    round: int = 1
    phase: Phase = "loading"
    step: str = ""
    step_title: str = ""
    saves: bool = False
    stops: bool = False
    definition: str = ""
    configuration: str = ""
    given: bool = False
    outcome: Outcome | None = None
    spoke: bool = False
    remarks: bool = False
    text: str = ""
    sha: str = ""
    texts: int = 0
    path: str = ""
    base: int = 0
    by: str = ""
    by_user: str = ""
    written: tuple[Written, ...] = ()
    left_out: tuple[str, ...] = ()
    nudged: bool = False
    failed: str = ""
    asker: str = ""
    day: str = ""


@dataclass(frozen=True, slots=True)
class InputGate:
    """Something is missing: any words, or files, are the answer."""

    mode: ClassVar[str] = MODE
    words: ClassVar[Words] = "answer"
    tells: ClassVar[bool] = False
    who: str
    menu: str = ""


@dataclass(frozen=True, slots=True)
class AnswerGate:
    """A question behind a step: any words are the answer."""

    mode: ClassVar[str] = MODE
    words: ClassVar[Words] = "answer"
    tells: ClassVar[bool] = False
    who: str
    menu: str = ""


@dataclass(frozen=True, slots=True)
class OptionGate:
    """One of the step's options: only a number, a button or a whole label chooses."""

    mode: ClassVar[str] = MODE
    words: ClassVar[Words] = "label"
    tells: ClassVar[bool] = False
    who: str
    menu: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalGate:
    """Shall the shown text stand? Only a number, a button or the whole label decides; other words are a remark.

    `text` is the id of what was shown.
    """

    mode: ClassVar[str] = MODE
    words: ClassVar[Words] = "label"
    tells: ClassVar[bool] = False
    who: str
    text: str = ""
    menu: str = ""


@dataclass(frozen=True, slots=True)
class ReplaceGate:
    """A document stands at the path: replace it, or not."""

    mode: ClassVar[str] = MODE
    words: ClassVar[Words] = "label"
    tells: ClassVar[bool] = False
    who: str
    menu: str = ""


@dataclass(frozen=True, slots=True)
class AgainGate:
    """A step that repeats was done: once more, or go on."""

    mode: ClassVar[str] = MODE
    words: ClassVar[Words] = "meaning"
    tells: ClassVar[bool] = False
    who: str
    menu: str = ""


@dataclass(frozen=True, slots=True)
class UnendedGate:
    """A step did not end by itself: go on, do it again, or leave the task."""

    mode: ClassVar[str] = MODE
    words: ClassVar[Words] = "meaning"
    tells: ClassVar[bool] = False
    who: str
    menu: str = ""


GATES: tuple[type, ...] = (InputGate, AnswerGate, OptionGate, ApprovalGate, ReplaceGate, AgainGate, UnendedGate)
