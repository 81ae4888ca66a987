"""The files that a message goes through, from Slack to the greeting, as docs/architecture.md lists them."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from tests.scenario.slack_house import slack_house
from tests.scenario.test_rules import never

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
BOT = str(ROOT / "bot") + "/"


@contextmanager
def traced() -> Iterator[dict[str, int]]:
    """The files of the bot whose functions are called meanwhile, in the order of their first call, on every thread."""
    calls: dict[str, int] = {}

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and (name := frame.f_code.co_filename).startswith(BOT):
            file = name.removeprefix(str(ROOT) + "/")
            calls[file] = calls.get(file, 0) + 1

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def listed() -> dict[str, list[str]]:
    """The files of each stage, as the page has them."""
    table = re.search(r"^\| stage \| files \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE.read_text("utf-8"), re.MULTILINE)
    assert table
    rows = [line.strip("|").split("|") for line in table[1].splitlines()]
    return {stage.strip(): re.findall(r"`([^`]+)`", files) for stage, files in rows}


async def test_the_page_lists_the_files_of_a_message_in_their_order() -> None:
    async with slack_house(never) as house:
        alice = house.fake.user("alice")
        general = house.fake.channel("general", [alice])
        await house.hear(alice, general, "*pm")
        await house.hear(alice, general, "*exit")
        with traced() as calls:
            await house.hear(alice, general, "*pm")

    stages = listed()
    files = [file for stage in stages.values() for file in stage]
    assert sorted(files) == sorted(set(files)), "a file stands in one stage"
    assert set(calls) - set(files) == set(), "the message went through these too"
    assert set(files) - set(calls) == set(), "the message did not go through these"
    order = list(calls)
    *in_order, _values = stages.values()
    firsts = [next(file for file in order if file in stage) for stage in in_order]
    assert firsts == sorted(firsts, key=order.index), "the stages follow one another as listed"
