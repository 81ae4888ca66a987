"""What a lying service tells of a call is bounded and told to the log."""

from __future__ import annotations

import pytest

from bot.models.counts import MOST, bounded


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        (-1, 0),
        (-(2**70), 0),
        (2**70, MOST),
        (MOST + 1, MOST),
        (1.5, 0),
        (1e300, 0),
        (True, 0),
        ("7", 0),
        ([], 0),
        ({}, 0),
    ],
)
def test_a_count_that_cannot_be_is_bounded_and_told(
    told: object, counted: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert bounded("output_tokens", told) == counted
    (line,) = caplog.messages
    assert line.startswith("the model's service tells") and f"counted as {counted}" in line and len(line) < 200


@pytest.mark.parametrize(("told", "counted"), [(None, 0), (0, 0), (7, 7), (MOST, MOST)])
def test_a_count_that_can_be_is_taken(told: object, counted: int, caplog: pytest.LogCaptureFixture) -> None:
    assert bounded("output_tokens", told) == counted and not caplog.messages
