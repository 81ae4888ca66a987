"""What a mode is, and the table of those that a build has.

A mode is one kind of work that people do with personas: a document, a task, a checklist. It is one module: a frozen
dataclass that is its state, its gates, and an object with the methods of `Mode`. The machine routes to it; everything
that all works have in common (the stack, pausing, coming to rest) is in `bot.core.works`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from bot.core import codec
from bot.core.command_table import HOST_COMMANDS, THEIRS_FIRST
from bot.core.events import Result, Said, Utterance
from bot.core.gates import WorkGate
from bot.core.model import Option
from bot.core.session import Work
from bot.core.step_builder import StepBuilder
from bot.core.tools import Completed
from bot.personas.model import Command, Persona, fold

W = TypeVar("W", bound=Work)


@dataclass(frozen=True, slots=True)
class Returned:
    """What a work, or a loop of tool calls, came back with to whoever had begun it.

    `why` says how it ended, in the words of the record; `work` is the state that it ended with, None of a tool loop. A
    loop that ended with the step of a task says so by `completed`.
    """

    why: str
    work: Work | None = None
    completed: Completed | None = None


class Mode(Protocol[W]):
    """One kind of work. Every method writes what follows into `step`, and changes the work by `works.change`."""

    @property
    def name(self) -> str:
        """What its states and gates name in `mode`."""

    @property
    def state(self) -> type[W]:
        """The class of its state."""

    @property
    def gates(self) -> tuple[type, ...]:
        """The classes of its gates; each is a `WorkGate`."""

    @property
    def commands(self) -> frozenset[str]:
        """The folded names of the commands, and of the tasks behind commands, that begin it."""

    def start(self, step: StepBuilder, command: str, args: str, line: Utterance) -> None:
        """Begin: by a command, a choice, a hand-over, or for another work."""

    def chosen(self, step: StepBuilder, work: W, gate: WorkGate, option: Option, line: Utterance) -> None:
        """A human chose an option at one of its gates. The gate is closed already."""

    def said(self, step: StepBuilder, work: W, lines: tuple[Utterance, ...], event: Said) -> bool:
        """People wrote words while it is on top; False where they are ordinary talk."""

    def result(self, step: StepBuilder, work: W, result: Result | Returned, purpose: str) -> None:
        """What it had asked for, for that purpose, came back: also a work or a tool loop that it had begun."""

    def failed(self, step: StepBuilder, work: W, reason: str) -> None:
        """What it had asked for failed, or its link was given up: rest at a gate where the last text can be chosen."""

    def resumed(self, step: StepBuilder, work: W, link: str) -> None:
        """The link of that name of its chain, which it had cut itself."""

    def stopped(self, step: StepBuilder, work: W, by: str) -> None:
        """`by` said stop while no reply was being written: at a gate, or between two links."""

    def left(self, step: StepBuilder, work: W, why: str) -> None:
        """It is over, for that reason: every way out runs through here. Say and record what is to be."""

    def stands(self, step: StepBuilder, work: W) -> None:
        """Show again what it waits for, from its own state, and open that gate."""

    def taken_up(self, step: StepBuilder, work: W) -> None:
        """It was paused and goes on: show the text that stands with its question, or go on where it was cut."""

    def command(self, step: StepBuilder, work: W, word: str, args: str, line: Utterance) -> bool:
        """A command of the host, folded, while it is on top; False where the command is none for it just now."""

    def status(self, work: W) -> str:
        """One line: what, how far, what it waits for."""

    def floor_is_open(self, work: W) -> bool:
        """Whether it may rest without a gate of its own, because people have the floor."""


class Registry:
    """The modes of a build: by name, and by the commands that begin them.

    `later` are commands, and tasks behind commands, whose mode is still to be built, and what each of them runs.
    `tasks`, one of the modes, runs every task that no other mode begins with.
    """

    def __init__(
        self,
        modes: Iterable[Mode[Any]] = (),
        later: Mapping[str, str] = MappingProxyType({}),
        *,
        tasks: Mode[Any] | None = None,
    ) -> None:
        """Raises ValueError where two modes want one name or one command, or a class names another mode."""
        self._later = later
        self.tasks = tasks
        self._by_name: dict[str, Mode[Any]] = {}
        self._by_command: dict[str, Mode[Any]] = {}
        for mode in modes:
            for cls in (mode.state, *mode.gates):
                if getattr(cls, "mode", None) != mode.name:
                    raise ValueError(f"{cls.__name__} does not name the mode {mode.name!r}")
            if mode.name in self._by_name:
                raise ValueError(f"two modes are named {mode.name!r}")
            if taken := mode.commands & self._by_command.keys():
                raise ValueError(f"two modes want the commands {sorted(taken)}")
            self._by_name[mode.name] = mode
            self._by_command |= dict.fromkeys(mode.commands, mode)
            codec.know(mode.state, *mode.gates)

    def has(self, name: str) -> bool:
        """Whether there is a mode of that name."""
        return name in self._by_name

    def of(self, work: Work) -> Mode[Any]:
        """The mode of a work."""
        return self._by_name[work.mode]

    def begun_by(self, *names: str) -> Mode[Any] | None:
        """The mode that the first of these commands or tasks begins; None where none does."""
        return next((self._by_command[name] for name in names if name in self._by_command), None)

    def later(self, name: str) -> str:
        """What the command or task of that name needs that is still to be built; "" where it needs nothing of it."""
        return self._later.get(fold(name), "")

    def runs_as_task(self, stem: str) -> bool:
        """Whether a task of that name is carried out step by step; others have a mode of their own, now or later."""
        return self.tasks is not None and not self.begun_by(fold(stem)) and not self.later(stem)

    def missing(self, command: Command, persona: Persona) -> str:
        """What a command of a persona needs that this build does not run; "" where the command works."""
        word = fold(command.name)
        if word in HOST_COMMANDS and word not in THEIRS_FIRST:
            return ""
        if self.begun_by(word, *(fold(name) for name in command.uses)):
            return ""
        if what := next((what for name in (word, *command.uses) if (what := self.later(name))), ""):
            return what
        tasks = {fold(dependency.stem) for dependency in persona.dependencies if dependency.kind == "tasks"}
        if not command.uses or any(fold(name) in tasks and self.runs_as_task(name) for name in command.uses):
            return ""
        return "tasks and documents"
