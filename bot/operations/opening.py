"""The store that the settings mean, opened for a look or for a change; and how the command line names things."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.core.steps import Record
from bot.ports.store import Store
from bot.settings import Settings
from bot.stores.errors import StoreError
from bot.stores.opening import open_store

MEMORY = ":memory:"


class OperationError(Exception):
    """It could not be done: what, to what, and what to do. For people."""


@asynccontextmanager
async def opened(settings: Settings, *, to_change: bool = False, may_create: bool = False) -> AsyncIterator[Store]:
    """The store, closed again behind the body. Raises StoreError, and OperationError where there can be none."""
    from bot.app import SystemClock

    kept = settings.store
    if not kept.url and str(kept.path) == MEMORY:
        raise OperationError(
            "store.path is :memory:, so conversations end with their process and there is nothing to look at here. "
            "Set store.path to a file, or store.url to a server."
        )
    if not kept.url and to_change and not may_create and not kept.path.exists():
        raise StoreError(f"There is no database {kept.path} yet. Start the bot once, or name another path.")
    password = settings.secrets.redis_password
    store = await open_store(
        path=kept.path,
        url=kept.url,
        password=password.get_secret_value() if password else "",
        partitions=kept.partitions,
        mailbox=kept.mailbox,
        durability=kept.durability,
        clock=SystemClock(),
        exclusive=to_change,
    )
    try:
        yield store
    finally:
        await store.close()


async def note(store: Store, conversation: str, what: str) -> None:
    """Leave a line in the audit trail about what an operator has done."""
    await store.audit(f"operator/{secrets.token_hex(8)}", conversation, Record(what, operator()))


def operator() -> str:
    """Who types, as the audit trail names them."""
    try:
        return f"operator {getpass.getuser()}"
    except (KeyError, OSError):
        return "operator"
