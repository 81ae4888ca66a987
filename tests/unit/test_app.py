"""How settings become parts."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from bot.app import SystemClock, library_of, model_of, options_of, running, seldom_collecting
from bot.models.absent import Absent
from bot.models.anthropic import AnthropicModel
from bot.models.rehearsal import Rehearsal
from bot.settings import Settings, load
from tests.contract.redis_server import running as redis_running
from tests.fakes.platform import FakePlatform


def test_garbage_is_looked_for_as_before_when_a_service_is_over() -> None:
    before = gc.get_threshold()

    def interrupted() -> None:
        with seldom_collecting():
            assert gc.get_freeze_count() > 0 and gc.get_threshold()[0] > before[0]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert (gc.get_freeze_count(), gc.get_threshold()) == (0, before)


def settings(tmp_path: Path, **env: str) -> Settings:
    (tmp_path / "greenroom.yaml").write_text("{}")
    return load(tmp_path / "greenroom.yaml", env)


def test_without_a_key_and_without_a_name_there_is_no_model(tmp_path: Path) -> None:
    assert isinstance(model_of(settings(tmp_path), SystemClock()), Absent)


def test_the_rehearsal_is_chosen_by_name_only(tmp_path: Path) -> None:
    named = settings(tmp_path, GREENROOM_MODEL__NAME="rehearsal", ANTHROPIC_API_KEY="k")
    assert isinstance(model_of(named, SystemClock()), Rehearsal)
    assert isinstance(model_of(settings(tmp_path, ANTHROPIC_API_KEY="k"), SystemClock()), AnthropicModel)


def test_a_local_server_needs_no_key(tmp_path: Path) -> None:
    local = settings(tmp_path, GREENROOM_MODEL__BASE_URL="http://localhost:11434")
    assert isinstance(model_of(local, SystemClock()), AnthropicModel)


def test_a_local_server_is_asked_for_no_model_that_it_may_not_know(tmp_path: Path) -> None:
    local = {"GREENROOM_MODEL__BASE_URL": "http://localhost:11434"}
    assert options_of(settings(tmp_path)).allow == ("opus", "sonnet", "haiku")
    assert options_of(settings(tmp_path, **local)).allow == ()
    assert options_of(settings(tmp_path, **local, GREENROOM_MODEL__ALLOW='["haiku"]')).allow == ("haiku",)


async def test_a_bot_speaks_under_its_configured_name_and_within_its_configured_bounds(tmp_path: Path) -> None:
    env = {
        "GREENROOM_NAME": "Foyer",
        "GREENROOM_ICON": "🎪",
        "GREENROOM_STORE__PATH": str(tmp_path / "s.db"),
        "GREENROOM_MODEL__CONTEXT": "5000",
        "GREENROOM_MODEL__COMPACT_AT": "0.5",
    }
    chosen = settings(tmp_path, **env)
    platform = FakePlatform()
    async with running(chosen, library_of(chosen), {"fake": platform}) as bot:
        assert (bot.worker.options.context, bot.worker.options.compact_at) == (5000, 0.5)
        await bot.inbox.receive(platform.said("*status"))
        assert await bot.answered()
    (told,) = platform.seen()
    assert (told.voice.name, told.voice.icon) == ("Foyer", "🎪")


async def test_a_bot_keeps_its_conversations_where_store_url_says(tmp_path: Path) -> None:
    with redis_running(tmp_path / "server") as server:
        path = str(tmp_path / "s.db")
        chosen = settings(tmp_path, GREENROOM_STORE__URL=server.url, GREENROOM_STORE__PATH=path)
        for text, wanted in (("*architect", "I am **Winston**"), ("*status", "Active: 🏗️ **Winston**")):
            platform = FakePlatform(spoken=len(text), clock=1000 * len(text))
            async with running(chosen, library_of(chosen), {"fake": platform}) as bot:
                await bot.inbox.receive(platform.said(text))
                assert await bot.answered()
            assert wanted in platform.texts[-1]
    assert not chosen.store.path.exists()
