"""A task under crashes at every point: the task mode on real machine, worker and store, with what it saves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.personas.model import Resource
from tests.fakes.library import CAST, TEXTS
from tests.fakes.model import Says
from tests.scenario.sweep import CONFIGURATIONS, Configuration, Deed, Reference, Scenario, Universe

TASK = """\
---
id: create-next-story
title: Our own
outputs:
  - {name: paper, kind: document, path: "docs/{slug}.md"}
steps:
  - {id: gather, title: Gather, gate: input, question: What is it about?}
  - {id: decide, title: Decide, gate: choose, question: Which one?, options: [Red, Blue]}
  - {id: paper, title: Write, gate: approve, question: Is it right?, writes: paper}
  - {id: each, title: Each, repeat: for each part}
---
"""
TEXTS["tasks/create-next-story.md"] = TASK

TASKED = replace(CAST, resources=(*CAST.resources, Resource("tasks", "create-next-story.md", "x.md", "bmad")))


def done(step: str, text: str) -> Says:
    return Says((text,), (("complete_step", {"step": step, "result": "Done.", "values": {"slug": "owls"}}),))


SCENARIO = Scenario(
    "from what is missing to the end, sent back once and paused in between",
    (
        Deed(("*sm",)),
        Deed(("*draft",)),
        Deed(("owls",)),
        Deed(("2",)),
        Deed(("2",)),
        Deed(("shorter",)),
        Deed(("*pm",)),
        Deed(("*resume",)),
        Deed(("1",)),
        Deed(("2",)),
    ),
    (
        done("gather", "Owls. "),
        done("decide", "One of two. "),
        done("paper", "# Owls\n\nAll of them.\n"),
        done("paper", "# Owls\n"),
        done("each", "One. "),
    ),
)


def universe(how: Configuration, *points: int) -> Universe:
    return replace(how.universe(SCENARIO, *points), library=TASKED)


@pytest.mark.parametrize("how", [how for how in CONFIGURATIONS if not how.recast], ids=lambda c: c.name)
async def test_a_crash_at_any_point_of_a_task_leaves_no_trace(how: Configuration) -> None:
    """The same posts, log, session and versions, whatever call of a port the process died before or after."""
    end, points = await universe(how).play()
    assert not end.faults and [(path, version) for path, version, _ in end.documents] == [("docs/owls.md", 1)]
    assert any("is done" in text for _, text, _ in end.posts)
    known = Reference(SCENARIO, how.varied, (end,), points)
    for point in range(1, points + 1):
        outcome, _ = await universe(how, point).play()
        assert not known.differences(outcome), f"crash at {point} of {points}"
