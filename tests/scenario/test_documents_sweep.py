"""Documents under crashes at every point: the document mode on real machine, worker and store, with real documents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.shapes import DELIMITER, MARK
from tests.fakes.model import Says
from tests.fakes.notes import NOTES, THEN, WHAT, WHY
from tests.scenario.sweep import CONFIGURATIONS, Configuration, Deed, Reference, Scenario, Universe

REASON = f"\n{DELIMITER}\nIt is short."
SCENARIOS = (
    Scenario(
        "from the first section to the end, with feedback and a method",
        (
            Deed(("*pm",)),
            Deed(("*note",)),
            Deed(("say more",)),
            Deed(("2",)),
            Deed(("1",)),
            Deed(("1",)),
            Deed(("1",)),
        ),
        (
            Says((WHAT, REASON)),
            Says((WHY, REASON)),
            Says((f"{MARK}\n", f"{WHY}\n- more", REASON)),
            Says(("I found nothing wrong, ", "but this is clearer.\n", f"{MARK}\n{WHY}\n- more\n- clearer")),
            Says((THEN, REASON)),
        ),
    ),
    Scenario(
        "a draft with faults, a question, a pause and a stop, and yolo to the end",
        (
            Deed(("*pm",)),
            Deed(("*note",)),
            Deed(("why so?",)),
            Deed(("*architect",)),
            Deed(("*pm",)),
            Deed(("*resume",)),
            Deed(("*yolo",)),
            Deed(("1",)),
            Deed(("*status",)),
        ),
        (
            Says((WHAT, REASON)),
            Says(("No list at all.", REASON)),
            Says((WHY, REASON)),
            Says.text("Because it is short."),
            Says((THEN, REASON)),
        ),
    ),
)


def universe(scenario: Scenario, how: Configuration, *points: int) -> Universe:
    return replace(how.universe(scenario, *points), library=NOTES)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
async def test_a_document_is_written_to_its_end(scenario: Scenario) -> None:
    end, _ = await universe(scenario, CONFIGURATIONS[0]).play()
    assert not end.faults
    path, version, text = end.documents[-1]
    assert path == "docs/note.md" and "# Note\n\n## What" in text and "## Then" in text, (version, text)
    assert "No list at all" not in text


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
@pytest.mark.parametrize("how", [how for how in CONFIGURATIONS if not how.recast], ids=lambda c: c.name)
async def test_a_crash_at_any_point_of_a_document_leaves_no_trace(scenario: Scenario, how: Configuration) -> None:
    """The same posts, log, session and versions, whatever call of a port the process died before or after."""
    end, points = await universe(scenario, how).play()
    assert not end.faults
    known = Reference(scenario, how.varied, (end,), points)
    for point in range(1, points + 1):
        outcome, _ = await universe(scenario, how, point).play()
        assert not known.differences(outcome), f"crash at {point} of {points}"
