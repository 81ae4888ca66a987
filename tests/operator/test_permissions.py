"""State, secrets and backups are their owner's alone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.steps import Record
from bot.doctor.finding import Case, Finding
from bot.doctor.permissions import check_permissions
from bot.settings import Settings, StoreSettings
from bot.stores.sqlite import SqliteStore
from tests.fakes.clock import ManualClock
from tests.unit.test_docs import fences

DEPLOYING = Path(__file__).parents[2] / "docs" / "deploying.md"


@pytest.fixture
def careless() -> Iterator[None]:
    """The mask of most systems, under which what is made can be read by everybody."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may look into, from the top down; pytest's own is private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def set_mode(path: Path, bits: int) -> None:
    path.chmod(bits)


def named(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


def shell(script: str, folder: Path) -> None:
    """Run it there as an operator would, with this Python in front."""
    env = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(("sh", "-e", "-c", script), cwd=folder, env=env, check=True)


async def at_work(path: Path) -> SqliteStore:
    store = await SqliteStore.open(path, clock=ManualClock())
    await store.audit("k", "fake:team:general", Record("did", "alice", ""))
    return store


async def looked(path: Path, **env: str) -> list[Finding]:
    return list(await check_permissions(Case(Settings(store=StoreSettings(path=path)), env)))


async def test_nobody_else_can_read_what_a_new_bot_keeps(careless: None, tmp_path: Path) -> None:
    path = tmp_path / "state" / "s.sqlite3"
    store = await at_work(path)
    try:
        found = {each.name: mode(each) for each in path.parent.iterdir()}
    finally:
        await store.close()
    assert {"s.sqlite3", "s.sqlite3-wal", "s.sqlite3-shm", "s.sqlite3.lock"} <= set(found)
    assert set(found.values()) == {"0o600"}
    assert mode(path.parent) == "0o700"


async def test_a_file_that_others_can_read_keeps_its_mode_and_the_doctor_says_what_to_type(open_folder: Path) -> None:
    path = open_folder / "s.sqlite3"
    await (await at_work(path)).close()
    assert [f.level for f in await looked(path)] == ["ok"]
    set_mode(path, 0o644)
    await (await at_work(path)).close()
    assert mode(path) == "0o644"
    (found,) = await looked(path)
    assert found.level == "warning" and str(path) in found.says
    shell(found.mend, open_folder)
    assert [f.level for f in await looked(path)] == ["ok"]
    assert (mode(path), mode(open_folder)) == ("0o600", "0o700")


async def test_a_folder_that_nobody_else_enters_is_enough(open_folder: Path) -> None:
    path = open_folder / "s.sqlite3"
    await (await at_work(path)).close()
    set_mode(path, 0o644)
    set_mode(open_folder, 0o700)
    assert [f.level for f in await looked(path)] == ["ok"]


async def test_a_secret_in_a_file_that_others_can_read_is_told(open_folder: Path) -> None:
    key = open_folder / "key"
    key.write_text("sk-ant-secret")
    key.chmod(0o644)
    (found,) = await looked(open_folder / "none", ANTHROPIC_API_KEY_FILE=str(key))
    assert found.level == "warning" and "ANTHROPIC_API_KEY_FILE" in found.says and found.mend == f"chmod 600 {key}"


async def test_the_backup_of_the_page_is_private_and_can_be_taken_again(careless: None, tmp_path: Path) -> None:
    (script,) = [text for language, text in fences(DEPLOYING.read_text()) if language == "sh" and "VACUUM" in text]
    store = await at_work(tmp_path / ".greenroom" / "state.sqlite3")
    try:
        for number in range(2):
            again = script.replace("%S", f"%S{number}")  # two within a second
            shell(again, tmp_path)
    finally:
        await store.close()
    backups = named(tmp_path, "backup-*.sqlite3")
    assert len(backups) == 2 and {mode(backup) for backup in backups} == {"0o600"}
    restored = await SqliteStore.open(backups[0], clock=ManualClock())
    assert [line.record.what for line in await restored.trail()] == ["did"]
    await restored.close()
