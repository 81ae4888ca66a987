"""What the log is told of replies that fail."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pytest

from bot.core.failures import REASONS
from bot.health.outages import BOUNDS, OURS, REPEAT, Outages
from bot.ports.observer import ModelAsked
from tests.fakes.clock import ManualClock
from tests.unit.health.turns import claim


def failed(reason: str) -> ModelAsked:
    return ModelAsked(claim(), "architect", 1.0, failed=reason, detail="invalid x-api-key", model="claude-one")


ANSWERED = ModelAsked(claim(), "architect", 1.0, "end_turn")


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, object]]:
    return [(r.levelname, r.getMessage(), getattr(r, "failed", None)) for r in caplog.records]


def watched(happenings: Iterable[ModelAsked], seconds: float = 0.0) -> Outages:
    clock = ManualClock()
    outages = Outages(steady=clock.steady, now=clock.now)
    for happening in happenings:
        outages.saw(happening)
        clock.advance(seconds)
    return outages


def test_many_failures_for_one_reason_are_one_line_a_minute_with_their_count(caplog: pytest.LogCaptureFixture) -> None:
    watched([failed("auth")] * 24, seconds=REPEAT / 10)
    found = lines(caplog)
    assert [(level, count) for level, _, count in found] == [("ERROR", 1), ("ERROR", 10), ("ERROR", 10)]
    assert all("(auth)" in words and "ANTHROPIC_API_KEY" in words for _, words, _ in found)


def test_each_reason_is_told_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    watched([failed("auth"), failed("rate"), failed("auth"), failed("rate")])
    assert ["(auth)" in words for _, words, _ in lines(caplog)] == [True, False]


def test_a_model_that_fails_now_and_then_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    outages = watched([failed("rate"), ANSWERED] * 50)
    assert [level for level, _, _ in lines(caplog)] == ["ERROR", "WARNING"]
    assert outages.trouble() == ""


def test_what_the_settings_bound_is_a_warning_and_no_outage(caplog: pytest.LogCaptureFixture) -> None:
    outages = watched([failed("budget"), failed("budget")])
    assert [level for level, _, _ in lines(caplog)] == ["WARNING"]
    assert outages.trouble() == ""


@pytest.mark.parametrize("reason", sorted(OURS))
def test_what_lies_in_a_conversation_is_no_matter_of_operators(reason: str, caplog: pytest.LogCaptureFixture) -> None:
    assert watched([failed(reason)]).trouble() == "" and lines(caplog) == []


@pytest.mark.parametrize("reason", sorted(set(REASONS) - OURS - BOUNDS))
def test_every_other_reason_is_an_outage_until_a_reply_comes(reason: str) -> None:
    outages = watched([failed(reason)] * 3)
    assert outages.trouble().startswith("3 replies have failed since ") and reason in outages.trouble()
    outages.saw(ANSWERED)
    assert outages.trouble() == ""


def test_a_reply_that_broke_off_counts_as_one_that_failed() -> None:
    assert watched([ModelAsked(claim(), "architect", 1.0, "cut", detail="network")]).trouble()
