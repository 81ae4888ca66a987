"""`kill -9` in the middle of a streamed reply, and what the next start makes of it. Nothing here is pretended."""

from __future__ import annotations

import os
import signal
import sqlite3
from pathlib import Path

from bot.core.codec import load
from bot.core.steps import Entry
from tests.scenario.terminal import Person

PROMPT = "ada in #general >"
LONG = "tell me all of it, and leave nothing out of what happened"


def log(folder: Path) -> list[Entry]:
    with sqlite3.connect(f"file:{folder / 'state.db'}?mode=ro", uri=True) as db:
        return [load(line, Entry) for (line,) in db.execute("SELECT line FROM log ORDER BY rowid")]


def is_kept(folder: Path, words: str) -> bool:
    with sqlite3.connect(f"file:{folder / 'state.db'}?mode=ro", uri=True) as db:
        return any(words in payload for (payload,) in db.execute("SELECT payload FROM message"))


def test_a_killed_reply_comes_again_marked_once_and_nothing_is_lost(tmp_path: Path) -> None:
    with Person(tmp_path, settings={"GREENROOM_MODEL__PAUSE": "0.4"}) as person:
        person.sees(PROMPT)
        person.says("*architect")
        person.sees("Pick a number")
        person.says(LONG)
        person.sees("[rehearsal] Here a")
        person.says("and then")
        person.waits_for(lambda: is_kept(tmp_path, "and then"), "what was typed in the mailbox")
        assert f"{LONG}”" not in person.seen, "the reply has an end that nobody has seen"
        os.kill(person.pid, signal.SIGKILL)
        assert person.ends() == -signal.SIGKILL

    with Person(tmp_path) as person:
        seen = person.sees("“ada: and then”")
        assert "🏗️ Winston  (again)\n" in seen
        assert seen.index("“ada: tell me") < seen.index("“ada: and then”")
        assert seen.count("(again)") == 1 and seen.count("[rehearsal]") == 2
        assert person.leaves() == 0

    entries = log(tmp_path)
    assert [e.text for e in entries if e.kind == "said"] == [LONG, "and then"]
    assert [e.kind for e in entries if e.kind in ("said", "reply")] == ["said", "reply"] * 2

    with Person(tmp_path) as person:
        person.sees(PROMPT)
        person.says("*status")
        assert "[rehearsal]" not in person.sees("Active: 🏗️ Winston")


def test_a_chat_killed_while_nothing_is_said_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    with Person(tmp_path) as person:
        person.sees(PROMPT)
        person.says("*architect")
        person.sees("Pick a number")
        person.says("tell me")
        person.sees("“ada: tell me”")
        person.waits_for(lambda: any(e.kind == "reply" for e in log(tmp_path)), "the reply in the log")
        os.kill(person.pid, signal.SIGKILL)
        person.ends()
    before = log(tmp_path)
    with Person(tmp_path) as person:
        person.sees(PROMPT)
        person.says("*status")
        assert "(again)" not in person.sees("Active: 🏗️ Winston")
        assert person.leaves() == 0
    assert log(tmp_path) == before
