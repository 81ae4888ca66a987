"""What is SQLite's own about the SQLite store: the file, its lock, its readers, and what a killed process leaves."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.ports.mailbox import Message
from bot.stores import sqlite_link
from bot.stores.lock import worker_of
from bot.stores.sqlite import Durability, SqliteStore, StoreBusyError, StoreError, StoreRefusedError
from bot.stores.sqlite_schema import MIGRATIONS, migrate
from tests.contract.store_contract import (
    HOUR,
    LEASE,
    ROOM,
    VERSION,
    drain,
    finish,
    ids,
    nothing_is_due,
    plain,
    send,
    take,
)
from tests.fakes.clock import ManualClock
from tests.unit.stores import accepting

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@contextmanager
def worker(path: Path, name: str = "first") -> Iterator[subprocess.Popen[str]]:
    """A real process that works on the database; it is killed in the end, if the test has not done so."""
    process = subprocess.Popen(
        [sys.executable, "-m", accepting.__name__, str(path), name],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    """The next `count` lines that the process prints."""
    assert process.stdout is not None
    return [process.stdout.readline().rstrip("\n") for _ in range(count)]


# ---------------------------------------------------------------- what outlives a process


async def test_what_a_dead_worker_held_is_due_at_once_for_the_next(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    first = await SqliteStore.open(path, clock=clock)
    await send(first, plain("a", 1))
    held = await take(first)
    await first.close()
    second = await SqliteStore.open(path, clock=clock)
    again = await take(second)
    assert ids(again) == ids(held) and again.fence > held.fence and again.expiries == 1
    await second.close()


async def test_what_a_killed_process_reported_is_there_afterwards(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    reported: list[str] = []
    for round_ in range(3):
        with worker(path, f"w{round_}") as process:
            reported += lines(process, 40 + 31 * round_)
            process.kill()
            rest, _ = process.communicate()
            whole = rest[: rest.rfind("\n") + 1]  # the last line may be cut in the middle
            reported += whole.splitlines()
    kept = [line.removeprefix("kept ") for line in reported if line.startswith("kept ")]
    done = [line.removeprefix("done ") for line in reported if line.startswith("done ")]
    assert len(kept) > 50 and len(done) > 20

    clock.advance(10**9)  # far beyond the leases of the dead
    store = await SqliteStore.open(path, clock=clock)
    try:
        log = await store.log("t:w:done")
        assert set(done) <= set(log)
        heads = [line.split()[1] for line in log]
        assert len(set(heads)) == len(heads)
        waiting: set[str] = set()
        while (claim := await store.claim("w", LEASE, VERSION, 500)) is not None:
            waiting.update(f"{claim.conversation} {message.id}" for message in claim.taken)
            assert await finish(store, claim)
        assert {f"t:w:kept {id}" for id in kept} <= waiting
    finally:
        await store.close()


async def test_everything_is_there_after_closing_and_opening(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    await send(store, plain("m1", 1), plain("m2", 2))
    await finish(store, await take(store), "state", ("line",))
    await store.checkpoint(await take(store), "turn", VERSION)
    await store.close()

    again = await SqliteStore.open(path, clock=clock)

    clock.advance(LEASE)
    claim = await take(again)
    assert (ids(claim), claim.state, claim.turn) == (["m2"], "state", "turn")
    assert await again.log(ROOM) == ("line",)
    await again.close()


@pytest.mark.parametrize(("durability", "level"), [("normal", 1), ("full", 2)])
async def test_the_file_is_in_wal_mode_with_the_durability_asked_for(
    tmp_path: Path, clock: ManualClock, durability: str, level: int
) -> None:
    store = await SqliteStore.open(
        tmp_path / "greenroom.db", clock=clock, durability="full" if durability == "full" else "normal"
    )

    def settings(db: sqlite3.Connection) -> tuple[object, object]:
        return db.execute("PRAGMA journal_mode").fetchone()[0], db.execute("PRAGMA synchronous").fetchone()[0]

    assert await store._run(settings) == ("wal", level)
    await store.close()


async def test_ids_that_are_no_longer_needed_are_cleared_away(tmp_path: Path, clock: ManualClock) -> None:
    store = await SqliteStore.open(tmp_path / "greenroom.db", clock=clock)
    await send(store, *(plain(f"old{n}", n) for n in range(50)))
    clock.advance(25 * 3600)

    await send(store, *(plain(f"new{n}", n) for n in range(10)))

    (remembered,) = await store._run(lambda db: db.execute("SELECT count(*) FROM seen").fetchone())
    assert remembered == 10
    await store.close()


# ---------------------------------------------------------------- one worker a file


async def test_a_second_process_is_told_that_the_file_is_in_use(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    with worker(path) as process:
        assert lines(process, 1) == ["open"]

        with pytest.raises(StoreBusyError, match=rf"{path} is in use by another worker \(process {process.pid}\)"):
            await SqliteStore.open(path, clock=clock)

        process.kill()
        process.wait()
        store = await SqliteStore.open(path, clock=clock)
        await store.close()


async def test_a_second_store_in_one_process_is_told_too(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)

    with pytest.raises(StoreBusyError, match=f"process {os.getpid()}"):
        await SqliteStore.open(path, clock=clock)

    await send(store, plain("m1", 1))
    await store.close()
    reopened = await SqliteStore.open(path, clock=clock)
    assert await drain(reopened) == ["m1"]
    await reopened.close()


@pytest.mark.parametrize("way", ["link to the file", "link to its folder", "link to a link"])
async def test_a_file_is_in_use_by_whatever_symbolic_link_it_is_opened(
    tmp_path: Path, clock: ManualClock, way: str
) -> None:
    folder = tmp_path / "state"
    path = folder / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    (tmp_path / "other").mkdir()
    link = tmp_path / "other" / "state.db"
    match way:
        case "link to the file":
            link.symlink_to(path)
        case "link to its folder":
            (tmp_path / "door").symlink_to(folder)
            link = tmp_path / "door" / "greenroom.db"
        case _:
            (tmp_path / "between.db").symlink_to(path)
            link.symlink_to(tmp_path / "between.db")

    with pytest.raises(StoreBusyError, match=f"in use by another worker .process {os.getpid()}"):
        await SqliteStore.open(link, clock=clock)
    assert worker_of(link) == str(os.getpid())

    await send(store, plain("m1", 1))
    await store.close()
    through = await SqliteStore.open(link, clock=clock)
    with pytest.raises(StoreBusyError):
        await SqliteStore.open(path, clock=clock)
    assert await drain(through) == ["m1"]
    await through.close()


async def test_a_file_with_two_names_is_refused_until_it_has_one(tmp_path: Path, clock: ManualClock) -> None:
    path, second = tmp_path / "greenroom.db", tmp_path / "second.db"
    store = await SqliteStore.open(path, clock=clock)
    second.hardlink_to(path)

    with pytest.raises(StoreError, match=f"{second} has 2 names .hard links.*Make a copy instead"):
        await SqliteStore.open(second, clock=clock)
    await send(store, plain("m1", 1))
    await store.close()
    with pytest.raises(StoreError, match="has 2 names"):
        await SqliteStore.open(path, clock=clock)

    second.unlink()
    again = await SqliteStore.open(path, clock=clock)
    assert await drain(again) == ["m1"]
    await again.close()


async def test_links_that_lead_to_one_another_are_told_as_such(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "a.db").symlink_to(tmp_path / "b.db")
    (tmp_path / "b.db").symlink_to(tmp_path / "a.db")

    with pytest.raises(StoreError, match=r"a\.db cannot be reached: .*symbolic links"):
        await SqliteStore.open(tmp_path / "a.db", clock=clock)


async def test_two_stores_in_memory_have_nothing_in_common(clock: ManualClock) -> None:
    first = await SqliteStore.open(":memory:", clock=clock)
    second = await SqliteStore.open(":memory:", clock=clock)
    await send(first, plain("m1", 1))

    assert await nothing_is_due(second)

    await first.close()
    await second.close()


async def test_a_reader_beside_the_worker_sees_each_commit(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    writer = await SqliteStore.open(path, clock=clock)
    reader = await SqliteStore.open(path, clock=clock, exclusive=False)
    await send(writer, plain("m1", 1))
    claim = await take(writer)
    assert (await reader.stats()).in_flight == 1

    await finish(writer, claim, "state", ("line",))

    assert (await reader.peek(ROOM), await reader.log(ROOM)) == ("state", ("line",))
    assert (await reader.stats()).in_flight == 0
    await writer.close()
    assert await reader.peek(ROOM) == "state"
    await reader.close()


async def test_a_reader_beside_a_busy_process_is_never_locked_out(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    with worker(path) as process:
        lines(process, 2)
        reader = await SqliteStore.open(path, clock=clock, exclusive=False)
        sizes = []
        for _ in range(20):
            lines(process, 4)
            sizes.append(len(await reader.log("t:w:done")))
        await reader.close()

    assert sizes == sorted(sizes) and sizes[0] < sizes[-1]


async def test_a_reader_writes_nothing(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    await (await SqliteStore.open(path, clock=clock)).close()
    reader = await SqliteStore.open(path, clock=clock, exclusive=False)

    with pytest.raises(StoreError, match="was opened for reading; only its worker writes"):
        await reader.enqueue(ROOM, plain("m1", 1))

    assert (await reader.stats()).waiting == 0
    await reader.close()


# ---------------------------------------------------------------- clocks between two starts


@pytest.mark.parametrize("hours", [-1, -4800, 1, 4800])
async def test_what_waits_is_due_at_the_next_start_whatever_the_clock_says_then(
    tmp_path: Path, clock: ManualClock, hours: float
) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    await send(store, plain("m1", 1))
    await send(store, plain("m2", 1), to="slack:T1:C2")
    await store.retry(await take(store), 30)
    await store.close()

    clock.set_by(hours * HOUR)
    store = await SqliteStore.open(path, clock=clock)

    assert len(await drain(store)) >= 1
    clock.advance(60)
    await drain(store)
    assert (await store.stats()).waiting == 0
    assert not await store.enqueue(ROOM, plain("m1", 1)), "its id is known"
    await store.close()


@pytest.mark.parametrize("hours", [0, 1, 4800])
async def test_a_file_of_the_build_before_opens_and_goes_on(tmp_path: Path, clock: ManualClock, hours: float) -> None:
    path, then = tmp_path / "greenroom.db", clock.now() + hours * HOUR  # its clock may have been wrong
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        migrate(db, str(path), MIGRATIONS[:3])
        db.executescript(
            f"""
            INSERT INTO conversation (id, key, due, held, fence, head, at, last, state_version)
            VALUES (1, '{ROOM}', {then + 15}, 1, 4, 'm2', {then}, 2, 1),
                   (2, 'slack:T1:C2', {then}, 0, 0, NULL, {then}, 1, 0),
                   (3, 'slack:T1:C3', NULL, 0, 0, NULL, {then}, 1, 1);
            INSERT INTO state (conversation, body) VALUES (1, 'state'), (3, 'at rest');
            INSERT INTO turn (conversation, body) VALUES (1, 'turn');
            INSERT INTO message (conversation, id, payload, ord, plain, place)
            VALUES (1, 'm2', 'text', 2, 1, 0), (2, 'm1', 'text', 1, 1, NULL);
            INSERT INTO seen (conversation, id, at) VALUES (1, 'm1', {then}), (1, 'm2', {then}), (2, 'm1', {then});
            INSERT INTO dead (conversation, messages, reason, at)
            VALUES ('{ROOM}', '[["m0", "x", 0, true]]', 'broke', {then});
            """
        )

    store = await SqliteStore.open(path, clock=clock)

    claims = [await take(store), await take(store)]
    assert [(claim.state, claim.turn) for claim in claims] == [("state", "turn"), (None, None)]
    assert all([await finish(store, claim) for claim in claims])
    assert not await store.enqueue(ROOM, plain("m1", 1)), "its id is known"
    assert (await store.expire(180 * 24 * HOUR)).noted == 0
    assert await store.peek("slack:T1:C3") == "at rest"
    assert len(await store.dead()) == 1
    await store.close()


async def test_a_start_far_ahead_and_one_after_it_delete_nothing(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    await send(store, plain("m1", 1))
    await finish(store, await take(store), log=("line",))
    await store.close()

    for hours in (200 * 24, 200 * 24 + 30, 0, 400 * 24):
        clock.set_by(hours * HOUR)
        store = await SqliteStore.open(path, clock=clock)
        assert (await store.expire(180 * 24 * HOUR)).gone == 0
        assert await store.log(ROOM) == ("line",)
        await store.close()
        clock.set_by(-hours * HOUR)


async def test_time_without_a_worker_counts_for_an_hour_at_most_and_that_is_enough(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    await send(store, plain("m1", 1))
    await finish(store, await take(store))
    clock.advance(200 * 24 * HOUR)
    await store.expire(180 * 24 * HOUR)
    await store.close()

    for _ in range(24):
        clock.set_by(5 * HOUR)
        store = await SqliteStore.open(path, clock=clock)
        gone = (await store.expire(180 * 24 * HOUR)).gone
        await store.close()

    assert gone == 1


async def test_a_reader_tells_how_long_work_has_waited_though_the_clock_was_set(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    clock.set_by(5 * HOUR)
    assert await nothing_is_due(store)
    await send(store, plain("m1", 1))
    clock.advance(7)

    reader = await SqliteStore.open(path, clock=clock, exclusive=False)

    assert (await reader.stats()).oldest_due == pytest.approx(7)
    await reader.close()
    await store.close()


async def test_a_clock_that_was_set_is_told_once(
    tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    clock.set_by(-HOUR)
    for _ in range(3):
        assert await nothing_is_due(store)
    await store.close()
    clock.set_by(-HOUR)
    await (await SqliteStore.open(path, clock=clock)).close()

    assert caplog.messages == [
        "this machine's clock was set back by 3600 s; nothing that waits depends on it",
        "this machine's clock says a time 3600 s before the bot was last at work",
    ]


# ---------------------------------------------------------------- files that cannot be opened


async def refused(path: Path, clock: ManualClock, *, exclusive: bool = True) -> str:
    """Why the file cannot be opened; every reason names the file."""
    with pytest.raises(StoreError) as raised:
        await SqliteStore.open(path, clock=clock, exclusive=exclusive)
    assert str(path) in str(raised.value)
    return str(raised.value)


async def test_folders_are_made_for_a_new_database(tmp_path: Path, clock: ManualClock) -> None:
    store = await SqliteStore.open(tmp_path / "a" / "b" / "greenroom.db", clock=clock)
    await send(store, plain("m1", 1))
    await store.close()


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "notes.db"
    path.write_text("Dear diary, today was much like yesterday.\n" * 100)

    assert "file is not a database" in await refused(path, clock)
    assert "file is not a database" in await refused(path, clock)  # and not: in use

    assert path.read_text().startswith("Dear diary")


def damage(path: Path, *tables: str) -> None:
    """Write nonsense over the pages that these tables begin with."""
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        roots = [db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone() for name in tables]
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        for (page,) in roots:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)


async def test_a_damaged_database_is_told_as_such(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    for n in range(50):
        await send(store, plain(f"m{n}", n))
        await finish(store, await take(store), "state", ("line" * 500,))
    await store.close()
    damage(path, "conversation", "log")

    with pytest.raises(StoreError, match=f"{path} cannot be opened: .*malformed.*restore the file"):
        await SqliteStore.open(path, clock=clock)
    reader = await SqliteStore.open(path, clock=clock, exclusive=False)
    with pytest.raises(StoreError, match=f"{path} failed: .*malformed.*check the disk"):
        await reader.log(ROOM)

    await reader.close()


async def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "photos.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE photo (name TEXT)")
    other.close()

    assert "belongs to another program" in await refused(path, clock)
    assert "belongs to another program" in await refused(path, clock, exclusive=False)

    other = sqlite3.connect(path)
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("photo",)]
    other.close()


async def test_a_database_of_a_newer_build_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    await (await SqliteStore.open(path, clock=clock)).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 1000")
    newer.close()

    for exclusive in (True, False):
        reason = await refused(path, clock, exclusive=exclusive)
        assert "has schema version 1000, but this build knows versions up to" in reason
        assert "Run the newer build" in reason


async def test_a_reader_does_not_make_a_database(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"

    assert "Start the bot once" in await refused(path, clock, exclusive=False)

    assert os.listdir(tmp_path) == []


async def test_a_reader_does_not_bring_a_file_up_to_date(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    path.touch()

    assert "has schema version 0" in await refused(path, clock, exclusive=False)

    assert path.stat().st_size == 0


async def test_a_folder_is_no_database(tmp_path: Path, clock: ManualClock) -> None:
    assert "is a folder. Name a file in it" in await refused(tmp_path, clock)


async def test_a_path_through_a_file_is_told_as_such(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "file").touch()

    assert "cannot be reached" in await refused(tmp_path / "file" / "greenroom.db", clock)


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """As a user who may look into `folder` and write nothing there."""
    folder.chmod(0o555)
    root = os.geteuid() == 0
    above = [parent for parent in folder.parents if root and parent.stat().st_mode & 0o005 != 0o005]
    modes = {parent: parent.stat().st_mode for parent in above}
    for parent in above:
        parent.chmod(0o755)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for parent, mode in modes.items():
            parent.chmod(mode)
        folder.chmod(0o755)


async def test_a_folder_without_write_access_is_told_as_such(tmp_path: Path, clock: ManualClock) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    with without_rights(folder):
        assert "write access" in await refused(folder / "greenroom.db", clock)
        assert "cannot be reached: Permission denied" in await refused(folder / "deeper" / "greenroom.db", clock)


async def test_a_file_without_write_access_is_told_as_such(tmp_path: Path, clock: ManualClock) -> None:
    folder = tmp_path / "theirs"
    path = folder / "greenroom.db"
    await (await SqliteStore.open(path, clock=clock)).close()
    (folder / "greenroom.db.lock").chmod(0o666)
    path.chmod(0o444)
    with without_rights(folder):
        assert "cannot be opened: attempt to write a readonly database" in await refused(path, clock)


async def test_a_mailbox_of_no_size_is_refused(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="mailbox_cap is 0"):
        await SqliteStore.open(":memory:", clock=clock, mailbox_cap=0)


# ---------------------------------------------------------------- trouble while open


async def test_a_full_disk_fails_the_call_and_nothing_else(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    await send(store, plain("m1", 1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (os.stat(f"{path}-wal").st_size, hard))
    try:
        with pytest.raises(StoreError, match=f"{path} failed: .*may have taken effect"):
            await store.enqueue(ROOM, plain("m2", 2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert await store.enqueue(ROOM, plain("m2", 2))
    assert await drain(store) == ["m1", "m2"]
    await store.close()


async def test_a_file_that_somebody_keeps_locked_fails_the_call_and_says_that_nothing_was_changed(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "greenroom.db"
    monkeypatch.setattr(sqlite_link, "BUSY_SECONDS", 0.01)
    store = await SqliteStore.open(path, clock=clock)
    shell = sqlite3.connect(path, isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match=f"{path} failed: database is locked. Nothing was changed") as told:
        await store.enqueue(ROOM, plain("m1", 1))

    assert not isinstance(told.value, StoreRefusedError)
    shell.close()
    await store.close()


async def test_a_file_that_somebody_has_locked_for_a_while_holds_up_its_callers_in_order_and_nobody_else(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    shell = sqlite3.connect(path, isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")

    first = asyncio.create_task(store.enqueue(ROOM, plain("m1", 1)))
    await asyncio.sleep(0.05)
    assert not first.done(), "the loop went on while the call waits"
    shell.execute("ROLLBACK")
    shell.close()
    second = asyncio.create_task(store.enqueue(ROOM, plain("m1", 2)))

    assert (await first, await second) == (True, False)
    assert await drain(store) == ["m1"]
    await store.close()


async def test_what_is_asked_for_behind_a_long_call_does_not_overtake_it(clock: ManualClock) -> None:
    store = await SqliteStore.open(":memory:", clock=clock)
    forgetting = asyncio.create_task(store.forget(ROOM))
    sending = asyncio.create_task(store.enqueue(ROOM, plain("m1", 1)))

    await asyncio.gather(forgetting, sending)

    assert await drain(store) == ["m1"]
    await store.close()


@pytest.mark.parametrize("durability", ["normal", "full"])
async def test_the_write_ahead_log_does_not_grow_with_what_is_written(
    tmp_path: Path, clock: ManualClock, durability: Durability
) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock, durability=durability)
    sizes = []
    for round_ in range(4):
        for number in range(300):
            await store.enqueue(f"t:w:{number}", plain(f"m{round_}", round_))
        sizes.append(os.stat(f"{path}-wal").st_size)

    assert path.stat().st_size > 100_000, "what was written is in the file"
    assert max(sizes) < 2.5 * sizes[0]
    await store.close()


async def test_a_log_that_cannot_be_brought_into_the_file_is_told_and_harms_nothing(
    tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "greenroom.db"
    monkeypatch.setattr(sqlite_link, "BUSY_SECONDS", 0.01)
    store = await SqliteStore.open(path, clock=clock)
    shell = sqlite3.connect(path, isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    await store._run_apart(store._link.tidy)
    shell.close()

    assert f"could not be brought into {path} (database is locked)" in caplog.text
    await send(store, plain("m1", 1))
    assert await drain(store) == ["m1"]
    await store.close()


async def test_what_the_database_can_never_take_is_told_apart(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    await store._run(lambda db: db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1000))

    with pytest.raises(StoreRefusedError, match=f"{path} cannot take this: .*too big. Nothing was changed"):
        await store.enqueue(ROOM, Message("m1", "x" * 2000, 1))

    assert await store.enqueue(ROOM, plain("m1", 1))
    await store.close()


async def test_what_others_have_waiting_costs_a_claim_nothing(clock: ManualClock) -> None:
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    async def cost() -> int:
        nonlocal steps
        steps = 0
        assert await store.claim("w", LEASE, VERSION, platforms=frozenset({"slack"})) is None
        assert (await store.stats(frozenset({"slack"}))).waiting == 0
        return steps

    store = await SqliteStore.open(":memory:", clock=clock)
    await store._run(lambda db: db.set_progress_handler(count, 1))
    alone = await cost()
    others = [(f"discord:G1:C{n}", clock.now() - 1) for n in range(5_000)]
    await store._run(lambda db: db.executemany("INSERT INTO conversation (key, due) VALUES (?, ?)", others))

    assert await cost() <= alone + 20
    await store.close()


async def test_a_claim_cancelled_while_it_waits_for_the_disk_is_given_back(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    await send(store, plain("m1", 1))
    shell = sqlite3.connect(path, isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    claiming = asyncio.create_task(store.claim("w1", LEASE, VERSION))
    await asyncio.sleep(0.05)

    claiming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    shell.execute("ROLLBACK")
    shell.close()

    claim = await take(store)
    assert (claim.expiries, claim.attempt) == (0, 0)
    assert claim.fence == 2, "the cancelled claim had taken it, and gave it back"
    await store.close()


async def test_an_enqueue_cancelled_while_it_waits_for_the_disk_wakes_a_worker(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    assert await nothing_is_due(store)
    waiting = asyncio.create_task(store.wait(60))
    shell = sqlite3.connect(path, isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    sending = asyncio.create_task(store.enqueue(ROOM, plain("m1", 1)))
    await asyncio.sleep(0.05)

    sending.cancel()
    shell.execute("ROLLBACK")
    shell.close()

    async with asyncio.timeout(5):
        await waiting
    assert sending.cancelled()
    assert ids(await take(store)) == ["m1"]
    await store.close()


async def test_a_closed_store_says_so(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    await store.close()

    with pytest.raises(StoreError, match=f"{path} is closed"):
        await store.enqueue(ROOM, plain("m1", 1))
    with pytest.raises(StoreError, match=f"{path} is closed"):
        await store.peek(ROOM)


async def test_closing_ends_a_wait(tmp_path: Path, clock: ManualClock) -> None:
    store = await SqliteStore.open(tmp_path / "greenroom.db", clock=clock)
    assert await nothing_is_due(store)
    waiting = asyncio.create_task(store.wait(60))
    await asyncio.sleep(0)

    await store.close()

    async with asyncio.timeout(5):
        await waiting
        await store.wait(60)


async def test_closing_finishes_what_was_asked_for(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "greenroom.db"
    store = await SqliteStore.open(path, clock=clock)
    sending = asyncio.create_task(store.enqueue(ROOM, plain("m1", 1)))
    await asyncio.sleep(0)

    await store.close()

    assert await sending
    again = await SqliteStore.open(path, clock=clock)
    assert await drain(again) == ["m1"]
    await again.close()
