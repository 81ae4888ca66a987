from __future__ import annotations

import aiohttp
import httpx2
import pytest

from bot.models.faults import clean, fault

KEY = "key-of-a-proxy-77"


@pytest.mark.parametrize(
    ("error", "began", "reason"),
    [
        (httpx2.ReadError(f"with {KEY}\nand sk-ant-abcdef123"), True, "cut"),
        (httpx2.ReadError(f"with {KEY}\nand sk-ant-abcdef123"), False, "network"),
        (aiohttp.ClientPayloadError(f"with {KEY} and Bearer abc"), True, "cut"),
        (ConnectionResetError(f"with {KEY}"), True, "cut"),
        (httpx2.ReadTimeout(KEY), True, "timeout"),
        (TimeoutError(KEY), False, "timeout"),
        (KeyError(KEY), True, "garbage"),
    ],
)
def test_a_raw_error_of_the_stream_becomes_a_reason_without_secrets(error: Exception, began: bool, reason: str) -> None:
    found = fault(error, began=began, now=0.0, key=KEY)
    assert found.reason == reason
    assert "77" not in found.detail and "abc" not in found.detail


def test_words_for_people_are_one_short_line() -> None:
    line = clean("what happened:\n  " + "very " * 100 + "much")
    assert "\n" not in line and len(line) <= 200 and line.endswith("…")
