"""What the page for Prometheus says, read by Prometheus' own parser."""

from __future__ import annotations

import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.core.events import Usage
from bot.health.metrics import Metrics
from bot.health.observing import Several
from bot.ports.mailbox import Stats
from bot.ports.observer import Begun, Budgeted, Claimed, Committed, Ended, Happening, ModelAsked, Posted
from tests.unit.health.turns import claim, talk

QUIET = Stats(0, 0, 0, 0.0)


def read(metrics: Metrics, stats: Stats | None = QUIET, resting: tuple[str, ...] = ()) -> dict[str, float]:
    """Every sample by `name{label=value,...}`."""
    page = metrics.text(stats, resting).decode()
    return {
        name if not labels else f"{name}{{{','.join(f'{k}={v}' for k, v in sorted(labels.items()))}}}": value
        for family in text_string_to_metric_families(page)
        for name, labels, value, *_ in family.samples
    }


def told(*happenings: Happening) -> Metrics:
    metrics = Metrics()
    for happening in happenings:
        metrics.saw(happening)
    return metrics


def test_a_turn_is_counted_and_timed_by_stage() -> None:
    page = read(told(*talk(claim())))

    assert page["greenroom_turns_total{outcome=committed}"] == 1
    assert page["greenroom_turns_begun_total"] == 1
    assert page["greenroom_posts_total"] == 2
    assert page["greenroom_steps_total{event=Said}"] == page["greenroom_steps_total{event=ModelReplied}"] == 1
    seconds = {stage: page[f"greenroom_stage_seconds_sum{{stage={stage}}}"] for stage in ("queue", "claim", "model")}
    assert seconds == {"queue": 1.5, "claim": 0.002, "model": 3.0}
    assert page["greenroom_stage_seconds_sum{stage=post}"] == 0.3
    assert page["greenroom_stage_seconds_sum{stage=commit}"] == 0.004
    assert page["greenroom_stage_seconds_sum{stage=whole}"] == 3.4
    assert page["greenroom_stage_seconds_bucket{le=5.0,stage=model}"] == 1
    assert page["greenroom_stage_seconds_bucket{le=2.5,stage=model}"] == 0


def test_tokens_are_counted_by_model_and_kind_with_the_share_of_the_cache() -> None:
    page = read(told(*talk(claim()), *talk(claim(), Usage(input=180, cache_read=0, output=1, model="claude-one"))))

    tokens = {
        kind: page[f"greenroom_model_tokens_total{{kind={kind},model=claude-one}}"] for kind in ("input", "output")
    }
    assert tokens == {"input": 280, "output": 41}
    assert page["greenroom_model_tokens_total{kind=cache_read,model=claude-one}"] == 300
    assert page["greenroom_model_tokens_total{kind=cache_write,model=claude-one}"] == 20
    assert page["greenroom_model_cache_share{model=claude-one}"] == 300 / 600


def test_what_may_happen_is_there_at_nought_before_it_happens() -> None:
    page = read(Metrics())
    for outcome in ("committed", "lost", "released", "retried", "buried"):
        assert page[f"greenroom_turns_total{{outcome={outcome}}}"] == 0
    for result in ("end_turn", "stopped", "cut", "rate", "breaker", "no-key", "other"):
        assert page[f"greenroom_model_calls_total{{result={result}}}"] == 0
    assert page["greenroom_stage_seconds_count{stage=queue}"] == 0


def test_retries_burials_and_retakes_are_told_apart() -> None:
    first, second, third = claim(), claim(fence=2, attempt=1), claim(fence=3, turn="{}")
    page = read(
        told(
            *(Claimed(first, 0.0), Begun(first, 0.1), Ended(first, "retried", 1.0, "OSError")),
            *(Claimed(second, 0.0), Begun(second, None), Ended(second, "lost", 1.0)),
            *(Claimed(third, 0.0), Ended(third, "buried", 1.0, "OSError")),
        )
    )
    counted = {o: page[f"greenroom_turns_total{{outcome={o}}}"] for o in ("committed", "retried", "lost", "buried")}
    assert counted == {"committed": 0, "retried": 1, "lost": 1, "buried": 1}
    assert page["greenroom_retakes_total"] == 2
    assert page["greenroom_stage_seconds_count{stage=queue}"] == 1


def test_turns_under_way_are_those_claimed_and_not_ended() -> None:
    metrics = told(Claimed(claim(), 0.0), Claimed(claim("m2", fence=2), 0.0))
    assert read(metrics)["greenroom_turns_open"] == 2
    metrics.saw(Ended(claim(), "committed", 1.0))
    assert read(metrics)["greenroom_turns_open"] == 1


def test_failed_asks_are_counted_by_reason_and_unknown_words_of_a_service_make_no_series() -> None:
    page = read(
        told(
            ModelAsked(claim(), "architect", 1.0, failed="overloaded"),
            ModelAsked(claim(), "architect", 1.0, "a-stop-of-tomorrow", usage=Usage(input=1, model="m")),
            ModelAsked(claim(), "architect", 1.0, failed="a-reason-of-tomorrow"),
        )
    )
    assert page["greenroom_model_calls_total{result=overloaded}"] == 1
    assert page["greenroom_model_calls_total{result=other}"] == 2
    assert not [name for name in page if "tomorrow" in name]


def test_a_clock_that_goes_back_spoils_no_sum() -> None:
    page = read(told(Begun(claim(), -3.0), Posted(claim(), 1, 0.5), Committed(claim(), -0.1)))
    assert page["greenroom_stage_seconds_sum{stage=queue}"] == 0
    assert page["greenroom_stage_seconds_sum{stage=commit}"] == 0


def test_what_waits_in_the_store_is_told_from_the_store() -> None:
    page = read(Metrics(), Stats(waiting=12, in_flight=3, dead=1, oldest_due=4.5))
    assert page["greenroom_store_up"] == 1
    assert page["greenroom_store_waiting_messages"] == 12
    assert page["greenroom_store_turns_in_flight"] == 3
    assert page["greenroom_store_dead_letters"] == 1
    assert page["greenroom_store_oldest_due_seconds"] == 4.5


def test_a_store_that_is_away_is_not_told_as_an_empty_one() -> None:
    metrics = Metrics()
    read(metrics, Stats(12, 3, 1, 4.5))
    page = read(metrics, None)
    assert page["greenroom_store_up"] == 0
    assert math.isnan(page["greenroom_store_waiting_messages"])
    assert math.isnan(page["greenroom_store_oldest_due_seconds"])


def test_a_model_that_is_left_alone_is_told_and_so_is_its_return() -> None:
    metrics = told(*talk(claim()))
    assert read(metrics)["greenroom_model_breaker_open{model=claude-one}"] == 0
    assert read(metrics, resting=("claude-one", "claude-two"))["greenroom_model_breaker_open{model=claude-one}"] == 1
    assert read(metrics)["greenroom_model_breaker_open{model=claude-one}"] == 0


def test_budgets_begin_anew_each_day_and_the_fullest_channel_counts() -> None:
    days = ["2026-11-21"]
    metrics = Metrics(today=lambda: days[0])
    for scope, share in (("everywhere", 0.4), ("fake:team:one", 0.2), ("fake:team:two", 0.9)):
        metrics.saw(Budgeted(claim(), scope, "2026-11-21", share))
    page = read(metrics)
    assert page["greenroom_budget_ratio{scope=everywhere}"] == 0.4
    assert page["greenroom_budget_ratio{scope=channel}"] == 0.9
    days[0] = "2026-11-22"
    page = read(metrics)
    assert page["greenroom_budget_ratio{scope=everywhere}"] == page["greenroom_budget_ratio{scope=channel}"] == 0


def test_a_platform_that_is_lost_is_told_and_so_is_its_return() -> None:
    metrics = Metrics()
    told = [
        b'greenroom_platform_connected{platform="slack"} 0.0' in metrics.text(QUIET, (), {"slack": is_connected})
        for is_connected in (True, False, True)
    ]
    assert told == [False, True, False]


def test_two_bots_in_one_process_count_apart() -> None:
    one, other = told(*talk(claim())), Metrics()
    assert read(one)["greenroom_posts_total"] == 2
    assert read(other)["greenroom_posts_total"] == 0


# ---------------------------------------------------------------- several observers


class Broken:
    def saw(self, happening: Happening) -> None:
        raise RuntimeError("no paper left")


def test_an_observer_that_breaks_is_told_to_the_log_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    Several(Broken(), metrics).saw(Claimed(claim(), 0.0))
    assert read(metrics)["greenroom_turns_open"] == 1
    assert "Broken could not take note of Claimed" in caplog.text
