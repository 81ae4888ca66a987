"""The verdict on order finds what the bot did wrong, and excuses only what nobody could have known."""

from __future__ import annotations

import pytest

from tests.chaos.slack_order import Deaf, Reason, overtaken
from tests.fakes.slack_socket import Attempt, Delivery

ACK = 1.0
DEAF = [Deaf(1, 10.0, 14.0)]


def tried(*attempts: Attempt) -> Delivery:
    return Delivery("events_api", {}, tried=[*attempts])


THEN = tried(Attempt(2, 12.0, 12.1))
"""A message that was given to the second connection, and taken there."""


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (tried(Attempt(1, 11.0), Attempt(2, 13.0, 13.1)), "swallowed"),
        (tried(Attempt(1, 9.5), Attempt(2, 13.0, 13.1)), "swallowed"),
        (tried(Attempt(1, 11.9, 12.2)), "at once"),
        (tried(Attempt(2, 11.9, 12.2)), "fault"),  # the process that took the later one had it in hand
        (tried(Attempt(3, 11.0), Attempt(2, 13.0, 13.1)), "fault"),  # refused, by somebody who was all there
        (tried(Attempt(1, 11.0), Attempt(2, 11.5, 11.6)), "fault"),  # acknowledged before the later one came
        (tried(Attempt(1, 8.0), Attempt(2, 13.0, 13.1)), "fault"),  # swallowed by nobody
    ],
)
def test_a_message_that_was_overtaken_is_excused_only_where_nobody_knew_of_it(first: Delivery, why: Reason) -> None:
    (pair,) = overtaken(["1", "2"], ["2", "1"], {"1": first, "2": THEN}, DEAF, ACK)
    assert (pair.first, pair.then, pair.reason) == ("1", "2", why)


def test_what_was_taken_in_order_is_no_pair() -> None:
    assert not overtaken(["1", "2", "3"], ["1", "3"], {}, [], ACK)
