from __future__ import annotations

import pytest

from bot.core.events import Usage
from bot.models.options import ModelOptions, Priced

OPUS = Priced("claude-opus-5-5", input=4, output=20, cache_read=0.2, cache_write=5)
SONNET = Priced("claude-sonnet-5-5", input=2, output=10, cache_read=0.1, cache_write=2.5)
ALIASES = {"opus": OPUS, "sonnet": SONNET}


@pytest.mark.parametrize(
    ("allow", "wish", "chosen"),
    [
        ((), "", SONNET.id),
        ((), "opus", SONNET.id),
        (("opus",), "opus", OPUS.id),
        (("opus",), OPUS.id, OPUS.id),
        ((OPUS.id,), "opus", OPUS.id),
        (("opus",), "haiku", SONNET.id),
        (("*",), "opus", OPUS.id),
        (("*",), "qwen3", "qwen3"),
        (("*",), "inherit", SONNET.id),
    ],
)
def test_a_wish_counts_only_where_it_is_allowed(allow: tuple[str, ...], wish: str, chosen: str) -> None:
    assert ModelOptions("sonnet", ALIASES, allow).choose(wish) == chosen


def test_a_name_that_is_no_alias_is_an_id() -> None:
    assert ModelOptions("qwen3", ALIASES).choose("") == "qwen3"


def test_costs_are_per_million_tokens_of_each_kind() -> None:
    options = ModelOptions("sonnet", ALIASES)
    million = Usage(1_000_000, 1_000_000, 1_000_000, 1_000_000, OPUS.id)
    assert options.cost(million) == pytest.approx(29.2)
    assert options.cost(Usage(500, 100, 10_000, 200, SONNET.id)) == pytest.approx(0.0035)


def test_an_unpriced_model_has_no_cost_rather_than_none_at_all() -> None:
    assert ModelOptions("qwen3", ALIASES).cost(Usage(1, 0, 0, 0, "qwen3")) is None
    assert ModelOptions("qwen3", ALIASES).cost(Usage(model="rehearsal")) == 0
