"""Reading what somebody wrote takes as long as the text is, and not as long as its square."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from bot.core.commands import is_aside, is_plain, is_stop, number, suggested, understand
from bot.platforms.mentions import meant
from bot.platforms.slack.typed import mentioned, plain_text
from bot.platforms.slash import offered
from tests.fakes.library import CAST, PM

SHORT = 2_000
TIMES = 20
GROWTH = 6 * TIMES
"""How much longer so many times the text may take: what is quadratic takes `TIMES` squared, which is 400."""

READERS: dict[str, Callable[[str], object]] = {
    "understand": lambda text: understand(text, CAST, PM),
    "a mention": lambda text: meant(text, CAST),
    "offered": lambda text: offered(CAST, "pm", text, 25),
    "suggested": lambda text: suggested(text, PM),
    "plain, number, stop, aside": lambda text: (is_plain(text), number(text), is_stop(text), is_aside(text)),
    "Slack's marks": lambda text: (plain_text(text, "UBOT"), mentioned(text)),
}
PATTERNS = (
    "*a",
    "*word ",
    "* ",
    "*",
    "hello ",
    "ä",
    "＊",
    "2️⃣",
    " ",
    "x    ",
    "<",
    "<@",
    "<@UBOT> ",
    "&",
    "<!",
    "\n",
    "-",
)


def seconds(read: Callable[[str], object], text: str) -> float:
    """CPU time of one reading: the least of several, since others use the machine too."""
    found = []
    for _ in range(3):
        began = time.process_time()
        read(text)
        found.append(time.process_time() - began)
    return min(found)


@pytest.mark.parametrize("reader", READERS)
def test_a_long_text_is_read_in_linear_time(reader: str) -> None:
    read = READERS[reader]
    for pattern in PATTERNS:
        for before in ("", "*", "x", "*x "):
            few = max(seconds(read, f"{before}{pattern * SHORT}x"), 0.000_05)
            many = seconds(read, f"{before}{pattern * SHORT * TIMES}x")
            assert many / few <= GROWTH, (reader, before, pattern, few, many)


@pytest.mark.parametrize("length", [101, 1_000, 50_000])
def test_a_word_longer_than_any_name_is_prose(length: int) -> None:
    assert understand("*" + "a" * length, CAST, PM) is None


def test_a_command_takes_any_number_of_words_with_it() -> None:
    words = "the whole story " * 3_000
    found = understand(f"*create-prd {words}", CAST, PM)
    assert found is not None and found.args == words.strip()  # type: ignore[union-attr]
