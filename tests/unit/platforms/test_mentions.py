"""What a mention of the bot asks for."""

from __future__ import annotations

import pytest

from bot.platforms.mentions import meant
from tests.fakes.library import CAST


@pytest.mark.parametrize(
    ("said", "is_meant"),
    [
        ("", "*help"),
        ("help", "*help"),
        ("pm", "*pm"),
        ("Product Manager", "*Product Manager"),
        ("*pm", "*pm"),
        ("pm what is next?", "pm what is next?"),
        ("pmm", "pmm"),
        ("2", "2"),
        ("stop", "stop"),
        ("// pm", "// pm"),
        ("hello there", "hello there"),
    ],
)
def test_a_name_or_a_command_alone_needs_no_prefix(said: str, is_meant: str) -> None:
    assert meant(said, CAST) == is_meant
