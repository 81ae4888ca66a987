"""What Prometheus is told: turns, times, tokens, and what waits in the store.

Counters and histograms are of this process since it began. What is read from the store (`greenroom_store_...`) is of
the whole store, so every replica tells the same: take the maximum over replicas, not the sum. Names and types follow
prometheus.io/docs/practices/naming; no label holds a conversation or a person, so their number stays small.
"""

from __future__ import annotations

import datetime
import math
import platform
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import version
from types import MappingProxyType
from typing import assert_never, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from bot.core.events import Usage
from bot.core.failures import REASONS
from bot.ports.mailbox import Stats
from bot.ports.observer import (
    Begun,
    Budgeted,
    Claimed,
    Committed,
    Ended,
    Happening,
    ModelAsked,
    Outcome,
    Posted,
    Stepped,
)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""What `Metrics.text` is, in the words of HTTP."""

STAGES = ("queue", "claim", "model", "post", "commit", "whole")
"""Where a turn's time goes. queue: from a person's message until its turn begins; whole: from claim to its end."""

STOPS = (
    "end_turn",
    "tool_use",
    "max_tokens",
    "stop_sequence",
    "pause_turn",
    "refusal",
    "stopped",
    "cut",
    "late",
    "oversized",
)
"""Ways in which a reply ends: the API's stop reasons, and our own two. Others are counted as `other`."""

KINDS = ("input", "output", "cache_read", "cache_write")

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900)
"""Upper bounds in seconds: from a post on a fast platform to a turn that waited through an outage."""


EVERYWHERE = "everywhere"
"""The scope of the budget of all channels together; any other is a channel's."""


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


class Metrics:
    """A `bot.ports.observer.Observer` that counts, and the page that tells what it has counted."""

    def __init__(self, today: Callable[[], str] = _today) -> None:
        self._today = today
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # memory, processor time, open files: on Linux, nothing elsewhere
        Info("greenroom_build", "What is running.", registry=registry).info(
            {"version": version("greenroom"), "python": platform.python_version()}
        )
        self._connected = Gauge(
            "greenroom_platform_connected",
            "1 while the platform is connected and takes what the bot says.",
            ["platform"],
            registry=registry,
        )
        self._cost = Counter(
            "greenroom_cost_dollars",
            "What the model has cost, by the prices of the settings; models without a price are left out.",
            ["model"],
            registry=registry,
        )
        self._budget = Gauge(
            "greenroom_budget_ratio",
            "Share of today's budget that is used: of all channels together, and of the fullest channel.",
            ["scope"],
            registry=registry,
        )
        self._shares: dict[str, tuple[str, float]] = {}
        self._turns = Counter("greenroom_turns", "Turns let go of, by outcome.", ["outcome"], registry=registry)
        self._begun = Counter("greenroom_turns_begun", "Turns begun; retakes are not counted.", registry=registry)
        self._retakes = Counter(
            "greenroom_retakes", "Turns taken up where an earlier attempt had stored them.", registry=registry
        )
        self._steps = Counter(
            "greenroom_steps", "Steps of the machine, by kind of event.", ["event"], registry=registry
        )
        self._open = Gauge("greenroom_turns_open", "Turns under way in this process.", registry=registry)
        self._posts = Counter("greenroom_posts", "Posts put onto platforms.", registry=registry)
        self._seconds = Histogram(
            "greenroom_stage_seconds", "Seconds by stage of a turn.", ["stage"], buckets=BUCKETS, registry=registry
        )
        self._calls = Counter(
            "greenroom_model_calls", "Asks of a model, by how they ended.", ["result"], registry=registry
        )
        self._tokens = Counter(
            "greenroom_model_tokens",
            "Tokens by model and kind; `input` came from no cache.",
            ["model", "kind"],
            registry=registry,
        )
        self._share = Gauge(
            "greenroom_model_cache_share",
            "Share of the tokens given to a model that came from its cache, since the process began.",
            ["model"],
            registry=registry,
        )
        self._resting = Gauge(
            "greenroom_model_breaker_open",
            "1 while a model that failed too often is left alone.",
            ["model"],
            registry=registry,
        )
        self._answers = Gauge("greenroom_store_up", "1 if the store answered this very scrape.", registry=registry)
        self._waiting = Gauge("greenroom_store_waiting_messages", "Messages that no turn has taken.", registry=registry)
        self._in_flight = Gauge("greenroom_store_turns_in_flight", "Turns begun and not ended.", registry=registry)
        self._dead = Gauge("greenroom_store_dead_letters", "Turns that were given up.", registry=registry)
        self._oldest = Gauge(
            "greenroom_store_oldest_due_seconds",
            "How long the oldest work that a worker could take has waited.",
            registry=registry,
        )
        self._sums: dict[str, Usage] = {}
        self._scopes: set[str] = set()
        # A series that begins with its first event hides that event from rate(): it has to be there at 0 before.
        for outcome in get_args(Outcome):
            self._turns.labels(outcome)
        for stage in STAGES:
            self._seconds.labels(stage)
        for result in (*STOPS, *REASONS, "other"):
            self._calls.labels(result)

    def saw(self, happening: Happening) -> None:
        """Count it."""
        match happening:
            case Claimed(claim, seconds):
                self._open.inc()
                self._time("claim", seconds)
                if claim.turn is not None or claim.attempt or claim.expiries:
                    self._retakes.inc()
            case Begun(_, waited):
                self._begun.inc()
                if waited is not None:
                    self._time("queue", waited)
            case Stepped(_, event):
                self._steps.labels(event).inc()
            case ModelAsked(_, _, seconds, result, failed, usage, cost=cost):
                self._time("model", seconds)
                if usage is not None and usage.model and cost is not None:
                    self._cost.labels(usage.model).inc(cost)
                how = failed or result
                self._calls.labels(how if how in STOPS or how in REASONS else "other").inc()
                if usage is not None and usage.model:
                    self._used(usage)
            case Posted(_, posts, seconds):
                self._posts.inc(posts)
                self._time("post", seconds)
            case Committed(_, seconds):
                self._time("commit", seconds)
            case Ended(_, outcome, seconds):
                self._open.dec()
                self._turns.labels(outcome).inc()
                self._time("whole", seconds)
            case Budgeted(_, scope, day, share):
                self._shares[scope] = day, share
            case _:
                assert_never(happening)

    def text(
        self, stats: Stats | None, resting: Collection[str], connected: Mapping[str, bool] = MappingProxyType({})
    ) -> bytes:
        """The page for Prometheus: what was counted, `stats` (None: the store did not answer), the models at rest.

        `connected` tells of each platform whether it is.
        """
        for name, is_connected in connected.items():
            self._connected.labels(name).set(is_connected)
        self._tell_budgets()
        self._answers.set(stats is not None)
        unknown = Stats(0, 0, 0, 0.0)
        for gauge, value in (
            (self._waiting, (stats or unknown).waiting),
            (self._in_flight, (stats or unknown).in_flight),
            (self._dead, (stats or unknown).dead),
            (self._oldest, (stats or unknown).oldest_due),
        ):
            gauge.set(value if stats else math.nan)
        for model in {*self._sums, *resting}:
            self._resting.labels(model).set(model in resting)
        return generate_latest(self._registry)

    def _tell_budgets(self) -> None:
        """Budgets begin anew each day, and what was used the day before tells nothing."""
        today = self._today()
        most: dict[str, float] = {}
        for scope, (day, share) in self._shares.items():
            name = scope if scope == EVERYWHERE else "channel"
            most[name] = max(most.get(name, 0.0), share if day == today else 0.0)
        self._shares = {scope: told for scope, told in self._shares.items() if told[0] == today or scope == EVERYWHERE}
        for name in {*most, *self._scopes}:
            self._budget.labels(name).set(most.get(name, 0.0))
        self._scopes |= set(most)

    def _time(self, stage: str, seconds: float) -> None:
        # Clocks of two machines differ and are set; a time below nothing would break the histogram's sum.
        self._seconds.labels(stage).observe(max(0.0, seconds))

    def _used(self, usage: Usage) -> None:
        before = self._sums.get(usage.model)
        total = self._sums[usage.model] = before.plus(usage) if before else usage
        for kind in KINDS:
            self._tokens.labels(usage.model, kind).inc(getattr(usage, kind))
        if total.read:
            self._share.labels(usage.model).set(total.cache_read / total.read)
