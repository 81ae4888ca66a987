"""What the model and people are told in a task, from its definition and its state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.documents.core_config import CoreConfig
from bot.core.modes.tasks.state import TaskWork
from bot.core.shapes import DELIMITER
from bot.core.tasks.definition import Task, TaskInput, TaskStep

_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.]*)\}")
_UNSAFE = re.compile(r"[^\w.+-]+")


_ID = "The id of the step is "
_VALUES = "Give these names in `values`: "
_WRITE = "Write the whole text that is to be saved"


def head(work: TaskWork) -> str:
    """Which step it is: `Step 3 of 8: Determine the next story`."""
    again = f" (round {work.round})" if work.round > 1 else ""
    return f"Step {work.at + 1} of {work.steps}: {work.step_title}{again}"


def opening(task: Task) -> str:
    """What people read when the task begins."""
    stops = f"I stop for you at {task.stops} of them" if task.stops else "None of them stops"
    count = f"{len(task.steps)} step{'' if len(task.steps) == 1 else 's'}"
    told = f"**{task.title}**: {count}. {stops}, and wherever something is missing."
    if not task.declared:
        told += " Its author declared no steps, so I took its headings for them and stop wherever it sounds like it."
    return told + " `stop` pauses me, `*exit` leaves."


def brief(task: Task, work: TaskWork, step: TaskStep, config: CoreConfig) -> str:
    """What the model is told of the one step that it is to do now."""
    lines = [f"(From the host, not from people.) The task is {task.title!r}. {head(work)}."]
    if work.at == 0 and task.purpose:
        lines.append(f"Purpose of the task: {task.purpose}")
    if work.at == 0:
        said = "the core configuration" if work.configuration else "convention, as there is no core configuration"
        lines.append(
            f"Where documents lie, by {said}: PRD {config.prd} (parts: {config.prd_folder}), architecture "
            f"{config.architecture} (parts: {config.architecture_folder}), stories {config.stories}, QA {config.qa}."
        )
    lines += [step.do, step.body]
    lines.append(f"{_ID}{step.id}. Do this step and nothing beyond it; the next comes when it is its turn.")
    if step.when:
        effect = "people are stopped" if step.gate else "it is to be done"
        lines.append(
            f"Its condition, under which alone {effect}: {step.when}. Say in `holds` whether it is the case, and in "
            "`why` by what you know it."
        )
    if step.repeat:
        lines.append(f"It is done again {step.repeat}. Do it for one of them now; people say when it was the last.")
    output = task.output(step.writes)
    if output is not None:
        names = [name for name in names_in(output.path) if name not in config.texts and name != "date"]
        lines.append(
            f"{_WRITE}, as Markdown from its first line to its last, before you call "
            f"complete_step. Behind it you may write a line `{DELIMITER}` and then what you are unsure of."
        )
        if names:
            lines.append(f"{_VALUES}{', '.join(names)}.")
    elif step.gate == "ask":
        lines.append("The host puts this question to people below your words: " + step.question)
    lines.append("End it by calling complete_step.")
    return "\n\n".join(line for line in lines if line)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a brief asks for: the step, the names that want values, and whether a text is to be written."""

    step: str
    names: tuple[str, ...]
    writes: bool


def asked(text: str) -> Asked | None:
    """What `brief` asked for in this text, for a stand-in of a model; None where it is no brief."""
    found = re.search(rf"^ *{re.escape(_ID)}([\w-]+)\.", text, re.MULTILINE)
    if found is None:
        return None
    names = re.search(rf"^ *{re.escape(_VALUES)}(.+)\.$", text, re.MULTILINE)
    return Asked(
        found[1],
        tuple(names[1].split(", ")) if names else (),
        re.search(rf"^ *{_WRITE}", text, re.MULTILINE) is not None,
    )


def missing(task: Task) -> tuple[TaskInput, ...]:
    """The inputs without which the task cannot be done."""
    return tuple(each for each in task.inputs if each.required)


def question_for_inputs(task: Task, step: TaskStep) -> str:
    """What is asked where something is missing: the step's own question, or that of each input."""
    return step.question or "\n".join(f"- {each.ask or each.name}" for each in missing(task))


def names_in(path: str) -> tuple[str, ...]:
    """The names in braces of a path, each once."""
    return tuple(dict.fromkeys(_NAME.findall(path)))


def filled(path: str, values: Mapping[str, str], config: CoreConfig) -> tuple[str, tuple[str, ...]]:
    """The path with its names filled in, and those that have no value.

    A key of the configuration may be a folder, and a model cannot change it; any other value is one part of a name.
    """
    absent: list[str] = []

    def put(found: re.Match[str]) -> str:
        name = found[1]
        if name in config.texts:
            return config.texts[name]
        said = _UNSAFE.sub("-", values.get(name, "").strip()).strip("-.").lower()[:60]
        if not said:
            absent.append(name)
        return said

    return _NAME.sub(put, path), tuple(dict.fromkeys(absent))
