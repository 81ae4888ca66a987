"""What a task says of itself: its inputs, its outputs, and its steps with their gates.

`bot/core/tasks/reading.py` makes one of a task file's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GateKind = Literal["input", "ask", "choose", "elicit", "approve"]
"""The halt of a step. input: what is missing is asked for before the step; the others come behind it.

ask: an answer in words. choose: one of the options. elicit: the methods. approve: a named person accepts the text.
"""

InputKind = Literal["text", "document", "story", "choice", "file"]
OutputKind = Literal["text", "document", "story", "file"]


@dataclass(frozen=True, slots=True)
class TaskInput:
    """Something that the task needs, and the question that is put where it is missing."""

    name: str
    kind: InputKind = "text"
    required: bool = True
    ask: str = ""


@dataclass(frozen=True, slots=True)
class TaskOutput:
    """Something that the task gives. `path` has `{names}` in it; it is empty of what is only posted."""

    name: str
    kind: OutputKind = "text"
    path: str = ""


@dataclass(frozen=True, slots=True)
class TaskStep:
    """One step. `do` and `body` are for the model; the rest is the host's.

    `when` is what must be the case for its gate to stop, or, without a gate, for the step to be done at all. `first` is
    the number of the first option. `ends` are the numbers of the options (from 1) that end the task. `repeat` says what
    the step is done again for. `uses` are stems of resources, `writes` is the name of an output.
    """

    id: str
    title: str
    do: str = ""
    body: str = ""
    gate: GateKind | None = None
    question: str = ""
    options: tuple[str, ...] = ()
    first: int = 1
    ends: tuple[int, ...] = ()
    when: str = ""
    repeat: str = ""
    uses: tuple[str, ...] = ()
    writes: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A task. `declared` is false where its steps and gates were read from prose, cautiously."""

    id: str
    title: str
    purpose: str = ""
    inputs: tuple[TaskInput, ...] = ()
    outputs: tuple[TaskOutput, ...] = ()
    steps: tuple[TaskStep, ...] = ()
    declared: bool = True

    @property
    def stops(self) -> int:
        """How many steps have a gate."""
        return sum(step.gate is not None for step in self.steps)

    def output(self, name: str) -> TaskOutput | None:
        """The output of that name."""
        return next((output for output in self.outputs if output.name == name), None)
