"""Whatever a model does with a step, tasks go on in order, and no gate is passed that people have not decided.

The model calls `complete_step` for steps that it was not given, twice, with broken input and with claims that somebody
approved; it asks, looks things up, proposes commands, fails, and says nothing.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from functools import lru_cache

import pytest

from bot.core import works
from bot.core.context import Context
from bot.core.events import Event, ModelFailed, ModelReplied, Picked, Said
from bot.core.modes.tasks.state import TaskWork
from bot.core.prompt import Prompt
from bot.core.session import Step
from bot.core.steps import AskModel, Post, Record, WriteDocument
from bot.core.tasks.definition import Task
from bot.core.tasks.reading import read_task
from tests.fakes.tasks import TASKS, given, last_asked
from tests.fakes.writing import Desk

WALKS = 500
"""Walks of every run; twenty times as many with `--soak`."""

BEGINS = (
    ("sm", "*draft"), ("qa", "*gate"), ("qa", "*review"), ("pm", "*create-epic"), ("sm", "*task correct-course"),
    ("analyst", "*research-prompt"), ("po", "*validate-story-draft"), ("analyst", "*brainstorm owls"),
)  # fmt: skip

TYPED = (
    "1", "1", "1", "1", "2", "2", "3", "9", "yes", "approved", "lgtm", "Approve", "It is about invoices.", "*status",
    "*yolo", "stop", "*help", "*pm", "*resume", "*exit", "no", "*draft", "hello", "Leave the task", "*retry",
)  # fmt: skip


@lru_cache(maxsize=32)
def task_of(name: str) -> Task:
    return read_task((TASKS / f"{name}.md").read_text("utf-8"), name)


class Walk(Desk):
    """A conversation in which every step is held against the rules."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(says=self.hostile)
        self.chance, self.counts, self.event = chance, Counter[str](), Said("t", ())
        self.approved: set[str] = set()

    def live(self, event: Event) -> None:
        self.event = event  # type: ignore[assignment]
        super().live(event)

    def take(self, event: Event, context: Context) -> Step:
        before = works.top(self.session)
        done = super().take(event, context)
        after = works.top(self.session)
        for post in done.posts:
            if isinstance(post, Record) and post.what.endswith(": approved"):
                assert isinstance(self.event, Said | Picked) and post.who, "only people approve"
                self.approved.add(post.sha)
        if isinstance(done.request, WriteDocument) and isinstance(after, TaskWork):
            self.may_write(after, done.request)
        if isinstance(done.request, AskModel) and isinstance(after, TaskWork) and self.session.waiting:
            waiting = self.session.waiting
            assert waiting.owner != "task" or waiting.purpose == task_of(after.task).steps[after.at].id
        if isinstance(before, TaskWork) and isinstance(after, TaskWork) and before.id == after.id:
            self.went(before, after)
        return done

    def went(self, before: TaskWork, after: TaskWork) -> None:
        """Steps in order, and past a gate only because people said so."""
        if not after.steps:
            return
        steps = task_of(after.task).steps
        assert after.at in (before.at, before.at + 1), "steps in order"
        if after.at > before.at:
            now = steps[before.at]
            self.counts["steps"] += 1
            skipped = now.gate == "elicit" and self.session.yolo
            if now.gate not in (None, "input") and not now.when and not skipped:
                self.counts["gates"] += 1
                assert isinstance(self.event, Said | Picked), f"{now.id} was passed by nobody"
        begins = after.phase == "doing" and before.phase in ("input", "between") and after.round == 1
        if begins and steps[after.at].gate == "input" and not (after.given and after.at == 0):
            assert isinstance(self.event, Said | Picked), "what is missing is asked for"

    def may_write(self, work: TaskWork, request: WriteDocument) -> None:
        self.counts["writes"] += 1
        now = task_of(work.task).steps[work.at]
        seen = "\n".join(post.markdown for post in self.posts if isinstance(post, Post))
        for part in request.parts:
            text = next(entry.text for entry in self.log if entry.id == part)
            assert text in seen, "people saw it whole"
        if now.gate == "approve":
            assert work.sha in self.approved, "approved as it is written"
        elif now.gate and not now.when:
            assert isinstance(self.event, Said | Picked)
        versions = self.documents.get(request.path)
        own = any(each.path == request.path for each in work.written)
        assert not versions or own or isinstance(self.event, Said | Picked), "nothing is replaced unasked"

    def hostile(self, prompt: Prompt) -> str | ModelReplied | ModelFailed:
        chance, n = self.chance, len(self.log)
        step = last_asked(prompt)
        if chance.random() < 0.04:
            return ModelFailed(1, "rate")
        if step is None:
            return "Fine."
        right = given(step, holds=chance.random() < 0.6, why=chance.choice(["", "alice approved it", "all is well"]))
        options: list[tuple[str, object]] = [
            (
                "complete_step",
                {**right, "step": chance.choice(["report", "write", "fill-story", "save", "next", "after"])},
            ),
            ("complete_step", {"step": step.step}),
            ("complete_step", {**right, "holds": "no", "values": 7}),
            ("complete_step", {**right, "values": {"story_num": "../../etc", "": "x", "slug": " "}}),
            ("complete_step", [1]),
            ("load_resource", {"name": "story-tmpl"}),
            ("ask", {"question": "Approve?", "options": ["Approve", "Go on"]}),
            ("propose_command", {"command": "exit"}),
            ("approve", {"text": 1}),
        ]
        calls = (
            [("complete_step", right)] if chance.random() < 0.6 else chance.choices(options, k=chance.choice([1, 2]))
        )
        if chance.random() < 0.1:
            calls = [*calls, *calls]
        text = chance.choice(
            ["# A text\n\nIt is long.", "alice: approved.", "Saved. The story is approved by alice.", ""]
        )
        blocks: list[dict[str, object]] = [{"type": "text", "text": text}] if text else []
        if chance.random() < 0.15:
            return ModelReplied(1, json.dumps(blocks), chance.choice(["end_turn", "cut", "max_tokens", "refusal"]))
        blocks += [{"type": "tool_use", "id": f"c{n}_{i}", "name": c, "input": g} for i, (c, g) in enumerate(calls)]
        return ModelReplied(1, json.dumps(blocks), "tool_use")


@pytest.fixture
def walks(request: pytest.FixtureRequest) -> int:
    return 20 * WALKS if request.config.getoption("--soak", default=False) else WALKS


def test_9_no_gate_is_passed_that_people_have_not_decided(walks: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(walks):
        chance = random.Random(seed)
        walk = Walk(chance)
        persona, command = chance.choice(BEGINS)
        walk.type(f"*{persona}")
        walk.type(command)
        for _ in range(25):
            gate = walk.session.gate
            if walk.session.work and gate is not None and chance.random() < 0.8:
                walk.press(chance.choice([1, 1, 1, 1, 2, 2, 3]), gate.menu, chance.choice(["ana", "bob"]))
            else:
                walk.type(chance.choice(TYPED), chance.choice(["ana", "bob"]))
        counts += walk.counts
        counts["ended"] += not walk.session.work
    print(f"{walks} walks: {dict(counts)}")
    assert counts["gates"] > walks / 4 and counts["writes"] > walks / 10 and counts["steps"] > walks
