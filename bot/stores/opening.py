"""Which store the settings mean, and opening it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

from bot.ports.clock import Clock
from bot.ports.store import Store


async def open_store(
    *,
    path: Path,
    url: str,
    password: str,
    partitions: int,
    mailbox: int,
    durability: Literal["normal", "full"],
    clock: Clock,
    exclusive: bool = True,
) -> Store:
    """Open the Redis store at `url`, or without one the SQLite store at `path`.

    `password` is for a `url` that holds none. A file is opened exclusively by its one worker and by whoever writes to
    it while there is none; with `exclusive` off it is only read, beside a worker. A server is always shared. Raises
    StoreError.
    """
    if not url:
        from bot.stores.sqlite import SqliteStore

        return await SqliteStore.open(
            path, clock=clock, mailbox_cap=mailbox, exclusive=exclusive, durability=durability
        )
    from bot.stores.redis import RedisStore

    return await RedisStore.open(with_password(url, password), partitions=partitions, mailbox_cap=mailbox)


def with_password(url: str, password: str) -> str:
    """The URL with the password in it, unless it has one already."""
    parts = urlsplit(url)
    if not password or parts.password is not None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:{quote(password, safe='')}@{host}"))
