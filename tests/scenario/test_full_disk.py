"""A disk that was full and has room again: nothing is lost, nothing is given up, and the bot goes on by itself."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from bot.app import SystemClock
from bot.core.model import Inbound
from bot.core.prompt import Prompt
from bot.ports.mailbox import StoreError, StoreRefusedError
from bot.runtime.access import Access
from bot.runtime.inbox import Inbox
from bot.runtime.worker import Options, Worker
from bot.stores.sqlite import SqliteStore
from tests.fakes.library import FakeLibrary
from tests.fakes.model import FakeModel, Says
from tests.fakes.platform import FakePlatform
from tests.scenario.test_store_away import at_work


class Disk(Protocol):
    """Where the database is, and whether there is room."""

    folder: Path

    def fill(self) -> None:
        """Leave no room."""

    def clear(self) -> None:
        """Make room again."""


class SmallDisk:
    """A file system in memory, of three megabytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Write until nothing more fits."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue

    def clear(self) -> None:
        """Remove what fills it."""
        self._filler.unlink(missing_ok=True)


class Limited:
    """A process that may let no file grow (setrlimit(2), RLIMIT_FSIZE): writing fails as on a disk with a quota."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._was = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        """No file may become longer than the log is now."""
        size = max(file.stat().st_size for file in self.folder.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, self._was[1]))

    def clear(self) -> None:
        """As before."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._was)


@contextmanager
def mounted(folder: Path) -> Iterator[Disk]:
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(params=["small disk", "limited"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    if request.param == "small disk":
        if os.geteuid() or not Path("/proc/mounts").exists():
            pytest.skip("only root mounts a small disk, and only on Linux")
        with mounted(tmp_path) as found:
            yield found
        return
    limited = Limited(tmp_path)
    yield limited
    limited.clear()


def replying(_prompt: Prompt, n: int) -> Says:
    return Says(("Now ", "then. ", "x" * 30_000))


@pytest.mark.parametrize("durability", ["normal", "full"])
async def test_a_disk_that_was_full_costs_no_message_and_no_reply(
    disk: Disk, durability: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock, platform = SystemClock(), FakePlatform(limit=100_000)
    store = await SqliteStore.open(
        disk.folder / "state.db", clock=clock, durability="full" if durability == "full" else "normal"
    )

    async def fills(n: int, piece: int) -> None:
        if (n, piece) == (1, 1):
            disk.fill()

    model = FakeModel(replying, on_piece=fills)
    options = Options(lease=600, access=Access(per_minute=10_000, burst=1000))
    worker = Worker(store, {"fake": platform}, model, FakeLibrary(), clock, options)
    inbox = Inbox(store)
    refused: list[Inbound] = []

    async def deliver(inbound: Inbound) -> None:
        try:
            await inbox.receive(inbound)
        except StoreRefusedError:
            raise
        except StoreError:
            refused.append(inbound)

    await deliver(platform.said("*architect"))
    async with at_work(worker), asyncio.timeout(60):
        await until(lambda: len(platform.seen()) == 1)
        await deliver(platform.said("What is full?"))
        await until(lambda: "could not be stored" in caplog.text)
        said = [platform.said(f"*status {n} " + "y" * 20_000) for n in range(6)]
        for inbound in said:
            await deliver(inbound)
        assert refused, "there was no room for all of them"

        disk.clear()
        waiting, refused = refused, []
        for inbound in waiting:
            await deliver(inbound)
        while (stats := await store.stats()).waiting or stats.in_flight:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert not refused
    assert await store.dead() == ()
    replies = [shown.text for shown in platform.seen() if shown.text.startswith("Now then.")]
    assert len(replies) == len(model.prompts) == 1
    assert len(platform.seen()) == 2 + len(said)
    assert sum('"kind":"reply"' in line for line in await store.log(platform.seen()[0].conversation)) == 1
    await store.close()


async def test_a_bot_that_starts_on_a_full_disk_says_so_and_starts_when_there_is_room(disk: Disk) -> None:
    clock, path = SystemClock(), disk.folder / "state" / "state.db"
    (disk.folder / "anything").write_bytes(b"x")
    disk.fill()

    with pytest.raises(StoreError, match=r"state\.db"):
        await SqliteStore.open(path, clock=clock)

    disk.clear()
    store = await SqliteStore.open(path, clock=clock)
    await Inbox(store).receive(FakePlatform().said("*architect"))
    assert (await store.stats()).waiting == 1
    await store.close()


async def until(condition: object) -> None:
    """Return when it holds."""
    assert callable(condition)
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
