"""The replicas of a test: started, killed without a word, started again."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

READY_SECONDS = 20.0


@dataclass(slots=True)
class Replica:
    """One replica; `address` is where it takes deliveries, empty while it takes none."""

    name: str
    options: tuple[str, ...]
    process: Process | None = None
    address: str = ""
    kills: int = 0

    @property
    def pid(self) -> int:
        """The process's id. Raises RuntimeError where there is no process."""
        if self.process is None:
            raise RuntimeError(f"{self.name} does not run")
        return self.process.pid


@dataclass(slots=True)
class Fleet:
    """Replicas on one Redis and one platform; what they log stands in `folder`."""

    redis: str
    folder: Path
    platform: str = ""
    replicas: dict[str, Replica] = field(default_factory=dict)
    _restarts: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._restarts:
            task.cancel()
        await asyncio.gather(*self._restarts, return_exceptions=True)
        for replica in self.replicas.values():
            await self.end(replica.name, signal.SIGKILL)

    def addresses(self) -> list[str]:
        """Where deliveries may go right now."""
        return [replica.address for replica in self.replicas.values() if replica.address]

    @property
    def kills(self) -> int:
        """How many replicas were killed so far."""
        return sum(replica.kills for replica in self.replicas.values())

    async def start(self, *names: str, options: tuple[str, ...] = ()) -> None:
        """Start replicas of those names and return when they take deliveries."""
        for name in names:
            self.replicas[name] = Replica(name, options)
        await asyncio.gather(*(self._start(self.replicas[name]) for name in names))

    async def _start(self, replica: Replica) -> None:
        command = [sys.executable, "-m", "tests.chaos.replica", self.redis, self.platform, "--name", replica.name]
        with (self.folder / f"{replica.name}.log").open("ab") as log:
            replica.process = await asyncio.create_subprocess_exec(
                *command, *replica.options, stdout=PIPE, stderr=log, cwd=Path(__file__).parents[2]
            )
        stdout = replica.process.stdout
        if stdout is None:
            raise RuntimeError("a replica without stdout")
        async with asyncio.timeout(READY_SECONDS):
            line = await stdout.readline()
        if not line.startswith(b"ready "):
            raise RuntimeError(f"{replica.name} does not start: {self.told(replica.name)}")
        replica.address = f"http://127.0.0.1:{int(line.split()[1])}/"

    async def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """End a replica for good, and return when it is over."""
        replica = self.replicas[name]
        replica.address = ""
        if replica.process is not None:
            if replica.process.returncode is None:
                replica.process.send_signal(how)
            await replica.process.wait()
            replica.process = None

    def kill(self, name: str) -> bool:
        """`kill -9` this moment, and start it again as soon as it is dead; False where it does not run."""
        replica = self.replicas[name]
        process = replica.process
        if process is None or process.returncode is not None or not replica.address:
            return False
        process.kill()
        replica.address, replica.kills = "", replica.kills + 1
        restart = asyncio.create_task(self._restart(replica, process))
        self._restarts.add(restart)
        restart.add_done_callback(self._restarts.discard)
        return True

    async def _restart(self, replica: Replica, process: Process) -> None:
        await process.wait()
        await self._start(replica)

    async def settled(self) -> None:
        """Return when every replica that was killed is back."""
        while self._restarts:
            await asyncio.gather(*self._restarts)

    def told(self, name: str) -> str:
        """The end of what a replica has logged."""
        return (self.folder / f"{name}.log").read_text()[-4000:]
