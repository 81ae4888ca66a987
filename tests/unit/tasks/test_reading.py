"""Task files as tasks: the shipped ones as another reader has them, prose cautiously, and what cannot be run."""

from __future__ import annotations

import re

import pytest
import yaml

from bot.core.documents.core_config import CoreConfig
from bot.core.modes.tasks.words import filled
from bot.core.tasks.reading import MAX_STEPS, MAX_TASK, TaskError, read_task
from tests.fakes.tasks import TASKS

NAMES = sorted(path.stem for path in TASKS.glob("*.md"))


def flat(text: object) -> str:
    return str(text or "").strip()


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_task_says_what_its_file_says(name: str) -> None:
    text = (TASKS / f"{name}.md").read_text("utf-8")
    head, body = text.removeprefix("---\n").split("\n---\n", 1)
    front = yaml.safe_load(head)
    task = read_task(text, "another-name")
    assert (task.id, task.title, task.purpose, task.declared) == (name, front["title"], flat(front["purpose"]), True)
    assert [(i.name, i.kind, i.required, i.ask) for i in task.inputs] == [
        (i["name"], i["kind"], i["required"], flat(i["ask"])) for i in front["inputs"]
    ]
    assert [(o.name, o.kind, o.path) for o in task.outputs] == [
        (o["name"], o["kind"], o.get("path", "")) for o in front["outputs"]
    ]
    keys = ("id", "title", "do", "gate", "question", "when", "repeat", "writes")
    assert [tuple(flat(getattr(step, key)) for key in keys) for step in task.steps] == [
        tuple(flat(step.get(key)) for key in keys) for step in front["steps"]
    ]
    assert [(list(s.options), list(s.ends), list(s.uses), s.first) for s in task.steps] == [
        (s.get("options", []), s.get("ends", []), s.get("uses", []), s.get("first", 1)) for s in front["steps"]
    ]
    found = re.split(r"(?m)^## \d+\. .+$", body)[1:]
    assert [step.body for step in task.steps] == [part.strip() for part in found]


def test_an_option_that_says_so_ends_its_task() -> None:
    ended = {
        (name, step.id, step.options[number - 1])
        for name in NAMES
        for step in read_task((TASKS / f"{name}.md").read_text("utf-8"), name).steps
        for number in step.ends
    }
    told = {
        (name, step.id, option)
        for name in NAMES
        for step in read_task((TASKS / f"{name}.md").read_text("utf-8"), name).steps
        for option in step.options
        if re.match(r"(Stop here|Wait)\b", option)
    }
    assert ended == told and len(ended) == 7


def declared(*steps: str, more: str = "") -> str:
    return f"---\nid: own\ntitle: Own\n{more}steps:\n" + "\n".join(f"  - {step}" for step in steps) + "\n---\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("---\nsteps: nonsense\n---\n", "`steps` is no list of steps"),
        ("---\nsteps: []\n---\n", "`steps` is no list of steps"),
        ("---\nsteps: [a, b]\n---\n", "`steps` is no list of steps"),
        ("---\nsteps: [{id: a\n---\n", "its front matter cannot be read"),
        (declared("{id: a, gate: nonsense}"), "`gate: nonsense` of the step `a` is not known"),
        (declared("{id: a, gate: choose}"), "lets people choose and names no options"),
        (declared("{id: a, gate: choose, options: [x], ends: [2]}"), "`ends` of the step `a` names an option"),
        (declared("{id: a}", "{id: a}"), "two of its steps have one id"),
        (declared("{id: a, writes: x}"), "writes `x`, which is none of its outputs"),
        (declared("{id: a}", more="inputs: [{name: x, kind: nonsense}]\n"), "`kind: nonsense` of the input `x`"),
        (declared("{id: a}", more="outputs: [{name: x, kind: nonsense}]\n"), "`kind: nonsense` of the output `x`"),
        (declared(*[f"{{id: s{n}}}" for n in range(MAX_STEPS + 1)]), f"more than {MAX_STEPS} steps"),
        ("".join(f"## {n % 90 + 1}. A\n\nx\n\n" for n in range(MAX_STEPS + 1)), "numbered headings"),
        ("x" * (MAX_TASK + 1), "more than 262,144 characters"),
    ],
)
def test_a_file_that_cannot_be_run_says_why(text: str, why: str) -> None:
    with pytest.raises(TaskError, match=re.escape(why)):
        read_task(text, "own")


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("# T\n\nJust do it.", [("T", "ask")]),
        ("# T\n\n## 1. Look\n\nLook.\n\n## 2. Do\n\nDo.", [("Look", None), ("Do", "ask")]),
        ("# T\n\n### Step 1: Look\n\nHALT for the user.\n\n### Step 2: Do\n\nx", [("Look", "ask"), ("Do", "ask")]),
        ("# T\n\n## 1) Look\n\nPlease confirm.\n\n## 2) Do\n\nx", [("Look", "ask"), ("Do", "ask")]),
        ("## 1. A\n\n```\n## 2. B\n```\n\n## 3. C\n\nx", [("A", None), ("C", "ask")]),
        ("## 1. A\n\n### 1.1 in it\n\nx\n\n## 2. B\n\nx", [("A", None), ("B", "ask")]),
        ("---\ntitle: x\n---\n\n## 1. A\n\nwait for an answer", [("A", "ask")]),
        ("\ufeff## 1. A\r\n\r\nx\r\n", [("A", "ask")]),
    ],
)
def test_prose_is_read_by_its_headings_and_stops_where_it_sounds_like_it(
    text: str, steps: list[tuple[str, str | None]]
) -> None:
    task = read_task(text, "T")
    assert [(step.title, step.gate) for step in task.steps] == steps and not task.declared


@pytest.mark.parametrize(
    ("path", "values", "wanted"),
    [
        ("docs/{slug}.md", {"slug": "A Slug!"}, ("docs/a-slug.md", ())),
        ("docs/{slug}.md", {"slug": "../../etc"}, ("docs/etc.md", ())),
        ("docs/{slug}.md", {"slug": " . "}, ("docs/.md", ("slug",))),
        ("{devStoryLocation}/{a}.{b}.md", {"a": "1", "b": "2"}, ("docs/stories/1.2.md", ())),
        ("{devStoryLocation}/{a}.md", {"a": "1", "devStoryLocation": "elsewhere"}, ("docs/stories/1.md", ())),
        ("{a}/{a}.md", {}, ("/.md", ("a",))),
    ],
)
def test_a_path_has_the_configurations_places_and_one_part_for_each_value(
    path: str, values: dict[str, str], wanted: tuple[str, tuple[str, ...]]
) -> None:
    assert filled(path, values, CoreConfig()) == wanted
