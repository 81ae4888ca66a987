"""What holds the shape of the core: a wrong field, a new gate or a changed state cannot slip through."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from bot.core import codec
from bot.core.command_table import HOST_COMMANDS
from bot.core.model import SESSION_VERSION
from bot.core.modes.host_commands import EFFECTS
from bot.core.modes.mode import Registry
from bot.core.session import ConversationState, Session, Turn
from bot.core.step_builder import Changes
from bot.core.steps import Entry
from tests.fakes.toy_mode import TOY, DraftGate, ToyMode, ToyWork

ROOT = Path(__file__).parents[2]


def test_every_field_of_a_session_can_be_changed_and_no_other() -> None:
    assert get_type_hints(Changes) == get_type_hints(Session)


def fields(cls: Any, seen: dict[str, Any]) -> dict[str, Any]:
    """The dataclasses that `cls` is made of, by name, with the type of each field."""
    if dataclasses.is_dataclass(cls) and isinstance(cls, type) and cls.__name__ not in seen:
        seen[cls.__name__] = {f.name: str(f.type) for f in dataclasses.fields(cls)}
        for hint in get_type_hints(cls).values():
            for part in parts(hint):
                fields(part, seen)
    return seen


def parts(hint: Any) -> list[Any]:
    inner = getattr(hint, "__args__", ())
    return [hint, *(found for part in inner for found in parts(part))] if inner else [hint]


STORED = (2, "796241ada444d79d")
"""The version of what is stored, and the shape that it had then."""


def test_a_change_of_what_is_stored_is_noticed() -> None:
    """A field with a default may come without a new version: write the new shape down. All else needs an upgrade."""
    shape: dict[str, Any] = {}
    for cls in (ConversationState, Turn, Entry):
        fields(cls, shape)
    digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]
    assert (SESSION_VERSION, digest) == STORED, "is it still read? then write this down: " + digest


@pytest.mark.parametrize(
    ("modes", "told"),
    [
        ((TOY, TOY), "two modes are named 'toy'"),
        ((type("Other", (ToyMode,), {"name": "other"})(),), "ToyWork does not name the mode 'other'"),
    ],
)
def test_a_registry_refuses_what_cannot_be_told_apart(modes: tuple[ToyMode, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Registry(modes)


def test_the_state_of_a_mode_that_this_build_lacks_cannot_be_read() -> None:
    written = codec.dump(Session(work=(ToyWork("a", "pm"),), gate=DraftGate("pm", "d", "m")))
    assert codec.load(written, Session).work == (ToyWork("a", "pm"),)
    with pytest.raises(codec.UnreadableError, match="OtherWork"):
        codec.load(written.replace('"ToyWork"', '"OtherWork"'), Session)


NEW_GATE = '''

@dataclass(frozen=True, slots=True)
class NewGate:
    """A gate that nobody knows yet."""

    who: str
    menu: str = ""


'''


def test_mypy_refuses_a_new_gate_until_every_match_knows_it(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "bot", tmp_path / "bot", ignore=shutil.ignore_patterns("__pycache__", "_shipped"))
    path = tmp_path / "bot" / "core" / "gates.py"
    text = path.read_text("utf-8")
    union = "HostGate = ExitGate | "
    assert union in text
    path.write_text(text.replace(union, f"{NEW_GATE}HostGate = NewGate | ExitGate | "), "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "-p", "bot.core"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    places = {line.split(": error:")[0].rsplit(":", 1)[0] for line in run.stdout.splitlines() if "NewGate" in line}
    assert run.returncode != 0 and places >= {"bot/core/gates.py", "bot/core/routing.py"}, run.stdout
    assert run.stdout.count("NewGate") >= 5, "words, calls, what is awaited, what is withdrawn, who decides"


def test_every_command_of_the_host_declares_what_it_does_to_a_work() -> None:
    assert EFFECTS.keys() == HOST_COMMANDS.keys()
