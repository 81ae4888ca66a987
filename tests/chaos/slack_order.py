"""Whether messages were taken in the order in which they were said, and where nobody could have known it.

Slack gives each event to one connection, and promises no order. A process that takes a message cannot know of an older
one that Slack has given to another process, in two cases:

- *swallowed*: that process was killed, or stood still, before it acknowledged the older one. Slack sends it again, and
  until then nobody else has heard of it.
- *at once*: that process was just taking the older one, over another connection: both were on their way at a time.

All else is a fault of the bot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from tests.fakes.slack_socket import Attempt, Delivery

Reason = Literal["swallowed", "at once", "fault"]


@dataclass(frozen=True, slots=True)
class Deaf:
    """A time in which nobody read from a connection, by the loop's clock."""

    connection: int
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Message `first` was said before `then`, and taken behind it; for that `reason`."""

    first: str
    then: str
    reason: Reason
    trace: str = ""


def overtaken(
    said: Sequence[str],
    taken: Iterable[str],
    deliveries: Mapping[str, Delivery],
    deaf: Sequence[Deaf],
    ack_within: float,
) -> list[Overtaken]:
    """Every pair of messages, by `ts`, that was taken in another order than it was said in."""
    place = {ts: number for number, ts in enumerate(said)}
    known = [ts for ts in taken if ts in place]
    found = []
    for then, first in combinations(known, 2):
        if place[first] < place[then]:
            one, other = deliveries[first], deliveries[then]
            why = reason(one, other, deaf, ack_within)
            found.append(Overtaken(first, then, why, f"{one.tried} against {other.tried}"))
    return found


def reason(first: Delivery, then: Delivery, deaf: Sequence[Deaf], ack_within: float) -> Reason:
    """Why `then` may have been taken before `first`, which was said earlier."""
    attempt = next((attempt for attempt in then.tried if attempt.acked is not None), None)
    if attempt is None or attempt.acked is None or _acked(first, attempt.acked) < attempt.acked:
        return "fault"
    taken, taker = attempt.acked, attempt.connection
    before = [one for one in first.tried if one.sent < taken]
    if any(_is_swallowed(one, deaf, ack_within) for one in before):
        return "swallowed"
    under_way = [one for one in before if taken - one.sent < ack_within]
    return "at once" if any(one.connection != taker for one in under_way) else "fault"


def counted(pairs: Iterable[Overtaken]) -> dict[str, int]:
    """How many pairs there are for each reason."""
    return dict(Counter(pair.reason for pair in pairs))


def _acked(delivery: Delivery, otherwise: float) -> float:
    return min((attempt.acked for attempt in delivery.tried if attempt.acked is not None), default=otherwise)


def _is_swallowed(attempt: Attempt, deaf: Sequence[Deaf], ack_within: float) -> bool:
    """Whether it was sent to somebody who could not acknowledge it."""
    return attempt.acked is None and any(
        one.connection == attempt.connection and one.since < attempt.sent + ack_within and attempt.sent < one.until
        for one in deaf
    )
