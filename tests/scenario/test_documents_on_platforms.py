"""Documents where people write them: in the terminal by the rehearsal model, and by two people on Slack and Discord."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.core.shapes import DELIMITER, MARK
from bot.runtime.worker import Options
from tests.fakes.model import Says, Script
from tests.fakes.notes import NOTES, THEN, WHAT, WHY
from tests.scenario.discord_house import discord_house, words
from tests.scenario.slack_house import slack_house


def typed(lines: Sequence[str], state: Path) -> str:
    """What `greenroom chat` prints when these lines are typed into a pipe."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GREENROOM_", "ANTHROPIC_"))}
    run = subprocess.run(
        [str(Path(sys.executable).with_name("greenroom")), "chat", "--model", "rehearsal", "--state", str(state)],
        input="".join(f"{line}\n" for line in lines),
        cwd=state.parent,
        env=env | {"PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=110,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


def test_in_the_terminal_a_brief_goes_from_the_list_of_templates_to_a_saved_document(tmp_path: Path) -> None:
    out = typed(["*bmad-master", "*create-doc", "*create-doc project-brief Shiftly", *"1" * 14], tmp_path / "state")
    assert "`*create-doc` needs a name." in out and "Draft, section 13 of 13: Executive Summary" in out
    assert "**Project Brief is finished**: `docs/brief.md`, version 13, 13 sections." in out
    saved = typed(["*docs show docs/brief.md"], tmp_path / "state")
    assert "# Project Brief: Shiftly" in saved and saved.count("## Executive Summary") == 1


def test_in_the_terminal_a_prd_is_written_under_yolo(tmp_path: Path) -> None:
    out = typed(["*pm", "*yolo", "*create-prd Rota", "2", "1"], tmp_path / "state")
    assert "Product Requirements Document is finished" in out and "Yolo is **off** again" in out


def test_without_a_key_one_line_tells_what_to_do(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GREENROOM_", "ANTHROPIC_"))}
    run = subprocess.run(
        [str(Path(sys.executable).with_name("greenroom")), "chat", "--state", str(tmp_path / "state")],
        input="*pm create-prd\n",
        cwd=tmp_path,
        env=env | {"PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert "No document was begun. No model is set up. Set ANTHROPIC_API_KEY" in run.stdout


def writing() -> Script:
    replies = [
        f"{WHAT}\n{DELIMITER}\nIt is short.",
        f"{WHY}\n{DELIMITER}\nIt is a list.",
        f"{MARK}\n{WHY}\n- and read\n{DELIMITER}\nBoth of you said so.",
        f"{THEN}\n{DELIMITER}\nIt follows.",
    ]
    return lambda _prompt, n: Says.text(replies[n - 1])


def in_threads() -> Options:
    return replace(Options(), lease=5.0, threads=True)


async def test_on_slack_two_people_write_a_document_in_its_thread() -> None:
    async with slack_house(writing(), cast=NOTES, works=lambda _: in_threads()) as house:
        alice, bob = house.fake.user("alice"), house.fake.user("bob")
        general = house.fake.channel("general", [alice, bob])
        await house.hear(alice, general, "*pm")
        (root,) = await house.hear(alice, general, "*note")
        assert root.text == "*note*: John writes it with you in the thread below."
        *_, stop = house.fake.seen(general, root.ts)
        assert "Draft, section 2 of 3: Why" in stop.shown
        await house.hear(alice, general, "ok", thread=root.ts)
        await house.hear(bob, general, "*status", thread=root.ts)
        await house.hear(bob, general, "*feedback it is read, too", thread=root.ts)
        *_, stop = house.fake.seen(general, root.ts)
        assert "New draft, section 2 of 3" in stop.shown
        await house.hear(bob, general, "1", thread=root.ts)
        # The list has come up just now by bob's doing, so a number of anybody else would be asked about.
        await house.hear(bob, general, "1", thread=root.ts)
        *_, end = house.fake.seen(general, root.ts)
        assert "is finished" in end.shown
        (shown,) = await house.hear(bob, general, "*docs show docs/note.md")
        assert "and read" in shown.shown and "Somebody reads it." in shown.shown
        assert (await house.session(general)).personas == ("pm",) and not (await house.session(general)).work


async def test_on_discord_two_people_write_a_document_in_its_thread() -> None:
    async with discord_house(writing(), cast=NOTES, works=lambda _: in_threads()) as house:
        await house.hear(house.ada, house.general, "*pm")
        (root,) = await house.hear(house.ada, house.general, "*note")
        thread = house.fake.world.channels[root.id]
        *_, stop = [seen for seen in house.fake.seen(thread) if seen.text]
        assert "Draft, section 2 of 3: Why" in words(stop)
        await house.hear(house.bob, thread, "*feedback it is read, too")
        *_, stop = [seen for seen in house.fake.seen(thread) if seen.text]
        assert "New draft, section 2 of 3" in words(stop)
        await house.hear(house.bob, thread, "1")
        await house.hear(house.bob, thread, "1")
        *_, end = [seen for seen in house.fake.seen(thread) if seen.text]
        assert "is finished" in words(end)
