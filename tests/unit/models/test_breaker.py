from __future__ import annotations

import asyncio

import pytest

from bot.models.breaker import Breaker
from bot.ports.model import ModelError
from tests.fakes.clock import ManualClock

MODEL = "claude-sonnet-5-5"


def fail(breaker: Breaker, *reasons: str, model: str = MODEL) -> None:
    for reason in reasons or ("overloaded",):
        with pytest.raises(ModelError, match=reason), breaker.attempt(model):
            raise ModelError(reason)


def break_off(breaker: Breaker) -> None:
    def answer() -> None:
        with breaker.attempt(MODEL):
            breaker.answers(MODEL)
            raise ModelError("cut")

    with pytest.raises(ModelError, match="cut"):
        answer()


def succeed(breaker: Breaker) -> None:
    with breaker.attempt(MODEL):
        pass


def refusal(breaker: Breaker) -> str:
    with pytest.raises(ModelError) as caught, breaker.attempt(MODEL):
        pytest.fail("it was let through")
    assert caught.value.reason == "breaker"
    return caught.value.detail


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    return Breaker(clock, after=3, rest=30)


def test_it_opens_after_so_many_failures_in_a_row(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, "overloaded", "rate")
    assert not breaker.is_open(MODEL)
    fail(breaker, "network")
    assert breaker.is_open(MODEL)
    clock.advance(17.5)
    assert refusal(breaker) == f"{MODEL} is tried again in 13 s"


def test_a_success_starts_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, "server", "server")
    succeed(breaker)
    fail(breaker, "server", "server")
    assert not breaker.is_open(MODEL)


@pytest.mark.parametrize("reason", ["bad-request", "auth", "context", "garbage"])
def test_a_failure_that_is_not_the_services_starts_the_count_anew(breaker: Breaker, reason: str) -> None:
    fail(breaker, "server", "server", reason, "server", "server")
    assert not breaker.is_open(MODEL)


def test_each_model_has_its_own(breaker: Breaker) -> None:
    for _ in range(3):
        fail(breaker, model="other")
    succeed(breaker)
    assert breaker.is_open("other") and not breaker.is_open(MODEL)


def open_then_rest(breaker: Breaker, clock: ManualClock) -> None:
    for _ in range(3):
        fail(breaker)
    clock.advance(30)


def test_after_its_rest_one_is_let_through_and_closes_it(breaker: Breaker, clock: ManualClock) -> None:
    open_then_rest(breaker, clock)
    with breaker.attempt(MODEL):
        assert refusal(breaker) == f"one call is trying {MODEL} right now"
    fail(breaker, "server", "server")
    assert not breaker.is_open(MODEL)


def test_a_trial_that_fails_makes_it_rest_again(breaker: Breaker, clock: ManualClock) -> None:
    open_then_rest(breaker, clock)
    fail(breaker)
    assert refusal(breaker) == f"{MODEL} is tried again in 30 s"


def test_a_trial_that_is_being_answered_lets_the_others_in(breaker: Breaker, clock: ManualClock) -> None:
    open_then_rest(breaker, clock)
    with breaker.attempt(MODEL):
        breaker.answers(MODEL)
        succeed(breaker)


def test_an_answer_that_breaks_off_after_a_trial_opens_it_again(breaker: Breaker, clock: ManualClock) -> None:
    open_then_rest(breaker, clock)
    break_off(breaker)
    assert breaker.is_open(MODEL)


def test_answers_that_always_break_off_open_it_too(breaker: Breaker) -> None:
    for _ in range(3):
        break_off(breaker)
    assert breaker.is_open(MODEL)


def test_a_cancelled_trial_leaves_the_next_to_try(breaker: Breaker, clock: ManualClock) -> None:
    open_then_rest(breaker, clock)
    with pytest.raises(asyncio.CancelledError), breaker.attempt(MODEL):
        raise asyncio.CancelledError
    succeed(breaker)
    assert not breaker.is_open(MODEL)


def test_a_cancelled_call_counts_neither_way(breaker: Breaker) -> None:
    fail(breaker, "server", "server")
    with pytest.raises(asyncio.CancelledError), breaker.attempt(MODEL):
        raise asyncio.CancelledError
    fail(breaker)
    assert breaker.is_open(MODEL)


def test_a_clock_that_is_set_back_lets_no_model_rest_for_longer(breaker: Breaker, clock: ManualClock) -> None:
    while not breaker.is_open(MODEL):
        fail(breaker)

    clock.set_by(-3600)
    clock.advance(30)

    succeed(breaker)
    assert not breaker.is_open(MODEL)
