"""Every command of a shipped persona with a task behind it, run to its end: nothing is saved without a choice."""

from __future__ import annotations

import json
import re

import pytest

from bot.core.modes.registry import MODES
from bot.core.modes.tasks.state import ApprovalGate, OptionGate, ReplaceGate, TaskWork
from bot.core.prompt import Prompt
from bot.core.spaces import space_of
from bot.core.tasks.definition import Task, TaskStep
from bot.core.tasks.reading import read_task
from bot.models.rehearsal import completed, lines
from tests.fakes.model import Says, Script
from tests.fakes.platform import ROOM
from tests.fakes.tasks import ANSWERS, TASKS, doing, library
from tests.scenario.stage import Stage, stage


def rehearsed(prompt: Prompt, _n: int) -> Says:
    """What the rehearsal model says."""
    call = completed(prompt)
    return Says((lines(prompt),), (("complete_step", call),) if call else ())


def commands() -> list[tuple[str, str, str]]:
    """Persona, command and task of each command that the mode runs."""
    cast, found = library().cast, []
    for persona in cast.personas:
        for command in persona.commands:
            for use in command.uses:
                if (
                    MODES.runs_as_task(use)
                    and cast.resource(persona, use, "tasks")
                    and not MODES.missing(command, persona)
                ):
                    if not any(MODES.begun_by(name) for name in command.uses):
                        found.append((persona.id, command.name, use))
                    break
    return found


def test_these_are_most_of_the_tasks() -> None:
    assert len({task for _, _, task in commands()}) == 16 and len(commands()) >= 20


async def finished(s: Stage, task: Task) -> list[tuple[str, str]]:
    """Answer each gate until the task is over; the gates, each with the step that it was at."""
    passed: list[tuple[str, str]] = []
    for _ in range(60):
        session = await s.session()
        if not session.work:
            return passed
        work = session.work[-1]
        assert isinstance(work, TaskWork) and session.gate is not None
        passed.append((type(session.gate).__name__, work.step))
        now: TaskStep = task.steps[work.at]
        answer = ANSWERS.get(type(session.gate).__name__, "1")
        if isinstance(session.gate, OptionGate):
            answer = str(next(n for n in range(1, len(now.options) + 1) if n not in now.ends))
        posts = await s.say(answer)
        assert posts, "something is said to whatever people do"
        assert not any("not possible yet" in post.text for post in posts)
    raise AssertionError(f"{task.id} does not end: {passed}")


@pytest.mark.parametrize("script", [doing, rehearsed], ids=["scripted", "rehearsal"])
@pytest.mark.parametrize(("persona", "command", "name"), commands(), ids=lambda each: str(each))
async def test_a_command_runs_to_its_end(persona: str, command: str, name: str, script: Script) -> None:
    task = read_task((TASKS / f"{name}.md").read_text("utf-8"), name)
    async with stage(script, library=library()) as s:
        await s.say(f"*{persona}")
        await s.say(f"*{command}")
        passed = await finished(s, task)
        stopped = [step for _, step in passed]
        assert [step.id for step in task.steps if step.gate and not step.when and step.id not in stopped] == []
        order = [step.id for step in task.steps]
        assert stopped == sorted(stopped, key=order.index), "in order"
        kept = {e.id: e.text for e in await s.log() if e.kind == "kept"}
        seen = "\n".join(message.text for message in s.platform.messages.values())
        trail = [record.what for record in await s.store.audited(ROOM.key)]
        for document in await s.store.documents.list(space_of(ROOM)):
            stored = await s.store.documents.read(space_of(ROOM), document.path)
            assert stored is not None and stored.text.strip() in {text.strip() for text in kept.values()}
            assert all(line in seen for line in stored.text.splitlines() if line.strip()), "people saw it"
            section = json.loads(stored.meta)["parts"][0]["section"]
            step = next(step for step in task.steps if step.id == section)
            if step.gate == "approve":
                assert json.loads(stored.meta)["approved_by"] and any(re.search(r": approved$", what) for what in trail)
            elif step.gate:
                assert section in stopped, "its gate was passed by a human"
            else:
                assert not json.loads(stored.meta)["approved_by"]
        assert not any(gate == ReplaceGate.__name__ for gate, _ in passed), "nothing stood there before"
        approved = [step for gate, step in passed if gate == ApprovalGate.__name__]
        assert sum(what.endswith(": approved") for what in trail) == len(approved)
