"""The connections to a Redis server: its address, its scripts, and what to do when it is away.

The client's own retries are off, for it repeats writes without telling the script that it does. Here a repeated call
bears the token of its first attempt, and every script knows what that attempt has done already.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bot import installed
from bot.ports.mailbox import Outage
from bot.stores.errors import StoreError, StoreRefusedError, StoreSettingsError

try:
    import redis.asyncio as client
    from redis import exceptions
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
except ModuleNotFoundError as missing:
    raise StoreSettingsError(
        "The Redis store needs the package redis, which is not installed. Install Greenroom with its extra: "
        f"{installed.command('redis')}"
    ) from missing

Client = client.Redis | client.RedisCluster
Argument = str | bytes | int
T = TypeVar("T")

_CONNECTIONS = 32
_CALL_SECONDS = 5.0
"""How long one attempt may take. The client's own `socket_timeout` is off: it waits by `asyncio.wait_for`, which
swallows a cancellation now and then (up to Python 3.11)."""

_GUARD = "guard"
"""A key that is declared by every script and written by none."""

_CHECK_SECONDS = 25
_FIRST_DELAY, _LONGEST_DELAY = 0.05, 1.0
_SAME_OUTAGE = 60.0
"""Seconds between two failed calls of what counts as one outage."""

_REFUSED = (exceptions.AuthenticationError, exceptions.AuthorizationError)
_LOST = (
    exceptions.ConnectionError,  # also: still loading its file, no free connection
    exceptions.TimeoutError,
    exceptions.RedisClusterException,
    OSError,  # also: built-in timeouts
)
"""Nobody knows whether the server has done what it was asked for."""

_MOVING = (
    exceptions.AskError,  # also: MovedError
    exceptions.TryAgainError,
    exceptions.ClusterError,  # also: ClusterDownError; the client's own, when it was sent to and fro too often
)
"""A Cluster moves slots, or takes over for a primary: nothing was done (redis.io/docs, cluster specification)."""

_PASSING = (*_LOST, exceptions.ReadOnlyError, *_MOVING)
"""What may be over in a moment: a restart, a failover, a full pool, a Cluster that moves its slots."""

_STATES = exceptions.NoPermissionError
_STATE_WORDS = ("ACL failure", "BUSY ", "MISCONF ", "NOREPLICAS ")
"""Refusals, and how others begin, that are about the server's state, whatever was asked for; all else is about the
very call."""


# ---------------------------------------------------------------- address


@dataclass(frozen=True, slots=True)
class Address:
    """A server's URL, which holds the password, and the name that people may be shown."""

    url: str
    name: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """The address of a `redis://`, `rediss://` or `unix://` URL. Raises StoreError that shows nothing of it."""
        try:
            parts = urlsplit(url)
            port = parts.port or 6379
        except ValueError:
            raise _not_a_url() from None  # the error's text would hold a piece of the password
        database = parts.path.strip("/")
        if parts.scheme == "unix" and parts.path and "@" not in parts.query + parts.fragment:
            return cls(url, f"unix:{parts.path}")
        is_number = not database or (database.isascii() and database.isdigit())
        if parts.scheme not in ("redis", "rediss") or not parts.hostname or not is_number:
            raise _not_a_url()
        if parts.fragment or "@" in parts.query:
            raise _not_a_url()
        return cls(url, f"{parts.hostname}:{port}" + (f", database {database}" if database else ""))


def _not_a_url() -> StoreSettingsError:
    return StoreSettingsError(
        "The address of the Redis server cannot be read. Write it as redis://user:password@host:6379/0 (rediss:// for "
        "TLS), with the special characters of the password percent-encoded."
    )


# ---------------------------------------------------------------- scripts


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script: its text, and the hash that a server knows it by once it has run it."""

    text: bytes
    sha: str


@cache
def script(name: str) -> Script:
    """The script of `lua/<name>.lua`, behind what all of them share, and those over documents among themselves."""
    folder = files("bot.stores") / "lua"
    shared = ("shared", "documents") if name.startswith("document_") else ("shared",)
    text = b"".join((folder / f"{part}.lua").read_bytes() for part in (*shared, name))
    return Script(text, hashlib.sha1(text, usedforsecurity=False).hexdigest())


# ---------------------------------------------------------------- link


class Link:
    """A server, or a cluster of them, as the store talks to it; `open` gives one that has answered.

    `patience` is for how many seconds a call is tried again while the server is away.
    """

    def __init__(self, address: Address, patience: float) -> None:
        self.name = address.name
        self._url = address.url
        self._patience = patience
        self._closed = False
        self.outage: Outage | None = None
        self._client: Client = _single(address.url)
        # BLPOP keeps its connection to itself, so hints come over one of their own.
        self._hints: Client = _single(address.url, connections=1)

    @classmethod
    async def open(cls, address: Address, patience: float) -> tuple[Link, dict[str, Any]]:
        """Connect; the link, and what the server tells of itself. Raises StoreError."""
        link = cls(address, patience)
        try:
            info: dict[str, Any] = await link.command("INFO")
            if int(info.get("cluster_enabled", 0)):
                await link._disconnect()
                link._client, link._hints = _cluster(address.url), _cluster(address.url)
        except BaseException:
            await link.close()
            raise
        return link, info

    async def close(self) -> None:
        """Let go of all connections; every call from now on raises StoreError."""
        self._closed = True
        await self._disconnect()

    async def _disconnect(self) -> None:
        await self._client.aclose()
        await self._hints.aclose()

    async def run(self, name: str, root: str, header: Callable[[], tuple[Argument, ...]], *arguments: Argument) -> Any:
        """What the script answers for the partition of that root; `header` is asked anew for each attempt.

        A script finds by itself which keys it needs, all of them in the partition's one slot. Of the two that are
        declared neither exists, so a node that has only part of the slot, as its keys move, runs no script: the old
        owner sends to the new one, which answers TRYAGAIN (decision 014).
        """
        found = script(name)
        token = secrets.token_hex(8)

        async def attempt(again: bool) -> Any:
            keys_and_values = (2, root, root + _GUARD, *header(), int(again), token, *arguments)
            try:
                return await self._client.execute_command("EVALSHA", found.sha, *keys_and_values)
            except exceptions.NoScriptError:  # a server forgets its scripts when it restarts
                return await self._client.execute_command("EVAL", found.text, *keys_and_values)

        return await self._patiently(attempt)

    async def command(self, *command: Argument) -> Any:
        """What a command answers that may be sent twice without harm."""
        return await self._patiently(lambda _again: self._client.execute_command(*command))

    async def hint(self, keys: Sequence[str], seconds: float) -> bool:
        """Whether a hint came at one of the keys within that time. Raises StoreError where that cannot be asked."""
        if not keys:
            await asyncio.sleep(seconds)
            return False
        try:
            async with asyncio.timeout(seconds + _CALL_SECONDS):
                return await self._hints.execute_command("BLPOP", *keys, str(seconds)) is not None
        except (exceptions.RedisError, *_PASSING) as error:
            self._note_outage()
            raise self._failure(error, is_unknown=False) from error

    async def _patiently(self, attempt: Callable[[bool], Awaitable[T]]) -> T:
        if self._closed:
            raise StoreError(f"The Redis store at {self.name} is closed; open it again to use it.")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        again, is_unknown, delay = False, False, _FIRST_DELAY
        while True:
            try:
                async with asyncio.timeout(_CALL_SECONDS):
                    return await attempt(again)
            except _REFUSED as error:
                raise self._failure(error, is_unknown=is_unknown) from error
            except _PASSING as error:
                self._note_outage()
                is_unknown = is_unknown or isinstance(error, _LOST)
                if isinstance(error, exceptions.ReadOnlyError):
                    await self._reconnect()
                if loop.time() + delay > deadline:
                    raise self._failure(error, is_unknown=is_unknown) from error
            except exceptions.RedisError as error:
                raise self._failure(error, is_unknown=is_unknown) from error
            await asyncio.sleep(delay)
            again, delay = True, min(2 * delay, _LONGEST_DELAY)

    def _note_outage(self) -> None:
        """Remember that the server was away just now, whether or not a call comes through in the end."""
        now, known = time.monotonic(), self.outage
        self.outage = Outage(known.began if known and now - known.last < _SAME_OUTAGE else now, now)

    async def _reconnect(self) -> None:
        """After a failover the old connections still lead to what is now a replica."""
        if isinstance(self._client, client.Redis):
            await self._client.connection_pool.disconnect(inuse_connections=False)

    def _failure(self, error: Exception, *, is_unknown: bool) -> StoreError:
        """What to tell of it; `is_unknown` says that this attempt, or one before it, may have been carried out."""
        took = "What was asked for last may have taken effect." if is_unknown else "Nothing was changed."
        match error:
            case exceptions.AuthenticationError() | exceptions.AuthorizationError():
                return StoreSettingsError(
                    f"The Redis server at {self.name} refuses the user or the password. Check the user in store.url, "
                    f"and REDIS_PASSWORD, or the file that REDIS_PASSWORD_FILE names. {took}"
                )
            case exceptions.ReadOnlyError():
                says = "is a read-only replica. Name its primary, or an address that follows the primary."
            case exceptions.OutOfMemoryError():
                says = "has its memory full, so it takes nothing more. Raise its maxmemory."
            case exceptions.InvalidResponse():
                return StoreSettingsError(f"What answers at {self.name} is no Redis server. Check host and port.")
            case exceptions.BusyLoadingError():
                says = "is still loading its data. Try again soon."
            case TimeoutError() | exceptions.TimeoutError():
                says = "does not answer. Check that its address is right and that it is not overloaded."
            case exceptions.ConnectionError() | exceptions.RedisClusterException() | OSError():
                says = f"cannot be reached: {error}. Check that it runs and that its address is right."
            case _ if isinstance(error, _MOVING):
                says = f"is moving its slots, or has lost a node: {error}. It is tried again."
            case _ if isinstance(error, _STATES) or str(error).startswith(_STATE_WORDS):
                says = f"refuses: {error}."
            case _:
                return StoreRefusedError(f"The Redis server at {self.name} cannot take this: {error}. {took}")
        return StoreError(f"The Redis server at {self.name} {says} {took}")


def _single(url: str, connections: int = _CONNECTIONS) -> Client:
    pool = client.BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=None,  # every call has its own
        protocol=2,  # the shape of answers depends on it
        retry=Retry(NoBackoff(), 0),
        health_check_interval=_CHECK_SECONDS,
        socket_timeout=None,  # calls have `_CALL_SECONDS`
        socket_connect_timeout=_CALL_SECONDS,
    )
    return client.Redis.from_pool(pool)


def _cluster(url: str) -> Client:
    return client.RedisCluster.from_url(
        url,
        max_connections=_CONNECTIONS,
        protocol=2,  # the shape of answers depends on it
        retry=Retry(NoBackoff(), 0),
        health_check_interval=_CHECK_SECONDS,
        socket_timeout=None,  # calls have `_CALL_SECONDS`
        socket_connect_timeout=_CALL_SECONDS,
    )
