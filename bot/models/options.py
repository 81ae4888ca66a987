"""What can be set about the model: which one, what it costs, and how long it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.events import Usage

ANY = "*"
"""In `ModelOptions.allow`: personas may choose every model."""

_MILLION = 1_000_000

WIDEST_TOKEN = 16
"""Characters a token of a whole reply at most: four are usual, rules of tables and indented code come to some ten."""

SLACK = 4_096
"""Characters that every reply may have, however few tokens were asked for."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A model of the service: its id, and its prices in $ per million tokens."""

    id: str
    input: float
    output: float
    cache_read: float
    cache_write: float


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Which model answers, and within what bounds.

    `name` is an alias or a model's id. `aliases` are short names for models whose prices are known. `allow` are the
    aliases and ids that a persona may choose by a wish of its own: none where it is empty, all with `*`.

    `max_tokens` bounds one reply. `timeout` is the longest silence of the service, in seconds. `retry`: no new
    attempt begins later than so many seconds after the first. `base_url` is the address of another server that
    speaks the Messages API, without `/v1`; empty for the service's own. `cache` off leaves out the cache breakpoints.
    """

    name: str
    aliases: Mapping[str, Priced] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    max_tokens: int = 8192
    timeout: float = 120.0
    retry: float = 60.0
    base_url: str = ""
    cache: bool = True

    def choose(self, wish: str) -> str:
        """The id of the model that answers a persona which wishes for `wish` (an alias, an id, or nothing)."""
        return self._id(wish) if wish and self._allows(wish) else self._id(self.name)

    @property
    def longest_reply(self) -> int:
        """The most characters of a reply: a server that sends more does not keep to `max_tokens`."""
        return WIDEST_TOKEN * self.max_tokens + SLACK

    def cost(self, usage: Usage) -> float | None:
        """What `usage` costs in $; None where the prices of its model are not known."""
        spent = (usage.input, usage.output, usage.cache_read, usage.cache_write)
        if not any(spent):
            return 0.0
        priced = next((p for p in self.aliases.values() if p.id == usage.model), None)
        if priced is None:
            return None
        prices = (priced.input, priced.output, priced.cache_read, priced.cache_write)
        return sum(tokens * price for tokens, price in zip(spent, prices, strict=True)) / _MILLION

    def _id(self, name: str) -> str:
        return self.aliases[name].id if name in self.aliases else name

    def _allows(self, wish: str) -> bool:
        # A subagent's file says `inherit` for "whatever the host uses", which is no model.
        if wish == "inherit":
            return False
        return ANY in self.allow or self._id(wish) in {self._id(name) for name in self.allow}
