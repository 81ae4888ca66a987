"""The text of a task file -> its `Task`.

Files with front matter say their steps themselves (`bot/personas/schemas/task.schema.json`). In files of other people
steps are the numbered headings, and whatever sounds like a halt stops.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from bot.core.tasks.definition import GateKind, InputKind, OutputKind, Task, TaskInput, TaskOutput, TaskStep
from bot.personas.naming import slug
from bot.personas.readers import safe_yaml

MAX_TASK = 256 * 1024
"""Longest task file, in characters."""

MAX_STEPS = 60
"""Most steps of a task."""

MAX_LINE, MAX_TEXT = 120, 600
"""Longest title or option, and longest question or condition, in characters; what is longer is cut."""

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^(#{1,4})[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
_NUMBERED = re.compile(r"^(?:step\s+)?(\d{1,2})[.):]?\s+(?=\S)|^step\s+(\d{1,2})\b[.:)]?\s*", re.IGNORECASE)
_FENCE = re.compile(r"^(`{3,}|~{3,})")
_HALTS = re.compile(
    r"\b(halt|stop and|wait for|wait until|ask the user|ask them|ask for|confirm|approv\w+|elicit\w*|get feedback|"
    r"user'?s? (?:input|choice|decision|response|confirmation)|present (?:the )?(?:options|choices))\b",
    re.IGNORECASE,
)


class TaskError(ValueError):
    """No task can be run from this file; the text says why and what to do about it."""


def read_task(text: str, name: str) -> Task:
    """The task of that file, called `name` where it does not say so itself. Raises TaskError."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    if len(text) > MAX_TASK:
        raise TaskError(f"it has more than {MAX_TASK:,} characters; split it into several tasks")
    found = _FRONT.match(text)
    if found:
        try:
            front = safe_yaml.load(found[1])
        except (safe_yaml.YamlError, RecursionError) as error:
            raise TaskError(f"its front matter cannot be read: {error}") from error
        if isinstance(front, Mapping) and "steps" in front:
            return _declared(front, text[found.end() :], name)
        text = text[found.end() :]
    return _from_prose(text, name)


# ---------------------------------------------------------------- declared


def _declared(front: Mapping[Any, Any], body: str, name: str) -> Task:
    steps = front.get("steps")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, Mapping) for step in steps):
        raise TaskError("`steps` is no list of steps; write each behind a dash, with `id`, `title` and `do`")
    if len(steps) > MAX_STEPS:
        raise TaskError(f"it has more than {MAX_STEPS} steps; split it into several tasks")
    bodies = _bodies(body)
    outputs = tuple(_output(each) for each in _objects(front, "outputs"))
    read = tuple(_step(each, number, bodies.get(number, "")) for number, each in enumerate(steps, 1))
    if len({step.id for step in read}) < len(read):
        raise TaskError("two of its steps have one id; give each its own")
    for step in read:
        if step.writes and step.writes not in {output.name for output in outputs}:
            raise TaskError(f"the step `{step.id}` writes `{step.writes}`, which is none of its outputs")
    return Task(
        id=_text(front, "id") or name,
        title=_line(front, "title") or name,
        purpose=_text(front, "purpose"),
        inputs=tuple(_input(each) for each in _objects(front, "inputs")),
        outputs=outputs,
        steps=read,
    )


def _step(front: Mapping[Any, Any], number: int, body: str) -> TaskStep:
    title = _line(front, "title") or f"Step {number}"
    ident = _text(front, "id") or slug(title) or f"step-{number}"
    gate = _one_of(front, "gate", get_args(GateKind), f"the step `{ident}`")
    options = tuple(_cut(str(each), MAX_LINE) for each in _list(front, "options"))
    ends = tuple(each for each in _list(front, "ends") if isinstance(each, int))
    if gate == "choose" and not options:
        raise TaskError(f"the step `{ident}` lets people choose and names no options; write them below `options:`")
    if any(not 1 <= each <= len(options) for each in ends):
        raise TaskError(f"`ends` of the step `{ident}` names an option that there is not")
    return TaskStep(
        id=ident,
        title=title,
        do=_text(front, "do"),
        body=body,
        gate=gate,
        question=_cut(_text(front, "question"), MAX_TEXT),
        options=options,
        first=0 if front.get("first") == 0 else 1,
        ends=ends,
        when=_cut(_text(front, "when"), MAX_TEXT),
        repeat=_cut(_text(front, "repeat"), MAX_TEXT),
        uses=tuple(str(each) for each in _list(front, "uses")),
        writes=_text(front, "writes"),
    )


def _input(front: Mapping[Any, Any]) -> TaskInput:
    name = _text(front, "name")
    kind: InputKind = _one_of(front, "kind", get_args(InputKind), f"the input `{name}`") or "text"
    return TaskInput(name, kind, front.get("required") is not False, _cut(_text(front, "ask"), MAX_TEXT))


def _output(front: Mapping[Any, Any]) -> TaskOutput:
    name = _text(front, "name")
    kind: OutputKind = _one_of(front, "kind", get_args(OutputKind), f"the output `{name}`") or "text"
    return TaskOutput(name, kind, _text(front, "path"))


def _one_of(front: Mapping[Any, Any], key: str, known: Sequence[str], where: str) -> Any:
    value = front.get(key)
    if value is None or value in known:
        return value
    raise TaskError(f"`{key}: {value}` of {where} is not known; write one of {', '.join(known)}")


def _objects(front: Mapping[Any, Any], key: str) -> list[Mapping[Any, Any]]:
    return [each for each in _list(front, key) if isinstance(each, Mapping)]


def _list(front: Mapping[Any, Any], key: str) -> list[Any]:
    value = front.get(key)
    return value if isinstance(value, list) else []


def _text(front: Mapping[Any, Any], key: str) -> str:
    value = front.get(key)
    return "" if value is None else str(value).strip()


def _line(front: Mapping[Any, Any], key: str) -> str:
    return _cut(" ".join(_text(front, key).split()), MAX_LINE)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _bodies(body: str) -> dict[int, str]:
    """What stands below the headings `## 1. Title`, by their numbers."""
    return {number: text for number, _, text in _sections(body)}


# ---------------------------------------------------------------- read from prose


def _from_prose(text: str, name: str) -> Task:
    heading = _HEADING.search(text)
    title = _cut(heading[2].strip(), MAX_LINE) if heading and heading[1] == "#" else name
    sections = _sections(text) or [(1, title, text.strip())]
    if len(sections) > MAX_STEPS:
        raise TaskError(f"it has more than {MAX_STEPS} numbered headings; split it into several tasks")
    if not text.strip():
        raise TaskError("it is empty")
    steps = tuple(_prose_step(place, title, body) for place, (_, title, body) in enumerate(sections, 1))
    if steps[-1].gate is None:
        # Whatever it came to, people see it before the task is over.
        steps = (*steps[:-1], replace(steps[-1], gate="ask", question="Is this what you need?"))
    return Task(id=name, title=title, steps=steps, declared=False)


def _prose_step(number: int, title: str, body: str) -> TaskStep:
    halts = _HALTS.search(f"{title}\n{body}") is not None
    question = "What do you say to this? Answer in words, or go on." if halts else ""
    return TaskStep(f"step-{number}", _cut(title, MAX_LINE), "", body, "ask" if halts else None, question)


def _sections(text: str) -> list[tuple[int, str, str]]:
    """Number, title and text of the numbered headings of the level on which there are most of them; fences aside."""
    found: list[tuple[int, int, str, int, int]] = []  # level, number, title, start of the heading, start of the text
    fence, at = "", 0
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line.lstrip())
        if mark and (not fence or line.lstrip().startswith(fence)):
            fence = "" if fence else mark[1]
        elif not fence and (heading := _HEADING.match(line.rstrip("\n"))) and (number := _NUMBERED.match(heading[2])):
            title = heading[2][number.end() :].strip() or heading[2]
            found.append((len(heading[1]), int(number[1] or number[2]), title, at, at + len(line)))
        at += len(line)
    if not found:
        return []
    levels = [level for level, *_ in found]
    most = min(set(levels), key=lambda level: (-levels.count(level), level))
    top = [each for each in found if each[0] == most]
    ends = [start for _, _, _, start, _ in top[1:]] + [len(text)]
    placed = zip(top, ends, strict=True)
    return [(number, title, text[begin:end].strip()) for (_, number, title, _, begin), end in placed]
