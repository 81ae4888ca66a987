"""The stores that a sweep plays on: empty at the start of each universe, with the universe's clock for their time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Any, Protocol, TypeVar

from redis import exceptions

from bot.ports.store import Store
from bot.stores.redis import RedisStore
from bot.stores.sqlite import SqliteStore
from tests.contract.redis_server import Server
from tests.fakes.clock import ManualClock

T = TypeVar("T")


class Ground(Protocol):
    """Where universes are played, one after the other."""

    async def begin(self, clock: ManualClock) -> Store:
        """A store with nothing in it, on that clock."""

    async def reopen(self) -> Store:
        """What a fresh process has of it after a crash."""

    async def end(self) -> None:
        """Let go of it; also where a begin has failed."""


# ---------------------------------------------------------------- SQLite


class InlineStore(SqliteStore):
    """The SQLite store without its thread: the same statements, and no waiting for a second thread 60,000 times."""

    async def _run_apart(self, work: Callable[[Connection], T]) -> T:
        return self._link.submit(work).result()

    async def _write_apart(self, work: Callable[[Connection], T], *, wakes: bool = False) -> T:
        return self._link.submit(self._link.transaction(work)).result()

    @classmethod
    async def begin(cls, clock: ManualClock) -> InlineStore:
        store = cls(":memory:", clock, 500, exclusive=True, durability="normal")
        store._link._executor.shutdown()
        store._link._executor = AtOnce()  # type: ignore[assignment]
        store._link.connect(store._take_up)
        return store


class AtOnce:
    """An executor that does what it is given before it answers."""

    def submit(self, work: Callable[[], T]) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)
        return done

    def shutdown(self, wait: bool = True) -> None:
        """There is nobody to wait for."""


@dataclass(slots=True)
class OnSqlite:
    """A database in memory, which a crash leaves open, for it would be gone with its connection."""

    _store: InlineStore | None = None

    async def begin(self, clock: ManualClock) -> Store:
        """See `Ground.begin`."""
        self._store = await InlineStore.begin(clock)
        return self._store

    async def reopen(self) -> Store:
        """See `Ground.reopen`."""
        assert self._store is not None
        return self._store

    async def end(self) -> None:
        """See `Ground.end`."""
        if self._store is not None:
            await self._store.close()
            self._store = None


# ---------------------------------------------------------------- Redis


@dataclass(slots=True)
class OnRedis:
    """A real server, emptied for each universe; a crash closes the connections, and the next process makes its own.

    Of the `commands` that were sent to it the one of the number `unheard` takes effect, but its reply is lost.
    """

    server: Server
    unheard: int = 0
    commands: int = 0
    _clock: ManualClock = field(default_factory=ManualClock)
    _store: RedisStore | None = None

    async def begin(self, clock: ManualClock) -> Store:
        """See `Ground.begin`."""
        assert self.server.ask("FLUSHALL") == b"+OK\r\n"
        self._clock, self.commands = clock, 0
        return await self._open()

    async def reopen(self) -> Store:
        """See `Ground.reopen`."""
        await self.end()
        return await self._open()

    async def end(self) -> None:
        """See `Ground.end`."""
        if self._store is not None:
            await self._store.close()
            self._store = None

    async def _open(self) -> Store:
        self._store = store = await RedisStore.open(self.server.url, clock=self._clock)
        store._link._client = _Line(store._link._client, self)  # type: ignore[assignment]
        return store


class _Line:
    """The client of a store on that ground, which counts what it sends and may lose a reply."""

    def __init__(self, client: Any, ground: OnRedis) -> None:
        self._client, self._ground = client, ground

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def execute_command(self, *command: Any) -> Any:
        reply = await self._client.execute_command(*command)
        self._ground.commands += 1
        if self._ground.commands == self._ground.unheard:
            raise exceptions.ConnectionError("the connection is cut")
        return reply
