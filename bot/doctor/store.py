"""Where conversations are kept, and what waits there."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from bot import installed
from bot.app import SystemClock
from bot.doctor.clocks import compared
from bot.doctor.finding import Case, Finding, count
from bot.doctor.watching import has_extra
from bot.ports.mailbox import Stats
from bot.settings import Settings
from bot.stores.errors import StoreError
from bot.stores.lock import worker_of
from bot.stores.opening import with_password
from bot.stores.sqlite import SqliteStore
from bot.stores.sqlite_schema import MIGRATIONS

MEMORY = ":memory:"

OVERDUE = 60.0
"""Seconds after which a message should have been taken by a worker that runs."""


async def check_store(case: Case) -> Sequence[Finding]:
    """Whether the database can be used, who uses it, and what waits in it."""
    if case.settings.store.url:
        return await redis_findings(case.settings)
    path = case.settings.store.path
    if str(path) == MEMORY:
        mend = "set store.path to a file"
        return [Finding("store", "warning", "conversations are kept in memory and end with the process", mend)]
    if not path.exists():
        return [not_yet(path)]
    clock = SystemClock()
    try:
        store = await SqliteStore.open(path, clock=clock, exclusive=False)
        try:
            stats, newest = await store.stats(), await store.dead(1)
        finally:
            await store.close()
        holder = worker_of(path)
    except StoreError as error:
        return [Finding("store", "problem", str(error))]
    size = sum(file.stat().st_size for file in (path, path.with_name(f"{path.name}-wal")) if file.exists())
    found = [Finding("store", "ok", f"{path} can be read: schema {len(MIGRATIONS)}, {size / 1e6:.1f} MB")]
    if holder is not None:
        found.append(Finding("store", "ok", f"in use by a worker{f' (process {holder})' if holder else ''}"))
    elif not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        mend = f"give the bot's user write access to {path.parent} and what is in it"
        found.append(Finding("store", "problem", f"{path} or its folder cannot be written to", mend))
    else:
        found.append(Finding("store", "ok", "no worker uses it now"))
    found += mailbox_findings(stats, is_worked_on=holder is not None)
    if newest:
        last = newest[0]
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(last.at))
        says = f"{count(stats.dead, 'dead letter')}, the last of {when} in {last.conversation}: {last.reason}"
        found.append(Finding("store", "warning", says, "look into the log of that time; people were told at once"))
    return found


async def redis_findings(settings: Settings) -> list[Finding]:
    """What there is to say of the Redis that the settings name. No password is in it."""
    kept, secret = settings.store, settings.secrets.redis_password
    if not has_extra("redis"):
        says = "store.url is set, but the extra redis is not installed: the bot would not start"
        return [Finding("store", "problem", says, installed.command("redis"))]
    try:
        from bot.stores.redis import RedisStore

        url = with_password(kept.url, secret.get_secret_value() if secret else "")
        store = await RedisStore.open(url, partitions=kept.partitions, mailbox_cap=kept.mailbox)
    except StoreError as error:
        return [Finding("store", "problem", str(error))]
    try:
        found = [Finding("store", "ok", f"the Redis at {kept.url} answers")]
        found += [Finding("store", "warning", told, "see docs/deploying.md") for told in store.warnings()]
        costs = "budgets begin their day at another time, and the log's times are wrong"
        found.append(compared("store", "the Redis server's", await store.time(), time.time(), costs))
        stats = await store.stats()
        found += mailbox_findings(stats, is_worked_on=True)
        if stats.dead:
            mend = "`greenroom dead list` tells which, `greenroom dead replay` tries one again"
            found.append(Finding("store", "warning", count(stats.dead, "dead letter"), mend))
        return found
    except StoreError as error:
        return [Finding("store", "problem", str(error))]
    finally:
        await store.close()


def not_yet(path: Path) -> Finding:
    """What there is to say of a database that does not exist."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        return Finding("store", "problem", f"{path} cannot be made: {folder} is no folder", "set store.path to another")
    if not os.access(folder, os.W_OK | os.X_OK):
        mend = f"give the bot's user write access to {folder}, or set store.path to another place"
        return Finding("store", "problem", f"{path} cannot be made: {folder} is not writable", mend)
    return Finding("store", "ok", f"there is no {path} yet; the first start makes it")


def mailbox_findings(stats: Stats, *, is_worked_on: bool) -> list[Finding]:
    """What waits, and whether it waits for too long; without a worker it is no wonder that it does."""
    says = f"{count(stats.waiting, 'message')} waiting, {count(stats.in_flight, 'turn')} under way"
    if not stats.oldest_due:
        return [Finding("store", "ok", says)]
    says = f"{says}; the oldest has been due for {stats.oldest_due:.0f} s"
    if not is_worked_on:
        return [Finding("store", "warning", says, "start the bot: it takes up what waits")]
    if stats.oldest_due < OVERDUE:
        return [Finding("store", "ok", says)]
    mend = "look into the worker's log; if it is busy, raise worker.turns_in_flight; if it hangs, start it again"
    return [Finding("store", "problem", says, mend)]
